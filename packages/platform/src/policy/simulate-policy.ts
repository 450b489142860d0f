/**
 * What other policies would have done: calls that were recorded are decided again, in their order and at their time, counting as they would have counted. Decided
 * are its arguments as they were redacted, and what it is about (paths, hosts, command lines, sizes) by these, so a condition on an argument that was redacted cannot hold.
 */
import {
  type Capability,
  type CounterRef,
  NO_FACTS,
  type Policy,
  type PolicyRequest,
  type ReadCounter,
  type RecordedEntry,
  TIERS,
  type Tier,
} from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';

export type Simulated = {
  readonly calls: number;
  readonly same: number;
  readonly stricter: number;
  readonly milder: number;
  readonly changes: readonly SimulatedChange[];
};

export type SimulatedChange = {
  readonly seq: number;
  readonly at: number;
  readonly workspace: string;
  readonly agent: string;
  readonly capability: string;
  readonly before: Tier;
  readonly after: Tier;
  readonly rule: string | undefined;
};

type Known = Pick<Capability, 'tags' | 'defaultTier' | 'parse' | 'facts'>;

export type SimulateParts = {
  readonly entries: AsyncIterable<RecordedEntry> | Iterable<RecordedEntry>;
  readonly policyOf: (workspace: WorkspaceId) => Policy;
  /** What the definition of a capability says; for one that is gone, nothing. */
  readonly capability: (name: string) => Known | undefined;
  /** Changes to report; all are counted. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
};

export async function simulatePolicy({ entries, policyOf, capability, limit, signal }: SimulateParts): Promise<Simulated> {
  const counters = new Counters();
  const counts = { calls: 0, same: 0, stricter: 0, milder: 0 };
  const changes: SimulatedChange[] = [];
  for await (const entry of entries) {
    signal?.throwIfAborted();
    const before = entry.decision?.tier;
    if (entry.kind !== 'syscall' || before === undefined) continue;
    const request = requestOf(entry, capability(entry.action));
    const decision = policyOf(entry.workspace as WorkspaceId).decide(request, counters.reader(entry.workspace, entry.at)); // As it was recorded.
    if (decision.tier !== 'blocked') for (const counter of decision.counters) counters.add(entry.workspace, counter, entry);
    counts.calls++;
    const difference = TIERS.indexOf(decision.tier) - TIERS.indexOf(before);
    counts[difference === 0 ? 'same' : difference > 0 ? 'stricter' : 'milder']++;
    if (difference === 0 || changes.length >= limit) continue;
    const { seq, at, workspace, action } = entry;
    const rule = decision.rule === undefined ? undefined : `${decision.rule.file}:${decision.rule.line} ${decision.rule.rule}`;
    changes.push({ seq, at, workspace, agent: request.agent, capability: action, before, after: decision.tier, rule });
  }
  return { ...counts, changes };
}

function requestOf(entry: RecordedEntry, known: Known | undefined): PolicyRequest {
  const parsed = known?.parse(entry.input ?? {});
  return {
    capability: entry.action,
    tags: known?.tags ?? [],
    agent: entry.actor.kind === 'process' ? entry.actor.agent : '',
    input: entry.input ?? {},
    facts: parsed?.kind === 'valid' ? (known?.facts(parsed.input) ?? NO_FACTS) : NO_FACTS,
    taint: entry.taint ?? [],
    at: entry.at,
    defaultTier: known?.defaultTier ?? 'approval_required',
  };
}

/** What would have been counted, in memory. */
class Counters {
  readonly #counted = new Map<string, { readonly at: number; readonly amount: number }[]>();

  reader(workspace: string, now: number): ReadCounter {
    return ({ key, perMs }) => {
      const kept = (this.#counted.get(`${workspace}/${key}`) ?? []).filter(({ at }) => at > now - perMs);
      return { amount: kept.reduce((sum, { amount }) => sum + amount, 0), oldestAt: kept[0]?.at };
    };
  }

  add(workspace: string, { key, what, perMs }: CounterRef, { at, usage }: RecordedEntry): void {
    const name = `${workspace}/${key}`;
    const kept = (this.#counted.get(name) ?? []).filter((each) => each.at > at - perMs);
    kept.push({ at, amount: what === 'calls' ? 1 : (usage?.[what] ?? 0) });
    this.#counted.set(name, kept);
  }
}
