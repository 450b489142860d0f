import { randomBytes } from 'node:crypto';
import { rmdirSync, unlinkSync } from 'node:fs';
import { type BytePath, joinPath, ROOT_PATH } from './byte-path.ts';
import { errnoOf } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import { Tree } from './tree.ts';

/** Directories below each other that are held open. An agent can make trees of any depth, and no run may be there for ever. */
const DEPTH_OPEN_MAX = 256;

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
    const path = visit.path.split('/').length > DEPTH_OPEN_MAX ? hoist(tree, visit.path) : visit.path;
    if (path !== ROOT_PATH) open.push({ path, isEmptied: true });
    for (const name of tree.list(path)) {
      if (pace.isDue) await pace.rest();
      const child = joinPath(path, name);
      if (tree.stat(child)?.isDirectory() === true) open.push({ path: child, isEmptied: false });
      else unlinkSync(tree.at(child));
    }
  }
}

function hoist(tree: Tree, path: BytePath): BytePath {
  const name = `hoisted-${randomBytes(12).toString('hex')}`;
  tree.hoist(path, name);
  return joinPath(ROOT_PATH, name);
}
