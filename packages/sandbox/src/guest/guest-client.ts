/**
 * The host's end of a guest connection: many channels over one byte stream. Start reading at `open`.
 *
 * The guest is hostile. Its bytes are cut into frames and checked one by one; the first that breaks the protocol ends the connection and
 * everything on it with `protocol_error`. Memory is bounded whatever comes: one unfinished frame, and what the windows allow.
 * Nothing here makes a promise or a closure per frame, and a request is one write: an exec has to cost next to nothing.
 */
import type { Duplex } from 'node:stream';
import { Fault } from '@warren/protocol';
import { Channel, type ChannelCarrier, type ChannelListener, type ChannelTraits, type Ended } from './channel.ts';
import { encodeFrame, FrameDecoder, type FrameReceiver, setChannel } from './frame.ts';
import { CHANNELS_MAX, FRAME, FROM_GUEST } from './frame-types.ts';
import { decodeStartFailure, type ExplainFailure, startFault } from './start-failure.ts';

/** Requests that may lie in the connection because the guest does not read, before more are refused. */
const UNSENT_BYTES_MAX = 8_388_608;
const PINGS_MAX = 64;

export type GuestClientOptions = {
  readonly explain?: ExplainFailure | undefined;
};

type Ping = { readonly bytes: Buffer; readonly resolve: () => void; readonly reject: (fault: Fault) => void };

export class GuestClient implements ChannelCarrier, FrameReceiver {
  /** Settles when every wall stands; rejects with `wall_unavailable`, or with what ended the connection before. */
  readonly ready: Promise<void>;
  /** Resolves when the connection is over, with what every open channel was told. Never rejects. */
  readonly closed: Promise<Fault>;

  readonly #connection: Duplex;
  readonly #explain: ExplainFailure | undefined;
  readonly #decoder: FrameDecoder;
  /** By number; it grows as numbers are used, because most sandboxes need few. */
  readonly #channels: (Channel | undefined)[] = [undefined];
  /** Numbers that were used and are free again; the next new one is `#numbersUsed + 1`. */
  readonly #freeNumbers: number[] = [];
  #numbersUsed = 0;
  readonly #waiting: Set<Channel> = new Set();
  #pings: Ping[] = [];
  #pingsSent = 0;
  #state: 'starting' | 'ready' | 'closed' = 'starting';
  #reason: Fault | undefined;
  /** Whether what is sent waits for the end of this turn. */
  #isGathering = false;
  readonly #settleReady: PromiseWithResolvers<void>;
  readonly #settleClosed: PromiseWithResolvers<Fault>;

