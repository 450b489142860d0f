const require_fault = require("./fault-CoQDgz3e.cjs");
let node_path = require("node:path");
let node_fs = require("node:fs");
let node_os = require("node:os");
let node_crypto = require("node:crypto");
let node_timers_promises = require("node:timers/promises");
let node_buffer = require("node:buffer");

// ../sandbox/src/layer/internal/shape.ts
/** Reads values that came out of a file, strictly: what is not exactly as expected is a `ShapeError` that says where. */
var ShapeError = class extends Error {
	name = "ShapeError";
};
/** An object with these keys and no others; `optional` ones may be missing. */
function readFields(value, where, required, optional = []) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ShapeError(`${where} is not an object`);
	const fields = value;
	for (const key of required) if (fields[key] === void 0) throw new ShapeError(`${where} has no "${key}"`);
	for (const key of Object.keys(fields)) if (!required.includes(key) && !optional.includes(key)) throw new ShapeError(`${where} has an unknown field`);
	return fields;
}
function readText(value, where, lengthMax) {
	if (typeof value !== "string") throw new ShapeError(`${where} is not text`);
	if (value.length > lengthMax) throw new ShapeError(`${where} is longer than ${lengthMax} characters`);
	return value;
}
function readMatch(value, where, pattern) {
	const text = readText(value, where, 4096);
	if (!pattern.test(text)) throw new ShapeError(`${where} does not look like one`);
	return text;
}
function readInteger(value, where, max = Number.MAX_SAFE_INTEGER) {
	if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) throw new ShapeError(`${where} is not a whole number from 0 to ${max}`);
	return value;
}
/** Numbers of the kernel that do not fit a double are written as text. */
function readBigInt(value, where) {
	return BigInt(readMatch(value, where, /^-?[0-9]{1,20}$/));
}
function readOneOf(value, where, values) {
	const found = values.find((one) => one === value);
	if (found === void 0) throw new ShapeError(`${where} is none of ${values.join(", ")}`);
	return found;
}
function readBoolean(value, where) {
	if (typeof value !== "boolean") throw new ShapeError(`${where} is not true or false`);
	return value;
}
function readList(value, where, lengthMax, read) {
	if (!Array.isArray(value)) throw new ShapeError(`${where} is not a list`);
	if (value.length > lengthMax) throw new ShapeError(`${where} has more than ${lengthMax} items`);
	return value.map((item, index) => read(item, `${where}[${index}]`));
}

