/**
 * `warren run`: one command in a sandbox of its own, as if it ran here. Bytes pass through as they are and at the pace of whoever reads
 * them, signals are passed on, the exit code is the command's.
 *
 * The order matters: the record is open before anything starts, so that after a crash the changes can still be reviewed; and the sandbox
 * is gone before changes are counted, so that nothing changes any more.
 */
import type { Execution, Exit, Sandbox, Sandboxes, SandboxSpec, SignalName, TerminalSize } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import { exitCodeOf, exitCodeOfSignal, explainExit } from '../internal/exit-code.ts';
import { type Host, type Input, type Output, OutputClosed } from '../internal/host.ts';
import { NewlineKeeper } from '../internal/newlines.ts';
import type { ClosedRecord, OpenRecord, Records } from '../internal/records.ts';
import { safeJson } from '../internal/safe-text.ts';
import { RELAYED_SIGNALS, SignalRelay } from '../internal/signal-relay.ts';
import type { RunFlags } from '../program.ts';
import { type RunRequest, resolveRun } from './run-request.ts';

/** What `run` is built on; opened only after the request was found good. */
export interface RunParts {
  openSandboxes(): Promise<Sandboxes>;
  openRecords(): Promise<Records>;
}

/** How long a killed command may take to go, and a stopped one to have its last output read. */
const LAST_WORDS_MS = 1_000;
/** How long a command whose reader has gone may take to notice, before it is killed. */
const BROKEN_PIPE_GRACE_MS = 500;
const DEFAULT_TERMINAL_SIZE: TerminalSize = { rows: 24, columns: 80 };

/** Returns the exit code. Throws faults of ours; what the command does is never thrown. */
export async function run(argv: readonly string[], flags: RunFlags, host: Host, parts: RunParts): Promise<number> {
  const request = resolveRun(argv, flags, host);
  const ending = new AbortController();
  using relay = new SignalRelay({
    now: () => host.now(),
    onKill: () => ending.abort(),
    onInsist: (because) => host.exit(exitCodeOfSignal(because)),
  });
  using _signals = host.onSignal(RELAYED_SIGNALS, (signal) => relay.receive(signal));

  const record = await openRecord(request, parts);
  let ended: Ended;
  try {
    ended = await inSandbox(request, flags, record, relay, ending.signal, host, parts);
  } catch (error) {
    const closed = await record?.close(undefined, { keep: flags.keep === true }).catch(() => undefined); // What went wrong first is what matters.
    if (flags.json !== true && flags.quiet !== true) await say(host, whatChanged(record?.id, closed));
    if (relay.killedBy !== undefined) return exitCodeOfSignal(relay.killedBy);
    throw error;
  }
  const closed = await record?.close(ended.exit, { keep: flags.keep === true });
  const code = ended.because === undefined ? exitCodeOf(ended.exit) : exitCodeOfSignal(ended.because);

  if (flags.json === true) {
    await host.stdout.write(`${safeJson(document(record?.id, ended, code, closed), 2)}\n`);
  } else {
    const explanation = ended.because === undefined ? explainExit(ended.exit, argv[0] ?? '') : undefined;
    const isNeeded = flags.quiet !== true || ended.exit.kind === 'not_started';
    if (explanation !== undefined && isNeeded) await say(host, [explanation]);
    if (flags.quiet !== true) await say(host, whatChanged(record?.id, closed));
  }
  return code;
}

async function openRecord(request: RunRequest, parts: RunParts): Promise<OpenRecord | undefined> {
  const { argv, workspace, profile } = request;
  if (workspace.kind !== 'overlay') return undefined;
  const records = await parts.openRecords();
  return await records.open({ command: argv, directory: workspace.directory, profile });
}

type Ended = {
  readonly exit: Exit;
  /** The signal that ended it, when that was our doing and not the command's. */
  readonly because: SignalName | undefined;
  readonly stdout: readonly Uint8Array[];
  readonly stderr: readonly Uint8Array[];
};

