const require_fault = require("./fault-CoQDgz3e.cjs");
const require_manifest = require("./manifest-DGB8QCT1.cjs");
let node_path = require("node:path");
let node_fs = require("node:fs");
let node_util = require("node:util");
let node_crypto = {randomBytes(n){const b=Buffer.alloc(n);const d=require("fs").openSync("/dev/urandom","r");require("fs").readSync(d,b);require("fs").closeSync(d);return b}};

// ../sandbox/src/layer/temporary-name.ts
/** Longest name of the file systems we meet. */
const NAME_BYTES_MAX = 255;
/**
* Where the new content of a path is written before it takes its place: beside it, `.<name>.warren-<run>`. It follows from path and run alone,
* so that one left by a killed apply is found again.
*/
function temporaryPath(path, run) {
	const name = `.${require_manifest.nameOf(path)}.warren-${run}`;
	if (name.length <= NAME_BYTES_MAX) return require_manifest.joinPath(require_manifest.parentOf(path), name);
	const digest = (0, node_crypto.createHash)("sha256").update(require_manifest.nameOf(path), "latin1").digest("hex").slice(0, 32);
	return require_manifest.joinPath(require_manifest.parentOf(path), `.${digest}.warren-${run}`);
}
/** Whether an agent chose a name that could be one of ours. It would have to guess the run. */
function isTemporaryName(path, run) {
	return require_manifest.nameOf(path).endsWith(`.warren-${run}`);
}

