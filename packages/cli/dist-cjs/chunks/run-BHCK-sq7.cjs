const require_count = require("./count-BeHP6xrD.cjs");
const require_cli = require("./cli-CFb5OOgt.cjs");
const require_host = require("./host-R_tXFT7u.cjs");
const require_safe_text = require("./safe-text-CwOsOwwa.cjs");
const require_fault = require("./fault-CoQDgz3e.cjs");
const require_profiles = require("./profiles-C9F3bXKV.cjs");
let node_path = require("node:path");
let node_fs = require("node:fs");

// src/internal/newlines.ts
/**
* Keeps line ends what they are on their way through two terminals. The command's own terminal has made `\r\n` of its newlines already, or a
* full-screen program has told it not to. Ours makes `\r\n` of every `\n` still: Node's raw mode leaves that on, and offers no other. So
* `\r\n` is sent as `\n`, and a lone `\n`, which means one line down in the same column, as a vertical tab, which terminals take for just that.
*/
const CR = 13;
const LF = 10;
const VT = 11;
var NewlineKeeper = class {
	/** The last byte of the chunk before. */
	#last = 0;
	translate(chunk) {
		if (chunk.length === 0) return chunk;
		const before = this.#last;
		this.#last = chunk.at(-1) ?? 0;
		if (!chunk.includes(LF)) return chunk;
		const kept = new Uint8Array(chunk.length);
		let length = 0;
		for (const [index, byte] of chunk.entries()) {
			const previous = index === 0 ? before : chunk[index - 1];
			if (byte !== LF) kept[length++] = byte;
			else if (previous !== CR) kept[length++] = VT;
			else kept[index === 0 ? length++ : length - 1] = LF;
		}
		return kept.subarray(0, length);
	}
};

// src/internal/signal-relay.ts
/** How fast a second Ctrl-C must follow, and how long a command may take to obey a SIGTERM. */
const GRACE_MS = 2e3;
const RELAYED_SIGNALS = [
	"SIGINT",
	"SIGQUIT",
	"SIGTERM",
	"SIGHUP",
	"SIGUSR1",
	"SIGUSR2"
];
var SignalRelay = class {
	#options;
	#target;
	#interruptedAtMs = Number.NEGATIVE_INFINITY;
	#grace;
	#killedBy;
	constructor(options) {
		this.#options = options;
	}
	/** The signal because of which the command was killed, or was not started. */
	get killedBy() {
		return this.#killedBy;
	}
	/** From now on there is a command to pass signals to. */
	attach(target) {
		this.#target = target;
	}
	receive(signal) {
		const isAsking = signal === "SIGUSR1" || signal === "SIGUSR2";
		if (this.#killedBy !== void 0) {
			if (!isAsking) this.#options.onInsist(this.#killedBy);
			return;
		}
		if (this.#target === void 0) {
			if (!isAsking) this.#kill(signal);
			return;
		}
		const isRepeated = this.#grace !== void 0 || this.#options.now() - this.#interruptedAtMs <= 2e3;
		if (!isAsking && isRepeated) {
			this.#kill(signal);
			return;
		}
		this.#target.kill(signal, "group");
		if (signal === "SIGINT" || signal === "SIGQUIT") this.#interruptedAtMs = this.#options.now();
		if (signal === "SIGTERM" || signal === "SIGHUP") this.#grace = setTimeout(() => this.#kill(signal), GRACE_MS);
	}
	[Symbol.dispose]() {
		clearTimeout(this.#grace);
		this.#target = void 0;
	}
	#kill(because) {
		this.#killedBy = because;
		this.#target?.kill("SIGKILL", "tree");
		this.#options.onKill(because);
	}
};

