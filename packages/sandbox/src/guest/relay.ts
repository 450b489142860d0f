/**
 * Connections that commands make to the relay port inside, as streams of the host. pid 1 accepts them; each is a channel of the guest connection, so the
 * host says how many there may be and how much each may send ahead, and what is inside reaches whoever serves the streams and nothing else.
 */
import { Duplex } from 'node:stream';
import type { Fault } from '@warren/protocol';
import { SIGNALS } from '../signals.ts';
import type { Channel, ChannelListener, ChannelTraits, OutputName } from './channel.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { RawExit } from './exit-message.ts';
import { allocateFrame } from './frame.ts';
import { FRAME, HEADER_BYTES } from './frame-types.ts';
import type { GuestClient } from './guest-client.ts';

export type RelayOptions = {
  /** Of 127.0.0.1 inside. */
  readonly port: number;
  /** Open at once; the kernel holds off more. */
  readonly connectionsMax?: number | undefined;
  /** Takes over each. */
  readonly serve: (connection: Duplex) => void;
};

const CONNECTIONS_MAX = 256;
/** Asked for ahead, so that whoever connects is served at once. */
const AWAITING_MAX = 16;
/** What each may send ahead: with all of them, what a sandbox can make the host hold. */
const AHEAD_BYTES = 65_536;
const TRAITS: ChannelTraits = {
  isCommand: true,
  isConnection: true,
  hasStdout: true,
  hasStderr: false,
  hasStdin: true,
  windowBytes: AHEAD_BYTES,
};

export class Relay {
  /** Why there is none: the port cannot be had. Known once pid 1 has answered a later request. */
  failure: RawExit | undefined;
  readonly #client: GuestClient;
  readonly #options: RelayOptions;
  #open = 0;
  #awaiting = 0;

  /** Before any command is started, so that none can take the port. */
  constructor(client: GuestClient, options: RelayOptions) {
    this.#client = client;
    this.#options = options;
    this.#ask();
  }

  connected(connection: Duplex): void {
    this.#awaiting -= 1;
    this.#ask();
    this.#options.serve(connection);
  }

  ended(exit: RawExit | undefined, wasConnected: boolean): void {
    this.#open -= 1;
    if (wasConnected) {
      this.#ask();
      return;
    }
    this.#awaiting -= 1;
    this.failure ??= exit;
  }

  #ask(): void {
    const { port, connectionsMax = CONNECTIONS_MAX } = this.#options;
    while (this.failure === undefined && !this.#client.isClosed && this.#awaiting < AWAITING_MAX && this.#open < connectionsMax) {
      const frame = allocateFrame(FRAME.ACCEPT, 0, 8);
      frame.writeUInt32LE(port, HEADER_BYTES); // Two bytes of port, two of zero.
      frame.writeUInt32LE(AHEAD_BYTES, HEADER_BYTES + 4);
      const connection = new RelayConnection(this);
      try {
        connection.attach(this.#client.open(frame, TRAITS, connection));
      } catch {
        return; // Every channel is taken by commands: it asks again when a connection has ended.
      }
      this.#open += 1;
      this.#awaiting += 1;
    }
  }
}

/** One connection: what is read from it was sent inside. Destroyed before both sides have ended, it breaks inside. */
class RelayConnection extends Duplex implements ChannelListener {
  readonly #relay: Relay;
  /** What has come and nobody has asked for; never more than the window. */
  readonly #queue = new ChunkQueue();
  #channel: Channel | undefined;
  #isConnected = false;
  #isWanted = false;
  #hasAllCome = false;

  constructor(relay: Relay) {
    super({ allowHalfOpen: true });
    this.#relay = relay;
    this.on('error', () => {}); // Whoever serves it hears of its end; one that is only awaited has nobody.
  }

  attach(channel: Channel): void {
    this.#channel = channel;
  }

  started(): void {
    this.#isConnected = true;
    this.#relay.connected(this);
  }

  output(_stream: OutputName, bytes: Buffer): void {
    this.#queue.push(bytes);
    if (this.#isWanted) this.#pass();
  }

  outputEnded(stream: OutputName): void {
    if (stream !== 'stdout') return;
    this.#hasAllCome = true;
    if (this.#isWanted) this.#pass();
  }

  exited(exit: RawExit): void {
    this.#relay.ended(exit, this.#isConnected);
    if (exit.kind === 'failed') this.destroy(new Error('The connection was broken inside'));
  }

  lost(fault: Fault): void {
    this.#relay.ended(undefined, this.#isConnected);
    this.destroy(fault);
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pass();
  }

  override _write(chunk: Buffer, _encoding: unknown, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel?.input?.close();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isWhole = this.readableEnded && this.writableFinished;
    if (!isWhole && this.#isConnected) this.#channel?.signal(SIGNALS.SIGKILL, 'process');
    const bytes = this.#queue.clear();
    if (bytes > 0) this.#channel?.grant('stdout', bytes);
    done(error);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    const input = this.#channel?.input;
    if (input === undefined) done(new Error('There is no connection'));
    else input.write(bytes).then(() => done(), done);
  }

  #pass(): void {
    for (let piece = this.#queue.shift(); piece !== undefined; piece = this.#queue.shift()) {
      this.#channel?.grant('stdout', piece.length);
      if (this.push(piece)) continue;
      this.#isWanted = false;
      return;
    }
    if (this.#hasAllCome) this.push(null);
  }
}
