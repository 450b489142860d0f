// src/internal/count.ts
/** `1 change`, `3 changes`. */
function count(number, noun) {
	return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

Object.defineProperty(exports, "count", {
  enumerable: true,
  get: function () {
    return count;
  }
});