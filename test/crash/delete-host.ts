/** Deletes a workspace and is killed at the step it was told: `node delete-host.ts DIRECTORY STEP`. Says how many steps there are when it lives to the end. */
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';

const [directory = '', step = '0'] = process.argv.slice(2);
let left = Number(step);
let reached = 0;
let isDeleting = false;
const reach = (): void => {
  if (!isDeleting) return;
  reached++;
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
};

const kernel = await openKernel({ directory, faults: { reach } });
const openSandboxes = () => Promise.reject(new Error('There are none here'));
const platform = await openPlatform({ kernel, directory, isWatching: false, openSandboxes });
kernel.workspaces.keep({
  async stop() {
    reach();
    return { [Symbol.dispose]() {} };
  },
  wipe: async () => reach(),
});
isDeleting = true;
await kernel.workspaces.delete(parseWorkspaceId('doomed'));
isDeleting = false;
await platform[Symbol.asyncDispose]();
await kernel.close();
console.log(reached);
