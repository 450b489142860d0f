/** Whether an output is what its definition promises. For tests and for packs; what Warren's own handlers answer is only bounded. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from './compile-field.ts';
import type { Field } from './definition.ts';

const PROBLEMS_MAX = 20;

/** `isClosed`: fields that the definition does not have are problems too. */
export function checkOutput(fields: readonly Field[], output: JsonObject, isClosed: boolean): readonly string[] {
  const problems: string[] = [];
  checkFields(fields, output, '', isClosed, problems);
  return problems.slice(0, PROBLEMS_MAX);
}

function checkFields(fields: readonly Field[], value: JsonObject, at: string, isClosed: boolean, problems: string[]): void {
  for (const field of fields) {
    const place = at === '' ? field.name : `${at}.${field.name}`;
    if (Object.hasOwn(value, field.name))
      check(field, value[field.name]!, place, isClosed, problems); // It has it.
    else if (field.required) problems.push(`${place} is missing`);
  }
  if (!isClosed) return;
  for (const name of Object.keys(value)) {
    if (!fields.some((field) => field.name === name)) problems.push(`${at === '' ? name : `${at}.${name}`} is not in the definition`);
  }
}

function check(field: Field, value: JsonValue, at: string, isClosed: boolean, problems: string[]): void {
  if (problems.length >= PROBLEMS_MAX || (value === null && (field.nullable || field.type === 'Any'))) return;
  if (!isOfType(field, value))
    problems.push(`${at} is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value}, not ${field.type}`);
  else if (field.enum !== undefined && !field.enum.includes(value)) problems.push(`${at} is not one of ${field.enum.join(', ')}`);
  else if (Array.isArray(value) && field.items !== undefined) {
    for (const [index, each] of value.entries()) check(field.items, each, `${at}[${index}]`, isClosed, problems);
  } else if (isObject(value) && field.fields !== undefined) checkFields(field.fields, value, at, isClosed, problems);
  else if (isObject(value) && field.values !== undefined) {
    for (const [name, each] of Object.entries(value)) check(field.values, each, `${at}.${name}`, isClosed, problems);
  }
}

function isOfType(field: Field, value: JsonValue): boolean {
  switch (field.type) {
    case 'Any':
      return true;
    case 'Boolean':
      return typeof value === 'boolean';
    case 'Integer':
    case 'Port':
      return Number.isSafeInteger(value);
    case 'Float':
    case 'Number':
      return Number.isFinite(value);
    case 'Array':
      return Array.isArray(value);
    case 'Object':
      return isObject(value);
    case 'Command':
      return typeof value === 'string' || Array.isArray(value);
    default:
      return typeof value === 'string';
  }
}
