/** What a caller hands in to register. Throws `name_invalid`, with the name when it is one and the field otherwise. */
import { Fault, isFault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import { checkPayload, checkWord, WORD_BYTES_MAX } from '../internal/payload.ts';
import type { RegisterOptions } from './names.ts';

const TAGS_MAX = 32;

export type CheckedName = { readonly name: string; readonly tags: readonly string[]; readonly metadata: JsonObject };

export function checkName(name: string, { tags = [], metadata = {} }: RegisterOptions): CheckedName {
  checkText(name);
  return { name, tags: checkTags(tags), metadata: checkPayload(metadata, 'metadata', 'name_invalid') };
}

function checkText(name: unknown): void {
  try {
    checkWord(name, 'name', 'name_invalid');
  } catch (error) {
    if (!isFault(error)) throw error;
    const shown = typeof name === 'string' ? name.slice(0, WORD_BYTES_MAX).toWellFormed() : null;
    throw new Fault('name_invalid', error.message, { details: { field: 'name', name: shown } });
  }
}

/** Each once, in the order they came. */
function checkTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags)) throw new Fault('name_invalid', 'Cannot use tags: they are no list', { details: { field: 'tags' } });
  if (tags.length > TAGS_MAX) {
    throw new Fault('name_invalid', `Cannot use ${tags.length} tags: the limit is ${TAGS_MAX}`, { details: { field: 'tags' } });
  }
  return [...new Set(tags.map((tag) => checkWord(tag, 'tags', 'name_invalid')))];
}
