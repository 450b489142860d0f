/**
 * `warren run`: one command in a sandbox of its own, as if it ran here. Bytes pass through as they are and at the pace of whoever reads
 * them, signals are passed on, the exit code is the command's.
 *
 * The order matters: the record is open before anything starts, so that after a crash the changes can still be reviewed; and the sandbox
 * is gone before changes are counted, so that nothing changes any more.
 */
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EgressNetwork, type Execution, PROFILES, type Sandbox, type Sandboxes, type SandboxSpec } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import { exitCodeOf, exitCodeOfSignal, explainExit } from '../internal/exit-code.ts';
import type { Host } from '../internal/host.ts';
import type { ClosedRecord, OpenRecord, Records } from '../internal/records.ts';
import { RequestTally } from '../internal/request-tally.ts';
import type { DaemonNetwork, DaemonNetworkRequest } from '../internal/run-network.ts';
import { safeJson } from '../internal/safe-text.ts';
import { RELAYED_SIGNALS, SignalRelay } from '../internal/signal-relay.ts';
import type { RunFlags } from '../program.ts';
import { BorrowedTerminal } from './borrowed-terminal.ts';
import { runDocument } from './run-document.ts';
import { type Ended, LAST_WORDS_MS, passOutput } from './run-output.ts';
import { type RunRequest, resolveRun } from './run-request.ts';

/** What `run` is built on; opened only after the request was found good. */
export interface RunParts {
  openSandboxes(caFile?: string): Promise<Sandboxes>;
  openRecords(): Promise<Records>;
  /** Of the daemon: for what has secrets. */
  openNetwork(request: Pick<DaemonNetworkRequest, 'request' | 'onLost'>, signal: AbortSignal): Promise<DaemonNetwork>;
}

type Run = {
  readonly request: RunRequest;
  readonly flags: RunFlags;
  readonly host: Host;
  readonly relay: SignalRelay;
  /** Fires when the command is to be gone. */
  readonly ending: AbortSignal;
  readonly record: OpenRecord | undefined;
  readonly tally: RequestTally;
};

/** Returns the exit code, with everything written. Throws faults of ours; what the command does is never thrown. */
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
  const keep = flags.keep === true;
  const tally = new RequestTally();
  let ended: Ended;
  try {
    ended = await inSandbox({ request, flags, host, relay, ending: ending.signal, record, tally }, parts);
  } catch (error) {
    const closed = await record?.close(undefined, { keep }).catch(() => undefined); // What went wrong first is what matters.
    if (flags.json !== true && flags.quiet !== true) await say(host, whatChanged(record, closed));
    if (relay.killedBy !== undefined) return exitCodeOfSignal(relay.killedBy);
    throw error;
  }
  const closed = await record?.close(ended.exit, { keep });
  const code = ended.because === undefined ? exitCodeOf(ended.exit) : exitCodeOfSignal(ended.because);
  const telling =
    flags.json === true
      ? tellAll(host, runDocument(record, closed, ended, code, request.isInspected ? tally.requests : undefined))
      : say(host, lastWords({ request, flags, record, closed, ended, tally }));
  // A killed command must not leave us waiting for somebody who does not read.
  await (ended.because === undefined ? telling : Promise.race([telling, sleep(LAST_WORDS_MS)]));
  return code;
}

async function openRecord({ argv, workspace, profile }: RunRequest, parts: RunParts): Promise<OpenRecord | undefined> {
  if (workspace.kind !== 'overlay') return undefined;
  const records = await parts.openRecords();
  return await records.open({ command: argv, directory: workspace.directory, profile });
}

async function inSandbox({ request, flags, host, relay, ending, record, tally }: Run, parts: RunParts): Promise<Ended> {
  using wayOut = await openWayOut({ request, flags, host, ending }, parts);
  using backend = new UnhurriedEnd(await parts.openSandboxes(request.caFile));
  const network = wayOut?.network ?? (request.hosts.length > 0 ? egressTo(request, tally) : undefined);
  await using sandbox = await backend.sandboxes.start(specOf(request, record, network), ending);
  if (flags.quiet !== true && flags.json !== true) await say(host, whatIsNotLimited(request, sandbox));
  using terminal = flags.tty === true ? new BorrowedTerminal(host) : undefined;
  using _suspension = terminal === undefined ? suspendWith(sandbox, host) : undefined;
  const isReadable = host.stdin.isReadable;
  const execution = sandbox.exec(request.argv, {
    env: { ...request.env, ...wayOut?.env },
    ...(isReadable && { stdin: 'pipe' }),
    ...(terminal !== undefined && { pty: terminal.size }),
    ...(request.workdir !== undefined && { cwd: request.workdir }),
    ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    ...(request.outputBytesMax !== undefined && { outputBytesMax: request.outputBytesMax }),
  });
  relay.attach(execution);
  terminal?.attach(execution);
  if (isReadable) feed(execution, host).catch(() => {}); // The exit says what became of the command; its input is not missed.
  try {
    return await passOutput(execution, { relay, ending, host, isCollected: flags.json === true, isTerminal: terminal !== undefined });
  } finally {
    terminal?.[Symbol.dispose](); // Before the input closes: a closed terminal can no longer be restored by us.
    host.stdin.close();
  }
}

