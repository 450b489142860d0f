const require_fault = require("./fault-CoQDgz3e.cjs");
const require_choose_run = require("./choose-run-BAliQ2wP.cjs");
const require_manifest = require("./manifest-DGB8QCT1.cjs");
const require_count = require("./count-BeHP6xrD.cjs");
const require_interruptible = require("./interruptible-D69Jgkoz.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");
let node_fs = require("node:fs");

// ../sandbox/src/layer/plan-undo.ts
/**
* Finds out how far an apply came, path by path, and what is to be taken back. The steps of one path lead from state to state; the host stands
* at one of them, and every step up to there is reverted. More than one apply may have added to the journal, also after a kill.
*/
async function planUndo({ steps, lower, isForced, pace }) {
	const byPath = Map.groupBy(steps, (step) => step.path);
	const conflicts = [];
	const reverts = [];
	for (const [path, chain] of byPath) {
		if (pace.isDue) await pace.rest();
		const found = revertsOf(chain, await readState(lower, path, pace), isForced);
		if (found === void 0) conflicts.push({
			path,
			reason: "the host changed it since it was applied"
		});
		else reverts.push(...found);
	}
	for (const { step, now } of reverts) {
		if (step.operation !== "mkdir" || now?.kind !== "directory") continue;
		const others = listIfReadable(lower, step.path).filter((path) => !byPath.has(path));
		conflicts.push(...others.map((path) => ({
			path,
			reason: "the host made it in a directory that was applied"
		})));
	}
	return {
		reverts: reverts.sort((left, right) => right.step.number - left.step.number),
		conflicts: conflicts.sort((left, right) => require_manifest.comparePaths(left.path, right.path))
	};
}
/** From the last step done to the first. `undefined`: the host stands at none of the states between them. */
function revertsOf(chain, host, isForced) {
	const at = chain.findLastIndex((step) => require_manifest.isAtState(host, step.before) || require_manifest.isAtState(host, step.after));
	if (at === -1 && !isForced) return void 0;
	const reverts = [];
	let now = host;
	for (const step of chain.slice(0, at === -1 ? chain.length : at + 1).toReversed()) {
		if (require_manifest.isAtState(now, step.before)) continue;
		if (!require_manifest.isAtState(now, step.after) && (at !== -1 || reverts.length > 0)) break;
		reverts.push({
			step,
			now
		});
		now = step.before;
	}
	return reverts;
}
/** What may not be listed is found out by rmdir, which refuses a directory that is not empty. */
function listIfReadable(lower, path) {
	try {
		return lower.list(path).map((name) => require_manifest.joinPath(path, name));
	} catch (error) {
		if (require_fault.isFault(error, "permission_denied")) return [];
		throw error;
	}
}
async function readState(lower, path, pace) {
	const state = lower.state(path);
	return state?.kind === "file" ? await require_manifest.readWithHash(lower, path, pace) ?? state : state;
}

