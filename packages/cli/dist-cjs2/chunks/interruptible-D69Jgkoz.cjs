const require_fault = require("./fault-CoQDgz3e.cjs");
const require_cli = require("./cli-CFb5OOgt.cjs");

// src/internal/interruptible.ts
/**
* Does some work that ends early, but in order, when we are told to end; told twice, we leave at once (the work must survive that too).
* Returns what `work` returns, or the exit code of the signal.
*/
async function interruptible(host, work) {
	const controller = new AbortController();
	let received;
	using _signals = host.onSignal([
		"SIGINT",
		"SIGTERM",
		"SIGHUP"
	], (signal) => {
		if (received !== void 0) host.exit(require_cli.exitCodeOfSignal(signal));
		received = signal;
		controller.abort(new require_fault.Fault("aborted", `Cannot go on: ${signal}`));
	});
	try {
		return await work(controller.signal);
	} catch (error) {
		if (received === void 0) throw error;
		await host.stderr.write(`warren: interrupted: ${error instanceof Error ? error.message : String(error)}\n`).catch(() => {});
		return require_cli.exitCodeOfSignal(received);
	}
}

Object.defineProperty(exports, "interruptible", {
  enumerable: true,
  get: function () {
    return interruptible;
  }
});