/**
 * The composition of the kernel: which part is handed to which. Parts know the store and not each other; what one needs of another (giving
 * back what a dead process held, stopping a process whose budget is spent) is handed over here.
 */
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { createAgents } from './agent/create-agents.ts';
import { type AgentFs, createFiles } from './agentfs/create-files.ts';
import { createAlerts } from './alert/create-alerts.ts';
import { endApprovals } from './approval/end-approvals.ts';
import { openApprovals } from './approval/open-approvals.ts';
import { createEvents } from './event/create-events.ts';
import { RecentEvents } from './event/recent-events.ts';
import { allowChild } from './grant/allow-child.ts';
import { createGrants } from './grant/create-grants.ts';
import { endGrants } from './grant/end-grants.ts';
import { type Clock, createClock } from './internal/clock.ts';
import type { FaultPoints } from './internal/fault-points.ts';
import type { Kernel, WorkspaceKernel } from './kernel.ts';
import { followDetach } from './ledger/answer-breach.ts';
import { createLedger } from './ledger/create-ledger.ts';
import { createLedgerChanges } from './ledger/ledger-changes.ts';
import { recoverReservations } from './ledger/recover-reservations.ts';
import { endReservations } from './ledger/reservations.ts';
import { endMail } from './mailbox/box.ts';
import { openMailroom } from './mailbox/mailroom.ts';
import { createObserve } from './observe/create-observe.ts';
import { expose } from './observe/exposition.ts';
import { metricsOf } from './observe/metrics.ts';
import { createPeople } from './person/create-people.ts';
import { createSessions } from './person/create-sessions.ts';
import { createProcesses } from './process/create-processes.ts';
import { createProcessChanges, type EndHook, type ProcessHooks } from './process/process-changes.ts';
import type { RecoveryPolicy } from './process/processes.ts';
import { recoverProcesses } from './process/recover-processes.ts';
import { createNames, endNames } from './registry/create-names.ts';
import { createPurger } from './retention/create-purger.ts';
import { AGED_DEFAULT } from './retention/purge-aged.ts';
import { createRuns } from './run/create-runs.ts';
import { openCallWatch } from './run/open-call-watch.ts';
import { purgeRuns } from './run/purge-runs.ts';
import { followEntry, followProcessEnd } from './run/run-changes.ts';
import { followEnd, followMove, isLeased } from './schedule/change-waiting.ts';
import { createQueue } from './schedule/create-queue.ts';
import { createScheduler } from './schedule/create-scheduler.ts';
import { DueTimer } from './schedule/due-timer.ts';
import type { EntryParts } from './schedule/entry-parts.ts';
import { purgeFinished } from './schedule/purge-queue.ts';
import { readmit } from './schedule/readmit.ts';
import { recoverQueue } from './schedule/recover-queue.ts';
import { createSealedSecrets } from './secret/create-sealed-secrets.ts';
import { endState } from './state/end-state.ts';
import { openStates } from './state/open-states.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { ReadTransaction } from './store/store.ts';
import { isEnded } from './syscall/answer.ts';
import { createGate } from './syscall/create-gate.ts';
import { createTaints } from './taint/create-taints.ts';
import { endTaints } from './taint/process-labels.ts';
import { createTokens } from './token/create-tokens.ts';
import { createWorkspaces } from './workspace/create-workspaces.ts';
import { createDeletion } from './workspace/delete-workspace.ts';
import { createImport } from './workspace/import-workspace.ts';
import { rememberSettings } from './workspace/remember-settings.ts';
import type { Workspaces } from './workspace/workspaces.ts';

export type KernelOptions = {
  /** The state directory. */
  readonly directory: string;
  readonly clock?: Clock | undefined;
  readonly faults?: FaultPoints | undefined;
  /** Default: `resume`. */
  readonly recovery?: RecoveryPolicy | undefined;
  /** Looks only; every change is refused. */
  readonly isReadOnly?: boolean | undefined;
  /** Runs every transaction twice, to hold them to their rule. For tests. */
  readonly isRehearsing?: boolean | undefined;
  /** A store that is larger is not written anew when a workspace is deleted, but with the next start. Default: 512 MiB. */
  readonly rewrittenBytesMax?: number | undefined;
};

