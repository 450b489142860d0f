const require_open_sandboxes = require("./open-sandboxes-DQDgEUGV.cjs");

// src/parts/sandboxes.ts
/** What `run` is built on. Apart from review.ts, so that a run without a directory does not load how to review one. */
async function openRunSandboxes() {
	return await require_open_sandboxes.openSandboxes();
}

exports.openRunSandboxes = openRunSandboxes;