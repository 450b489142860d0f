const require_manifest = require("./manifest-DGB8QCT1.cjs");
const require_fault = require("./fault-CoQDgz3e.cjs");
const require_open_sandboxes = require("./open-sandboxes-DQDgEUGV.cjs");
const require_run_paths = require("./run-paths-CX4cAkq6.cjs");
let node_child_process = require("node:child_process");
let node_path = require("node:path");
let node_fs = require("node:fs");
let node_crypto = require("node:crypto");

// ../sandbox/src/backends/namespace/opaque-probe.ts
/** Which directories of a layer hide what lies below them: an extended attribute, which Node cannot read and the launcher can. */
const ANSWER_BYTES_MAX = 16777216;
/** One answer a directory, in their order; links are followed (see `OpaqueProbe`). */
async function probeOpaque(directories, launcher = require_open_sandboxes.findLauncher()) {
	if (directories.length === 0) return [];
	const child = (0, node_child_process.spawn)(launcher, ["opaque"], {
		stdio: [
			"pipe",
			"pipe",
			"ignore"
		],
		env: {},
		cwd: "/"
	});
	const answers = [];
	let length = 0;
	child.stdout.on("data", (chunk) => {
		length += chunk.length;
		if (length <= ANSWER_BYTES_MAX) answers.push(chunk);
	});
	const { promise, resolve, reject } = Promise.withResolvers();
	child.once("error", reject);
	child.once("close", (code) => code === 0 ? resolve() : reject(/* @__PURE__ */ new Error(`warren-launcher opaque ended with ${code}`)));
	child.stdin.on("error", () => {});
	child.stdin.end(`${directories.join("\0")}\0`);
	try {
		await promise;
	} catch (cause) {
		throw new require_fault.Fault("internal", "Cannot read the layer: warren-launcher does not answer", { cause });
	}
	const text = Buffer.concat(answers).toString("latin1");
	if (text.length !== directories.length) throw new require_fault.Fault("internal", `Cannot read the layer: ${directories.length} questions got ${text.length} answers`);
	return [...text].map((answer) => answer === "y");
}

// ../sandbox/src/layer/run-id.ts
/**
* Names of runs: eight characters of time, then four of chance, in Crockford's base 32. They sort by time, are short enough to type, and a
* prefix that only one run has will do.
*/
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** 2025-01-01. Eight characters of milliseconds since last until 2059. */
const EPOCH_MS = 17356896e5;
const TIME_CHARACTERS = 8;
const CHANCE_CHARACTERS = 4;
const RUN_ID = /^[0-9a-hjkmnp-tv-z]{12}$/;
function createRunId(nowMs) {
	let time = "";
	for (let rest = Math.max(0, nowMs - EPOCH_MS), index = 0; index < TIME_CHARACTERS; index += 1, rest = Math.floor(rest / 32)) time = `${ALPHABET.charAt(rest % 32)}${time}`;
	const chance = [...(0, node_crypto.randomBytes)(CHANCE_CHARACTERS)].map((byte) => ALPHABET.charAt(byte % 32));
	return `${time}${chance.join("")}`;
}
function isRunId(text) {
	return RUN_ID.test(text);
}

