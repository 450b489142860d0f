/**
 * Files as a process sees them: those it owns, and those its grants cover. What is neither is denied in the same words whether there is such a
 * file or not.
 *
 * Owners never change while a file is there, so the one danger between looking and acting is that the file is deleted and another process
 * creates it anew. Where the kernel takes a version it gets the one that was looked at; what is read is looked at again. What remains: the
 * mode, and a restored version, of a file that changed hands in that moment, and grants that were taken away in it.
 *
 * What a process is shown of a file labels it as the file is labelled, before it is shown: content, and metadata, which its writer chose too.
 */
import type { FileStat, WorkspaceKernel } from '@warren/kernel';
import { labelsKeptIn } from '@warren/platform';
import { Fault, isFault } from '@warren/protocol';

/** How often a file may change under a process that writes over whatever is there. */
const ATTEMPTS_MAX = 10;

type Files = WorkspaceKernel['files'];
type PathMode = Parameters<WorkspaceKernel['grants']['checkPath']>[2];

export type ProcessFilesParts = Pick<WorkspaceKernel, 'files' | 'grants' | 'taints'> & { readonly pid: number };

export function createProcessFiles({ pid, files, grants, taints }: ProcessFilesParts): Files {
  const isGranted = (path: string, mode: PathMode): Promise<boolean> => grants.checkPath(pid, path, mode);

  const show = async <Shown extends FileStat | undefined>(stat: Shown): Promise<Shown> => {
    const labels = stat === undefined ? undefined : labelsKeptIn(stat.metadata);
    if (labels !== undefined && labels.length > 0) await taints.add(pid, labels);
    return stat;
  };

  /** The file, if there is a right to it. */
  const requireOwn = (path: string, stat: FileStat | undefined): FileStat => {
    if (stat?.owner !== pid) throw denied(path);
    return stat;
  };

  /** Undefined: its grants allow it, whatever is there. */
  const findOwn = async (path: string, mode: PathMode): Promise<FileStat | undefined> =>
    (await isGranted(path, mode)) ? undefined : requireOwn(path, await files.find(path));

  /** With the version that may be changed; again when that is past, if the caller does not care which it is. */
  const change = async <T>(path: string, expected: number | undefined, run: (expected: number | undefined) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const own = await findOwn(path, 'rw');
      if (own === undefined) return await run(expected);
      if (expected !== undefined && expected !== own.version) throw isAtAnother(own, expected);
      try {
        return await run(own.version);
      } catch (error) {
        if (expected !== undefined || !isFault(error) || error.code !== 'conflict') throw error;
        if (attempt === ATTEMPTS_MAX) throw new Fault('busy', `Cannot change ${path}: it changes too fast`, { cause: error });
      }
    }
  };

  return {
    async write(writer, file, content, signal) {
      // A stream could not be tried again.
      if (!(content instanceof Uint8Array)) throw new Fault('unsupported', 'Cannot write a stream in the name of a process');
      return await change(file.path, file.expectedVersion, (expectedVersion) =>
        files.write(writer, { ...file, expectedVersion }, content, signal),
      );
    },

    async read(path, options) {
      const own = await findOwn(path, 'r');
      const found = await files.read(path, options);
      if (own !== undefined) requireOwn(path, found.stat);
      await show(found.stat);
      return found;
    },

    async open(path, options) {
      const own = await findOwn(path, 'r');
      const body = await files.open(path, options);
      try {
        if (own !== undefined) requireOwn(path, body.stat);
        await show(body.stat);
        return body;
      } catch (error) {
        await body[Symbol.asyncDispose]();
        throw error;
      }
    },

    async stat(path) {
      return await show((await isGranted(path, 'r')) ? await files.stat(path) : requireOwn(path, await files.find(path)));
    },

    async find(path) {
      const stat = await files.find(path);
      return await show((await isGranted(path, 'r')) ? stat : requireOwn(path, stat));
    },

    async list(filter = {}, page) {
      const { owner, prefix = '' } = filter;
      if (owner !== pid && !(await isGranted(directoryOf(prefix), 'r'))) throw denied(prefix);
      const found = await files.list(filter, page);
      for (const stat of found.files) await show(stat);
      return found;
    },

    async delete(path, options = {}) {
      return await change(path, options.expectedVersion, (expectedVersion) => files.delete(path, { ...options, expectedVersion }));
    },

    async setMode(path, mode) {
      await findOwn(path, 'rw');
      return await show(await files.setMode(path, mode));
    },

    async history(path, limit) {
      await findOwn(path, 'r');
      return await files.history(path, limit);
    },

    async restore(writer, path, version) {
      const own = await findOwn(path, 'rw');
      if (own !== undefined) {
        // An earlier version may be of an earlier file, which another process owned.
        await using body = await files.open(path, { version });
        requireOwn(path, body.stat);
      }
      return await show(await files.restore(writer, path, version));
    },

    /** For whom is settled by who may call that. */
    deleteOwned: (owner) => files.deleteOwned(owner),

    async purgeHistory(path, keep) {
      await findOwn(path, 'rw');
      return await files.purgeHistory(path, keep);
    },
  };
}

/** A prefix may end inside a name, and then is that of names beside it as well: what is shown lies in the directory. */
function directoryOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1) || '/';
}

function denied(path: string): Fault {
  return new Fault('permission_denied', 'Cannot use the path: the process neither owns a file there nor has a grant for it', {
    details: { path },
  });
}

function isAtAnother({ path, version }: FileStat, expected: number): Fault {
  return new Fault('conflict', `Cannot change ${path}: it is at version ${version}, not ${expected}`, { details: { path, version } });
}
