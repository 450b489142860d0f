import type { AuditActor, RecordedEntry } from '@warren/kernel';
import type { AuditRecord } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';
import { toRuleReference } from './rule.ts';

export function toAuditEntry(entry: RecordedEntry): AuditRecord {
  const { seq, at, hash, kind, workspace, actor, action, outcome, decision } = entry;
  return {
    ...{ seq, at: toSeconds(at), hash, kind, workspace, actor: toActor(actor), action, outcome },
    call_id: entry.callId ?? null,
    approval_id: entry.approvalId ?? null,
    input: entry.input ?? null,
    input_hash: entry.inputHash ?? null,
    decision:
      decision === undefined
        ? null
        : {
            tier: decision.tier,
            rule: decision.rule === undefined ? null : toRuleReference(decision.rule),
            policy: decision.policy ?? null,
          },
    taint: entry.taint ?? [],
    error: entry.error ?? null,
    duration_ms: entry.durationMs ?? null,
    usage: entry.usage ?? null,
    details: entry.details ?? null,
  };
}

function toActor(actor: AuditActor): AuditRecord['actor'] {
  const nobody = { kind: actor.kind, pid: null, agent: null, name: null };
  if (actor.kind === 'process') return { ...nobody, pid: actor.pid, agent: actor.agent };
  return actor.kind === 'system' ? nobody : { ...nobody, name: actor.name };
}
