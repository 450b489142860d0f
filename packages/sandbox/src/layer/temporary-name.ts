import { createHash } from 'node:crypto';
import { type BytePath, joinPath, nameOf, parentOf } from './byte-path.ts';
import type { RunId } from './run-id.ts';

/** Longest name of the file systems we meet. */
const NAME_BYTES_MAX = 255;

/**
 * Where the new content of a path is written before it takes its place: beside it, `.<name>.warren-<run>`. It follows from path and run alone,
 * so that one left by a killed apply is found again.
 */
export function temporaryPath(path: BytePath, run: RunId): BytePath {
  const name = `.${nameOf(path)}.warren-${run}`;
  if (name.length <= NAME_BYTES_MAX) return joinPath(parentOf(path), name);
  const digest = createHash('sha256').update(nameOf(path), 'latin1').digest('hex').slice(0, 32);
  return joinPath(parentOf(path), `.${digest}.warren-${run}`);
}

/** Whether an agent chose a name that could be one of ours. It would have to guess the run. */
export function isTemporaryName(path: BytePath, run: RunId): boolean {
  return nameOf(path).endsWith(`.warren-${run}`);
}
