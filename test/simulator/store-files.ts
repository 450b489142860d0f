/** The files of a store, as a death leaves them. */
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Random } from '@warren/kernel/testing';

export const DATABASE = 'kernel.db';
export const LOG = 'kernel.db-wal';
const TORN_BYTES = 512;

/** What a power failure does to bytes nobody was told of: they are there, or some are missing, or wrong. */
export type Tear = 'none' | 'cut' | 'spoil';

export function tear(log: string, sureBytes: number, how: Tear, random: Random): void {
  const size = sizeOf(log);
  if (how === 'none' || size <= sureBytes) return;
  const from = sureBytes + random.below(size - sureBytes);
  if (how === 'cut') truncateSync(log, from);
  else spoil(log, from, Buffer.alloc(Math.min(TORN_BYTES, size - from), random.below(256)));
}

function spoil(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, undefined, at);
  closeSync(file);
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Through a connection of its own, as any reader of the store may do. */
export function checkpoint(directory: string): void {
  const database = new DatabaseSync(join(directory, DATABASE));
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}
