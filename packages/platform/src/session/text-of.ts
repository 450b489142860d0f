/** What an entry says, for people and for searches: the text in it, wherever it stands. */
import type { JsonValue } from '@warren/protocol';
import type { SessionEntry } from './sessions.ts';

export function textOf(entry: SessionEntry): string {
  switch (entry.type) {
    case 'message':
      return textIn(entry.content);
    case 'summary':
      return entry.text;
    case 'title':
      return entry.title;
    case 'model':
      return `${entry.provider} ${entry.model}`;
    case 'note':
      return textIn(entry.data);
    case 'tip':
      return '';
    default:
      return entry satisfies never;
  }
}

function textIn(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const parts: readonly JsonValue[] = Array.isArray(value)
    ? value
    : Object.entries(value).flatMap(([key, part]) => (key === 'type' ? [] : [part as JsonValue])); // Of a JSON value.
  return parts
    .map(textIn)
    .filter((text) => text !== '')
    .join('\n');
}
