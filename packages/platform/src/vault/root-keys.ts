/**
 * Root keys: random keys that wrap the data keys of all workspaces, and are themselves wrapped by the key that unlocks the vault. So a new passphrase is one file written anew, and a new root key is
 * taken into use while the workspaces are still under the old one.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { Fault } from '@warren/protocol';
import { aboutRoot } from './about.ts';
import { seal, unseal } from './seal.ts';
import { ARGON2, type Argon2Parameters, type KeyParts, type KeySource, makeUnlockKey } from './unlock-key.ts';
import { damagedVault, readVaultFile, type VaultFile, writeVaultFile } from './vault-file.ts';

export type RootKey = { readonly number: number; readonly key: KeyObject };

export type RootKeys = {
  /** What unlocks them. */
  kind(): KeySource['kind'];
  /** Wraps something new. The root key stays the current one until `use` has kept what it wrapped. */
  withCurrent<T>(use: (root: RootKey) => Promise<T>): Promise<T>;
  find(number: number): KeyObject | undefined;
  /** Adds a root key, which is the current one from now on. When it returns nobody wraps with an older one any more. */
  add(): Promise<number>;
  /** Takes away all but the current one. Whatever they wrap cannot be read any more. */
  dropOld(): Promise<void>;
  /** From now on this unlocks the vault, and what did before does not. Faults: those of `makeUnlockKey`. */
  changeSource(source: KeySource): Promise<void>;
};

export type RootKeyParts = KeyParts & {
  readonly directory: string;
  readonly now: () => number;
  readonly argon2?: Argon2Parameters | undefined;
};

const SALT_BYTES = 16;
const KEY_BYTES = 32;

type Root = { readonly number: number; readonly key: KeyObject; readonly createdAt: number };

/** Makes them when there are none. Faults: `permission_denied` (the passphrase or key is not the right one), `store_failed`, and those of `makeUnlockKey`. */
export async function openRootKeys(source: KeySource, parts: RootKeyParts): Promise<RootKeys> {
  const { directory, now, argon2 = ARGON2 } = parts;
  const found = await readVaultFile(directory);
  let unlock = found === undefined ? await newUnlock(source, argon2, parts) : await knownUnlock(source, found, parts);
  let roots = found === undefined ? [newRoot(1, now())] : unwrapRoots(found, unlock.key, source);
  const write = (next: readonly Root[], by: Unlock): Promise<void> => writeVaultFile(directory, toFile(next, by));
  if (found === undefined) await write(roots, unlock);

  const newest = (): Root => {
    const last = roots.at(-1);
    if (last === undefined) throw new Error('The vault has no root key');
    return last;
  };
  const inUse = new Set<Promise<unknown>>();
  return {
    kind: () => unlock.said.kind,
    async withCurrent(use) {
      const using = use(newest());
      inUse.add(using);
      try {
        return await using;
      } finally {
        inUse.delete(using);
      }
    },
    find: (number) => roots.find((root) => root.number === number)?.key,
    async add() {
      const root = newRoot(newest().number + 1, now());
      await write([...roots, root], unlock);
      const before = [...inUse];
      roots = [...roots, root];
      await Promise.allSettled(before); // Each tells its own caller.
      return root.number;
    },
    async dropOld() {
      await write([newest()], unlock);
      roots = [newest()];
    },
    async changeSource(next) {
      const changed = await newUnlock(next, argon2, parts);
      await write(roots, changed);
      unlock = changed;
    },
  };
}

type Unlock = { readonly key: KeyObject; readonly said: VaultFile['unlock'] };

async function newUnlock(source: KeySource, parameters: Argon2Parameters, parts: KeyParts): Promise<Unlock> {
  const salt = randomBytes(SALT_BYTES);
  const { memoryKib, passes, parallelism } = parameters;
  const key = await makeUnlockKey(source, { salt, parameters }, parts);
  return { key, said: { kind: source.kind, salt, argon2: { memory_kib: memoryKib, passes, parallelism } } };
}

async function knownUnlock(source: KeySource, { unlock }: VaultFile, parts: KeyParts): Promise<Unlock> {
  const { memory_kib: memoryKib, passes, parallelism } = unlock.argon2;
  const key = await makeUnlockKey(source, { salt: unlock.salt, parameters: { memoryKib, passes, parallelism } }, parts);
  return { key, said: unlock };
}

function newRoot(number: number, createdAt: number): Root {
  const bytes = randomBytes(KEY_BYTES);
  try {
    return { number, key: createSecretKey(bytes), createdAt };
  } finally {
    bytes.fill(0);
  }
}

function unwrapRoots({ roots, unlock }: VaultFile, key: KeyObject, source: KeySource): readonly Root[] {
  const opened = roots.flatMap(({ number, wrapped, created_at: createdAt }) => {
    const bytes = unseal(key, wrapped, aboutRoot(number));
    if (bytes === undefined) return [];
    try {
      return [{ number, key: createSecretKey(bytes), createdAt }];
    } finally {
      bytes.fill(0);
    }
  });
  if (opened.length === 0) throw wrongKey(unlock.kind, source.kind);
  if (opened.length < roots.length) throw damagedVault();
  return opened;
}

/** What unlocks is checked by its effect alone: nothing that could be compared with is kept. */
function wrongKey(made: VaultFile['unlock']['kind'], given: KeySource['kind']): Fault {
  const why =
    made === given
      ? `the ${given === 'passphrase' ? 'passphrase' : 'key'} is not the one it was locked with`
      : `it was locked with a ${made}, not with a ${given}`;
  return new Fault('permission_denied', `Cannot unlock the vault: ${why}`, { details: { vault: 'wrong_key' } });
}

function toFile(roots: readonly Root[], { key, said }: Unlock): VaultFile {
  return {
    format: 1,
    unlock: said,
    roots: roots.map(({ number, key: root, createdAt }) => {
      const bytes = root.export();
      try {
        return { number, wrapped: seal(key, bytes, aboutRoot(number)), created_at: createdAt };
      } finally {
        bytes.fill(0);
      }
    }),
  };
}