// ../sandbox/src/layer/terminal-text.ts
/**
* Makes text of an agent safe to show. A terminal obeys escape sequences (move, recolour, answer as if typed), and text with direction
* overrides reads differently from what it says (CVE-2021-42574), so both are shown as what they are.
*/
/**
* Everything that is not simply drawn: C0 but tab and newline, DEL, C1; marks that turn the direction; characters of no width, which hide
* differences; line separators; the tag block.
*/
const UNSAFE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/** Keeps tabs and newlines; shows the rest as `^[`, `\x9b` or `\u202e`. */
function escapeForTerminal(text) {
	return text.replace(UNSAFE, show);
}
/** As `escapeForTerminal`, of bytes (one character each) that ought to be UTF-8; a byte that is none is shown as `\xff`. */
function escapeBytesForTerminal(bytes) {
	if (/^[\x20-\x7e\t]*$/.test(bytes)) return bytes;
	const buffer = Buffer.from(bytes, "latin1");
	const text = buffer.toString("utf8");
	if (!text.includes("�")) return escapeForTerminal(text);
	return [...splitValid(buffer)].map((part) => typeof part === "number" ? hex(part) : escapeForTerminal(part)).join("");
}
function show(character) {
	const code = character.codePointAt(0) ?? 0;
	if (code < 32) return `^${String.fromCharCode(code + 64)}`;
	if (code === 127) return "^?";
	if (code < 256) return hex(code);
	return code > 65535 ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
function hex(byte) {
	return `\\x${byte.toString(16).padStart(2, "0")}`;
}
/** Whole characters as text, other bytes as numbers. */
function* splitValid(bytes) {
	for (let at = 0; at < bytes.length;) {
		const first = bytes[at] ?? 0;
		const length = first < 128 ? 1 : first < 224 ? 2 : first < 240 ? 3 : 4;
		const character = bytes.subarray(at, at + length).toString("utf8");
		const isWhole = Buffer.byteLength(character) === length && Buffer.from(character).equals(bytes.subarray(at, at + length));
		yield isWhole ? character : first;
		at += isWhole ? length : 1;
	}
}

// ../sandbox/src/layer/byte-path.ts
/**
* Paths as the kernel has them: any bytes but NUL and `/` make a name, and not all of them are UTF-8. A `BytePath` is a string with one
* character (U+0000 to U+00FF) for each byte, so that it compares, sorts, splits and is looked up like text and still loses nothing.
* Relative to the directory of the run, no leading slash; the directory itself is the empty path.
*/
const ROOT_PATH = "";
/** Bytes of a path in a file of ours. Longer than any path we walk: depth 2,048 times 255 bytes. */
const PATH_BYTES_MAX = 1048576;
function pathFromBytes(bytes) {
	return bytes.toString("latin1");
}
function pathToBytes(path) {
	return Buffer.from(path, "latin1");
}
/** For people and JSON: bytes that are not UTF-8 become U+FFFD. */
function pathToText(path) {
	return pathToBytes(path).toString("utf8");
}
/** A path somebody wrote, relative to the directory of the run. Throws `invalid_argument` when it is absolute or leads out. */
function parsePath(text) {
	const names = text.split("/").filter((name) => name !== "" && name !== ".");
	if (text.startsWith("/") || names.includes("..") || text.includes("\0")) throw new require_fault.Fault("invalid_argument", `Cannot use ${escapeForTerminal(JSON.stringify(text))}: a path is relative to the directory of the run`);
	return pathFromBytes(Buffer.from(names.join("/"), "utf8"));
}
function joinPath(directory, name) {
	return directory === "" ? name : `${directory}/${name}`;
}
/** The directory an entry is in. The root is in itself. */
function parentOf(path) {
	return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
function nameOf(path) {
	return path.slice(path.lastIndexOf("/") + 1);
}
/** Every directory above an entry, nearest first, without the root. */
function* ancestorsOf(path) {
	for (let at = parentOf(path); at !== ""; at = parentOf(at)) yield at;
}
/** Whether a path is this directory or below it. */
function isWithin(path, directory) {
	return directory === "" || path === directory || path.startsWith(directory) && path[directory.length] === "/";
}
/** The order of bytes, which is the order of git. A directory comes before what is in it. */
function comparePaths(left, right) {
	return left < right ? -1 : left > right ? 1 : 0;
}
/** For an error message: quoted, one line, nothing in it that a terminal obeys. */
function quotePath(path) {
	return `"${path === "" ? "." : escapeForTerminal(pathToText(path)).replaceAll("\n", "\\n").replaceAll("\"", "\\\"")}"`;
}
function pathToJson(path) {
	const bytes = pathToBytes(path);
	return (0, node_buffer.isUtf8)(bytes) ? bytes.toString("utf8") : { base64: bytes.toString("base64") };
}
/** Throws `ShapeError`, also for a path that leads out. A link's target is read with `readBytes` instead. */
function readPath(value, where) {
	const path = readBytes(value, where);
	const names = path.split("/");
	if (path !== "" && (names.includes("") || names.includes(".") || names.includes("..") || path.includes("\0"))) throw new ShapeError(`${where} is a path that leads out`);
	return path;
}
function readBytes(value, where) {
	if (typeof value === "string") return pathFromBytes(Buffer.from(readText(value, where, PATH_BYTES_MAX), "utf8"));
	const { base64 } = readFields(value, where, ["base64"]);
	return pathFromBytes(Buffer.from(readText(base64, where, PATH_BYTES_MAX * 2), "base64"));
}

// ../sandbox/src/layer/content.ts
/** Reads, compares and copies the content of open files, a piece at a time. */
const CHUNK_BYTES = 262144;
const ZEROS = Buffer.alloc(CHUNK_BYTES);
/** SHA-256 in hex, read from the start. */
async function hashContent(file, sizeHint, pace) {
	const hash = (0, node_crypto.createHash)("sha256");
	const buffer = bufferFor(sizeHint);
	for (let at = 0;;) {
		const length = (0, node_fs.readSync)(file, buffer, 0, buffer.length, at);
		if (length === 0) return hash.digest("hex");
		hash.update(buffer.subarray(0, length));
		at += length;
		if (pace.isDue) await pace.rest();
	}
}
async function isSameContent(left, right, sizeHint, pace) {
	const leftBuffer = bufferFor(sizeHint);
	const rightBuffer = bufferFor(sizeHint);
	for (let at = 0;;) {
		const leftLength = fill(left, leftBuffer, at);
		const rightLength = fill(right, rightBuffer, at);
		if (leftLength !== rightLength || !leftBuffer.subarray(0, leftLength).equals(rightBuffer.subarray(0, rightLength))) return false;
		if (leftLength < leftBuffer.length) return true;
		at += leftLength;
		if (pace.isDue) await pace.rest();
	}
}
/** Copies into an empty file and gives the SHA-256 of what was read. Runs of zeros are left as holes, so that a sparse file stays small. */
async function copyContent(source, target, sizeHint, pace) {
	const hash = (0, node_crypto.createHash)("sha256");
	const buffer = bufferFor(sizeHint);
	for (let at = 0;;) {
		const length = (0, node_fs.readSync)(source, buffer, 0, buffer.length, at);
		const piece = buffer.subarray(0, length);
		if (length === 0) {
			(0, node_fs.ftruncateSync)(target, at);
			return hash.digest("hex");
		}
		hash.update(piece);
		if (length < 4096 || !piece.equals(ZEROS.subarray(0, length))) writeFully(target, piece, at);
		at += length;
		if (pace.isDue) await pace.rest();
	}
}
/** At most `bytesMax` bytes from the start. */
function readHead(file, bytesMax) {
	const buffer = Buffer.allocUnsafe(bytesMax);
	return buffer.subarray(0, fill(file, buffer, 0));
}
/**
* Lets a new file share the blocks of an open one, where the file system can (btrfs, xfs). `false`: it cannot, and there is no new file.
* Refuses an existing `target`, also a link.
*/
function reflink(source, target) {
	try {
		(0, node_fs.copyFileSync)(`/proc/self/fd/${source}`, target, node_fs.constants.COPYFILE_EXCL | node_fs.constants.COPYFILE_FICLONE_FORCE);
		return true;
	} catch {
		return false;
	}
}
/** Small files get small buffers; one byte more than the size sees the end in the first read. */
function bufferFor(sizeHint) {
	return Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeHint + 1));
}
/** Reads until the buffer is full or the file ends. */
function fill(file, buffer, at) {
	let length = 0;
	while (length < buffer.length) {
		const more = (0, node_fs.readSync)(file, buffer, length, buffer.length - length, at + length);
		if (more === 0) break;
		length += more;
	}
	return length;
}
function writeFully(file, piece, at) {
	for (let done = 0; done < piece.length;) done += (0, node_fs.writeSync)(file, piece, done, piece.length - done, at + done);
}

