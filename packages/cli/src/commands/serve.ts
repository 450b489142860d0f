/**
 * `warren serve`: the daemon, in the foreground or, with `--detach`, as a process of its own. It says where it listens once it does, in a
 * file too, and ends in order when it is told to.
 */
import { join } from 'node:path';
import { SOCKET_NAME } from '@warren/client';
import { Fault } from '@warren/protocol';
import type { SignalName } from '@warren/sandbox';
import type { Daemon, StartDaemon } from '../internal/daemon.ts';
import { createDaemonLog } from '../internal/daemon-log.ts';
import type { Detached, DetachOptions } from '../internal/detach.ts';
import { removeDiscovery, writeDiscovery } from '../internal/discovery.ts';
import { exitCodeOfSignal } from '../internal/exit-code.ts';
import type { Host } from '../internal/host.ts';
import { formatListenAddress, type ListenAddress, parseListenAddress, requireShortPath, urlOf } from '../internal/listen-address.ts';
import { OneAtATime } from '../internal/one-at-a-time.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import { nextCommand } from '../internal/state-path.ts';
import { withStoreAdvice } from '../internal/store-advice.ts';
import { type WebOptions, webOptions, webWords } from '../internal/web-options.ts';
import type { ServeFlags } from '../program/daemon-commands.ts';
import { VERSION } from '../version.ts';

export interface ServeParts {
  /** Makes the state directory if need be, and checks that it is ours alone. */
  openState(flag: string | undefined): string;
  readonly startDaemon: StartDaemon;
  readonly startDetached: (options: DetachOptions, signal: AbortSignal) => Promise<Detached>;
  /** Tells whoever started us in the background that we are there. */
  readonly tellReady: (line: string) => void;
  readonly pid: number;
}

/** What `--json` prints, and what a daemon in the background tells who started it. */
type ServeDocument = {
  readonly pid: number;
  readonly version: string;
  readonly state: string;
  readonly addresses: readonly string[];
  /** SHA-256 of the certificate, where there is TLS. */
  readonly fingerprint?: string;
};

const DEFAULT_TCP: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 7700 };

export async function serve(flags: ServeFlags, host: Host, parts: ServeParts): Promise<number> {
  const stateDirectory = parts.openState(flags.state);
  const listen = whereToListen(flags, stateDirectory, host);
  const asked = { flags, stateDirectory, listen, web: webOptions(flags, listen, stateDirectory, host.cwd()) };
  return flags.detach === true ? await detach(asked, host, parts) : await serveHere(asked, host, parts);
}

/** The unix socket is always there, for it is how `status` and `stop` find the daemon; `--listen` moves it. */
function whereToListen(flags: ServeFlags, stateDirectory: string, host: Host): readonly ListenAddress[] {
  const given = (flags.listen ?? []).map((text) => parseListenAddress(text, host.cwd()));
  const tcp = given.filter(({ kind }) => kind === 'tcp');
  if (!flags.tcp && tcp.length > 0) {
    throw new Fault('invalid_argument', 'Cannot listen on a TCP port and not: leave out --no-tcp, or --listen tcp:…');
  }
  const unix = given.filter(({ kind }) => kind === 'unix');
  if (unix.length > 0) return [...unix, ...defaultTcp(flags, tcp)];
  const path = join(stateDirectory, SOCKET_NAME);
  requireShortPath(path);
  return [{ kind: 'unix', path }, ...defaultTcp(flags, tcp)];
}

function defaultTcp(flags: ServeFlags, given: readonly ListenAddress[]): readonly ListenAddress[] {
  return given.length > 0 || !flags.tcp ? given : [DEFAULT_TCP];
}

type Asked = {
  readonly flags: ServeFlags;
  readonly stateDirectory: string;
  readonly listen: readonly ListenAddress[];
  readonly web: WebOptions;
};

