/** `file.*`: the versions of what `kernel.fs.*` writes and reads. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { fileContent, fileMode, fileObject, fileVersion } from '../record/file.ts';
import { itself, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { base64, word } from '../value/text.ts';

/** The path, and in whose name: left out, in that of the caller, who then must be more than a process. */
const named = { path: word, pid: optional(int) };

export const FILE_OPERATIONS = {
  'file.write': operation({
    summary: 'Writes a whole file, if `expected_version` is given only over that one; 0 stands for none',
    tier: 'experimental',
    effect: 'once',
    scope: itself(),
    params: z.strictObject({
      pid: int,
      path: word,
      content: base64,
      mode: withDefault(fileMode, 'rw'),
      metadata: optional(jsonObject),
      if_absent: withDefault(z.boolean(), false),
      expected_version: optional(int.min(0)),
    }),
    result: fileObject,
    faults: [
      'unknown_pid',
      'path_invalid',
      'file_exists',
      'file_read_only',
      'conflict',
      'quota_exceeded',
      'invalid_payload',
      'too_large',
      ...ON_WRITE,
    ],
  }),
  'file.read': operation({
    summary: 'Answers with a whole file, as it is or at an earlier version',
    tier: 'experimental',
    effect: 'read',
    scope: itself(),
    params: z.strictObject({ ...named, version: optional(int) }),
    result: fileContent,
    faults: ['file_not_found', 'path_invalid', 'too_large', 'busy', ...ON_READ],
  }),
  'file.history': operation({
    summary: 'Lists the versions of a file that are kept, newest first',
    tier: 'experimental',
    effect: 'read',
    scope: itself(),
    params: z.strictObject({ ...named, limit }),
    result: z.object({ versions: listOf(fileVersion) }),
    faults: ['file_not_found', 'path_invalid', ...ON_READ],
  }),
  'file.restore': operation({
    summary: 'Writes an earlier version of a file as its newest',
    tier: 'experimental',
    effect: 'once',
    scope: itself(),
    params: z.strictObject({ pid: int, path: word, version: int }),
    result: fileObject,
    faults: ['unknown_pid', 'file_not_found', 'path_invalid', 'file_read_only', 'quota_exceeded', ...ON_WRITE],
  }),
  'file.purge_history': operation({
    summary: 'Deletes the past versions of a file but the newest `keep`, and gives their bytes back',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ path: word, keep: withDefault(int, 0) }),
    result: z.object({ path: word, removed: int }),
    faults: ['file_not_found', 'path_invalid', ...ON_WRITE],
  }),
};