// ../sandbox/src/layer/internal/errno.ts
const FAULT_OF_ERRNO = {
	ENOSPC: "storage_full",
	EDQUOT: "storage_full",
	EACCES: "permission_denied",
	EPERM: "permission_denied",
	EROFS: "permission_denied",
	EMFILE: "busy",
	ENFILE: "busy",
	ENOMEM: "busy",
	EFBIG: "too_large"
};
/** The name of the system error that was caught, or that a fault was made of: `ENOENT`. */
function errnoOf(error) {
	if (error instanceof require_fault.Fault) return errnoOf(error.cause);
	return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error ? error.code : void 0;
}
/** What to throw instead of a system error: `Cannot write "a": no space left on device (ENOSPC)`. A fault, or a defect, stays what it is. */
function fileFault(error, action) {
	const errno = errnoOf(error);
	if (error instanceof require_fault.Fault || !(error instanceof Error) || errno === void 0) return error;
	const reason = error.message.replace(/^[A-Z0-9]+: /, "").replace(/, [a-z]+( '.*)?$/s, "");
	return new require_fault.Fault(FAULT_OF_ERRNO[errno] ?? "internal", `${action}: ${reason} (${errno})`, {
		details: { errno },
		cause: error
	});
}

// ../sandbox/src/layer/internal/write-atomically.ts
/** Replaces a file of ours (mode 0600): a reader, also one after a power cut, sees the old content or the new, never a part. */
function writeAtomically(path, content) {
	const temporary = `${path}.new-${(0, node_crypto.randomBytes)(6).toString("hex")}`;
	try {
		const file = (0, node_fs.openSync)(temporary, "wx", 384);
		try {
			for (const part of typeof content === "string" ? [content] : content) (0, node_fs.writeFileSync)(file, part);
			(0, node_fs.fsyncSync)(file);
		} finally {
			(0, node_fs.closeSync)(file);
		}
		(0, node_fs.renameSync)(temporary, path);
		syncDirectory((0, node_path.dirname)(path));
	} catch (error) {
		(0, node_fs.rmSync)(temporary, { force: true });
		throw fileFault(error, `Cannot write ${path}`);
	}
}
/** Makes names that were added to or taken out of a directory survive a power cut. */
function syncDirectory(path) {
	const directory = (0, node_fs.openSync)(path, node_fs.constants.O_RDONLY | node_fs.constants.O_DIRECTORY | node_fs.constants.O_NOFOLLOW);
	try {
		(0, node_fs.fsyncSync)(directory);
	} finally {
		(0, node_fs.closeSync)(directory);
	}
}

// ../sandbox/src/layer/state-directory.ts
/** Where Warren keeps what it knows: runs and their layers. Ours alone, so that nobody else can read an agent's work or change it before review. */
/** `$WARREN_STATE`, else /var/lib/warren for root, else `$XDG_STATE_HOME/warren`, else ~/.local/state/warren. Throws `invalid_argument`. */
function stateDirectoryPath({ environment = process.env, uid = ourUid() } = {}) {
	const chosen = environment["WARREN_STATE"];
	if (chosen !== void 0 && chosen !== "") {
		if ((0, node_path.isAbsolute)(chosen)) return chosen;
		throw new require_fault.Fault("invalid_argument", `Cannot use WARREN_STATE=${JSON.stringify(chosen)}: it is not an absolute path`);
	}
	if (uid === 0) return "/var/lib/warren";
	const stateHome = environment["XDG_STATE_HOME"];
	if (stateHome !== void 0 && (0, node_path.isAbsolute)(stateHome)) return (0, node_path.join)(stateHome, "warren");
	return (0, node_path.join)(environment["HOME"] ?? (0, node_os.homedir)(), ".local", "state", "warren");
}
/** Makes the directory if it is not there (0700) and checks that it is ours. Throws a fault that names the path and what to do next. */
function openStateDirectory(options = {}) {
	const path = stateDirectoryPath(options);
	makePrivateDirectory(path, options.uid ?? ourUid());
	return path;
}
/** As `openStateDirectory`, for any directory of ours. */
function makePrivateDirectory(path, uid = ourUid()) {
	const stat = makeAndStat(path);
	if (!stat.isDirectory()) refuse("invalid_argument", path, "it is not a directory", "move it away, or set WARREN_STATE to a directory");
	if (stat.uid !== uid) refuse("permission_denied", path, `it belongs to user ${stat.uid}, not to user ${uid}`, "set WARREN_STATE to a directory of your own");
	if ((stat.mode & 18) !== 0) refuse("permission_denied", path, "other users may write to it", `chmod 700 ${shellQuote(path)}`);
	try {
		(0, node_fs.accessSync)(path, node_fs.constants.R_OK | node_fs.constants.W_OK | node_fs.constants.X_OK);
	} catch (error) {
		const next = errnoOf(error) === "EROFS" ? "set WARREN_STATE to a directory that can be written" : `chmod 700 ${shellQuote(path)}`;
		refuse("permission_denied", path, `it cannot be read and written (${errnoOf(error) ?? "unknown"})`, next, error);
	}
}
function ourUid() {
	return process.geteuid?.() ?? 0;
}
function makeAndStat(path) {
	try {
		(0, node_fs.mkdirSync)(path, {
			recursive: true,
			mode: 448
		});
		return (0, node_fs.statSync)(path);
	} catch (error) {
		const errno = errnoOf(error);
		if (errno === "EEXIST" || errno === "ENOTDIR") refuse("invalid_argument", path, "it is not a directory", "move it away, or set WARREN_STATE to a directory", error);
		if (errno === "EACCES" || errno === "EPERM" || errno === "EROFS") refuse("permission_denied", path, `it cannot be made or reached (${errno})`, "set WARREN_STATE to a directory of your own", error);
		throw fileFault(error, `Cannot use the state directory ${path}`);
	}
}
function refuse(code, path, reason, next, cause) {
	throw new require_fault.Fault(code, `Cannot use the state directory ${path}: ${reason}. Next: ${next}`, {
		details: {
			path,
			next
		},
		cause
	});
}
function shellQuote(text) {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

// ../sandbox/src/layer/internal/pace.ts
/** How long work may hold the event loop. */
const TURN_MS = 8;
/**
* Lets long work of many short system calls share the event loop, and ends it when `signal` fires. The calls themselves are synchronous:
* the kernel answers a stat from its caches in microseconds, ten times faster than a round trip through the thread pool.
*/
var Pace = class {
	#signal;
	#turnStartedMs = performance.now();
	constructor(signal) {
		this.#signal = signal;
		this.#refuseAborted();
	}
	/** Whether it is time to `rest`. Apart from it, so that the common case costs no promise. */
	get isDue() {
		return this.#signal?.aborted === true || performance.now() - this.#turnStartedMs > TURN_MS;
	}
	/** Gives way to everything else that waits. Throws `aborted`. */
	async rest() {
		await (0, node_timers_promises.setImmediate)();
		this.#refuseAborted();
		this.#turnStartedMs = performance.now();
	}
	#refuseAborted() {
		if (this.#signal?.aborted === true) throw new require_fault.Fault("aborted", "The caller ended the work", { cause: this.#signal.reason });
	}
};

// ../sandbox/src/layer/path-state.ts
/** What stands at a path, as far as a review cares: kind, permissions, content. Nothing there is `undefined`. */
const SPECIAL_KINDS = [
	"fifo",
	"socket",
	"character_device",
	"block_device"
];
/**
* A directory's setuid and setgid bits are left alone: setgid is inherited from the parent and gives nobody a right, so it is neither
* seen as a change nor set.
*/
const DIRECTORY_MODE = 1023;
const SET_ID = 3072;
function isSpecial(state) {
	return state !== void 0 && state.kind !== "file" && state.kind !== "directory" && state.kind !== "symlink";
}
/** Reads the state from what lstat said; `at` is only followed to read a link. */
function stateFromStat(stat, at) {
	const mode = Number(stat.mode & 4095n);
	if (stat.isFile()) return {
		kind: "file",
		mode,
		size: Number(stat.size),
		ino: stat.ino,
		mtimeNs: stat.mtimeNs,
		ctimeNs: stat.ctimeNs
	};
	if (stat.isDirectory()) return {
		kind: "directory",
		mode: mode & DIRECTORY_MODE
	};
	if (stat.isSymbolicLink()) return {
		kind: "symlink",
		target: pathFromBytes((0, node_fs.readlinkSync)(at, { encoding: "buffer" }))
	};
	if (stat.isFIFO()) return {
		kind: "fifo",
		mode
	};
	if (stat.isSocket()) return {
		kind: "socket",
		mode
	};
	return {
		kind: stat.isBlockDevice() ? "block_device" : "character_device",
		mode
	};
}
/** How overlayfs writes "this name is gone" into the upper directory (Documentation/filesystems/overlayfs.rst, whiteouts). */
function isWhiteout(stat) {
	return stat.isCharacterDevice() && stat.rdev === 0n;
}
/** Whether a file was not touched between two looks. Cheap, and may say no of an equal file. */
function isSameInode(left, right) {
	return left.ino === right.ino && left.ctimeNs === right.ctimeNs && left.mtimeNs === right.mtimeNs && left.size === right.size && left.mode === right.mode;
}
/** Equal to somebody who looks at kind, permissions and content. Files are equal only when both contents were read. */
function isEqualState(left, right) {
	if (left === void 0 || right === void 0) return left === right;
	if (left.kind === "file" && right.kind === "file") return left.mode === right.mode && left.size === right.size && left.sha256 !== void 0 && left.sha256 === right.sha256;
	if (left.kind === "symlink" && right.kind === "symlink") return left.target === right.target;
	return left.kind === right.kind && left.kind !== "symlink" && right.kind !== "symlink" && left.mode === right.mode;
}
/**
* Whether the host stands at a recorded state. A file whose content we may not read is known by its inode and when it was written; the ctime
* is left out, for it moves when a file is renamed or kept.
*/
function isAtState(host, recorded) {
	if (host?.kind !== "file" || recorded?.kind !== "file" || host.sha256 !== void 0) return isEqualState(host, recorded);
	return isSameInode({
		...host,
		ctimeNs: 0n
	}, {
		...recorded,
		ctimeNs: 0n
	});
}
function stateToJson(state) {
	switch (state.kind) {
		case "file": return {
			...state,
			ino: `${state.ino}`,
			mtimeNs: `${state.mtimeNs}`,
			ctimeNs: `${state.ctimeNs}`
		};
		case "symlink": return {
			kind: "symlink",
			target: pathToJson(state.target)
		};
		case "directory":
		case "fifo":
		case "socket":
		case "character_device":
		case "block_device": return state;
		default: return state;
	}
}
function readState(value, where) {
	const { kind } = value !== null && typeof value === "object" ? value : {};
	switch (readOneOf(kind, `${where}.kind`, [
		"file",
		"directory",
		"symlink",
		...SPECIAL_KINDS
	])) {
		case "file": return readFileState(value, where);
		case "symlink": return {
			kind: "symlink",
			target: readBytes(readFields(value, where, ["kind", "target"])["target"], `${where}.target`)
		};
		case "directory": return {
			kind: "directory",
			mode: readMode(readFields(value, where, ["kind", "mode"]), where)
		};
		default: {
			const special = SPECIAL_KINDS.find((one) => one === kind);
			if (special === void 0) throw new ShapeError(`${where}.kind is unknown`);
			return {
				kind: special,
				mode: readMode(readFields(value, where, ["kind", "mode"]), where)
			};
		}
	}
}
function readFileState(value, where) {
	const fields = readFields(value, where, [
		"kind",
		"mode",
		"size",
		"ino",
		"mtimeNs",
		"ctimeNs"
	], ["sha256"]);
	return {
		kind: "file",
		mode: readMode(fields, where),
		size: readInteger(fields["size"], `${where}.size`),
		ino: readBigInt(fields["ino"], `${where}.ino`),
		mtimeNs: readBigInt(fields["mtimeNs"], `${where}.mtimeNs`),
		ctimeNs: readBigInt(fields["ctimeNs"], `${where}.ctimeNs`),
		...fields["sha256"] === void 0 ? {} : { sha256: readMatch(fields["sha256"], `${where}.sha256`, /^[0-9a-f]{64}$/) }
	};
}
function readMode(fields, where) {
	return readInteger(fields["mode"], `${where}.mode`, 4095);
}

// ../sandbox/src/layer/tree.ts
/**
* A directory tree in which nothing but directories is ever walked through. Node has no openat(2), but a path may start at an open directory:
* `/proc/self/fd/7/name`. So each directory on the way is opened with O_NOFOLLOW below the one before, and the last name is handed to calls
* that do not follow links. Whoever swaps a directory for a link meanwhile gets an error, never a file elsewhere. It also walks trees deeper
* than a path may be long.
*
* The directories on the way to the last path asked for stay open, so that a walk in order opens each one once. Not for two users at once.
*/
/** Directories below each other. 2,048 names of one character are what a path of 4,096 bytes, the kernel's limit, can reach. */
const DEPTH_MAX = 2048;
/** Entries of one directory. */
const DIRECTORY_ENTRIES_MAX = 5e5;
/** A place, not a file: needs no right to read, only to pass (open(2), O_PATH). Node does not name it; the number is the same on x86 and ARM. */
const O_PATH = 2097152;
const DIRECTORY_FLAGS = O_PATH | node_fs.constants.O_DIRECTORY | node_fs.constants.O_NOFOLLOW;
/** A fifo opened by mistake must not wait for a writer. */
const READ_FLAGS = node_fs.constants.O_RDONLY | node_fs.constants.O_NOFOLLOW | node_fs.constants.O_NONBLOCK;
var Tree = class Tree {
	#root;
	#isOurs;
	#way = [];
	constructor(root, options) {
		this.#root = root;
		this.#isOurs = options.isOurs === true;
	}
	/** `directory` is canonical: a link in its last place is refused. The caller owns the result. */
	static open(directory, options = {}) {
		return new Tree((0, node_fs.openSync)(directory, DIRECTORY_FLAGS), options);
	}
	/** Finds the directory that a path is in. Throws `too_large` below `DEPTH_MAX`. */
	locate(path) {
		if (path === "") return {
			kind: "at",
			at: below(this.#root, ".")
		};
		const directory = this.#enter(parentOf(path));
		return typeof directory === "number" ? {
			kind: "at",
			at: below(directory, nameOf(path))
		} : directory;
	}
	/** What the kernel is to be told, for a path whose directory must be there. Throws `conflict`. */
	at(path) {
		const located = this.locate(path);
		if (located.kind === "at") return located.at;
		const reason = located.kind === "missing" ? "its directory is gone" : `${quotePath(located.by)} is not a directory`;
		throw new require_fault.Fault("conflict", `Cannot reach ${quotePath(path)}: ${reason}`, { details: { paths: [pathToText(path)] } });
	}
	stat(path) {
		const located = this.locate(path);
		return located.kind === "at" ? (0, node_fs.lstatSync)(located.at, {
			bigint: true,
			throwIfNoEntry: false
		}) : void 0;
	}
	/** Also `undefined` when something on the way is missing or no directory. */
	state(path) {
		const located = this.locate(path);
		if (located.kind !== "at") return void 0;
		const stat = (0, node_fs.lstatSync)(located.at, {
			bigint: true,
			throwIfNoEntry: false
		});
		return stat === void 0 ? void 0 : stateFromStat(stat, located.at);
	}
	/** The names in a directory, in the order of bytes. Throws `too_large`, `permission_denied`. */
	list(path) {
		const located = this.#enter(path);
		if (typeof located !== "number") return [];
		if (this.#isOurs) unlockDirectory(located);
		const names = [];
		using directory = openListing(located, path);
		for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
			names.push(pathFromBytes(entry.name));
			if (names.length > 5e5) throw tooLarge(path, `it has more than ${DIRECTORY_ENTRIES_MAX} entries`);
		}
		return names.sort();
	}
	/** Opens a regular file for reading. The caller closes it. Throws `conflict` when it is anything else by now. */
	openFile(path) {
		const at = this.at(path);
		if (this.#isOurs) unlockFile(at);
		const file = (0, node_fs.openSync)(at, READ_FLAGS);
		if ((0, node_fs.fstatSync)(file).isFile()) return file;
		(0, node_fs.closeSync)(file);
		throw new require_fault.Fault("conflict", `Cannot read ${quotePath(path)}: it is not a regular file any more`, { details: { paths: [pathToText(path)] } });
	}
	/** Opens a directory as a place. The caller closes it. `undefined` when there is no directory. */
	openDirectory(path) {
		const located = this.locate(path);
		if (located.kind !== "at") return void 0;
		const opened = openDirectory(located.at);
		return typeof opened === "number" ? opened : void 0;
	}
	/** Changes permission bits of a file or directory, never of what a link points to. A directory keeps its setuid and setgid bits. */
	chmod(path, mode) {
		const entry = (0, node_fs.openSync)(this.at(path), O_PATH | node_fs.constants.O_NOFOLLOW);
		try {
			const stat = (0, node_fs.fstatSync)(entry);
			(0, node_fs.chmodSync)(`/proc/self/fd/${entry}`, stat.isDirectory() ? stat.mode & SET_ID | mode : mode);
		} finally {
			(0, node_fs.closeSync)(entry);
		}
	}
	/** Moves a directory of a tree of ours right under the root. For a removal that meets more depth than it could keep open. */
	hoist(path, name) {
		const at = this.at(path);
		const directory = openDirectory(at);
		if (typeof directory !== "number") return;
		unlockDirectory(directory);
		(0, node_fs.closeSync)(directory);
		(0, node_fs.renameSync)(at, below(this.#root, name));
	}
	chown(path, uid, gid) {
		(0, node_fs.lchownSync)(this.at(path), uid, gid);
	}
	/** Looks anew for every directory: somebody may have moved the open ones away since. */
	forget() {
		for (const { descriptor } of this.#way.splice(0)) (0, node_fs.closeSync)(descriptor);
	}
	[Symbol.dispose]() {
		if (this.#isDisposed) return;
		this.#isDisposed = true;
		this.forget();
		(0, node_fs.closeSync)(this.#root);
	}
	#isDisposed = false;
	#enter(path) {
		while (this.#way.length > 0 && !isOnTheWay(this.#way.at(-1)?.path ?? "", path)) (0, node_fs.closeSync)(this.#way.pop()?.descriptor ?? -1);
		for (;;) {
			const last = this.#way.at(-1) ?? {
				path: "",
				descriptor: this.#root
			};
			if (last.path === path) return last.descriptor;
			if (this.#way.length >= 2048) throw tooLarge(path, `it is more than ${DEPTH_MAX} directories deep`);
			const rest = path.slice(last.path === "" ? 0 : last.path.length + 1);
			const name = rest.slice(0, rest.includes("/") ? rest.indexOf("/") : rest.length);
			const next = joinPath(last.path, name);
			const opened = this.#openBelow(last.descriptor, name);
			if (opened === "missing") return { kind: "missing" };
			if (opened === "blocked") return {
				kind: "blocked",
				by: next
			};
			this.#way.push({
				path: next,
				descriptor: opened
			});
		}
	}
	#openBelow(directory, name) {
		const at = below(directory, name);
		try {
			return openDirectory(at);
		} catch (error) {
			if (!this.#isOurs || errnoOf(error) !== "EACCES") throw error;
			unlockDirectory(directory);
			return openDirectory(at);
		}
	}
};
function isOnTheWay(directory, path) {
	return path === directory || path.startsWith(`${directory}/`);
}
function openDirectory(at) {
	try {
		return (0, node_fs.openSync)(at, DIRECTORY_FLAGS);
	} catch (error) {
		const errno = errnoOf(error);
		if (errno === "ENOENT") return "missing";
		if (errno === "ENOTDIR" || errno === "ELOOP") return "blocked";
		throw error;
	}
}
function openListing(directory, path) {
	try {
		return (0, node_fs.opendirSync)(`/proc/self/fd/${directory}`, {
			encoding: "buffer",
			bufferSize: 512
		});
	} catch (error) {
		throw fileFault(error, `Cannot list ${quotePath(path)}`);
	}
}
/** Gives its owner what is missing to look into it. Root misses nothing. */
function unlockDirectory(directory) {
	const { mode } = (0, node_fs.fstatSync)(directory);
	if ((mode & 448) !== 448 && process.geteuid?.() !== 0) (0, node_fs.chmodSync)(`/proc/self/fd/${directory}`, mode & 4095 | 448);
}
/** As `unlockDirectory`. Nobody else is in a tree of ours, so what lstat says still holds when chmod comes. */
function unlockFile(at) {
	const stat = (0, node_fs.lstatSync)(at, { throwIfNoEntry: false });
	if (stat?.isFile() === true && (stat.mode & 256) === 0 && process.geteuid?.() !== 0) (0, node_fs.chmodSync)(at, stat.mode & 4095 | 256);
}
function below(directory, name) {
	return Buffer.from(`/proc/self/fd/${directory}/${name}`, "latin1");
}
function tooLarge(path, reason) {
	return new require_fault.Fault("too_large", `Cannot walk ${quotePath(path.slice(0, 200))}: ${reason}`);
}

// ../sandbox/src/layer/remove-tree.ts
/** Directories below each other that are held open. An agent can make trees of any depth, and no run may be there for ever. */
const DEPTH_OPEN_MAX = 256;
/** Removes a directory of ours and everything in it, however deep and whatever the names and modes. What is gone already is fine. */
async function removeTree(directory, pace) {
	try {
		using tree = Tree.open(directory, { isOurs: true });
		await removeInside(tree, pace);
		(0, node_fs.rmdirSync)(directory);
	} catch (error) {
		if (errnoOf(error) !== "ENOENT") throw error;
	}
}
async function removeInside(tree, pace) {
	const open = [{
		path: "",
		isEmptied: false
	}];
	for (let visit = open.pop(); visit !== void 0; visit = open.pop()) {
		if (visit.isEmptied) {
			(0, node_fs.rmdirSync)(tree.at(visit.path));
			continue;
		}
		const path = visit.path.split("/").length > DEPTH_OPEN_MAX ? hoist(tree, visit.path) : visit.path;
		if (path !== "") open.push({
			path,
			isEmptied: true
		});
		for (const name of tree.list(path)) {
			if (pace.isDue) await pace.rest();
			const child = joinPath(path, name);
			if (tree.stat(child)?.isDirectory() === true) open.push({
				path: child,
				isEmptied: false
			});
			else (0, node_fs.unlinkSync)(tree.at(child));
		}
	}
}
function hoist(tree, path) {
	const name = `hoisted-${(0, node_crypto.randomBytes)(12).toString("hex")}`;
	tree.hoist(path, name);
	return joinPath("", name);
}

// ../sandbox/src/layer/scan.ts
/**
* Reads what a run changed out of its layer. The upper directory of an overlay holds exactly what was written: files copied up or new,
* a whiteout for each name removed, and the mark `opaque` on a directory that hides the one below. What is in it was made by an agent, so it
* is walked with a `Tree`, nothing in it is trusted, and everything is bounded.
*/
/** Paths one layer may change, what is deleted with a directory included. More is `too_large`. */
const CHANGES_MAX = 5e5;
/** Entries of the upper side, unchanged ones (only touched, or on the way to a change) included. */
const ENTRIES_MAX = 2e6;
/** Directories asked about at once: each holds a descriptor meanwhile. */
const PROBE_BATCH = 128;
/** Every change of a layer, sorted by path. Throws `too_large`, `permission_denied`. */
async function scanLayer(request) {
	const scan = new Scan(request);
	await scan.run();
	return scan.changes.toSorted((left, right) => comparePaths(left.path, right.path));
}
var Scan = class {
	changes = [];
	#upper;
	#lower;
	#probe;
	#pace;
	#visits = [];
	#entriesSeen = 0;
	constructor({ upper, lower, probe, pace }) {
		this.#upper = upper;
		this.#lower = lower;
		this.#probe = probe;
		this.#pace = pace;
	}
	async run() {
		await this.#compare("", this.#upper.state(""), this.#lower.state(""));
		this.#visits.push({
			path: "",
			lower: "merged"
		});
		for (let visit = this.#visits.pop(); visit !== void 0; visit = this.#visits.pop()) await this.#visit(visit);
	}
	async #visit({ path, lower }) {
		const names = this.#upper.list(path);
		this.#entriesSeen += names.length;
		if (this.#entriesSeen > ENTRIES_MAX) throw new require_fault.Fault("too_large", `The layer has more than ${ENTRIES_MAX} entries`);
		const merged = [];
		for (const name of names) {
			if (this.#pace.isDue) await this.#pace.rest();
			const child = joinPath(path, name);
			const below = lower === "none" ? void 0 : this.#lowerState(child);
			const stat = this.#upper.stat(child);
			if (stat === void 0) continue;
			if (isWhiteout(stat)) {
				await this.#delete(child, below);
				continue;
			}
			const above = stateFromStat(stat, this.#upper.at(child));
			await this.#compare(child, above, below);
			if (below?.kind === "directory" && above.kind !== "directory") await this.#deleteInside(child);
			if (above.kind !== "directory") continue;
			if (below?.kind === "directory" && lower === "merged") merged.push(child);
			else this.#visits.push({
				path: child,
				lower: below?.kind === "directory" ? lower : "none"
			});
		}
		if (lower === "hidden") await this.#deleteOthers(path, new Set(names));
		await this.#probeOpaque(merged);
	}
	/** Below an opaque directory everything of the host is hidden, so that only the topmost needs the mark. */
	async #probeOpaque(directories) {
		for (let at = 0; at < directories.length; at += PROBE_BATCH) {
			const batch = directories.slice(at, at + PROBE_BATCH);
			const descriptors = [];
			try {
				for (const path of batch) {
					const descriptor = this.#upper.openDirectory(path);
					if (descriptor !== void 0) descriptors.push(descriptor);
				}
				const answers = await this.#probe(descriptors.map((descriptor) => `/proc/${process.pid}/fd/${descriptor}`));
				if (answers.length !== batch.length) throw new require_fault.Fault("internal", "The probe for opaque directories left some out");
				for (const [index, path] of batch.entries()) this.#visits.push({
					path,
					lower: answers[index] === true ? "hidden" : "merged"
				});
			} finally {
				for (const descriptor of descriptors) (0, node_fs.closeSync)(descriptor);
			}
		}
	}
	async #compare(path, above, below) {
		if (above?.kind === "file" && below?.kind === "file") {
			const isSame = above.size === below.size && await this.#isSameFile(path, above.size);
			if (!isSame || above.mode !== below.mode) this.#add({
				path,
				before: below,
				after: above,
				isSameContent: isSame
			});
		} else if (!isEqualState(above, below)) this.#add({
			path,
			before: below,
			after: above,
			isSameContent: false
		});
	}
	async #isSameFile(path, size) {
		const above = this.#upper.openFile(path);
		try {
			const below = this.#openLower(path);
			if (below === void 0) return false;
			try {
				return await isSameContent(above, below, size, this.#pace);
			} finally {
				(0, node_fs.closeSync)(below);
			}
		} finally {
			(0, node_fs.closeSync)(above);
		}
	}
	/** A file of the host that the caller may not read cannot be compared; the layer's may differ, so it counts as changed. */
	#openLower(path) {
		try {
			return this.#lower.openFile(path);
		} catch (error) {
			if (errnoOf(error) === "EACCES") return void 0;
			throw error;
		}
	}
	/** A path that is gone, with all that was in it. A whiteout of what is not there says nothing. */
	async #delete(path, below) {
		if (below === void 0) return;
		this.#add({
			path,
			before: below,
			after: void 0,
			isSameContent: false
		});
		if (below.kind === "directory") await this.#deleteInside(path);
	}
	async #deleteInside(directory) {
		const open = [directory];
		for (let path = open.pop(); path !== void 0; path = open.pop()) for (const name of this.#lower.list(path)) {
			const child = joinPath(path, name);
			const below = this.#lowerState(child);
			if (below === void 0) continue;
			this.#add({
				path: child,
				before: below,
				after: void 0,
				isSameContent: false
			});
			if (below.kind === "directory") open.push(child);
			if (this.#pace.isDue) await this.#pace.rest();
		}
	}
	async #deleteOthers(path, names) {
		for (const name of this.#lower.list(path)) {
			if (names.has(name)) continue;
			const child = joinPath(path, name);
			await this.#delete(child, this.#lowerState(child));
		}
	}
	/** A whiteout in the host's own directory hides nothing below it, but it was invisible to the run. */
	#lowerState(path) {
		const stat = this.#lower.stat(path);
		return stat === void 0 || isWhiteout(stat) ? void 0 : stateFromStat(stat, this.#lower.at(path));
	}
	#add(change) {
		if (this.changes.length >= 5e5) throw new require_fault.Fault("too_large", `The layer changes more than ${CHANGES_MAX} paths`);
		this.changes.push(change);
	}
};

