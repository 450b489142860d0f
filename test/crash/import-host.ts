/** Imports a workspace and is killed at the step it was told: `node import-host.ts DIRECTORY FILE STEP`. Says how many steps there are when it lives to the end. */
import { createReadStream } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { importWorkspace, openPlatform, openStream } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';

const [directory = '', file = '', step = '0'] = process.argv.slice(2);
let left = Number(step);
let reached = 0;
let isImporting = false;
const reach = (): void => {
  if (!isImporting) return;
  reached++;
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
};

const kernel = await openKernel({ directory, faults: { reach } });
const openSandboxes = () => Promise.reject(new Error('There are none here'));
const platform = await openPlatform({ kernel, directory, isWatching: false, openSandboxes });
const { memories, vault } = platform;
isImporting = true;
const content = openStream({ kind: 'key', key: Buffer.alloc(32, 7) }, createReadStream(file));
await importWorkspace({ kernel, memories, vault, directory }, content, { withSecrets: true }, parseWorkspaceId);
isImporting = false;
await platform[Symbol.asyncDispose]();
await kernel.close();
console.log(reached);
