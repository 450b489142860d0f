/** Test support: stat records as the guest writes them. */
import type { Stats } from 'node:fs';
import { RECORD_HEAD_BYTES } from '../stat-record.ts';

export type RecordFields = {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
};

export function encodeRecord(name: string, fields: RecordFields, target = ''): Buffer {
  const nameBytes = Buffer.from(name);
  const targetBytes = Buffer.from(target);
  const record = Buffer.alloc(RECORD_HEAD_BYTES + nameBytes.length + targetBytes.length);
  record.writeUInt16LE(record.length, 0);
  record.write(fields.kind, 2, 'latin1');
  record.writeUInt32LE(fields.mode, 4);
  record.writeUInt32LE(fields.uid, 8);
  record.writeUInt32LE(fields.gid, 12);
  record.writeBigUInt64LE(BigInt(fields.size), 16);
  const seconds = Math.floor(fields.mtimeMs / 1_000);
  record.writeBigInt64LE(BigInt(seconds), 24);
  record.writeUInt32LE(Math.floor((fields.mtimeMs - seconds * 1_000) * 1_000_000), 32);
  record.writeUInt16LE(nameBytes.length, 36);
  record.writeUInt16LE(targetBytes.length, 38);
  nameBytes.copy(record, RECORD_HEAD_BYTES);
  targetBytes.copy(record, RECORD_HEAD_BYTES + nameBytes.length);
  return record;
}

export function encodeStatRecord(name: string, status: Stats, target: string): Buffer {
  const { uid, gid, size, mtimeMs } = status;
  return encodeRecord(name, { kind: kindOf(status), mode: status.mode & 0o7777, uid, gid, size, mtimeMs }, target);
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'd';
  if (status.isSymbolicLink()) return 'l';
  if (status.isCharacterDevice()) return 'c';
  if (status.isBlockDevice()) return 'b';
  if (status.isFIFO()) return 'p';
  return status.isSocket() ? 's' : 'f';
}
