/**
 * The launcher as a process: started once, asked for sandboxes over one connection each, told over the control connection which to end, and telling
 * there which are gone. When it dies, all its sandboxes die with it (the kernel sees to that) and the next start begins a new one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createConnection, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '@warren/protocol';
import { decodeGone, decodeHello, type GoneMessage, type Hello } from '../../guest/control-messages.ts';
import { encodeFrame, FrameDecoder, type FrameReceiver } from '../../guest/frame.ts';
import { FRAME, FROM_LAUNCHER, REQUEST_BYTES_MAX } from '../../guest/frame-types.ts';
import { GuestClient } from '../../guest/guest-client.ts';
import { decodeStartFailure, type ExplainFailure, startFault } from '../../guest/start-failure.ts';

export type LauncherOptions = {
  readonly path: string;
  /** Flags of `warren-launcher serve` besides the control connection. */
  readonly flags: readonly string[];
  readonly explain?: ExplainFailure | undefined;
  /** How long anything may take; the defaults are far above what it takes on a busy machine. */
  readonly waits?: Partial<Waits> | undefined;
};

type Waits = {
  /** For the launcher to say HELLO. */
  readonly helloMs: number;
  /** For the walls of one sandbox to stand. */
  readonly readyMs: number;
  /** For the launcher's own word on why a connection was closed. */
  readonly reasonMs: number;
  /** For a connection to end once its sandbox is gone. */
  readonly hangUpMs: number;
  /** For the launcher to clean up and leave; then it is killed, and its janitor cleans up. */
  readonly exitMs: number;
};

const WAITS: Waits = { helloMs: 10_000, readyMs: 30_000, reasonMs: 1_000, hangUpMs: 1_000, exitMs: 15_000 };

/** A sandbox from the launcher's side. */
export type Launched = {
  readonly client: GuestClient;
  /** Resolves when nothing of it is left: with how it ended, or `undefined` when the launcher died before it could tell. Never rejects. */
  readonly gone: Promise<GoneMessage | undefined>;
  /** Name of its directory in each cgroup hierarchy. */
  readonly slot: number;
  /** Asks for its end. Idempotent. */
  readonly destroy: () => void;
};

type Entry = {
  readonly place: (slot: number) => void;
  readonly settleGone: (message: GoneMessage | undefined) => void;
  readonly refuse: (fault: Fault) => void;
};

const STDERR_BYTES_MAX = 16_384;

export class LauncherProcess implements FrameReceiver, AsyncDisposable {
  readonly hello: Promise<Hello>;
  readonly #options: LauncherOptions;
  readonly #waits: Waits;
  readonly #process: ChildProcess;
  readonly #control: Duplex;
  readonly #decoder: FrameDecoder;
  readonly #settleHello: PromiseWithResolvers<Hello>;
  readonly #exited: Promise<void>;
  readonly #sandboxes: Map<number, Entry> = new Map();
  #lastId = 0;
  #stderr = '';
  #end: Fault | undefined;