/** The values are the daemon's, so is the proxy that puts them in. */
async function openWayOut(
  { request: { hosts, secrets }, flags, host, ending }: Pick<Run, 'request' | 'flags' | 'host' | 'ending'>,
  parts: RunParts,
): Promise<DaemonNetwork | undefined> {
  if (secrets.length === 0) return undefined;
  const isTalking = flags.json !== true && flags.quiet !== true;
  const onLost = (): void => void (isTalking && say(host, ['the daemon has ended: no host can be reached any more']));
  return await parts.openNetwork({ request: { hosts, secrets }, onLost }, ending);
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

/** A profile's own limits that this host cannot hold for this user. Those asked for by flag are refused instead. */
function whatIsNotLimited({ profile, limits }: RunRequest, { spec }: Sandbox): readonly string[] {
  const names = LIMITS_BY_CGROUP.filter(
    (name) => PROFILES[profile].limits[name] !== null && limits[name] === undefined && spec.limits[name] === null,
  );
  if (names.length === 0) return [];
  const words = names.map((name) => (name === 'memoryBytes' ? 'memory' : name)).join(' and ');
  return [`${words} of the profile "${profile}" cannot be limited for this user here; see: warren doctor`];
}

const LIMITS_BY_CGROUP = ['memoryBytes', 'cpus', 'pids'] as const;

function specOf(
  { profile, limits, mounts, workspace }: RunRequest,
  record: OpenRecord | undefined,
  network: SandboxSpec['network'],
): SandboxSpec {
  return {
    profile,
    limits,
    mounts,
    ...(network !== undefined && { network }),
    ...(workspace.kind === 'overlay' && record !== undefined && { workspace: { ...workspace, kind: 'overlay', layer: record.layer } }),
    ...(workspace.kind === 'writable' && { workspace: { ...workspace, kind: 'writable' } }),
  };
}

/** A private address is meant by whoever writes it out; a name that leads to one is not. */
function egressTo({ hosts, isInspected }: RunRequest, tally: RequestTally): EgressNetwork {
  const addresses = hosts.map((host) => /^\[?([0-9a-f:.]+?)\]?(?::[0-9]+)?$/i.exec(host)?.[1] ?? '').filter((text) => isIP(text) !== 0);
  const rules = hosts.map((host) => ({ host, inspect: isInspected }));
  return { kind: 'egress', rules, privateNetworks: addresses, ...(isInspected && { onEvent: (event) => tally.note(event) }) };
}

async function feed(execution: Execution, host: Host): Promise<void> {
  const chunks = host.stdin.read()[Symbol.asyncIterator]();
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

type Outcome = Pick<Run, 'request' | 'flags' | 'record' | 'tally'> & { readonly closed: ClosedRecord | undefined; readonly ended: Ended };

function lastWords({ request, flags, record, closed, ended, tally }: Outcome): readonly string[] {
  const explanation = ended.because === undefined ? explainExit(ended.exit, request.argv[0] ?? '') : undefined;
  const isNeeded = flags.quiet !== true || ended.exit.kind === 'not_started';
  return [
    ...(explanation !== undefined && isNeeded ? [explanation] : []),
    ...(flags.quiet === true ? [] : [...tally.lines, ...whatChanged(record, closed)]),
  ];
}

function whatChanged(record: OpenRecord | undefined, closed: ClosedRecord | undefined): readonly string[] {
  if (record === undefined || closed?.isKept !== true) return [];
  return [`${count(closed.changes, 'file')} changed · warren diff ${record.id} · warren apply ${record.id}`];
}

async function tellAll(host: Host, document: object): Promise<void> {
  await host.stdout.write(`${safeJson(document, 2)}\n`);
  await host.stdout.flush();
}

async function say(host: Host, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  try {
    await host.stderr.write(lines.map((line) => `warren: ${line}\n`).join(''));
    await host.stderr.flush();
  } catch {
    // Nobody listens: nothing to add.
  }
}
