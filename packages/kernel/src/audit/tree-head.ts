/** Tree heads and purges as they are signed. Each text begins with what it is, so that no signature can be used for something else. */
import { type KeyObject, verify } from 'node:crypto';
import type { TreeHead } from './audit.ts';
import type { AuditKey } from './audit-key.ts';
import type { HeadRecord, PurgeRecord } from './records.ts';

export type UnsignedPurge = Omit<PurgeRecord, 'kind' | 'keyId' | 'signature'>;

export function signHead(key: AuditKey, size: number, root: Buffer, at: number): HeadRecord {
  const text = headText({ size, root: root.toString('hex'), at, keyId: key.id });
  return { kind: 'head', size, root, at, keyId: key.id, signature: key.sign(text) };
}

export function toTreeHead({ size, root, at, keyId, signature }: HeadRecord): TreeHead {
  return { size, root: root.toString('hex'), at, keyId, signature: signature.toString('base64') };
}

export function isSignedHead(head: TreeHead, publicKey: KeyObject, keyId: string): boolean {
  const signature = Buffer.from(head.signature, 'base64');
  if (head.keyId !== keyId || signature.toString('base64') !== head.signature) return false;
  return verify(null, headText(head), publicKey, signature);
}

export function signPurge(key: AuditKey, purge: UnsignedPurge): PurgeRecord {
  return { kind: 'purge', ...purge, keyId: key.id, signature: key.sign(purgeText({ ...purge, keyId: key.id })) };
}

export function isSignedPurge(purge: PurgeRecord, publicKey: KeyObject, keyId: string): boolean {
  return purge.keyId === keyId && verify(null, purgeText(purge), publicKey, purge.signature);
}

function headText({ size, root, at, keyId }: Omit<TreeHead, 'signature'>): Buffer {
  return Buffer.from(`warren audit: tree head, format 1\n${keyId}\n${size}\n${root}\n${at}\n`);
}

function purgeText({ seq, count, chain, digest, at, purgedAt, keyId }: Omit<PurgeRecord, 'kind' | 'signature'>): Buffer {
  const hashes = `${chain.toString('hex')}\n${digest.toString('hex')}`;
  return Buffer.from(`warren audit: purge, format 1\n${keyId}\n${seq}\n${count}\n${hashes}\n${at}\n${purgedAt}\n`);
}
