/** What a YAML file of definitions may say. Unknown keys are refused; what an earlier system's packs say is taken as it is. */
import { TIERS } from '@warren/kernel';
import { z } from 'zod';
import { FIELD_TYPES } from './definition.ts';
import { CAPABILITY_NAME } from './read-text.ts';

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `5m`, `1h`, `1d`. */
const duration = z
  .string()
  .regex(DURATION, { error: 'is not a duration; give it as 500ms, 30s, 5m, 1h or 1d' })
  .transform((text) => {
    const [, amount, unit] = DURATION.exec(text)!; // The pattern held.
    return Number(amount) * UNITS[unit as keyof typeof UNITS]; // One of its alternatives.
  });

const text = z.string().min(1).max(4_096);
const word = z.string().min(1).max(128);
const json = z.json();
const jsonObject = z.record(z.string(), json);
const fieldName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, { error: 'is not a name of up to 64 letters, digits, - and _' });
/** As the gate lets them through: what is spelled otherwise would reach nobody. */
const errorType = z.string().regex(/^[A-Z][A-Za-z0-9]{0,63}$/, { error: 'is not the type of an error; give it as FileNotFound' });

const value = z.strictObject({
  type: z.enum(FIELD_TYPES),
  description: z.string().max(4_096).optional(),
  enum: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(1)
    .max(200)
    .optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  clamp: z.boolean().optional(),
  get items() {
    return value.optional();
  },
  get values() {
    return value.optional();
  },
  get fields() {
    return z.array(field).max(100).optional();
  },
  nullable: z.boolean().optional(),
  access: z.enum(['r', 'rw']).optional(),
  secret: z.boolean().optional(),
  arguments: fieldName.optional(),
  arguments_of: fieldName.optional(),
  port: fieldName.optional(),
  charge: word.optional(),
});

const field = value.extend({
  name: fieldName,
  required: z.boolean().optional(),
  default: json.optional(),
});

const recovery = z.strictObject({
  action: word,
  description: text,
  capability: word.optional(),
  input: jsonObject.optional(),
  /** The earlier name of it. */
  inputs: jsonObject.optional(),
});

export const errorFormat = z.strictObject({
  type: errorType,
  description: text,
  retryable: z.boolean().optional(),
  retry_after: duration.optional(),
  recovery: z.array(recovery).max(20),
});

export const sharedErrorFormat = errorFormat.extend({ everywhere: z.boolean().optional() });

const example = z.strictObject({
  description: text,
  setup: z.record(z.string(), z.string()).optional(),
  input: jsonObject,
  output: jsonObject.optional(),
  error: errorType.optional(),
});

export const definitionFormat = z.strictObject({
  name: z
    .string()
    .max(128)
    .regex(CAPABILITY_NAME, { error: 'is not the name of a capability; give it in small letters with a dot, as demo.lookup' }),
  version: z
    .string({ error: 'is not a text; put it in quotes, as "1.0"' })
    .regex(/^\d+(?:\.\d+){0,2}$/, { error: 'is not a version; give it as "1.0"' }),
  purpose: text,
  when_to_use: text,
  when_not_to_use: text.optional(),
  effect: z.enum(['read', 'idempotent', 'once']).optional(),
  permission_tier: z.enum(TIERS),
  tags: z.array(word).max(50).optional(),
  deadline: z.strictObject({ default: duration, max: duration }).optional(),
  concurrency: z.number().int().min(1).max(1_024).optional(),
  taints: z
    .array(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, { error: 'is not a label of small letters, as web' }))
    .max(16)
    .optional(),
  inputs: z.array(field).max(100),
  outputs: z.array(field).max(100),
  side_effects: z.array(z.strictObject({ description: text, reversible: z.boolean() })).max(50),
  common_patterns: z
    .array(z.strictObject({ description: text, steps: z.array(text).min(1).max(50) }))
    .min(1)
    .max(50),
  errors: z.array(z.union([errorType, errorFormat])).max(100),
  examples: z.array(example).max(100).optional(),
  uses: z.array(word).max(100).optional(),
});

export type RawValue = z.output<typeof value>;
export type RawField = z.output<typeof field>;
export type RawError = z.output<typeof sharedErrorFormat>;
export type RawDefinition = z.output<typeof definitionFormat>;
