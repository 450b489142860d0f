/**
 * The key that unlocks the vault: made from a passphrase, or from bytes that somebody else keeps. It wraps the root keys and nothing else, so that another takes its place without any secret being
 * touched.
 */
import { argon2, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '@warren/protocol';
import { readPlainFile } from '../internal/read-plain-file.ts';

export type KeySource =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** At least 32 bytes that nobody can guess. */
  | { readonly kind: 'file'; readonly path: string }
  /** A credential that systemd hands to the service (`LoadCredential=`), by its name. */
  | { readonly kind: 'systemd'; readonly name: string }
  /** What the program prints, at least 32 bytes. It is started without a shell. */
  | { readonly kind: 'command'; readonly argv: readonly string[] };

export type KeySourceKind = KeySource['kind'];

/** How a key was made from a passphrase. Kept with the vault, so that what is asked of a new one can be raised. */
export type Argon2Parameters = { readonly memoryKib: number; readonly passes: number; readonly parallelism: number };

export type KeyParts = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Starts a program and returns what it printed. Throws when it fails. */
  readonly runCommand?: ((argv: readonly string[]) => Promise<Uint8Array>) | undefined;
};

/** RFC 9106, the second recommended choice. */
export const ARGON2: Argon2Parameters = { memoryKib: 65_536, passes: 3, parallelism: 4 };
const KEY_BYTES = 32;
/** As much as nobody can guess. */
const MATERIAL_BYTES_MIN = 32;
const MATERIAL_BYTES_MAX = 65_536;
/** Reading by others, and writing by anybody else. */
const FOREIGN_ACCESS = 0o027;
const PASSPHRASE_CHARACTERS_MAX = 1_024;

const hashWith = promisify(argon2);

/** Faults: `invalid_argument` (the source is unfit, in words for its owner), `unavailable` (a file or program that should give the key does not). */
export async function makeUnlockKey(
  source: KeySource,
  { salt, parameters }: { readonly salt: Uint8Array; readonly parameters: Argon2Parameters },
  parts: KeyParts,
): Promise<KeyObject> {
  const bytes =
    source.kind === 'passphrase' ? await stretch(source.passphrase, salt, parameters) : derive(await readMaterial(source, parts), salt);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

async function stretch(passphrase: string, nonce: Uint8Array, { memoryKib, passes, parallelism }: Argon2Parameters): Promise<Buffer> {
  if (passphrase.length === 0 || passphrase.length > PASSPHRASE_CHARACTERS_MAX) {
    throw new Fault(
      'invalid_argument',
      `Cannot use the passphrase of the vault: it has ${passphrase.length} characters, 1 to ${PASSPHRASE_CHARACTERS_MAX} are allowed`,
    );
  }
  const message = Buffer.from(passphrase.normalize('NFKC')); // The same characters, however the keyboard made them.
  try {
    return await hashWith('argon2id', { message, nonce, parallelism, tagLength: KEY_BYTES, memory: memoryKib, passes });
  } finally {
    message.fill(0);
  }
}

function derive(material: Uint8Array, salt: Uint8Array): Buffer {
  try {
    return Buffer.from(hkdfSync('sha256', material, salt, 'warren vault unlock', KEY_BYTES));
  } finally {
    material.fill(0);
  }
}

async function readMaterial(source: Exclude<KeySource, { kind: 'passphrase' }>, parts: KeyParts): Promise<Uint8Array> {
  const material = await readSource(source, parts);
  if (material.byteLength >= MATERIAL_BYTES_MIN && material.byteLength <= MATERIAL_BYTES_MAX) return material;
  throw new Fault(
    'invalid_argument',
    `Cannot use ${sayWhere(source)} as the key of the vault: it has ${material.byteLength} bytes, ${MATERIAL_BYTES_MIN} to ${MATERIAL_BYTES_MAX} are allowed`,
  );
}

async function readSource(source: Exclude<KeySource, { kind: 'passphrase' }>, parts: KeyParts): Promise<Uint8Array> {
  try {
    switch (source.kind) {
      case 'file':
        return await readKeyFile(source.path);
      case 'systemd':
        return await readFile(credentialPath(source.name, parts.environment));
      case 'command':
        if (parts.runCommand === undefined) throw new Error('no program can be started here');
        return await parts.runCommand(source.argv);
      default:
        return source satisfies never;
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('unavailable', `Cannot unlock the vault: ${sayWhere(source)} does not give its key (${why})`, { cause });
  }
}

/** Whoever may read it may read every secret, and whoever may write it can lock us out. */
async function readKeyFile(path: string): Promise<Uint8Array> {
  const { mode } = await stat(path);
  if ((mode & FOREIGN_ACCESS) !== 0)
    throw new Error(`others may read or change it, its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}; run: chmod 600 ${path}`);
  const found = await readPlainFile(path, { bytesMax: MATERIAL_BYTES_MAX, mayBeLink: true });
  if (found.kind === 'read') return found.bytes;
  throw new Error(`it ${found.reason}`);
}

/** systemd names the directory; a name with a slash would be a file somewhere else. */
function credentialPath(name: string, environment: KeyParts['environment']): string {
  const directory = environment['CREDENTIALS_DIRECTORY'];
  if (directory === undefined || !isAbsolute(directory))
    throw new Error('systemd handed over no credentials: CREDENTIALS_DIRECTORY is not set');
  if (!/^[A-Za-z0-9_.-]{1,255}$/.test(name) || name === '.' || name === '..')
    throw new Error(`${JSON.stringify(name)} is no name of a credential`);
  return join(directory, name);
}

function sayWhere(source: Exclude<KeySource, { kind: 'passphrase' }>): string {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 'systemd':
      return `the credential ${JSON.stringify(source.name)}`;
    case 'command':
      return `the command ${JSON.stringify(source.argv[0] ?? '')}`;
    default:
      return source satisfies never;
  }
}
