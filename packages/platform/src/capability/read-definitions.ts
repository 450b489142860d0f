import type { JsonObject, JsonValue } from '@warren/protocol';
import { z } from 'zod';
import { compileField, InputProblems, isObject } from './compile-field.ts';
import type { Definition, ErrorDefinition, Field, Problem } from './definition.ts';
import {
  definitionFormat,
  errorFormat,
  type RawDefinition,
  type RawError,
  type RawField,
  type RawValue,
  sharedErrorFormat,
} from './definition-format.ts';
import { explainIssue } from './explain-issue.ts';
import { objectSchema } from './json-schema.ts';
import { LIMITS } from './limits.ts';
import { readYaml } from './yaml-file.ts';

export type DefinitionsFile = {
  readonly definitions: readonly Definition[];
  /** Of a file that begins with `errors:`. */
  readonly sharedErrors: readonly ErrorDefinition[];
  readonly problems: readonly Problem[];
  /** Names of those that were left out: whoever speaks of them is not wrong. */
  readonly broken: readonly string[];
  /** Where something of a definition stands, for what is found later. */
  readonly lineOf: (definition: string, path: readonly PropertyKey[]) => number;
};

const DEADLINE_DEFAULT = { default: 30_000, max: 300_000 } as const;
const CONCURRENCY_DEFAULT = 16;

/**
 * Reads one file: a definition, a list of them, or `errors:` that others name. Nothing is thrown: what is wrong with it is told, all of it, and a definition
 * with problems is left out. `pack`: the pack whose file it is.
 */
export function readDefinitions(
  file: string,
  text: string,
  sharedErrors: ReadonlyMap<string, ErrorDefinition>,
  pack?: string,
): DefinitionsFile {
  const yaml = readYaml(file, text);
  if (yaml.kind === 'refused') return { definitions: [], sharedErrors: [], problems: yaml.problems, broken: [], lineOf: () => 1 };
  const reader = new Reader(file, yaml.lineOf, sharedErrors, pack);
  if (isObject(yaml.value) && Object.hasOwn(yaml.value, 'errors') && !Object.hasOwn(yaml.value, 'name')) reader.readShared(yaml.value);
  else reader.readList(yaml.value);
  return {
    definitions: reader.definitions,
    sharedErrors: reader.sharedErrors,
    problems: reader.problems.toSorted((a, b) => a.line - b.line),
    broken: reader.broken,
    lineOf: (definition, path) => yaml.lineOf([...(reader.places.get(definition) ?? []), ...path]),
  };
}

class Reader {
  readonly definitions: Definition[] = [];
  readonly sharedErrors: ErrorDefinition[] = [];
  readonly problems: Problem[] = [];
  readonly broken: string[] = [];
  readonly places = new Map<string, readonly PropertyKey[]>();
  readonly #file: string;
  readonly #lineOf: (path: readonly PropertyKey[]) => number;
  readonly #shared: ReadonlyMap<string, ErrorDefinition>;
  readonly #pack: string | undefined;

  constructor(
    file: string,
    lineOf: (path: readonly PropertyKey[]) => number,
    shared: ReadonlyMap<string, ErrorDefinition>,
    pack: string | undefined,
  ) {
    this.#file = file;
    this.#lineOf = lineOf;
    this.#shared = shared;
    this.#pack = pack;
  }

  readShared(value: JsonObject): void {
    const read = this.#check(z.strictObject({ errors: z.array(sharedErrorFormat).max(500) }), value, []);
    for (const error of read?.errors ?? []) this.sharedErrors.push(toError(error));
  }

  readList(value: JsonValue): void {
    const isList = Array.isArray(value);
    const list: readonly JsonValue[] = isList ? value : [value];
    if (list.length > LIMITS.definitionsMax) {
      this.#problem([], `has ${list.length} definitions, at most ${LIMITS.definitionsMax} are allowed`);
      return;
    }
    for (const [index, each] of list.entries()) this.#read(each, isList ? [index] : []);
  }

