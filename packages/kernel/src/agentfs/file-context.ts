import type { FaultPoints } from '../internal/fault-points.ts';
import type { WorkspaceStore } from '../store/store.ts';
import type { AccessTimes } from './access-times.ts';
import type { BodySweeper } from './body-sweeper.ts';
import type { Changed, FileChanges, FileLimits } from './file-changes.ts';
import type { OpenBodies } from './open-bodies.ts';

/** What the operations on the files of one workspace share. */
export type FileContext = {
  readonly store: WorkspaceStore;
  readonly limits: () => Promise<FileLimits>;
  readonly faults: FaultPoints;
  readonly changes: FileChanges;
  readonly open: OpenBodies;
  readonly sweeper: BodySweeper;
  readonly access: AccessTimes;
};

/** After a change is on disk: bodies of versions that went may be large ones. */
export function settle<T>({ sweeper }: FileContext, { value, purged }: Changed<T>): T {
  if (purged > 0) sweeper.wake();
  return value;
}
