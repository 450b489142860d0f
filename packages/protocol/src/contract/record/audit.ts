/** The audit, on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { tier } from './call.ts';
import { ruleRef } from './rule.ts';

export const auditKind = z.enum(['syscall', 'question', 'answer', 'operator', 'policy', 'system']);
export const auditOutcome = z.enum(['begun', 'success', 'failure', 'denied', 'pending', 'unknown']);

export const auditEntry = z.object({
  seq: int,
  at: seconds,
  hash: word,
  kind: auditKind,
  workspace: word,
  actor: z.object({
    kind: z.enum(['process', 'member', 'operator', 'system']),
    pid: int.nullable(),
    agent: word.nullable(),
    name: word.nullable(),
  }),
  action: word,
  outcome: auditOutcome,
  call_id: word.nullable(),
  approval_id: word.nullable(),
  input: jsonObject.nullable(),
  input_hash: word.nullable(),
  decision: z.object({ tier, rule: ruleRef.nullable(), policy: word.nullable() }).nullable(),
  taint: listOf(word),
  error: z.object({ type: word, message: prose }).nullable(),
  duration_ms: z.number().nullable(),
  usage: z.record(word, z.number()).nullable(),
  details: jsonObject.nullable(),
});

export const treeHead = z.object({ size: int, root: word, at: seconds, key_id: word, signature: word });

export const inclusionProof = z.object({ seq: int, hash: word, path: listOf(word), head: treeHead });
export const consistencyProof = z.object({ from: treeHead, to: treeHead, path: listOf(word) });

export type AuditRecord = z.output<typeof auditEntry>;
