/** `audit.*`: what happened, and proofs that it is all there. A member sees its own workspace. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { auditEntry, auditKind, auditOutcome, consistencyProof, inclusionProof, treeHead } from '../record/audit.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { listOf } from '../value/list.ts';
import { int, milliseconds, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { WAIT_MS_MAX } from '../value/wait.ts';

export const AUDIT_OPERATIONS = {
  'audit.search': operation({
    summary: 'Lists entries, oldest first or with `newest` newest first; waits up to `wait_ms` for one when there is none',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({
      agent: optional(word),
      pid: optional(int),
      action: optional(word),
      kind: optional(auditKind),
      outcome: optional(auditOutcome),
      call_id: optional(word),
      approval_id: optional(word),
      from: optional(seconds),
      to: optional(seconds),
      cursor: optional(int),
      newest: optional(z.boolean()),
      wait_ms: optional(milliseconds(WAIT_MS_MAX)),
      limit,
    }),
    result: z.object({ entries: listOf(auditEntry), next: int.nullable() }),
    faults: [...ON_READ],
  }),
  'audit.get': operation({
    summary: 'Answers with one entry',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ seq: int }),
    result: auditEntry,
    faults: [...ON_READ],
  }),
  'audit.head': operation({
    summary:
      'Answers with the newest signed head of the tree and the key it is signed with; whoever keeps one can prove later that nothing before it changed',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({}),
    result: z.object({ head: treeHead, public_key: prose }),
    faults: [...ON_READ],
  }),
  'audit.prove_inclusion': operation({
    summary: 'Proves that an entry is part of the tree',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ seq: int, size: optional(int) }),
    result: inclusionProof,
    faults: ['conflict', ...ON_READ],
  }),
  'audit.prove_consistency': operation({
    summary: 'Proves that the tree now begins with the tree of then',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ from: int, to: optional(int) }),
    result: consistencyProof,
    faults: [...ON_READ],
  }),
};
