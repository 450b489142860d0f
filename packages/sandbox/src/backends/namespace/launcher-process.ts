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
import { FRAME, FROM_LAUNCHER } from '../../guest/frame-types.ts';
import { GuestClient } from '../../guest/guest-client.ts';
import { decodeStartFailure, type ExplainFailure, startFault } from '../../guest/start-failure.ts';

export type LauncherOptions = {
  readonly path: string;
  /** Flags of `warren-launcher serve` besides the control connection. */
  readonly flags: readonly string[];
  readonly explain?: ExplainFailure | undefined;
};

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
    this.#process.once('exit', (code, signal) => this.#lose(undefined, signal ?? `exit code ${code}`));
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(0, STDERR_BYTES_MAX);
    });
    this.#control.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#control.on('error', (error) => this.#lose(error));
    this.#keepAlive(true);
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
   * Builds a sandbox and resolves when its walls stand. Throws `wall_unavailable`, `sandbox_gone` when the launcher dies meanwhile, and the
   * reason of `signal`; nothing is left then.
   */
  async launch(id: number, spec: readonly string[], filter: Uint8Array, signal?: AbortSignal): Promise<Launched> {
    const { socketName } = await this.hello;
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw this.#end;
    const connection = createConnection({ path: `\0${socketName}` });
    const client = new GuestClient(connection, { explain: this.#options.explain });
    const { promise: gone, resolve: settleGone } = Promise.withResolvers<GoneMessage | undefined>();
    const refused = Promise.withResolvers<never>();
    const placed = Promise.withResolvers<number>();
    this.#sandboxes.set(id, { place: placed.resolve, settleGone, refuse: refused.reject });
    this.#keepAlive(true);
    connection.write(
      Buffer.concat([encodeFrame(FRAME.SPEC, id, Buffer.from(`${spec.join('\0')}\0`)), encodeFrame(FRAME.FILTER, id, filter)]),
    );
    const destroy = (): void => {
      if (this.#end === undefined && this.#sandboxes.has(id)) this.#control.write(encodeFrame(FRAME.DESTROY, id));
    };
    const abandon = (): void => refused.reject(signal?.reason);
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      refused.promise.catch(() => {}); // It may come when the client has already said what is wrong.
      await Promise.race([client.ready.catch((error: unknown) => this.#betterReason(error, refused.promise)), refused.promise]);
      return { client, gone, destroy, slot: await Promise.race([placed.promise, refused.promise]) };
    } catch (error) {
      client.destroy(new Fault('sandbox_gone', 'Cannot reach the sandbox: it did not start'));
      destroy();
      await gone;
      throw error;
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }

  /** Ends the launcher and with it every sandbox; resolves when it has cleaned up and left. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end ??= new Fault('sandbox_gone', 'Cannot reach the launcher: it was closed');
    this.#keepAlive(true);
    this.#control.destroy();
    await this.#exited;
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
      this.#lose(error);
      this.#control.destroy();
    }
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
    const timer = setTimeout(() => later.reject(error), 1_000);
    try {
      return await Promise.race([refused, later.promise]);
    } finally {
      clearTimeout(timer);
    }
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
