import { chmodSync, chownSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { runPaths } from './run-paths.ts';
import { ourUid } from './state-directory.ts';

/** Makes the directories of an overlay and gives the moment of the start. */
export function makeLayer(run: string, directory: string): string {
  const paths = runPaths(run);
  const below = statSync(directory);
  mkdirSync(paths.layer, { mode: 0o700 });
  for (const path of [paths.work, paths.upper]) {
    mkdirSync(path, { mode: 0o700 });
    if (ourUid() === 0) chownSync(path, below.uid, below.gid);
  }
  // The root of an overlay takes its mode and owner from the upper directory.
  chmodSync(paths.upper, below.mode & 0o7777);
  // Files are stamped by a clock that ticks every few milliseconds, so this stamp, not the time of day, is what theirs compare with. A host
  // file changed later within the same tick counts as changed before: no sandbox starts that fast.
  return `${lstatSync(paths.upper, { bigint: true }).ctimeNs}`;
}
