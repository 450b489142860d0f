const require_fault = require("./fault-CoQDgz3e.cjs");
const require_choose_run = require("./choose-run-BAliQ2wP.cjs");
const require_diff = require("./diff-CFwmjtfO.cjs");
const require_count = require("./count-BeHP6xrD.cjs");
const require_interruptible = require("./interruptible-D69Jgkoz.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");
const require_shell_words = require("./shell-words-CJ14c7zM.cjs");

// src/commands/apply.ts
/** `warren apply`: brings what a run changed into the real directory. */
/** Returns 1 when something that was asked for was left alone. A conflict is a fault, and nothing was touched. */
async function apply(word, paths, flags, host, parts) {
	const chosen = require_choose_run.chooseRun(parts.store, host, {
		run: word,
		paths,
		isCandidate: require_choose_run.hasChanges,
		sought: "that changed something"
	});
	return await require_interruptible.interruptible(host, async (signal) => {
		if (flags.dryRun === true) return await rehearse(chosen, flags, host, parts, signal);
		const options = {
			probe: parts.probe,
			signal,
			force: flags.force === true,
			...chosen.paths !== void 0 && { paths: chosen.paths }
		};
		const result = await require_choose_run.applyRun(parts.store, chosen.run.id, options).catch((error) => explain(error, chosen));
		if (flags.json === true) {
			const { applied, alreadyApplied, refused, remaining } = result;
			await host.stdout.write(`${require_safe_text.safeJson({
				run: chosen.run.id,
				applied,
				alreadyApplied,
				refused,
				remaining
			}, 2)}\n`);
		} else {
			await host.stdout.write(`${summary(result)}\n`);
			await sayRefused(result.refused, chosen, host);
		}
		return result.refused.length === 0 ? 0 : 1;
	});
}
function summary({ run, applied, alreadyApplied, refused, remaining }) {
	const directory = require_safe_text.safeText(run.directory);
	const rest = remaining > 0 ? `, ${require_count.count(remaining, "change")} not asked for` : "";
	if (applied.length > 0) return `${require_count.count(applied.length, "change")} applied to ${directory}${rest} · warren undo ${run.id}`;
	if (refused.length > 0) return `nothing applied to ${directory}${rest}`;
	return alreadyApplied > 0 ? `nothing to apply: ${directory} has it all already${rest}` : `nothing to apply: run ${run.id} changed nothing`;
}
async function sayRefused(refused, { run }, host) {
	for (const { path, detail } of refused) await host.stderr.write(`warren: left alone: ${require_safe_text.safeText(path)}: ${require_safe_text.safeText(detail)}\n`);
	const wary = refused.filter(({ reason }) => reason === "attention");
	const [first] = wary;
	if (first !== void 0) await host.stderr.write(`  fix: look at it, then: warren apply ${run.id} ${require_shell_words.shellWord(first.path)}${wary.length > 1 ? " …" : ""}\n`);
}
/** What an apply would do, and whether it could. */
async function rehearse(chosen, flags, host, { store, probe }, signal) {
	const { run, changes } = await require_diff.reviewRun(store, chosen.run.id, {
		probe,
		signal,
		...chosen.paths !== void 0 && { paths: chosen.paths }
	});
	const refused = changes.flatMap((change) => refusalOf(change, chosen, flags));
	const left = new Set(refused.map(({ path }) => path));
	const conflicts = changes.flatMap(({ path, status }) => {
		if (status.kind !== "conflict" || left.has(require_diff.nameOf(path)) || flags.force === true && status.isForceable) return [];
		return [{
			path: require_diff.nameOf(path),
			reason: status.reason
		}];
	});
	const blocked = new Set(conflicts.map(({ path }) => path));
	const applied = changes.map(({ path }) => require_diff.nameOf(path)).filter((path) => !left.has(path) && !blocked.has(path));
	if (flags.json === true) await host.stdout.write(`${require_safe_text.safeJson({
		run: run.id,
		dryRun: true,
		applied,
		conflicts,
		refused
	}, 2)}\n`);
	else {
		for (const path of applied) await host.stdout.write(`${conflicts.length > 0 ? "could apply" : "would apply"}: ${require_safe_text.safeText(path)}\n`);
		for (const { path, reason } of conflicts) await host.stdout.write(`conflict: ${require_safe_text.safeText(path)}: ${require_safe_text.safeText(reason)}\n`);
		for (const { path, detail } of refused) await host.stdout.write(`would leave alone: ${require_safe_text.safeText(path)}: ${require_safe_text.safeText(detail)}\n`);
		if (changes.length === 0) await host.stdout.write("nothing to apply\n");
	}
	return conflicts.length + refused.length === 0 ? 0 : 1;
}
/** As the library decides it: what deserves attention is taken when it is forced, or named as being inside a `.git`. */
function refusalOf({ path, refusal, attention }, { paths = [] }, flags) {
	const name = require_diff.nameOf(path);
	if (refusal !== void 0) return [{
		path: name,
		reason: refusal.reason,
		detail: refusal.detail
	}];
	const isNamed = paths.some((one) => one.toLowerCase().split("/").includes(".git") && (name === one || name.startsWith(`${one}/`)));
	if (attention === void 0 || flags.force === true || isNamed) return [];
	return [{
		path: name,
		reason: "attention",
		detail: attention
	}];
}
function explain(error, { run }) {
	if (require_fault.isFault(error, "conflict")) {
		const fix = `look at warren diff ${run.id}, then take some paths, or overwrite: warren apply ${run.id} --force`;
		throw new require_fault.Fault("conflict", error.message, {
			details: {
				...error.details,
				fix
			},
			cause: error
		});
	}
	throw error;
}

exports.apply = apply;