  #read(value: JsonValue, place: readonly PropertyKey[]): void {
    if (!isObject(value)) {
      this.#problem(place, 'is not a definition');
      return;
    }
    const before = this.problems.length;
    const raw = this.#check(definitionFormat, value, place);
    if (raw === undefined) {
      if (typeof value['name'] === 'string') this.broken.push(value['name']);
      return;
    }
    const definition = this.#toDefinition(raw, place);
    if (this.places.has(raw.name)) this.#problem([...place, 'name'], `is ${raw.name}, which is defined before in this file`);
    if (this.problems.length > before) {
      this.broken.push(raw.name);
      return;
    }
    this.places.set(raw.name, place);
    this.definitions.push(definition);
  }

  #toDefinition(raw: RawDefinition, place: readonly PropertyKey[]): Definition {
    const effect = raw.effect ?? 'once';
    const inputs = raw.inputs.map((each) => toField(each, false, effect === 'read' ? 'r' : 'rw'));
    // What a pack of an earlier system answers need not be all there.
    const outputs = raw.outputs.map((each) => toField(each, this.#pack === undefined, undefined));
    for (const [section, fields] of [
      ['inputs', inputs],
      ['outputs', outputs],
    ] as const)
      this.#checkFields(fields, [...place, section]);
    const deadlineMs = raw.deadline ?? DEADLINE_DEFAULT;
    if (deadlineMs.default > deadlineMs.max || deadlineMs.default === 0)
      this.#problem([...place, 'deadline', 'default'], 'is 0 or more than max');
    for (const [index, each] of (raw.examples ?? []).entries()) {
      if ((each.output === undefined) === (each.error === undefined))
        this.#problem([...place, 'examples', index], 'needs either output or error');
    }
    return {
      name: raw.name,
      version: raw.version,
      purpose: raw.purpose.trim(),
      whenToUse: raw.when_to_use.trim(),
      whenNotToUse: raw.when_not_to_use?.trim(),
      effect,
      tier: raw.permission_tier,
      tags: raw.tags ?? [],
      deadlineMs,
      concurrencyMax: raw.concurrency ?? CONCURRENCY_DEFAULT,
      taints: raw.taints ?? [],
      inputs,
      outputs,
      sideEffects: raw.side_effects,
      patterns: raw.common_patterns,
      errors: this.#errors(raw.errors, [...place, 'errors']),
      examples: (raw.examples ?? []).map((each) => ({
        description: each.description,
        setup: each.setup ?? {},
        input: each.input as JsonObject, // The format says so.
        output: each.output as JsonObject | undefined, // As above.
        error: each.error,
      })),
      uses: raw.uses ?? [],
      pack: this.#pack,
      source: { file: this.#file, line: this.#lineOf(place) },
      inputSchema: objectSchema(inputs, true),
      outputSchema: objectSchema(outputs, false),
    };
  }

  #errors(raw: RawDefinition['errors'], place: readonly PropertyKey[]): readonly ErrorDefinition[] {
    const types = new Set<string>();
    return raw.flatMap((each, index) => {
      const error = typeof each === 'string' ? this.#shared.get(each) : toError(each);
      const type = typeof each === 'string' ? each : each.type;
      if (error === undefined)
        this.#problem([...place, index], `is ${type}, which is no shared error; describe it here with type, description and recovery`);
      if (types.has(type)) this.#problem([...place, index], `names ${type} a second time`);
      types.add(type);
      return error ?? [];
    });
  }

  #checkFields(fields: readonly Field[], place: readonly PropertyKey[]): void {
    const names = new Map<string, Field>();
    for (const [index, field] of fields.entries()) {
      if (names.has(field.name)) this.#problem([...place, index, 'name'], `is ${field.name}, which is there twice`);
      names.set(field.name, field);
    }
    for (const [index, field] of fields.entries()) this.#checkField(field, names, [...place, index]);
  }

  #checkField(field: Field, beside: ReadonlyMap<string, Field>, place: readonly PropertyKey[]): void {
    const { type, minimum, maximum } = field;
    const only = (isGiven: boolean, key: string, ...types: readonly string[]): void => {
      if (isGiven && !types.includes(type)) this.#problem([...place, key], `is for fields of type ${types.join(', ')}, not ${type}`);
    };
    only(field.items !== undefined, 'items', 'Array');
    only(field.fields !== undefined, 'fields', 'Object');
    only(field.values !== undefined, 'values', 'Object');
    only(field.argumentsFrom !== undefined, 'arguments', 'Command');
    only(field.argumentsOf !== undefined, 'arguments_of', 'Object');
    only(field.portFrom !== undefined, 'port', 'Host');
    only(field.charge !== undefined, 'charge', 'Content');
    if (field.fields !== undefined && field.values !== undefined)
      this.#problem([...place, 'values'], 'is there beside fields; give one of them');
    if (minimum !== undefined && maximum !== undefined && minimum > maximum) this.#problem([...place, 'minimum'], 'is more than maximum');
    if (field.isClamped && maximum === undefined) this.#problem([...place, 'clamp'], 'has no maximum to clamp to');
    if (field.argumentsFrom !== undefined && beside.get(field.argumentsFrom)?.items?.type !== 'String') {
      this.#problem([...place, 'arguments'], `names ${field.argumentsFrom}, which is no field of type Array with items of type String`);
    }
    const called = field.argumentsOf === undefined ? undefined : beside.get(field.argumentsOf)?.type;
    if (field.argumentsOf !== undefined && called !== 'String' && called !== 'CapabilityName')
      this.#problem([...place, 'arguments_of'], `names ${field.argumentsOf}, which is no field of type CapabilityName or String`);
    if (field.portFrom !== undefined && beside.get(field.portFrom)?.type !== 'Port') {
      this.#problem([...place, 'port'], `names ${field.portFrom}, which is no field of type Port`);
    }
    if (field.default !== undefined) {
      const problems = new InputProblems();
      const value = field.default === null && field.nullable ? null : compileField(field)(field.default, 'default', problems);
      for (const each of problems.list) this.#problem([...place, 'default'], each.reason);
      if (field.required) this.#problem([...place, 'default'], 'is never used, since the field is required');
      if (value !== undefined && problems.list.length === 0 && JSON.stringify(value) !== JSON.stringify(field.default)) {
        this.#problem([...place, 'default'], `is not in its canonical form ${JSON.stringify(value)}`);
      }
    }
    if (field.items !== undefined) this.#checkField(field.items, new Map(), [...place, 'items']);
    if (field.values !== undefined) this.#checkField(field.values, new Map(), [...place, 'values']);
    if (field.fields !== undefined) this.#checkFields(field.fields, [...place, 'fields']);
  }

  #check<Schema extends z.ZodType>(schema: Schema, value: JsonValue, place: readonly PropertyKey[]): z.output<Schema> | undefined {
    const checked = schema.safeParse(value);
    if (checked.success) return checked.data;
    for (const issue of checked.error.issues) {
      for (const { path, reason } of explainIssue(issue, knownKeys, value)) this.#problem([...place, ...path], reason);
    }
    return undefined;
  }

  #problem(path: readonly PropertyKey[], reason: string): void {
    if (this.problems.length >= LIMITS.problemsMax) return;
    this.problems.push({ severity: 'error', file: this.#file, line: this.#lineOf(path), field: placeText(path), reason });
  }
}

