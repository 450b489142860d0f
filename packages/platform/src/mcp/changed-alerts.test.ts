import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { ChangedAlerts } from './changed-alerts.ts';

it('ChangedAlerts tells of a server once, as long as it is so, across lives, and of each apart', async () => {
  await using directory = await TemporaryDirectory.create();
  await using kernel = await openKernel({ directory: directory.path });
  const { alerts } = kernel.workspace(DEFAULT_WORKSPACE);
  const pending = async (): Promise<readonly string[]> =>
    (await alerts.list({ status: 'pending' })).alerts.map(({ context }) => String(context['about'])).toSorted();
  const said: string[] = [];
  await using told = new ChangedAlerts({ alerts, say: (message) => said.push(message) });
  await Promise.all([told.tell('notes', true), told.tell('notes', true), told.tell('search', true)]);
  expect(await pending()).toEqual(['mcp-server:notes', 'mcp-server:search']);
  await using later = new ChangedAlerts({ alerts, say: (message) => said.push(message) });
  await later.tell('notes', false);
  expect(await pending()).toEqual(['mcp-server:search']);
  await Promise.all([later.tell('left', true), later.keepOnly(['search', 'other'])]);
  expect(await pending()).toEqual(['mcp-server:search']);
  expect(said).toEqual([]);
  const broken = { ...alerts, list: () => Promise.reject(new Error('the disk is full')) };
  await using silent = new ChangedAlerts({ alerts: broken, say: (message) => said.push(message) });
  await silent.tell('notes', true);
  expect(said).toEqual([expect.stringContaining('the disk is full')]);
});
