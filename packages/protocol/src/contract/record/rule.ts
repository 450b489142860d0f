/** Rules and decisions of policies, on the wire. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { tier } from './call.ts';

/** What is built in and what people allowed stands in no file. */
export const ruleRef = z.object({ layer: word, file: word.nullable(), line: int.nullable(), rule: word, reason: prose.nullable() });

export const askTerms = z.object({
  quorum: int,
  approvers: listOf(word),
  expires_ms: int,
  escalate: z.object({ after_ms: int, to: listOf(word) }).nullable(),
});

export const decision = z.object({
  tier,
  rule: ruleRef.nullable(),
  opinions: listOf(z.object({ tier, rule: ruleRef })),
  exception: ruleRef.nullable(),
  exceeded: z.object({ rule: ruleRef, what: word, max: z.number(), per_ms: int, retry_after_ms: int }).nullable(),
  ask: askTerms,
});

export const policyStatus = z.object({
  /** SHA-256 of the files in force. */
  version: word,
  loaded_at: seconds,
  files: listOf(z.object({ layer: word, file: word, rules: int, default: tier.nullable() })),
  /** Why files on disk are not in force: then those before them are. */
  problems: listOf(z.object({ file: word, line: int.nullable(), severity: z.enum(['error', 'warning']), message: prose })),
});

export type RuleReference = z.output<typeof ruleRef>;
