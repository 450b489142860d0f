import { rmdirSync, unlinkSync } from 'node:fs';
import { type BytePath, joinPath, ROOT_PATH } from './byte-path.ts';
import { errnoOf } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import { Tree } from './tree.ts';

/** Removes a directory of ours and everything in it, however deep and whatever the names and modes. What is gone already is fine. */
export async function removeTree(directory: string, pace: Pace): Promise<void> {
  try {
    using tree = Tree.open(directory, { isOurs: true });
    await removeInside(tree, pace);
    rmdirSync(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

async function removeInside(tree: Tree, pace: Pace): Promise<void> {
  // A directory is visited twice: first to empty it, then, once everything found in it is gone, to go itself.
  const open: { readonly path: BytePath; readonly isEmptied: boolean }[] = [{ path: ROOT_PATH, isEmptied: false }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    if (visit.isEmptied) {
      rmdirSync(tree.at(visit.path));
      continue;
    }
    if (visit.path !== ROOT_PATH) open.push({ path: visit.path, isEmptied: true });
    for (const name of tree.list(visit.path)) {
      const path = joinPath(visit.path, name);
      if (tree.stat(path)?.isDirectory() === true) open.push({ path, isEmptied: false });
      else unlinkSync(tree.at(path));
      if (pace.isDue) await pace.rest();
    }
  }
}
