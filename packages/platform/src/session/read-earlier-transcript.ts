/**
 * Transcripts of an earlier system: a `session` record of version 3, then records with `id`, `parentId` and `timestamp`. Messages, models and levels of thinking are understood; other records become notes, so
 * that nothing is lost.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';
import type { EntryBody } from './sessions.ts';

export type EarlierTranscript = {
  readonly id: string;
  /** In the order of the branch that was written to last. */
  readonly entries: readonly EntryBody[];
  /** Lines that cannot be read, from 1. */
  readonly unread: readonly number[];
};

type Record = JsonObject & { readonly id?: JsonValue; readonly parentId?: JsonValue };

/** Undefined when it is no such transcript. */
export function readEarlierTranscript(text: string): EarlierTranscript | undefined {
  const unread: number[] = [];
  const records = text.split('\n').flatMap((line, index): Record[] => {
    if (line.trim() === '') return [];
    const record = parseRecord(line);
    if (record === undefined) unread.push(index + 1);
    return record === undefined ? [] : [record];
  });
  const [head, ...rest] = records;
  if (head?.['type'] !== 'session' || typeof head.id !== 'string') return undefined;
  return { id: head.id, entries: pathOf(rest).map(toBody), unread };
}

/** From the last record back to the first, whatever else branched off on the way. A loop ends where it began. */
function pathOf(records: readonly Record[]): readonly Record[] {
  const byId = new Map(records.flatMap((record) => (typeof record.id === 'string' ? [[record.id, record] as const] : [])));
  const path = new Set<Record>();
  for (let at = records.at(-1); at !== undefined && !path.has(at); ) {
    path.add(at);
    at = typeof at.parentId === 'string' ? byId.get(at.parentId) : undefined;
  }
  return [...path].reverse();
}

function toBody(record: Record): EntryBody {
  const { type, message, provider, modelId } = record as { readonly [key: string]: JsonValue | undefined }; // As any JSON.
  if (type === 'message' && isObject(message) && message['content'] !== undefined) {
    const role = roleOf(message['role']);
    if (role !== undefined) return { type: 'message', role, content: message['content'] };
  }
  if (type === 'model_change' && typeof provider === 'string' && typeof modelId === 'string')
    return { type: 'model', provider, model: modelId };
  return { type: 'note', kind: typeof type === 'string' && type !== '' ? type.slice(0, 128) : 'unknown', data: record };
}

function roleOf(role: JsonValue | undefined): 'system' | 'user' | 'assistant' | 'tool' | undefined {
  if (role === 'toolResult') return 'tool';
  return role === 'system' || role === 'user' || role === 'assistant' || role === 'tool' ? role : undefined;
}

function parseRecord(line: string): Record | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // Its number is in the answer.
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
