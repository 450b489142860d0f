/** Skills, on the wire. What a skill says of itself is data. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { prose, word, writing } from '../value/text.ts';

export const skillSummary = z.object({
  name: word,
  /** Only `approved` is run and offered. `changed`: since it was approved. `unapproved`: it was put there by hand. `broken`: it cannot be used. */
  state: z.enum(['approved', 'changed', 'unapproved', 'broken']),
  description: prose,
  /** In the workspace that is asked about. */
  enabled: z.boolean(),
  /** Whether it has a program; else it is instructions to follow. */
  runnable: z.boolean(),
  /** SHA-256 of all its files: what is approved by naming it. */
  hash: word,
  /** What is wrong with it. */
  problems: listOf(prose),
});

export const skill = skillSummary.extend({
  instructions: writing,
  program: word.nullable(),
  license: prose.nullable(),
  compatibility: prose.nullable(),
  allowed_tools: listOf(word),
  secrets: listOf(z.object({ variable: word, secret: word })),
  hosts: listOf(word),
  mounts: listOf(z.object({ path: word, writable: z.boolean() })),
  /** Null when it is broken, as are the two that follow. */
  timeout_ms: int.nullable(),
  memory_bytes: int.nullable(),
  output_bytes_max: int.nullable(),
});

/** One of both. What `skill.run` answers, or why there is no answer: that is no error of the protocol. */
export const skillTrial = z.object({
  output: jsonObject.nullable(),
  error: z.object({ type: word, message: prose, context: jsonObject.nullable() }).nullable(),
});

export type SkillSummaryRecord = z.output<typeof skillSummary>;
export type SkillRecord = z.output<typeof skill>;
export type SkillTrialRecord = z.output<typeof skillTrial>;
