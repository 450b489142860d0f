/** Frames of a file: length, CRC-32 over length and content, content. The check finds torn tails; against people there are hashes and signatures. */
import { crc32 } from 'node:zlib';
import { FRAME_BYTES_MAX } from './limits.ts';

export const FRAME_HEAD_BYTES = 8;

export function toFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.set(payload, FRAME_HEAD_BYTES);
  frame.writeUInt32BE(checkOf(frame.subarray(0, 4), payload), 4);
  return frame;
}

/** `short`: the bytes end before the frame does, which takes `needed`. `damaged`: the length is absurd, so where the next frame begins is unknown. */
export type FrameRead =
  | { readonly kind: 'frame'; readonly payload: Buffer; readonly end: number; readonly isIntact: boolean }
  | { readonly kind: 'short'; readonly needed: number }
  | { readonly kind: 'damaged' };

export function readFrame(bytes: Buffer, offset: number): FrameRead {
  if (bytes.length - offset < FRAME_HEAD_BYTES) return { kind: 'short', needed: FRAME_HEAD_BYTES };
  const length = bytes.readUInt32BE(offset);
  if (length === 0 || length > FRAME_BYTES_MAX) return { kind: 'damaged' };
  const start = offset + FRAME_HEAD_BYTES;
  const end = start + length;
  if (end > bytes.length) return { kind: 'short', needed: FRAME_HEAD_BYTES + length };
  const payload = bytes.subarray(start, end);
  return { kind: 'frame', payload, end, isIntact: checkOf(bytes.subarray(offset, offset + 4), payload) === bytes.readUInt32BE(offset + 4) };
}

function checkOf(length: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(length));
}
