import { describe, expect, it } from 'vitest';
import { type FileSecret, openStream, sealStream } from './sealed-stream.ts';

const KEY: FileSecret = { kind: 'key', key: Buffer.alloc(32, 7) };
const CONTENT = Buffer.alloc(200_000, 'secret ');

async function* inPieces(bytes: Uint8Array, size = 10_007): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

const isWiped = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
const seal = async (): Promise<Buffer> => Buffer.concat(await Array.fromAsync(sealStream(KEY, inPieces(CONTENT))));

describe('a sealed stream that is opened', () => {
  it('has each piece until the next is asked for, and wipes it then', async () => {
    const pieces: Buffer[] = [];
    const copies: Buffer[] = [];
    for await (const piece of openStream(KEY, inPieces(await seal()))) {
      expect(pieces.every(isWiped)).toBe(true);
      pieces.push(piece);
      copies.push(Buffer.from(piece));
    }
    expect(Buffer.concat(copies).equals(CONTENT)).toBe(true);
    expect([pieces.length, pieces.every(isWiped)]).toEqual([4, true]);
  });

  it('wipes the piece at which somebody stops reading', async () => {
    const pieces: Buffer[] = [];
    for await (const piece of openStream(KEY, inPieces(await seal()))) {
      pieces.push(piece);
      break;
    }
    expect(pieces.map(isWiped)).toEqual([true]);
  });

  it('leaves the key of the caller as it is', async () => {
    await Array.fromAsync(openStream(KEY, inPieces(await seal())));
    expect(KEY).toEqual({ kind: 'key', key: Buffer.alloc(32, 7) });
  });
});
