const require_safe_text = require("./safe-text-CwOsOwwa.cjs");

// src/internal/shell-words.ts
/** Words as a shell would read them back, safe to show. */
function shellWords(words) {
	return words.map(shellWord).join(" ");
}
function shellWord(word) {
	const safe = require_safe_text.safeText(word);
	return /^[\w@%+=:,./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`;
}

Object.defineProperty(exports, "shellWord", {
  enumerable: true,
  get: function () {
    return shellWord;
  }
});
Object.defineProperty(exports, "shellWords", {
  enumerable: true,
  get: function () {
    return shellWords;
  }
});