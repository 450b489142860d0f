/**
 * One channel: a command or a file operation on a guest connection. Here the rules of the protocol are held: what may come when, and how
 * much. Everything a guest sends that breaks them is a `protocol_error`, thrown to the client, which then gives up the whole connection.
 */
import { Fault } from '@warren/protocol';
import { decodeExit, type RawExit } from './exit-message.ts';
import { allocateFrame, encodeFrame } from './frame.ts';
import { FRAME, HEADER_BYTES, WINDOW_BYTES } from './frame-types.ts';
import { InputFeed, type InputPort } from './input-feed.ts';

export type OutputName = 'stdout' | 'stderr';
export type SignalScope = 'process' | 'group' | 'tree';

const SCOPES = { process: 0, group: 1, tree: 2 } as const satisfies Record<SignalScope, number>;
const STREAMS = { stdout: 1, stderr: 2 } as const satisfies Record<OutputName, number>;
const SIGKILL = 9;

/** What a request may be answered with. */
export type ChannelTraits = {
  /** A command says STARTED; a file operation does not. */
  readonly isCommand: boolean;
  /** Made by somebody inside, and started when that has come; no signal to all commands is for it. */
  readonly isConnection?: boolean | undefined;
  readonly hasStdout: boolean;
  readonly hasStderr: boolean;
  readonly hasStdin: boolean;
  /** Whether EXIT may say that processes were left and ended. */
  readonly endsTree?: boolean | undefined;
  readonly windowBytes?: number | undefined;
};

/** Why a sandbox was ended by its owner, when it was. */
export type Ended<By extends string = string> = { readonly by: By; readonly detail: string };

/** Told what happens on a channel, in order. Nothing comes after `lost`, or after both ends and the exit. */
export interface ChannelListener {
  started(pid: number): void;
  /** The bytes are a view, see frame.ts. They count against the window until `Channel.grant` gives them back. */
  output(stream: OutputName, bytes: Buffer): void;
  outputEnded(stream: OutputName): void;
  exited(exit: RawExit): void;
  /** The connection is over. `ended`: because the sandbox's owner wanted it so. */
  lost(fault: Fault, ended: Ended | undefined): void;
}

/** The connection, as a channel sees it. */
export interface ChannelCarrier {
  send(frame: Buffer): void;
  /** While true, what can wait waits until `Channel.resume`, after `resumeLater`. */
  isFull(): boolean;
  resumeLater(channel: Channel): void;
  channelClosed(channel: Channel): void;
}

class Output {
  /** Bytes the guest may still send. */
  allowance: number;
  /** Bytes that have been read and not yet granted again. */
  ungranted = 0;
  isEnded = false;

  constructor(windowBytes: number) {
    this.allowance = windowBytes;
  }
}

export class Channel implements InputPort {
  readonly number: number;
  readonly traits: ChannelTraits;
  /** Stdin; there is none unless the traits say so. */
  readonly input: InputFeed | undefined;
  readonly #carrier: ChannelCarrier;
  readonly #listener: ChannelListener;
  readonly #windowBytes: number;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #isStarted = false;
  #hasExited = false;
  #isLost = false;
  #isKilled = false;

  constructor(number: number, carrier: ChannelCarrier, traits: ChannelTraits, listener: ChannelListener) {
    this.number = number;
    this.traits = traits;
    this.#carrier = carrier;
    this.#listener = listener;
    this.#windowBytes = traits.windowBytes ?? WINDOW_BYTES;
    this.#stdout = new Output(this.#windowBytes);
    this.#stderr = new Output(this.#windowBytes);
    this.input = traits.hasStdin ? new InputFeed(this) : undefined;
  }

  /** Whether the main process may still be there. */
  get isRunning(): boolean {
    return !this.#hasExited && !this.#isLost;
  }

  /** Whether the host sent it a SIGKILL. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Does nothing when it has ended: there may be something else on this number by the time the frame arrives. */
  signal(signal: number, scope: SignalScope): void {
    if (!this.isRunning) return;
    if (signal === SIGKILL) this.#isKilled = true;
    const frame = allocateFrame(FRAME.SIGNAL, this.number, 2);
    frame[HEADER_BYTES] = signal;
    frame[HEADER_BYTES + 1] = SCOPES[scope];
    this.#carrier.send(frame);
  }

  resize(rows: number, columns: number): void {
    if (!this.isRunning) return;
    const frame = allocateFrame(FRAME.RESIZE, this.number, 4);
    frame.writeUInt16LE(rows, HEADER_BYTES);
    frame.writeUInt16LE(columns, HEADER_BYTES + 2);
    this.#carrier.send(frame);
  }

