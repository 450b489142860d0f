const require_fault = require("./fault-CoQDgz3e.cjs");
const require_count = require("./count-BeHP6xrD.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");

// src/commands/remove.ts
/** `warren rm`: forgets runs, with what they changed. */
/** Returns 1 when a run that was named is still there. */
async function remove(words, flags, host, { store }) {
	if (flags.all === true && words.length > 0) throw new require_fault.Fault("invalid_argument", "Cannot remove both all runs and some: leave out --all or the ids");
	if (flags.all !== true && words.length === 0) throw new require_fault.Fault("invalid_argument", "Cannot tell which runs to remove", { details: { fix: "name some of: warren runs, or use --all" } });
	const removed = [];
	const left = [];
	for (const word of flags.all === true ? everyEnded(store) : words) try {
		const { id, reason } = look(store, word, flags.force === true);
		if (reason === void 0) {
			await store.removeRun(id);
			removed.push(id);
		} else left.push({
			run: id,
			reason
		});
	} catch (error) {
		if (!require_fault.isFault(error)) throw error;
		left.push({
			run: word,
			reason: error.message
		});
	}
	if (flags.json === true) await host.stdout.write(`${require_safe_text.safeJson({
		removed,
		left
	}, 2)}\n`);
	else {
		if (removed.length > 0 || left.length === 0) await host.stdout.write(`${require_count.count(removed.length, "run")} removed\n`);
		for (const { run, reason } of left) await host.stderr.write(`warren: cannot remove "${require_safe_text.safeText(run)}": ${require_safe_text.safeText(reason)}\n`);
		if (left.some(({ reason }) => reason.includes("--force"))) await host.stderr.write(`  fix: warren rm --force ${flags.all === true ? "--all" : words.map(require_safe_text.safeText).join(" ")}\n`);
	}
	return left.length === 0 ? 0 : 1;
}
function everyEnded(store) {
	const { runs, damaged } = store.listRuns();
	return [...runs.filter(({ status }) => status !== "open"), ...damaged].map(({ id }) => id);
}
function look(store, word, isForced) {
	let run;
	try {
		run = store.getRun(word);
	} catch (error) {
		if (require_fault.isFault(error, "internal")) return isForced ? { id: word } : {
			id: word,
			reason: "its record is damaged; remove it with --force"
		};
		throw error;
	}
	const { state, changes } = run.layer;
	if (isForced || state !== "pending" || changes === 0) return { id: run.id };
	return {
		id: run.id,
		reason: `${changes === void 0 ? "its changes are" : `its ${require_count.count(changes, "change")} ${changes === 1 ? "is" : "are"}`} not applied; remove it with --force`
	};
}

exports.remove = remove;