/** Reads from parsed arguments what a call is about: paths, hosts, command lines and content, wherever they stand. */
import type { CallFacts } from '@warren/kernel';
import { NO_FACTS } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from './compile-field.ts';
import type { Field } from './definition.ts';

type Facts = {
  readonly paths: { path: string; mode: 'r' | 'rw' }[];
  readonly hosts: { host: string; port: number }[];
  readonly commands: string[][];
  contentBytes: number | undefined;
  readonly estimate: Record<string, number>;
};

/** `beside`: the object the value stands in. */
type Collect = (value: JsonValue, beside: JsonObject, facts: Facts) => void;

/** What a host without a port is taken for. */
const PORT_DEFAULT = 443;

export function compileFacts(fields: readonly Field[]): (input: JsonObject) => CallFacts {
  const collect = ofFields(fields);
  if (collect === undefined) return () => NO_FACTS;
  return (input) => {
    const facts: Facts = { paths: [], hosts: [], commands: [], contentBytes: undefined, estimate: {} };
    collect(input, input, facts);
    return facts;
  };
}

function ofFields(fields: readonly Field[]): Collect | undefined {
  const collectors = fields.flatMap((field) => {
    const collect = ofField(field);
    return collect === undefined ? [] : [{ name: field.name, collect }];
  });
  if (collectors.length === 0) return undefined;
  return (value, _, facts) => {
    if (!isObject(value)) return; // Null, where that is allowed.
    for (const { name, collect } of collectors) {
      const inner = value[name];
      if (inner !== undefined) collect(inner, value, facts);
    }
  };
}

function ofField(field: Field): Collect | undefined {
  switch (field.type) {
    case 'FilesystemPath': {
      const mode = field.access ?? 'r';
      return (value, _, facts) => {
        if (typeof value === 'string') facts.paths.push({ path: value, mode });
      };
    }
    case 'URL':
      return (value, _, facts) => {
        if (typeof value !== 'string') return;
        const url = new URL(value); // It was parsed and written by us.
        facts.hosts.push({ host: url.hostname, port: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port) });
      };
    case 'Host':
      return (value, beside, facts) => {
        const port = field.portFrom === undefined ? undefined : beside[field.portFrom];
        if (typeof value === 'string') facts.hosts.push({ host: value, port: typeof port === 'number' ? port : PORT_DEFAULT });
      };
    case 'Command':
      return (value, beside, facts) => {
        const rest = field.argumentsFrom === undefined ? undefined : beside[field.argumentsFrom];
        const line = typeof value === 'string' ? [value, ...(Array.isArray(rest) ? rest : [])] : value;
        if (Array.isArray(line)) facts.commands.push(line.filter((each) => typeof each === 'string'));
      };
    case 'Content':
      return (value, _, facts) => {
        if (typeof value !== 'string') return;
        const bytes = Buffer.byteLength(value);
        facts.contentBytes = (facts.contentBytes ?? 0) + bytes;
        if (field.charge !== undefined) facts.estimate[field.charge] = (facts.estimate[field.charge] ?? 0) + bytes;
      };
    case 'Array':
      return each(field.items, (value) => (Array.isArray(value) ? value : []));
    case 'Object':
      return field.fields === undefined
        ? each(field.values, (value) => (isObject(value) ? Object.values(value) : []))
        : ofFields(field.fields);
    default:
      return undefined;
  }
}

function each(field: Field | undefined, values: (value: JsonValue) => readonly JsonValue[]): Collect | undefined {
  const collect = field === undefined ? undefined : ofField(field);
  if (collect === undefined) return undefined;
  return (value, beside, facts) => {
    for (const one of values(value)) collect(one, beside, facts);
  };
}