/** The keys that are known where an unknown one was found. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  const section = path.findLast((key) => typeof key === 'string');
  switch (section) {
    case undefined:
      return Object.keys(definitionFormat.shape);
    case 'inputs':
    case 'outputs':
    case 'fields':
      return Object.keys(definitionFormat.shape.inputs.element.shape);
    case 'items':
    case 'values':
      return Object.keys(definitionFormat.shape.inputs.element.shape).filter(
        (key) => key !== 'name' && key !== 'required' && key !== 'default',
      );
    case 'errors':
      return Object.keys(errorFormat.shape);
    case 'recovery':
      return Object.keys(errorFormat.shape.recovery.element.shape);
    case 'deadline':
      return ['default', 'max'];
    case 'side_effects':
      return ['description', 'reversible'];
    case 'common_patterns':
      return ['description', 'steps'];
    case 'examples':
      return ['description', 'setup', 'input', 'output', 'error'];
    default:
      return [];
  }
}

function toField(raw: RawField | RawValue, isRequired: boolean, access: 'r' | 'rw' | undefined): Field {
  const named = raw as Partial<RawField> & RawValue; // A value is a field without name, requirement and default.
  return {
    name: named.name ?? '',
    type: raw.type,
    description: raw.description?.trim() ?? '',
    required: named.required ?? isRequired,
    default: named.default as JsonValue | undefined, // The format says it is JSON.
    enum: raw.enum,
    minimum: raw.minimum,
    maximum: raw.maximum,
    isClamped: raw.clamp ?? false,
    items: raw.items === undefined ? undefined : toField(raw.items, isRequired, access),
    fields: raw.fields?.map((each) => toField(each, isRequired, access)),
    values: raw.values === undefined ? undefined : toField(raw.values, isRequired, access),
    nullable: raw.nullable ?? false,
    access: raw.type === 'FilesystemPath' ? (raw.access ?? access) : undefined,
    isSecret: raw.secret ?? false,
    argumentsFrom: raw.arguments,
    argumentsOf: raw.arguments_of,
    portFrom: raw.port,
    charge: raw.charge,
  };
}

function toError(raw: RawError): ErrorDefinition {
  return {
    type: raw.type,
    description: raw.description.trim(),
    isEverywhere: raw.everywhere ?? false,
    retryable: raw.retryable ?? false,
    retryAfterMs: raw.retry_after,
    recovery: raw.recovery.map((each) => ({
      action: each.action,
      description: each.description,
      capability: each.capability,
      input: (each.input ?? each.inputs) as JsonObject | undefined, // As above.
    })),
  };
}

/** `inputs[0].type`. */
function placeText(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path;
  const inner = typeof first === 'number' ? rest : path; // Which definition it is, the line says.
  return inner.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
}
