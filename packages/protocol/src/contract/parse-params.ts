/**
 * From what came over the wire to what a handler gets. What is not a parameter is refused: a misspelt bound, left out in silence, gives more than
 * was meant. Only `kernel.*` leaves it out, as it always has.
 */
import { z } from 'zod';
import { Fault } from '../fault.ts';
import { suggest } from '../suggest.ts';
import { OPERATIONS, type OperationName, type Params } from './operations.ts';

/** Null and undefined count as no parameters. Throws `invalid_argument`, with the field. */
export function parseParams<Name extends OperationName>(name: Name, params: unknown): Params<Name> {
  const parsed = OPERATIONS[name].params.safeParse(params ?? {}, { reportInput: true });
  if (parsed.success) return parsed.data as Params<Name>; // The schema of this very operation gave it.
  const { issues } = parsed.error;
  // First what is misspelt: what is missing may be just that.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw new Error(`The schema of ${name} refused something and did not say why`);
  if (issue.code === 'unrecognized_keys') throw unknownParameter(name, issue);
  const field = fieldOf(issue.path);
  if (field === undefined) throw new Fault('invalid_argument', `Cannot call ${name}: what is given as its parameters ${describe(issue)}`);
  throw new Fault('invalid_argument', `Cannot call ${name}: "${field}" ${describe(issue)}`, { details: { field } });
}

function unknownParameter(name: OperationName, { path, keys: [key = ''] }: z.core.$ZodIssueUnrecognizedKeys): Fault {
  const field = fieldOf([...path, key]) ?? '';
  const params: z.ZodType = OPERATIONS[name].params;
  const known = path.length === 0 && params instanceof z.ZodObject ? Object.keys(params.shape) : [];
  const near = suggest(key, known);
  const advice = near !== undefined ? `, did you mean "${near}"` : known.length > 0 ? `: it takes ${known.join(', ')}` : '';
  return new Fault('invalid_argument', `Cannot call ${name}: "${field}" is no parameter of it${advice}`, { details: { field } });
}

/** Keys of the caller's own may be in it, as long as they like. */
const FIELD_CHARACTERS_MAX = 80;

function fieldOf(path: readonly PropertyKey[]): string | undefined {
  if (path.length === 0) return undefined;
  const field = path.map(String).join('.');
  return field.length > FIELD_CHARACTERS_MAX ? `${field.slice(0, FIELD_CHARACTERS_MAX)}…` : field;
}

/** What is wrong, without what was given: that may be a secret, and long. */
function describe(issue: z.core.$ZodIssue): string {
  if (issue.input === undefined && issue.code !== 'custom') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `is ${kindOf(issue.input)}, expected ${KINDS[issue.expected] ?? issue.expected}`;
    case 'too_big':
      return `${bounded(issue.origin, 'larger')} than ${issue.maximum}`;
    case 'too_small':
      return `${bounded(issue.origin, 'smaller')} than ${issue.minimum}`;
    case 'invalid_value':
      return `is none of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return issue.discriminator === undefined ? issue.message : 'is none of the kinds there are';
    case 'invalid_key':
      return 'is not a name that can be used here';
    default:
      return issue.message;
  }
}

function bounded(origin: string, size: 'larger' | 'smaller'): string {
  if (origin === 'string') return `has a number of characters ${size}`;
  return origin === 'array' ? `has a number of items ${size}` : `is ${size}`;
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'a boolean',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return KINDS[typeof value] ?? `a ${typeof value}`;
}
