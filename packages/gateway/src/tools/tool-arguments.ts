/** The arguments of a call as models make it: an object, or its text. */
import { Fault, faultFromError, type JsonObject, type JsonValue } from '@warren/protocol';
import { problemWithJson } from '@warren/protocol/contract';
import { isObject } from '../internal/is-object.ts';
import { DISPATCH_LIMITS } from '../jsonrpc/dispatch-limits.ts';
import { readJson } from '../jsonrpc/read-json.ts';
import { plainSchema, UnfitSchema } from './plain-schema.ts';
import { takesNull } from './strict-schema.ts';

/** Nothing at all is no arguments. Throws `invalid_argument` and `too_large`. */
export function readToolArguments(given: JsonObject | string): JsonObject {
  if (typeof given !== 'string') return given;
  if (given.trim() === '') return {};
  const read = readJson(Buffer.from(given, 'utf8'), DISPATCH_LIMITS);
  if (read.kind === 'refused') throw unreadable(faultFromError(read.error).message);
  const problem = problemWithJson(read.value);
  if (problem !== undefined) throw unreadable(`it ${problem}`);
  return read.value as JsonObject; // Found to be one.
}

function unreadable(why: string): Fault {
  return new Fault('invalid_argument', `Cannot read "arguments" as an object of JSON: ${why}`, { details: { field: 'arguments' } });
}

/** Without the nulls by which a model that is held to a strict schema says that it gives nothing, and those that are as good as nothing. */
export function withoutAbsent(schema: JsonObject, input: JsonObject): JsonObject {
  if (!JSON.stringify(input).includes('null')) return input;
  try {
    return prune(plainSchema(schema), input) as JsonObject; // An object stays one.
  } catch (error) {
    if (error instanceof UnfitSchema) return input; // It was never exported.
    throw error;
  }
}

function prune(schema: JsonObject, value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items) ? value.map((each) => prune(items, each)) : value;
  }
  const { properties, required = [] } = schema;
  if (!isObject(value) || !isObject(properties)) return value;
  const demanded = required as readonly string[]; // Of a plain schema.
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      const field = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (!isObject(field)) return [[name, each] as const];
      if (each === null && !demanded.includes(name) && (!takesNull(field) || field['default'] === null)) return [];
      return [[name, prune(field, each)] as const];
    }),
  );
}
