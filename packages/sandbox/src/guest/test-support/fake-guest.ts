/**
 * Test support: the guest's end of the protocol, in memory. Small but faithful: windows, credits, the order of frames and their ends are as
 * docs/guest-protocol.md says, and it checks the host as strictly as the host checks it. Commands are scripted programs, or processes of
 * the host when the test hands in a `spawn`.
 */
import { existsSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeFrame, FrameDecoder, type FrameReceiver } from '../frame.ts';
import { FRAME, FROM_HOST, PAYLOAD_BYTES_MAX, STDIN_CREDIT_BYTES, USAGE_MESSAGE_BYTES, WINDOW_BYTES } from '../frame-types.ts';
import { fileProcess } from './fake-files.ts';
import { type FakeEnd, type FakeProcess, failedProcess, hostProcess, type Spawn } from './fake-process.ts';
import { type FakeRequest, flagValue, parseFakeRequest } from './fake-request.ts';

export type FakeGuestOptions = {
  /** By the name of the command; what is not here goes to `spawn`. */
  readonly programs?: Readonly<Record<string, (request: FakeRequest) => FakeProcess>>;
  readonly spawn?: Spawn;
  /** Numbers by name, for `spawn`. */
  readonly signals?: Readonly<Record<string, number>>;
  /** Says READY at once. Default true. */
  readonly isReady?: boolean;
};

const ENOENT = 2;
/** Turns of the event loop in which what is left in the pipes of an ended process arrives. */
const DRAIN_TURNS = 4;

export class FakeGuest implements FrameReceiver {
  /** What the host did wrong, if it did: it ends the connection. */
  violation: Error | undefined;
  /** Requests that have come. */
  readonly requests: FakeRequest[] = [];
  readonly #connection: Duplex;
  readonly #options: FakeGuestOptions;
  readonly #channels: Map<number, FakeChannel> = new Map();

  constructor(connection: Duplex, options: FakeGuestOptions = {}) {
    this.#connection = connection;
    this.#options = options;
    const decoder = new FrameDecoder(FROM_HOST, this);
    connection.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk);
      } catch (error) {
        this.violation ??= error as Error; // Everything thrown here is one.
        this.close();
      }
    });
    connection.on('error', () => this.close());
    connection.on('close', () => this.close());
    connection.on('end', () => this.close());
    if (options.isReady !== false) this.send(FRAME.READY, 0);
  }

  get channelsOpen(): number {
    return this.#channels.size;
  }

  /** Sends a frame, whatever it is. False when the connection is full. */
  send(type: number, channel: number, payload?: Uint8Array): boolean {
    return this.#connection.destroyed ? true : this.#connection.write(encodeFrame(type, channel, payload));
  }

  /** Resolves when the connection has room. */
  async drained(): Promise<void> {
    if (!this.#connection.writableNeedDrain || this.#connection.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#connection.off('drain', done).off('close', done);
        resolve();
      };
      this.#connection.on('drain', done).on('close', done);
    });
  }

  /** As a pid 1 that dies: everything it ran is killed. */
  close(): void {
    this.#connection.destroy();
    for (const channel of this.#channels.values()) channel.abandon();
    this.#channels.clear();
  }

  receiveFrame(type: number, number: number, payload: Buffer): void {
    const channel = this.#channels.get(number);
    if (type === FRAME.PING) {
      this.send(FRAME.PONG, number, payload);
    } else if (type === FRAME.EXEC || (type >= FRAME.READ && type <= FRAME.MKDIR)) {
      if (channel !== undefined || number === 0) throw new Error(`The channel ${number} is not free`);
      const request = parseFakeRequest(type, payload);
      this.requests.push(request);
      this.#channels.set(
        number,
        new FakeChannel(this, number, request, type === FRAME.EXEC, this.#start(type, request), () => this.#channels.delete(number)),
      );
    } else if (type === FRAME.SPEC || type === FRAME.FILTER) {
      return; // The launcher reads these.
    } else {
      channel?.receive(type, payload); // A channel that has just closed: the frame crossed the end.
    }
  }

  #start(type: number, request: FakeRequest): FakeProcess {
    if (type !== FRAME.EXEC) return fileProcess(type, request);
    const { programs = {}, spawn, signals = {} } = this.#options;
    const directory = flagValue(request, '--cwd') ?? '/';
    if (!existsSync(directory)) return failedProcess({ kind: 'failed', stage: 'cwd', call: 'chdir', path: directory, errno: ENOENT });
    const program = programs[request.argv[0] ?? ''];
    if (program !== undefined) return program(request);
    if (spawn !== undefined) return hostProcess(spawn, signals, request);
    return failedProcess({ kind: 'failed', stage: 'exec', call: 'execve', path: request.argv[0] ?? '', errno: ENOENT });
  }
}

class FakeChannel {
  readonly #guest: FakeGuest;
  readonly #number: number;
  readonly #process: FakeProcess;
  readonly #hasStdin: boolean;
  readonly #windows: [number, number];
  #credit = STDIN_CREDIT_BYTES;
  #isStdinEnded = false;
  #hasEnded = false;
  #isAbandoned = false;
  #wake: (() => void)[] = [];
  readonly #onClosed: () => void;
  /** EXIT and the ends of both outputs. */
  #endsLeft = 3;

