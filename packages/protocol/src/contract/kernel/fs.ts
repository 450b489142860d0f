/** `kernel.fs.*`: the files of agents. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { fileContent, fileMode, fileObject } from '../record/file.ts';
import { itself, itsTree } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit, offset } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { base64, word } from '../value/text.ts';

/** The path, and in whose name: left out, in that of the caller, who then must be more than a process. */
const named = { path: word, pid: optional(int) };

export const FS_OPERATIONS = {
  'kernel.fs.write': operation({
    summary: 'Writes a whole file, if `if_absent` is given only a new one',
    tier: 'stable',
    effect: 'once',
    scope: itself(),
    params: z.object({
      pid: int,
      path: word,
      content: base64,
      mode: withDefault(fileMode, 'rw'),
      metadata: optional(jsonObject),
      if_absent: withDefault(z.boolean(), false),
    }),
    result: z.object({ path: word, size: int, owner_pid: int, mode: fileMode, version: int }),
    faults: ['unknown_pid', 'path_invalid', 'file_exists', 'file_read_only', 'quota_exceeded', 'invalid_payload', 'too_large', ...ON_WRITE],
  }),
  'kernel.fs.read': operation({
    summary: 'Answers with a whole file',
    tier: 'stable',
    effect: 'read',
    scope: itself(),
    params: z.object(named),
    result: fileContent,
    faults: ['file_not_found', 'path_invalid', 'too_large', 'busy', ...ON_READ],
  }),
  'kernel.fs.stat': operation({
    summary: 'Answers with everything about a file but its content',
    tier: 'stable',
    effect: 'read',
    scope: itself(),
    params: z.object(named),
    result: fileObject,
    faults: ['file_not_found', 'path_invalid', ...ON_READ],
  }),
  'kernel.fs.exists': operation({
    summary: 'Says whether there is a file',
    tier: 'stable',
    effect: 'read',
    scope: itself(),
    params: z.object(named),
    result: z.object({ path: word, exists: z.boolean() }),
    faults: ['path_invalid', ...ON_READ],
  }),
  'kernel.fs.list': operation({
    summary: 'Lists files by path, of one prefix and one owner where those are given',
    tier: 'stable',
    effect: 'read',
    scope: itsTree('owner_pid'),
    params: z.object({ prefix: optional(word), owner_pid: optional(int), limit, offset }),
    result: z.object({ entries: listOf(fileObject), total: int }),
    faults: ['path_invalid', ...ON_READ],
  }),
  'kernel.fs.delete': operation({
    summary: 'Deletes a file; its history stays until it is purged',
    tier: 'stable',
    effect: 'idempotent',
    scope: itself(),
    params: z.object(named),
    result: z.object({ path: word, removed: z.boolean() }),
    faults: ['unknown_pid', 'path_invalid', ...ON_WRITE],
  }),
  'kernel.fs.set_mode': operation({
    summary: 'Makes a file read-only, or no longer',
    tier: 'stable',
    effect: 'idempotent',
    scope: itself(),
    params: z.object({ ...named, mode: fileMode }),
    result: z.object({ path: word, mode: fileMode }),
    faults: ['file_not_found', 'path_invalid', ...ON_WRITE],
  }),
  'kernel.fs.gc_orphaned': operation({
    summary: 'Deletes the files a process owns',
    tier: 'stable',
    effect: 'idempotent',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: z.object({ pid: int, removed: int }),
    faults: [...ON_WRITE],
  }),
};
