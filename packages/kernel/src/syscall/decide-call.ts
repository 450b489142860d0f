/** Step 3: policy puts the call in a tier. */
import { formatDuration } from '@warren/protocol';
import { allowancesFor } from '../approval/allow-rules.ts';
import type { CounterRef, Decision, Policy, PolicyRequest, ReadCounter, RuleRef } from '../policy/policy.ts';
import type { ReadTransaction } from '../store/store.ts';
import { type GateError, gateError } from './call-error.ts';
import { sliceMs } from './count-call.ts';
import type { ValidCall } from './validate-input.ts';

export type Decided =
  | { readonly kind: 'allowed' | 'ask'; readonly decision: Decision }
  | { readonly kind: 'refused'; readonly decision: Decision; readonly error: GateError };

export type Caller = { readonly pid: number; readonly agent: string; readonly taint: readonly string[] };

/** `isApproved`: people have said yes to exactly this call. What is blocked stays blocked. */
export function decideCall(
  transaction: ReadTransaction,
  policy: Policy,
  call: ValidCall,
  caller: Caller,
  isApproved: boolean,
  at = transaction.now,
): Decided {
  const { capability, input, facts, inputHash } = call;
  const request: PolicyRequest = {
    capability: capability.name,
    tags: capability.tags,
    agent: caller.agent,
    input,
    facts,
    taint: caller.taint,
    at,
    defaultTier: capability.defaultTier,
  };
  const read = readCounters(transaction);
  const first = policy.decide(request, read);
  if (first.tier === 'blocked') return { kind: 'refused', decision: first, error: refusal(call, first) };
  if (first.tier !== 'approval_required' || isApproved) return { kind: 'allowed', decision: first };
  const allowances = allowancesFor(transaction, caller.agent, capability.name, inputHash);
  if (allowances.length === 0) return { kind: 'ask', decision: first };
  const second = policy.decide(request, read, allowances);
  if (second.tier === 'blocked') return { kind: 'refused', decision: second, error: refusal(call, second) };
  return { kind: second.tier === 'approval_required' ? 'ask' : 'allowed', decision: second };
}

/** A slice that began before the window may have counts of it: it counts in full, so a limit is never passed. */
export function readCounters({ counters, now }: ReadTransaction): ReadCounter {
  return ({ key, perMs }: CounterRef) => {
    const slice = sliceMs(perMs);
    const { amount, oldestAt } = counters.sum(key, now - perMs - slice);
    return { amount, oldestAt: oldestAt === undefined ? undefined : oldestAt + slice };
  };
}

function refusal({ capability }: ValidCall, { rule, exceeded }: Decision): GateError {
  const { name } = capability;
  if (exceeded !== undefined) return rateLimited(name, exceeded);
  const why = rule?.reason === undefined ? '' : ` Its reason: ${rule.reason}.`;
  return gateError('PolicyDenied', {
    message: `Cannot call ${name}: ${rule === undefined ? 'its definition blocks it' : `rule ${describe(rule)} blocks it${rule.reason === undefined ? '' : `: ${rule.reason}`}`}`,
    agentMessage:
      `Policy does not allow this call of ${name}${rule === undefined ? '' : ` (rule ${describe(rule)})`}. Nothing was done.${why} ` +
      'Do not try it in another way; do something else, or tell the person you work for which rule stands in the way.',
    recovery: [
      { action: 'check_policy', description: 'Read what you may do', capability: 'agent.policy' },
      // What is built in nobody can allow.
      ...(rule?.layer === 'builtin'
        ? []
        : [
            {
              action: 'request_escalation',
              description: rule === undefined ? 'Ask an operator to allow it' : `Ask an operator to change rule ${describe(rule)}`,
            },
          ]),
    ],
    context: { capability: name, ...(rule !== undefined && { rule: ruleContext(rule) }) },
  });
}

function rateLimited(name: string, { rule, counter, retryAfterMs }: NonNullable<Decision['exceeded']>): GateError {
  const seconds = Math.ceil(retryAfterMs / 1_000);
  const { what } = counter;
  const wait = formatDuration(seconds * 1_000);
  return gateError('RateLimited', {
    message: `Cannot call ${name}: rule ${describe(rule)} allows ${counter.max} ${what} in ${formatDuration(counter.perMs)}, and they are used; there is room again in ${wait}`,
    agentMessage: `You have used the ${counter.max} ${what} that rule ${describe(rule)} allows in ${formatDuration(counter.perMs)}. Nothing was done. There is room again in ${wait}.`,
    recovery: [{ action: 'wait_and_retry', description: `Wait ${wait} and call again`, capability: name }],
    retryable: true,
    retryAfterMs,
    context: {
      capability: name,
      rule: ruleContext(rule),
      limit: counter.max,
      what,
      window_seconds: counter.perMs / 1_000,
      retry_after_seconds: seconds,
    },
  });
}

export function describe({ layer, file, line, rule }: RuleRef): string {
  return `${JSON.stringify(rule)} (${layer === 'builtin' ? 'built in' : layer === 'allowance' ? 'allowed by people' : `${file}, line ${line}`})`;
}

/** What stands in no file names none. */
export function ruleContext({ layer, file, line, rule, reason }: RuleRef) {
  return { layer, ...(file !== '' && { file, line }), id: rule, ...(reason !== undefined && { reason }) };
}
