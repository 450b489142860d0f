import type { WorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';
import { createWorkspaces } from './create-workspaces.ts';
import { rememberSettings } from './remember-settings.ts';

const ACME = 'acme' as WorkspaceId; // Valid.

it('remembered settings are those of the last update, and read once', async () => {
  await using under = await openTestKernel();
  const all = createWorkspaces(under.kernel.store);
  const reads: WorkspaceId[] = [];
  const get = (id: WorkspaceId) => {
    reads.push(id);
    return all.get(id);
  };
  const { settingsOf, workspaces } = rememberSettings({ ...all, get });
  await workspaces.create(ACME, { weight: 2 });
  expect(await Promise.all([settingsOf(ACME), settingsOf(ACME)])).toMatchObject([{ weight: 2 }, { weight: 2 }]);
  await workspaces.update(ACME, { weight: 3 });
  expect(await settingsOf(ACME)).toMatchObject({ weight: 3, runningMax: 1_000 });
  expect(reads).toEqual([ACME]);
});

it('a workspace that was not there is looked for again', async () => {
  await using under = await openTestKernel();
  const { settingsOf, workspaces } = rememberSettings(createWorkspaces(under.kernel.store));
  await expect(settingsOf(ACME)).rejects.toMatchObject({ code: 'not_found' });
  await workspaces.create(ACME);
  expect(await settingsOf(ACME)).toMatchObject({ weight: 1 });
});
