/** Secrets of one workspace, sealed here and kept by the kernel. A change is made to what was read, and made again when somebody else was faster. */
import type { SealedSecret, SealedSecrets, SealedVersion, SecretChange, SecretChangeKind, SecretRecord } from '@warren/kernel';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import { aboutVersion } from './about.ts';
import { Bound } from './bound.ts';
import { wipeCopy } from './check-copy.ts';
import { checkName, checkTerms, checkValue, NO_BINDINGS, VERSIONS_MAX } from './check-secret.ts';
import type { DataKeys } from './data-keys.ts';
import { seal, unseal } from './seal.ts';
import type { SecretCopy, Secrets, SecretTerms, SecretValue } from './secrets.ts';

export type SecretsParts = {
  readonly workspace: WorkspaceId;
  readonly sealed: SealedSecrets;
  readonly keys: DataKeys;
  readonly now: () => number;
  /** Which values there are is another than before. */
  readonly onChange: (workspace: WorkspaceId) => void;
  /** Throws when so many bytes more may not be stored. */
  readonly requireRoom: (bytes: number) => Promise<void>;
  /** Waited for before a value is given to whoever uses it: it is looked for in answers first. */
  readonly beforeUse: (name: string, version: number) => Promise<void>;
};

const ATTEMPTS_MAX = 8;
const PAGE = 1_000;
const NEW = { type: 'other', purpose: '', bindings: NO_BINDINGS };

