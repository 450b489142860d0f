// src/internal/color.ts
const CODES = {
	red: 31,
	green: 32,
	yellow: 33,
	cyan: 36,
	bold: 1,
	dim: 2
};
function painter(host, output, when = "auto") {
	return isColored(host, output, when) ? (color, text) => `\u001b[${CODES[color]}m${text}\u001b[0m` : (_, text) => text;
}
function isColored({ env }, output, when) {
	if (when !== "auto") return when === "always";
	const forced = env["FORCE_COLOR"];
	if (forced !== void 0) return forced !== "0" && forced !== "false";
	if (env["NO_COLOR"] !== void 0 && env["NO_COLOR"] !== "") return false;
	return output.isTerminal && env["TERM"] !== "dumb";
}

Object.defineProperty(exports, "isColored", {
  enumerable: true,
  get: function () {
    return isColored;
  }
});
Object.defineProperty(exports, "painter", {
  enumerable: true,
  get: function () {
    return painter;
  }
});