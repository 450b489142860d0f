/**
 * What the commands of one process ask for while they run, as requests to hosts. Each is decided as a call of the capability that would do the same: the same policy,
 * grants, budgets and limits. But it is no call: nobody waits for people, nothing is journalled, and what was read to decide is kept until an event says that it
 * changed. So a decision is a few microseconds in memory, and a transaction only where a rule counts.
 */
import type { WorkspaceId } from '@warren/protocol';
import { allowancesFor } from '../approval/allow-rules.ts';
import { isAllowed } from '../grant/question.ts';
import type { JsonObject } from '../internal/json.ts';
import { readAccount } from '../ledger/account.ts';
import { isOver } from '../ledger/use.ts';
import type { Allowance, Decision, Policy, PolicyRequest, Tier } from '../policy/policy.ts';
import { isStopped } from '../process/pause-agent.ts';
import type { ReadTransaction, Store } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { GrantSet } from '../store/tables/grant-table.ts';
import { labelsOf } from '../taint/process-labels.ts';
import type { Capability, CapabilityTable } from './capability.ts';
import { countCall } from './count-call.ts';
import { describe, readCounters } from './decide-call.ts';
import { hashInput } from './hash-call.ts';

export type PermitQuestion = {
  readonly capability: string;
  readonly input: JsonObject;
  /** It was allowed before and goes on: it does not count again, and a limit that was reached meanwhile is none. */
  readonly isRenewal?: boolean | undefined;
};

export type Permit =
  | { readonly kind: 'allowed'; readonly tier: Tier }
  | { readonly kind: 'refused'; readonly reason: PermitRefusal; readonly message: string };

/** `approval`: people would have to be asked, and a command cannot wait for them. `stopped`: the process is suspended, paused or has ended. */
export type PermitRefusal = 'policy' | 'approval' | 'grant' | 'budget' | 'stopped';

export interface Permits extends Disposable {
  /** Answers at once when all that matters is known already. Faults: those of the store. */
  decide(question: PermitQuestion): Permit | Promise<Permit>;
}

export type PermitParts = {
  readonly store: Store;
  readonly capabilities: CapabilityTable;
  readonly policyOf: (workspace: WorkspaceId) => Policy;
  readonly workspace: WorkspaceId;
  readonly pid: number;
  /** Something that decisions stand on has changed: whoever keeps what they allowed asks again. Not called for policies. */
  readonly onChange: () => void;
};

/** What is read of the process. */
type Standing = {
  readonly agent: string;
  readonly isStopped: boolean;
  readonly taint: readonly string[];
  readonly held: GrantSet | undefined;
  readonly spent: string | undefined;
};
/** A question as far as it is understood. */
type Understood = {
  readonly capability: Capability;
  readonly input: JsonObject;
  readonly request: PolicyRequest;
  readonly isRenewal: boolean;
};

/** Events after which what was read may be another. Of other processes too: budgets and labels of files are shared. */
const CHANGES = [
  'kernel.process.',
  'kernel.grant.',
  'kernel.agent.',
  'kernel.ledger.',
  'kernel.taint.',
  'kernel.files.',
  'kernel.approval.rule',
];
/** Rules about time and answers that expire need no event. */
const KEPT_MS = 1_000;

export function createPermits(parts: PermitParts): Permits {
  return new ProcessPermits(parts);
}

class ProcessPermits implements Permits {
  readonly #parts: PermitParts;
  readonly #subscription: Disposable;
  #standing: Standing | undefined;
  /** Changes with each event that matters: what was read before it is not kept. */
  #version = 0;

  constructor(parts: PermitParts) {
    this.#parts = parts;
    this.#subscription = parts.store.onCommit((workspace, events) => this.#hear(workspace, events));
  }

  decide(question: PermitQuestion): Permit | Promise<Permit> {
    return this.#standing === undefined ? this.#readAndDecide(question) : this.#decide(question, this.#standing);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  async #readAndDecide(question: PermitQuestion): Promise<Permit> {
    const { store, workspace, pid } = this.#parts;
    const version = this.#version;
    const standing = await store.workspace(workspace).read((transaction) => read(transaction, pid));
    if (version === this.#version) this.#keep(standing);
    return await this.#decide(question, standing);
  }

  #keep(standing: Standing): void {
    this.#standing = standing;
    const timer = setTimeout(() => {
      if (this.#standing === standing) this.#standing = undefined;
    }, KEPT_MS);
    timer.unref();
  }

  #decide(question: PermitQuestion, standing: Standing): Permit | Promise<Permit> {
    const { capabilities, policyOf, workspace, pid } = this.#parts;
    const capability = capabilities.find(question.capability);
    const parsed = capability?.parse(question.input);
    if (capability === undefined || parsed?.kind !== 'valid') {
      const why =
        parsed?.kind === 'invalid' ? parsed.problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ') : 'there is none';
      return refused('policy', `Cannot decide about this request as ${question.capability}: ${why.slice(0, 500)}`);
    }
    const { input } = parsed;
    const facts = capability.facts(input);
    const { agent, taint } = standing;
    const standingRefusal = refuseBy(standing, capability, facts.hosts, pid);
    if (standingRefusal !== undefined) return standingRefusal;
    const { name, tags, defaultTier } = capability;
    const request = { capability: name, tags, agent, input, facts, taint, at: Date.now(), defaultTier };
    const policy = policyOf(workspace);
    let isCounted = false;
    const decision = policy.decide(request, () => {
      isCounted = true;
      return { amount: 0, oldestAt: undefined };
    });
    if (decision.tier === 'blocked' && !isCounted) return permitOf(name, decision);
    // Counted, or to be allowed by what people have answered: both are read anew, in one transaction.
    if (isCounted || decision.counters.length > 0 || decision.tier === 'approval_required')
      return this.#decideInStore({ capability, input, request, isRenewal: question.isRenewal === true }, policy);
    return permitOf(name, decision);
  }