async function inSandbox(
  request: RunRequest,
  flags: RunFlags,
  record: OpenRecord | undefined,
  relay: SignalRelay,
  ending: AbortSignal,
  host: Host,
  parts: RunParts,
): Promise<Ended> {
  using backend = new UnhurriedEnd(await parts.openSandboxes());
  await using sandbox = await backend.sandboxes.start(specOf(request, record), ending);
  using terminal = flags.tty === true ? new BorrowedTerminal(host) : undefined;
  using _suspension = terminal === undefined ? suspendWith(sandbox, host) : undefined;
  const execution = sandbox.exec(request.argv, {
    env: request.env,
    ...(host.stdin.isReadable && { stdin: 'pipe' }),
    ...(terminal !== undefined && { pty: terminal.size }),
    ...(request.workdir !== undefined && { cwd: request.workdir }),
    ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    ...(request.outputBytesMax !== undefined && { outputBytesMax: request.outputBytesMax }),
  });
  relay.attach(execution);
  terminal?.attach(execution);
  if (host.stdin.isReadable) feed(host.stdin, execution, host).catch(() => {}); // The exit says what became of the command; its input is not missed.
  try {
    return await passOutput(execution, relay, ending, host, flags);
  } finally {
    terminal?.[Symbol.dispose](); // Before the input closes: a closed terminal can no longer be restored by us.
    host.stdin.close();
  }
}

/** Ends the launcher without waiting for it. Its sandbox is gone by then, and what it clears away after that nobody asks for. */
class UnhurriedEnd implements Disposable {
  readonly sandboxes: Sandboxes;

  constructor(sandboxes: Sandboxes) {
    this.sandboxes = sandboxes;
  }

  [Symbol.dispose](): void {
    this.sandboxes[Symbol.asyncDispose]().then(undefined, () => {}); // It ends with us in any case.
  }
}

function specOf(request: RunRequest, record: OpenRecord | undefined): SandboxSpec {
  const { workspace } = request;
  return {
    profile: request.profile,
    limits: request.limits,
    mounts: request.mounts,
    ...(workspace.kind === 'overlay' && record !== undefined && { workspace: { ...workspace, kind: 'overlay', layer: record.layer } }),
    ...(workspace.kind === 'writable' && { workspace: { ...workspace, kind: 'writable' } }),
  };
}

/** Waits for the end and passes output on until then. Two things end the wait early: a kill, and a deadline whose output nobody reads. */
async function passOutput(execution: Execution, relay: SignalRelay, ending: AbortSignal, host: Host, flags: RunFlags): Promise<Ended> {
  const abandon = Promise.withResolvers<undefined>();
  const abandonSoon = (): void => void setTimeout(() => abandon.resolve(undefined), LAST_WORDS_MS);
  ending.addEventListener('abort', abandonSoon, { once: true });
  using reader = new LostReader(execution);
  const collected = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const output =
    flags.json === true
      ? Promise.all([collect(execution.stdout, collected.stdout), collect(execution.stderr, collected.stderr)])
      : Promise.all([
          pass(linesOf(execution, flags, host), host.stdout, () => reader.left()),
          pass(execution.stderr, host.stderr, () => reader.left()),
        ]);
  output.catch(() => {}); // Awaited below, unless it is abandoned.
  try {
    const exit = await Promise.race([execution.exit, abandon.promise]);
    const because = relay.killedBy ?? reader.killedBy;
    // After a deadline a reader that does not read must not hold us; in any other case it decides when it wants the rest.
    if (exit?.kind === 'stopped' && exit.by === 'deadline') abandonSoon();
    await Promise.race([output, abandon.promise]);
    return { exit: exit ?? KILLED, because, ...collected };
  } finally {
    ending.removeEventListener('abort', abandonSoon);
  }
}

/** Does to a command whose reader has gone what the kernel does: SIGPIPE. One that ignores it would see its write fail; here it is killed. */
class LostReader implements Disposable {
  readonly #execution: Execution;
  #grace: NodeJS.Timeout | undefined;
  killedBy: SignalName | undefined;

  constructor(execution: Execution) {
    this.#execution = execution;
  }

  left(): void {
    if (this.#grace !== undefined) return;
    this.#execution.kill('SIGPIPE', 'group');
    this.#grace = setTimeout(() => {
      this.killedBy = 'SIGPIPE';
      this.#execution.kill('SIGKILL', 'tree');
    }, BROKEN_PIPE_GRACE_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#grace);
  }
}

/** From one terminal to another line ends must be looked after; everything else passes as it is. */
async function* linesOf({ stdout }: Execution, flags: RunFlags, host: Host): AsyncIterable<Uint8Array> {
  if (flags.tty !== true || !host.stdout.isTerminal) {
    yield* stdout;
    return;
  }
  const keeper = new NewlineKeeper();
  for await (const chunk of stdout) yield keeper.translate(chunk);
}

