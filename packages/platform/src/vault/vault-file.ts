/**
 * `<state>/vault.json`: how the vault is unlocked, and its root keys, wrapped. It is replaced in one piece, so a change of the passphrase has happened or it has not.
 */
import { hash, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '@warren/protocol';
import { z } from 'zod';
import { diskFault } from '../internal/disk-fault.ts';

const ROOTS_MAX = 1_000;

const bytes = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'));

const vaultFile = z.strictObject({
  format: z.literal(1),
  unlock: z.strictObject({
    kind: z.enum(['passphrase', 'file', 'systemd', 'command']),
    salt: bytes,
    /** Of Argon2id, where there is a passphrase. Bounded: the file may have been changed by somebody who wants the start to fail for want of memory. */
    argon2: z.strictObject({
      memory_kib: z.int().min(8).max(4_194_304),
      passes: z.int().min(1).max(64),
      parallelism: z.int().min(1).max(64),
    }),
  }),
  /** Oldest first; the last is used for what is new. */
  roots: z
    .array(z.strictObject({ number: z.int().min(1), wrapped: bytes, created_at: z.int() }))
    .min(1)
    .max(ROOTS_MAX),
});

export type VaultFile = z.output<typeof vaultFile>;

/** Of all else in the file: a passphrase that does not fit is told from a file that is damaged. */
const summed = z.looseObject({ sum: z.string() });

export const VAULT_FILE = 'vault.json';
const FILE_BYTES_MAX = 1_048_576;

/** Undefined when there is none. Faults: `store_failed` (it is there and is none of ours: it is never replaced). */
export async function readVaultFile(directory: string): Promise<VaultFile | undefined> {
  const path = join(directory, VAULT_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // What readFile throws has a code.
    throw new Fault('store_failed', `Cannot open the vault: ${VAULT_FILE} of the state directory cannot be read`, { cause });
  }
  const parsed = text.length <= FILE_BYTES_MAX ? vaultFile.safeParse(withoutSum(parseJson(text))) : undefined;
  if (parsed?.success !== true) throw damagedVault();
  return parsed.data;
}

export function damagedVault(): Fault {
  return new Fault('store_failed', `Cannot open the vault: ${VAULT_FILE} of the state directory is damaged; bring it back from a backup`, {
    details: { vault: 'damaged' },
  });
}

/** On disk when it returns. Faults: `storage_full`, `store_failed` (with so many root keys it could not be read again). */
export async function writeVaultFile(directory: string, { format, unlock, roots }: VaultFile): Promise<void> {
  if (roots.length > ROOTS_MAX)
    throw new Fault('store_failed', `Cannot write the vault: it would have ${roots.length} root keys, ${ROOTS_MAX} are allowed`);
  const content = {
    ...{ format },
    unlock: { ...unlock, salt: toBase64(unlock.salt) },
    roots: roots.map((root) => ({ ...root, wrapped: toBase64(root.wrapped) })),
  };
  const text = JSON.stringify({ ...content, sum: sumOf(content) });
  const path = join(directory, VAULT_FILE);
  const beside = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    throw diskFault(error, 'write the vault');
  } finally {
    await rm(beside, { force: true });
  }
  const parent = await open(dirname(path), 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

function withoutSum(document: unknown): unknown {
  const parsed = summed.safeParse(document);
  if (!parsed.success) return undefined;
  const { sum, ...content } = parsed.data;
  return sum === sumOf(content) ? content : undefined;
}

function sumOf(content: object): string {
  return hash('sha256', JSON.stringify(content));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The schema says that this is no vault.
  }
}

function toBase64(from: Uint8Array): string {
  return Buffer.from(from).toString('base64');
}
