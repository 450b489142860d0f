/** A file of certificates of authorities, as companies have them: read and checked once, when somebody names it. */
import { X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Fault } from '@warren/protocol';

const BYTES_MAX = 1_048_576;
const CERTIFICATES_MAX = 1_000;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Those that Node trusts, and those of the file: for `TlsOptions.ca`. `what` names the setting, as `egress.ca_file`. Faults: `not_found`, `permission_denied`,
 * `too_large`, `invalid_argument` (it holds no certificate, or one that is none).
 */
export async function readAuthorities(path: string, what: string): Promise<readonly string[]> {
  const text = await readText(path, what);
  const own = text.match(CERTIFICATE) ?? [];
  if (own.length === 0) throw refused('invalid_argument', path, what, 'it holds no certificate in PEM');
  if (own.length > CERTIFICATES_MAX)
    throw refused('too_large', path, what, `it holds ${own.length} certificates, ${CERTIFICATES_MAX} are allowed`);
  for (const [index, pem] of own.entries()) requireCertificate(pem, index, path, what);
  const { rootCertificates } = await import('node:tls'); // Takes its time to load, and few need it.
  return [...rootCertificates, ...own];
}

function requireCertificate(pem: string, index: number, path: string, what: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw refused('invalid_argument', path, what, `its certificate ${index + 1} is none`, cause);
  }
}

async function readText(path: string, what: string): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // A pipe would wait for somebody to write.
    const stat = await file.stat();
    if (!stat.isFile()) throw refused('invalid_argument', path, what, 'it is no file');
    if (stat.size > BYTES_MAX) throw refused('too_large', path, what, `it has ${stat.size} bytes, ${BYTES_MAX} are allowed`);
    return await file.readFile('latin1');
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { code = 'unknown' } = error as NodeJS.ErrnoException; // The file system throws nothing else.
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refused('not_found', path, what, 'there is no such file', error);
    if (code === 'EACCES' || code === 'EPERM') throw refused('permission_denied', path, what, 'it may not be read', error);
    throw refused('invalid_argument', path, what, `it cannot be read (${code})`, error);
  }
}

type Code = 'not_found' | 'permission_denied' | 'too_large' | 'invalid_argument';

function refused(code: Code, path: string, what: string, why: string, cause?: unknown): Fault {
  return new Fault(code, `Cannot use ${path} for ${what}: ${why}`, { details: { path, field: what }, cause });
}
