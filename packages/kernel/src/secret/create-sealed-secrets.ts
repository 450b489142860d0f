import { Fault } from '@warren/protocol';
import { clamp } from '../internal/page.ts';
import type { WorkspaceStore } from '../store/store.ts';
import type { SealedSecrets } from './sealed-secrets.ts';

const SECRETS_MAX = 10_000;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

export function createSealedSecrets(store: WorkspaceStore): SealedSecrets {
  return {
    find: (name) =>
      store.read(({ secrets }) => {
        const record = secrets.find(name);
        return record === undefined ? undefined : { record, versions: secrets.versions(name) };
      }),

    findCurrent: (name) =>
      store.read(({ secrets }) => {
        const record = secrets.find(name);
        const current = record === undefined ? undefined : secrets.findVersion(name, record.version);
        return record === undefined || current === undefined ? undefined : { record, current };
      }),

    list: ({ limit, after } = {}) => store.read(({ secrets }) => secrets.list(clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX), after)),

    async put(change, revision, kind) {
      const { versions, ...row } = change;
      return await store.write(({ secrets, events }) => {
        const before = secrets.find(row.name);
        if ((before?.revision ?? 0) !== revision) {
          throw new Fault('conflict', `Cannot change secret ${row.name}: somebody else changed it meanwhile`, {
            details: { secret: row.name },
          });
        }
        if (before === undefined && secrets.count() >= SECRETS_MAX) {
          throw new Fault('too_large', `Cannot create secret ${row.name}: there are ${SECRETS_MAX}, which is the limit; delete some first`);
        }
        secrets.put({ ...row, revision: revision + 1 });
        secrets.replaceVersions(row.name, versions);
        events.append({ pid: undefined, kind: `kernel.secret.${kind}`, payload: { secret: row.name, version: row.version } });
        const after = secrets.find(row.name);
        if (after === undefined) throw new Error(`Secret ${row.name} is not there after it was put`);
        return after;
      });
    },

    async delete(name) {
      return await store.write(({ secrets, events }) => {
        const isDeleted = secrets.delete(name);
        if (isDeleted) events.append({ pid: undefined, kind: 'kernel.secret.deleted', payload: { secret: name } });
        return isDeleted;
      });
    },

    dataKeys: () => store.read(({ secrets }) => secrets.dataKeys()),

    async addDataKey(key) {
      await store.write(({ secrets }) => {
        if (secrets.dataKeys().some(({ number }) => number === key.number))
          throw new Fault('conflict', `Cannot add data key ${key.number}: there is one of this number`);
        secrets.insertDataKey(key);
      });
    },

    async rewrapDataKeys(keys) {
      await store.write(({ secrets }) => {
        for (const key of keys) secrets.rewrapDataKey(key);
      });
    },

    async deleteUnusedDataKeys(before) {
      return await store.write(({ secrets, events }) => {
        const unused = secrets.dataKeys().filter(({ number }) => number < before && !secrets.isInUse(number));
        for (const { number } of unused) secrets.deleteDataKey(number);
        const numbers = unused.map(({ number }) => number);
        if (numbers.length > 0) events.append({ pid: undefined, kind: 'kernel.data_key.deleted', payload: { numbers } });
        return numbers;
      });
    },
  };
}