  /** Takes over a connection on which the guest has yet to say READY. Requests may be sent before it has. */
  constructor(connection: Duplex, options: GuestClientOptions = {}) {
    this.#connection = connection;
    this.#explain = options.explain;
    this.#decoder = new FrameDecoder(FROM_GUEST, this);
    this.#settleReady = Promise.withResolvers<void>();
    this.#settleClosed = Promise.withResolvers<Fault>();
    this.ready = this.#settleReady.promise;
    this.ready.catch(() => {}); // Whoever waits for it sees it; whoever does not sees `closed`.
    this.closed = this.#settleClosed.promise;
    connection.on('data', (chunk: Buffer) => this.#receive(chunk));
    connection.on('drain', () => this.#resume());
    connection.on('end', () => this.#hangUp(undefined));
    connection.on('close', () => this.#hangUp(undefined));
    connection.on('error', (error) => this.#hangUp(error));
  }

  /** Channels that are open. */
  get channelsOpen(): number {
    return this.#numbersUsed - this.#freeNumbers.length;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Sends a request (made by `encodeExec` or `encodeFileRequest`) on a new channel. The listener is told what comes of it.
   * Throws `busy` when 1,024 channels are open or the guest does not read, and what ended the connection when it is over.
   */
  open(request: Buffer, traits: ChannelTraits, listener: ChannelListener): Channel {
    if (this.#reason !== undefined) throw again(this.#reason);
    if (this.#connection.writableLength > UNSENT_BYTES_MAX) {
      throw new Fault(
        'busy',
        `Cannot ask the sandbox for more: it has not read ${this.#connection.writableLength} bytes of earlier requests`,
      );
    }
    const number = this.#freeNumbers.pop() ?? ++this.#numbersUsed;
    if (number > CHANNELS_MAX) {
      this.#numbersUsed = CHANNELS_MAX;
      throw new Fault(
        'busy',
        `Cannot ask the sandbox for more: ${CHANNELS_MAX} commands and file operations are open, the limit is ${CHANNELS_MAX}`,
      );
    }
    const channel = new Channel(number, this, traits, listener);
    this.#channels[number] = channel;
    setChannel(request, number);
    this.#connection.write(request);
    return channel;
  }

  /** What is sent between `cork` and `uncork` goes out in one write. */
  cork(): void {
    this.#connection.cork();
  }

  uncork(): void {
    this.#connection.uncork();
  }

  /** Resolves when pid 1 has answered. Throws `busy`, or what ended the connection. */
  ping(): Promise<void> {
    if (this.#reason !== undefined) return Promise.reject(again(this.#reason));
    if (this.#pings.length === PINGS_MAX)
      return Promise.reject(new Fault('busy', `Cannot ping the sandbox: it has not answered ${PINGS_MAX} pings`));
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(++this.#pingsSent);
    this.#connection.write(encodeFrame(FRAME.PING, 0, bytes));
    return new Promise((resolve, reject) => {
      this.#pings.push({ bytes, resolve, reject });
    });
  }

  /** Sends a signal to the main process of every running command. */
  signalCommands(signal: number): void {
    for (const channel of this.#channels) {
      if (channel?.traits.isCommand && channel.traits.isConnection !== true) channel.signal(signal, 'process');
    }
  }

  /** Sends a signal to every process in the sandbox but pid 1, whoever started it. */
  signalEverything(signal: number): void {
    this.send(encodeFrame(FRAME.SIGNAL, 0, Buffer.from([signal, 0])));
  }

  /**
   * Closes the connection, which ends pid 1. Everything open is told `reason`; with `ended`, commands say in their exit who ended them
   * instead of rejecting. Idempotent: the first reason stays.
   */
  destroy(reason: Fault, ended?: Ended): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reason = reason;
    this.#decoder.stop();
    this.#connection.destroy();
    this.#waiting.clear();
    const pings = this.#pings;
    this.#pings = [];
    for (const channel of this.#channels) channel?.lose(reason, ended);
    this.#channels.fill(undefined);
    for (const { reject } of pings) reject(reason);
    this.#settleReady.reject(reason);
    this.#settleClosed.resolve(reason);
  }

  /** What many channels send in one turn of the loop goes out in one write at the end of it: each write wakes pid 1. */
  send(frame: Buffer): void {
    if (this.#state === 'closed') return;
    if (!this.#isGathering) {
      this.#isGathering = true;
      this.#connection.cork();
      setImmediate(() => {
        this.#isGathering = false;
        this.#connection.uncork();
      });
    }
    this.#connection.write(frame);
  }

  isFull(): boolean {
    return this.#connection.writableNeedDrain;
  }

  resumeLater(channel: Channel): void {
    this.#waiting.add(channel);
  }

  channelClosed(channel: Channel): void {
    this.#channels[channel.number] = undefined;
    this.#freeNumbers.push(channel.number);
    this.#waiting.delete(channel);
  }

  receiveFrame(type: number, channel: number, payload: Buffer): void {
    if (this.#state !== 'ready') {
      this.#receiveStart(type, channel, payload);
      return;
    }
    switch (type) {
      case FRAME.STDOUT:
        this.#channel(channel).receiveOutput('stdout', payload);
        break;
      case FRAME.STDERR:
        this.#channel(channel).receiveOutput('stderr', payload);
        break;
      case FRAME.STARTED:
        this.#channel(channel).receiveStarted(payload.readUInt32LE(0));
        break;
      case FRAME.EXIT:
        this.#channel(channel).receiveExit(payload);
        break;
      case FRAME.CREDIT:
        this.#channel(channel).receiveCredit(payload.readUInt32LE(0));
        break;
      case FRAME.PONG:
        this.#receivePong(channel, payload);
        break;
      default:
        throw new Fault('protocol_error', 'Cannot understand the guest: it says again whether it is ready');
    }
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      // A Fault is what the guest did. Anything else is a defect of ours: it may cost this sandbox, not the host.
      this.destroy(
        error instanceof Fault
          ? error
          : new Fault('internal', 'Cannot go on with the sandbox: the host failed on its answer', { cause: error }),
      );
    }
  }

  #receiveStart(type: number, channel: number, payload: Buffer): void {
    if (channel !== 0)
      throw new Fault('protocol_error', `Cannot understand the guest: it sent a frame on channel ${channel} before it is ready`);
    if (type === FRAME.READY) {
      this.#state = 'ready';
      this.#settleReady.resolve();
    } else if (type === FRAME.FAILED) {
      this.destroy(startFault(decodeStartFailure(payload), this.#explain));
    } else {
      throw new Fault(
        'protocol_error',
        `Cannot understand the guest: it sent a frame of the type 0x${type.toString(16)} before it is ready`,
      );
    }
  }

  #receivePong(channel: number, payload: Buffer): void {
    const ping = this.#pings[0];
    if (channel !== 0 || ping === undefined || !ping.bytes.equals(payload)) {
      throw new Fault('protocol_error', 'Cannot understand the guest: it answers a ping that was not sent');
    }
    this.#pings.shift(); // Not before: one that is refused must still hear what became of it.
    ping.resolve();
  }

  #channel(number: number): Channel {
    const channel = this.#channels[number];
    if (channel === undefined) throw new Fault('protocol_error', `Cannot understand the guest: channel ${number} is not open`);
    return channel;
  }

  #resume(): void {
    if (this.#state === 'closed') return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const channel of waiting) channel.resume();
  }

  #hangUp(cause: Error | undefined): void {
    if (this.#state === 'closed') return;
    const while_ = this.#state === 'starting' ? 'before it was ready' : 'before everything was done';
    this.destroy(
      new Fault(
        'sandbox_gone',
        `Cannot reach the sandbox: its connection closed ${while_}`,
        ...(cause === undefined ? [] : ([{ cause }] as const)),
      ),
    );
  }
}

/** The same fault for a later caller, with a stack of its own. */
function again(reason: Fault): Fault {
  return new Fault(reason.code, reason.message, { details: reason.details, cause: reason });
}
