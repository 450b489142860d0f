/** Whether an answer is one that the document promises. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApi, Operation, Schema } from './open-api.ts';

export type Answer = {
  readonly status: number;
  readonly type: string | undefined;
  readonly allow?: string | undefined;
  readonly text: string;
};

const DOCUMENT = 'document';
/** Of ours: where something stands in the source or the machine, and the words of the parts below. */
const INSIDE = /\bat \S+ \(|\bat (?:async )?\S+:\d+:\d+|node_modules|\.[cm]?[jt]s:\d|SQLITE_|ZodError|\bundefined\b|\[object /;

export class Judge {
  readonly #ajv: Ajv2020;

  constructor({ document }: OpenApi) {
    // Nothing is taken for a schema that is none, but the document around them.
    const keywords = Object.keys(document);
    this.#ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, keywords });
    this.#ajv.addFormat('uri', (text: string) => URL.canParse(text));
    this.#ajv.addSchema(closed(document), DOCUMENT);
  }

  /** What is wrong with it; empty where nothing is. */
  faultsOf({ answers }: Operation, answer: Answer, secrets: readonly string[]): readonly string[] {
    const { status, type = '', text } = answer;
    const documented = answers.get(status);
    if (documented === undefined) return [`status ${status} is not documented`];
    const place = documented.schemas.get(type.replace(/;.*/, ''));
    if (documented.schemas.size === 0) return text === '' ? [] : ['there is a body, and none is documented'];
    if (place === undefined) return [`content type "${type}" is not documented for ${status}`];
    const validate = this.#validator(place);
    const value = parse(text);
    if (!validate(value)) return [`the body is not as documented: ${this.#ajv.errorsText(validate.errors)}`];
    return status < 400 ? [] : problemFaults(status, value, text, secrets);
  }

  #validator(place: string): ValidateFunction {
    const found = this.#ajv.getSchema(`${DOCUMENT}${place}`);
    if (found === undefined) throw new Error(`There is no schema at ${place}`);
    return found;
  }
}

function problemFaults(status: number, value: unknown, text: string, secrets: readonly string[]): readonly string[] {
  const { status: said, code } = value as { readonly status: number; readonly code: string }; // Its schema was checked.
  return [
    ...(said === status ? [] : [`the problem says status ${said}`]),
    ...(status >= 500 && code !== 'busy' ? [`our failure: ${code}`] : []),
    ...(INSIDE.test(text) ? ['it tells of what is inside'] : []),
    ...(secrets.some((secret) => text.includes(secret)) ? ['it quotes a secret'] : []),
  ];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Which no schema allows.
  }
}

/** The same, where an object of which fields are documented has no others. */
function closed(schema: Schema): Schema {
  return close(schema) as Schema;
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  const below = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, close(each)]));
  const isOpen = 'properties' in value && 'type' in value && !('additionalProperties' in value);
  return isOpen ? { ...below, additionalProperties: false } : below;
}
