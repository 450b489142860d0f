/** One workspace: its events, its finished work and calls, its mail, its state and the history of its files. */
import type { ReadTransaction, Transaction, WorkspaceStore } from '../store/store.ts';
import type { BetweenSteps } from './between-steps.ts';
import { type AgedRules, purgeAged } from './purge-aged.ts';
import type { Purged } from './purger.ts';

/** Rows deleted in one transaction. */
const STEP = 1_000;
/** Of journals, whose rows may be large. */
const RUN_STEP = 200;
const PURGED = 'kernel.store.purged';
/** So few events are looked at before they go. */
const TRACES_MAX = 20;

export type RetentionRules = AgedRules & {
  readonly eventAgeMs: number;
  readonly eventsMax: number;
  readonly finishedEntryAgeMs: number;
  readonly finishedEntriesMax: number;
  readonly fileVersionAgeMs: number;
};

/** What other parts delete of their own, as they know it. Each answers with how many went. */
export type WorkspaceParts = {
  /** Deletes at most `limit` entries: what finished before, and the oldest beyond the count. */
  readonly purgeEntries: (transaction: Transaction, finishedBefore: number, keepMax: number, limit: number) => number;
  /** Of runs that ended before, and the longest ended beyond the count: at most `limit` steps and runs. */
  readonly purgeRuns: (
    transaction: Transaction,
    endedBefore: number,
    keepMax: number,
    limit: number,
  ) => { readonly runs: number; readonly hasMore: boolean };
  readonly purgeMessages: () => Promise<number>;
  readonly purgeState: () => Promise<number>;
  readonly purgeFileVersions: (supersededBefore: number, betweenSteps: BetweenSteps) => Promise<number>;
};

/** Appends one event about all of it, if it was anything. */
export async function purgeWorkspace(
  store: WorkspaceStore,
  parts: WorkspaceParts,
  rules: RetentionRules,
  betweenSteps: BetweenSteps,
): Promise<Purged> {
  const now = await store.read((transaction) => transaction.now);
  const entries = await purgeEntries(store, parts, rules, now, betweenSteps);
  const runs = await purgeRuns(store, parts, rules, now, betweenSteps);
  await betweenSteps();
  const messages = await parts.purgeMessages();
  await betweenSteps();
  const state = await parts.purgeState();
  const aged = await purgeAged(store, rules, { now, step: STEP, betweenSteps });
  await betweenSteps();
  const fileVersions = await parts.purgeFileVersions(now - rules.fileVersionAgeMs, betweenSteps);
  const { events, traces } = await purgeEvents(store, rules, betweenSteps);
  const others = { entries, runs, messages, state, ...aged };
  const sum = Object.values(others).reduce((total, each) => total + each, fileVersions);
  if (events - traces + sum > 0) {
    const payload = { events, ...others, file_versions: fileVersions };
    await store.write((transaction) => transaction.events.append({ pid: undefined, kind: PURGED, payload }));
  }
  return { events, fileVersions, ...others };
}

async function purgeEntries(
  store: WorkspaceStore,
  { purgeEntries }: WorkspaceParts,
  { finishedEntryAgeMs, finishedEntriesMax }: RetentionRules,
  now: number,
  betweenSteps: BetweenSteps,
): Promise<number> {
  for (let purged = 0; ; ) {
    await betweenSteps();
    const step = await store.write((transaction) => purgeEntries(transaction, now - finishedEntryAgeMs, finishedEntriesMax, STEP));
    purged += step;
    if (step === 0) return purged;
  }
}

/** Their journals are as old as the entries of the queue that worked them off. */
async function purgeRuns(
  store: WorkspaceStore,
  parts: WorkspaceParts,
  { finishedEntryAgeMs, finishedEntriesMax }: RetentionRules,
  now: number,
  betweenSteps: BetweenSteps,
): Promise<number> {
  for (let purged = 0; ; ) {
    await betweenSteps();
    const step = await store.write((transaction) => parts.purgeRuns(transaction, now - finishedEntryAgeMs, finishedEntriesMax, RUN_STEP));
    purged += step.runs;
    if (!step.hasMore) return purged;
  }
}

type PurgedEvents = { readonly events: number; readonly traces: number };

/** What is due is found once: what becomes due meanwhile is for the next run, or this one might never end. */
async function purgeEvents(
  store: WorkspaceStore,
  { eventAgeMs, eventsMax }: RetentionRules,
  betweenSteps: BetweenSteps,
): Promise<PurgedEvents> {
  const throughId = await store.write(({ events, now }) => {
    const isCrowded = events.nextId() - events.firstId() > eventsMax;
    return Math.max(events.lastIdAt(now - eventAgeMs), isCrowded ? events.nextId() - eventsMax : 0); // Leaves room for the event about it.
  });
  let purged: PurgedEvents = { events: 0, traces: 0 };
  for (;;) {
    await betweenSteps();
    const step = await store.write((transaction) => {
      const traces = countTraces(transaction, throughId);
      return { events: transaction.events.purge(throughId, STEP), traces };
    });
    purged = { events: purged.events + step.events, traces: purged.traces + step.traces };
    if (step.events < STEP) return purged;
  }
}

/**
 * Events of earlier purges among the last that are due. When there is nothing else, it goes without a trace: otherwise a workspace where
 * nothing happens would write one event with every run for ever, about that of a run a month ago.
 */
function countTraces({ events }: ReadTransaction, throughId: number): number {
  const due = throughId - events.firstId() + 1;
  if (due <= 0 || due > TRACES_MAX) return 0;
  return events.after(events.firstId() - 1, { kind: PURGED }, due).filter(({ id }) => id <= throughId).length;
}