async function serveHere({ flags, stateDirectory, listen, web }: Asked, host: Host, parts: ServeParts): Promise<number> {
  // Listened to from the beginning, so that a signal during the start ends in order too.
  const told = Promise.withResolvers<{ readonly drainMs?: number }>();
  let received: SignalName | undefined;
  let isStopping = false;
  let hasCutOff = false;
  let running: Daemon | undefined;
  const log = createDaemonLog(host);
  const started = Promise.withResolvers<Daemon>();
  const reloads = new OneAtATime(async () => {
    try {
      log.info('Reloading');
      await (await started.promise).reload();
      log.info('Reloaded');
    } catch (error) {
      log.error('Not everything could be reloaded', { reason: error instanceof Error ? error.message : String(error) });
    }
  });
  using _signals = host.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
    // From a terminal it says that the terminal is gone.
    if (signal === 'SIGHUP' && !host.stdin.isTerminal) {
      if (received === undefined && !isStopping) reloads.ask();
      return;
    }
    const isSecond = received !== undefined || isStopping;
    received ??= signal;
    told.resolve({});
    if (!isSecond) return;
    if (running === undefined || hasCutOff) host.exit(exitCodeOfSignal(signal));
    hasCutOff = true;
    log.warn('Stopping without waiting any longer', { because: signal });
    void running.stop({ drainMs: 0 });
  });
  const daemon = await start(
    { stateDirectory, listen, web, stateFlag: flags.state, recovery: flags.recovery, version: VERSION, log, env: host.env },
    flags,
    parts,
  );
  running = daemon;
  started.resolve(daemon);
  try {
    const document = describe(daemon, stateDirectory, parts.pid);
    writeDiscovery(stateDirectory, {
      pid: parts.pid,
      started_at: host.now() / 1_000,
      version: VERSION,
      addresses: document.addresses,
    });
    parts.tellReady(safeJson(document));
    await announce(document, flags, host);
    void daemon.stopRequested.then(told.resolve);
    const { drainMs } = await told.promise;
    // Also when it was told over the wire: nothing is read again by what is being closed.
    isStopping = true;
    await reloads.idle();
    log.info('Stopping', { because: received ?? 'asked to' });
    await daemon.stop({ drainMs });
    log.info('Stopped');
    return 0;
  } finally {
    removeDiscovery(stateDirectory, parts.pid);
    await daemon.stop();
  }
}

async function start(request: Parameters<StartDaemon>[0], { state }: ServeFlags, { startDaemon }: ServeParts): Promise<Daemon> {
  try {
    return await startDaemon(request);
  } catch (error) {
    throw withStoreAdvice(error, state);
  }
}

function describe({ addresses, fingerprint }: Daemon, state: string, pid: number): ServeDocument {
  return { pid, version: VERSION, state, addresses, ...(fingerprint !== undefined && { fingerprint }) };
}

async function announce(document: ServeDocument, flags: ServeFlags, host: Host): Promise<void> {
  if (flags.json === true) {
    await host.stdout.write(`${safeJson(document, 2)}\n`);
    return;
  }
  await host.stdout.write(`warren ${document.version} serves ${safeText(document.state)} as process ${document.pid}\n`);
  for (const text of document.addresses) {
    const address = parseListenAddress(text, '/');
    const url =
      address.kind === 'tcp'
        ? ` (${urlOf(address, document.fingerprint !== undefined)}, with a token: ${nextCommand('token create', flags)})`
        : '';
    await host.stdout.write(`  ${safeText(text)}${url}\n`);
  }
  if (document.fingerprint !== undefined) await host.stdout.write(`  certificate SHA-256 ${safeText(document.fingerprint)}\n`);
}

async function detach({ flags, stateDirectory, listen, web }: Asked, host: Host, parts: ServeParts): Promise<number> {
  const words = [
    'serve',
    ...['--state', stateDirectory],
    ...listen.flatMap((address) => ['--listen', formatListenAddress(address)]),
    ...(listen.some(({ kind }) => kind === 'tcp') ? [] : ['--no-tcp']),
    ...(flags.recovery === undefined ? [] : ['--recovery', flags.recovery]),
    ...webWords(web, flags),
  ];
  const logPath = join(stateDirectory, 'daemon.log');
  const controller = new AbortController();
  let received: SignalName | undefined;
  using _signals = host.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
    received = signal;
    controller.abort();
  });
  let outcome: Detached;
  try {
    outcome = await parts.startDetached({ words, logPath, env: host.env }, controller.signal);
  } catch (error) {
    if (received !== undefined) return exitCodeOfSignal(received);
    throw error;
  }
  if (outcome.kind === 'ended') {
    if (outcome.lastWords !== '') await host.stderr.write(outcome.lastWords);
    await host.stderr.write(`warren: the daemon did not start; its log is ${safeText(logPath)}\n`);
    return outcome.code === 0 ? 1 : outcome.code;
  }
  await announce(JSON.parse(outcome.line) as ServeDocument, flags, host); // Written by ourselves, in another process.
  if (flags.json !== true) await host.stdout.write(`  its log: ${safeText(logPath)}\n`);
  return 0;
}
