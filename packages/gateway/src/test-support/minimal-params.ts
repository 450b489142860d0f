/** The least that an operation takes, and how it is asked for below `/api`. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { HTTP_ROUTES, type JsonSchema, jsonSchema, OPERATIONS, type OperationName, pathParams } from '@warren/protocol/contract';

/** What has to be given, as small as it may be; `known` where it must be something there is. */
export function minimalParams(name: OperationName, known: JsonObject): JsonObject {
  const { properties = {}, required = [] } = jsonSchema(OPERATIONS[name].params);
  const needed = Object.keys(properties).filter((key) => required.includes(key) || known[key] !== undefined);
  return Object.fromEntries(needed.map((key) => [key, known[key] ?? minimal(properties[key] as JsonSchema)])); // Of the contract no schema is just true or false.
}

function minimal(schema: JsonSchema): JsonValue {
  const [first] = (schema.anyOf ?? schema.oneOf ?? []) as readonly JsonSchema[]; // As above.
  if (first !== undefined) return minimal(first);
  if (schema.const !== undefined) return schema.const as JsonValue; // It was written as JSON.
  if (schema.enum !== undefined) return schema.enum[0] as JsonValue; // As above.
  switch (schema.type) {
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((key) => [key, minimal(schema.properties?.[key] as JsonSchema)])); // As above.
    default:
      return schema.contentEncoding === 'base64' ? '' : 'x';
  }
}

export type ApiAsk = { readonly method: string; readonly path: string; readonly body: string | undefined };

/** The same call as HTTP says it. */
export function apiAskOf(name: OperationName, params: JsonObject): ApiAsk {
  const { method, path } = HTTP_ROUTES[name];
  const inPath = pathParams(path);
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, key: string) => encodeURIComponent(String(params[key])));
  const rest = Object.entries(params).filter(([key]) => !inPath.includes(key));
  if (method === 'DELETE' && rest.length === 0) return { method, path: filled, body: undefined };
  if (method !== 'GET') return { method, path: filled, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams(rest.flatMap(([key, value]) => textsOf(value).map((text): [string, string] => [key, text])));
  return { method, path: rest.length === 0 ? filled : `${filled}?${query}`, body: undefined };
}

function textsOf(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return [typeof value === 'object' ? JSON.stringify(value) : String(value)];
}
