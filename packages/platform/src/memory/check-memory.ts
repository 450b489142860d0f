/** What may be remembered, and asked. */
import { Fault } from '@warren/protocol';
import type { MemoryFilter, NewMemory, SearchOptions } from './memory.ts';

const TEXT_CHARACTERS_MAX = 1_000_000;
const QUERY_CHARACTERS_MAX = 10_000;
const NAME_CHARACTERS_MAX = 256;
export const TAGS_MAX = 32;
const LABELS_MAX = 256;
const TAG_CHARACTERS_MAX = 64;
const METADATA_CHARACTERS_MAX = 16_384;
const TIME_MAX = 8_640_000_000_000_000;
const LIMIT_MAX = 100;

export type CheckedMemory = Pick<NewMemory, 'text' | 'session' | 'createdAt' | 'expiresAt' | 'metadata'> & {
  readonly tags: readonly string[];
  readonly source: string;
  readonly importance: number;
  readonly isPinned: boolean;
  readonly labels: readonly string[];
};

/** Only of what is there; nothing is filled in. */
export function checkParts(parts: Partial<NewMemory>): Partial<CheckedMemory> {
  const { text, tags, source, session, importance, createdAt, expiresAt, isPinned, metadata, labels } = parts;
  return {
    ...(text === undefined ? {} : { text: checkText('text', text, TEXT_CHARACTERS_MAX) }),
    ...(tags === undefined ? {} : { tags: checkTags(tags) }),
    ...(source === undefined ? {} : { source: checkText('source', source, NAME_CHARACTERS_MAX) }),
    ...(session === undefined ? {} : { session: checkText('session', session, NAME_CHARACTERS_MAX) }),
    ...(importance === undefined ? {} : { importance: checkShare('importance', importance) }),
    ...(createdAt === undefined ? {} : { createdAt: checkTime('createdAt', createdAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: checkTime('expiresAt', expiresAt) }),
    ...(isPinned === undefined ? {} : { isPinned: checkBoolean('isPinned', isPinned) }),
    ...(metadata === undefined ? {} : { metadata: checkMetadata(metadata) }),
    ...(labels === undefined ? {} : { labels: checkLabels(labels) }),
  };
}

export function checkNew(entry: NewMemory): CheckedMemory {
  const { text, tags = [], source = 'memory', importance = 0.5, isPinned = false, labels = [], ...rest } = checkParts(entry);
  if (text === undefined) throw refuse('text', 'it is missing');
  return { text, tags, source, importance, isPinned, labels, ...rest };
}

export function checkQuery(query: unknown): string {
  return checkText('query', query, QUERY_CHARACTERS_MAX);
}

export function checkFilter({ tags, source, session, since, until }: MemoryFilter): MemoryFilter {
  return {
    ...(tags === undefined ? {} : { tags: checkTags(tags) }),
    ...(source === undefined ? {} : { source: checkText('source', source, NAME_CHARACTERS_MAX) }),
    ...(session === undefined ? {} : { session: checkText('session', session, NAME_CHARACTERS_MAX) }),
    ...(since === undefined ? {} : { since: checkTime('since', since) }),
    ...(until === undefined ? {} : { until: checkTime('until', until) }),
  };
}

export function checkOptions({ limit = 10, minScore = 0, halfLifeDays, diversity = 0 }: SearchOptions) {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) throw refuse('limit', `it is not 1 to ${LIMIT_MAX}`);
  if (halfLifeDays !== undefined && !(Number.isFinite(halfLifeDays) && halfLifeDays >= 0))
    throw refuse('halfLifeDays', 'it is no number of days');
  return { limit, minScore: checkShare('minScore', minScore), halfLifeDays, diversity: checkShare('diversity', diversity) };
}

function checkText(field: string, text: unknown, most: number): string {
  if (typeof text !== 'string') throw refuse(field, 'it is no text');
  if (text.length === 0 || text.length > most) throw refuse(field, `it has ${text.length} characters, 1 to ${most} are allowed`);
  if (!text.isWellFormed() || text.includes('\0')) throw refuse(field, 'it has half a character or a NUL in it');
  return text;
}

function checkTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags) || tags.length > TAGS_MAX) throw refuse('tags', `it is no list of at most ${TAGS_MAX}`);
  return [...new Set(tags.map((tag) => checkText('tags', tag, TAG_CHARACTERS_MAX)))];
}

function checkLabels(labels: readonly string[]): readonly string[] {
  if (!Array.isArray(labels) || labels.length > LABELS_MAX) throw refuse('labels', `it is no list of at most ${LABELS_MAX}`);
  return [...new Set(labels.map((label) => checkText('labels', label, TAG_CHARACTERS_MAX)))];
}

function checkShare(field: string, share: unknown): number {
  if (typeof share === 'number' && share >= 0 && share <= 1) return share;
  throw refuse(field, 'it is not 0 to 1');
}

function checkTime(field: string, time: unknown): number {
  if (typeof time === 'number' && Number.isInteger(time) && Math.abs(time) <= TIME_MAX) return time;
  throw refuse(field, 'it is no time in milliseconds since 1970');
}

function checkBoolean(field: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw refuse(field, 'it is neither true nor false');
}

function checkMetadata(metadata: NewMemory['metadata']): NewMemory['metadata'] {
  let text: string | undefined;
  try {
    text = JSON.stringify(metadata);
  } catch {
    text = undefined; // What has no text is no JSON.
  }
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  if (isObject && text !== undefined && text.length <= METADATA_CHARACTERS_MAX) return metadata;
  throw refuse('metadata', `it is no object that has at most ${METADATA_CHARACTERS_MAX} characters as JSON`);
}

function refuse(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot use ${field}: ${why}`, { details: { field } });
}
