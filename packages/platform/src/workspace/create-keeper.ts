/** What the platform does when a workspace is deleted: it ends what runs for it, in an order in which nothing begins anew, and wipes what stands beside the store. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gate, WorkspaceKeeper } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { removeTree } from '../internal/remove-tree.ts';

type Stops = Pick<WorkspaceKeeper, 'stop'>;

export type KeeperParts = {
  /** The state directory. */
  readonly directory: string;
  readonly gate: Pick<Gate, 'stopWorkspace'>;
  /** Stopped after the gate, in this order. */
  readonly parts: readonly Stops[];
  /** After its files are gone: whatever was read of them. */
  readonly forget: (workspace: WorkspaceId) => Promise<void>;
};

export function createKeeper({ directory, gate, parts, forget }: KeeperParts): WorkspaceKeeper {
  return {
    async stop(workspace) {
      using leases = new DisposableStack();
      leases.use(await gate.stopWorkspace(workspace));
      for (const part of parts) leases.use(await part.stop(workspace));
      const held = leases.move();
      return { [Symbol.dispose]: () => held.dispose() };
    },

    async wipe(workspace) {
      const mine = join(directory, 'workspaces', workspace);
      await rm(join(mine, 'audit.key'), { force: true }); // First: it opens what stays.
      await removeTree(mine);
      await removeTree(join(directory, 'policies', 'workspaces', workspace));
      await removeCursors(join(directory, 'notify'), workspace);
      await forget(workspace);
    },
  };
}

/** How far each target of notices came in it. */
async function removeCursors(folder: string, workspace: WorkspaceId): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const isIts = (name: string): boolean => name.replace(/\.new$/, '').endsWith(`.${workspace}`); // Neither has a dot in its name.
  for (const name of names) if (isIts(name)) await rm(join(folder, name), { force: true });
}
