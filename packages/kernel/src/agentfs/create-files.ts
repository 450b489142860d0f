/**
 * AgentFS: each change one transaction, its rows, its charge and its event together.
 *
 * Contents are kept once in a workspace (tiny ones aside), under their hash, and in the same database as everything else, so that a backup is one file and a
 * crash leaves no stray ones. (Not once in the whole store: a tenant could find out what another one has.) A small body goes with its row. A
 * large one is written in chunks that nothing names, before the transaction that links it, and when its last name goes it is removed in
 * steps, after its last reader.
 */
import { type FaultPoints, NO_FAULTS } from '../internal/fault-points.ts';
import { clamp, clampPage, PAGE_DEFAULT, PAGE_MAX } from '../internal/page.ts';
import type { ReadTransaction, WorkspaceStore } from '../store/store.ts';
import { AccessTimes } from './access-times.ts';
import { BodySweeper } from './body-sweeper.ts';
import { createFileChanges, type FileLimits, type FileRules, requireFile } from './file-changes.ts';
import { type FileContext, settle } from './file-context.ts';
import { checkPath, checkPrefix } from './file-path.ts';
import { toStat, toVersion } from './file-stat.ts';
import type { Files, FileVersion } from './files.ts';
import { OpenBodies } from './open-bodies.ts';
import { type BetweenSteps, purgeHistory, VersionPurge } from './purge-versions.ts';
import { openFile, readFile } from './read-file.ts';
import { checkMode, writeFile } from './write-file.ts';

/** Files deleted in one transaction. */
const DELETE_STEP = 200;

export type FileParts = FileRules & {
  readonly store: WorkspaceStore;
  readonly limits: () => Promise<FileLimits>;
  readonly faults?: FaultPoints | undefined;
};

/** The files of a workspace, and what the kernel does about them unasked. */
export type AgentFs = {
  readonly files: Files;
  /** Removes bodies that nothing names: after a start, what a crash left. Returns how many. */
  sweep(): Promise<number>;
  /** Deletes past versions superseded before this time, and those beyond the limit of each path. Returns how many. */
  purgeVersions(supersededBefore: number, betweenSteps: BetweenSteps): Promise<number>;
};

export function createFiles(parts: FileParts): AgentFs {
  const { store, limits, faults = NO_FAULTS } = parts;
  const open = new OpenBodies();
  const sweeper = new BodySweeper(store, open);
  const context: FileContext = { store, limits, faults, changes: createFileChanges(parts), open, sweeper, access: new AccessTimes(store) };
  const versions = new VersionPurge(context);
  return {
    files: makeFiles(context),
    sweep: () => sweeper.sweep(),
    purgeVersions: (supersededBefore, betweenSteps) => versions.purge(supersededBefore, betweenSteps),
  };
}

function makeFiles(context: FileContext): Files {
  const { store, changes, limits } = context;
  return {
    write: async (pid, file, content, signal) => toStat(await writeFile(context, pid, file, content, signal)),

    read: async (path, { version } = {}) => await readFile(context, checkPath(path), version),

    open: async (path, { version } = {}) => await openFile(context, checkPath(path), version),

    async stat(path) {
      checkPath(path);
      return await store.read((transaction) => toStat(requireFile(transaction, path)));
    },

    async find(path) {
      checkPath(path);
      return await store.read(({ files }) => {
        const row = files.find(path);
        return row === undefined ? undefined : toStat(row);
      });
    },

    async list({ prefix, owner } = {}, page = {}) {
      const filter = { prefix: prefix === undefined ? undefined : checkPrefix(prefix), owner };
      return await store.read(({ files }) => ({ files: files.list(filter, clampPage(page)).map(toStat), total: files.count(filter) }));
    },

    async delete(path, { writer, expectedVersion } = {}) {
      checkPath(path);
      const current = await limits();
      return settle(context, await store.write((transaction) => changes.delete(transaction, path, { writer, expectedVersion }, current)));
    },

    async setMode(path, mode) {
      checkPath(path);
      checkMode(mode);
      return await store.write((transaction) => toStat(changes.setMode(transaction, path, mode)));
    },

    async history(path, limit) {
      checkPath(path);
      return await store.read((transaction) => history(transaction, path, clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX)));
    },

    async restore(pid, path, version) {
      checkPath(path);
      const current = await limits();
      return toStat(settle(context, await store.write((transaction) => changes.restore(transaction, pid, path, version, current))));
    },

    deleteOwned: (pid) => deleteOwned(context, pid),

    async purgeHistory(path, keep) {
      checkPath(path);
      return await purgeHistory(context, path, clamp(keep, 0, 0, PAGE_MAX));
    },
  };
}

function history({ files }: ReadTransaction, path: string, limit: number): readonly FileVersion[] {
  const current = files.find(path);
  const past = files.listPast(path, limit);
  const all = current === undefined ? past : [{ ...current, content: current }, ...past];
  return all.slice(0, limit).map(toVersion);
}

/** In steps: a process may own very many. What it creates meanwhile is found as well. */
async function deleteOwned(context: FileContext, owner: number): Promise<number> {
  const { store, changes } = context;
  const limits = await context.limits();
  let deleted = 0;
  for (;;) {
    const step = await store.write((transaction) => {
      const owned = transaction.files.list({ owner }, { limit: DELETE_STEP, offset: 0 });
      const purged = owned.map((row) => changes.deleteRow(transaction, row, owner, limits)).reduce((sum, each) => sum + each, 0);
      return { value: owned.length, purged };
    });
    settle(context, step);
    deleted += step.value;
    if (step.value < DELETE_STEP) return deleted;
  }
}
