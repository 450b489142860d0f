/** What stands in frames: arrays of deterministic CBOR, the first element says which. Bytes that would be written otherwise are not read. */
import { hash } from 'node:crypto';
import { type DecodeOptions, decode } from 'cborg';
import { encodeCbor } from './encode-cbor.ts';
import { HASH_BYTES } from './merkle.ts';

const FORMAT = 1;
const SIGNATURE_BYTES = 64;

/** Never a value that could be written in two ways. */
export const STRICT: DecodeOptions = Object.freeze({
  strict: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
});

/** Begins each file. `chain` is the hash that the chain has come to. */
export type FileRecord = {
  readonly kind: 'file';
  readonly day: string;
  readonly part: number;
  readonly seq: number;
  readonly chain: Buffer;
};
export type EntryRecord = {
  readonly kind: 'entry';
  readonly seq: number;
  readonly at: number;
  readonly chain: Buffer;
  readonly body: Buffer;
};
export type HeadRecord = {
  readonly kind: 'head';
  readonly size: number;
  readonly root: Buffer;
  readonly at: number;
  readonly keyId: string;
  readonly signature: Buffer;
};
/** Hashes of entries that were purged, in the place of their file. */
export type HashesRecord = { readonly kind: 'hashes'; readonly seq: number; readonly hashes: Buffer };
/** Ends such a file: whoever has the key purged it. `digest` is SHA-256 over all the hashes, `at` the time of the last entry. */
export type PurgeRecord = {
  readonly kind: 'purge';
  readonly seq: number;
  readonly count: number;
  readonly chain: Buffer;
  readonly digest: Buffer;
  readonly at: number;
  readonly purgedAt: number;
  readonly keyId: string;
  readonly signature: Buffer;
};

export type AuditRecord = FileRecord | EntryRecord | HeadRecord | HashesRecord | PurgeRecord;

export function encodeRecord(record: AuditRecord): Uint8Array {
  return encodeCbor(toList(record));
}

/** Undefined: no record that this version writes. */
export function decodeRecord(payload: Uint8Array): AuditRecord | undefined {
  let list: unknown;
  try {
    list = decode(payload, STRICT);
  } catch {
    return undefined; // Not CBOR, or not the one way to write it: whoever asks reports it.
  }
  return Array.isArray(list) ? fromList(list) : undefined;
}

/** What the chain is after a record that is no entry; after an entry it is the hash of its leaf. */
export function chainAfter(chain: Uint8Array, payload: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(2), chain, payload]), 'buffer');
}

function toList(record: AuditRecord): readonly unknown[] {
  switch (record.kind) {
    case 'file':
      return [0, FORMAT, record.day, record.part, record.seq, record.chain];
    case 'entry':
      return [1, record.seq, record.at, record.chain, record.body];
    case 'head':
      return [2, record.size, record.root, record.at, record.keyId, record.signature];
    case 'hashes':
      return [3, record.seq, record.hashes];
    case 'purge':
      return [4, record.seq, record.count, record.chain, record.digest, record.at, record.purgedAt, record.keyId, record.signature];
    default:
      return record satisfies never;
  }
}

function fromList(list: readonly unknown[]): AuditRecord | undefined {
  const [tag, a, b, c, d, e, f, g, h] = list;
  switch (tag) {
    case 0:
      if (list.length === 6 && a === FORMAT && isText(b) && isCount(c) && isCount(d) && isHash(e))
        return { kind: 'file', day: b, part: c, seq: d, chain: toBuffer(e) };
      return undefined;
    case 1:
      if (list.length === 5 && isCount(a) && isCount(b) && isHash(c) && d instanceof Uint8Array)
        return { kind: 'entry', seq: a, at: b, chain: toBuffer(c), body: toBuffer(d) };
      return undefined;
    case 2:
      if (list.length === 6 && isCount(a) && isHash(b) && isCount(c) && isText(d) && isBytes(e, SIGNATURE_BYTES))
        return { kind: 'head', size: a, root: toBuffer(b), at: c, keyId: d, signature: toBuffer(e) };
      return undefined;
    case 3:
      if (list.length === 3 && isCount(a) && b instanceof Uint8Array && b.length > 0 && b.length % HASH_BYTES === 0)
        return { kind: 'hashes', seq: a, hashes: toBuffer(b) };
      return undefined;
    case 4:
      if (list.length !== 9 || !isCount(a) || !isCount(b) || !isHash(c) || !isHash(d) || !isCount(e) || !isCount(f)) return undefined;
      if (!isText(g) || !isBytes(h, SIGNATURE_BYTES)) return undefined;
      return {
        kind: 'purge',
        seq: a,
        count: b,
        chain: toBuffer(c),
        digest: toBuffer(d),
        at: e,
        purgedAt: f,
        keyId: g,
        signature: toBuffer(h),
      };
    default:
      return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function isHash(value: unknown): value is Uint8Array {
  return isBytes(value, HASH_BYTES);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
