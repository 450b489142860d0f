/** Parameters that may be left out. Null counts as left out: earlier clients send it. */
import type { z } from 'zod';

const known = new WeakMap<z.ZodType, z.ZodType>();

/** Of one schema always the same: the contract asks for few of them hundreds of times, and making them is a part of each start that is felt. */
export function optional<Schema extends z.ZodType>(schema: Schema): Optional<Schema> {
  const found = known.get(schema) ?? makeOptional(schema);
  known.set(schema, found);
  return found as Optional<Schema>; // Of this schema: it stands under it.
}

type Optional<Schema extends z.ZodType> = ReturnType<typeof makeOptional<Schema>>;

function makeOptional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

export function withDefault<Schema extends z.ZodType, Default extends z.output<Schema>>(schema: Schema, otherwise: Default) {
  return schema
    .nullish()
    .transform((value): z.output<Schema> => value ?? otherwise)
    .meta({ default: otherwise });
}