// ../sandbox/src/layer/manifest.ts
/**
* The seal: what a run changed, and what the host had at each of those paths, fixed once when the run has ended. From then on it says what may
* be applied, and whether the host is still as the run saw it. The layer is not written to after the run, so it is not copied here.
*/
const LINES_PER_WRITE = 1e3;
/** Seals the layer of a run, or reads the seal it has. Throws `not_found` for a dropped layer, `too_large`, `permission_denied`, `storage_full`. */
async function sealLayer(held, options) {
	refuseDropped(held.record);
	const manifest = readManifest(held.paths.manifest) ?? await makeManifest(held, options);
	const changes = manifest.changes.length;
	if (held.record.layer.changes !== changes) held.save({ layer: {
		changes,
		...changes === 0 ? { state: "empty" } : {}
	} });
	if (changes === 0) await removeTree(held.paths.layer, new Pace());
	return manifest;
}
/** The seal of a run, if it has one. Throws `internal` when it is damaged. */
function readManifest(path) {
	try {
		const [head, ...lines] = (0, node_fs.readFileSync)(path, "utf8").trimEnd().split("\n");
		const fields = readFields(JSON.parse(head ?? ""), "manifest", [
			"version",
			"sealedNs",
			"changes"
		]);
		readOneOf(`${fields["version"]}`, "version", ["1"]);
		if (readInteger(fields["changes"], "changes", 5e5) !== lines.length) throw new ShapeError("it has another number of lines");
		const changes = lines.map((line, index) => readChange(JSON.parse(line), `line ${index + 2}`));
		return {
			sealedNs: readBigInt(fields["sealedNs"], "sealedNs"),
			changes
		};
	} catch (error) {
		if (errnoOf(error) === "ENOENT") return void 0;
		const reason = error instanceof Error ? error.message : String(error);
		throw new require_fault.Fault("internal", `Cannot read the list of changes ${path}: ${reason}. Next: rm ${path}, and the layer is read again`, { cause: error });
	}
}
function refuseDropped(record) {
	if (record.layer.state === "dropped") throw new require_fault.Fault("not_found", `The layer of run ${record.id} was dropped`, { details: { runId: record.id } });
}
async function makeManifest(held, { probe, signal }) {
	const { record, paths } = held;
	const pace = new Pace(signal);
	try {
		using upper = Tree.open(paths.upper, { isOurs: true });
		using lower = Tree.open(record.directory);
		const startedNs = BigInt(record.startedNs);
		const changes = [];
		for (const change of await scanLayer({
			upper,
			lower,
			probe,
			pace
		})) changes.push(await seal(change, lower, startedNs, pace));
		const manifest = {
			sealedNs: BigInt(Date.now()) * 1000000n,
			changes
		};
		writeAtomically(paths.manifest, manifestToText(manifest));
		return manifest;
	} catch (error) {
		throw fileFault(error, `Cannot read the layer of run ${record.id} over ${record.directory}`);
	}
}
async function seal(change, lower, startedNs, pace) {
	if (change.before?.kind !== "file") return {
		...change,
		isChangedDuringRun: false
	};
	const before = await readWithHash(lower, change.path, pace) ?? change.before;
	return {
		...change,
		before,
		isChangedDuringRun: before.ctimeNs > startedNs
	};
}
/** The state of a file with the hash of its content; without one when we may not read it. `undefined`: no file there. */
async function readWithHash(tree, path, pace) {
	const state = tree.state(path);
	if (state?.kind !== "file") return void 0;
	let file;
	try {
		file = tree.openFile(path);
	} catch (error) {
		if (errnoOf(error) === "EACCES") return state;
		throw error;
	}
	try {
		return {
			...state,
			sha256: await hashContent(file, state.size, pace)
		};
	} finally {
		(0, node_fs.closeSync)(file);
	}
}
function* manifestToLines(manifest) {
	yield JSON.stringify({
		version: 1,
		sealedNs: `${manifest.sealedNs}`,
		changes: manifest.changes.length
	});
	for (const change of manifest.changes) yield JSON.stringify({
		path: pathToJson(change.path),
		...change.before === void 0 ? {} : { before: stateToJson(change.before) },
		...change.after === void 0 ? {} : { after: stateToJson(change.after) },
		...change.isSameContent ? { isSameContent: true } : {},
		...change.isChangedDuringRun ? { isChangedDuringRun: true } : {}
	});
}
function manifestToText(manifest) {
	const lines = [...manifestToLines(manifest)];
	const parts = [];
	for (let at = 0; at < lines.length; at += LINES_PER_WRITE) parts.push(`${lines.slice(at, at + LINES_PER_WRITE).join("\n")}\n`);
	return parts;
}
function readChange(value, where) {
	const fields = readFields(value, where, ["path"], [
		"before",
		"after",
		"isSameContent",
		"isChangedDuringRun"
	]);
	const state = (key) => fields[key] === void 0 ? void 0 : readState(fields[key], `${where}.${key}`);
	const flag = (key) => fields[key] !== void 0 && readBoolean(fields[key], `${where}.${key}`);
	return {
		path: readPath(fields["path"], `${where}.path`),
		before: state("before"),
		after: state("after"),
		isSameContent: flag("isSameContent"),
		isChangedDuringRun: flag("isChangedDuringRun")
	};
}

