/** What is promised about each operation, as data that can be written down and compared. */
import { type Effect, type JsonSchema, jsonSchema, type OPERATIONS, type Scope, type Tier } from '@warren/protocol/contract';

export type PinnedOperation = {
  readonly tier: Tier;
  readonly effect: Effect;
  readonly scope: Scope;
  readonly params: JsonSchema;
  readonly result: JsonSchema;
};

export type Pin = Readonly<Record<string, PinnedOperation>>;

export function pinOf(operations: typeof OPERATIONS): Pin {
  const entries = Object.entries(operations).map(([name, { tier, effect, scope, params, result }]) => [
    name,
    { tier, effect, scope, params: jsonSchema(params), result: jsonSchema(result) },
  ]);
  return JSON.parse(JSON.stringify(Object.fromEntries(entries))) as Pin; // As it is once written down and read again.
}
