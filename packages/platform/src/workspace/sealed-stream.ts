/**
 * A file that only its passphrase or key opens: a head that says how its key is made, and pieces of 64 KiB, each sealed with AES-256-GCM under a key of this file alone. The number of a piece and whether it is the last are in its nonce, and
 * the head is associated data of each: pieces cannot be changed, swapped, repeated or left out, and a file that was cut off anywhere is refused.
 */
import { argon2, createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '@warren/protocol';

export type FileSecret = { readonly kind: 'passphrase'; readonly passphrase: string } | { readonly kind: 'key'; readonly key: Uint8Array };

const MAGIC = Buffer.from('WARREN-WORKSPACE\n');
const FORMAT = 1;
const PIECE_BYTES = 65_536;
const TAG_BYTES = 16;
const SALT_BYTES = 32;
const KEY_BYTES = 32;
const KEY_MATERIAL_BYTES_MIN = 32;
const PASSPHRASE_BYTES_MAX = 1_024;
/** The head: format, kind of key, cost of Argon2id (KiB, passes, lanes), salt. */
const HEAD_BYTES = 1 + 1 + 4 + 1 + 1 + SALT_BYTES;
/** RFC 9106, the second recommended choice. Files that ask for more are refused: what they cost is for us to say. */
const COST = { memoryKib: 65_536, passes: 3, lanes: 4 } as const;
const MEMORY_KIB_MAX = 1_048_576;
const PASSES_MAX = 16;
const LANES_MAX = 16;

const hashWith = promisify(argon2);

/** Faults: `invalid_argument` (the passphrase or key). Yields the bytes of the file. */
export async function* sealStream(secret: FileSecret, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(FORMAT, 0);
  head.writeUInt8(secret.kind === 'passphrase' ? 0 : 1, 1);
  head.writeUInt32BE(COST.memoryKib, 2);
  head.writeUInt8(COST.passes, 6);
  head.writeUInt8(COST.lanes, 7);
  randomBytes(SALT_BYTES).copy(head, 8);
  const key = await keyOf(secret, head);
  let held = Buffer.alloc(0);
  try {
    yield Buffer.concat([MAGIC, head]);
    let number = 0;
    for await (const bytes of content) {
      const before = held;
      held = Buffer.concat([held, bytes]);
      before.fill(0); // There may be secrets in it.
      // One piece is kept back, for it may be the last.
      while (held.length > PIECE_BYTES) {
        const piece = held.subarray(0, PIECE_BYTES);
        yield sealPiece(key, head, number++, false, piece);
        piece.fill(0);
        held = held.subarray(PIECE_BYTES);
      }
    }
    yield sealPiece(key, head, number, true, held);
  } finally {
    key.fill(0);
    held.fill(0);
  }
}

/** Yields the content, each piece after it was checked; the file is whole when this ends. A piece is wiped when the next is asked for. Faults: `permission_denied` (not the right passphrase or key), `invalid_argument` (no such file, changed, or cut off). */
export async function* openStream(secret: FileSecret, file: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  const reader = new Reader(file);
  const start = await reader.take(MAGIC.length + HEAD_BYTES);
  if (start.length < MAGIC.length + HEAD_BYTES || !start.subarray(0, MAGIC.length).equals(MAGIC))
    throw damaged('it is no exported workspace');
  const head = start.subarray(MAGIC.length);
  if (head[0] !== FORMAT) throw damaged(`it has format ${head[0]}, and this version reads ${FORMAT}`);
  if ((head[1] === 0) !== (secret.kind === 'passphrase')) throw wrong(`it was locked with a ${head[1] === 0 ? 'passphrase' : 'key'}`);
  const key = await keyOf(secret, head);
  try {
    for (let number = 0; ; number++) {
      const sealed = await reader.take(PIECE_BYTES + TAG_BYTES);
      const isLast = await reader.isAtEnd();
      if (sealed.length < TAG_BYTES) throw damaged('it is cut off');
      const plain = openPiece(key, head, number, isLast, sealed);
      if (plain === undefined)
        throw number === 0 && !isCutOff(key, head, number, isLast, sealed)
          ? wrong('that is not what it was locked with, or it was changed')
          : damaged('it was changed or cut off');
      try {
        yield plain;
      } finally {
        plain.fill(0); // There may be secrets in it.
      }
      if (isLast) return;
    }
  } finally {
    key.fill(0);
  }
}

function isCutOff(key: Buffer, head: Buffer, number: number, isLast: boolean, sealed: Buffer): boolean {
  const plain = isLast ? openPiece(key, head, number, false, sealed) : undefined;
  plain?.fill(0);
  return plain !== undefined;
}

async function keyOf(secret: FileSecret, head: Buffer): Promise<Buffer> {
  const [memory, passes, parallelism] = [head.readUInt32BE(2), head.readUInt8(6), head.readUInt8(7)];
  const salt = head.subarray(8);
  if (secret.kind === 'key') {
    if (secret.key.byteLength < KEY_MATERIAL_BYTES_MIN) throw invalid(`the key has fewer than ${KEY_MATERIAL_BYTES_MIN} bytes`);
    return Buffer.from(hkdfSync('sha256', secret.key, salt, 'warren exported workspace', KEY_BYTES));
  }
  const message = Buffer.from(secret.passphrase);
  if (message.length === 0 || message.length > PASSPHRASE_BYTES_MAX)
    throw invalid(`the passphrase has not 1 to ${PASSPHRASE_BYTES_MAX} bytes`);
  if (
    memory > MEMORY_KIB_MAX ||
    memory < 8 * parallelism ||
    passes === 0 ||
    passes > PASSES_MAX ||
    parallelism === 0 ||
    parallelism > LANES_MAX
  )
    throw damaged('it asks for a key that costs too much to make');
  try {
    return await hashWith('argon2id', { message, nonce: salt, memory, passes, parallelism, tagLength: KEY_BYTES });
  } finally {
    message.fill(0);
  }
}

function sealPiece(key: Buffer, head: Buffer, number: number, isLast: boolean, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, isLast), { authTagLength: TAG_BYTES }).setAAD(head);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function openPiece(key: Buffer, head: Buffer, number: number, isLast: boolean, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, isLast), { authTagLength: TAG_BYTES }).setAAD(head);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    decipher.final(); // Gives nothing in this mode, and checks the tag.
    return plain;
  } catch {
    plain.fill(0); // Nobody vouches for it.
    return undefined;
  }
}