// ../sandbox/src/layer/run-record.ts
const PROFILES = [
	"permissive",
	"moderate",
	"restrictive"
];
const LIMIT_NAMES = [
	"memory",
	"cpu",
	"pids",
	"file_size",
	"open_files",
	"disk",
	"deadline",
	"output"
];
const LAYER_STATES = [
	"empty",
	"pending",
	"applied",
	"undone",
	"dropped"
];
const TEXT_MAX = 4194304;
const ARGUMENTS_MAX = 32768;
function exitRecord(exit) {
	switch (exit.kind) {
		case "exited": return {
			kind: "exited",
			code: exit.code
		};
		case "signalled": return {
			kind: "signalled",
			signal: exit.signal
		};
		case "stopped": return {
			kind: "stopped",
			by: exit.by,
			detail: exit.detail
		};
		case "not_started": return {
			kind: "not_started",
			code: exit.code,
			call: exit.call,
			path: exit.path,
			errno: exit.errno
		};
		default: return exit;
	}
}
function recordToText(record) {
	return `${JSON.stringify({
		version: 1,
		...record
	}, void 0, 2)}\n`;
}
/** Throws `ShapeError` or `SyntaxError`. */
function readRecord(text) {
	const fields = require_manifest.readFields(JSON.parse(text), "run", [
		"version",
		"id",
		"createdAt",
		"command",
		"directory",
		"profile",
		"status",
		"startedNs",
		"layer"
	], ["endedAt", "exit"]);
	require_manifest.readOneOf(`${fields["version"]}`, "version", ["1"]);
	return {
		id: readId(fields["id"]),
		createdAt: readTime(fields["createdAt"], "createdAt"),
		...fields["endedAt"] === void 0 ? {} : { endedAt: readTime(fields["endedAt"], "endedAt") },
		command: require_manifest.readList(fields["command"], "command", ARGUMENTS_MAX, (item, where) => require_manifest.readText(item, where, TEXT_MAX)),
		directory: require_manifest.readMatch(fields["directory"], "directory", /^\/[^\0]*$/),
		profile: require_manifest.readOneOf(fields["profile"], "profile", PROFILES),
		status: require_manifest.readOneOf(fields["status"], "status", [
			"open",
			"ended",
			"crashed"
		]),
		...fields["exit"] === void 0 ? {} : { exit: readExit(fields["exit"]) },
		startedNs: require_manifest.readMatch(fields["startedNs"], "startedNs", /^\d{1,20}$/),
		layer: readLayer(fields["layer"])
	};
}
function readId(value) {
	const id = require_manifest.readText(value, "id", 100);
	if (!isRunId(id)) throw new require_manifest.ShapeError("id is not the id of a run");
	return id;
}
function readTime(value, where) {
	return require_manifest.readMatch(value, where, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
}
function readLayer(value) {
	const fields = require_manifest.readFields(value, "layer", ["state", "isUndoable"], ["changes"]);
	return {
		state: require_manifest.readOneOf(fields["state"], "layer.state", LAYER_STATES),
		...fields["changes"] === void 0 ? {} : { changes: require_manifest.readInteger(fields["changes"], "layer.changes") },
		isUndoable: require_manifest.readBoolean(fields["isUndoable"], "layer.isUndoable")
	};
}
function readExit(value) {
	const any = require_manifest.readFields(value, "exit", ["kind"], [
		"code",
		"signal",
		"by",
		"detail",
		"call",
		"path",
		"errno"
	]);
	const kind = require_manifest.readOneOf(any["kind"], "exit.kind", [
		"exited",
		"signalled",
		"stopped",
		"not_started"
	]);
	switch (kind) {
		case "exited": return {
			kind: "exited",
			code: require_manifest.readInteger(require_manifest.readFields(value, "exit", ["kind", "code"])["code"], "exit.code", 255)
		};
		case "signalled": {
			const signals = Object.keys(require_open_sandboxes.SIGNALS);
			return {
				kind: "signalled",
				signal: require_manifest.readOneOf(require_manifest.readFields(value, "exit", ["kind", "signal"])["signal"], "exit.signal", signals)
			};
		}
		case "stopped": {
			const fields = require_manifest.readFields(value, "exit", [
				"kind",
				"by",
				"detail"
			]);
			return {
				kind: "stopped",
				by: require_manifest.readOneOf(fields["by"], "exit.by", [
					...LIMIT_NAMES,
					"caller",
					"destroyed"
				]),
				detail: require_manifest.readText(fields["detail"], "exit.detail", TEXT_MAX)
			};
		}
		case "not_started": {
			const fields = require_manifest.readFields(value, "exit", [
				"kind",
				"code",
				"call",
				"path",
				"errno"
			]);
			const code = [
				125,
				126,
				127
			].find((one) => one === fields["code"]) ?? 125;
			const text = (key) => require_manifest.readText(fields[key], `exit.${key}`, TEXT_MAX);
			return {
				kind: "not_started",
				code,
				call: text("call"),
				path: text("path"),
				errno: text("errno")
			};
		}
		default: return kind;
	}
}

// ../sandbox/src/layer/held-run.ts
/** A run that nobody else can use until this is disposed. */
var HeldRun = class {
	paths;
	#lock;
	#record;
	constructor(directory, record, lock) {
		this.paths = require_run_paths.runPaths(directory);
		this.#record = record;
		this.#lock = lock;
	}
	get record() {
		return this.#record;
	}
	/** Writes the record before anything relies on it. Throws `storage_full`. */
	save(changes) {
		const record = {
			...this.#record,
			...changes,
			layer: {
				...this.#record.layer,
				...changes.layer
			}
		};
		require_manifest.writeAtomically(this.paths.record, recordToText(record));
		this.#record = record;
	}
	/** As `save`, when something already fails and that is what matters. */
	trySave(changes) {
		try {
			this.save(changes);
		} catch (error) {
			if (!require_fault.isFault(error)) throw error;
		}
	}
	/** Gives the run free. Idempotent. */
	[Symbol.dispose]() {
		this.#lock[Symbol.dispose]();
	}
};

// ../sandbox/src/layer/run-lock.ts
/**
* One user of a run at a time: the run itself, a review that seals it, apply, undo or removal.
*
* A lock is a file that names its owner by pid, the time that process started, and the boot; a pid alone would be reused. It is written whole
* under another name and published with link(2), which one process wins. A dead owner's lock is never removed by anybody else (two who both
* saw it dead could then remove each other's new lock); it is succeeded: the next lock is published as `lock.<nonce of the dead one>`. So the
* owner is whoever stands at the end of the chain that starts at `lock`, and is alive. Dead links stay until the run is removed.
*
* Pids mean something only within one pid namespace: a state directory is not to be shared between containers.
*/
/** Locks whose owners were killed. Nobody crashes a single run that often. */
const CHAIN_MAX = 1e3;
var RunLock = class RunLock {
	#path;
	#isReleased = false;
	constructor(path) {
		this.#path = path;
	}
	/** Takes the lock of the run in this directory. The caller owns it. Throws `busy` with the pid, `not_found` when the run is gone. */
	static acquire(directory, runId) {
		const mine = {
			pid: process.pid,
			startTicks: startTicksOf(process.pid) ?? "0",
			bootId: bootId(),
			nonce: (0, node_crypto.randomBytes)(8).toString("hex")
		};
		let path = (0, node_path.join)(directory, "lock");
		for (let link = 0; link < CHAIN_MAX;) {
			const owner = readOwner(path);
			if (owner === void 0) {
				if (publish(mine, directory, path)) return new RunLock(path);
			} else if (isAlive(owner)) throw new require_fault.Fault("busy", `Cannot work on run ${runId}: process ${owner.pid} is using it`, { details: {
				runId,
				pid: owner.pid
			} });
			else {
				path = (0, node_path.join)(directory, `lock.${owner.nonce}`);
				link += 1;
			}
		}
		throw new require_fault.Fault("internal", `Cannot lock run ${runId}: ${CHAIN_MAX} owners of ${directory} were killed. Next: remove the run`);
	}
	/** The pid of the living owner, if there is one. */
	static ownerPid(directory) {
		let path = (0, node_path.join)(directory, "lock");
		for (let link = 0; link < CHAIN_MAX; link += 1) {
			const owner = readOwner(path);
			if (owner === void 0) return void 0;
			if (isAlive(owner)) return owner.pid;
			path = (0, node_path.join)(directory, `lock.${owner.nonce}`);
		}
	}
	/** The same lock, once its directory has another name. */
	moved(directory) {
		this.#isReleased = true;
		return new RunLock((0, node_path.join)(directory, (0, node_path.basename)(this.#path)));
	}
	/** Idempotent. */
	[Symbol.dispose]() {
		if (this.#isReleased) return;
		this.#isReleased = true;
		(0, node_fs.rmSync)(this.#path, { force: true });
	}
};
function publish(owner, directory, path) {
	const temporary = (0, node_path.join)(directory, `lock-new-${(0, node_crypto.randomBytes)(8).toString("hex")}`);
	try {
		const file = (0, node_fs.openSync)(temporary, "wx", 384);
		try {
			(0, node_fs.writeFileSync)(file, `${JSON.stringify(owner)}\n`);
			(0, node_fs.fsyncSync)(file);
		} finally {
			(0, node_fs.closeSync)(file);
		}
		try {
			(0, node_fs.linkSync)(temporary, path);
			return true;
		} catch (error) {
			if (require_manifest.errnoOf(error) === "EEXIST") return false;
			throw error;
		} finally {
			(0, node_fs.unlinkSync)(temporary);
		}
	} catch (error) {
		if (require_manifest.errnoOf(error) === "ENOENT") throw new require_fault.Fault("not_found", `There is no run in ${directory}`, { cause: error });
		throw require_manifest.fileFault(error, `Cannot lock the run in ${directory}`);
	}
}
function readOwner(path) {
	let text;
	try {
		text = (0, node_fs.readFileSync)(path, "utf8");
	} catch (error) {
		if (require_manifest.errnoOf(error) === "ENOENT") return void 0;
		throw require_manifest.fileFault(error, `Cannot read the lock ${path}`);
	}
	try {
		const fields = require_manifest.readFields(JSON.parse(text), "lock", [
			"pid",
			"startTicks",
			"bootId",
			"nonce"
		]);
		return {
			pid: require_manifest.readInteger(fields["pid"], "pid", 2 ** 22),
			startTicks: require_manifest.readMatch(fields["startTicks"], "startTicks", /^\d{1,20}$/),
			bootId: require_manifest.readMatch(fields["bootId"], "bootId", /^[0-9a-f-]{1,36}$/),
			nonce: require_manifest.readMatch(fields["nonce"], "nonce", /^[0-9a-f]{16}$/)
		};
	} catch (error) {
		throw new require_fault.Fault("internal", `Cannot read the lock ${path}: it is damaged. Next: make sure that no warren runs, then rm ${path}`, { cause: error });
	}
}
function isAlive(owner) {
	return owner.bootId === bootId() && startTicksOf(owner.pid) === owner.startTicks;
}
/** When a process started, in clock ticks since boot (proc_pid_stat(5), field 22). A zombie has ended: its files are closed. */
function startTicksOf(pid) {
	try {
		const stat = (0, node_fs.readFileSync)(`/proc/${pid}/stat`, "latin1");
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return fields[0] === "Z" || fields[0] === "X" ? void 0 : fields[19];
	} catch {
		return;
	}
}
function bootId() {
	return (0, node_fs.readFileSync)("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

// ../sandbox/src/layer/run-store.ts
/**
* The records of runs: `<state>/runs/<id>/`, one directory each, with `run.json`, the layer, and what apply needs to undo. A directory appears
* under its name only when it is whole, and disappears from it at once, so that a listing never meets half a run. Names that begin with a dot
* are runs on their way in or out; those of dead processes are cleared away.
*/
const RECORD_BYTES_MAX = 16777216;
/** Younger ones may be in the making and not locked yet. */
const LEFTOVER_AGE_MS = 6e4;
var RunStore = class RunStore {
	directory;
	#now;
	constructor(directory, now) {
		this.directory = directory;
		this.#now = now;
	}
	/** Throws `permission_denied` or `invalid_argument` with the path and what to do next. */
	static open(options = {}) {
		const state = options.stateDirectory ?? require_manifest.openStateDirectory();
		require_manifest.makePrivateDirectory(state);
		const runs = (0, node_path.join)((0, node_fs.realpathSync)(state), "runs");
		require_manifest.makePrivateDirectory(runs);
		return new RunStore(runs, options.now ?? Date.now);
	}
	/**
	* Records a run before it starts and makes its empty layer. The caller holds the run, and ends it with `closeRun`; disposing it unclosed
	* leaves a run that counts as crashed. Throws `invalid_argument`, `not_found`, `storage_full`.
	*/
	async openRun(request) {
		const directory = this.#canonical(request.directory);
		await this.#clearAway();
		const nowMs = this.#now();
		const id = createRunId(nowMs);
		const making = (0, node_path.join)(this.directory, `.new-${id}`);
		const final = this.pathOf(id);
		let lock;
		try {
			(0, node_fs.mkdirSync)(making, { mode: 448 });
			lock = RunLock.acquire(making, id);
			const startedNs = makeLayer(making, directory);
			const record = {
				id,
				createdAt: new Date(nowMs).toISOString(),
				command: [...request.command],
				directory,
				profile: request.profile,
				status: "open",
				startedNs,
				layer: {
					state: "pending",
					isUndoable: false
				}
			};
			require_manifest.writeAtomically(require_run_paths.runPaths(making).record, recordToText(record));
			(0, node_fs.renameSync)(making, final);
			lock = lock.moved(final);
			require_manifest.syncDirectory(this.directory);
			return new HeldRun(final, record, lock);
		} catch (error) {
			lock?.[Symbol.dispose]();
			await require_manifest.removeTree(making, new require_manifest.Pace());
			throw require_manifest.fileFault(error, `Cannot open a run in ${this.directory}`);
		}
	}
	/** Records how a run ended, seals its layer if a probe is given, and gives it free. */
	async closeRun(run, request = {}) {
		using held = run;
		const endedAt = new Date(this.#now()).toISOString();
		held.save({
			status: "ended",
			endedAt,
			...request.exit === void 0 ? {} : { exit: exitRecord(request.exit) }
		});
		if (request.probe !== void 0) await require_manifest.sealLayer(held, {
			probe: request.probe,
			...request.signal === void 0 ? {} : { signal: request.signal }
		});
		return held.record;
	}
	/** The run with this id, or the only one whose id begins so. Throws `not_found`, `invalid_argument` (several; the message lists them), `internal` (damaged). */
	getRun(idOrPrefix) {
		return this.#read(this.#resolve(idOrPrefix));
	}
	listRuns() {
		const runs = [];
		const damaged = [];
		for (const id of this.#ids().toReversed()) try {
			runs.push(this.#read(id));
		} catch (error) {
			if (!require_fault.isFault(error)) throw error;
			if (error.code !== "not_found") damaged.push({
				id,
				fault: error
			});
		}
		return {
			runs,
			damaged
		};
	}
	/** The newest run, of any directory or of this one (or one above it). Damaged ones do not count. */
	findLatestRun(directory) {
		const canonical = directory === void 0 ? void 0 : canonicalDirectory(directory);
		return this.listRuns().runs.find((run) => canonical === void 0 || contains(run.directory, canonical));
	}
	/** Takes a run for oneself: nobody else can use it until the result is disposed. A run nobody closed is marked as crashed. Throws `busy`, `not_found`. */
	holdRun(idOrPrefix) {
		const id = this.#resolve(idOrPrefix);
		const directory = this.pathOf(id);
		const lock = RunLock.acquire(directory, id);
		try {
			const record = this.#readFile(id);
			const held = new HeldRun(directory, record, lock);
			if (record.status === "open") held.save({ status: "crashed" });
			return held;
		} catch (error) {
			lock[Symbol.dispose]();
			throw error;
		}
	}
	/** Throws `busy` while a run (or somebody who applies or undoes it) uses its layer. */
	refuseBusy(id) {
		const pid = RunLock.ownerPid(this.pathOf(id));
		if (pid !== void 0) throw new require_fault.Fault("busy", `Cannot read the layer of run ${id}: process ${pid} is using it`, { details: {
			runId: id,
			pid
		} });
	}
	/** Forgets a run, with its layer and what could undo it. Also a damaged one. Throws `busy`, `not_found`. */
	async removeRun(idOrPrefix) {
		const id = this.#resolve(idOrPrefix);
		const directory = this.pathOf(id);
		const lock = RunLock.acquire(directory, id);
		const leaving = (0, node_path.join)(this.directory, `.gone-${id}`);
		try {
			(0, node_fs.renameSync)(directory, leaving);
			require_manifest.syncDirectory(this.directory);
		} catch (error) {
			lock[Symbol.dispose]();
			throw require_manifest.fileFault(error, `Cannot remove run ${id}`);
		}
		await require_manifest.removeTree(leaving, new require_manifest.Pace());
	}
	/** Where a run lies. */
	pathOf(id) {
		return (0, node_path.join)(this.directory, id);
	}
	#resolve(idOrPrefix) {
		const prefix = idOrPrefix.toLowerCase();
		const found = /^[0-9a-z]{1,12}$/.test(prefix) ? this.#ids().filter((id) => id.startsWith(prefix)) : [];
		const [first] = found;
		if (first === void 0) throw new require_fault.Fault("not_found", `There is no run ${JSON.stringify(idOrPrefix.slice(0, 40))}`, { details: { run: idOrPrefix.slice(0, 40) } });
		if (found.length === 1) return first;
		const named = found.slice(-10);
		const more = found.length > named.length ? ` and ${found.length - named.length} more` : "";
		throw new require_fault.Fault("invalid_argument", `Several runs begin with "${prefix}": ${named.join(", ")}${more}`, { details: { candidates: named } });
	}
	#ids() {
		return (0, node_fs.readdirSync)(this.directory).filter(isRunId).sort();
	}
	/** As the record says, but a run that is open and has no living owner has crashed. */
	#read(id) {
		const record = this.#readFile(id);
		return record.status === "open" && RunLock.ownerPid(this.pathOf(id)) === void 0 ? {
			...record,
			status: "crashed"
		} : record;
	}
	#readFile(id) {
		const path = require_run_paths.runPaths(this.pathOf(id)).record;
		try {
			if ((0, node_fs.lstatSync)(path).size > RECORD_BYTES_MAX) throw new Error(`it is larger than ${RECORD_BYTES_MAX} bytes`);
			const record = readRecord((0, node_fs.readFileSync)(path, "utf8"));
			if (record.id !== id) throw new Error(`it is the record of ${record.id}`);
			return record;
		} catch (error) {
			if (require_manifest.errnoOf(error) === "ENOENT" && !isThere(this.pathOf(id))) throw new require_fault.Fault("not_found", `There is no run ${id}`);
			const reason = error instanceof Error ? error.message : String(error);
			throw new require_fault.Fault("internal", `Cannot read the record of run ${id}, ${path}: ${reason}. Next: restore the file, or remove the run`, {
				details: {
					runId: id,
					path
				},
				cause: error
			});
		}
	}
	#canonical(path) {
		const directory = canonicalDirectory(path);
		if (contains(directory, this.directory)) throw new require_fault.Fault("invalid_argument", `Cannot run in ${directory}: the state directory ${this.directory} lies in it. Next: set WARREN_STATE to a directory outside, or run in a smaller directory`);
		if (contains(this.directory, directory)) throw new require_fault.Fault("invalid_argument", `Cannot run in ${directory}: it belongs to the state directory ${this.directory}`);
		return directory;
	}
	/** What a killed open or remove left. */
	async #clearAway() {
		for (const name of (0, node_fs.readdirSync)(this.directory)) {
			if (!/^\.(?:new|gone)-/.test(name)) continue;
			const leftover = (0, node_path.join)(this.directory, name);
			try {
				if (!(this.#now() - (0, node_fs.lstatSync)(leftover).mtimeMs < LEFTOVER_AGE_MS) && RunLock.ownerPid(leftover) === void 0) await require_manifest.removeTree(leftover, new require_manifest.Pace());
			} catch {}
		}
	}
};
/** Makes the directories of an overlay and gives the moment of the start. */
function makeLayer(run, directory) {
	const paths = require_run_paths.runPaths(run);
	const below = (0, node_fs.statSync)(directory);
	(0, node_fs.mkdirSync)(paths.layer, { mode: 448 });
	for (const path of [paths.work, paths.upper]) {
		(0, node_fs.mkdirSync)(path, { mode: 448 });
		if (require_manifest.ourUid() === 0) (0, node_fs.chownSync)(path, below.uid, below.gid);
	}
	(0, node_fs.chmodSync)(paths.upper, below.mode & 4095);
	return `${(0, node_fs.lstatSync)(paths.upper, { bigint: true }).ctimeNs}`;
}
function canonicalDirectory(path) {
	try {
		const bytes = (0, node_fs.realpathSync)(path, { encoding: "buffer" });
		const canonical = bytes.toString("utf8");
		if (!Buffer.from(canonical).equals(bytes)) throw new require_fault.Fault("unsupported", `Cannot run in ${canonical}: the path is not UTF-8`);
		if ((0, node_fs.statSync)(canonical).isDirectory()) return canonical;
	} catch (error) {
		if (require_manifest.errnoOf(error) === "ENOENT") throw new require_fault.Fault("not_found", `There is no directory ${path}`, { cause: error });
		throw require_manifest.fileFault(error, `Cannot use the directory ${path}`);
	}
	throw new require_fault.Fault("invalid_argument", `Cannot use ${path}: it is not a directory`);
}
function contains(directory, path) {
	return path === directory || path.startsWith(directory.endsWith(node_path.sep) ? directory : `${directory}${node_path.sep}`);
}
function isThere(path) {
	return (0, node_fs.lstatSync)(path, { throwIfNoEntry: false }) !== void 0;
}

// src/parts/review.ts
/** What the commands that review runs are built on: the run store in the state directory of the caller. Tests of commands hand in their own. */
function openParts(host) {
	return {
		store: RunStore.open({ stateDirectory: require_manifest.openStateDirectory({ environment: host.env }) }),
		probe: probeOpaque
	};
}
function openRecords(host) {
	const { store, probe } = openParts(host);
	return { async open(request) {
		const held = await store.openRun(request);
		return {
			id: held.record.id,
			layer: held.paths.layer,
			async close(exit, { keep }) {
				const { id, layer } = await store.closeRun(held, {
					probe,
					...exit !== void 0 && { exit }
				});
				const changes = layer.changes ?? 0;
				if (changes === 0 && !keep) await store.removeRun(id);
				return {
					changes,
					isKept: changes > 0 || keep
				};
			}
		};
	} };
}

exports.openParts = openParts;
exports.openRecords = openRecords;