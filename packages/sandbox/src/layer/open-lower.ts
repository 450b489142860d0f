import { Fault } from '@warren/protocol';
import { errnoOf, fileFault } from './internal/errno.ts';
import type { RunRecord } from './run-record.ts';
import { Tree } from './tree.ts';

/** Opens the host's directory of a run. Throws `not_found`. */
export function openLower(record: RunRecord): Tree {
  try {
    return Tree.open(record.directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw fileFault(error, `Cannot open ${record.directory}`);
    throw new Fault('not_found', `There is no directory ${record.directory} any more`, {
      details: { path: record.directory },
      cause: error,
    });
  }
}
