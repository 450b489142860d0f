import { parseWorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';

it('an import that fails says why, though not all of it can be wiped, and the rest is wiped later', async () => {
  await using under = await openTestKernel();
  const { workspaces } = under.kernel;
  const id = parseWorkspaceId('acme');
  let isBroken = true;
  using _keeper = workspaces.keep({
    stop: async () => ({ [Symbol.dispose]() {} }),
    async wipe() {
      if (isBroken) throw new Error('the disk is broken');
    },
  });
  await expect(workspaces.import(id, {}, () => Promise.reject(new Error('the archive is cut off')))).rejects.toThrow(
    'the archive is cut off',
  );
  await expect(workspaces.get(id)).rejects.toMatchObject({ code: 'not_found' });
  isBroken = false;
  expect(await workspaces.finishDeletions()).toBe(1);
  await workspaces.create(id);
});
