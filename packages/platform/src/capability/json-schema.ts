/** JSON Schema (2020-12) of fields, as models and clients are told: what satisfies a definition satisfies it. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import type { Field, FieldType } from './definition.ts';
import { LIMITS } from './limits.ts';

const TYPES: Readonly<Record<FieldType, JsonObject>> = {
  String: { type: 'string' },
  Integer: { type: 'integer' },
  Float: { type: 'number' },
  Number: { type: 'number' },
  Boolean: { type: 'boolean' },
  Object: { type: 'object' },
  Array: { type: 'array' },
  Any: {},
  DateTime: { type: 'string' },
  FilesystemPath: { type: 'string', maxLength: 4_096 },
  GlobPattern: { type: 'string', maxLength: 4_096 },
  URL: { type: 'string', format: 'uri' },
  Host: { type: 'string' },
  Port: { type: 'integer', minimum: 1, maximum: 65_535 },
  Command: { type: 'string' },
  Content: { type: 'string', maxLength: LIMITS.contentBytesMax },
  SHA256: { type: 'string' },
  AgentId: { type: 'string', minLength: 1, maxLength: 128 },
  SessionId: { type: 'string', minLength: 1, maxLength: 128 },
  CronExpression: { type: 'string', maxLength: 256 },
  TimeZone: { type: 'string', maxLength: 64 },
  Signal: { type: 'string' },
  CapabilityName: { type: 'string', maxLength: 128 },
};

/** `isClosed`: no other fields are allowed. */
export function objectSchema(fields: readonly Field[], isClosed: boolean): JsonObject {
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field, isClosed)])),
    ...(required.length > 0 && { required }),
    ...(isClosed && { additionalProperties: false }),
  };
}

function fieldSchema(field: Field, isClosed: boolean): JsonObject {
  const base: Record<string, JsonValue> = { ...TYPES[field.type], ...bounds(field) };
  if (field.type === 'Command' && field.argumentsFrom === undefined)
    Object.assign(base, { type: 'array', items: { type: 'string' }, minItems: 1 });
  if (field.items !== undefined) base['items'] = fieldSchema(field.items, isClosed);
  if (field.fields !== undefined) Object.assign(base, objectSchema(field.fields, isClosed));
  if (field.values !== undefined) base['additionalProperties'] = fieldSchema(field.values, isClosed);
  if (field.enum !== undefined) base['enum'] = field.nullable ? [...field.enum, null] : field.enum;
  if (field.nullable && base['type'] !== undefined) base['type'] = [base['type'], 'null'];
  if (field.default !== undefined) base['default'] = field.default;
  const clamped = field.isClamped && field.maximum !== undefined ? `${field.description === '' ? '' : '; '}at most ${field.maximum}` : '';
  if (field.description + clamped !== '') base['description'] = field.description + clamped;
  return base;
}

function bounds({ type, minimum, maximum, isClamped }: Field): JsonObject {
  const [least, most] =
    type === 'Array'
      ? ['minItems', 'maxItems']
      : type === 'Object'
        ? ['minProperties', 'maxProperties']
        : isNumber(type)
          ? ['minimum', 'maximum']
          : ['minLength', 'maxLength'];
  return {
    ...(minimum !== undefined && { [least as string]: minimum }), // Both are texts.
    ...(maximum !== undefined && !isClamped && { [most as string]: maximum }), // As above.
  };
}

function isNumber(type: FieldType): boolean {
  return type === 'Integer' || type === 'Float' || type === 'Number' || type === 'Port';
}