  /** Gives bytes that have been read back to the guest's window, in portions of at least half of it. */
  grant(stream: OutputName, bytes: number): void {
    const output = stream === 'stdout' ? this.#stdout : this.#stderr;
    output.ungranted += bytes;
    this.#sendGrant(stream, output);
  }

  /** The connection has room again. */
  resume(): void {
    this.#sendGrant('stdout', this.#stdout);
    this.#sendGrant('stderr', this.#stderr);
    this.input?.pump();
  }

  sendInput(bytes: Uint8Array): void {
    this.#carrier.send(encodeFrame(FRAME.STDIN, this.number, bytes)); // A copy, so that the writer may reuse its buffer.
  }

  hasRoomForInput(): boolean {
    if (!this.#carrier.isFull()) return true;
    this.#carrier.resumeLater(this);
    return false;
  }

  receiveOutput(stream: OutputName, bytes: Buffer): void {
    const output = stream === 'stdout' ? this.#stdout : this.#stderr;
    if (output.isEnded) throw this.#violated(`it sent ${stream} after its end`);
    if (bytes.length === 0) {
      output.isEnded = true;
      this.#listener.outputEnded(stream);
      this.#closeWhenDone();
      return;
    }
    if (!(stream === 'stdout' ? this.traits.hasStdout : this.traits.hasStderr))
      throw this.#violated(`it sent ${stream} where there is none`);
    if (this.traits.isCommand && !this.#isStarted) throw this.#violated(`it sent ${stream} before the command has started`);
    if (bytes.length > output.allowance) {
      throw this.#violated(`it sent ${bytes.length} bytes of ${stream} with ${output.allowance} left in the window`);
    }
    output.allowance -= bytes.length;
    this.#listener.output(stream, bytes);
  }

  receiveStarted(pid: number): void {
    if (!this.traits.isCommand) throw this.#violated('it says that a file operation has started');
    if (this.#isStarted) throw this.#violated('it says twice that the command has started');
    if (this.#hasExited) throw this.#violated('it says that the command has started after it has ended');
    if (pid === 0 || pid > PID_MAX) throw this.#violated(`it says that the command has the pid ${pid}`);
    this.#isStarted = true;
    this.#listener.started(pid);
  }

  receiveExit(payload: Buffer): void {
    const exit = decodeExit(payload);
    if (this.#hasExited) throw this.#violated('it says twice how it ended');
    if (this.traits.isCommand && !this.#isStarted && exit.kind !== 'failed')
      throw this.#violated('it says that the command ended before it has started');
    if (this.traits.endsTree !== true && exit.kind !== 'failed' && exit.leftovers > 0)
      throw this.#violated('it ended what the command left, which nobody asked for');
    this.#hasExited = true;
    this.input?.stop(new Fault('conflict', 'Cannot write to stdin: the command has ended'));
    this.#listener.exited(exit);
    this.#closeWhenDone();
  }

  receiveCredit(bytes: number): void {
    if (this.input === undefined) throw this.#violated('it asks for stdin where there is none');
    this.input.receiveCredit(bytes);
  }

  lose(fault: Fault, ended: Ended | undefined): void {
    this.#isLost = true;
    this.input?.stop(fault);
    this.#listener.lost(fault, ended);
  }

  #sendGrant(stream: OutputName, output: Output): void {
    const bytes = output.ungranted;
    if (bytes * 2 < this.#windowBytes || bytes === 0 || output.isEnded || this.#isLost) return;
    if (this.#carrier.isFull()) {
      this.#carrier.resumeLater(this); // Granting into a connection that the guest does not read would pile up frames.
      return;
    }
    output.ungranted = 0;
    output.allowance += bytes;
    const frame = allocateFrame(FRAME.WINDOW, this.number, 8);
    frame.writeUInt32LE(STREAMS[stream], HEADER_BYTES); // The stream is the lowest byte; the three above it are zero.
    frame.writeUInt32LE(bytes, HEADER_BYTES + 4);
    this.#carrier.send(frame);
  }

  #closeWhenDone(): void {
    if (this.#hasExited && this.#stdout.isEnded && this.#stderr.isEnded) this.#carrier.channelClosed(this);
  }

  #violated(what: string): Fault<'protocol_error'> {
    return new Fault('protocol_error', `Cannot understand the guest on channel ${this.number}: ${what}`);
  }
}

/** `PID_MAX_LIMIT` of 64-bit Linux. */
const PID_MAX = 4_194_304;
