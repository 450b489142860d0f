import { parseWorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';

it('ids that differ in capitals alone are not two workspaces: on many file systems their directories would be one', async () => {
  await using under = await openTestKernel();
  const { workspaces } = under.kernel;
  await workspaces.create(parseWorkspaceId('Acme_1'));
  for (const id of ['acme_1', 'ACME_1']) {
    await expect(workspaces.create(parseWorkspaceId(id))).rejects.toMatchObject({
      code: 'already_exists',
      details: { workspace: 'Acme_1' },
    });
  }
  await expect(workspaces.create(parseWorkspaceId('Acme_1'))).rejects.toMatchObject({ code: 'already_exists' });
  await workspaces.create(parseWorkspaceId('Acme-1'));
  expect((await workspaces.list()).map(({ id }) => id)).toEqual(['Acme-1', 'Acme_1', 'default']);
});

it('an id that is made again gives its numbers anew', async () => {
  await using under = await openTestKernel();
  const { kernel } = under;
  const id = parseWorkspaceId('a'.repeat(128));
  for (let round = 0; round < 3; round++) {
    await kernel.workspaces.create(id);
    expect((await kernel.workspace(id).processes.create({ name: 'a', template: 't' })).pid).toBe(1);
    await kernel.workspaces.delete(id);
    await expect(kernel.workspace(id).processes.list()).rejects.toMatchObject({ code: 'not_found' });
  }
});
