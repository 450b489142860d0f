/**
 * The newest head, beside the log, so that a log that was cut off at an earlier head is noticed. Two slots are written in turn, in place: each lies in one
 * sector, so one of them is whole whatever happens, and no name changes and nothing has to be flushed for a call to be answered. A slot is written after
 * what it speaks of is on disk, so the log may be ahead of it (after a power failure by some groups), never behind.
 */
import { constants, writeSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { TreeHead } from './audit.ts';

const SLOT_BYTES = 512;
const NAME = 'head';

/** A head and where it stands: in which file, where its frame begins, and what the chain is after it. */
export type PlacedHead = { readonly head: TreeHead; readonly file: string; readonly offset: number; readonly chain: string };

export function headFileName(): string {
  return NAME;
}

export class HeadFile {
  readonly #file: FileHandle;
  #turn = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<HeadFile> {
    return new HeadFile(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600));
  }

  /** Takes the turn after the slot that holds the newest. */
  write(placed: PlacedHead): void {
    const turn = this.#turn;
    this.#turn = 1 - turn;
    writeSync(this.#file.fd, headSlot(placed), 0, SLOT_BYTES, turn * SLOT_BYTES); // So little, and into the kernel's cache: another thread would take longer.
  }

  /** Both slots, flushed. */
  async fill(placed: PlacedHead): Promise<void> {
    this.write(placed);
    this.write(placed);
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

export function headSlot({ head, file, offset, chain }: PlacedHead): Buffer {
  const text = JSON.stringify([head.size, head.root, head.at, head.keyId, head.signature, file, offset, chain]);
  return Buffer.from(`${text.padEnd(SLOT_BYTES - 1)}\n`);
}

/** Undefined: there is no such file. A slot that is not as it was written is undefined. */
export async function readHeadFile(path: string): Promise<readonly (PlacedHead | undefined)[] | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const slots = [0, 1].map((slot) => readSlot(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES)));
  return bytes.length === 2 * SLOT_BYTES ? slots : [undefined, undefined];
}

function readSlot(bytes: Buffer): PlacedHead | undefined {
  let list: unknown;
  try {
    list = JSON.parse(bytes.toString());
  } catch {
    return undefined; // Not as it was written: the caller says what that means.
  }
  if (!Array.isArray(list)) return undefined;
  const [size, root, at, keyId, signature, file, offset, chain] = list as readonly unknown[];
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(at) || !Number.isSafeInteger(offset)) return undefined;
  if (typeof root !== 'string' || typeof keyId !== 'string' || typeof signature !== 'string') return undefined;
  if (typeof file !== 'string' || typeof chain !== 'string') return undefined;
  const head = { size: Number(size), root, at: Number(at), keyId, signature };
  const placed = { head, file, offset: Number(offset), chain };
  return headSlot(placed).equals(bytes) ? placed : undefined;
}