/** Stands for the exit of a command that did not go within its last second. */
const KILLED: Exit = {
  kind: 'stopped',
  by: 'caller',
  detail: 'it was killed and did not end in time',
  usage: { userCpuMs: 0, systemCpuMs: 0, wallMs: 0, memoryBytesMax: 0 },
  limitsHit: [],
};

async function pass(source: AsyncIterable<Uint8Array>, sink: Output, onClosed: () => void): Promise<void> {
  let isOpen = true;
  const closing = (error: unknown): void => {
    if (!(error instanceof OutputClosed)) throw error;
    if (isOpen) onClosed();
    isOpen = false;
  };
  // What comes after the reader has left is read and dropped, so that the command gets to its end.
  for await (const chunk of source) if (isOpen) await sink.write(chunk).catch(closing);
  if (isOpen) await sink.flush().catch(closing);
}

async function collect(source: AsyncIterable<Uint8Array>, chunks: Uint8Array[]): Promise<void> {
  for await (const chunk of source) chunks.push(chunk);
}

async function feed(input: Input, execution: Execution, host: Host): Promise<void> {
  const chunks = input.read()[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(async (error: Error) => {
      await say(host, [`cannot read standard input: ${error.message}`]);
      return { done: true } as const;
    });
    if (next.done === true) break;
    await execution.write(next.value);
  }
  execution.closeStdin();
}

/** Ctrl-Z stops the sandbox with us, and `fg` continues both. */
function suspendWith(sandbox: Sandbox, host: Host): Disposable {
  const suspend = async (): Promise<void> => {
    await sandbox.pause().catch(() => {}); // Then only we stop, as without a sandbox.
    host.stop();
    await sandbox.resume().catch(() => {}); // It is gone: its exit says so.
  };
  return host.onSignal(['SIGTSTP'], () => void suspend());
}

/** The terminal we run on, lent to the command: raw keys, its size, and back to what it was on every way out. */
class BorrowedTerminal implements Disposable {
  readonly size: TerminalSize;
  readonly #raw: Disposable | undefined;
  readonly #output: Output | undefined;
  #resizing: Disposable | undefined;
  #isLent = true;

  constructor(host: Host) {
    this.#output = [host.stdout, host.stderr].find((output) => output.isTerminal);
    this.size = this.#output?.size ?? DEFAULT_TERMINAL_SIZE;
    this.#raw = host.stdin.isTerminal ? host.stdin.raw() : undefined;
  }

  attach(execution: Execution): void {
    const resize = (): void => {
      const size = this.#output?.size;
      if (size !== undefined) execution.resize(size);
    };
    this.#resizing = this.#output?.onResize(resize);
  }

  [Symbol.dispose](): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#resizing?.[Symbol.dispose]();
    this.#raw?.[Symbol.dispose]();
  }
}

function document(id: string | undefined, ended: Ended, exitCode: number, closed: ClosedRecord | undefined): object {
  const usage = ended.exit.kind === 'not_started' ? undefined : ended.exit.usage;
  return {
    run: closed?.isKept === true ? id : null,
    exit: ended.exit,
    exitCode,
    usage: usage ?? null,
    ...encoded('stdout', ended.stdout),
    ...encoded('stderr', ended.stderr),
    changes: closed?.changes ?? null,
  };
}

/** Text when it is UTF-8, base64 when it is not; the second field says which. */
function encoded(name: string, chunks: readonly Uint8Array[]): Readonly<Record<string, string>> {
  const bytes = Buffer.concat(chunks);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { [name]: text, [`${name}Encoding`]: 'utf8' };
  } catch {
    return { [name]: bytes.toString('base64'), [`${name}Encoding`]: 'base64' }; // Not UTF-8.
  }
}

function whatChanged(id: string | undefined, closed: ClosedRecord | undefined): readonly string[] {
  if (id === undefined || closed?.isKept !== true) return [];
  return [`${count(closed.changes, 'file')} changed · warren diff ${id} · warren apply ${id}`];
}

async function say(host: Host, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await host.stderr.write(lines.map((line) => `warren: ${line}\n`).join('')).catch(() => {}); // Nobody listens: nothing to add.
}
