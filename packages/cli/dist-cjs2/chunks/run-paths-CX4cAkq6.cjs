let node_path = require("node:path");

// ../sandbox/src/layer/run-paths.ts
function runPaths(run) {
	const layer = (0, node_path.join)(run, "layer");
	return {
		run,
		record: (0, node_path.join)(run, "run.json"),
		layer,
		upper: (0, node_path.join)(layer, "upper"),
		work: (0, node_path.join)(layer, "work"),
		manifest: (0, node_path.join)(run, "manifest.jsonl"),
		journal: (0, node_path.join)(run, "journal")
	};
}

Object.defineProperty(exports, "runPaths", {
  enumerable: true,
  get: function () {
    return runPaths;
  }
});