// ../sandbox/src/layer/undo.ts
/**
* Takes an apply back: goes through the journal from its end and puts each path from its state after the step into its state before. A path that
* is in the state before already (the apply was killed before this step, or an undo was killed after it) is left alone, so undo can be
* repeated until it is through.
*/
/**
* Undoes everything that was applied of a run; its layer is then pending again. Throws `conflict` when nothing is applied, or when the host
* changed since (before anything is touched; details: `paths`), `busy`, `not_found`, `storage_full`, `permission_denied`, `aborted`.
*/
async function undoRun(store, idOrPrefix, options = {}) {
	using held = store.holdRun(idOrPrefix);
	try {
		return await undoHeld(held, options);
	} catch (error) {
		throw require_manifest.fileFault(error, `Cannot undo run ${held.record.id}`);
	}
}
async function undoHeld(held, options) {
	const { record, paths } = held;
	require_manifest.refuseDropped(record);
	if (!record.layer.isUndoable) {
		const why = record.layer.state === "undone" ? "it is undone already" : "nothing of it is applied";
		throw new require_fault.Fault("conflict", `Cannot undo run ${record.id}: ${why}`, { details: {
			runId: record.id,
			state: record.layer.state
		} });
	}
	const manifest = require_manifest.readManifest(paths.manifest) ?? {
		sealedNs: 0n,
		changes: []
	};
	const pace = new require_manifest.Pace(options.signal);
	using lower = require_choose_run.openLower(record);
	using journal = require_choose_run.Journal.open(paths.journal);
	const writer = new require_choose_run.HostWriter(lower, record.id, pace);
	await require_choose_run.tidy(held, journal, writer, manifest, pace);
	const plan = await planUndo({
		steps: journal.steps,
		lower,
		isForced: options.force === true,
		pace
	});
	if (plan.conflicts.length > 0 && options.force !== true) throw require_choose_run.conflictFault(`Cannot undo run ${record.id}`, plan.conflicts);
	const { restored, kept } = await new Undo({
		lower,
		journal,
		writer,
		pace,
		options
	}).run(plan);
	held.save({ layer: {
		state: "undone",
		isUndoable: false
	} });
	await journal.discard(pace);
	return {
		run: held.record,
		restored: restored.map(require_manifest.pathToText),
		kept: kept.map(require_manifest.pathToText)
	};
}
var Undo = class {
	#parts;
	#restored = /* @__PURE__ */ new Set();
	#kept = /* @__PURE__ */ new Set();
	constructor(parts) {
		this.#parts = parts;
	}
	async run({ reverts }) {
		const { journal, writer } = this.#parts;
		journal.begin();
		await this.#pause("begun");
		for (const revert of reverts) {
			await this.#revert(revert);
			await this.#pause("step", revert.step.path);
		}
		writer.sync();
		await this.#pause("ended");
		journal.end();
		return {
			restored: [...this.#restored].sort(),
			kept: [...this.#kept].sort()
		};
	}
	async #revert({ step, now }) {
		const { lower, writer } = this.#parts;
		const { path, before } = step;
		try {
			if (now?.kind === "file" && !isStill(now, lower.state(path))) throw changedMeanwhile(path);
			if (step.operation === "mkdir" && now?.kind === "directory") return this.#removeDirectory(path);
			if (now?.kind === "directory" && before?.kind !== "directory") throw changedMeanwhile(path);
			switch (before?.kind) {
				case void 0:
					if (now !== void 0) writer.unlink(path);
					break;
				case "directory":
					if (now?.kind === "directory") writer.chmod(path, before.mode);
					else this.#makeDirectory(step, before.mode, now);
					break;
				case "symlink":
					writer.prepareLink(path, before.target, step.owner);
					writer.publish(path);
					break;
				case "file":
					await this.#restoreFile(step, before, now);
					break;
				default: throw new require_fault.Fault("internal", `Cannot undo ${require_manifest.quotePath(path)}: a ${before?.kind} cannot be made again`);
			}
			this.#restored.add(path);
		} catch (error) {
			writer.discard(path);
			throw [
				"EEXIST",
				"ENOTEMPTY",
				"EISDIR",
				"ENOTDIR",
				"ENOENT"
			].includes(require_manifest.errnoOf(error) ?? "") ? changedMeanwhile(path, error) : require_manifest.fileFault(error, `Cannot undo ${require_manifest.quotePath(path)}`);
		}
	}
	#makeDirectory({ path, owner }, mode, now) {
		if (now !== void 0) this.#parts.writer.unlink(path);
		this.#parts.writer.mkdir(path, mode, owner);
	}
	/** A directory in which the host keeps something stays; the check before, or `force`, has decided that. */
	#removeDirectory(path) {
		try {
			this.#parts.writer.rmdir(path);
			this.#restored.add(path);
		} catch (error) {
			if (require_manifest.errnoOf(error) !== "ENOTEMPTY" || this.#parts.options.force !== true) throw error;
			this.#kept.add(path);
		}
	}
	async #restoreFile(step, before, now) {
		const { journal, writer } = this.#parts;
		const { path } = step;
		if (step.operation === "chmod" && now?.kind === "file") return writer.chmod(path, before.mode);
		const kept = journal.backupPath(step.number);
		if (writer.moveIn(kept, path)) return;
		const source = (0, node_fs.openSync)(kept, node_fs.constants.O_RDONLY | node_fs.constants.O_NOFOLLOW);
		try {
			const { descriptor } = await writer.prepareFile(path, source, before.mode, step.owner, before);
			try {
				(0, node_fs.fsyncSync)(descriptor);
			} finally {
				(0, node_fs.closeSync)(descriptor);
			}
			writer.publish(path);
		} finally {
			(0, node_fs.closeSync)(source);
		}
	}
	async #pause(point, path) {
		await this.#parts.options.onPause?.(point, path === void 0 ? void 0 : require_manifest.pathToText(path));
		if (this.#parts.pace.isDue) await this.#parts.pace.rest();
	}
};
/** `now` may be a state that undo itself made a moment ago, which has the inode of a kept file; then only the content counts. */
function isStill(seen, now) {
	return now?.kind === "file" && (require_manifest.isSameInode(seen, now) || seen.size === now.size && seen.mode === now.mode);
}
function changedMeanwhile(path, cause) {
	return new require_fault.Fault("conflict", `Cannot undo ${require_manifest.quotePath(path)}: the host changed it this moment`, {
		details: { paths: [require_manifest.pathToText(path)] },
		cause
	});
}

// src/commands/undo.ts
/** `warren undo`: takes an apply back. */
async function undo(word, flags, host, { store }) {
	const { run } = require_choose_run.chooseRun(store, host, {
		run: word,
		paths: [],
		isCandidate: ({ layer }) => layer.isUndoable,
		sought: "that was applied"
	});
	return await require_interruptible.interruptible(host, async (signal) => {
		const { restored, kept } = await undoRun(store, run.id, {
			signal,
			force: flags.force === true
		}).catch((error) => explain(error, run.id));
		if (flags.json === true) {
			await host.stdout.write(`${require_safe_text.safeJson({
				run: run.id,
				restored,
				kept
			}, 2)}\n`);
			return 0;
		}
		await host.stdout.write(`${require_count.count(restored.length, "change")} taken back in ${require_safe_text.safeText(run.directory)} · warren apply ${run.id}\n`);
		for (const path of kept) await host.stderr.write(`warren: left alone: ${require_safe_text.safeText(path)}: something else is in it\n`);
		return 0;
	});
}
function explain(error, run) {
	if (!require_fault.isFault(error, "conflict") || error.details?.["conflicts"] === void 0) throw error;
	throw new require_fault.Fault("conflict", error.message, {
		details: {
			...error.details,
			fix: `to lose what changed since: warren undo ${run} --force`
		},
		cause: error
	});
}

exports.undo = undo;