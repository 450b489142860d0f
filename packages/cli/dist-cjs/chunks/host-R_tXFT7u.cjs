// src/internal/host.ts
/** Whoever read our output has gone, as `head` does. Not an error of ours. */
var OutputClosed = class extends Error {
	name = "OutputClosed";
};

Object.defineProperty(exports, "OutputClosed", {
  enumerable: true,
  get: function () {
    return OutputClosed;
  }
});