Object.defineProperty(exports, "Pace", {
  enumerable: true,
  get: function () {
    return Pace;
  }
});
Object.defineProperty(exports, "SET_ID", {
  enumerable: true,
  get: function () {
    return SET_ID;
  }
});
Object.defineProperty(exports, "ShapeError", {
  enumerable: true,
  get: function () {
    return ShapeError;
  }
});
Object.defineProperty(exports, "Tree", {
  enumerable: true,
  get: function () {
    return Tree;
  }
});
Object.defineProperty(exports, "ancestorsOf", {
  enumerable: true,
  get: function () {
    return ancestorsOf;
  }
});
Object.defineProperty(exports, "comparePaths", {
  enumerable: true,
  get: function () {
    return comparePaths;
  }
});
Object.defineProperty(exports, "copyContent", {
  enumerable: true,
  get: function () {
    return copyContent;
  }
});
Object.defineProperty(exports, "errnoOf", {
  enumerable: true,
  get: function () {
    return errnoOf;
  }
});
Object.defineProperty(exports, "escapeBytesForTerminal", {
  enumerable: true,
  get: function () {
    return escapeBytesForTerminal;
  }
});
Object.defineProperty(exports, "escapeForTerminal", {
  enumerable: true,
  get: function () {
    return escapeForTerminal;
  }
});
Object.defineProperty(exports, "fileFault", {
  enumerable: true,
  get: function () {
    return fileFault;
  }
});
Object.defineProperty(exports, "hashContent", {
  enumerable: true,
  get: function () {
    return hashContent;
  }
});
Object.defineProperty(exports, "isAtState", {
  enumerable: true,
  get: function () {
    return isAtState;
  }
});
Object.defineProperty(exports, "isEqualState", {
  enumerable: true,
  get: function () {
    return isEqualState;
  }
});
Object.defineProperty(exports, "isSameContent", {
  enumerable: true,
  get: function () {
    return isSameContent;
  }
});
Object.defineProperty(exports, "isSameInode", {
  enumerable: true,
  get: function () {
    return isSameInode;
  }
});
Object.defineProperty(exports, "isSpecial", {
  enumerable: true,
  get: function () {
    return isSpecial;
  }
});
Object.defineProperty(exports, "isWithin", {
  enumerable: true,
  get: function () {
    return isWithin;
  }
});
Object.defineProperty(exports, "joinPath", {
  enumerable: true,
  get: function () {
    return joinPath;
  }
});
Object.defineProperty(exports, "makePrivateDirectory", {
  enumerable: true,
  get: function () {
    return makePrivateDirectory;
  }
});
Object.defineProperty(exports, "nameOf", {
  enumerable: true,
  get: function () {
    return nameOf;
  }
});
Object.defineProperty(exports, "openStateDirectory", {
  enumerable: true,
  get: function () {
    return openStateDirectory;
  }
});
Object.defineProperty(exports, "ourUid", {
  enumerable: true,
  get: function () {
    return ourUid;
  }
});
Object.defineProperty(exports, "parentOf", {
  enumerable: true,
  get: function () {
    return parentOf;
  }
});
Object.defineProperty(exports, "parsePath", {
  enumerable: true,
  get: function () {
    return parsePath;
  }
});
Object.defineProperty(exports, "pathToBytes", {
  enumerable: true,
  get: function () {
    return pathToBytes;
  }
});
Object.defineProperty(exports, "pathToJson", {
  enumerable: true,
  get: function () {
    return pathToJson;
  }
});
Object.defineProperty(exports, "pathToText", {
  enumerable: true,
  get: function () {
    return pathToText;
  }
});
Object.defineProperty(exports, "quotePath", {
  enumerable: true,
  get: function () {
    return quotePath;
  }
});
Object.defineProperty(exports, "readBoolean", {
  enumerable: true,
  get: function () {
    return readBoolean;
  }
});
Object.defineProperty(exports, "readFields", {
  enumerable: true,
  get: function () {
    return readFields;
  }
});
Object.defineProperty(exports, "readHead", {
  enumerable: true,
  get: function () {
    return readHead;
  }
});
Object.defineProperty(exports, "readInteger", {
  enumerable: true,
  get: function () {
    return readInteger;
  }
});
Object.defineProperty(exports, "readList", {
  enumerable: true,
  get: function () {
    return readList;
  }
});
Object.defineProperty(exports, "readManifest", {
  enumerable: true,
  get: function () {
    return readManifest;
  }
});
Object.defineProperty(exports, "readMatch", {
  enumerable: true,
  get: function () {
    return readMatch;
  }
});
Object.defineProperty(exports, "readOneOf", {
  enumerable: true,
  get: function () {
    return readOneOf;
  }
});
Object.defineProperty(exports, "readPath", {
  enumerable: true,
  get: function () {
    return readPath;
  }
});
Object.defineProperty(exports, "readState", {
  enumerable: true,
  get: function () {
    return readState;
  }
});
Object.defineProperty(exports, "readText", {
  enumerable: true,
  get: function () {
    return readText;
  }
});
Object.defineProperty(exports, "readWithHash", {
  enumerable: true,
  get: function () {
    return readWithHash;
  }
});
Object.defineProperty(exports, "reflink", {
  enumerable: true,
  get: function () {
    return reflink;
  }
});
Object.defineProperty(exports, "refuseDropped", {
  enumerable: true,
  get: function () {
    return refuseDropped;
  }
});
Object.defineProperty(exports, "removeTree", {
  enumerable: true,
  get: function () {
    return removeTree;
  }
});
Object.defineProperty(exports, "sealLayer", {
  enumerable: true,
  get: function () {
    return sealLayer;
  }
});
Object.defineProperty(exports, "stateToJson", {
  enumerable: true,
  get: function () {
    return stateToJson;
  }
});
Object.defineProperty(exports, "syncDirectory", {
  enumerable: true,
  get: function () {
    return syncDirectory;
  }
});
Object.defineProperty(exports, "writeAtomically", {
  enumerable: true,
  get: function () {
    return writeAtomically;
  }
});