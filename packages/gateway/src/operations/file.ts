import type { Platform } from '@warren/platform';
import { Semaphore } from '../internal/semaphore.ts';
import type { Handler, HandlersOf } from './handler.ts';
import { fromBase64, toFile, toFileContent, toFileVersion } from './record/file.ts';

/** Whole files that are read at once: each is in memory several times, as bytes, as base 64 and as the answer. */
const READS_MAX = 8;
/** Reads that wait; more are refused with `busy`. */
const READS_WAITING_MAX = 1_000;

export function createFileHandlers(room?: Platform['room']): HandlersOf<'kernel.fs.' | 'file.'> {
  const reads = new Semaphore(READS_MAX, READS_WAITING_MAX);

  const read: Handler<'file.read'> = async ({ path, version }, { mine }) => {
    using _slot = await reads.acquire('read the file');
    return toFileContent(await mine.files.read(path, { version }));
  };

  return {
    async 'kernel.fs.write'({ pid, path, content, mode, metadata, if_absent }, { mine }) {
      const bytes = fromBase64(content);
      await room?.require(mine.id, bytes.byteLength);
      const stat = await mine.files.write(pid, { path, mode, metadata, ifAbsent: if_absent }, bytes);
      return { path: stat.path, size: stat.size, owner_pid: stat.owner, mode: stat.mode, version: stat.version };
    },

    async 'kernel.fs.read'({ path }, call) {
      return await read({ path, pid: undefined, version: undefined }, call);
    },

    async 'kernel.fs.stat'({ path }, { mine }) {
      return toFile(await mine.files.stat(path));
    },

    async 'kernel.fs.exists'({ path }, { mine }) {
      return { path, exists: (await mine.files.find(path)) !== undefined };
    },

    async 'kernel.fs.list'({ prefix, owner_pid, limit, offset }, { mine }) {
      const { files, total } = await mine.files.list({ prefix, owner: owner_pid }, { limit, offset });
      return { entries: files.map(toFile), total };
    },

    async 'kernel.fs.delete'({ path, pid }, { mine }) {
      return { path, removed: await mine.files.delete(path, { writer: pid }) };
    },

    async 'kernel.fs.set_mode'({ path, mode }, { mine }) {
      const stat = await mine.files.setMode(path, mode);
      return { path: stat.path, mode: stat.mode };
    },

    async 'kernel.fs.gc_orphaned'({ pid }, { mine }) {
      return { pid, removed: await mine.files.deleteOwned(pid) };
    },

    async 'file.write'({ pid, path, content, mode, metadata, if_absent, expected_version }, { mine }) {
      const file = { path, mode, metadata, ifAbsent: if_absent, expectedVersion: expected_version };
      const bytes = fromBase64(content);
      await room?.require(mine.id, bytes.byteLength);
      return toFile(await mine.files.write(pid, file, bytes));
    },

    'file.read': read,

    async 'file.history'({ path, limit }, { mine }) {
      return { versions: (await mine.files.history(path, limit)).map(toFileVersion) };
    },

    async 'file.purge_history'({ path, keep }, { mine }) {
      return { path, removed: await mine.files.purgeHistory(path, keep) };
    },

    async 'file.restore'({ pid, path, version }, { mine }) {
      return toFile(await mine.files.restore(pid, path, version));
    },
  };
}
