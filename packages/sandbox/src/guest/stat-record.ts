/** Stat records: what LIST and STAT answer with, one after the other in the byte stream of stdout. */
import { Fault } from '@warren/protocol';
import type { Entry } from '../contract.ts';
import { readU64 } from './exit-message.ts';

/** Bytes before the name. */
export const RECORD_HEAD_BYTES = 40;
const PERMISSIONS_MAX = 0o7777;

const KINDS: Readonly<Record<string, Entry['kind']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  c: 'character_device',
  b: 'block_device',
  p: 'fifo',
  s: 'socket',
};

/**
 * Reads records however the stream is cut. Names come from the guest: one that could not be the name of a directory entry is a
 * `protocol_error`, so that joining it to a path of the host would lead nowhere else. Bytes that are not UTF-8 become U+FFFD.
 */
export class StatRecordDecoder {
  readonly #onEntry: (entry: Entry) => void;
  /** `any`: the answer to STAT may call the entry "." when the path has no last component. */
  readonly #names: 'entry' | 'any';
  /** The beginning of a record whose rest has not come. */
  #rest: Buffer | undefined;

  constructor(names: 'entry' | 'any', onEntry: (entry: Entry) => void) {
    this.#names = names;
    this.#onEntry = onEntry;
  }

  push(bytes: Buffer): void {
    // The rest is shorter than a record, so less than 64 KiB.
    const input = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = undefined;
    let at = 0;
    while (at < input.length) {
      const available = input.length - at;
      const length = available < 2 ? undefined : input.readUInt16LE(at);
      if (length !== undefined && length < RECORD_HEAD_BYTES) throw malformed(`a record of ${length} bytes`);
      if (length === undefined || available < length) {
        this.#rest = Buffer.from(input.subarray(at)); // A copy: it may be a few bytes of a large chunk.
        return;
      }
      this.#onEntry(decodeRecord(input.subarray(at, at + length), this.#names));
      at += length;
    }
  }

  /** At the end of the stream. */
  end(): void {
    if (this.#rest !== undefined) throw malformed('the last record is cut off');
  }
}

function decodeRecord(record: Buffer, names: 'entry' | 'any'): Entry {
  const kind = KINDS[String.fromCharCode(record.readUInt8(2))];
  const mode = record.readUInt32LE(4);
  const nanoseconds = record.readUInt32LE(32);
  const nameBytes = record.readUInt16LE(36);
  const targetBytes = record.readUInt16LE(38);
  if (kind === undefined) throw malformed(`a file of the kind ${record.readUInt8(2)}`);
  if (record.readUInt8(3) !== 0) throw malformed('a record with padding that is not zero');
  if (mode > PERMISSIONS_MAX) throw malformed(`the mode 0${mode.toString(8)}`);
  if (nanoseconds > 999_999_999) throw malformed(`a time with ${nanoseconds} nanoseconds`);
  if (RECORD_HEAD_BYTES + nameBytes + targetBytes !== record.length) {
    throw malformed(`a record of ${record.length} bytes with a name of ${nameBytes} and a target of ${targetBytes}`);
  }
  if (targetBytes > 0 && kind !== 'symlink') throw malformed(`a ${kind} with a link target`);
  const name = record.toString('utf8', RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + nameBytes);
  const target = record.toString('utf8', RECORD_HEAD_BYTES + nameBytes);
  if (name.includes('\0') || name.includes('/') || (names === 'entry' && (name === '' || name === '.' || name === '..'))) {
    throw malformed(`an entry with the name ${JSON.stringify(name.slice(0, 100))}`);
  }
  if (target.includes('\0')) throw malformed('a link target with a NUL character');
  return {
    name,
    kind,
    mode,
    uid: record.readUInt32LE(8),
    gid: record.readUInt32LE(12),
    size: readU64(record, 16),
    mtimeMs: (record.readUInt32LE(24) + record.readInt32LE(28) * 0x1_0000_0000) * 1_000 + nanoseconds / 1_000_000,
    ...(kind === 'symlink' ? { target } : {}),
  };
}

function malformed(what: string): Fault<'protocol_error'> {
  return new Fault('protocol_error', `Cannot understand what the sandbox says about a file: ${what}`);
}