/** Workspaces that a start looks after together: they share transactions. */
const RECOVERED_AT_ONCE = 256;

/** Throws what opening the store throws. */
export async function openKernel(options: KernelOptions): Promise<Kernel> {
  const clock = options.clock ?? createClock();
  const store = openSqliteStore({ ...options, clock });
  const startedAt = clock.now();
  const endRunOf: EndHook = (transaction, process, eventId) => followProcessEnd(transaction, entries, process, eventId);
  const hooks: ProcessHooks = {
    onEnd: [endGrants, endReservations, followEnd, endMail, endNames, endState, endApprovals, endTaints, endRunOf],
    onMove: [followMove],
    onDetach: [(transaction, process, eventId) => followDetach(transaction, budget, process, eventId)],
  };
  const changes = createProcessChanges(hooks);
  const entries: EntryParts = { changes, onStop: (transaction, entry, eventId) => followEntry(transaction, entries, entry, eventId) };
  const budget = { changes, readmit };
  const recentOf = new Map<WorkspaceId, RecentEvents>();
  const recent = (id: WorkspaceId): RecentEvents => {
    const known = recentOf.get(id) ?? new RecentEvents();
    recentOf.set(id, known);
    return known;
  };
  store.onCommit((id, events, bytes) => recent(id).add(events, bytes));
  const {
    workspaces: known,
    settingsOf,
    forget: forgetSettings,
  } = rememberSettings(createWorkspaces(store), async (id) => {
    // Whoever waits for work hears of it: there may be room for more now.
    await store.workspace(id).write(({ events }) => events.append({ pid: undefined, kind: 'kernel.workspace.updated', payload: {} }));
  });

  const ledgerChanges = createLedgerChanges(budget);
  const scheduler = createScheduler({ store, clock, ...entries, findBreach: ledgerChanges.findBreach, settingsOf });

  const mailroom = openMailroom({ store, clock });

  const states = openStates({ store, createTimer: (onDue) => new DueTimer(clock, onDue) });

  const office = openApprovals({ store, clock });

  const callWatch = openCallWatch({ store, entries, isCallOver });

  const agentFsOf = new Map<WorkspaceId, AgentFs>();
  const agentFs = (id: WorkspaceId): AgentFs => {
    const limits = async () => {
      const { fileBytesMax, storedBytesMax, retention } = await settingsOf(id);
      return { bytesMax: Math.min(fileBytesMax, storedBytesMax), versionsMax: retention.fileVersionsMax };
    };
    const made =
      agentFsOf.get(id) ??
      createFiles({ store: store.workspace(id), limits, faults: options.faults, mayWrite: () => true, ...ledgerChanges });
    agentFsOf.set(id, made);
    return made;
  };

  const { discard, ...deletion } = createDeletion({
    store,
    async forget(id) {
      forgetSettings(id);
      recentOf.get(id)?.end();
      for (const each of [recentOf, agentFsOf, parts]) each.delete(id);
      scheduler.forget(id);
      states.forget(id);
      office.forget(id);
      callWatch.forget(id);
      await mailroom.forget(id);
    },
  });
  const workspaces: Workspaces = { ...known, ...deletion, import: createImport({ store, discard, recover: (id) => recover(id) }) };

  const parts = new Map<WorkspaceId, WorkspaceKernel>();
  const workspace = (id: WorkspaceId): WorkspaceKernel => {
    const known = parts.get(id);
    if (known !== undefined) return known;
    const mine = store.workspace(id);
    const ledger = createLedger({ store: mine, ...budget });
    const made: WorkspaceKernel = {
      id,
      agents: createAgents({ store: mine, changes }),
      processes: createProcesses({ store: mine, changes, allowChild }),
      events: createEvents({ store: mine, recent: recent(id) }),
      grants: createGrants({ store: mine }),
      ledger,
      queue: createQueue({
        store: mine,
        ...entries,
        findBreach: ledgerChanges.findBreach,
        runningMax: async () => (await settingsOf(id)).runningMax,
      }),
      mail: mailroom.mail(id),
      names: createNames({ store: mine }),
      files: agentFs(id).files,
      observe: createObserve({
        store: mine,
        schemaVersion: store.schemaVersion,
        startedAt,
        clock,
        ledgerOf: (pid) => ledger.list({ kind: 'process', pid }),
      }),
      state: states.state(id),
      alerts: createAlerts({ store: mine }),
      approvals: office.approvals(id),
      taints: createTaints({ store: mine }),
      secrets: createSealedSecrets(mine),
      runs: createRuns({ store: mine, ...entries, isCallOver }),
    };
    parts.set(id, made);
    return made;
  };

  const usedRecords = async () => {
    const used = new Set(await workspaces.used());
    return (await workspaces.list()).filter(({ id }) => used.has(id));
  };
  const purger = createPurger({
    store,
    faults: options.faults,
    list: async () => (await usedRecords()).map(({ id, settings }) => ({ id, retention: { ...AGED_DEFAULT, ...settings.retention } })),
    workspace: (id) => ({
      purgeEntries: purgeFinished,
      purgeRuns,
      purgeMessages: () => workspace(id).mail.expire(),
      purgeState: () => states.sweep(id),
      purgeFileVersions: agentFs(id).purgeVersions,
    }),
  });

  const recover = async (id: WorkspaceId): Promise<void> => {
    const mine = store.workspace(id);
    await recoverQueue(mine);
    await recoverProcesses(mine, options.recovery ?? 'resume', { hooks, changes, isLeased });
    await recoverReservations(mine);
    await mailroom.watch(id);
    await states.watch(id);
    await office.watch(id);
    await callWatch.watch(id);
    agentFs(id)
      .sweep()
      .catch(() => {}); // Nobody waits for it, and what it leaves the next sweep finds.
  };

  try {
    if (options.isReadOnly !== true) {
      const hasDefault = await store.readSystem(({ workspaces: all }) => all.find(DEFAULT_WORKSPACE) !== undefined);
      if (!hasDefault) await workspaces.create(DEFAULT_WORKSPACE);
      const there = await workspaces.used();
      for (let start = 0; start < there.length; start += RECOVERED_AT_ONCE) {
        await Promise.all(there.slice(start, start + RECOVERED_AT_ONCE).map(recover));
      }
      await scheduler.begin(there);
      purger.begin();
    }
  } catch (error) {
    scheduler.close();
    await mailroom.close();
    await states.close();
    await office.close();
    await callWatch.close();
    await store.close();
    throw error;
  }

  const close = async (): Promise<void> => {
    await purger.close();
    scheduler.close();
    await mailroom.close();
    await states.close();
    await office.close();
    await callWatch.close();
    await store.close();
  };
  return {
    workspace,
    workspaces,
    tokens: createTokens({ store }),
    people: createPeople({ store }),
    sessions: createSessions({ store }),
    scheduler,
    purger,
    store,
    async openGate(gateOptions) {
      const gate = createGate({
        ...gateOptions,
        store,
        clock,
        budget,
        office,
        workspaces: () => workspaces.used(),
      });
      try {
        await gate.recover();
        return gate;
      } catch (error) {
        await gate.close();
        throw error;
      }
    },
    async metrics() {
      const all = await workspaces.list();
      const summaries = await Promise.all(all.map(({ id }) => workspace(id).observe.summary()));
      return expose(metricsOf(summaries, { schemaVersion: store.schemaVersion, uptimeMs: clock.now() - startedAt }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A call that is not known any more was answered long ago. */
function isCallOver({ calls }: ReadTransaction, callId: string): boolean {
  const row = calls.find(callId);
  return row === undefined || isEnded(row);
}
