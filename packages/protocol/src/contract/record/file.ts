/** Files of agents on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { int, seconds } from '../value/number.ts';
import { base64, word } from '../value/text.ts';

export const fileMode = z.enum(['rw', 'ro']);

export const fileObject = z.object({
  path: word,
  owner_pid: int,
  size: int,
  mode: fileMode,
  metadata: jsonObject,
  /** 1, 2, 3 and so on: the first body, the second, the third. */
  version: int,
  /** SHA-256 of the body, hex; empty for a deletion. */
  hash: word,
  created_at: seconds,
  updated_at: seconds,
  /** Kept to the minute. */
  accessed_at: seconds.nullable(),
});

/** With its body. */
export const fileContent = fileObject.extend({ content: base64 });

export const fileVersion = z.object({
  version: int,
  size: int,
  hash: word,
  written_at: seconds,
  /** Null: deleted by no process. */
  writer_pid: int.nullable(),
  is_deletion: z.boolean(),
});

export type FileObject = z.output<typeof fileObject>;
export type FileContent = z.output<typeof fileContent>;
export type FileVersion = z.output<typeof fileVersion>;
