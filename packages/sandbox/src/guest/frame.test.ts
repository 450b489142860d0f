import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, setChannel } from './frame.ts';
import { FRAME, FROM_GUEST, FROM_HOST, FROM_LAUNCHER, type FrameRules, HEADER_BYTES, PAYLOAD_BYTES_MAX } from './frame-types.ts';

type Frame = { readonly type: number; readonly channel: number; readonly payload: Buffer };

function decode(chunks: readonly Buffer[], rules: FrameRules = FROM_GUEST): { readonly frames: readonly Frame[]; readonly error: unknown } {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder(rules, { receiveFrame: (type, channel, payload) => frames.push({ type, channel, payload }) });
  try {
    for (const chunk of chunks) decoder.push(chunk);
  } catch (error) {
    return { frames, error };
  }
  return { frames, error: undefined };
}

function split(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => Buffer.from(bytes.subarray(at[index], end)));
}

const channel = fc.integer({ min: 0, max: 0xffff_ffff });
const output = fc.record({
  type: fc.constantFrom<number>(FRAME.STDOUT, FRAME.STDERR),
  channel,
  payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
});
const small = fc.record({
  type: fc.constantFrom<number>(FRAME.STARTED, FRAME.CREDIT),
  channel,
  payload: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
});
const frames = fc.array(fc.oneof(output, small), { maxLength: 12 });

describe('FrameDecoder', () => {
  it('gives the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 40 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((frame) => encodeFrame(frame.type, frame.channel, frame.payload)));
        expect(decode(split(bytes, cuts))).toEqual({ frames: sent, error: undefined });
      }),
    );
  });

  it('gives the same frames byte by byte', () => {
    const sent = [
      { type: FRAME.READY, channel: 0, payload: Buffer.alloc(0) },
      { type: FRAME.STDOUT, channel: 1, payload: Buffer.alloc(PAYLOAD_BYTES_MAX, 'abc') },
      { type: FRAME.STDOUT, channel: 0xffff_ffff, payload: Buffer.alloc(0) },
    ];
    const bytes = Buffer.concat(sent.map((frame) => encodeFrame(frame.type, frame.channel, frame.payload)));
    expect(decode(Array.from(bytes, (byte) => Buffer.from([byte]))).frames).toEqual(sent);
  });

  it('gives payloads that nothing writes to again', () => {
    const first = encodeFrame(FRAME.STDOUT, 1, Buffer.from('first'));
    const rest = encodeFrame(FRAME.STDOUT, 1, Buffer.from('second'));
    const { frames } = decode([first, rest.subarray(0, 14), rest.subarray(14)]);
    expect(frames.map(({ payload }) => payload.toString())).toEqual(['first', 'second']);
  });

  const HOSTILE: readonly (readonly [string, Buffer])[] = [
    ['a payload of one byte too many', header(PAYLOAD_BYTES_MAX + 1, FRAME.STDOUT)],
    ['a payload of 4 GiB', header(0xffff_ffff, FRAME.STDOUT)],
    ['padding', Buffer.from([0, 0, 0, 0, FRAME.STDOUT, 0, 0, 1, 1, 0, 0, 0])],
    ['the type 0', header(0, 0)],
    ['the type 255', header(0, 255)],
    ['a type of the host', header(0, FRAME.EXEC)],
    ['a type of the launcher', header(40, FRAME.GONE)],
    ['a READY that says something', header(1, FRAME.READY)],
    ['a STARTED without a pid', header(0, FRAME.STARTED)],
    ['a STARTED with more than a pid', header(8, FRAME.STARTED)],
    ['an EXIT that is too short', header(31, FRAME.EXIT)],
    ['a CREDIT that is too short', header(3, FRAME.CREDIT)],
    ['a PONG that is too long', header(65, FRAME.PONG)],
    ['a FAILED that says nothing', header(0, FRAME.FAILED)],
  ];
  it.each(HOSTILE)('refuses %s by its header alone, and everything after it', (_, bytes) => {
    const good = encodeFrame(FRAME.STDOUT, 1, Buffer.from('x'));
    const result = decode([good, bytes, good]);
    expect(isFault(result.error, 'protocol_error')).toBe(true);
    expect(result.frames).toHaveLength(1);
    const frames: unknown[] = [];
    const decoder = new FrameDecoder(FROM_GUEST, { receiveFrame: (...frame) => frames.push(frame) });
    expect(() => decoder.push(bytes)).toThrow();
    decoder.push(good);
    expect(frames).toEqual([]);
  });

  it('takes the largest payloads that are allowed', () => {
    expect(decode([encodeFrame(FRAME.EXEC, 1, Buffer.alloc(1_048_576))], FROM_HOST).frames).toHaveLength(1);
    expect(decode([encodeFrame(FRAME.GONE, 1, Buffer.alloc(PAYLOAD_BYTES_MAX))], FROM_LAUNCHER).frames).toHaveLength(1);
    expect(isFault(decode([header(1_048_577, FRAME.EXEC)], FROM_HOST).error, 'protocol_error')).toBe(true);
  });

  it('allocates nothing for a payload that it refuses, and one payload for what does not come', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 100 }, () => {
      const decoder = new FrameDecoder(FROM_GUEST, { receiveFrame: () => {} });
      expect(() => decoder.push(header(0xffff_ffff, FRAME.STDOUT))).toThrow();
      return decoder;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_048_576);
    expect(decoders).toHaveLength(100);
  });

  it('stops in the middle of a chunk when it is told to', () => {
    const seen: number[] = [];
    const decoder: FrameDecoder = new FrameDecoder(FROM_GUEST, {
      receiveFrame: (_, channel) => {
        seen.push(channel);
        if (channel === 2) decoder.stop();
      },
    });
    decoder.push(Buffer.concat([1, 2, 3].map((channel) => encodeFrame(FRAME.STDOUT, channel, Buffer.from('x')))));
    decoder.push(encodeFrame(FRAME.STDOUT, 4));
    expect(seen).toEqual([1, 2]);
  });

  it('passes on what the receiver throws, and gives it nothing more', () => {
    let count = 0;
    const decoder = new FrameDecoder(FROM_GUEST, {
      receiveFrame: () => {
        count++;
        throw new Error('a defect');
      },
    });
    const two = Buffer.concat([encodeFrame(FRAME.STDOUT, 1), encodeFrame(FRAME.STDOUT, 2)]);
    expect(() => decoder.push(two)).toThrow('a defect');
    decoder.push(two);
    expect(count).toBe(1);
  });
});

describe('encodeFrame', () => {
  it('writes the header of the protocol', () => {
    const frame = encodeFrame(FRAME.STDIN, 0x0102_0304, Buffer.from('hi'));
    expect([...frame]).toEqual([2, 0, 0, 0, FRAME.STDIN, 0, 0, 0, 4, 3, 2, 1, 104, 105]);
    setChannel(frame, 1_024);
    expect([...frame.subarray(8, HEADER_BYTES)]).toEqual([0, 4, 0, 0]);
  });
});

function header(length: number, type: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(length, 0);
  bytes[4] = type;
  bytes.writeUInt32LE(1, 8);
  return bytes;
}
