/**
 * What a policy file may say, as a schema: whatever is not here is refused by name. The published JSON Schema (`docs/policy.schema.json`) is made from it,
 * and a test holds that they agree.
 */
import { TIERS } from '@warren/kernel';
import { z } from 'zod';

const NAMES_MAX = 1_000;
const RULES_MAX = 100_000;
const DEPTH_MAX = 8;
const DAY_MS = 86_400_000;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS } as const;

export const tier = z.enum(TIERS).meta({ description: 'What happens to a call, from the least to the most restrictive' });

const text = z.string().min(1).max(4_096);
const texts = (most = NAMES_MAX) => z.array(text).min(1).max(most);
/** One or several. */
const some = z.union([text, texts()]).transform((value) => (typeof value === 'string' ? [value] : value));

/** `30s`, `5m`, `1h`, `2d`, `250ms`, or a number of seconds. */
export const duration = z
  .union([
    z.string().regex(/^\d{1,9}(?:ms|s|m|h|d)$/, { error: 'is no duration such as 30s, 5m, 1h or 2d' }),
    z.number().positive().max(31_536_000),
  ])
  .transform((value) => (typeof value === 'number' ? Math.round(value * 1_000) : readDuration(value)));

function readDuration(value: string): number {
  const [, amount = '', unit = 's'] = /^(\d+)([a-z]+)$/.exec(value) ?? [];
  return Number(amount) * UNITS[unit as keyof typeof UNITS]; // The expression above lets no other pass.
}

const bound = z.number();
const comparisons = { lt: bound.optional(), lte: bound.optional(), gt: bound.optional(), gte: bound.optional() };
const scalar = z.union([z.string().max(65_536), z.number(), z.boolean(), z.null()]);

const valueCondition = z.strictObject({
  ...comparisons,
  equals: z.json().optional(),
  in: z.array(scalar).min(1).max(NAMES_MAX).optional(),
  not_in: z.array(scalar).min(1).max(NAMES_MAX).optional(),
  starts_with: text.optional(),
  ends_with: text.optional(),
  contains: text.optional(),
  regex: z.string().min(1).max(1_024).optional(),
  exists: z.boolean().optional(),
});

const day = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, { error: 'is no time of day such as 09:30' });

const leaf = {
  path: z
    .strictObject({ under: some.optional(), not_under: some.optional(), glob: some.optional(), mode: z.enum(['r', 'rw']).optional() })
    .optional(),
  host: z.strictObject({ matches: some.optional(), not_matches: some.optional() }).optional(),
  command: z.strictObject({ prefix: z.array(texts(64)).min(1).max(NAMES_MAX).optional(), program: some.optional() }).optional(),
  size: z.strictObject(comparisons).optional(),
  args: z.record(z.string().min(1).max(256), valueCondition).optional(),
  taint: z.strictObject({ any: some.optional(), none: some.optional() }).optional(),
  time: z
    .strictObject({
      zone: text.optional(),
      days: z.array(day).min(1).max(7).optional(),
      from: clockTime.optional(),
      to: clockTime.optional(),
    })
    .optional(),
};

export type ConditionDocument = z.output<z.ZodObject<typeof leaf>> & {
  readonly not?: ConditionDocument | undefined;
  readonly any?: readonly ConditionDocument[] | undefined;
};

/** Nested so deep and no deeper. */
function conditionTo(depth: number): z.ZodType<ConditionDocument> {
  if (depth === 0) return z.strictObject(leaf) as unknown as z.ZodType<ConditionDocument>; // Without what could nest further.
  let made: z.ZodType<ConditionDocument> | undefined;
  const inner = (): z.ZodType<ConditionDocument> => {
    made ??= conditionTo(depth - 1);
    return made;
  };
  // Each level is made when a condition is read that is so deep: all of them take longer than the rest of a schema.
  const nested = z.strictObject({
    ...leaf,
    get not() {
      return inner().optional();
    },
    get any() {
      return z.array(inner()).min(1).max(64).optional();
    },
  });
  return nested as unknown as z.ZodType<ConditionDocument>; // zod cannot name what refers to itself.
}

export const conditionDocument = conditionTo(DEPTH_MAX);

const limit = z.strictObject({
  what: text.default('calls'),
  max: z.number().nonnegative(),
  per: duration,
  on_exceed: tier.default('blocked'),
});

const ask = z.strictObject({
  quorum: z.int().min(1).max(100).optional(),
  approvers: some.optional(),
  expires: duration.optional(),
  escalate: z.strictObject({ after: duration, to: some }).optional(),
});

export const ruleDocument = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .optional(),
  capability: some,
  tags: some.optional(),
  agent: some.optional(),
  when: conditionDocument.optional(),
  tier,
  reason: z.string().max(1_024).optional(),
  exception: z.boolean().optional(),
  limit: limit.optional(),
  ask: ask.optional(),
});

export type RuleDocument = z.output<typeof ruleDocument>;

/** A call and what is to be decided about it, for `warren policy test`. */
export const testDocument = z.strictObject({
  name: text,
  agent: z.string().max(256).default(''),
  capability: text,
  input: z.record(z.string(), z.json()).default({}),
  taint: z.array(text).max(32).default([]),
  at: z.iso.datetime({ offset: true }).optional(),
  expect: z.strictObject({ tier, rule: text.optional() }),
});

export const policyDocument = z.strictObject({
  name: text.optional(),
  version: z.union([text, z.number()]).optional(),
  description: z.string().max(16_384).optional(),
  /** A template of Warren's; its rules come after those of the file, its default holds where the file has none. */
  extends: text.optional(),
  default: tier.optional(),
  rules: z.array(ruleDocument).max(RULES_MAX).default([]),
  tests: z.array(testDocument).max(10_000).default([]),
});

export type PolicyDocument = z.output<typeof policyDocument>;
