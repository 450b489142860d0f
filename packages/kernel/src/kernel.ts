/** The control plane: every part on one store. This is what the daemon serves and what a program embeds. */
import type { WorkspaceId } from '@warren/protocol';
import type { Agents } from './agent/agents.ts';
import type { Files } from './agentfs/files.ts';
import type { Alerts } from './alert/alerts.ts';
import type { Approvals } from './approval/approvals.ts';
import type { Events } from './event/events.ts';
import type { Grants } from './grant/grants.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Mail } from './mailbox/mail.ts';
import type { Observe } from './observe/observe.ts';
import type { People } from './person/people.ts';
import type { Sessions } from './person/sessions.ts';
import type { Processes } from './process/processes.ts';
import type { Names } from './registry/names.ts';
import type { Purger } from './retention/purger.ts';
import type { Runs } from './run/runs.ts';
import type { Queue, Scheduler } from './schedule/queue.ts';
import type { SealedSecrets } from './secret/sealed-secrets.ts';
import type { State } from './state/state.ts';
import type { Store } from './store/store.ts';
import type { Gate } from './syscall/gate.ts';
import type { GateOptions } from './syscall/gate-parts.ts';
import type { Taints } from './taint/taints.ts';
import type { Tokens } from './token/tokens.ts';
import type { Workspaces } from './workspace/workspaces.ts';

/** The parts of one workspace. Holding it is the right to everything in it, and to nothing of another. */
export interface WorkspaceKernel {
  readonly id: WorkspaceId;
  readonly agents: Agents;
  readonly processes: Processes;
  readonly events: Events;
  readonly grants: Grants;
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly mail: Mail;
  readonly names: Names;
  readonly files: Files;
  readonly observe: Observe;
  readonly state: State;
  readonly alerts: Alerts;
  readonly approvals: Approvals;
  readonly taints: Taints;
  readonly secrets: SealedSecrets;
  readonly runs: Runs;
}

export interface Kernel extends AsyncDisposable {
  workspace(id: WorkspaceId): WorkspaceKernel;
  readonly workspaces: Workspaces;
  readonly tokens: Tokens;
  readonly people: People;
  readonly sessions: Sessions;
  readonly scheduler: Scheduler;
  readonly purger: Purger;
  readonly store: Store;
  /**
   * Opens the gate, and takes care of what calls the last life left. One at a time; whoever opens it closes it before the kernel. Faults: `conflict` (one is open),
   * and what audit and store fail with.
   */
  openGate(options: GateOptions): Promise<Gate>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}
