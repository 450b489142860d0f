// ../protocol/src/fault.ts
/** A failure the caller can act on. The message names the action and both states, in the present tense, without a final period. */
var Fault = class extends Error {
	name = "Fault";
	code;
	details;
	constructor(code, message, options = {}) {
		super(message, "cause" in options ? { cause: options.cause } : void 0);
		this.code = code;
		this.details = options.details;
	}
};
/** Whether something caught is a fault, of this code when one is given. */
function isFault(error, code) {
	return error instanceof Fault && (code === void 0 || error.code === code);
}

Object.defineProperty(exports, "Fault", {
  enumerable: true,
  get: function () {
    return Fault;
  }
});
Object.defineProperty(exports, "isFault", {
  enumerable: true,
  get: function () {
    return isFault;
  }
});