/** Never twice under one key: the key is of one file, whose pieces are counted. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 0, 6);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

/** Takes so many bytes at a time from pieces of any size. */
class Reader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held = Buffer.alloc(0);
  #isDone = false;

  constructor(file: AsyncIterable<Uint8Array>) {
    this.#pieces = file[Symbol.asyncIterator]();
  }

  /** Fewer only at the end. */
  async take(count: number): Promise<Buffer> {
    await this.#fill(count);
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  async isAtEnd(): Promise<boolean> {
    await this.#fill(1);
    return this.#held.length === 0;
  }

  async #fill(count: number): Promise<void> {
    const parts = [this.#held];
    let length = this.#held.length;
    while (length < count && !this.#isDone) {
      const { value, done } = await this.#pieces.next();
      if (done === true) this.#isDone = true;
      else {
        parts.push(Buffer.from(value));
        length += value.length;
      }
    }
    this.#held = Buffer.concat(parts);
  }
}

function damaged(why: string): Fault {
  return new Fault('invalid_argument', `Cannot import the workspace: ${why}`, { details: { file: 'damaged' } });
}

function wrong(why: string): Fault {
  return new Fault('permission_denied', `Cannot import the workspace: ${why}`, { details: { file: 'locked' } });
}

function invalid(why: string): Fault {
  return new Fault('invalid_argument', `Cannot lock the file: ${why}`);
}
