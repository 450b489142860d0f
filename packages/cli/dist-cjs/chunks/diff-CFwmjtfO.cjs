const require_manifest = require("./manifest-DGB8QCT1.cjs");
const require_choose_run = require("./choose-run-BAliQ2wP.cjs");
const require_run_paths = require("./run-paths-CX4cAkq6.cjs");
const require_color = require("./color-CDQrxYec.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");
let node_fs = require("node:fs");
let node_buffer = require("node:buffer");

// ../sandbox/src/layer/git-quote.ts
const ESCAPES = {
	"\x07": "\\a",
	"\b": "\\b",
	"	": "\\t",
	"\n": "\\n",
	"\v": "\\v",
	"\f": "\\f",
	"\r": "\\r",
	"\"": "\\\"",
	"\\": "\\\\"
};
/** A name as git prints it: in C's quotes when it has quotes, backslashes, control characters or anything beyond ASCII (core.quotePath). */
function quoteForGit(path, prefix = "") {
	const name = `${prefix}${path}`;
	if (!/[\0-\x1f\x7f-\xff"\\]/.test(name)) return name;
	return `"${name.replace(/[\0-\x1f\x7f-\xff"\\]/g, (byte) => ESCAPES[byte] ?? `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`)}"`;
}

// ../../node_modules/diff/libesm/diff/base.js
var Diff = class {
	diff(oldStr, newStr, options = {}) {
		let callback;
		if (typeof options === "function") {
			callback = options;
			options = {};
		} else if ("callback" in options) callback = options.callback;
		const oldString = this.castInput(oldStr, options);
		const newString = this.castInput(newStr, options);
		const oldTokens = this.removeEmpty(this.tokenize(oldString, options));
		const newTokens = this.removeEmpty(this.tokenize(newString, options));
		return this.diffWithOptionsObj(oldTokens, newTokens, options, callback);
	}
	diffWithOptionsObj(oldTokens, newTokens, options, callback) {
		var _a;
		const done = (value) => {
			value = this.postProcess(value, options);
			if (callback) {
				setTimeout(function() {
					callback(value);
				}, 0);
				return;
			} else return value;
		};
		const newLen = newTokens.length, oldLen = oldTokens.length;
		let editLength = 1;
		let maxEditLength = newLen + oldLen;
		if (options.maxEditLength != null) maxEditLength = Math.min(maxEditLength, options.maxEditLength);
		const maxExecutionTime = (_a = options.timeout) !== null && _a !== void 0 ? _a : Infinity;
		const abortAfterTimestamp = Date.now() + maxExecutionTime;
		const bestPath = [{
			oldPos: -1,
			lastComponent: void 0
		}];
		let newPos = this.extractCommon(bestPath[0], newTokens, oldTokens, 0, options);
		if (bestPath[0].oldPos + 1 >= oldLen && newPos + 1 >= newLen) return done(this.buildValues(bestPath[0].lastComponent, newTokens, oldTokens));
		let minDiagonalToConsider = -Infinity, maxDiagonalToConsider = Infinity;
		const execEditLength = () => {
			for (let diagonalPath = Math.max(minDiagonalToConsider, -editLength); diagonalPath <= Math.min(maxDiagonalToConsider, editLength); diagonalPath += 2) {
				let basePath;
				const removePath = bestPath[diagonalPath - 1], addPath = bestPath[diagonalPath + 1];
				if (removePath) bestPath[diagonalPath - 1] = void 0;
				let canAdd = false;
				if (addPath) {
					const addPathNewPos = addPath.oldPos - diagonalPath;
					canAdd = addPath && 0 <= addPathNewPos && addPathNewPos < newLen;
				}
				const canRemove = removePath && removePath.oldPos + 1 < oldLen;
				if (!canAdd && !canRemove) {
					bestPath[diagonalPath] = void 0;
					continue;
				}
				if (!canRemove || canAdd && removePath.oldPos < addPath.oldPos) basePath = this.addToPath(addPath, true, false, 0, options);
				else basePath = this.addToPath(removePath, false, true, 1, options);
				newPos = this.extractCommon(basePath, newTokens, oldTokens, diagonalPath, options);
				if (basePath.oldPos + 1 >= oldLen && newPos + 1 >= newLen) return done(this.buildValues(basePath.lastComponent, newTokens, oldTokens)) || true;
				else {
					bestPath[diagonalPath] = basePath;
					if (basePath.oldPos + 1 >= oldLen) maxDiagonalToConsider = Math.min(maxDiagonalToConsider, diagonalPath - 1);
					if (newPos + 1 >= newLen) minDiagonalToConsider = Math.max(minDiagonalToConsider, diagonalPath + 1);
				}
			}
			editLength++;
		};
		if (callback) (function exec() {
			setTimeout(function() {
				if (editLength > maxEditLength || Date.now() > abortAfterTimestamp) return callback(void 0);
				if (!execEditLength()) exec();
			}, 0);
		})();
		else while (editLength <= maxEditLength && Date.now() <= abortAfterTimestamp) {
			const ret = execEditLength();
			if (ret) return ret;
		}
	}
	addToPath(path, added, removed, oldPosInc, options) {
		const last = path.lastComponent;
		if (last && !options.oneChangePerToken && last.added === added && last.removed === removed) return {
			oldPos: path.oldPos + oldPosInc,
			lastComponent: {
				count: last.count + 1,
				added,
				removed,
				previousComponent: last.previousComponent
			}
		};
		else return {
			oldPos: path.oldPos + oldPosInc,
			lastComponent: {
				count: 1,
				added,
				removed,
				previousComponent: last
			}
		};
	}
	extractCommon(basePath, newTokens, oldTokens, diagonalPath, options) {
		const newLen = newTokens.length, oldLen = oldTokens.length;
		let oldPos = basePath.oldPos, newPos = oldPos - diagonalPath, commonCount = 0;
		while (newPos + 1 < newLen && oldPos + 1 < oldLen && this.equals(oldTokens[oldPos + 1], newTokens[newPos + 1], options)) {
			newPos++;
			oldPos++;
			commonCount++;
			if (options.oneChangePerToken) basePath.lastComponent = {
				count: 1,
				previousComponent: basePath.lastComponent,
				added: false,
				removed: false
			};
		}
		if (commonCount && !options.oneChangePerToken) basePath.lastComponent = {
			count: commonCount,
			previousComponent: basePath.lastComponent,
			added: false,
			removed: false
		};
		basePath.oldPos = oldPos;
		return newPos;
	}
	equals(left, right, options) {
		if (options.comparator) return options.comparator(left, right);
		else return left === right || !!options.ignoreCase && left.toLowerCase() === right.toLowerCase();
	}
	removeEmpty(array) {
		const ret = [];
		for (let i = 0; i < array.length; i++) if (array[i]) ret.push(array[i]);
		return ret;
	}
	castInput(value, options) {
		return value;
	}
	tokenize(value, options) {
		return Array.from(value);
	}
	join(chars) {
		return chars.join("");
	}
	postProcess(changeObjects, options) {
		return changeObjects;
	}
	get useLongestToken() {
		return false;
	}
	buildValues(lastComponent, newTokens, oldTokens) {
		const components = [];
		let nextComponent;
		while (lastComponent) {
			components.push(lastComponent);
			nextComponent = lastComponent.previousComponent;
			delete lastComponent.previousComponent;
			lastComponent = nextComponent;
		}
		components.reverse();
		const componentLen = components.length;
		let componentPos = 0, newPos = 0, oldPos = 0;
		for (; componentPos < componentLen; componentPos++) {
			const component = components[componentPos];
			if (!component.removed) {
				if (!component.added && this.useLongestToken) {
					let value = newTokens.slice(newPos, newPos + component.count);
					value = value.map(function(value, i) {
						const oldValue = oldTokens[oldPos + i];
						return oldValue.length > value.length ? oldValue : value;
					});
					component.value = this.join(value);
				} else component.value = this.join(newTokens.slice(newPos, newPos + component.count));
				newPos += component.count;
				if (!component.added) oldPos += component.count;
			} else {
				component.value = this.join(oldTokens.slice(oldPos, oldPos + component.count));
				oldPos += component.count;
			}
		}
		return components;
	}
};

// ../../node_modules/diff/libesm/diff/line.js
var LineDiff = class extends Diff {
	constructor() {
		super(...arguments);
		this.tokenize = tokenize;
	}
	equals(left, right, options) {
		if (options.ignoreWhitespace) {
			if (!options.newlineIsToken || !left.includes("\n")) left = left.trim();
			if (!options.newlineIsToken || !right.includes("\n")) right = right.trim();
		} else if (options.ignoreNewlineAtEof && !options.newlineIsToken) {
			if (left.endsWith("\n")) left = left.slice(0, -1);
			if (right.endsWith("\n")) right = right.slice(0, -1);
		}
		return super.equals(left, right, options);
	}
};
const lineDiff = new LineDiff();
function diffLines$1(oldStr, newStr, options) {
	return lineDiff.diff(oldStr, newStr, options);
}
function tokenize(value, options) {
	if (options.stripTrailingCr) value = value.replace(/\r\n/g, "\n");
	const retLines = [], linesAndNewlines = value.split(/(\n|\r\n)/);
	if (!linesAndNewlines[linesAndNewlines.length - 1]) linesAndNewlines.pop();
	for (let i = 0; i < linesAndNewlines.length; i++) {
		const line = linesAndNewlines[i];
		if (i % 2 && !options.newlineIsToken) retLines[retLines.length - 1] += line;
		else retLines.push(line);
	}
	return retLines;
}

// ../../node_modules/diff/libesm/patch/create.js
function structuredPatch(oldFileName, newFileName, oldStr, newStr, oldHeader, newHeader, options) {
	let optionsObj;
	if (!options) optionsObj = {};
	else if (typeof options === "function") optionsObj = { callback: options };
	else optionsObj = options;
	if (typeof optionsObj.context === "undefined") optionsObj.context = 4;
	const context = optionsObj.context;
	if (optionsObj.newlineIsToken) throw new Error("newlineIsToken may not be used with patch-generation functions, only with diffing functions");
	if (!optionsObj.callback) return diffLinesResultToPatch(diffLines$1(oldStr, newStr, optionsObj));
	else {
		const { callback } = optionsObj;
		diffLines$1(oldStr, newStr, Object.assign(Object.assign({}, optionsObj), { callback: (diff) => {
			const patch = diffLinesResultToPatch(diff);
			callback(patch);
		} }));
	}
	function diffLinesResultToPatch(diff) {
		if (!diff) return;
		diff.push({
			value: "",
			lines: []
		});
		function contextLines(lines) {
			return lines.map(function(entry) {
				return " " + entry;
			});
		}
		const hunks = [];
		let oldRangeStart = 0, newRangeStart = 0, curRange = [], oldLine = 1, newLine = 1;
		for (let i = 0; i < diff.length; i++) {
			const current = diff[i], lines = current.lines || splitLines(current.value);
			current.lines = lines;
			if (current.added || current.removed) {
				if (!oldRangeStart) {
					const prev = diff[i - 1];
					oldRangeStart = oldLine;
					newRangeStart = newLine;
					if (prev) {
						curRange = context > 0 ? contextLines(prev.lines.slice(-context)) : [];
						oldRangeStart -= curRange.length;
						newRangeStart -= curRange.length;
					}
				}
				for (const line of lines) curRange.push((current.added ? "+" : "-") + line);
				if (current.added) newLine += lines.length;
				else oldLine += lines.length;
			} else {
				if (oldRangeStart) {
					if (lines.length <= context * 2 && i < diff.length - 2) for (const line of contextLines(lines)) curRange.push(line);
					else {
						const contextSize = Math.min(lines.length, context);
						for (const line of contextLines(lines.slice(0, contextSize))) curRange.push(line);
						const hunk = {
							oldStart: oldRangeStart,
							oldLines: oldLine - oldRangeStart + contextSize,
							newStart: newRangeStart,
							newLines: newLine - newRangeStart + contextSize,
							lines: curRange
						};
						hunks.push(hunk);
						oldRangeStart = 0;
						newRangeStart = 0;
						curRange = [];
					}
				}
				oldLine += lines.length;
				newLine += lines.length;
			}
		}
		for (const hunk of hunks) for (let i = 0; i < hunk.lines.length; i++) if (hunk.lines[i].endsWith("\n")) hunk.lines[i] = hunk.lines[i].slice(0, -1);
		else {
			hunk.lines.splice(i + 1, 0, "\\ No newline at end of file");
			i++;
		}
		return {
			oldFileName,
			newFileName,
			oldHeader,
			newHeader,
			hunks
		};
	}
}
/**
* Split `text` into an array of lines, including the trailing newline character (where present)
*/
function splitLines(text) {
	const hasTrailingNl = text.endsWith("\n");
	const result = text.split("\n").map((line) => line + "\n");
	if (hasTrailingNl) result.pop();
	else result.push(result.pop().slice(0, -1));
	return result;
}

// ../sandbox/src/layer/line-diff.ts
/** Which lines differ between two texts. Bytes are one character each, so that what is no UTF-8 survives. */
const CONTEXT_LINES = 3;
/** Two texts this different are better read one after the other. */
const EDITS_MAX = 2e4;
const NO_NEWLINE = "\\ No newline at end of file";
/** `undefined`: it takes longer than `timeoutMs`, or too much differs. Holds the event loop that long. */
function diffLines(before, after, timeoutMs) {
	if (before === after) return [];
	if (before === "") return [wholeHunk(after, "+")];
	if (after === "") return [wholeHunk(before, "-")];
	return structuredPatch("", "", before, after, void 0, void 0, {
		context: CONTEXT_LINES,
		timeout: timeoutMs,
		maxEditLength: EDITS_MAX
	})?.hunks;
}
function countLines(hunks) {
	let insertions = 0;
	let deletions = 0;
	for (const { lines } of hunks) for (const line of lines) if (line.startsWith("+")) insertions += 1;
	else if (line.startsWith("-")) deletions += 1;
	return {
		insertions,
		deletions
	};
}
/** As git writes it: an empty side starts at line 0. */
function hunkHeader({ oldStart, oldLines, newStart, newLines }) {
	return `@@ -${range(oldLines === 0 ? oldStart - 1 : oldStart, oldLines)} +${range(newLines === 0 ? newStart - 1 : newStart, newLines)} @@`;
}
function range(start, lines) {
	return lines === 1 ? `${start}` : `${start},${lines}`;
}
function wholeHunk(text, mark) {
	const isEnded = text.endsWith("\n");
	const lines = (isEnded ? text.slice(0, -1) : text).split("\n").map((line) => `${mark}${line}`);
	const count = lines.length;
	if (!isEnded) lines.push(NO_NEWLINE);
	return mark === "+" ? {
		oldStart: 1,
		oldLines: 0,
		newStart: 1,
		newLines: count,
		lines
	} : {
		oldStart: 1,
		oldLines: count,
		newStart: 1,
		newLines: 0,
		lines
	};
}

// ../sandbox/src/layer/content-diff.ts
/** Compares the two sides of a diff entry. */
/** Larger files are named with their sizes. */
const DIFF_BYTES_MAX = 4194304;
/** As git: a zero byte among the first ones makes a file binary. */
const SNIFFED_BYTES = 8e3;
/** Longest for one file, and for all of a diff; after that files count as slow. Comparing is synchronous. */
const FILE_DIFF_MS_MAX = 500;
const TOTAL_DIFF_MS_MAX = 3e4;
var ContentDiffer = class {
	#upper;
	#lower;
	#msLeft = TOTAL_DIFF_MS_MAX;
	constructor(upper, lower) {
		this.#upper = upper;
		this.#lower = lower;
	}
	/** Directories and special files have no content; a link's is where it points. */
	diff(from, before, to, after) {
		const left = readSide(this.#lower, from, before);
		const right = readSide(this.#upper, to, after);
		const bytes = {
			beforeBytes: sizeOf(before),
			afterBytes: sizeOf(after)
		};
		if (left.kind !== "text") return {
			kind: left.kind,
			...bytes
		};
		if (right.kind !== "text") return {
			kind: right.kind,
			...bytes
		};
		if (left.text === right.text) return { kind: "same" };
		const startedMs = performance.now();
		const hunks = diffLines(left.text, right.text, Math.min(FILE_DIFF_MS_MAX, Math.max(0, this.#msLeft)));
		this.#msLeft -= performance.now() - startedMs;
		return hunks === void 0 ? {
			kind: "slow",
			...bytes
		} : {
			kind: "text",
			hunks,
			...countLines(hunks)
		};
	}
};
function readSide(tree, path, state) {
	if (state?.kind === "symlink") return {
		kind: "text",
		text: state.target
	};
	if (state?.kind !== "file") return {
		kind: "text",
		text: ""
	};
	let file;
	try {
		file = tree.openFile(path);
	} catch (error) {
		if (require_manifest.errnoOf(error) === "EACCES") return { kind: "unreadable" };
		throw error;
	}
	try {
		const isLarge = state.size > DIFF_BYTES_MAX;
		const bytes = require_manifest.readHead(file, isLarge ? SNIFFED_BYTES : state.size);
		if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return { kind: "binary" };
		return isLarge ? { kind: "large" } : {
			kind: "text",
			text: bytes.toString("latin1")
		};
	} finally {
		(0, node_fs.closeSync)(file);
	}
}
function sizeOf(state) {
	return state?.kind === "file" ? state.size : state?.kind === "symlink" ? state.target.length : 0;
}

// ../sandbox/src/layer/diff-entries.ts
/** Pairs up what the eye sees as one change: a file deleted here that appears with the same content there was renamed. */
/** Sorted by path. */
async function diffEntries(changes, upper, pace) {
	const renames = await findRenames(changes, upper, pace);
	const renamed = new Set(renames.values());
	return changes.filter((change) => !renamed.has(change)).map((change) => entryOf(change, renames.get(change))).sort((left, right) => require_manifest.comparePaths(left.path, right.path));
}
function entryOf(change, deletion) {
	const { path, status, after } = change;
	return {
		path,
		from: deletion?.path,
		before: deletion === void 0 ? status.host : deletion.status.host,
		after,
		change,
		deletion
	};
}
/**
* From the added to the deleted half. Only equal contents: cheap, never a guess. An empty file is like any other, so it is not one; and what
* deserves attention is shown line by line, not as something moved.
*/
async function findRenames(changes, upper, pace) {
	const deleted = /* @__PURE__ */ new Map();
	const sizes = /* @__PURE__ */ new Set();
	for (const change of changes) {
		const { host } = change.status;
		if (change.after !== void 0 || change.status.kind !== "pending" || host?.kind !== "file" || host.size === 0) continue;
		if (host.sha256 === void 0 || change.attention !== void 0) continue;
		sizes.add(host.size);
		deleted.set(host.sha256, [...deleted.get(host.sha256) ?? [], change]);
	}
	const renames = /* @__PURE__ */ new Map();
	for (const change of changes) {
		const { path, after, status } = change;
		if (status.kind !== "pending" || status.host !== void 0 || after?.kind !== "file" || !sizes.has(after.size)) continue;
		if (change.attention !== void 0) continue;
		const candidates = deleted.get(await hashFile(upper, path, after, pace)) ?? [];
		const best = candidates.findIndex((candidate) => require_manifest.nameOf(candidate.path) === require_manifest.nameOf(path));
		const [found] = candidates.splice(Math.max(best, 0), 1);
		if (found !== void 0) renames.set(change, found);
	}
	return renames;
}
async function hashFile(tree, path, { size }, pace) {
	const file = tree.openFile(path);
	try {
		return await require_manifest.hashContent(file, size, pace);
	} finally {
		(0, node_fs.closeSync)(file);
	}
}

// ../sandbox/src/layer/open-diff.ts
/** Both sides of a review, open for reading. The caller owns it. */
var OpenDiff = class {
	pace;
	differ;
	#upper;
	#lower;
	#review;
	constructor(review, signal) {
		this.pace = new require_manifest.Pace(signal);
		this.#review = review;
		this.#upper = require_manifest.Tree.open(review.paths.upper, { isOurs: true });
		try {
			this.#lower = require_choose_run.openLower(review.run);
		} catch (error) {
			this.#upper[Symbol.dispose]();
			throw error;
		}
		this.differ = new ContentDiffer(this.#upper, this.#lower);
	}
	async entries() {
		return await diffEntries(this.#review.changes, this.#upper, this.pace);
	}
	[Symbol.dispose]() {
		this.#upper[Symbol.dispose]();
		this.#lower[Symbol.dispose]();
	}
};

// ../sandbox/src/layer/diff.ts
/**
* Writes the changes of a run as a patch in git's format, which `git apply` takes. What git cannot say (an empty directory, a mode other than
* executable or not, a fifo) stands in lines that begin with `#`, which it skips; a file that is not shown in lines makes it refuse the patch,
* as it should. Two forms: bytes, exact, for files and pipes; and text for a terminal, with everything in it made harmless.
*/
/** SGR sequences, as git's defaults. */
const COLOURS = {
	header: "\x1B[1m",
	hunk: "\x1B[36m",
	added: "\x1B[32m",
	removed: "\x1B[31m",
	context: "",
	note: "\x1B[33m"
};
const COLOUR_OFF$1 = "\x1B[m";
/** The patch, exactly: what is no UTF-8 stays what it is. Ending the iteration early is fine. */
async function* patchBytes(review, options = {}) {
	for await (const lines of patchLines(review, options)) yield Buffer.from(lines.map(({ text }) => `${text}\n`).join(""), "latin1");
}
/** The patch for the eyes of a person at a terminal. Nothing in it that a terminal obeys, but the colours asked for. */
async function* patchText(review, options = {}) {
	for await (const lines of patchLines(review, options)) yield lines.map((line) => `${options.colour === true ? coloured(line) : require_manifest.escapeBytesForTerminal(line.text)}\n`).join("");
}
function coloured({ kind, text }) {
	const on = COLOURS[kind];
	return on === "" ? require_manifest.escapeBytesForTerminal(text) : `${on}${require_manifest.escapeBytesForTerminal(text)}${COLOUR_OFF$1}`;
}
async function* patchLines(review, { signal }) {
	if (review.changes.length === 0) return;
	using open = new OpenDiff(review, signal);
	const entries = await open.entries();
	const filled = filledDirectories(entries);
	for (const entry of entries) {
		if (open.pace.isDue) await open.pace.rest();
		const lines = [...notesOf(entry, filled), ...sectionsOf(entry, open)];
		if (lines.length > 0) yield lines;
	}
}
/** Directories that git makes or removes by itself, for what is in them. */
function filledDirectories(entries) {
	const filled = /* @__PURE__ */ new Set();
	const fill = (path) => {
		for (const directory of require_manifest.ancestorsOf(path)) {
			if (filled.has(directory)) return;
			filled.add(directory);
		}
	};
	for (const { path, from, before, after } of entries) {
		if (hasContent(before) || hasContent(after)) fill(path);
		if (from !== void 0) fill(from);
	}
	return filled;
}
function hasContent(state) {
	return state?.kind === "file" || state?.kind === "symlink";
}
function notesOf(entry, filled) {
	const { path, before, after, change } = entry;
	const name = quoteForGit(path) || ".";
	const notes = [];
	if (change.attention !== void 0) notes.push(`attention: ${name}: ${change.attention}`);
	if (entry.deletion?.attention !== void 0) notes.push(`attention: ${quoteForGit(entry.deletion.path)}: ${entry.deletion.attention}`);
	if (change.status.kind === "conflict") notes.push(`conflict: ${name}: ${escapeLine(change.status.reason)}`);
	if (change.refusal !== void 0) notes.push(`cannot be applied: ${name}: ${change.refusal.detail}`);
	if (before?.kind === "directory" && after?.kind !== "directory" && !filled.has(path)) notes.push(`empty directory removed: ${name}`);
	if (after?.kind === "directory" && before?.kind !== "directory" && !filled.has(path)) notes.push(`empty directory added: ${name}`);
	const modes = modeNote(before, after);
	if (modes !== void 0) notes.push(`mode of ${name}: ${modes}`);
	return notes.map((text) => ({
		kind: "note",
		text: `# ${text}`
	}));
}
/** Git knows of a mode only whether the owner may execute. */
function modeNote(before, after) {
	if (before === void 0 || after === void 0 || before.kind !== after.kind) return void 0;
	if (before.kind === "symlink" || after.kind === "symlink" || before.mode === after.mode) return void 0;
	if (before.kind === "file" && gitMode(before) !== gitMode(after)) return void 0;
	return `${octal(before.mode)} -> ${octal(after.mode)}`;
}
function sectionsOf(entry, open) {
	const { path, from, before, after } = entry;
	const left = hasContent(before) ? before : void 0;
	const right = hasContent(after) ? after : void 0;
	if (left === void 0 && right === void 0) return [];
	const differ = (one, other) => open.differ.diff(from ?? path, one, path, other);
	if (left !== void 0 && right !== void 0 && left.kind !== right.kind) return [...section(path, void 0, left, void 0, differ(left, void 0)), ...section(path, void 0, void 0, right, differ(void 0, right))];
	const content = differ(left, right);
	if (content.kind === "same" && from === void 0 && left !== void 0 && right !== void 0 && gitMode(left) === gitMode(right)) return [];
	return section(path, from, left, right, content);
}
function section(path, from, before, after, content) {
	const oldName = quoteForGit(from ?? path, "a/");
	const newName = quoteForGit(path, "b/");
	const header = (text) => ({
		kind: "header",
		text
	});
	const lines = [...notShown(content), header(`diff --git ${oldName} ${newName}`)];
	if (before === void 0) lines.push(header(`new file mode ${gitMode(after)}`));
	else if (after === void 0) lines.push(header(`deleted file mode ${gitMode(before)}`));
	else if (gitMode(before) !== gitMode(after)) lines.push(header(`old mode ${gitMode(before)}`), header(`new mode ${gitMode(after)}`));
	if (from !== void 0) lines.push(header("similarity index 100%"), header(`rename from ${quoteForGit(from)}`), header(`rename to ${quoteForGit(path)}`));
	const names = [before === void 0 ? "/dev/null" : oldName, after === void 0 ? "/dev/null" : newName];
	return [...lines, ...contentLines(names, content)];
}
function contentLines([oldName, newName], content) {
	switch (content.kind) {
		case "same": return [];
		case "text": return [
			{
				kind: "header",
				text: `--- ${ended(oldName)}`
			},
			{
				kind: "header",
				text: `+++ ${ended(newName)}`
			},
			...content.hunks.flatMap((hunk) => [{
				kind: "hunk",
				text: hunkHeader(hunk)
			}, ...hunk.lines.map(bodyLine)])
		];
		case "binary":
		case "large":
		case "slow":
		case "unreadable": return [{
			kind: "header",
			text: `Binary files ${oldName} and ${newName} differ`
		}];
		default: return content;
	}
}
const NOT_SHOWN = {
	large: "too large",
	slow: "too different",
	unreadable: "not readable"
};
/** Before the header: git looks for what it knows right after it. */
function notShown(content) {
	if (content.kind === "same" || content.kind === "text" || content.kind === "binary") return [];
	return [{
		kind: "note",
		text: `# not shown (${NOT_SHOWN[content.kind]}): ${content.beforeBytes} -> ${content.afterBytes} bytes`
	}];
}
/** A name with a space is followed by a tab, so that a time stamp is not looked for in it. */
function ended(name) {
	return name.includes(" ") ? `${name}\t` : name;
}
function bodyLine(text) {
	return {
		kind: text.startsWith("+") ? "added" : text.startsWith("-") ? "removed" : "context",
		text
	};
}
function gitMode(state) {
	if (state?.kind === "symlink") return "120000";
	return state?.kind === "file" && (state.mode & 64) !== 0 ? "100755" : "100644";
}
function octal(mode) {
	return mode.toString(8).padStart(4, "0");
}
function escapeLine(text) {
	return Buffer.from(text, "utf8").toString("latin1");
}

// ../sandbox/src/layer/diff-stat.ts
const GREEN = "\x1B[32m";
const RED = "\x1B[31m";
const YELLOW = "\x1B[33m";
const COLOUR_OFF = "\x1B[m";
const COLUMNS_MIN = 40;
/** One line for each change, then the sum. Empty when nothing changed. */
function formatStat(summary, { columns = 80, colour = false } = {}) {
	const shown = summary.changes.filter((change) => !isImplied(change, summary.changes));
	if (shown.length === 0) return "";
	const width = Math.max(columns, COLUMNS_MIN);
	const names = shown.map(nameOf$1);
	const nameWidth = Math.min(Math.max(...names.map((name) => [...name].length)), Math.floor(width / 2));
	const linesMax = Math.max(0, ...shown.map(linesOf));
	const countWidth = Math.max(String(linesMax).length, 3);
	const graphWidth = Math.max(6, width - nameWidth - countWidth - 5);
	return `${[...shown.map((change, index) => {
		const detail = detailOf(change, {
			linesMax,
			countWidth,
			graphWidth,
			colour
		});
		return ` ${fit(names[index] ?? "", nameWidth)} | ${detail}${remarkOf(change, colour)}`.trimEnd();
	}), totals(shown.length, summary)].join("\n")}\n`;
}
/** A directory that came or went with what is in it. */
function isImplied({ path, before, after }, all) {
	return (before ?? after)?.kind === "directory" && (before === void 0 || after === void 0) && all.some((other) => other.path.startsWith(`${path}/`));
}
function nameOf$1({ path, from, after, before }) {
	const name = `${path}${(after ?? before)?.kind === "directory" ? "/" : ""}`;
	return oneLine(from === void 0 ? name : `${from} => ${name}`);
}
function oneLine(text) {
	return require_manifest.escapeForTerminal(text).replaceAll("\n", "^J").replaceAll("	", "^I");
}
/** Too long a name loses its beginning, as with git. */
function fit(name, width) {
	const characters = [...name];
	if (characters.length <= width) return name.padEnd(width + name.length - characters.length);
	return `...${characters.slice(characters.length - width + 3).join("")}`;
}
function linesOf({ content }) {
	return content?.kind === "text" ? content.insertions + content.deletions : 0;
}
function detailOf(change, { linesMax, countWidth, graphWidth, colour }) {
	const { content } = change;
	if (content !== void 0 && content.kind !== "text") return `${content.kind === "binary" ? "Bin" : content.kind} ${content.beforeBytes} -> ${content.afterBytes} bytes`;
	const count = String(linesOf(change)).padStart(countWidth);
	if (content === void 0) return `${count}${modesOf(change)}`;
	const graph = scaled(content, linesMax, graphWidth);
	const plus = "+".repeat(graph.insertions);
	const minus = "-".repeat(graph.deletions);
	return colour ? `${count} ${paint(GREEN, plus)}${paint(RED, minus)}` : `${count} ${plus}${minus}`;
}
/** Shrinks the longest line of marks to the width. What is there keeps at least one mark. */
function scaled({ insertions, deletions }, linesMax, width) {
	if (linesMax <= width) return {
		insertions,
		deletions
	};
	const total = Math.max(Number(insertions > 0) + Number(deletions > 0), Math.round((insertions + deletions) * width / linesMax));
	const share = Math.round(total * insertions / (insertions + deletions));
	const plus = Math.min(Math.max(share, Number(insertions > 0)), total - Number(deletions > 0));
	return {
		insertions: plus,
		deletions: total - plus
	};
}
function modesOf({ before, after }) {
	if (before?.mode === void 0 || after?.mode === void 0 || before.mode === after.mode) return "";
	return ` (mode ${before.mode} -> ${after.mode})`;
}
/** What a person must not overlook. */
function remarkOf({ attention, conflict, refused }, colour) {
	const remarks = [
		...conflict === void 0 ? [] : [`conflict: ${conflict}`],
		...refused === void 0 ? [] : [`cannot be applied: ${refused.detail}`],
		...attention === void 0 ? [] : [`attention: ${attention}`]
	];
	if (remarks.length === 0) return "";
	const text = ` (${oneLine(remarks.join("; "))})`;
	return colour ? paint(YELLOW, text) : text;
}
function totals(changed, { insertions, deletions }) {
	return [
		` ${changed} path${changed === 1 ? "" : "s"} changed`,
		...insertions > 0 ? [`${insertions} insertion${insertions === 1 ? "" : "s"}(+)`] : [],
		...deletions > 0 ? [`${deletions} deletion${deletions === 1 ? "" : "s"}(-)`] : []
	].join(", ");
}
function paint(colour, text) {
	return text === "" ? "" : `${colour}${text}${COLOUR_OFF}`;
}

// ../sandbox/src/layer/diff-summary.ts
/** The changes of a run as data, for `--json`, and as the table of `--stat`. */
async function summarizeDiff(review, { signal } = {}) {
	const { id, directory } = review.run;
	if (review.changes.length === 0) return {
		run: id,
		directory,
		changes: [],
		insertions: 0,
		deletions: 0
	};
	using open = new OpenDiff(review, signal);
	const changes = [];
	let insertions = 0;
	let deletions = 0;
	for (const entry of await open.entries()) {
		if (open.pace.isDue) await open.pace.rest();
		const content = open.differ.diff(entry.from ?? entry.path, entry.before, entry.path, entry.after);
		if (content.kind === "text") {
			insertions += content.insertions;
			deletions += content.deletions;
		}
		changes.push(summarize(entry, content));
	}
	return {
		run: id,
		directory,
		changes,
		insertions,
		deletions
	};
}
function summarize(entry, content) {
	const { path, from, before, after, change, deletion } = entry;
	const attention = change.attention ?? deletion?.attention;
	const summary = contentSummary(content);
	return {
		...pathSummary(path),
		kind: kindOf(entry, content),
		...from === void 0 ? {} : fromSummary(from),
		...before === void 0 ? {} : { before: stateSummary(before) },
		...after === void 0 ? {} : { after: stateSummary(after) },
		...summary === void 0 ? {} : { content: summary },
		...attention === void 0 ? {} : { attention },
		...change.status.kind === "conflict" ? { conflict: change.status.reason } : {},
		...change.refusal === void 0 ? {} : { refused: {
			reason: change.refusal.reason,
			detail: change.refusal.detail
		} }
	};
}
function kindOf({ from, before, after }, content) {
	if (from !== void 0) return "renamed";
	if (before === void 0) return "added";
	if (after === void 0) return "deleted";
	if (before.kind !== after.kind) return "type_changed";
	return content.kind === "same" && before.kind !== "symlink" ? "mode_changed" : "modified";
}
function contentSummary(content) {
	if (content.kind === "same") return void 0;
	if (content.kind === "text") return {
		kind: "text",
		insertions: content.insertions,
		deletions: content.deletions
	};
	return content;
}
function stateSummary(state) {
	if (state.kind === "symlink") return {
		kind: "symlink",
		target: require_manifest.pathToText(state.target)
	};
	const mode = state.mode.toString(8).padStart(4, "0");
	return state.kind === "file" ? {
		kind: "file",
		mode,
		size: state.size
	} : {
		kind: state.kind,
		mode
	};
}
function pathSummary(path) {
	const base64 = base64IfNeeded(path);
	return {
		path: path === "" ? "." : require_manifest.pathToText(path),
		...base64 === void 0 ? {} : { pathBase64: base64 }
	};
}
function fromSummary(path) {
	const base64 = base64IfNeeded(path);
	return {
		from: require_manifest.pathToText(path),
		...base64 === void 0 ? {} : { fromBase64: base64 }
	};
}
function base64IfNeeded(path) {
	const bytes = require_manifest.pathToBytes(path);
	return (0, node_buffer.isUtf8)(bytes) ? void 0 : bytes.toString("base64");
}

// ../sandbox/src/layer/review.ts
/** What there is to look at before an apply: every change of a run that the host does not have yet, and how it stands with each. */
/**
* Reads the changes of a run, and seals its layer if that was not done. Takes no lock that outlasts the call, so that a diff left open in a
* pager stops nobody. Throws `busy` while the run goes on, `not_found`, `internal`.
*/
async function reviewRun(store, idOrPrefix, options) {
	const { run, paths, manifest } = await sealed(store, idOrPrefix, options);
	if (manifest.changes.length === 0) return {
		run,
		paths,
		changes: []
	};
	const pace = new require_manifest.Pace(options.signal);
	const selection = require_choose_run.selectChanges(manifest.changes, options.paths);
	try {
		using upper = require_manifest.Tree.open(paths.upper, { isOurs: true });
		using lower = require_choose_run.openLower(run);
		using journal = require_choose_run.Journal.open(paths.journal);
		const check = new require_choose_run.HostCheck({
			manifest,
			upper,
			lower,
			steps: run.layer.isUndoable ? journal.steps : [],
			pace
		});
		const changes = [];
		for (const change of manifest.changes) {
			if (!selection.has(change.path)) continue;
			const status = await check.check(change);
			if (status.kind === "applied") continue;
			changes.push({
				...change,
				status,
				attention: require_choose_run.attentionOf(change.path, change.after),
				refusal: require_choose_run.refusalOf(change, run.id)
			});
		}
		return {
			run,
			paths,
			changes
		};
	} catch (error) {
		throw require_manifest.fileFault(error, `Cannot read the changes of run ${run.id}`);
	}
}
async function sealed(store, idOrPrefix, options) {
	const run = store.getRun(idOrPrefix);
	const paths = require_run_paths.runPaths(store.pathOf(run.id));
	require_manifest.refuseDropped(run);
	store.refuseBusy(run.id);
	const manifest = run.layer.changes === void 0 ? void 0 : require_manifest.readManifest(paths.manifest);
	if (manifest !== void 0) return {
		run,
		paths,
		manifest
	};
	using held = store.holdRun(run.id);
	const made = await require_manifest.sealLayer(held, options);
	return {
		run: held.record,
		paths,
		manifest: made
	};
}

// src/commands/diff.ts
/** `warren diff`: what a run changed and the host does not have. */
async function diff(word, paths, flags, host, { store, probe }) {
	const chosen = require_choose_run.chooseRun(store, host, {
		run: word,
		paths,
		isCandidate: require_choose_run.hasChanges,
		sought: "that changed something"
	});
	const review = await reviewRun(store, chosen.run.id, {
		probe,
		...chosen.paths !== void 0 && { paths: chosen.paths }
	});
	const colour = require_color.isColored(host, host.stdout, flags.color);
	if (flags.json === true) await host.stdout.write(`${require_safe_text.safeJson(await summarizeDiff(review), 2)}\n`);
	else if (review.changes.length === 0) await host.stderr.write(`warren: run ${review.run.id} has no changes that are not here\n`);
	else if (flags.nameOnly === true) for (const name of namesOf(review)) await host.stdout.write(`${require_safe_text.safeText(name)}\n`);
	else if (flags.stat === true) {
		const columns = host.stdout.size?.columns;
		await host.stdout.write(formatStat(await summarizeDiff(review), {
			colour,
			...columns !== void 0 && { columns }
		}));
	} else {
		const parts = colour || host.stdout.isTerminal ? patchText(review, { colour }) : patchBytes(review);
		for await (const part of parts) await host.stdout.write(part);
	}
	return 0;
}
/** Without directories that only hold other names. */
function namesOf({ changes }) {
	const holders = /* @__PURE__ */ new Set();
	for (const { path } of changes) for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) holders.add(path.slice(0, at));
	return changes.filter(({ path, after, before }) => !((after ?? before)?.kind === "directory" && holders.has(path))).map(({ path }) => nameOf(path));
}
/** The library's paths have one character for each byte. */
function nameOf(path) {
	return path === "" ? "." : Buffer.from(path, "latin1").toString();
}

exports.diff = diff;
exports.nameOf = nameOf;
exports.reviewRun = reviewRun;