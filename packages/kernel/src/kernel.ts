/** The control plane: every part on one store. This is what the daemon serves and what a program embeds. */
import type { WorkspaceId } from '@warren/protocol';
import type { Files } from './agentfs/files.ts';
import type { Events } from './event/events.ts';
import type { Grants } from './grant/grants.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Mail } from './mailbox/mail.ts';
import type { Observe } from './observe/observe.ts';
import type { Processes } from './process/processes.ts';
import type { Names } from './registry/names.ts';
import type { Purger } from './retention/purger.ts';
import type { Queue, Scheduler } from './schedule/queue.ts';
import type { Store } from './store/store.ts';
import type { Tokens } from './token/tokens.ts';
import type { Workspaces } from './workspace/workspaces.ts';

/** The parts of one workspace. Holding it is the right to everything in it, and to nothing of another. */
export interface WorkspaceKernel {
  readonly id: WorkspaceId;
  readonly processes: Processes;
  readonly events: Events;
  readonly grants: Grants;
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly mail: Mail;
  readonly names: Names;
  readonly files: Files;
  readonly observe: Observe;
}

export interface Kernel extends AsyncDisposable {
  workspace(id: WorkspaceId): WorkspaceKernel;
  readonly workspaces: Workspaces;
  readonly tokens: Tokens;
  readonly scheduler: Scheduler;
  readonly purger: Purger;
  readonly store: Store;
  /** Prometheus text. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}