// ../sandbox/src/layer/host-writer.ts
/** The only hands that touch the host's directory: each method is one change to one entry, and none of them follows a link. */
/** A directory with this bit hands its group down. */
const SET_GID = 1024n;
var HostWriter = class {
	#tree;
	#run;
	#pace;
	#touched = /* @__PURE__ */ new Set();
	/** Whether the file system may share blocks; one refusal is enough to stop asking. */
	#canReflink = true;
	constructor(tree, run, pace) {
		this.#tree = tree;
		this.#run = run;
		this.#pace = pace;
	}
	/**
	* Writes a copy of an open file beside `path`. The caller flushes and closes the descriptor, then publishes or discards.
	* `times` are given to it; without them it is new.
	*/
	async prepareFile(path, source, mode, owner, times) {
		const temporary = this.#tree.at(temporaryPath(path, this.#run));
		const isCloned = this.#canReflink && require_manifest.reflink(source, temporary);
		this.#canReflink &&= isCloned;
		const flags = node_fs.constants.O_RDWR | node_fs.constants.O_NOFOLLOW | (isCloned ? 0 : node_fs.constants.O_CREAT | node_fs.constants.O_EXCL);
		const descriptor = (0, node_fs.openSync)(temporary, flags, 384);
		try {
			const size = (0, node_fs.fstatSync)(source).size;
			const sha256 = isCloned ? await require_manifest.hashContent(source, size, this.#pace) : await require_manifest.copyContent(source, descriptor, size, this.#pace);
			this.#giveTo(owner, path, (0, node_fs.fstatSync)(descriptor), (uid, gid) => (0, node_fs.fchownSync)(descriptor, uid, gid));
			(0, node_fs.fchmodSync)(descriptor, mode);
			if (times !== void 0) (0, node_fs.futimesSync)(descriptor, Number(times.mtimeNs) / 1e9, Number(times.mtimeNs) / 1e9);
			const stat = (0, node_fs.fstatSync)(descriptor, { bigint: true });
			const { ino, mtimeNs, ctimeNs } = stat;
			return {
				descriptor,
				state: {
					kind: "file",
					mode,
					size: Number(stat.size),
					ino,
					mtimeNs,
					ctimeNs,
					sha256
				}
			};
		} catch (error) {
			(0, node_fs.closeSync)(descriptor);
			this.discard(path);
			throw error;
		}
	}
	prepareLink(path, target, owner) {
		const temporary = this.#tree.at(temporaryPath(path, this.#run));
		(0, node_fs.symlinkSync)(require_manifest.pathToBytes(target), temporary);
		const made = (0, node_fs.lstatSync)(temporary);
		this.#giveTo(owner, path, made, (uid, gid) => this.#tree.chown(temporaryPath(path, this.#run), uid, gid));
	}
	/** Puts what was prepared in its place, over what is there. */
	publish(path) {
		const temporary = this.#tree.at(temporaryPath(path, this.#run));
		(0, node_fs.renameSync)(temporary, this.#tree.at(path));
		this.#touch(path);
	}
	/** Removes what was prepared, if it is there. */
	discard(path) {
		const located = this.#tree.locate(temporaryPath(path, this.#run));
		if (located.kind !== "at") return;
		try {
			(0, node_fs.unlinkSync)(located.at);
		} catch (error) {
			if (require_manifest.errnoOf(error) !== "ENOENT") throw error;
		}
	}
	/** Brings a kept file back by its own name, if it is in this file system. Over what is there. */
	moveIn(kept, path) {
		try {
			(0, node_fs.renameSync)(kept, this.#tree.at(path));
		} catch (error) {
			if (require_manifest.errnoOf(error) === "EXDEV") return false;
			throw error;
		}
		this.#touch(path);
		return true;
	}
	mkdir(path, mode, owner) {
		const at = this.#tree.at(path);
		(0, node_fs.mkdirSync)(at, { mode: 448 });
		const made = (0, node_fs.lstatSync)(at);
		this.#giveTo(owner, path, made, (uid, gid) => this.#tree.chown(path, uid, gid));
		this.#tree.chmod(path, mode);
		this.#touch(path);
	}
	unlink(path) {
		(0, node_fs.unlinkSync)(this.#tree.at(path));
		this.#touch(path);
	}
	rmdir(path) {
		(0, node_fs.rmdirSync)(this.#tree.at(path));
		this.#touched.delete(path);
		this.#touch(path);
	}
	chmod(path, mode) {
		this.#tree.chmod(path, mode);
		this.#touch(path);
	}
	/** Makes everything done so far survive a power cut. */
	sync() {
		for (const path of [...this.#touched].sort()) {
			const located = this.#tree.locate(path);
			if (located.kind !== "at") continue;
			try {
				require_manifest.syncDirectory(located.at);
			} catch (error) {
				if (!["ENOENT", "EACCES"].includes(require_manifest.errnoOf(error) ?? "")) throw error;
			}
		}
		this.#touched.clear();
	}
	#touch(path) {
		this.#touched.add(require_manifest.parentOf(path));
	}
	/**
	* What takes the place of something belongs to whom that belonged to; what is new, to the owner of the run's directory. Only root can give
	* things away; for others it is theirs, and the group is tried.
	*/
	#giveTo(previous, path, made, chown) {
		const [uid, gid] = previous ?? this.#ownerOfNew(path, made.gid);
		if (uid === made.uid && gid === made.gid) return;
		try {
			chown(require_manifest.ourUid() === 0 ? uid : made.uid, gid);
		} catch (error) {
			if (require_manifest.ourUid() === 0 || require_manifest.errnoOf(error) !== "EPERM") throw error;
		}
	}
	#ownerOfNew(path, madeGid) {
		const directory = this.#tree.stat("");
		const isGroupInherited = ((this.#tree.stat(require_manifest.parentOf(path))?.mode ?? 0n) & SET_GID) !== 0n;
		return [Number(directory?.uid ?? require_manifest.ourUid()), isGroupInherited ? madeGid : Number(directory?.gid ?? madeGid)];
	}
};

// ../sandbox/src/layer/journal.ts
/**
* What apply is about to do to the host, written down and flushed before it does it: each step with the state before and after, and the
* previous content of files kept beside. It does not say which steps were done. The host does: a path that stands as it was before its step is
* not done, one that stands as after it is; so a kill between any two instructions needs no record of its own.
*/
const OPERATIONS = [
	"write",
	"link",
	"mkdir",
	"unlink",
	"rmdir",
	"chmod"
];
const NUMBER_MAX = 1e8;
var Journal = class Journal {
	#directory;
	#steps;
	#file;
	#isInterrupted;
	constructor(directory, steps, isInterrupted) {
		this.#directory = directory;
		this.#steps = steps;
		this.#isInterrupted = isInterrupted;
	}
	/** Reads the journal of a run; without one it is empty. Throws `internal` when it is damaged. */
	static open(directory) {
		const path = (0, node_path.join)(directory, "steps.jsonl");
		let text;
		try {
			text = (0, node_fs.readFileSync)(path, "utf8");
		} catch (error) {
			if (require_manifest.errnoOf(error) === "ENOENT") return new Journal(directory, [], false);
			throw require_manifest.fileFault(error, `Cannot read ${path}`);
		}
		const steps = [];
		let isInterrupted = false;
		for (const [index, line] of text.split("\n").slice(0, -1).entries()) {
			const entry = readEntry(line, path, index + 1);
			if (typeof entry === "object") steps.push(entry);
			else isInterrupted = entry === "begin";
		}
		return new Journal(directory, steps, isInterrupted);
	}
	/** In the order they were written. */
	get steps() {
		return this.#steps;
	}
	/** Whether the last apply or undo was killed. It may have left temporary files. */
	get isInterrupted() {
		return this.#isInterrupted;
	}
	/** Numbers the next steps. */
	get nextNumber() {
		return (this.#steps.at(-1)?.number ?? -1) + 1;
	}
	/** Before the first temporary file. */
	begin() {
		(0, node_fs.mkdirSync)((0, node_path.join)(this.#directory, "backup"), {
			recursive: true,
			mode: 448
		});
		this.#write(["{\"mark\":\"begin\"}"]);
		require_manifest.syncDirectory(this.#directory);
		require_manifest.syncDirectory((0, node_path.dirname)(this.#directory));
		this.#isInterrupted = true;
	}
	/** Once no temporary file is left. */
	end() {
		this.#write(["{\"mark\":\"end\"}"]);
		this.#isInterrupted = false;
	}
	/** Returns when the steps, and the backups they rely on, are on disk. */
	append(steps) {
		require_manifest.syncDirectory((0, node_path.join)(this.#directory, "backup"));
		this.#write(steps.map(stepToLine));
		this.#steps.push(...steps);
	}
	/**
	* Keeps the file at `path` as it is now. In the same file system it only gets a second name, so that undo brings back the very same file, with
	* its times, owner and attributes; elsewhere it is copied.
	*/
	async backUp(number, lower, path, size, pace) {
		const backup = this.backupPath(number);
		(0, node_fs.rmSync)(backup, { force: true });
		try {
			(0, node_fs.linkSync)(lower.at(path), backup);
			return;
		} catch (error) {
			if (![
				"EXDEV",
				"EPERM",
				"EMLINK",
				"EOPNOTSUPP",
				"ENOSYS"
			].includes(require_manifest.errnoOf(error) ?? "")) throw error;
		}
		await this.#copy(lower, path, size, backup, pace);
	}
	backupPath(number) {
		return (0, node_path.join)(this.#directory, "backup", `${number}`);
	}
	/** Forgets everything, at once for whoever looks. */
	async discard(pace) {
		this[Symbol.dispose]();
		const leaving = `${this.#directory}.gone`;
		await require_manifest.removeTree(leaving, pace);
		try {
			(0, node_fs.renameSync)(this.#directory, leaving);
		} catch (error) {
			if (require_manifest.errnoOf(error) !== "ENOENT") throw error;
		}
		this.#steps.length = 0;
		this.#isInterrupted = false;
		await require_manifest.removeTree(leaving, pace);
	}
	[Symbol.dispose]() {
		if (this.#file !== void 0) (0, node_fs.closeSync)(this.#file);
		this.#file = void 0;
	}
	async #copy(lower, path, size, backup, pace) {
		const source = lower.openFile(path);
		try {
			const isCloned = require_manifest.reflink(source, backup);
			const target = (0, node_fs.openSync)(backup, isCloned ? "r+" : "wx", 384);
			try {
				if (!isCloned) await require_manifest.copyContent(source, target, size, pace);
				(0, node_fs.fsyncSync)(target);
			} finally {
				(0, node_fs.closeSync)(target);
			}
		} finally {
			(0, node_fs.closeSync)(source);
		}
	}
	#write(lines) {
		const file = this.#openForAppend();
		const { size } = (0, node_fs.fstatSync)(file);
		try {
			const bytes = Buffer.from(`${lines.join("\n")}\n`);
			for (let done = 0; done < bytes.length;) done += (0, node_fs.writeSync)(file, bytes, done, bytes.length - done, size + done);
			(0, node_fs.fsyncSync)(file);
		} catch (error) {
			(0, node_fs.ftruncateSync)(file, size);
			throw error;
		}
	}
	#openForAppend() {
		if (this.#file !== void 0) return this.#file;
		const path = (0, node_path.join)(this.#directory, "steps.jsonl");
		const file = (0, node_fs.openSync)(path, "a+", 384);
		this.#file = file;
		const bytes = (0, node_fs.readFileSync)(path);
		(0, node_fs.ftruncateSync)(file, bytes.lastIndexOf(10) + 1);
		return file;
	}
};
function stepToLine(step) {
	return JSON.stringify({
		number: step.number,
		operation: step.operation,
		path: require_manifest.pathToJson(step.path),
		...step.before === void 0 ? {} : { before: require_manifest.stateToJson(step.before) },
		...step.after === void 0 ? {} : { after: require_manifest.stateToJson(step.after) },
		...step.owner === void 0 ? {} : { owner: step.owner },
		...step.isTemporary === true ? { isTemporary: true } : {}
	});
}
function readEntry(line, path, lineNumber) {
	try {
		const value = JSON.parse(line);
		const fields = require_manifest.readFields(value, "step", [], [
			"mark",
			"number",
			"operation",
			"path",
			"before",
			"after",
			"owner",
			"isTemporary"
		]);
		if (fields["mark"] !== void 0) return require_manifest.readOneOf(fields["mark"], "mark", ["begin", "end"]);
		const [uid, gid] = fields["owner"] === void 0 ? [] : require_manifest.readList(fields["owner"], "owner", 2, (item, where) => require_manifest.readInteger(item, where));
		return {
			number: require_manifest.readInteger(fields["number"], "number", NUMBER_MAX),
			operation: require_manifest.readOneOf(fields["operation"], "operation", OPERATIONS),
			path: require_manifest.readPath(fields["path"], "path"),
			before: fields["before"] === void 0 ? void 0 : require_manifest.readState(fields["before"], "before"),
			after: fields["after"] === void 0 ? void 0 : require_manifest.readState(fields["after"], "after"),
			...uid === void 0 || gid === void 0 ? {} : { owner: [uid, gid] },
			...fields["isTemporary"] !== void 0 && require_manifest.readBoolean(fields["isTemporary"], "isTemporary") ? { isTemporary: true } : {}
		};
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new require_fault.Fault("internal", `Cannot read line ${lineNumber} of ${path}: ${reason}`, { cause: error });
	}
}

// ../sandbox/src/layer/host-check.ts
/** Compares the host with the seal: is a change still to be applied, applied already, or did the host go its own way meanwhile? */
/**
* A file's time stamps come from a clock that ticks every few milliseconds, so a file changed just before the seal could be changed again
* with the same stamp (git calls it racy). Such a young file is compared by content.
*/
const RACY_NS = 1000000000n;
var HostCheck = class {
	#sealedNs;
	#upper;
	#lower;
	#pace;
	#changes;
	#ours = /* @__PURE__ */ new Map();
	constructor({ manifest, upper, lower, steps, pace }) {
		this.#sealedNs = manifest.sealedNs;
		this.#upper = upper;
		this.#lower = lower;
		this.#pace = pace;
		this.#changes = new Map(manifest.changes.map((change) => [change.path, change]));
		for (const step of steps) {
			const known = this.#ours.get(step.path) ?? [];
			this.#ours.set(step.path, known);
			known.push(step.before, step.after);
		}
	}
	async check(change) {
		if (this.#pace.isDue) await this.#pace.rest();
		const located = this.#lower.locate(change.path);
		if (located.kind === "blocked" && !this.#changes.has(located.by)) return {
			kind: "conflict",
			host: void 0,
			reason: `${require_manifest.quotePath(located.by)} is not a directory on the host`,
			isForceable: false
		};
		const host = located.kind === "at" ? this.#lower.state(change.path) : void 0;
		return host === void 0 ? this.#checkAbsent(change, located.kind === "missing") : await this.#checkPresent(change, host);
	}
	#checkAbsent(change, isDirectoryMissing) {
		const host = void 0;
		if (change.after === void 0) return {
			kind: "applied",
			host
		};
		if (isDirectoryMissing && this.#changes.get(require_manifest.parentOf(change.path))?.after?.kind !== "directory") return {
			kind: "conflict",
			host,
			reason: "its directory is gone from the host",
			isForceable: false
		};
		if (change.before === void 0 || this.#ours.get(change.path)?.includes(void 0) === true) return {
			kind: "pending",
			host
		};
		return {
			kind: "conflict",
			host,
			reason: "it is gone from the host",
			isForceable: true
		};
	}
	async #checkPresent(change, state) {
		const unchanged = await this.#ifUnchanged(change, state);
		if (unchanged !== void 0 && !change.isChangedDuringRun) return {
			kind: "pending",
			host: unchanged
		};
		if (await this.#isApplied(change, state)) return {
			kind: "applied",
			host: state
		};
		if (unchanged !== void 0) return {
			kind: "conflict",
			host: unchanged,
			reason: "the host changed it during the run",
			isForceable: true
		};
		const ours = this.#ours.get(change.path);
		const host = state.kind === "file" && ours !== void 0 ? await require_manifest.readWithHash(this.#lower, change.path, this.#pace) ?? state : state;
		if (ours?.some((one) => require_manifest.isAtState(host, one)) === true) return {
			kind: "pending",
			host
		};
		return {
			kind: "conflict",
			...describeConflict(change, host),
			host
		};
	}
	/** The host's state, with its hash, if it is as the seal says. */
	async #ifUnchanged({ path, before }, host) {
		if (before?.kind !== "file" || host.kind !== "file") return require_manifest.isEqualState(before, host) ? host : void 0;
		if (before.ctimeNs + RACY_NS < this.#sealedNs && require_manifest.isSameInode(before, host)) return withHash(host, before.sha256);
		if (before.mode !== host.mode || before.size !== host.size) return void 0;
		const now = await require_manifest.readWithHash(this.#lower, path, this.#pace) ?? host;
		return require_manifest.isAtState(now, before) ? now : void 0;
	}
	async #isApplied({ path, after }, host) {
		if (after?.kind !== "file" || host.kind !== "file") return require_manifest.isEqualState(after, host);
		return after.mode === host.mode && after.size === host.size && await this.#isSameFile(path, host);
	}
	async #isSameFile(path, host) {
		const above = this.#upper.openFile(path);
		try {
			const below = this.#lower.openFile(path);
			try {
				return await require_manifest.isSameContent(above, below, host.size, this.#pace);
			} finally {
				(0, node_fs.closeSync)(below);
			}
		} catch (error) {
			if (require_manifest.errnoOf(error) !== "EACCES") throw error;
			return this.#ours.get(path)?.some((one) => require_manifest.isAtState(host, one)) === true;
		} finally {
			(0, node_fs.closeSync)(above);
		}
	}
};
function describeConflict({ before, after }, host) {
	if (require_manifest.isSpecial(host)) return {
		reason: `it is a ${host.kind.replace("_", " ")} on the host`,
		isForceable: false
	};
	if (host.kind === "directory" && after?.kind !== "directory" && before?.kind !== "directory") return {
		reason: "it is a directory on the host",
		isForceable: false
	};
	return {
		reason: before === void 0 ? "the host has one of its own" : "the host changed it since the run",
		isForceable: true
	};
}
function withHash(state, sha256) {
	return sha256 === void 0 ? state : {
		...state,
		sha256
	};
}

// ../sandbox/src/layer/plan-steps.ts
/**
* Orders the steps of an apply so that each finds what it needs, and so that most of the time the host has the old content or the new:
*
* 1. directories, from the top: rights to write into them, room for new ones, the new ones;
* 2. files and links, each put in place by one rename; where a directory gives way to one, what was in it goes right before;
* 3. what is deleted, from the bottom, once everything new is there (a file that only moved is never in neither place);
* 4. the modes of directories that would have been in the way before.
*/
/** What an owner needs to add and remove entries. */
const OWNER_WRITES = 192;
const OWNER_ALL = 448;
function planSteps(request) {
	const { work } = request;
	const content = planContent(work);
	const deletions = planDeletions(work, content.deleted);
	const room = work.filter(isNewDirectory);
	const modes = planModes(request, [
		...content.steps,
		...deletions,
		...room.flatMap(makeRoom)
	]);
	return [
		planDirectories(room, modes),
		content.steps,
		deletions,
		planFinalModes(modes)
	].filter((phase) => phase.length > 0).map((phase) => phase.map((step) => withWorkingMode(step, modes)));
}
/** By the time a directory is removed it has the rights it was given to be emptied. */
function withWorkingMode(step, modes) {
	const mode = modes.get(step.path)?.working;
	return step.operation === "rmdir" && mode !== void 0 ? {
		...step,
		before: {
			kind: "directory",
			mode
		}
	} : step;
}
function isNewDirectory({ change, host }) {
	return change.after?.kind === "directory" && host?.kind !== "directory";
}
/** Whatever stands where a directory is to be made goes, and the directory comes, open to its owner for now. */
function makeRoom({ change: { path, after }, host }) {
	if (after?.kind !== "directory") return [];
	const made = {
		kind: "directory",
		mode: after.mode | OWNER_ALL
	};
	return [...host === void 0 ? [] : [{
		operation: "unlink",
		path,
		before: host,
		after: void 0
	}], {
		operation: "mkdir",
		path,
		before: void 0,
		after: made
	}];
}
function planDirectories(room, modes) {
	const steps = room.flatMap(makeRoom);
	const isMade = new Set(room.map(({ change }) => change.path));
	for (const [path, { now, working, final }] of modes) {
		if (isMade.has(path) || now === working) continue;
		steps.push({
			...chmod(path, now, working),
			...working === final ? {} : { isTemporary: true }
		});
	}
	return steps.toSorted((left, right) => require_manifest.comparePaths(left.path, right.path));
}
function planContent(work) {
	const steps = [];
	const deleted = /* @__PURE__ */ new Set();
	const deletions = /* @__PURE__ */ new Map();
	const replaced = new Set(work.filter(isReplacedDirectory).map(({ change }) => change.path));
	for (const one of replaced.size === 0 ? [] : work) {
		const directory = [...require_manifest.ancestorsOf(one.change.path)].findLast((ancestor) => replaced.has(ancestor));
		if (directory === void 0) continue;
		deletions.set(directory, [...deletions.get(directory) ?? [], one]);
		deleted.add(one.change.path);
	}
	for (const one of work) {
		const { change, host } = one;
		const { path, after } = change;
		if (after === void 0 || after.kind === "directory") continue;
		if (host?.kind === "directory") steps.push(...(deletions.get(path) ?? []).toReversed().flatMap(remove), ...remove(one));
		const before = host?.kind === "directory" ? void 0 : host;
		const isModeOnly = change.isSameContent && after.kind === "file" && before?.kind === "file" && isUntouched(change, before);
		const operation = isModeOnly ? "chmod" : after.kind === "symlink" ? "link" : "write";
		steps.push({
			operation,
			path,
			before,
			after: isModeOnly ? {
				...before,
				mode: after.mode
			} : after
		});
	}
	return {
		steps,
		deleted
	};
}
function isReplacedDirectory({ change, host }) {
	return host?.kind === "directory" && change.after !== void 0 && change.after.kind !== "directory";
}
/** Only then does the same content in the seal mean the same content now. */
function isUntouched({ before }, host) {
	return before?.kind === "file" && host.kind === "file" && before.sha256 !== void 0 && before.sha256 === host.sha256;
}
function planDeletions(work, done) {
	return work.filter(({ change }) => change.after === void 0 && !done.has(change.path)).toReversed().flatMap(remove);
}
function remove({ change: { path }, host }) {
	if (host === void 0) return [];
	return [{
		operation: host.kind === "directory" ? "rmdir" : "unlink",
		path,
		before: host,
		after: void 0
	}];
}
function planModes({ work, directoryMode, borrowed }, steps) {
	const wanted = new Map(borrowed);
	const modes = /* @__PURE__ */ new Map();
	for (const { change, host } of work) {
		if (host?.kind === "directory" || change.after?.kind === "directory") wanted.set(change.path, change.after?.kind === "directory" ? change.after.mode : void 0);
		if (isNewDirectory({
			change,
			host
		}) && change.after?.kind === "directory") {
			const made = change.after.mode | OWNER_ALL;
			modes.set(change.path, {
				now: made,
				working: made,
				final: change.after.mode
			});
		}
	}
	const isUsed = usedDirectories(steps, wanted);
	for (const path of /* @__PURE__ */ new Set([...wanted.keys(), ...isUsed])) {
		const now = modes.has(path) ? void 0 : directoryMode(path);
		if (now === void 0) continue;
		const final = wanted.has(path) ? wanted.get(path) : now;
		modes.set(path, {
			now,
			working: (final ?? now) | (isUsed.has(path) ? OWNER_WRITES : 0),
			final
		});
	}
	return modes;
}
/** Directories that the steps write into, and those that change themselves and are passed on the way. */
function usedDirectories(steps, changing) {
	const used = /* @__PURE__ */ new Set();
	const passed = /* @__PURE__ */ new Set();
	for (const { path } of steps) {
		if (path === "") continue;
		used.add(require_manifest.parentOf(path));
		if (changing.has("")) used.add("");
		for (const directory of require_manifest.ancestorsOf(path)) {
			if (passed.has(directory)) break;
			passed.add(directory);
			if (changing.has(directory)) used.add(directory);
		}
	}
	return used;
}
function planFinalModes(modes) {
	return [...modes].filter(([, { working, final }]) => final !== void 0 && working !== final).sort(([left], [right]) => require_manifest.comparePaths(right, left)).map(([path, { working, final }]) => chmod(path, working, final ?? working));
}
function chmod(path, from, to) {
	return {
		operation: "chmod",
		path,
		before: {
			kind: "directory",
			mode: from
		},
		after: {
			kind: "directory",
			mode: to
		}
	};
}

// ../sandbox/src/layer/attention.ts
/** Below `modules/` and `worktrees/` lie the directories of further repositories, under names of any depth. */
const NESTED = /* @__PURE__ */ new Set(["modules", "worktrees"]);
/** The last two say where git finds the rest, config and hooks included (gitrepository-layout(5)). */
const SETTINGS = /* @__PURE__ */ new Set([
	"config",
	"config.worktree",
	"commondir",
	"gitdir"
]);
/** Why a change deserves a second look, in words; `undefined` for all others. */
function attentionOf(path, after) {
	const inside = insideGit(path);
	if (inside === void 0) return void 0;
	if (inside.length === 0) return after?.kind === "file" || after?.kind === "symlink" ? "it sends git to settings elsewhere" : void 0;
	if (after?.kind === "symlink") return "a link inside .git can bring in settings from elsewhere";
	const isNested = NESTED.has(inside[0] ?? "");
	if (inside[0] === "hooks" || isNested && inside.includes("hooks")) return "git runs hooks on the host";
	if ((isNested || inside.length === 1) && SETTINGS.has(inside.at(-1) ?? "")) return "git settings can name programs to run on the host";
}
/** Whether somebody who wrote this path meant what is inside a repository's own directory. */
function namesGit(path) {
	return insideGit(path) !== void 0;
}
/** The names below the first `.git` of a path, in any case: some file systems ignore it. */
function insideGit(path) {
	const names = path.toLowerCase().split("/");
	const at = names.indexOf(".git");
	return at === -1 ? void 0 : names.slice(at + 1);
}

// ../sandbox/src/layer/refusal.ts
/** What apply does not touch, whatever else is asked. */
/** Why a change is never applied by itself; `undefined`: it can be. */
function refusalOf({ path, before, after }, run) {
	if (require_manifest.isSpecial(after)) return {
		path,
		reason: "special",
		detail: `it is a ${after.kind.replace("_", " ")}`
	};
	if (require_manifest.isSpecial(before)) return {
		path,
		reason: "special",
		detail: `the host has a ${before.kind.replace("_", " ")} there`
	};
	if (after?.kind === "file" && (after.mode & 3072) !== 0) return {
		path,
		reason: "set_id",
		detail: "it would run with the rights of its owner or group"
	};
	if (isTemporaryName(path, run)) return {
		path,
		reason: "reserved_name",
		detail: "apply uses this name for itself"
	};
}
/** As `refusalOf`, for what is applied only when it is named or forced. */
function attentionRefusalOf({ path, after }) {
	const detail = attentionOf(path, after);
	return detail === void 0 ? void 0 : {
		path,
		reason: "attention",
		detail
	};
}

// ../sandbox/src/layer/selection.ts
/**
* All changes, or those at or below these paths. What a chosen entry cannot do without comes along: the new directories it is in.
* Throws `invalid_argument` for a path that leads out, `not_found` for one that has no change.
*/
function selectChanges(changes, paths) {
	if (paths === void 0) return {
		has: () => true,
		namesGitOf: () => false
	};
	const chosen = paths.map(require_manifest.parsePath);
	for (const path of chosen) if (!changes.some((change) => require_manifest.isWithin(change.path, path))) throw new require_fault.Fault("not_found", `The run did not change ${require_manifest.quotePath(path)}`, { details: { path: paths[chosen.indexOf(path)] } });
	const newDirectories = /* @__PURE__ */ new Set();
	for (const { path, before, after } of changes) if (after?.kind === "directory" && before?.kind !== "directory") newDirectories.add(path);
	const isChosen = chosenOf(chosen);
	const included = /* @__PURE__ */ new Set();
	for (const { path } of changes) {
		if (!isChosen(path)) continue;
		included.add(path);
		for (const directory of require_manifest.ancestorsOf(path)) if (newDirectories.has(directory)) included.add(directory);
	}
	return {
		has: (path) => included.has(path),
		namesGitOf: chosenOf(chosen.filter(namesGit))
	};
}
/** Whether a path is one of these or below one. */
function chosenOf(chosen) {
	const set = new Set(chosen);
	if (set.has("")) return () => true;
	return (path) => {
		if (set.has(path)) return true;
		for (const directory of require_manifest.ancestorsOf(path)) if (set.has(directory)) return true;
		return false;
	};
}

// ../sandbox/src/layer/plan-apply.ts
/** Decides, before anything is touched, what an apply does: which changes, in which steps, and what it leaves alone. */
async function planApply(request) {
	const planner = new Planner(request);
	await planner.sort();
	await planner.keepWhatHoldsOthers();
	return planner.plan();
}
var Planner = class {
	#request;
	#check;
	#work = /* @__PURE__ */ new Map();
	#refused = /* @__PURE__ */ new Map();
	#conflicts = /* @__PURE__ */ new Map();
	/** New directories that are left out, and directories that stay although the run removed them. */
	#left = /* @__PURE__ */ new Set();
	#alreadyApplied = 0;
	#remaining = 0;
	constructor(request) {
		this.#request = request;
		this.#check = new HostCheck(request);
	}
	/** Puts every change where it belongs. Directories come before what is in them. */
	async sort() {
		const { manifest, paths } = this.#request;
		const selection = selectChanges(manifest.changes, paths);
		for (const change of manifest.changes) {
			if (!selection.has(change.path)) {
				if ((await this.#check.check(change)).kind !== "applied") this.#remaining += 1;
				continue;
			}
			const status = await this.#check.check(change);
			const refusal = status.kind === "applied" ? void 0 : this.#refusalOf(change, selection.namesGitOf(change.path));
			if (refusal === void 0) this.#take(change, status);
			else this.#refuse(change, refusal);
		}
	}
	/** A directory can only go when everything in it goes. */
	async keepWhatHoldsOthers() {
		const { lower, pace, isForced } = this.#request;
		for (const { change, host } of [...this.#work.values()].toReversed()) {
			if (host?.kind !== "directory" || change.after?.kind === "directory") continue;
			if (pace.isDue) await pace.rest();
			const staying = lower.list(change.path).map((name) => require_manifest.joinPath(change.path, name)).filter((path) => !this.#isLeaving(path));
			const refused = staying.find((path) => this.#refused.has(path));
			const unknown = staying.find((path) => !this.#refused.has(path) && !this.#left.has(path));
			if (refused !== void 0) this.#refused.set(change.path, {
				path: change.path,
				reason: "depends",
				detail: `${require_manifest.quotePath(refused)} in it is left alone`
			});
			else if (unknown !== void 0 && (!isForced || change.after !== void 0)) this.#conflict(unknown, "the host made it since the run, in a directory that the run removed");
			if (staying.length === 0) continue;
			this.#work.delete(change.path);
			this.#left.add(change.path);
		}
	}
	plan() {
		const { lower, steps } = this.#request;
		const work = [...this.#work.values()];
		const directoryMode = (path) => {
			const state = lower.state(path);
			return state?.kind === "directory" ? state.mode : void 0;
		};
		return {
			phases: this.#conflicts.size > 0 ? [] : planSteps({
				work,
				directoryMode,
				borrowed: borrowedRights(steps, directoryMode)
			}),
			applied: work.map(({ change }) => change.path),
			refused: [...this.#refused.values()].toSorted((left, right) => require_manifest.comparePaths(left.path, right.path)),
			conflicts: [...this.#conflicts.values()].toSorted((left, right) => require_manifest.comparePaths(left.path, right.path)),
			alreadyApplied: this.#alreadyApplied,
			remaining: this.#remaining
		};
	}
	#refusalOf(change, isNamed) {
		const refusal = refusalOf(change, this.#request.run) ?? (isNamed || this.#request.isForced ? void 0 : attentionRefusalOf(change));
		if (refusal !== void 0 || change.after === void 0) return refusal;
		const directory = this.#left.size === 0 ? void 0 : [...require_manifest.ancestorsOf(change.path)].find((path) => this.#left.has(path));
		return directory === void 0 ? void 0 : {
			path: change.path,
			reason: "depends",
			detail: `its directory ${require_manifest.quotePath(directory)} is left out`
		};
	}
	#refuse(change, refusal) {
		this.#refused.set(change.path, refusal);
		if (change.after?.kind === "directory" && change.before?.kind !== "directory") this.#left.add(change.path);
	}
	#take(change, status) {
		switch (status.kind) {
			case "applied":
				this.#alreadyApplied += 1;
				return;
			case "conflict":
				if (!this.#request.isForced || !status.isForceable) this.#conflict(change.path, status.reason);
				else this.#work.set(change.path, {
					change,
					host: status.host
				});
				return;
			case "pending":
				this.#work.set(change.path, {
					change,
					host: status.host
				});
				return;
		}
	}
	#conflict(path, reason) {
		if (!this.#conflicts.has(path)) this.#conflicts.set(path, {
			path,
			reason
		});
	}
	#isLeaving(path) {
		const work = this.#work.get(path);
		return work !== void 0 && work.change.after === void 0;
	}
};
/** Directories a killed apply opened for itself and did not close again, with the mode they had. */
function borrowedRights(steps, directoryMode) {
	const opened = new Map(steps.filter((step) => step.isTemporary === true).map((step) => [step.path, step]));
	const borrowed = /* @__PURE__ */ new Map();
	for (const [path, { before, after }] of opened) if (before?.kind === "directory" && after?.kind === "directory" && directoryMode(path) === after.mode) borrowed.set(path, before.mode);
	return borrowed;
}

// ../sandbox/src/layer/apply.ts
/**
* Brings what a run changed onto the host. First everything is checked and decided (plan-apply.ts), without touching anything. Then, a batch at
* a time: new content is written beside its place, old content is kept, the steps are written into the journal and flushed, and only then is
* each step done, as one system call. A kill at any moment leaves each file with its old or its new content, and either another apply or undo
* goes on from there. A full disk ends the apply in the same way: what is done is done, the rest stays pending.
*/
const BATCH_STEPS = 64;
const BATCH_BYTES = 67108864;
/** How many conflicting paths an error message names; its details have more. */
const NAMED_PATHS_MAX = 10;
const DETAILED_PATHS_MAX = 1e3;
/**
* Applies the layer of a run. Throws `conflict` (the host changed; details: `paths`) before anything is touched, `busy`, `not_found`,
* `storage_full` and `permission_denied` (what was applied until then stays, the rest is pending), `aborted`.
*/
async function applyRun(store, idOrPrefix, options) {
	using held = store.holdRun(idOrPrefix);
	try {
		return await applyHeld(held, options);
	} catch (error) {
		throw require_manifest.fileFault(error, `Cannot apply run ${held.record.id}`);
	}
}
async function applyHeld(held, options) {
	const manifest = await require_manifest.sealLayer(held, options);
	if (manifest.changes.length === 0) return {
		run: held.record,
		applied: [],
		alreadyApplied: 0,
		refused: [],
		remaining: 0
	};
	const pace = new require_manifest.Pace(options.signal);
	using upper = require_manifest.Tree.open(held.paths.upper, { isOurs: true });
	using lower = openLower(held.record);
	using journal = Journal.open(held.paths.journal);
	const writer = new HostWriter(lower, held.record.id, pace);
	await tidy(held, journal, writer, manifest, pace);
	const plan = await planApply({
		run: held.record.id,
		manifest,
		upper,
		lower,
		steps: journal.steps,
		paths: options.paths,
		isForced: options.force === true,
		pace
	});
	if (plan.conflicts.length > 0) throw conflictFault(`Cannot apply run ${held.record.id}`, plan.conflicts);
	if (plan.phases.length > 0) await new Apply({
		held,
		upper,
		lower,
		journal,
		writer,
		pace,
		options
	}).run(plan);
	held.save({ layer: { state: stateAfter(plan) } });
	return resultOf(held, plan);
}
/** Opens the host's directory of a run. Throws `not_found`. */
function openLower(record) {
	try {
		return require_manifest.Tree.open(record.directory);
	} catch (error) {
		if (require_manifest.errnoOf(error) !== "ENOENT" && require_manifest.errnoOf(error) !== "ENOTDIR") throw require_manifest.fileFault(error, `Cannot open ${record.directory}`);
		throw new require_fault.Fault("not_found", `There is no directory ${record.directory} any more`, {
			details: { path: record.directory },
			cause: error
		});
	}
}
/** Clears up after an apply or undo that was killed: its temporary files, and a journal that is of no use any more. */
async function tidy(held, journal, writer, manifest, pace) {
	if (journal.isInterrupted) {
		for (const { path } of manifest.changes) {
			writer.discard(path);
			if (pace.isDue) await pace.rest();
		}
		journal.end();
	}
	if (!held.record.layer.isUndoable) await journal.discard(pace);
}
function conflictFault(action, conflicts) {
	const named = conflicts.slice(0, NAMED_PATHS_MAX).map(({ path, reason }) => `${require_manifest.quotePath(path)} (${reason})`);
	const more = conflicts.length > named.length ? ` and ${conflicts.length - named.length} more` : "";
	const details = conflicts.slice(0, DETAILED_PATHS_MAX).map(({ path, reason }) => ({
		path: require_manifest.pathToText(path),
		reason
	}));
	return new require_fault.Fault("conflict", `${action}: the host is not as the run saw it: ${named.join(", ")}${more}`, { details: {
		paths: details.map(({ path }) => path),
		conflicts: details
	} });
}
var Apply = class {
	#parts;
	/** Descriptors of new files, to be flushed together: one by one a disk manages a few hundred a second. */
	#unflushed = [];
	constructor(parts) {
		this.#parts = parts;
	}
	async run({ phases }) {
		const { held, journal, writer } = this.#parts;
		held.save({ layer: {
			state: "pending",
			isUndoable: true
		} });
		journal.begin();
		await this.#pause("begun");
		for (const phase of phases) for (const batch of batchesOf(phase)) await this.#runBatch(batch);
		writer.sync();
		await this.#pause("ended");
		journal.end();
	}
	async #runBatch(batch) {
		const { journal, lower, writer, pace } = this.#parts;
		const prepared = [];
		try {
			for (const step of batch) {
				prepared.push(await this.#prepare(this.#withOwnFile(step), journal.nextNumber + prepared.length));
				if (pace.isDue) await pace.rest();
			}
			await this.#flush();
			await this.#pause("prepared");
			journal.append(prepared.map(({ step }) => step));
			await this.#pause("recorded");
			lower.forget();
			for (const one of prepared) {
				await this.#do(one);
				await this.#pause("step", one.step.path);
				if (pace.isDue) await pace.rest();
			}
		} catch (error) {
			for (const file of this.#unflushed.splice(0)) (0, node_fs.closeSync)(file);
			for (const { path } of batch) writer.discard(path);
			throw error;
		}
		await this.#pause("done");
	}
	async #prepare(step, number) {
		try {
			const before = await this.#keep(step, number);
			const owner = this.#ownerOf(step);
			const after = await this.#write(step, owner);
			return {
				step: {
					...step,
					number,
					before,
					after,
					...owner === void 0 ? {} : { owner }
				},
				snapshot: before?.kind === "file" ? this.#parts.lower.state(step.path) : before
			};
		} catch (error) {
			throw require_manifest.fileFault(error, `Cannot apply ${require_manifest.quotePath(step.path)}`);
		}
	}
	/** A file of several names has one mode; the run changed it under this name only, so this name gets a file of its own. */
	#withOwnFile(step) {
		if (step.operation !== "chmod" || step.after?.kind !== "file") return step;
		return (this.#parts.lower.stat(step.path)?.nlink ?? 1n) > 1n ? {
			...step,
			operation: "write"
		} : step;
	}
	/** Keeps the content that the step takes away, and gives the state with its hash. */
	async #keep(step, number) {
		const { lower, journal, pace } = this.#parts;
		if (step.before?.kind !== "file") return step.before;
		const now = lower.state(step.path);
		if (!isStill(step.before, now)) throw changedMeanwhile(step.path);
		if (step.operation !== "chmod") await journal.backUp(number, lower, step.path, step.before.size, pace);
		return step.before.sha256 === void 0 ? await require_manifest.readWithHash(lower, step.path, pace) ?? step.before : step.before;
	}
	async #write({ operation, path, after }, owner) {
		const { upper, writer } = this.#parts;
		if (operation === "link" && after?.kind === "symlink") writer.prepareLink(path, after.target, owner);
		if (operation !== "write" || after?.kind !== "file") return after;
		const source = upper.openFile(path);
		try {
			const { state, descriptor } = await writer.prepareFile(path, source, after.mode, owner);
			this.#unflushed.push(descriptor);
			return state;
		} finally {
			(0, node_fs.closeSync)(source);
		}
	}
	#ownerOf({ path, before }) {
		const stat = before === void 0 ? void 0 : this.#parts.lower.stat(path);
		return stat === void 0 ? void 0 : [Number(stat.uid), Number(stat.gid)];
	}
	async #flush() {
		const files = this.#unflushed.splice(0);
		try {
			await Promise.all(files.map((file) => (0, node_util.promisify)(node_fs.fsync)(file)));
		} catch (error) {
			throw require_manifest.fileFault(error, "Cannot flush new files");
		} finally {
			for (const file of files) (0, node_fs.closeSync)(file);
		}
	}
	async #do({ step, snapshot }) {
		const { lower, writer } = this.#parts;
		const { operation, path, after } = step;
		if (!isStill(snapshot, lower.state(path))) throw changedMeanwhile(path);
		try {
			switch (operation) {
				case "write":
				case "link": return writer.publish(path);
				case "mkdir": return writer.mkdir(path, modeOf(after), step.owner);
				case "unlink": return writer.unlink(path);
				case "rmdir": return writer.rmdir(path);
				case "chmod": return writer.chmod(path, modeOf(after));
				default: return operation;
			}
		} catch (error) {
			throw [
				"EEXIST",
				"ENOTEMPTY",
				"EISDIR",
				"ENOTDIR",
				"ENOENT"
			].includes(require_manifest.errnoOf(error) ?? "") ? changedMeanwhile(path, error) : require_manifest.fileFault(error, `Cannot apply ${require_manifest.quotePath(path)}`);
		}
	}
	async #pause(point, path) {
		await this.#parts.options.onPause?.(point, path === void 0 ? void 0 : require_manifest.pathToText(path));
	}
};
/** Bounded in number, for open descriptors, and in bytes, for how much lies written and not yet in place. */
function* batchesOf(steps) {
	let batch = [];
	let bytes = 0;
	for (const step of steps) {
		batch.push(step);
		bytes += step.operation === "write" && step.after?.kind === "file" ? step.after.size : 0;
		if (batch.length < BATCH_STEPS && bytes < BATCH_BYTES) continue;
		yield batch;
		batch = [];
		bytes = 0;
	}
	if (batch.length > 0) yield batch;
}
/** The ctime is left out: keeping another name of the same file for undo moves it. */
function isStill(before, now) {
	if (before?.kind !== "file" || now?.kind !== "file") return require_manifest.isEqualState(before, now);
	return require_manifest.isSameInode({
		...before,
		ctimeNs: 0n
	}, {
		...now,
		ctimeNs: 0n
	});
}
function modeOf(state) {
	if (state === void 0 || state.kind === "symlink") throw new Error("A step that sets a mode has none");
	return state.mode;
}
function changedMeanwhile(path, cause) {
	return new require_fault.Fault("conflict", `Cannot apply ${require_manifest.quotePath(path)}: the host changed it this moment`, {
		details: { paths: [require_manifest.pathToText(path)] },
		cause
	});
}
function stateAfter({ applied, alreadyApplied, refused, remaining }) {
	return remaining === 0 && !refused.some(({ reason }) => reason === "attention") && applied.length + alreadyApplied > 0 ? "applied" : "pending";
}
function resultOf(held, plan) {
	return {
		run: held.record,
		applied: plan.applied.map(require_manifest.pathToText),
		alreadyApplied: plan.alreadyApplied,
		refused: plan.refused.map((refusal) => ({
			...refusal,
			path: require_manifest.pathToText(refusal.path)
		})),
		remaining: plan.remaining
	};
}

// src/commands/choose-run.ts
/** Which run, and which of its paths, somebody means: `warren diff`, `warren diff 1rv`, `warren diff src`, `warren diff 1rv src`. */
const WHOLE_ID = /^[0-9a-hjkmnp-tv-z]{12}$/;
/** The first word is a run if any run's id begins so, and else a path (`./1rv` always is). Throws `not_found`, `invalid_argument`. */
function chooseRun(store, host, { run: word, paths, isCandidate, sought }) {
	const { runs, damaged } = store.listRuns();
	const isRun = word !== void 0 && (WHOLE_ID.test(word) || [...runs, ...damaged].some(({ id }) => id.startsWith(word.toLowerCase())));
	if (word !== void 0 && isRun) {
		const run = store.getRun(word);
		return {
			run,
			paths: paths.length === 0 ? void 0 : paths.map((path) => pathOf(path, run, host))
		};
	}
	const directory = host.cwd();
	const run = runs.find((candidate) => isWithin(directory, candidate.directory) && isCandidate(candidate));
	if (run === void 0) {
		const what = word === void 0 ? `a run of "${directory}" ${sought}` : `the run or path "${word}": no run id begins so, and no run of "${directory}" ${sought}`;
		throw new require_fault.Fault("not_found", `Cannot find ${what}`, { details: {
			directory,
			...word !== void 0 && { run: word },
			fix: "warren run --dir . -- …, or name one of: warren runs"
		} });
	}
	return {
		run,
		paths: word === void 0 ? void 0 : [word, ...paths].map((path) => pathOf(path, run, host))
	};
}
/** Written as seen from here; as the run knows it. From elsewhere it is taken as seen from the directory of the run. */
function pathOf(path, run, host) {
	const here = host.cwd();
	const base = isWithin(here, run.directory) ? here : run.directory;
	const inside = (0, node_path.relative)(run.directory, (0, node_path.resolve)(base, path));
	if (inside === ".." || inside.startsWith(`..${node_path.sep}`) || (0, node_path.isAbsolute)(inside)) throw new require_fault.Fault("invalid_argument", `Cannot look at "${path}": it is not in "${run.directory}", the directory of run ${run.id}`, { details: { path } });
	return inside;
}
function isWithin(path, directory) {
	return path === directory || path.startsWith(directory.endsWith(node_path.sep) ? directory : `${directory}${node_path.sep}`);
}
/** A layer with something in it, as far as anybody knows. */
function hasChanges({ layer }) {
	return layer.state !== "empty" && layer.state !== "dropped";
}

Object.defineProperty(exports, "HostCheck", {
  enumerable: true,
  get: function () {
    return HostCheck;
  }
});
Object.defineProperty(exports, "HostWriter", {
  enumerable: true,
  get: function () {
    return HostWriter;
  }
});
Object.defineProperty(exports, "Journal", {
  enumerable: true,
  get: function () {
    return Journal;
  }
});
Object.defineProperty(exports, "applyRun", {
  enumerable: true,
  get: function () {
    return applyRun;
  }
});
Object.defineProperty(exports, "attentionOf", {
  enumerable: true,
  get: function () {
    return attentionOf;
  }
});
Object.defineProperty(exports, "chooseRun", {
  enumerable: true,
  get: function () {
    return chooseRun;
  }
});
Object.defineProperty(exports, "conflictFault", {
  enumerable: true,
  get: function () {
    return conflictFault;
  }
});
Object.defineProperty(exports, "hasChanges", {
  enumerable: true,
  get: function () {
    return hasChanges;
  }
});
Object.defineProperty(exports, "openLower", {
  enumerable: true,
  get: function () {
    return openLower;
  }
});
Object.defineProperty(exports, "refusalOf", {
  enumerable: true,
  get: function () {
    return refusalOf;
  }
});
Object.defineProperty(exports, "selectChanges", {
  enumerable: true,
  get: function () {
    return selectChanges;
  }
});
Object.defineProperty(exports, "tidy", {
  enumerable: true,
  get: function () {
    return tidy;
  }
});