/** The schemas as JSON Schema, for documents and pins. */
import { z } from 'zod';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * What a caller writes (before defaults are filled in) or reads. Results are open, for a newer server answers more; of parameters only those of
 * `kernel.*` are.
 */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, '~standard': __, ...made } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: refine });
  return made;
}

function refine({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: JsonSchema }): void {
  // Defaults are filled in by transforms here, and the translation leaves those out.
  const otherwise = z.globalRegistry.get(zodSchema)?.['default'];
  if (otherwise !== undefined) jsonSchema.default = otherwise;
  // That a number is one that a double holds exactly goes without saying.
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
