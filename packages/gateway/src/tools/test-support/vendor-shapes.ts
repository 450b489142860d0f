/** What the interfaces of models take as `tools`, as their references and their refusals say. Nothing beyond it: an unknown word is refused by one of them at least. */
import { z } from 'zod';

const name = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/);
const property = z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const jsonType = z.enum(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
const types = z.union([jsonType, z.array(jsonType).min(1)]);

/** JSON Schema without references; lists say what is in them. */
const schema: z.ZodType = z.lazy(() =>
  z
    .strictObject({
      type: types.optional(),
      description: z.string().optional(),
      enum: z.array(scalar).min(1).optional(),
      anyOf: z.array(schema).min(1).optional(),
      items: schema.optional(),
      properties: z.record(property, schema).optional(),
      required: z.array(z.string()).optional(),
      additionalProperties: z.union([z.boolean(), schema]).optional(),
      default: z.unknown().optional(),
      format: z.string().optional(),
      ...Object.fromEntries(
        ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'].map((key) => [
          key,
          z.number().optional(),
        ]),
      ),
    })
    .refine(({ type, items }) => ![type].flat().includes('array') || items !== undefined, { error: 'a list without items' }),
);

/** No alternatives, values or `not` at the top. */
const parameters = z
  .object({ type: z.literal('object'), properties: z.record(property, schema) })
  .loose()
  .refine((value) => schema.safeParse(value).success, { error: 'is no schema' })
  .refine((value) => ['anyOf', 'oneOf', 'allOf', 'enum', 'not', '$ref'].every((key) => !(key in value)), { error: 'is no plain object' });

const word = { description: z.string().optional() };
const strict: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ ...word, anyOf: z.array(strict).min(1) }),
    z.strictObject({ ...word, type: types.optional(), enum: z.array(scalar).min(1) }),
    strictParameters,
    z.strictObject({
      ...word,
      type: types.refine((type) => !['object', 'array'].some((each) => [type].flat().includes(each as 'object'))),
    }),
    z.strictObject({ ...word, type: types, items: strict }),
  ]),
);
const strictParameters: z.ZodType = z.lazy(() =>
  z
    .strictObject({
      ...word,
      type: types,
      properties: z.record(property, strict),
      required: z.array(z.string()),
      additionalProperties: z.literal(false),
    })
    .refine((value) => [value.type].flat().includes('object'))
    .refine(({ properties, required }) => Object.keys(properties).toSorted().join() === required.toSorted().join(), {
      error: 'not all are required',
    }),
);

const openAiFunction = z
  .strictObject({ name, description: z.string().max(1_024), parameters, strict: z.boolean() })
  .refine((value) => !value.strict || strictParameters.safeParse(value.parameters).success, { error: 'is not strict' });

const gemini: z.ZodType = z.lazy(() =>
  z
    .strictObject({
      type: z.enum(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT']).optional(),
      description: z.string().optional(),
      nullable: z.boolean().optional(),
      enum: z.array(z.string().min(1)).min(1).optional(),
      items: gemini.optional(),
      properties: z.record(property, gemini).optional(),
      required: z.array(z.string()).min(1).optional(),
      anyOf: z.array(gemini).min(2).optional(),
    })
    .refine(({ type, anyOf }) => (type === undefined) !== (anyOf === undefined), { error: 'has no type' })
    .refine(({ type, items }) => (type === 'ARRAY') === (items !== undefined), { error: 'items without a list' })
    .refine(({ type, properties }) => type === 'OBJECT' || properties === undefined, { error: 'properties without an object' })
    .refine(({ properties = {}, required = [] }) => required.every((key) => Object.hasOwn(properties, key)), {
      error: 'requires what is not there',
    }),
);

export const VENDOR_SHAPES = {
  anthropic: z.array(z.strictObject({ name, description: z.string(), input_schema: parameters })),
  openai: z.array(z.strictObject({ type: z.literal('function'), function: openAiFunction })).max(128),
  'openai-responses': z.array(openAiFunction.safeExtend({ type: z.literal('function') })).max(128),
  gemini: z
    .array(
      z.strictObject({
        functionDeclarations: z
          .array(z.strictObject({ name, description: z.string(), parameters: gemini.optional() }))
          .min(1)
          .max(128),
      }),
    )
    .max(1),
  mcp: z.array(z.object({ name, inputSchema: z.object({ type: z.literal('object') }).loose() }).loose()),
} as const;
