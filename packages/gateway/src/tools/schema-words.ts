/** Bounds and defaults in words, where a vendor's subset has no place for them: the model is told, the gate checks. */
import type { JsonObject } from '@warren/protocol';

export function describedInWords(schema: JsonObject): JsonObject {
  const { description } = schema;
  const said = typeof description === 'string' ? description : '';
  const words = [
    range(schema['minimum'], schema['maximum'], ''),
    range(schema['minLength'], schema['maxLength'], ' characters'),
    range(schema['minItems'], schema['maxItems'], ' items'),
    schema['default'] === undefined ? '' : `default ${JSON.stringify(schema['default'])}`,
  ].filter((each) => each !== '');
  const text = [said, ...words].filter((each) => each !== '').join('; ');
  return text === '' ? {} : { description: text };
}

function range(least: unknown, most: unknown, unit: string): string {
  if (typeof least === 'number' && typeof most === 'number') return `${least} to ${most}${unit}`;
  if (typeof least === 'number' && least !== 0) return `at least ${least}${unit}`;
  return typeof most === 'number' ? `at most ${most}${unit}` : '';
}
