/** The key that signs heads. It is made at the first start and never replaced: a log whose key is gone is not continued. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '@warren/protocol';
import { syncDirectory, writeNewFile } from './write-new-file.ts';

export type AuditKey = {
  /** SHA-256 of the public key, hexadecimal, first 16 characters. */
  readonly id: string;
  readonly publicKey: KeyObject;
  /** SPKI in PEM. */
  readonly pem: string;
  sign(text: Buffer): Buffer;
};

/**
 * The key of a log that is being begun stands beside its place until the log does: whoever finds a key in its place knows that there was a log. What a crash left of a
 * beginning is used.
 */
export async function stageAuditKey(path: string): Promise<AuditKey> {
  const staged = stagedPath(path);
  if (!existsSync(staged)) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeNewFile(staged, pem);
  }
  return readKey(readFileSync(staged, 'utf8'));
}

/** Of a log that is there. Faults: `store_failed`. */
export async function openAuditKey(path: string): Promise<AuditKey> {
  const staged = stagedPath(path);
  if (existsSync(staged) && !existsSync(path)) {
    await rename(staged, path);
    await syncDirectory(dirname(path));
  }
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Fault('store_failed', 'Cannot open the audit: the private key of its log cannot be read', {
      cause: error,
      details: { audit: 'key', path },
    });
  }
  return readKey(pem);
}

function stagedPath(path: string): string {
  return `${path}.new`;
}

/** Takes a public key as PEM. Faults: `invalid_argument`. */
export function readPublicKey(pem: string): { readonly publicKey: KeyObject; readonly id: string } {
  try {
    const publicKey = createPublicKey(pem);
    if (publicKey.asymmetricKeyType === 'ed25519') return { publicKey, id: idOf(publicKey) };
  } catch (error) {
    throw new Fault('invalid_argument', 'Cannot verify: the public key is no key in PEM', { cause: error });
  }
  throw new Fault('invalid_argument', 'Cannot verify: the public key is not of the kind Ed25519');
}

function readKey(pem: string): AuditKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Fault('store_failed', 'Cannot open the audit: its private key is damaged', { cause: error, details: { audit: 'key' } });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Fault('store_failed', 'Cannot open the audit: its private key is not of the kind Ed25519');
  const publicKey = createPublicKey(key);
  return {
    id: idOf(publicKey),
    publicKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (text) => sign(null, text, key),
  };
}

function idOf(publicKey: KeyObject): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' })).slice(0, 16);
}