  async #decideInStore({ capability, input, request, isRenewal }: Understood, policy: Policy): Promise<Permit> {
    const { store, workspace } = this.#parts;
    return await store.workspace(workspace).write((transaction) => {
      const at = transaction.now;
      const counters = readCounters(transaction);
      const decide = (allowances?: readonly Allowance[]): Decision => policy.decide({ ...request, at }, counters, allowances);
      let decision = decide();
      if (decision.tier === 'approval_required') {
        const allowances = allowancesFor(transaction, request.agent, capability.name, hashInput(input));
        if (allowances.length > 0) decision = decide(allowances);
      }
      if (isRenewal && decision.exceeded !== undefined) return { kind: 'allowed', tier: decision.tier };
      const permit = permitOf(capability.name, decision);
      if (permit.kind === 'allowed' && !isRenewal) countCall(transaction, decision.counters);
      return permit;
    });
  }

  #hear(workspace: WorkspaceId, events: readonly EventRecord[]): void {
    if (workspace !== this.#parts.workspace || !events.some(({ kind }) => CHANGES.some((prefix) => kind.startsWith(prefix)))) return;
    this.#version += 1;
    this.#standing = undefined;
    this.#parts.onChange();
  }
}

function read(transaction: ReadTransaction, pid: number): Standing {
  const process = transaction.processes.find(pid);
  if (process === undefined || process.state === 'DEAD')
    return { agent: '', isStopped: true, taint: [], held: undefined, spent: undefined };
  const { ledger, grants } = transaction;
  const over = ledger.rows(ledger.accountsOf(pid)).find(isOver);
  return {
    agent: process.agent ?? '',
    isStopped: isStopped(transaction, process),
    taint: labelsOf(transaction, pid),
    held: grants.find(pid),
    spent: over === undefined ? undefined : `${readAccount(over.account).kind} has used ${over.used} of ${over.granted} ${over.dim}`,
  };
}

/** The capability itself need not be held: whoever may run a command and holds the host may have the command reach it. */
function refuseBy(
  { isStopped: isHeldUp, held, spent }: Standing,
  { name }: Capability,
  hosts: readonly { readonly host: string; readonly port: number }[],
  pid: number,
): Permit | undefined {
  if (isHeldUp) return refused('stopped', `Cannot reach hosts as process ${pid}: it is suspended, or has ended`);
  const missing = hosts.find((each) => held === undefined || !isAllowed(held, { kind: 'host', ...each }));
  if (missing !== undefined)
    return refused(
      'grant',
      `Cannot reach ${missing.host}: the process holds no grant for ${missing.host}:${missing.port}; ask for the host grant`,
    );
  if (hosts.length === 0) return refused('grant', `Cannot decide about this request as ${name}: it names no host`);
  return spent === undefined ? undefined : refused('budget', `Cannot reach hosts as process ${pid}: the ${spent}`);
}

function permitOf(name: string, { tier, rule, exceeded }: Decision): Permit {
  const because =
    rule === undefined ? 'its definition says so' : `rule ${describe(rule)} says so${rule.reason === undefined ? '' : `: ${rule.reason}`}`;
  if (exceeded !== undefined && tier === 'blocked')
    return refused(
      'policy',
      `Cannot send this request: rule ${describe(exceeded.rule)} allows ${exceeded.counter.max} ${exceeded.counter.what} in ${exceeded.counter.perMs / 1_000} s, and they are used`,
    );
  if (tier === 'blocked') return refused('policy', `Cannot send this request: it is blocked as a call of ${name} would be (${because})`);
  if (tier === 'approval_required')
    return refused(
      'approval',
      `Cannot send this request: a person would have to approve it, and a command cannot wait for one (${because}); call ${name} instead, which asks`,
    );
  return { kind: 'allowed', tier };
}

function refused(reason: PermitRefusal, message: string): Permit {
  return { kind: 'refused', reason, message };
}
