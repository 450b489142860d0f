const require_fault = require("./fault-CoQDgz3e.cjs");
const require_host = require("./host-R_tXFT7u.cjs");
let node_fs = require("node:fs");
let node_tty = require("node:tty");

// src/internal/process-host.ts
/** The `Host` of the real process. Its streams are opened when first used: opening one costs a start some of its milliseconds. */
var ProcessHost = class {
	env = process.env;
	stdin = new ProcessInput();
	stdout = new ProcessOutput(1, () => process.stdout);
	stderr = new ProcessOutput(2, () => process.stderr);
	cwd() {
		try {
			return process.cwd();
		} catch (cause) {
			throw new require_fault.Fault("not_found", "Cannot use the current directory: it does not exist any more", { cause });
		}
	}
	now() {
		return Date.now();
	}
	onSignal(signals, listener) {
		const listening = signals.map((signal) => ({
			signal,
			call: () => listener(signal)
		}));
		for (const { signal, call } of listening) process.on(signal, call);
		return { [Symbol.dispose]: () => {
			for (const { signal, call } of listening) process.off(signal, call);
		} };
	}
	stop() {
		process.kill(process.pid, "SIGSTOP");
	}
	exit(code) {
		process.exit(code);
	}
};
var ProcessInput = class {
	get isTerminal() {
		return (0, node_tty.isatty)(0);
	}
	get isReadable() {
		return this.isTerminal ? isForeground() : !isNullDevice(0);
	}
	async *read() {
		try {
			yield* process.stdin;
		} catch (error) {
			if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
		}
	}
	close() {
		process.stdin.destroy();
	}
	raw() {
		process.stdin.setRawMode(true);
		return { [Symbol.dispose]: () => {
			if (process.stdin.destroyed) return;
			process.stdin.setRawMode(false);
		} };
	}
};
var ProcessOutput = class {
	#descriptor;
	#open;
	#opened;
	#failure;
	constructor(descriptor, open) {
		this.#descriptor = descriptor;
		this.#open = open;
	}
	get isTerminal() {
		return (0, node_tty.isatty)(this.#descriptor);
	}
	get size() {
		if (!this.isTerminal) return void 0;
		const { rows, columns } = this.#stream();
		return rows > 0 && columns > 0 ? {
			rows,
			columns
		} : void 0;
	}
	onResize(listener) {
		const stream = this.#stream();
		stream.on("resize", listener);
		return { [Symbol.dispose]: () => void stream.off("resize", listener) };
	}
	write(content) {
		return new Promise((resolve, reject) => {
			if (this.#stream().write(content, (error) => {
				if (error) reject(this.#failure ?? explain(error));
				else resolve();
			}) && this.#failure === void 0) resolve();
		});
	}
	flush() {
		if (this.#opened === void 0) return Promise.resolve();
		const stream = this.#opened;
		return new Promise((resolve, reject) => {
			stream.write("", (error) => error ? reject(this.#failure ?? explain(error)) : resolve());
		});
	}
	#stream() {
		if (this.#opened === void 0) {
			this.#opened = this.#open();
			this.#opened.on("error", (error) => {
				this.#failure ??= explain(error);
			});
		}
		return this.#opened;
	}
};
/** EIO is what a terminal that has gone away says. */
function explain(error) {
	return [
		"EPIPE",
		"EIO",
		"ECONNRESET",
		"ERR_STREAM_DESTROYED",
		"ERR_STREAM_WRITE_AFTER_END"
	].includes(error.code ?? "") ? new require_host.OutputClosed(error.message, { cause: error }) : error;
}
function isNullDevice(descriptor) {
	try {
		const { rdev, mode } = (0, node_fs.fstatSync)(descriptor);
		return (mode & 61440) === 8192 && rdev === 259;
	} catch {
		return false;
	}
}
/**
* Whether we are in the foreground of our terminal. A background job that reads is stopped (SIGTTIN): fair when the command wanted to read,
* but we would read ahead for a command that does not. So a background job gets an empty input.
*/
function isForeground() {
	try {
		const stat = (0, node_fs.readFileSync)("/proc/self/stat", "latin1");
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		return fields[5] === "-1" || fields[2] === fields[5];
	} catch {
		return true;
	}
}

exports.ProcessHost = ProcessHost;