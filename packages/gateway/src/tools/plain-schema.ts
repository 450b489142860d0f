/**
 * The schema of a capability's arguments in the words that every vendor's subset begins with: references are put in place, alternatives are `anyOf`, what all parts demand is in one
 * object, and what the vendors do not take is gone. Each step may only allow more than before: what holds is what the gate checks. A schema may be a stranger's, so the work is bounded.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../internal/is-object.ts';

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
    const either = Object.assign(Object.create(null), ofBranches(branches), objectOf(whole['properties'])) as JsonObject; // Made of them.
    const properties = branches.length === 0 ? either : this.#withoutNullDefaults(either);
    const hasOwn = isObject(whole['properties']);
    const isOpen =
      branches.some((each) => !hasOwn && each['properties'] === undefined) ||
      (whole['additionalProperties'] !== false && branches.some(isMoreThanFields));
    const { anyOf, oneOf, ...own } = whole;
    return this.#plain({ ...own, type: 'object', properties, ...(isOpen && { additionalProperties: true }) }, 0);
  }

  /** One alternative may demand what another has not: that null is as good as nothing holds of neither. */
  #withoutNullDefaults(properties: JsonObject): JsonObject {
    const fields = Object.entries(properties).map(([name, each]) => {
      const { default: usual, ...field } = this.#whole(each, 1);
      return [name, usual === undefined || usual === null ? field : { ...field, default: usual }] as const;
    });
    return Object.assign(Object.create(null), Object.fromEntries(fields));
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
      // What has to be one of these and one of those has fields of both, which none of the alternatives has.
      if (listOf(anyOf).length > 0 && listOf(oneOf).length > 0) return described(plain);
      const alternatives = [...listOf(anyOf), ...listOf(oneOf)];
      if (alternatives.length > 0) return { ...described(plain), anyOf: alternatives.map((each) => this.#plain(each, below)) };
    }
    if (types.includes('array')) plain['items'] = schema['prefixItems'] === undefined ? this.#plain(items, below) : {};
    if (types.includes('object')) Object.assign(plain, this.#fields(schema, below));
    return plain;
  }

  #spend(length: number): boolean {
    this.#left -= length;
    return this.#left > 0;
  }

  #fields(schema: JsonObject, depth: number): JsonObject {
    const { properties, required } = schema;
    const additionalProperties = mayHaveOthers(schema) ? true : schema['additionalProperties'];
    const demanded = new Set(Array.isArray(required) ? required : []);
    const fields: [string, JsonObject][] = [];
    const own = objectOf(properties);
    for (const [name, each] of Object.entries(hasMoreFields(schema) ? this.#withoutNullDefaults(own) : own)) {
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

/** Fields that no list names: alternatives, conditions and patterns have them. */
const MORE_FIELDS = ['anyOf', 'oneOf', 'then', 'else', 'dependentSchemas', 'dependencies'] as const;

function mayHaveOthers(schema: JsonObject): boolean {
  if (Object.keys(objectOf(schema['patternProperties'])).length > 0) return true;
  return schema['additionalProperties'] !== false && hasMoreFields(schema);
}

function hasMoreFields(schema: JsonObject): boolean {
  return MORE_FIELDS.some((key) => schema[key] !== undefined);
}

function isMoreThanFields(branch: JsonObject): boolean {
  return mayHaveOthers(branch) || (branch['additionalProperties'] ?? false) !== false;
}

/** What one branch says of a field, and another says otherwise, is either. */
function ofBranches(branches: readonly JsonObject[]): JsonObject {
  const said = new Map<string, JsonValue[]>();
  for (const branch of branches) {
    for (const [name, each] of Object.entries(objectOf(branch['properties']))) said.set(name, [...(said.get(name) ?? []), each]);
  }
  const fields = [...said].map(([name, schemas]) => {
    const distinct = [...new Map(schemas.map((each) => [JSON.stringify(each), each])).values()];
    return [name, distinct.length === 1 ? distinct[0] : { anyOf: distinct }] as const;
  });
  return Object.assign(Object.create(null), Object.fromEntries(fields));
}

function both(one: JsonObject, other: JsonObject): JsonObject {
  const required = [...listOfNames(one['required']), ...listOfNames(other['required'])];
  const hasFields = isObject(one['properties']) || isObject(other['properties']);
  return {
    ...one,
    ...other,
    ...(hasFields && { properties: Object.assign(Object.create(null), objectOf(one['properties']), objectOf(other['properties'])) }),
    ...(required.length > 0 && { required: [...new Set(required)] }),
    ...(listOf(one['anyOf']).length > 0 &&
      listOf(other['anyOf']).length > 0 && {
        anyOf: listOf(one['anyOf']),
        oneOf: [...listOf(one['oneOf']), ...listOf(other['oneOf']), ...listOf(other['anyOf'])],
      }),
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
