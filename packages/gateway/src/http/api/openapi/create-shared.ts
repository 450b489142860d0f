/** Records that are named once and referred to. A schema that says the same as one of them is that record, wherever it stands. */
import { type JsonSchema, jsonSchema, RECORDS } from '@warren/protocol/contract';

export interface Shared {
  /** The schema with references where records stand. */
  refer(schema: JsonSchema): JsonSchema;
  /** Those that were referred to. */
  schemas(): Readonly<Record<string, JsonSchema>>;
}

export function createShared(): Shared {
  const made = Object.entries(RECORDS).map(([name, record]) => [name, jsonSchema(record)] as const);
  const names = new Map(made.map(([name, schema]) => [JSON.stringify(schema), name]));
  const used = new Map<string, JsonSchema>();

  function refer(schema: JsonSchema): JsonSchema {
    const name = names.get(JSON.stringify(schema));
    if (name === undefined) return below(schema);
    // Before what is below it: a record may stand in itself.
    if (!used.has(name)) {
      used.set(name, schema);
      used.set(name, below(schema));
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  function below(schema: JsonSchema): JsonSchema {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, part(key, value)]));
  }

  function part(key: string, value: unknown): unknown {
    if (key === 'anyOf' || key === 'oneOf') return (value as readonly JsonSchema[]).map(refer); // Of the contract no schema is just true or false.
    if (key === 'properties') return mapValues(value as Readonly<Record<string, JsonSchema>>, refer); // As above.
    if (key === 'items' || key === 'additionalProperties') return typeof value === 'object' ? refer(value as JsonSchema) : value;
    return value;
  }

  return { refer, schemas: () => Object.fromEntries([...used].toSorted(([one], [other]) => (one < other ? -1 : 1))) };
}

function mapValues<In, Out>(table: Readonly<Record<string, In>>, change: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]));
}
