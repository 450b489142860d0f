import type { ParsedInput } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { compileFields, InputProblems, isObject } from './compile-field.ts';
import { copyJson } from './copy-json.ts';
import type { Field } from './definition.ts';
import { LIMITS } from './limits.ts';

/** Makes of the inputs of a definition the function that takes hostile arguments. What it answers shares nothing with what it was given. */
export function compileInput(fields: readonly Field[]): (input: unknown) => ParsedInput {
  const read = compileFields(fields);
  const bytesMax = LIMITS.inputBytesMax + (fields.some(carriesContent) ? LIMITS.contentBytesMax : 0);
  return (input) => {
    const copied = copyJson(input, bytesMax);
    if (copied.kind === 'refused') return invalid([copied]);
    if (!isObject(copied.value)) return invalid([{ field: '', reason: 'is not an object' }]);
    const problems = new InputProblems();
    const parsed: JsonObject = read(copied.value, '', problems);
    if (copied.bytes - problems.contentBytes > LIMITS.inputBytesMax) {
      problems.add('', `is larger than ${LIMITS.inputBytesMax} bytes besides its content`);
    }
    if (problems.contentBytes > LIMITS.contentBytesMax) problems.add('', `has content of more than ${LIMITS.contentBytesMax} bytes`);
    return problems.list.length === 0 ? { kind: 'valid', input: parsed } : invalid(problems.list);
  };
}

export function carriesContent(field: Field): boolean {
  return (
    field.type === 'Content' ||
    [field.items, field.values, ...(field.fields ?? [])].some((each) => each !== undefined && carriesContent(each))
  );
}

function invalid(problems: readonly { readonly field: string; readonly reason: string }[]): ParsedInput {
  return { kind: 'invalid', problems: problems.map(({ field, reason }) => ({ field, reason })) };
}
