/** The file in which a daemon says where it is: written when it listens, removed when it ends. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Discovery, discoveryPath, readDiscovery } from '@warren/client';

/** All of it or nothing: whoever reads meanwhile sees the old one. */
export function writeDiscovery(stateDirectory: string, discovery: Discovery): void {
  const path = discoveryPath(stateDirectory);
  const made = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(made, 'wx', 0o600);
    try {
      writeFileSync(file, `${JSON.stringify(discovery, undefined, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(made, path);
  } finally {
    rmSync(made, { force: true });
  }
}

/** Removes it, if it still is of this process. */
export function removeDiscovery(stateDirectory: string, pid: number): void {
  if (readDiscovery(stateDirectory)?.pid === pid) rmSync(discoveryPath(stateDirectory), { force: true });
}
