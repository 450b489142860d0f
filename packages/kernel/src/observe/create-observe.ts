/** What the kernel says about itself: each view is read at one moment. */
import type { WorkspaceStore } from '../store/store.ts';
import type { Observe, Summary } from './observe.ts';

const RECENT_EVENTS = 20;
const NAMES_MAX = 1_000;

export type ObserveParts = {
  readonly store: WorkspaceStore;
  readonly schemaVersion: number;
  readonly startedAt: number;
  readonly clock: { now(): number };
  /** Budgets as the ledger shows them. */
  readonly ledgerOf: (pid: number) => Promise<ProcessLedger>;
};

type ProcessLedger = Awaited<ReturnType<Observe['process']>>['ledger'];

export function createObserve({ store, schemaVersion, startedAt, clock, ledgerOf }: ObserveParts): Observe {
  return {
    async process(pid) {
      const ledger = await ledgerOf(pid);
      return await store.read(({ processes, events, grants, queue, mail, names, files }) => {
        const row = processes.find(pid);
        const box = mail.findBox(pid);
        return {
          process: row === undefined ? undefined : { ...row, lastEventId: events.lastIdOf(pid) },
          grants: grants.find(pid),
          ledger,
          mailbox: {
            exists: box !== undefined,
            capacity: box?.capacity ?? 0,
            pending: box?.pending ?? 0,
            subscriptions: box === undefined ? [] : mail.topicsOf(pid),
          },
          queue: queue.totalsOf(pid),
          files: files.totals(pid),
          names: names.list({ pid }, { limit: NAMES_MAX, offset: 0 }).map(({ name }) => name),
          recentEvents: events.newest({ pid }, RECENT_EVENTS),
        };
      });
    },

    summary: () =>
      store.read(({ processes, events, queue, mail, ledger, names, files }): Summary => {
        const { accounts, breached } = ledger.count();
        const now = clock.now();
        return {
          schemaVersion,
          startedAt,
          uptimeMs: now - startedAt,
          processes: processes.countByState(),
          events: { count: events.nextId() - events.firstId(), lastId: events.nextId() - 1 },
          queue: queue.totals(),
          mail: mail.totals(),
          ledger: { budgeted: accounts, breached },
          files: files.totals(),
          names: names.count({}),
        };
      }),
  };
}
