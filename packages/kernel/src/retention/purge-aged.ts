/** Rows that go by their age alone: calls that are done, approvals that are decided, what was counted for windows that are over, alerts that were seen to. */
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import type { BetweenSteps } from './between-steps.ts';

export type AgedRules = {
  /** Since it ended: so long the same idempotency key returns the first answer. */
  readonly finishedCallAgeMs: number;
  /** Since it was decided, or a rule that came of one ended. */
  readonly decidedApprovalAgeMs: number;
  readonly acknowledgedAlertAgeMs: number;
};

const DAY_MS = 86_400_000;

export const AGED_DEFAULT: AgedRules = {
  finishedCallAgeMs: 7 * DAY_MS,
  decidedApprovalAgeMs: 90 * DAY_MS,
  acknowledgedAlertAgeMs: 90 * DAY_MS,
};

/** What was deleted. */
export type PurgedAged = {
  readonly calls: number;
  /** With the rules that came of them. */
  readonly approvals: number;
  readonly counters: number;
  readonly alerts: number;
};

export async function purgeAged(
  store: WorkspaceStore,
  rules: AgedRules,
  { now, step, betweenSteps }: { readonly now: number; readonly step: number; readonly betweenSteps: BetweenSteps },
): Promise<PurgedAged> {
  const purge = async (ageMs: number, purgeStep: (transaction: Transaction, before: number) => number): Promise<number> => {
    for (let purged = 0; ; ) {
      await betweenSteps();
      const went = await store.write((transaction) => purgeStep(transaction, now - ageMs));
      purged += went;
      if (went < step) return purged;
    }
  };
  const calls = await purge(rules.finishedCallAgeMs, (transaction, before) => transaction.calls.purgeDone(before, step));
  const approvals = await purge(rules.decidedApprovalAgeMs, (transaction, before) => transaction.approvals.purgeDecided(before, step));
  const allowed = await purge(rules.decidedApprovalAgeMs, (transaction, before) => transaction.approvals.purgeRules(before, step));
  const counters = await purge(0, (transaction, before) => transaction.counters.purge(before, step));
  const alerts = await purge(rules.acknowledgedAlertAgeMs, (transaction, before) => transaction.alerts.purgeAcknowledged(before, step));
  return { calls, approvals: approvals + allowed, counters, alerts };
}
