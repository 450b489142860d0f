/** The key that signs heads. It is made at the first start and never replaced: a log whose key is gone is not continued. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import { writeNewFile } from './write-new-file.ts';

export type AuditKey = {
  /** SHA-256 of the public key, hexadecimal, first 16 characters. */
  readonly id: string;
  readonly publicKey: KeyObject;
  /** SPKI in PEM. */
  readonly pem: string;
  sign(text: Buffer): Buffer;
};

/** Faults: `store_failed` (the file cannot be read, or is missing and `isNew` is false). */
export async function openAuditKey(path: string, isNew: boolean): Promise<AuditKey> {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isMissing(error) || !isNew) {
      throw new Fault('store_failed', 'Cannot open the audit: the private key of its log cannot be read', { cause: error });
    }
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeNewFile(path, pem);
  }
  return readKey(pem);
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
    throw new Fault('store_failed', 'Cannot open the audit: its private key is damaged', { cause: error });
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
