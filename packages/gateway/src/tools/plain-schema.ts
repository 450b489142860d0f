/**
 * The schema of a capability's arguments in the words that every vendor's subset begins with: references are put in place, alternatives are `anyOf`, what all parts demand is in one
 * object, and what the vendors do not take is gone. Each step may only allow more than before: what holds is what the gate checks. A schema may be a stranger's, so the work is bounded.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../mcp/engine/read-message.ts';

/** What vendors take as the name of a property; one is left out that programs on the way may lose. */
const PROPERTY = /^(?!__proto__$)[a-zA-Z0-9_.-]{1,64}$/;
const DEPTH_MAX = 12;
/** What refers to itself is said a few times over, and then it is anything. */
const REFERENCE_DEPTH = 3;
/** Of what is made: references may put the same in many places. */
const LENGTH_MAX = 131_072;
const PLACE_LENGTH = 64;
const KEPT = [
  ...['description', 'default', 'format', 'minimum', 'maximum', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'minProperties', 'maxProperties'],
] as const;

/** A schema that cannot be said in any vendor's words. */
export class UnfitSchema extends Error {}

/** By the schemas of definitions, which stay. */
const made = new WeakMap<JsonObject, JsonObject>();

/** Of an object, always. Throws `UnfitSchema`. */
export function plainSchema(schema: JsonObject): JsonObject {
  const known = made.get(schema);
  if (known !== undefined) return known;
  const plain = { properties: {}, ...new Plainer(schema).object(schema), type: 'object' };
  made.set(schema, plain);
  return plain;
}

class Plainer {
  readonly #root: JsonObject;
  #left = LENGTH_MAX;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** At the root no vendor takes alternatives: whatever one of them may have, the whole may have. */
  object(schema: JsonObject): JsonObject {
    const whole = this.#whole(schema, 0);
    const branches = [...listOf(whole['anyOf']), ...listOf(whole['oneOf'])].map((each) => this.#whole(each, 1));
    const properties = Object.assign(Object.create(null), ...[...branches, whole].map((each) => objectOf(each['properties'])));
    const isOpen =
      branches.length > 0 && isObject(whole['properties']) === false && branches.some((each) => each['properties'] === undefined);
    const { anyOf, oneOf, ...own } = whole;
    return this.#plain({ ...own, type: 'object', properties, ...(isOpen && { additionalProperties: true }) }, 0);
  }

  #plain(given: JsonValue | undefined, depth: number): JsonObject {
    if (!isObject(given) || depth > DEPTH_MAX || !this.#spend(PLACE_LENGTH)) return {};
    const schema = this.#whole(given, depth);
    const below = depth + (given['$ref'] === undefined ? 1 : REFERENCE_DEPTH);
    const { type, enum: allowed, const: only, items, anyOf, oneOf } = schema;
    const plain: Record<string, JsonValue> = {};
    for (const key of KEPT) if (schema[key] !== undefined) plain[key] = schema[key];
    const values = only !== undefined ? [only] : Array.isArray(allowed) && allowed.length > 0 ? allowed : undefined;
    const types = typesOf(type, schema);
    const isPlain = !types.includes('object') && !types.includes('array');
    if (isPlain && values?.every((each) => each === null || typeof each !== 'object') === true) plain['enum'] = values;
    if (!this.#spend(JSON.stringify(plain).length)) return {};
    if (types.length > 0)
      plain['type'] = types.length === 1 ? (types[0] as string) : types; // It has one.
    else if (values === undefined) {
      const alternatives = [...listOf(anyOf), ...listOf(oneOf)];
      if (alternatives.length > 0) return { ...described(plain), anyOf: alternatives.map((each) => this.#plain(each, below)) };
    }
    if (types.includes('array')) plain['items'] = this.#plain(items, below);
    if (types.includes('object')) Object.assign(plain, this.#fields(schema, below));
    return plain;
  }

  #spend(length: number): boolean {
    this.#left -= length;
    return this.#left > 0;
  }

  #fields({ properties, required, additionalProperties }: JsonObject, depth: number): JsonObject {
    const demanded = new Set(Array.isArray(required) ? required : []);
    const fields: [string, JsonObject][] = [];
    for (const [name, each] of Object.entries(objectOf(properties))) {
      if (PROPERTY.test(name)) fields.push([name, this.#plain(each, depth)]);
      else if (demanded.has(name)) throw new UnfitSchema('it demands an argument with a name that no vendor takes');
    }
    const names = fields.map(([name]) => name).filter((name) => demanded.has(name));
    return {
      properties: Object.fromEntries(fields),
      ...(names.length > 0 && { required: names }),
      ...(additionalProperties !== undefined && {
        additionalProperties: isObject(additionalProperties) ? this.#plain(additionalProperties, depth) : additionalProperties,
      }),
    };
  }

  /** With what it refers to, and with all it demands at once. */
  #whole(schema: JsonValue, depth: number): JsonObject {
    if (!isObject(schema) || depth > DEPTH_MAX || !this.#spend(PLACE_LENGTH)) return {};
    const { $ref: ref, allOf, ...own } = schema;
    const referred = typeof ref === 'string' ? [this.#whole(this.#find(ref), depth + REFERENCE_DEPTH)] : [];
    const parts = [...referred, ...listOf(allOf).map((each) => this.#whole(each, depth + 1))];
    return parts.length === 0 ? own : [...parts, own].reduce(both);
  }

  #find(ref: string): JsonValue {
    if (!ref.startsWith('#')) return {}; // Elsewhere is never looked.
    let found: JsonValue | undefined = this.#root;
    for (const part of ref.split('/').slice(1, DEPTH_MAX)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (!isObject(found) || !Object.hasOwn(found, name)) return {};
      found = found[name];
    }
    return found ?? {};
  }
}

function both(one: JsonObject, other: JsonObject): JsonObject {
  const required = [...listOfNames(one['required']), ...listOfNames(other['required'])];
  const hasFields = isObject(one['properties']) || isObject(other['properties']);
  return {
    ...one,
    ...other,
    ...(hasFields && { properties: Object.assign(Object.create(null), objectOf(one['properties']), objectOf(other['properties'])) }),
    ...(required.length > 0 && { required: [...new Set(required)] }),
  };
}

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

/** What does not say its type says it by what else it demands. */
function typesOf(type: JsonValue | undefined, schema: JsonObject): readonly string[] {
  const said = (Array.isArray(type) ? type : [type]).filter((each): each is string => typeof each === 'string' && TYPES.includes(each));
  if (said.length > 0) return [...new Set(said)];
  if (isObject(schema['properties'])) return ['object'];
  return schema['items'] !== undefined ? ['array'] : [];
}

function described({ description }: Record<string, JsonValue>): JsonObject {
  return description === undefined ? {} : { description };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function listOfNames(value: JsonValue | undefined): readonly string[] {
  return listOf(value).filter((each) => typeof each === 'string');
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}
