/** The two directories of a layer. What the sandbox writes is there, owned as the workspace's own files are. */
import { chmodSync, lchownSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import type { HostFacts } from './host-facts.ts';

/** Makes `upper` and `work` where they are missing. The root of an overlay shows the owner and mode of `upper`, so those are the workspace's. */
export function prepareLayer(directory: string, layer: string, facts: HostFacts): void {
  const workspace = statSync(directory);
  // Inside, only the owner of the workspace is somebody: the directory that holds both must let that one through.
  if (facts.uid === 0) lchownSync(layer, workspace.uid, workspace.gid);
  for (const name of ['upper', 'work']) {
    const path = join(layer, name);
    const isNew = mkdirIfMissing(path);
    if (!isNew && !lstatSync(path).isDirectory())
      throw new Fault('invalid_argument', `Cannot start a sandbox: ${JSON.stringify(path)} is not a directory`);
    if (facts.uid === 0) lchownSync(path, workspace.uid, workspace.gid);
    if (isNew && name === 'upper') chmodSync(path, workspace.mode & 0o7777);
  }
}

function mkdirIfMissing(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
      throw new Fault('storage_full', `Cannot start a sandbox: there is no room for the layer ${JSON.stringify(path)}`, { cause: error });
    }
    if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS')) {
      const reason = `this user may not make the layer ${JSON.stringify(path)} (${error.code})`;
      throw new Fault('permission_denied', `Cannot start a sandbox: ${reason}`, { cause: error });
    }
    throw error;
  }
}
