/** The sessions of all workspaces. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type ByWorkspace, openByWorkspace } from '../internal/open-by-workspace.ts';
import type { Room } from '../workspace/stored-bytes.ts';
import { openSessions } from './open-sessions.ts';
import type { Sessions } from './sessions.ts';

export type WorkspaceSessions = ByWorkspace<Sessions>;

export type WorkspaceSessionsParts = {
  /** The state directory. */
  readonly directory: string;
  readonly now: () => number;
  readonly room?: Room | undefined;
};

/** Each may have a few hundred files open. */
const OPEN_MAX = 8;

export function openWorkspaceSessions({ directory, now, room }: WorkspaceSessionsParts): WorkspaceSessions {
  return openByWorkspace({
    what: 'sessions',
    open: (workspace) =>
      openSessions({
        folder: join(directory, 'workspaces', workspace, 'sessions'),
        now,
        requireRoom: (bytes) => room?.require(workspace, bytes) ?? Promise.resolve(),
        newId: () => `entry_${randomBytes(10).toString('hex')}`,
      }),
    openMax: OPEN_MAX,
  });
}
