/** What the library stands on, opened when it is first used: the kernel, the platform, the vault and the sessions of workspaces. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Kernel, openKernel } from '@warren/kernel';
import { Fault, type WorkspaceId } from '@warren/protocol';
import { openPlatform, type PlatformOptions } from '../open-platform.ts';
import type { Platform } from '../platform.ts';
import { openSessions } from '../session/open-sessions.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Vault } from '../vault/vault.ts';

export type LibraryParts = AsyncDisposable & {
  readonly kernel: Kernel;
  readonly platform: Platform;
  /** Faults: `invalid_argument` (no passphrase), `permission_denied` (not the right one). */
  vault(): Promise<Vault>;
  sessionsOf(id: WorkspaceId): Sessions;
  /** Fires when the workspace is deleted or everything closes; `work` is waited for then. */
  during<T>(id: WorkspaceId, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
};

export type OpenPartsOptions = {
  readonly directory: string;
  /** Asked when the vault is first needed. */
  readonly passphrase: () => string | undefined;
  readonly log: (message: string) => void;
};

export async function openParts({ directory, passphrase, log }: OpenPartsOptions): Promise<LibraryParts> {
  await using opening = new AsyncDisposableStack();
  const now = (): number => Date.now();
  const kernel = opening.use(await openKernel({ directory }));
  const openSandboxes: PlatformOptions['openSandboxes'] = async (options) => (await import('@warren/sandbox')).openSandboxes(options);
  const platform = opening.use(await openPlatform({ kernel, directory, openSandboxes, isWatching: false, say: log }));
  const sessions = new Map<WorkspaceId, Sessions & AsyncDisposable>();
  const closeSessions = async (id: WorkspaceId): Promise<void> => {
    const open = sessions.get(id);
    sessions.delete(id);
    await open?.[Symbol.asyncDispose]();
  };
  opening.defer(async () => {
    for (const id of [...sessions.keys()]) await closeSessions(id);
  });

  const working = new Map<WorkspaceId, Set<{ readonly end: AbortController; readonly done: Promise<unknown> }>>();
  const stopped = new Set<WorkspaceId>();
  const stopWork = async (id: WorkspaceId, reason: Fault): Promise<void> => {
    const all = [...(working.get(id) ?? [])];
    for (const { end } of all) end.abort(reason);
    await Promise.allSettled(all.map(({ done }) => done));
  };
  opening.defer(async () => {
    const closing = new Fault('aborted', 'Cannot go on: the platform is closing');
    await Promise.all([...working.keys()].map((id) => stopWork(id, closing)));
  });
  kernel.workspaces.keep({
    async stop(id) {
      stopped.add(id);
      await stopWork(id, deleting(id));
      await closeSessions(id);
      return { [Symbol.dispose]: () => void stopped.delete(id) };
    },
    wipe: async () => {}, // All of it is in the directory of the workspace.
  });

  let unlocked: Promise<Vault> | undefined;
  const unlock = async (): Promise<Vault> => {
    const given = passphrase();
    if (given === undefined) throw noPassphrase();
    await platform.vault.unlock(given);
    return platform.vault;
  };
  const owned = opening.move();
  return {
    ...{ kernel, platform },
    vault() {
      unlocked ??= unlock().catch((error: unknown) => {
        unlocked = undefined; // With another passphrase it may open.
        throw error;
      });
      return unlocked;
    },
    sessionsOf(id) {
      const known = sessions.get(id);
      if (known !== undefined) return known;
      if (stopped.has(id)) throw deleting(id);
      const made = openSessions({
        folder: join(directory, 'workspaces', id, 'sessions'),
        now,
        newId: () => randomBytes(8).toString('hex'),
      });
      sessions.set(id, made);
      return made;
    },
    async during(id, signal, work) {
      if (stopped.has(id)) throw deleting(id);
      const end = new AbortController();
      const done = work(signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]));
      const one = { end, done };
      const mine = working.get(id) ?? new Set();
      working.set(id, mine.add(one));
      try {
        return await done;
      } finally {
        mine.delete(one);
        if (mine.size === 0 && working.get(id) === mine) working.delete(id);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function noPassphrase(): Fault {
  return new Fault(
    'invalid_argument',
    'Cannot lock the credentials of a workspace: there is no passphrase; give credentialPassphrase to createPlatform, or set WARREN_CREDENTIAL_KEY',
    { details: { field: 'credentialPassphrase' } },
  );
}

function deleting(id: WorkspaceId): Fault {
  return new Fault('not_found', `Cannot use workspace "${id}": it is being deleted`, { details: { workspace: id } });
}