// src/commands/run-request.ts
/** From flags to what is asked of the sandbox: everything that can be refused before anything starts. */
/** What a `--json` run collects unless told otherwise: as much as the library's own `run`. */
const COLLECTED_BYTES_MAX = 16 * 2 ** 20;
/** The sandbox outlives its command by this much, so that it is the command's deadline that speaks. */
const TEARDOWN_MS = 1e4;
const ARGUMENTS_MAX = 32768;
function resolveRun(argv, flags, host) {
	checkCommand(argv);
	checkNetwork(flags);
	checkCombination(flags);
	const profile = flags.profile ?? "moderate";
	return {
		argv,
		profile,
		limits: limitsOf(flags),
		mounts: (flags.mount ?? []).map((mount) => ({
			...mount,
			source: existing((0, node_path.resolve)(host.cwd(), mount.source), "--mount")
		})),
		workspace: workspaceOf(flags, profile, host),
		env: environmentOf(flags, host),
		workdir: workdirOf(flags),
		timeoutMs: flags.timeout === "none" ? void 0 : flags.timeout,
		outputBytesMax: flags.outputLimit ?? (flags.json === true ? COLLECTED_BYTES_MAX : void 0)
	};
}
function checkCommand(argv) {
	if (argv[0] === void 0 || argv[0] === "") throw refusal("Cannot run a command without a name", { argument: 0 });
	if (argv.length > ARGUMENTS_MAX) throw new require_fault.Fault("too_large", `Cannot run a command of ${argv.length} words: the limit is ${ARGUMENTS_MAX}`, { details: { argumentsMax: ARGUMENTS_MAX } });
	const at = argv.findIndex((argument) => argument.includes("\0"));
	if (at >= 0) throw refusal(`Cannot run "${argv[0]}": its argument ${at} holds a NUL character`, { argument: at });
}
function checkNetwork(flags) {
	const asked = flags.allow?.[0] ?? (typeof flags.network === "string" && !["loopback", "none"].includes(flags.network) ? flags.network : void 0);
	if (asked !== void 0) {
		const option = flags.allow === void 0 ? "--network" : "--allow";
		throw new require_fault.Fault("unsupported", `Cannot give the sandbox the network "${asked}": only loopback exists now`, { details: {
			option,
			fix: `leave out ${option}`
		} });
	}
}
function checkCombination(flags) {
	const needDirectory = {
		"--rw": flags.rw === true,
		"--keep": flags.keep === true,
		"--disk": typeof flags.disk === "number"
	};
	for (const [option, isGiven] of Object.entries(needDirectory)) {
		if (isGiven && flags.dir === void 0) throw refusal(`Cannot use ${option} without --dir: there is no directory to work on`, { option });
		if (isGiven && flags.rw === true && option !== "--rw") throw refusal(`Cannot use ${option} with --rw: changes are not kept aside`, { option });
	}
	if (flags.tty === true && flags.json === true) throw refusal("Cannot use --json with --tty: the terminal is not collected", { option: "--json" });
}
function limitsOf(flags) {
	const given = {
		memoryBytes: flags.memory,
		cpus: flags.cpus,
		pids: flags.pids,
		fileBytes: flags.fileSize,
		openFiles: flags.openFiles,
		diskBytes: flags.disk,
		wallMs: typeof flags.timeout === "number" ? flags.timeout + TEARDOWN_MS : flags.timeout
	};
	const set = Object.entries(given).filter(([, value]) => value !== void 0);
	return Object.fromEntries(set.map(([name, value]) => [name, value === "none" ? null : value]));
}
function workspaceOf(flags, profile, host) {
	if (flags.dir === void 0) return require_profiles.PROFILES[profile].mountsWorkingDirectory ? {
		kind: "overlay",
		directory: host.cwd()
	} : { kind: "none" };
	const directory = existing((0, node_path.resolve)(host.cwd(), flags.dir), "--dir");
	if (!(0, node_fs.statSync)(directory).isDirectory()) throw refusal(`Cannot use "${flags.dir}" for --dir: it is not a directory`, {
		option: "--dir",
		path: directory
	});
	return {
		kind: flags.rw === true ? "writable" : "overlay",
		directory
	};
}
/** The real path, so that a run is found again from wherever its directory was entered. */
function existing(path, option) {
	try {
		return (0, node_fs.realpathSync)(path);
	} catch (cause) {
		const { code } = cause;
		const why = code === "ENOENT" ? "it does not exist" : `${code}`;
		throw new require_fault.Fault(code === "EACCES" ? "permission_denied" : "not_found", `Cannot use "${path}" for ${option}: ${why}`, {
			details: {
				option,
				path
			},
			cause
		});
	}
}
function environmentOf(flags, host) {
	const env = {};
	const terminal = host.env["TERM"];
	if (flags.tty === true) env["TERM"] = terminal === void 0 || terminal === "" ? "xterm" : terminal;
	for (const entry of flags.env ?? []) {
		const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(entry) ?? [];
		if (name === "") throw refusal(`Cannot use "${entry}" for --env: it is NAME=VALUE or NAME`, { option: "--env" });
		const given = value ?? host.env[name];
		if (given === void 0) throw refusal(`Cannot pass the variable "${name}": it is not set here`, {
			option: "--env",
			name,
			fix: `--env ${name}=…`
		});
		env[name] = given;
	}
	return env;
}
function workdirOf(flags) {
	if (flags.workdir === "") throw refusal("Cannot use \"\" for --workdir: it is a path in the sandbox", { option: "--workdir" });
	if (flags.workdir === void 0 || flags.workdir.startsWith("/")) return flags.workdir;
	if (flags.dir === void 0) throw refusal(`Cannot use "${flags.workdir}" for --workdir: without --dir it must be an absolute path`, { option: "--workdir" });
	return (0, node_path.resolve)("/workspace", flags.workdir);
}
function refusal(message, details) {
	return new require_fault.Fault("invalid_argument", message, { details });
}