  constructor(options: LauncherOptions) {
    this.#options = options;
    this.#waits = { ...WAITS, ...options.waits };
    this.#settleHello = Promise.withResolvers<Hello>();
    this.hello = this.#settleHello.promise;
    this.hello.catch(() => {}); // Whoever starts a sandbox sees it.
    this.#process = spawn(options.path, ['serve', '--control-fd', '3', ...options.flags], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' }, // For newuidmap; nothing of ours is the launcher's business.
      cwd: '/',
    });
    this.#control = this.#process.stdio[3] as Duplex; // 'pipe' makes it one.
    this.#decoder = new FrameDecoder(FROM_LAUNCHER, this);
    this.#exited = new Promise((resolve) => this.#process.once('close', () => resolve()));
    this.#process.once('error', (error) => this.#lose(error));
    this.#process.once('exit', (code, signal) => this.#loseWhenHeard(undefined, signal ?? `exit code ${code}`));
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(0, STDERR_BYTES_MAX);
    });
    this.#control.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#control.on('error', (error) => this.#loseUnlessItExits(error));
    this.#keepAlive(true);
    const timer = setTimeout(() => this.#giveUp(`it said nothing for ${this.#waits.helloMs} ms`), this.#waits.helloMs);
    this.hello.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
  }

  /** It is gone, or was disposed: start another. */
  get isLost(): boolean {
    return this.#end !== undefined;
  }

  /** A number for the next sandbox, never given twice by this launcher. */
  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Builds a sandbox and resolves when its walls stand. Throws `wall_unavailable`, `too_large`, `sandbox_gone` when the launcher dies meanwhile,
   * and the reason of `signal`; nothing is left then.
   */
  async launch(id: number, spec: readonly string[], filter: Uint8Array, signal?: AbortSignal): Promise<Launched> {
    const text = Buffer.from(`${spec.join('\0')}\0`);
    if (text.length > REQUEST_BYTES_MAX) {
      throw new Fault('too_large', `Cannot start a sandbox: its spec takes ${text.length} bytes, the limit is ${REQUEST_BYTES_MAX}`);
    }
    const { socketName } = await unlessAborted(this.hello, signal);
    if (this.#end !== undefined) throw this.#end;
    const connection = createConnection({ path: `\0${socketName}` });
    const client = new GuestClient(connection, { explain: this.#options.explain });
    const { promise: gone, resolve: settleGone } = Promise.withResolvers<GoneMessage | undefined>();
    const refused = Promise.withResolvers<never>();
    refused.promise.catch(() => {}); // It may come when the client has already said what is wrong.
    const placed = Promise.withResolvers<number>();
    this.#sandboxes.set(id, { place: placed.resolve, settleGone, refuse: refused.reject });
    this.#keepAlive(true);
    connection.write(Buffer.concat([encodeFrame(FRAME.SPEC, id, text), encodeFrame(FRAME.FILTER, id, filter)]));
    let isAsked = false;
    const destroy = (): void => {
      if (isAsked || this.#end !== undefined || !this.#sandboxes.has(id)) return;
      isAsked = true;
      this.#control.write(encodeFrame(FRAME.DESTROY, id));
    };
    void client.closed.then(destroy); // A guest that broke the protocol may not take hanging up for an end.
    void gone.then(() => this.#hangUp(client));
    const timer = setTimeout(() => refused.reject(notReady(this.#waits.readyMs)), this.#waits.readyMs);
    const ready = Promise.race([client.ready.catch((error: unknown) => this.#betterReason(error, refused.promise)), refused.promise]);
    const slot = Promise.race([placed.promise, refused.promise]);
    for (const promise of [ready, slot]) promise.catch(() => {}); // Not all of them are waited for in every case.
    try {
      await unlessAborted(ready, signal);
      return { client, gone, destroy, slot: await unlessAborted(slot, signal) };
    } catch (error) {
      // Before the launcher has read the spec it would not know what to destroy, and build it all the same.
      await Promise.race([slot, ready, client.closed]).catch(() => {});
      client.destroy(new Fault('sandbox_gone', 'Cannot reach the sandbox: it did not start'));
      destroy();
      await gone;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the launcher and with it every sandbox; resolves when it has cleaned up and left. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= new Fault('sandbox_gone', 'Cannot reach the launcher: it was closed');
    this.#settleHello.reject(this.#end);
    this.#keepAlive(true);
    this.#control.destroy();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), this.#waits.exitMs);
    await this.#exited;
    clearTimeout(timer);
  }

  receiveFrame(type: number, channel: number, payload: Buffer): void {
    if (type === FRAME.HELLO) {
      this.#settleHello.resolve(decodeHello(payload));
      if (this.#sandboxes.size === 0) this.#keepAlive(false);
      return;
    }
    if (type === FRAME.REFUSED) {
      this.#sandboxes.get(channel)?.refuse(startFault(decodeStartFailure(payload), this.#options.explain));
      this.#forget(channel, undefined);
      return;
    }
    if (type === FRAME.PLACED) {
      this.#sandboxes.get(channel)?.place(payload.readUInt32LE(0));
      return;
    }
    this.#forget(channel, decodeGone(payload));
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.#giveUp(error instanceof Error ? error.message : 'it makes no sense', error);
    }
  }

  /** It lives, but there is no use in it. */
  #giveUp(why: string, cause?: unknown): void {
    this.#lose(cause, why);
    this.#control.destroy();
    this.#process.kill('SIGKILL'); // Its sandboxes die with it, and its janitor cleans up.
  }

  /** All that the sandbox sent is in the connection by now, and its end behind that; but who knows who else holds its other end. */
  #hangUp(client: GuestClient): void {
    if (client.isClosed) return;
    const timer = setTimeout(
      () => client.destroy(new Fault('sandbox_gone', 'Cannot reach the sandbox: it has ended')),
      this.#waits.hangUpMs,
    );
    void client.closed.then(() => clearTimeout(timer));
  }

  #forget(id: number, message: GoneMessage | undefined): void {
    this.#sandboxes.get(id)?.settleGone(message);
    this.#sandboxes.delete(id);
    if (this.#sandboxes.size === 0) this.#keepAlive(false);
  }

  /** A connection that closes before READY says little; the launcher's own word, which is on its way, says why. */
  async #betterReason(error: unknown, refused: Promise<never>): Promise<never> {
    if (!(error instanceof Fault) || error.code !== 'sandbox_gone' || this.#end !== undefined) throw error;
    const later = Promise.withResolvers<never>();
    const timer = setTimeout(() => later.reject(error), this.#waits.reasonMs);
    try {
      return await Promise.race([refused, later.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What it said before it ended is in the pipe, and is read in the turn of the loop that comes now. */
  #loseWhenHeard(cause: unknown, how: string): void {
    setImmediate(() => setImmediate(() => this.#lose(cause, how)));
  }

  /** Whoever ends breaks its connection too, and how it ended says more. */
  #loseUnlessItExits(cause: unknown): void {
    const timer = setTimeout(() => this.#lose(cause), this.#waits.reasonMs);
    this.#process.once('exit', () => clearTimeout(timer));
  }

  #lose(cause: unknown, how?: string): void {
    const said = this.#stderr.trim();
    const fault = launcherFault(said, how, cause, this.#options);
    this.#end ??= fault;
    this.#settleHello.reject(fault);
    for (const { settleGone, refuse } of this.#sandboxes.values()) {
      refuse(fault);
      settleGone(undefined);
    }
    this.#sandboxes.clear();
  }

  /** The launcher keeps the host process alive only while there is something to wait for. */
  #keepAlive(isNeeded: boolean): void {
    if (isNeeded) this.#process.ref();
    else this.#process.unref();
    for (const pipe of [this.#control as Socket, this.#process.stderr as Socket]) {
      // The pipes of a child are sockets; a closed one would wait for a connection that never comes.
      if (pipe.destroyed) continue;
      if (isNeeded) pipe.ref();
      else pipe.unref();
    }
  }
}

/** Waits, or throws the reason of `signal`. The work goes on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function notReady(waitedMs: number): Fault<'wall_unavailable'> {
  return new Fault('wall_unavailable', `Cannot start a sandbox: its walls do not stand after ${waitedMs} ms`, {
    details: { wall: 'sandbox', stage: 'ready' },
  });
}

function launcherFault(said: string, how: string | undefined, cause: unknown, options: LauncherOptions): Fault {
  const line = said.split('\n').find((candidate) => candidate.startsWith('{'));
  if (line !== undefined) {
    try {
      return startFault(decodeStartFailure(Buffer.from(line)), options.explain);
    } catch {
      // It said something else; that goes into the message below.
    }
  }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOEXEC') {
    return new Fault('wall_unavailable', `Cannot start sandboxes: ${options.path} cannot be executed (${code})`, {
      details: { wall: 'launcher', stage: 'prepare', call: 'spawn', path: options.path, errno: code, fix: 'npm run setup' },
      cause,
    });
  }
  const words = [how, said === '' ? undefined : said].filter((word) => word !== undefined).join(': ');
  return new Fault('sandbox_gone', `Cannot reach the launcher: it ended${words === '' ? '' : ` (${words})`}`, { cause });
}
