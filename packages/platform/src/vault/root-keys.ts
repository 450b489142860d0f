/**
 * Root keys: random keys that wrap the data keys of all workspaces, and are themselves wrapped by the key that unlocks the vault. So a new passphrase is one file written anew, and a new root key is
 * taken into use while the workspaces are still under the old one.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { Fault } from '@warren/protocol';
import { Turn } from '../internal/turn.ts';
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
  /** Whether there are others than the current one. */
  hasOld(): boolean;
  /** Takes away those that nothing is wrapped by: all but the current one, those that `named` answers, and those that somebody wraps with at this moment. */
  dropOld(named: () => Promise<ReadonlySet<number>>): Promise<void>;
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

/** What the file has. */
type Held = { readonly roots: readonly Root[]; readonly unlock: Unlock };

/** Makes them when there are none. Faults: `permission_denied` (the passphrase or key is not the right one), `store_failed`, and those of `makeUnlockKey`. */
export async function openRootKeys(source: KeySource, parts: RootKeyParts): Promise<RootKeys> {
  const { directory, now, argon2 = ARGON2 } = parts;
  const found = await readVaultFile(directory);
  const unlock = found === undefined ? await newUnlock(source, argon2, parts) : await knownUnlock(source, found, parts);
  const roots = found === undefined ? [newRoot(1, now())] : unwrapRoots(found, unlock.key, source);
  let held: Held = { roots, unlock };
  const write = (next: Held): Promise<void> => writeVaultFile(directory, toFile(next));
  if (found === undefined) await write(held);

  const turn = new Turn();
  /** The one way in which the file changes: what comes next is made of what is there when its turn has come, so no change takes back another. */
  const change = (make: (before: Held) => Held | Promise<Held>): Promise<Held> =>
    turn.take(async () => {
      const next = await make(held);
      if (next !== held) await write(next);
      held = next;
      return next;
    });
  const inUse = new Set<{ readonly number: number; readonly ended: Promise<unknown> }>();
  return {
    kind: () => held.unlock.said.kind,
    async withCurrent(use) {
      const root = newest(held);
      const ended = use(root);
      const using = { number: root.number, ended };
      inUse.add(using);
      try {
        return await ended;
      } finally {
        inUse.delete(using);
      }
    },
    find: (number) => held.roots.find((root) => root.number === number)?.key,
    async add() {
      const { number } = newest(
        await change((before) => ({ ...before, roots: [...before.roots, newRoot(newest(before).number + 1, now())] })),
      );
      const older = [...inUse].filter((using) => using.number < number);
      await Promise.allSettled(older.map(({ ended }) => ended)); // Each tells its own caller.
      return number;
    },
    hasOld: () => held.roots.length > 1,
    async dropOld(named) {
      await change(async (before) => {
        const wrapping = [...inUse].map(({ number }) => number); // Before it is asked: what has ended by then is in the answer.
        const needed = new Set([...(await named()), ...wrapping, newest(before).number]);
        const kept = before.roots.filter(({ number }) => needed.has(number));
        return kept.length === before.roots.length ? before : { ...before, roots: kept };
      });
    },
    async changeSource(next) {
      await change(async (before) => ({ ...before, unlock: await newUnlock(next, argon2, parts) }));
    },
  };
}

function newest({ roots }: Held): Root {
  const last = roots.at(-1);
  if (last === undefined) throw new Error('The vault has no root key');
  return last;
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

function toFile({ roots, unlock: { key, said } }: Held): VaultFile {
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
