/** The certificate of a daemon nobody gave one: made once, kept in its state directory, and made anew when it does not fit any more. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '@warren/platform';

const DAY_MS = 86_400_000;
const RENEWED_BEFORE_MS = 30 * DAY_MS;

export type TlsPaths = { readonly cert: string; readonly key: string };

/** Returns where it stands. Certificate and key are mode 0600 in a directory of mode 0700. */
export function keepSelfSigned(directory: string, names: readonly string[], now = new Date()): TlsPaths {
  const paths = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  if (isFit(paths, names, now)) return paths;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const made = makeCertificate(names, now);
  // The key first: a certificate without its key is no fit, and made anew.
  replace(paths.key, made.key);
  replace(paths.cert, made.cert);
  return paths;
}

/** By what clients call this machine; of an address that stands for all of them, each. */
export function ownNames(hosts: readonly string[]): readonly string[] {
  const all = hosts.flatMap((host) => (host === '0.0.0.0' || host === '::' ? everyName() : [host.toLowerCase()]));
  return [...new Set(['localhost', '127.0.0.1', '::1', ...all])];
}

function everyName(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address.replace(/%.*$/, '')));
  const name = hostname().toLowerCase();
  return [...addresses, ...(/^[a-z0-9.-]{1,253}$/.test(name) ? [name] : [])];
}

function isFit({ cert, key }: TlsPaths, names: readonly string[], now: Date): boolean {
  try {
    const found = new X509Certificate(readFileSync(cert));
    readFileSync(key);
    const isLasting = Date.parse(found.validTo) - now.getTime() > RENEWED_BEFORE_MS;
    return isLasting && names.every((name) => (isIP(name) === 0 ? found.checkHost(name) : found.checkIP(name)) !== undefined);
  } catch {
    return false; // There is none, or none of ours.
  }
}

function replace(path: string, text: string): void {
  const made = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(made, text, { flag: 'wx', mode: 0o600 });
  renameSync(made, path);
}
