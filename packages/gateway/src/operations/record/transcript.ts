import { type EntryBody, type SessionEntry, type SessionInfo, sessionText } from '@warren/platform';
import type { JsonObject } from '@warren/protocol';
import type { NewTranscriptEntry, TranscriptEntry, TranscriptInfo } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toTranscriptEntry(entry: SessionEntry): TranscriptEntry {
  const { id, parent, at, ...body } = entry;
  if (body.type === 'tip') throw new Error('A tip is no entry of a conversation');
  return {
    entry_id: id,
    parent_id: parent ?? null,
    at: toSeconds(at),
    type: body.type,
    role: body.type === 'message' ? body.role : null,
    text: sessionText(entry),
    body: body as JsonObject, // It is made of JSON.
  };
}

export function toTranscriptInfo({ id, title, agent, createdAt, updatedAt, bytes, origin }: SessionInfo): TranscriptInfo {
  return {
    session: id,
    title: title ?? null,
    agent: agent ?? null,
    created_at: toSeconds(createdAt),
    updated_at: toSeconds(updatedAt),
    size_bytes: bytes,
    origin: origin === undefined ? null : { session: origin.session, entry_id: origin.entry },
  };
}

export function fromNewEntry(entry: NewTranscriptEntry): EntryBody {
  return entry.type === 'summary' ? { type: 'summary', text: entry.text, first: entry.first_id } : entry;
}
