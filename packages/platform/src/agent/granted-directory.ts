/**
 * The place on the host that a granted prefix stands for. Agents write into these directories, so every name on the way may have become a link: each part is
 * opened below the one before, by descriptor, and a link ends the walk. What is missing is made, as the owner of the workspace.
 *
 * The name that comes out is checked again when it is mounted: the launcher opens sources without following links, so what is swapped in after this look is refused there.
 */
import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { Fault } from '@warren/protocol';

/** Only names the file: nothing is read, a pipe does not block, a link is the link itself. Node has no name for it. */
const O_PATH = 0o10_000_000;
const PLACE = O_PATH | constants.O_NOFOLLOW;
const DIRECTORY_MODE = 0o755;

/** `root` is the operator's; `path` lies below it. Throws `permission_denied` for what is reached through a link or is neither directory nor file. */
export function grantedDirectory(root: string, path: string): string {
  const canonical = realpathSync(root);
  let place = openSync(canonical, PLACE | constants.O_DIRECTORY);
  try {
    const { uid, gid } = fstatSync(place);
    const names = path === '' ? [] : path.split('/');
    for (const [index, name] of names.entries()) {
      if (name === '' || name === '.' || name === '..') throw new Error(`the granted path ${JSON.stringify(path)} is not canonical`);
      const next = openBelow(place, name, { uid, gid });
      closeSync(place);
      place = next;
      const status = fstatSync(place);
      const isLast = index === names.length - 1;
      if (!status.isDirectory() && !(isLast && status.isFile())) throw refused(names.slice(0, index + 1));
    }
  } finally {
    closeSync(place);
  }
  return path === '' ? canonical : `${canonical}/${path}`;
}

function openBelow(parent: number, name: string, owner: { readonly uid: number; readonly gid: number }): number {
  const path = `/proc/self/fd/${parent}/${name}`;
  try {
    return openSync(path, PLACE);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // Somebody was faster; what they made is looked at like anything else.
    return openSync(path, PLACE);
  }
  const made = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  if (process.getuid?.() === 0) fchownSync(made, owner.uid, owner.gid);
  return made;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function refused(names: readonly string[]): Fault<'permission_denied'> {
  const path = `/workspace/${names.join('/')}`;
  const why = 'it is neither a directory nor a file itself, and links are not followed to what is granted';
  return new Fault('permission_denied', `Cannot show ${JSON.stringify(path)} to a process: ${why}`, { details: { path } });
}
