/** Approvals of one workspace: each decision one transaction, recorded in the audit before whoever decided is answered and before anything is carried out. */
import { randomBytes } from 'node:crypto';
import { createId, Fault, type RandomSource } from '@warren/protocol';
import type { AuditActor, AuditEntry } from '../audit/audit.ts';
import type { JsonObject } from '../internal/json.ts';
import { clamp, PAGE_DEFAULT } from '../internal/page.ts';
import { checkWord } from '../internal/payload.ts';
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import { APPROVAL_STATES, type ApprovalRow } from '../store/tables/approval-table.ts';
import { checkAlways, createRule, listRules, revokeRule } from './allow-rules.ts';
import { termsOf, toApproval } from './approval-row.ts';
import type { Approval, Approvals, Approver } from './approvals.ts';
import { decide } from './decide.ts';
import type { DeskSlot } from './desk.ts';
import { agreedAlways, decidedAlready, requireApproval, requireUnbegun, takeBack, type Voted, voteAgainst, voteFor } from './vote.ts';
import type { Waiters } from './waiters.ts';

const PAGE_MAX = 1_000;
const NOTE_BYTES_MAX = 4_096;
const GROUPS_MAX = 256;
const WAIT_MS_MAX = 86_400_000;

export type ApprovalParts = {
  readonly store: WorkspaceStore;
  readonly desk: DeskSlot;
  readonly waiters: Waiters;
  readonly tick: () => Promise<void>;
  readonly random?: RandomSource | undefined;
};

