// src/internal/safe-text.ts
/**
* Makes text from a hostile source harmless on a terminal. A file name, a recorded command line or an error message may hold escape
* sequences that retitle, recolour, hide or type; and direction marks that make a line read as another (CVE-2021-42574). They are shown,
* not sent.
*/
/** C0, DEL and C1 controls, direction marks and overrides, line and paragraph separators, invisible marks, the invisible tag block, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/** The same without tab and newline, for text of many lines. */
const UNSAFE_IN_LINES = /(?![\t\n])[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
/** For one line: a name, a message, a command. */
function safeText(text) {
	return text.replace(UNSAFE, show);
}
/** JSON that is harmless on a terminal and means the same: `JSON.stringify` leaves C1 controls and direction marks as they are. */
function safeJson(value, indent) {
	return JSON.stringify(value, void 0, indent).replace(UNSAFE_IN_LINES, (character) => Array.from({ length: character.length }, (_, index) => `\\u${hex(character.charCodeAt(index), 4)}`).join(""));
}
/** As the library shows the lines of a diff: `^[`, `\x9b`, `\u202e`. */
function show(character) {
	if (character === "\n") return "\\n";
	if (character === "\r") return "\\r";
	if (character === "	") return "\\t";
	const code = character.codePointAt(0) ?? 0;
	if (code < 32) return `^${String.fromCharCode(code + 64)}`;
	if (code === 127) return "^?";
	if (code < 256) return `\\x${hex(code, 2)}`;
	return code > 65535 ? `\\u{${code.toString(16)}}` : `\\u${hex(code, 4)}`;
}
function hex(code, digits) {
	return code.toString(16).padStart(digits, "0");
}

Object.defineProperty(exports, "safeJson", {
  enumerable: true,
  get: function () {
    return safeJson;
  }
});
Object.defineProperty(exports, "safeText", {
  enumerable: true,
  get: function () {
    return safeText;
  }
});