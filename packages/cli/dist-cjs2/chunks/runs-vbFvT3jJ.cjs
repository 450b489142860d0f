const require_color = require("./color-CDQrxYec.cjs");
const require_count = require("./count-BeHP6xrD.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");
const require_shell_words = require("./shell-words-CJ14c7zM.cjs");
let node_path = require("node:path");
let node_fs = require("node:fs");
let node_os = require("node:os");

// src/internal/table.ts
/** `columns` wide at most: the last column is cut, with an ellipsis. */
function formatTable(columns, rows, widthMax) {
	const widths = columns.map(({ title }, index) => Math.max(width(title), ...rows.map((row) => width(row[index] ?? ""))));
	const line = (cells, row) => {
		let used = 0;
		return `${columns.map(({ align, paint }, index) => {
			const isLast = index === columns.length - 1;
			const cell = isLast ? cut(cells[index] ?? "", widthMax - used) : cells[index] ?? "";
			const filling = " ".repeat(Math.max(0, (widths[index] ?? 0) - width(cell)));
			used += (widths[index] ?? 0) + 2;
			const painted = row < 0 || paint === void 0 ? cell : paint(cell, row);
			return align === "right" ? filling + painted : isLast ? painted : painted + filling;
		}).join("  ").trimEnd()}\n`;
	};
	return line(columns.map(({ title }) => title), -1) + rows.map(line).join("");
}
/** East Asian wide and fullwidth characters, and emoji, take two cells. */
const WIDE = /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
function width(text) {
	if (/^[ -~]*$/.test(text)) return text.length;
	let cells = 0;
	for (const { segment } of new Intl.Segmenter().segment(text)) cells += WIDE.test(segment) ? 2 : 1;
	return cells;
}
function cut(text, widthMax) {
	if (width(text) <= widthMax) return text;
	let shown = "";
	let cells = 1;
	for (const { segment } of new Intl.Segmenter().segment(text)) {
		cells += WIDE.test(segment) ? 2 : 1;
		if (cells > widthMax) break;
		shown += segment;
	}
	return `${shown}…`;
}

// src/commands/runs.ts
/** `warren runs`: what ran, and what became of its changes. */
const SHOWN_MAX = 20;
const IDS_MAX = 1e3;
/** How much of a command is worth showing where no terminal says how wide it is. */
const COMMAND_CHARACTERS_MAX = 200;
const STATUS_COLORS = {
	open: "cyan",
	ended: "green",
	crashed: "red"
};
async function runs(flags, host, { store }) {
	const { runs: all, damaged } = store.listRuns();
	const directory = flags.dir === void 0 ? void 0 : canonical((0, node_path.resolve)(host.cwd(), flags.dir));
	const chosen = all.filter((run) => directory === void 0 || run.directory === directory);
	if (flags.ids === true) {
		await host.stdout.write(chosen.slice(0, IDS_MAX).map(({ id }) => `${id}\n`).join(""));
		return 0;
	}
	const shown = flags.all === true ? chosen : chosen.slice(0, SHOWN_MAX);
	const more = chosen.length - shown.length;
	if (flags.json === true) {
		const records = shown.map((run) => ({
			...run,
			startedNs: `${run.startedNs}`
		}));
		const broken = damaged.map(({ id, fault }) => ({
			id,
			error: {
				code: fault.code,
				message: fault.message
			}
		}));
		await host.stdout.write(`${require_safe_text.safeJson({
			runs: records,
			damaged: broken,
			more
		}, 2)}\n`);
		return 0;
	}
	if (shown.length > 0) await host.stdout.write(table(shown, host));
	else await host.stderr.write(`warren: no runs${directory === void 0 ? "" : ` of ${require_safe_text.safeText(directory)}`}; begin with: warren run --dir . -- …\n`);
	if (more > 0) await host.stderr.write(`warren: ${require_count.count(more, "older run")}: warren runs --all\n`);
	for (const { id, fault } of damaged) await host.stderr.write(`warren: run ${id} is damaged: ${require_safe_text.safeText(fault.message)}\n  fix: warren rm --force ${id}\n`);
	return 0;
}
function table(shown, host) {
	const paint = require_color.painter(host, host.stdout);
	const columns = [
		{ title: "RUN" },
		{
			title: "AGE",
			align: "right"
		},
		{
			title: "STATUS",
			paint: (cell, row) => paint(STATUS_COLORS[shown[row]?.status ?? "ended"], cell)
		},
		{ title: "EXIT" },
		{
			title: "CHANGES",
			align: "right"
		},
		{ title: "LAYER" },
		{ title: "DIRECTORY" },
		{ title: "COMMAND" }
	];
	const rows = shown.map((run) => [
		run.id,
		age(host.now() - Date.parse(run.createdAt)),
		run.status === "open" ? "running" : run.status,
		run.exit === void 0 ? "-" : exitWord(run.exit),
		run.layer.changes === void 0 ? "?" : `${run.layer.changes}`,
		run.layer.state,
		directoryWord(run.directory, host),
		require_shell_words.shellWords(run.command).slice(0, COMMAND_CHARACTERS_MAX)
	]);
	return formatTable(columns, rows, host.stdout.size?.columns ?? Number.POSITIVE_INFINITY);
}
/** One unit is enough to find a run again. */
function age(durationMs) {
	const [unit, unitMs] = [
		["d", 864e5],
		["h", 36e5],
		["m", 6e4],
		["s", 1e3]
	].find(([, each]) => durationMs >= each) ?? ["s", 1e3];
	return `${Math.max(0, Math.floor(durationMs / unitMs))}${unit}`;
}
function exitWord(exit) {
	switch (exit.kind) {
		case "exited":
		case "not_started": return `${exit.code}`;
		case "signalled": return exit.signal;
		case "stopped": return exit.by;
		default: return exit;
	}
}
function directoryWord(directory, host) {
	const home = host.env["HOME"] ?? (0, node_os.homedir)();
	const isBelow = home !== "/" && home !== "" && (directory === home || directory.startsWith(`${home}/`));
	return require_safe_text.safeText(isBelow ? `~${directory.slice(home.length)}` : directory);
}
/** Of a directory that is gone there may still be runs. */
function canonical(path) {
	try {
		return (0, node_fs.realpathSync)(path);
	} catch {
		return path;
	}
}

exports.age = age;
exports.runs = runs;