  constructor(guest: FakeGuest, number: number, request: FakeRequest, isCommand: boolean, process: FakeProcess, onClosed: () => void) {
    const window = Number(flagValue(request, '--window') ?? WINDOW_BYTES);
    this.#guest = guest;
    this.#number = number;
    this.#process = process;
    this.#windows = [window, window];
    this.#hasStdin = isCommand ? request.flags.has('--stdin') : request.flags.has('--mode');
    if (!this.#hasStdin) process.stdin.end();
    this.#onClosed = onClosed;
    void this.#serve(isCommand);
  }

  receive(type: number, payload: Buffer): void {
    switch (type) {
      case FRAME.STDIN:
        this.#receiveInput(payload);
        break;
      case FRAME.SIGNAL:
        this.#process.kill(payload.readUInt8(0), payload.readUInt8(1));
        break;
      case FRAME.WINDOW: {
        const stream = payload.readUInt8(0);
        if (stream !== 1 && stream !== 2) throw new Error(`A window for the stream ${stream}`);
        this.#windows[stream - 1] = (this.#windows[stream - 1] ?? 0) + payload.readUInt32LE(4);
        this.#wakeAll();
        break;
      }
      default:
        break;
    }
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#process.kill(9, 2);
    this.#wakeAll();
  }

  #receiveInput(payload: Buffer): void {
    if (!this.#hasStdin) throw new Error('Stdin for a channel that has none');
    if (this.#isStdinEnded) throw new Error('Stdin after its end');
    if (payload.length > this.#credit) throw new Error(`${payload.length} bytes of stdin with a credit of ${this.#credit}`);
    this.#credit -= payload.length;
    if (payload.length === 0) {
      this.#isStdinEnded = true;
      this.#process.stdin.end();
      return;
    }
    this.#process.stdin.write(payload, () => setImmediate(() => this.#giveCredit(payload.length)));
  }

  /** Not in the same turn of the event loop: in memory, host and guest would never let it go on. */
  #giveCredit(bytes: number): void {
    if (this.#hasEnded || this.#isAbandoned) return;
    this.#credit += bytes;
    const credit = Buffer.alloc(4);
    credit.writeUInt32LE(bytes);
    this.#guest.send(FRAME.CREDIT, this.#number, credit);
  }

  async #serve(isCommand: boolean): Promise<void> {
    const pid = await this.#process.pid;
    if (isCommand && pid !== undefined) {
      const payload = Buffer.alloc(4);
      payload.writeUInt32LE(pid);
      this.#guest.send(FRAME.STARTED, this.#number, payload);
    }
    const outputs = [this.#pump(FRAME.STDOUT, 0, this.#process.stdout), this.#pump(FRAME.STDERR, 1, this.#process.stderr)];
    const end = await this.#process.end;
    this.#hasEnded = true;
    this.#sendEnd(FRAME.EXIT, encodeExit(end));
    await Promise.all(outputs);
  }

  /** With the last of them the number is free: the next request may use it. */
  #sendEnd(type: number, payload?: Buffer): void {
    if (--this.#endsLeft === 0) this.#onClosed();
    this.#guest.send(type, this.#number, payload);
  }

  /** Passes a stream on as the window allows; when the process has ended, what is there by then is the rest. */
  async #pump(type: number, index: 0 | 1, source: Readable): Promise<void> {
    let isOver = false;
    void this.#process.end.then(async () => {
      while (source.readableLength > 0 && !source.destroyed) await turn();
      for (let turns = 0; turns < DRAIN_TURNS; turns++) await turn();
      isOver = true;
      if (!source.readableEnded && source.readableLength === 0) source.destroy();
    });
    try {
      for await (const chunk of source) {
        const bytes = Buffer.from(chunk as Uint8Array);
        for (let at = 0; at < bytes.length && !this.#isAbandoned; ) {
          const count = Math.min(bytes.length - at, this.#windows[index], PAYLOAD_BYTES_MAX);
          if (count === 0) {
            await new Promise<void>((resolve) => this.#wake.push(resolve));
            continue;
          }
          this.#windows[index] -= count;
          if (!this.#guest.send(type, this.#number, bytes.subarray(at, at + count))) await this.#guest.drained();
          at += count;
        }
        if (this.#isAbandoned) break;
      }
    } catch (error) {
      if (!isOver && !source.destroyed) throw error;
    }
    this.#sendEnd(type);
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** EXIT as the guest sends it; the times and sizes are made up. */
export function encodeExit(end: FakeEnd, usage: readonly [number, number, number] = [1_500, 500, 1_048_576]): Buffer {
  const text = end.kind === 'failed' ? Buffer.from(`${end.stage}\0${end.call}\0${end.path}`) : Buffer.alloc(0);
  const payload = Buffer.alloc(USAGE_MESSAGE_BYTES + text.length);
  payload[0] = { exited: 0, signalled: 1, failed: 2 }[end.kind];
  if (end.kind !== 'failed') payload.writeUInt16LE(end.leftovers ?? 0, 2);
  payload.writeInt32LE(end.kind === 'exited' ? end.code : end.kind === 'signalled' ? end.signal : end.errno, 4);
  usage.forEach((value, index) => {
    payload.writeBigUInt64LE(BigInt(value), 8 + index * 8);
  });
  text.copy(payload, USAGE_MESSAGE_BYTES);
  return payload;
}
