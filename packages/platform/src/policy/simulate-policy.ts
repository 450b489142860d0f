/**
 * What other policies would have done: calls that were recorded are decided again, in their order, at the time they were made, with the labels they carried, counting as they
 * would have counted, and with the standing answers of people that held then. What a call is about (paths, hosts, command lines, sizes) is what was recorded of it. Its
 * arguments are those that were recorded: a condition on one that was redacted cannot hold. A capability that is gone decides nothing any more, so its calls are only counted.
 */
import {
  type Allowance,
  type AllowRule,
  type CallFacts,
  type Capability,
  type CounterRef,
  NO_FACTS,
  type Policy,
  type PolicyRequest,
  type ReadCounter,
  type RecordedEntry,
  readRecordedFacts,
  TIERS,
  type Tier,
} from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';

export type Simulated = {
  readonly calls: number;
  readonly same: number;
  readonly stricter: number;
  readonly milder: number;
  /** Calls of capabilities that are not there any more; not among the others. */
  readonly gone: number;
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
  /** Standing answers, also those that hold no more. */
  readonly allowRulesOf: (workspace: WorkspaceId) => Promise<readonly AllowRule[]>;
  /** What the definition of a capability says; for one that is gone, nothing. */
  readonly capability: (name: string) => Known | undefined;
  /** Changes to report; all are counted. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
};

export async function simulatePolicy({ entries, policyOf, allowRulesOf, capability, limit, signal }: SimulateParts): Promise<Simulated> {
  const counters = new Counters();
  const counts = { calls: 0, same: 0, stricter: 0, milder: 0, gone: 0 };
  const allowRules = new Map<WorkspaceId, readonly AllowRule[]>();
  const changes: SimulatedChange[] = [];
  for await (const entry of entries) {
    signal?.throwIfAborted();
    const before = entry.decision?.tier;
    if (entry.kind !== 'syscall' || before === undefined) continue;
    const known = capability(entry.action);
    if (known === undefined) {
      counts.gone++;
      continue;
    }
    const mine = entry.workspace as WorkspaceId; // As it was recorded.
    const rules = allowRules.get(mine) ?? (await allowRulesOf(mine));
    allowRules.set(mine, rules);
    const request = requestOf(entry, known);
    const allowances = rules.flatMap((rule) => allowanceOf(rule, entry, request.at) ?? []);
    const decision = policyOf(mine).decide(request, counters.reader(entry.workspace, entry.at), allowances);
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

function requestOf(entry: RecordedEntry, known: Known): PolicyRequest {
  return {
    capability: entry.action,
    tags: known.tags,
    agent: entry.actor.kind === 'process' ? entry.actor.agent : '',
    input: entry.input ?? {},
    facts: readRecordedFacts(entry.details) ?? factsOf(entry, known),
    taint: entry.taint ?? [],
    at: Math.floor(entry.at - (entry.durationMs ?? 0)), // It is recorded when it ends.
    defaultTier: known.defaultTier,
  };
}

/** Without facts of their own, arguments are recorded as they were. */
function factsOf({ input = {} }: RecordedEntry, known: Known): CallFacts {
  const parsed = known.parse(input);
  return parsed.kind === 'valid' ? known.facts(parsed.input) : NO_FACTS;
}

/** What held for this call when it was made; not what people answered to it. */
function allowanceOf(rule: AllowRule, { approvalId, inputHash }: RecordedEntry, at: number): Allowance | undefined {
  const isOfCall = rule.inputHash === undefined || rule.inputHash === inputHash;
  const held = rule.createdAt <= at && (rule.revokedAt === undefined || rule.revokedAt > at);
  return isOfCall && held && (rule.approvalId === undefined || rule.approvalId !== approvalId) ? rule : undefined;
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
