/** Schemas of the contract in a line, as the pages have them. A reference is the name of a record. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
};

/** Bounds of text that every field has say nothing. */
const USUAL_LENGTHS = new Set([4_096, 65_536]);
const USUAL_NUMBERS = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

export function schemaText(schema: Schema): string {
  if (schema.$ref !== undefined) return `[${nameOf(schema.$ref)}](#${nameOf(schema.$ref).toLowerCase()})`;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return [...new Set(alternatives.map(schemaText))].join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`${String(each)}\``).join(', ');
  if (schema.type === 'array') return `list of ${schemaText(schema.items ?? {})}`;
  if (schema.type === 'object') return objectText(schema);
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type ?? 'anything']) as readonly string[]; // It is one word or some.
  return `${types.join(' or ')}${boundsText(schema)}`;
}

function objectText({ properties, required = [], additionalProperties }: Schema): string {
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(([name, each]) => `\`${name}\`${required.includes(name) ? '' : '?'} ${schemaText(each)}`);
    return `{ ${fields.join('; ')} }`;
  }
  return typeof additionalProperties === 'object' ? `table of ${schemaText(additionalProperties)}` : 'object';
}

function boundsText({ minimum, maximum, maxLength }: Schema): string {
  const least = minimum !== undefined && !USUAL_NUMBERS.has(minimum) ? minimum : undefined;
  const most = maximum !== undefined && !USUAL_NUMBERS.has(maximum) ? maximum : undefined;
  if (least !== undefined && most !== undefined) return ` ${least}–${most}`;
  if (least !== undefined) return ` from ${least}`;
  if (most !== undefined) return ` to ${most}`;
  return maxLength !== undefined && !USUAL_LENGTHS.has(maxLength) ? ` to ${maxLength} characters` : '';
}

/** A field that may be left out may also be null: that is said once for all. */
export function fieldSchema(schema: Schema): Schema {
  const others = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  const [only, second] = others;
  return only !== undefined && second === undefined && others.length !== schema.anyOf?.length ? { ...schema, anyOf: [only] } : schema;
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

/** In a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}
