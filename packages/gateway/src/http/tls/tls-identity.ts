/** Certificate and key as they stand in files, and what has changed there since. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import type { TlsPaths } from './self-signed.ts';

const FILE_BYTES_MAX = 2 ** 20;

export type TlsIdentity = {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate, as browsers and openssl show it. */
  readonly fingerprint: string;
  readonly validUntil: number;
  /** Changes when the files do. */
  readonly version: string;
};

/** Throws `invalid_argument` for what is no certificate, no key, or not the key of the certificate. */
export function readTlsIdentity(paths: TlsPaths): TlsIdentity {
  const version = versionOf(paths);
  const cert = read(paths.cert, 'certificate');
  const key = read(paths.key, 'key');
  const leaf = attempt(paths.cert, 'certificate', () => new X509Certificate(cert));
  const isOfKey = attempt(paths.key, 'key', () => leaf.checkPrivateKey(createPrivateKey(key)));
  if (!isOfKey) throw unusable(paths.key, 'key', `it is not that of the certificate ${paths.cert}`);
  return { cert, key, fingerprint: leaf.fingerprint256, validUntil: Date.parse(leaf.validTo), version };
}

/** Of files that cannot be looked at, a version that no others have. */
export function versionOf({ cert, key }: TlsPaths): string {
  return [cert, key]
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false, bigint: true });
      return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeNs}`;
    })
    .join(' ');
}

function read(path: string, what: string): string {
  const text = attempt(path, what, () => readFileSync(path, 'utf8'));
  if (text.length > FILE_BYTES_MAX) throw unusable(path, what, `it is larger than ${FILE_BYTES_MAX} bytes`);
  return text;
}

function attempt<T>(path: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw unusable(path, what, code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`);
  }
}

function unusable(path: string, what: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot serve TLS with the ${what} ${path}: ${why}`, { details: { path } });
}
