/** Parameters that may be left out. Null counts as left out: earlier clients send it. */
import type { z } from 'zod';

export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

export function withDefault<Schema extends z.ZodType, Default extends z.output<Schema>>(schema: Schema, otherwise: Default) {
  return schema
    .nullish()
    .transform((value): z.output<Schema> => value ?? otherwise)
    .meta({ default: otherwise });
}