export function createApprovals({ store, desk, waiters, tick, random = randomBytes }: ApprovalParts): Approvals {
  const find = async (id: string): Promise<ApprovalRow> => {
    checkWord(id, 'approval', 'invalid_argument');
    return await store.read(({ approvals }) => requireApproval(approvals.find(id), id));
  };

  /** With the arguments as they would be carried out: read at once, so that they are those of the hash. */
  const show = async (id: string): Promise<Approval> => {
    checkWord(id, 'approval', 'invalid_argument');
    const { row, call } = await store.read(({ approvals, calls }) => {
      const found = requireApproval(approvals.find(id), id);
      return { row: found, call: calls.find(found.callId) };
    });
    return toApproval(row, call === undefined ? undefined : desk.find()?.show(store.id, call));
  };

  /** On disk in the audit before anybody hears of it. What could not be recorded is, before the call is carried out. */
  const settle = async (voted: Voted, by: Approver, note: string | undefined, rule?: AuditEntry): Promise<Approval> => {
    const mine = desk.get('decide');
    if (voted.kind === 'expired') throw decidedAlready(voted.row);
    const answer: AuditEntry = {
      kind: 'answer',
      workspace: store.id,
      actor: actorOf(by),
      action: voted.row.capability,
      outcome: voted.kind === 'counted' ? 'pending' : voted.row.state === 'approved' ? 'success' : 'denied',
      callId: voted.row.callId,
      approvalId: voted.row.id,
      input: voted.row.editedInput,
      details: {
        state: voted.row.state,
        votes: voted.row.votes.length,
        quorum: termsOf(voted.row).quorum,
        call_hash: voted.row.callHash,
        ...alwaysOf(voted.row),
        ...(note !== undefined && { note }),
      },
    };
    const recorded = await Promise.allSettled((rule === undefined ? [answer] : [answer, rule]).map((entry) => mine.record(entry)));
    if (voted.kind === 'decided' && voted.row.state === 'approved') mine.carryOut(store.id, voted.row.callId);
    for (const each of recorded) if (each.status === 'rejected') throw each.reason;
    return toApproval(voted.row);
  };

  return {
    get: show,

    async list(filter = {}, { limit, before } = {}) {
      if (filter.state !== undefined && !APPROVAL_STATES.includes(filter.state))
        throw invalid('state', `it is none of ${APPROVAL_STATES.join(', ')}`);
      return await store.read(({ approvals }) => ({
        approvals: approvals.list(filter, clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX), before).map((row) => toApproval(row)),
        pending: approvals.countPending(),
      }));
    },

    async approve(id, by, { note, input, always, callHash } = {}) {
      const mine = desk.get('approve');
      checkApprover(by);
      checkNote(note, 'note');
      await mine.ready();
      const rule = always === undefined ? undefined : { id: createId('rule', random), always: checkAlways(always), by: by.name };
      const row = await find(id);
      if (row.state !== 'pending') throw decidedAlready(row);
      const call = await store.read(({ calls }) => calls.find(row.callId));
      if (call === undefined) throw new Error(`Approval ${id} has no call`);
      const edited = input === undefined ? undefined : mine.edit(store.id, call, input);
      const isExact = rule?.always.scope.kind === 'exact';
      const inputHash = isExact ? (edited ?? mine.edit(store.id, call, call.input)).inputHash : '';
      const voted = await store.write((transaction): Voted => {
        const done = voteFor(transaction, id, { by, note, edited, always: rule?.always, callHash: callHash ?? row.callHash });
        if (rule !== undefined && done.kind === 'decided')
          createRule(transaction, done.row, { ...rule, always: agreedAlways(done.row), inputHash });
        return done;
      });
      if (rule === undefined || voted.kind !== 'decided') return await settle(voted, by, note);
      const { agent, capability } = row;
      const { scope, forMs } = agreedAlways(voted.row);
      return await settle(voted, by, note, {
        kind: 'operator',
        workspace: store.id,
        actor: actorOf(by),
        action: 'approval.allow_always',
        outcome: 'success',
        approvalId: id,
        details: { rule_id: rule.id, agent, capability, scope: scope.kind, for_ms: forMs },
      });
    },

    async reject(id, by, { reason, callHash } = {}) {
      const mine = desk.get('reject');
      checkApprover(by);
      checkNote(reason, 'reason');
      checkWord(id, 'approval', 'invalid_argument');
      await mine.ready();
      return await settle(await store.write((transaction) => voteAgainst(transaction, id, { by, note: reason, callHash })), by, reason);
    },

    async cancel(id, by, reason) {
      const mine = desk.get('cancel');
      checkApprover(by);
      checkNote(reason, 'reason');
      checkWord(id, 'approval', 'invalid_argument');
      await mine.ready();
      return await settle(await store.write((transaction) => takeBack(transaction, id, { by, note: reason })), by, reason);
    },

    async withdraw(id, by, reason) {
      const mine = desk.get('cancel');
      checkWord(id, 'approval', 'invalid_argument');
      checkNote(reason, 'reason');
      await mine.ready();
      const row = await store.write((transaction: Transaction) =>
        decide(transaction, requireUnbegun(transaction, id), { state: 'cancelled', by: by?.name ?? 'caller', reason }),
      );
      await mine.record({
        kind: 'answer',
        workspace: store.id,
        actor: by === undefined ? { kind: 'process', pid: row.pid, agent: row.agent } : actorOf(by),
        action: row.capability,
        outcome: 'denied',
        callId: row.callId,
        approvalId: id,
        details: { state: row.state, note: reason },
      });
      return toApproval(row);
    },

    async wait(id, waitMs, signal) {
      const endsAt = performance.now() + clamp(waitMs, 0, 0, WAIT_MS_MAX);
      for (;;) {
        const abandon = new AbortController();
        const leftMs = endsAt - performance.now();
        // It listens before it looks, so that nothing is decided in between.
        const woken =
          leftMs > 0
            ? waiters.wait(id, leftMs, signal === undefined ? abandon.signal : AbortSignal.any([signal, abandon.signal]))
            : undefined;
        woken?.catch(() => {}); // Heard of below, or abandoned.
        try {
          const row = await find(id);
          if (row.state !== 'pending' || woken === undefined) return await show(id);
          await woken;
        } finally {
          abandon.abort();
        }
      }
    },

    listRules: ({ all = false } = {}) => store.read((transaction) => listRules(transaction, all)),

    async revokeRule(id, by) {
      const mine = desk.get('revoke a rule');
      checkWord(id, 'rule', 'invalid_argument');
      checkApprover(by);
      await mine.ready();
      const wasInForce = await store.write((transaction) => revokeRule(transaction, id, by.name));
      await mine.record({
        kind: 'operator',
        workspace: store.id,
        actor: actorOf(by),
        action: 'approval.revoke_rule',
        outcome: 'success',
        details: { rule_id: id, was_in_force: wasInForce },
      });
      return wasInForce;
    },

    tick,
  };
}

/** What the last who said yes would allow from now on. */
function alwaysOf({ votes }: ApprovalRow): JsonObject {
  const always = votes.at(-1)?.always;
  return always === undefined ? {} : { always };
}

/** As the audit names them. */
function actorOf({ isOperator, name }: Approver): AuditActor {
  return { kind: isOperator ? 'operator' : 'member', name };
}

function checkApprover({ name, groups }: Approver): void {
  checkWord(name, 'approver', 'invalid_argument');
  if (!Array.isArray(groups) || groups.length > GROUPS_MAX || !groups.every((group) => typeof group === 'string')) {
    throw invalid('groups', `it is no list of at most ${GROUPS_MAX} names`);
  }
}

function checkNote(note: string | undefined, field: string): void {
  if (note === undefined) return;
  if (typeof note !== 'string' || Buffer.byteLength(note) > NOTE_BYTES_MAX)
    throw invalid(field, `it is no text of at most ${NOTE_BYTES_MAX} bytes`);
}

function invalid(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot use ${field}: ${why}`, { details: { field } });
}
