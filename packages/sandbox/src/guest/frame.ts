/**
 * Frames: 12 bytes of header (payload length, type, three zero bytes, channel), then the payload. One encoder, one incremental decoder.
 *
 * Ownership: a payload the decoder hands out is a view of the chunk it came in, or a buffer of its own when it came in pieces. It is never
 * written again, as long as chunks are not reused by whoever pushes them: sockets of Node give a fresh buffer with every read unless
 * they are opened with `onread`, so here they may not be. Whoever keeps a small view for long keeps its whole chunk alive with it.
 */
import { Fault } from '@warren/protocol';
import { type FrameRules, HEADER_BYTES } from './frame-types.ts';

const EMPTY: Buffer = Buffer.alloc(0);

/** A frame in one buffer, ready to be written. */
export function encodeFrame(type: number, channel: number, payload: Uint8Array = EMPTY): Buffer {
  const frame = allocateFrame(type, channel, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** A frame whose payload (`length` bytes from HEADER_BYTES on) the caller fills before it writes it. */
export function allocateFrame(type: number, channel: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt32LE(type, 4); // The type is the lowest byte; the three above it are the zero padding.
  frame.writeUInt32LE(channel, 8);
  return frame;
}

/** Gives an encoded frame its channel. */
export function setChannel(frame: Buffer, channel: number): void {
  frame.writeUInt32LE(channel, 8);
}

/** Receives frames in the order they came. May throw: the decoder then stops for good and the error goes to whoever pushed. */
export interface FrameReceiver {
  receiveFrame(type: number, channel: number, payload: Buffer): void;
}

/** Cuts a byte stream into frames, however it is chunked. Holds at most one payload that has not come whole, and checks its length before it does. */
export class FrameDecoder {
  readonly #rules: FrameRules;
  readonly #receiver: FrameReceiver;
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #type = 0;
  #channel = 0;
  #payload: Buffer | undefined;
  #payloadBytes = 0;
  #isStopped = false;

  constructor(rules: FrameRules, receiver: FrameReceiver) {
    this.#rules = rules;
    this.#receiver = receiver;
  }

  /** Takes the next bytes of the stream. Throws `protocol_error` when they cannot be frames, and whatever the receiver throws. */
  push(chunk: Buffer): void {
    try {
      this.#decode(chunk);
    } catch (error) {
      this.#isStopped = true;
      throw error;
    }
  }

  /** Ignores everything from now on, also the rest of a chunk that is being decoded. */
  stop(): void {
    this.#isStopped = true;
    this.#payload = undefined;
  }

  #decode(chunk: Buffer): void {
    const end = chunk.length;
    let at = 0;
    while (at < end && !this.#isStopped) {
      if (this.#payload === undefined) {
        let length: number;
        if (this.#headerBytes === 0 && end - at >= HEADER_BYTES) {
          length = this.#readHeader(chunk, at);
          at += HEADER_BYTES;
        } else {
          const taken = Math.min(HEADER_BYTES - this.#headerBytes, end - at);
          chunk.copy(this.#header, this.#headerBytes, at, at + taken);
          this.#headerBytes += taken;
          at += taken;
          if (this.#headerBytes < HEADER_BYTES) return;
          this.#headerBytes = 0;
          length = this.#readHeader(this.#header, 0);
        }
        if (end - at >= length) {
          at += length;
          this.#receiver.receiveFrame(this.#type, this.#channel, length === 0 ? EMPTY : chunk.subarray(at - length, at));
          continue;
        }
        this.#payload = Buffer.allocUnsafeSlow(length); // Not from the pool: it may be kept for long.
        this.#payloadBytes = 0;
      }
      const payload = this.#payload;
      const taken = Math.min(payload.length - this.#payloadBytes, end - at);
      chunk.copy(payload, this.#payloadBytes, at, at + taken);
      this.#payloadBytes += taken;
      at += taken;
      if (this.#payloadBytes === payload.length) {
        this.#payload = undefined;
        this.#receiver.receiveFrame(this.#type, this.#channel, payload);
      }
    }
  }

  /** Checks a header before anything is allocated by what it says. */
  #readHeader(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32LE(at);
    const typeAndPadding = bytes.readUInt32LE(at + 4);
    const rules = this.#rules;
    if (typeAndPadding > 0xff) throw malformed(rules, 'the padding of a frame is not zero');
    if (!rules.has(typeAndPadding)) throw malformed(rules, `it sent a frame of the type 0x${typeAndPadding.toString(16)}`);
    if (length < rules.bytesMin(typeAndPadding) || length > rules.bytesMax(typeAndPadding)) {
      throw malformed(rules, `a frame of the type 0x${typeAndPadding.toString(16)} has a payload of ${length} bytes`);
    }
    this.#type = typeAndPadding;
    this.#channel = bytes.readUInt32LE(at + 8);
    return length;
  }
}

function malformed(rules: FrameRules, what: string): Fault<'protocol_error'> {
  return new Fault('protocol_error', `Cannot understand the ${rules.sender}: ${what}`);
}