export function createSecrets({ workspace, sealed, keys, now, onChange, requireRoom, beforeUse }: SecretsParts): Secrets {
  const bound = new Bound();
  const about = (record: Pick<SecretRecord, 'name' | 'type' | 'bindings'>, version: number) => aboutVersion(workspace, record, version);
  const open = async (record: SecretRecord, { version, dataKey, sealed: bytes }: SealedVersion): Promise<Buffer> => {
    const plain = unseal(await keys.get(dataKey), bytes, about(record, version));
    if (plain !== undefined) return plain;
    throw new Fault(
      'store_failed',
      `Cannot read secret ${record.name}: it is damaged, or what it is bound to was changed behind our back`,
      {
        details: { secret: record.name },
      },
    );
  };
  const sealAs = async (
    record: Omit<SecretChange, 'versions'>,
    version: number,
    plain: Uint8Array,
    createdAt: number,
  ): Promise<SealedVersion> => {
    const { number, key } = await keys.current();
    return { version, dataKey: number, sealed: seal(key, plain, about(record, version)), createdAt };
  };
  const openAll = async ({ record, versions }: SealedSecret): Promise<SecretCopy['versions']> => {
    const opened: SecretCopy['versions'][number][] = [];
    try {
      for (const each of versions) opened.push({ version: each.version, createdAt: each.createdAt, bytes: await open(record, each) });
      return opened;
    } catch (error) {
      for (const { bytes } of opened) bytes.fill(0);
      throw error;
    }
  };
  /** The same values as part of another record: what they are bound to is sealed with them. */
  const resealAll = (before: SealedSecret, after: Omit<SecretChange, 'versions'>): Promise<SealedVersion[]> =>
    Promise.all(
      before.versions.map(async (each) => {
        const plain = await open(before.record, each);
        try {
          return await sealAs(after, each.version, plain, each.createdAt);
        } finally {
          plain.fill(0);
        }
      }),
    );

  const require = async (name: string): Promise<SealedSecret> => {
    const found = await sealed.find(checkName(name));
    if (found !== undefined) return found;
    throw new Fault('not_found', `Cannot find secret ${JSON.stringify(name)}: there is none of this name`, { details: { secret: name } });
  };
  const put = async (
    make: () => Promise<{ readonly change: SecretChange; readonly revision: number; readonly kind: SecretChangeKind }>,
  ): Promise<SecretRecord> => {
    for (let attempt = 1; ; attempt++) {
      const { change, revision, kind } = await make();
      try {
        const after = await sealed.put(change, revision, kind);
        if (kind === 'created' || kind === 'rotated') onChange(workspace);
        return after;
      } catch (error) {
        if (!isFault(error, 'conflict') || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  };
  /** A change of what stands beside the value. What is sealed stays as it is where it says nothing of that: taking a secret away has to work while the vault is locked. */
  const amend = (name: string, kind: SecretChangeKind, changesOf: (before: SecretRecord) => Partial<SecretRecord>): Promise<SecretRecord> =>
    put(async () => {
      const before = await require(name);
      const after = { ...before.record, ...changesOf(before.record) };
      const isSame = kind !== 'resealed' && JSON.stringify(about(after, 0)) === JSON.stringify(about(before.record, 0));
      const change = { ...termsOf(after), versions: isSame ? before.versions : await resealAll(before, termsOf(after)) };
      return { change, revision: before.record.revision, kind };
    });
  /** A value in front of those that are kept. */
  const place = (
    name: string,
    terms: SecretTerms,
    makeValue: (before: SealedSecret | undefined) => Promise<Uint8Array>,
  ): Promise<SecretRecord> =>
    put(async () => {
      const before = await sealed.find(name);
      const { version = 0, revision = 0, revokedAt } = before?.record ?? {};
      const after = { name, ...checkTerms(terms, before?.record ?? NEW), version: version + 1, revokedAt };
      const newest = await sealAs(after, after.version, await makeValue(before), now());
      const older = before === undefined ? [] : await resealAll({ ...before, versions: before.versions.slice(0, VERSIONS_MAX - 1) }, after);
      return { change: { ...after, versions: [newest, ...older] }, revision, kind: before === undefined ? 'created' : 'rotated' };
    });

  return {
    async set(name, value, terms = {}) {
      checkName(name);
      checkTerms(terms, NEW);
      const bytes = checkValue(value);
      try {
        await requireRoom(bytes.byteLength);
        return await place(name, terms, async () => bytes);
      } finally {
        bytes.fill(0);
      }
    },

    async get(name) {
      const { record, versions } = await require(name);
      return { ...record, versions: versions.map(({ version, createdAt }) => ({ version, createdAt })) };
    },

    list: (page) => sealed.list(page),

    change: (name, terms) => amend(name, 'changed', (before) => checkTerms(terms, before)),

    async rollback(name, version) {
      checkName(name);
      return await place(name, {}, async (before) => {
        const kept = before?.versions.find((each) => each.version === version);
        if (before !== undefined && kept !== undefined) return await open(before.record, kept);
        throw new Fault('not_found', `Cannot roll secret ${name} back: version ${version} is not kept`, {
          details: { secret: name, version },
        });
      });
    },

    revoke: (name) => amend(name, 'revoked', ({ revokedAt }) => ({ revokedAt: revokedAt ?? now() })),

    restore: (name) => amend(name, 'restored', () => ({ revokedAt: undefined })),

    async delete(name) {
      if (await sealed.delete(checkName(name))) onChange(workspace);
      else await require(name); // It says so.
    },

    async use(name, use) {
      const found = await sealed.findCurrent(name);
      if (found === undefined || found.record.revokedAt !== undefined || !bound.has(found.record, use)) return undefined;
      await beforeUse(name, found.current.version);
      const bytes = await open(found.record, found.current);
      return { bytes, version: found.current.version, [Symbol.dispose]: () => bytes.fill(0) } satisfies SecretValue as SecretValue; // `fill` returns the buffer, which nobody reads.
    },

    async isUsable(name, use) {
      const found = await sealed.findCurrent(name);
      return found !== undefined && found.record.revokedAt === undefined && bound.has(found.record, use);
    },

    async *values() {
      for await (const { name } of all(sealed)) {
        const found = await sealed.find(name); // Undefined when it was deleted meanwhile.
        if (found === undefined) continue;
        for (const each of found.versions) {
          const bytes = await open(found.record, each).catch((error: unknown) => {
            if (!isFault(error, 'store_failed')) throw error;
            return undefined; // Whoever uses it is told.
          });
          if (bytes === undefined) continue;
          try {
            yield { name, version: each.version, bytes };
          } finally {
            bytes.fill(0);
          }
        }
      }
    },

    async *copies() {
      for await (const { name } of all(sealed)) {
        const found = await sealed.find(name); // Undefined when it was deleted meanwhile.
        if (found === undefined) continue;
        const { revision: _, ...record } = found.record;
        const copy = { ...record, versions: await openAll(found) };
        try {
          yield copy;
        } finally {
          wipeCopy(copy);
        }
      }
    },

    async rotateKey(signal) {
      const { number } = await keys.add();
      let count = 0;
      for await (const { name } of all(sealed)) {
        signal?.throwIfAborted();
        await amend(name, 'resealed', () => ({})).catch((error: unknown) => {
          if (!isFault(error, 'not_found')) throw error; // Deleted meanwhile.
        });
        count++;
      }
      await sealed.deleteUnusedDataKeys(number);
      keys.forget();
      return count;
    },
  };
}

async function* all(sealed: SealedSecrets): AsyncGenerator<SecretRecord, void, undefined> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: readonly SecretRecord[] = await sealed.list({ limit: PAGE, after });
    yield* page;
    after = page.length < PAGE ? undefined : page.at(-1)?.name;
  }
}

function termsOf({ name, type, purpose, bindings, version, revokedAt }: SecretRecord): Omit<SecretChange, 'versions'> {
  return { name, type, purpose, bindings, version, revokedAt };
}
