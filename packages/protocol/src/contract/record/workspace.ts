/** Workspaces on the wire. */
import { z } from 'zod';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

/** What is deleted: whatever is older, and the oldest beyond the count. */
export const retention = z.object({
  event_age_ms: int,
  events_max: int,
  finished_entry_age_ms: int,
  finished_entries_max: int,
  file_versions_max: int,
});

export const workspaceSettings = z.object({
  /** Its share of the scheduler, relative to the others. */
  weight: z.number(),
  /** Entries of the queue it may have dispatched at once. */
  running_max: int,
  /** Bytes its files may hold, all versions together. */
  file_bytes_max: int,
  /** Bytes of everything that it stores: files, memories, sessions and secrets. */
  stored_bytes_max: int,
  retention,
});

export const workspaceRecord = z.object({ workspace: word, created_at: seconds, settings: workspaceSettings });

const held = z.object({ count: int, bytes: int });

export const workspaceUsage = z.object({
  workspace: word,
  agents: int,
  /** Those that are not DEAD. */
  processes: int,
  /** What agents remember. */
  memories: held,
  /** What stands in their working directory; at most the first million of files is counted. */
  files: held,
  /** What they keep with `file.*`, all versions together. */
  stored_files: held,
  sessions: held,
  secrets: int,
  /** All of it, with secrets. */
  stored_bytes: int,
});

export type WorkspaceUsage = z.output<typeof workspaceUsage>;
export type Retention = z.output<typeof retention>;
export type WorkspaceSettings = z.output<typeof workspaceSettings>;
export type WorkspaceRecord = z.output<typeof workspaceRecord>;