// src/commands/run.ts
/** How long a killed command may take to go, and a stopped one to have its last output read. */
const LAST_WORDS_MS = 1e3;
/** How long a command whose reader has gone may take to notice, before it is killed. */
const BROKEN_PIPE_GRACE_MS = 500;
const DEFAULT_TERMINAL_SIZE = {
	rows: 24,
	columns: 80
};
/** Returns the exit code. Throws faults of ours; what the command does is never thrown. */
async function run(argv, flags, host, parts) {
	const request = resolveRun(argv, flags, host);
	const ending = new AbortController();
	using relay = new SignalRelay({
		now: () => host.now(),
		onKill: () => ending.abort(),
		onInsist: (because) => host.exit(require_cli.exitCodeOfSignal(because))
	});
	using _signals = host.onSignal(RELAYED_SIGNALS, (signal) => relay.receive(signal));
	const record = await openRecord(request, parts);
	let ended;
	try {
		ended = await inSandbox(request, flags, record, relay, ending.signal, host, parts);
	} catch (error) {
		const closed = await record?.close(void 0, { keep: flags.keep === true }).catch(() => void 0);
		if (flags.json !== true && flags.quiet !== true) await say(host, whatChanged(record?.id, closed));
		if (relay.killedBy !== void 0) return require_cli.exitCodeOfSignal(relay.killedBy);
		throw error;
	}
	const closed = await record?.close(ended.exit, { keep: flags.keep === true });
	const code = ended.because === void 0 ? require_cli.exitCodeOf(ended.exit) : require_cli.exitCodeOfSignal(ended.because);
	if (flags.json === true) await host.stdout.write(`${require_safe_text.safeJson(document(record?.id, ended, code, closed), 2)}\n`);
	else {
		const explanation = ended.because === void 0 ? require_cli.explainExit(ended.exit, argv[0] ?? "") : void 0;
		const isNeeded = flags.quiet !== true || ended.exit.kind === "not_started";
		if (explanation !== void 0 && isNeeded) await say(host, [explanation]);
		if (flags.quiet !== true) await say(host, whatChanged(record?.id, closed));
	}
	return code;
}
async function openRecord(request, parts) {
	const { argv, workspace, profile } = request;
	if (workspace.kind !== "overlay") return void 0;
	return await (await parts.openRecords()).open({
		command: argv,
		directory: workspace.directory,
		profile
	});
}
async function inSandbox(request, flags, record, relay, ending, host, parts) {
	await using sandboxes = await parts.openSandboxes();
	await using sandbox = await sandboxes.start(specOf(request, record), ending);
	using terminal = flags.tty === true ? new BorrowedTerminal(host) : void 0;
	using _suspension = terminal === void 0 ? suspendWith(sandbox, host) : void 0;
	const execution = sandbox.exec(request.argv, {
		env: request.env,
		...host.stdin.isReadable && { stdin: "pipe" },
		...terminal !== void 0 && { pty: terminal.size },
		...request.workdir !== void 0 && { cwd: request.workdir },
		...request.timeoutMs !== void 0 && { timeoutMs: request.timeoutMs },
		...request.outputBytesMax !== void 0 && { outputBytesMax: request.outputBytesMax }
	});
	relay.attach(execution);
	terminal?.attach(execution);
	if (host.stdin.isReadable) feed(host.stdin, execution, host).catch(() => {});
	try {
		return await passOutput(execution, relay, ending, host, flags);
	} finally {
		terminal?.[Symbol.dispose]();
		host.stdin.close();
	}
}
function specOf(request, record) {
	const { workspace } = request;
	return {
		profile: request.profile,
		limits: request.limits,
		mounts: request.mounts,
		...workspace.kind === "overlay" && record !== void 0 && { workspace: {
			...workspace,
			kind: "overlay",
			layer: record.layer
		} },
		...workspace.kind === "writable" && { workspace: {
			...workspace,
			kind: "writable"
		} }
	};
}
/** Waits for the end and passes output on until then. Two things end the wait early: a kill, and a deadline whose output nobody reads. */
async function passOutput(execution, relay, ending, host, flags) {
	const abandon = Promise.withResolvers();
	const abandonSoon = () => void setTimeout(() => abandon.resolve(void 0), LAST_WORDS_MS);
	ending.addEventListener("abort", abandonSoon, { once: true });
	using reader = new LostReader(execution);
	const collected = {
		stdout: [],
		stderr: []
	};
	const output = flags.json === true ? Promise.all([collect(execution.stdout, collected.stdout), collect(execution.stderr, collected.stderr)]) : Promise.all([pass(linesOf(execution, flags, host), host.stdout, () => reader.left()), pass(execution.stderr, host.stderr, () => reader.left())]);
	output.catch(() => {});
	try {
		const exit = await Promise.race([execution.exit, abandon.promise]);
		const because = relay.killedBy ?? reader.killedBy;
		if (exit?.kind === "stopped" && exit.by === "deadline") abandonSoon();
		await Promise.race([output, abandon.promise]);
		return {
			exit: exit ?? KILLED,
			because,
			...collected
		};
	} finally {
		ending.removeEventListener("abort", abandonSoon);
	}
}
/** Does to a command whose reader has gone what the kernel does: SIGPIPE. One that ignores it would see its write fail; here it is killed. */
var LostReader = class {
	#execution;
	#grace;
	killedBy;
	constructor(execution) {
		this.#execution = execution;
	}
	left() {
		if (this.#grace !== void 0) return;
		this.#execution.kill("SIGPIPE", "group");
		this.#grace = setTimeout(() => {
			this.killedBy = "SIGPIPE";
			this.#execution.kill("SIGKILL", "tree");
		}, BROKEN_PIPE_GRACE_MS);
	}
	[Symbol.dispose]() {
		clearTimeout(this.#grace);
	}
};
/** From one terminal to another line ends must be looked after; everything else passes as it is. */
async function* linesOf({ stdout }, flags, host) {
	if (flags.tty !== true || !host.stdout.isTerminal) {
		yield* stdout;
		return;
	}
	const keeper = new NewlineKeeper();
	for await (const chunk of stdout) yield keeper.translate(chunk);
}
/** Stands for the exit of a command that did not go within its last second. */
const KILLED = {
	kind: "stopped",
	by: "caller",
	detail: "it was killed and did not end in time",
	usage: {
		userCpuMs: 0,
		systemCpuMs: 0,
		wallMs: 0,
		memoryBytesMax: 0
	},
	limitsHit: []
};
async function pass(source, sink, onClosed) {
	let isOpen = true;
	const closing = (error) => {
		if (!(error instanceof require_host.OutputClosed)) throw error;
		if (isOpen) onClosed();
		isOpen = false;
	};
	for await (const chunk of source) if (isOpen) await sink.write(chunk).catch(closing);
	if (isOpen) await sink.flush().catch(closing);
}
async function collect(source, chunks) {
	for await (const chunk of source) chunks.push(chunk);
}
async function feed(input, execution, host) {
	const chunks = input.read()[Symbol.asyncIterator]();
	for (;;) {
		const next = await chunks.next().catch(async (error) => {
			await say(host, [`cannot read standard input: ${error.message}`]);
			return { done: true };
		});
		if (next.done === true) break;
		await execution.write(next.value);
	}
	execution.closeStdin();
}
/** Ctrl-Z stops the sandbox with us, and `fg` continues both. */
function suspendWith(sandbox, host) {
	const suspend = async () => {
		await sandbox.pause().catch(() => {});
		host.stop();
		await sandbox.resume().catch(() => {});
	};
	return host.onSignal(["SIGTSTP"], () => void suspend());
}
/** The terminal we run on, lent to the command: raw keys, its size, and back to what it was on every way out. */
var BorrowedTerminal = class {
	size;
	#raw;
	#output;
	#resizing;
	#isLent = true;
	constructor(host) {
		this.#output = [host.stdout, host.stderr].find((output) => output.isTerminal);
		this.size = this.#output?.size ?? DEFAULT_TERMINAL_SIZE;
		this.#raw = host.stdin.isTerminal ? host.stdin.raw() : void 0;
	}
	attach(execution) {
		const resize = () => {
			const size = this.#output?.size;
			if (size !== void 0) execution.resize(size);
		};
		this.#resizing = this.#output?.onResize(resize);
	}
	[Symbol.dispose]() {
		if (!this.#isLent) return;
		this.#isLent = false;
		this.#resizing?.[Symbol.dispose]();
		this.#raw?.[Symbol.dispose]();
	}
};
function document(id, ended, exitCode, closed) {
	const usage = ended.exit.kind === "not_started" ? void 0 : ended.exit.usage;
	return {
		run: closed?.isKept === true ? id : null,
		exit: ended.exit,
		exitCode,
		usage: usage ?? null,
		...encoded("stdout", ended.stdout),
		...encoded("stderr", ended.stderr),
		changes: closed?.changes ?? null
	};
}
/** Text when it is UTF-8, base64 when it is not; the second field says which. */
function encoded(name, chunks) {
	const bytes = Buffer.concat(chunks);
	try {
		const text = new TextDecoder("utf-8", {
			fatal: true,
			ignoreBOM: true
		}).decode(bytes);
		return {
			[name]: text,
			[`${name}Encoding`]: "utf8"
		};
	} catch {
		return {
			[name]: bytes.toString("base64"),
			[`${name}Encoding`]: "base64"
		};
	}
}
function whatChanged(id, closed) {
	if (id === void 0 || closed?.isKept !== true) return [];
	return [`${require_count.count(closed.changes, "file")} changed · warren diff ${id} · warren apply ${id}`];
}
async function say(host, lines) {
	if (lines.length === 0) return;
	await host.stderr.write(lines.map((line) => `warren: ${line}\n`).join("")).catch(() => {});
}

exports.run = run;