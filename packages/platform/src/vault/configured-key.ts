/** The key that the configuration names for the vault. */
import { fstat, read } from 'node:fs';
import { promisify } from 'node:util';
import { Fault } from '@warren/protocol';
import { makeKeyFile } from '../internal/make-key-file.ts';
import { readPlainFile } from '../internal/read-plain-file.ts';
import type { KeySource, KeySourceKind } from './unlock-key.ts';
import type { VaultKeyConfig } from './vault-key-config.ts';

export type ConfiguredKeyParts = {
  /** Where the key is when nothing is configured. */
  readonly keyFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Passphrases that were read from descriptors. */
  readonly inherited: Map<number, string>;
};

const PASSPHRASE_BYTES_MAX = 4_096;
const statOf = promisify(fstat);
const readFrom = promisify(read);

/**
 * Undefined: a person gives a passphrase. `lockedWith`: what the vault was locked with; undefined when it is to be locked with what this answers, and only then a key is made. Faults: `unavailable`,
 * `invalid_argument`.
 */
export async function configuredKey(
  given: VaultKeyConfig | undefined,
  lockedWith: KeySourceKind | undefined,
  { keyFile, ...parts }: ConfiguredKeyParts,
): Promise<KeySource | undefined> {
  if (given === undefined) {
    if (lockedWith === 'passphrase') return undefined;
    if (lockedWith === undefined) await makeKeyFile(keyFile);
    else if (lockedWith !== 'file') refuse(`it is locked with a ${lockedWith}, and the configuration names none`);
    return { kind: 'file', path: keyFile };
  }
  if (given.kind !== 'passphrase') return given;
  const passphrase = await passphraseOf(given, parts);
  return passphrase === undefined ? undefined : { kind: 'passphrase', passphrase };
}

type PassphraseConfig = Extract<VaultKeyConfig, { readonly kind: 'passphrase' }>;

/** Without the line end that editors put at the end of a file. */
async function passphraseOf({ env, file, descriptor }: PassphraseConfig, { environment, inherited }: Omit<ConfiguredKeyParts, 'keyFile'>) {
  if (env !== undefined) return environment[env] ?? refuse(`the variable ${env}, which should hold its passphrase, is not set`);
  if (descriptor !== undefined) return await readDescriptor(descriptor, inherited);
  if (file === undefined) return undefined;
  const found = await readPlainFile(file, { bytesMax: PASSPHRASE_BYTES_MAX, mayBeLink: true });
  return found.kind === 'read' ? withoutLineEnd(found.bytes) : refuse(`${file}, which should hold its passphrase, ${found.reason}`);
}

/** A pipe or a file that whoever started us left open: anything else of this number is Node's own. What was in a pipe is gone once it is read, so it is remembered. */
async function readDescriptor(descriptor: number, inherited: Map<number, string>): Promise<string> {
  const known = inherited.get(descriptor);
  if (known !== undefined) return known;
  const bytes = Buffer.alloc(PASSPHRASE_BYTES_MAX);
  let length = 0;
  try {
    const found = await statOf(descriptor);
    if (!found.isFIFO() && !found.isFile()) throw new Error('it is neither a pipe nor a file');
    for (let bytesRead = -1; bytesRead !== 0 && length < bytes.length; length += bytesRead)
      ({ bytesRead } = await readFrom(descriptor, bytes, length, bytes.length - length, null));
    const passphrase = withoutLineEnd(bytes.subarray(0, length));
    inherited.set(descriptor, passphrase);
    return passphrase;
  } catch (error) {
    return refuse(
      `descriptor ${descriptor}, which should hold its passphrase, cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    bytes.fill(0);
  }
}

function withoutLineEnd(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}

function refuse(why: string): never {
  throw new Fault('unavailable', `Cannot unlock the vault: ${why}`);
}
