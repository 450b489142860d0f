import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { PolicyAlerts } from './policy-alerts.ts';
import type { FileProblem } from './read-yaml.ts';

const mistake = (file: string, message: string): FileProblem => ({ file, line: 1, severity: 'error', message });

it('mistakes of policies are an alert of whom they concern, until they are mended, also by the next life', async () => {
  await using directory = await TemporaryDirectory.create();
  await using kernel = await openKernel({ directory: directory.path });
  const acme = (await kernel.workspaces.create('acme' as typeof DEFAULT_WORKSPACE)).id; // Valid.
  const said: string[] = [];
  const open = () =>
    new PolicyAlerts({
      known: [DEFAULT_WORKSPACE, acme],
      alertsOf: (id) => kernel.workspace(id).alerts,
      say: (message) => said.push(message),
    });
  const pending = async (id: typeof acme) =>
    (await kernel.workspace(id).alerts.list({ status: 'pending' })).alerts.map(({ message }) => message);
  const alerts = open();
  await kernel.workspace(DEFAULT_WORKSPACE).alerts.send({ message: 'another', severity: 'info' });
  await alerts.tell([{ ...mistake('x.txt', 'is not read'), severity: 'warning' }]);
  expect(await pending(DEFAULT_WORKSPACE)).toEqual(['another']);

  const broken = [mistake('system.yaml', 'is a pipe'), mistake('workspaces/acme/workspace.yaml', 'says \u001b[2J nothing')];
  await alerts.tell(broken);
  await alerts.tell(broken);
  expect(await pending(DEFAULT_WORKSPACE)).toEqual([
    expect.stringMatching(/^Policies on disk have mistakes.*\nsystem\.yaml:1: is a pipe$/),
    'another',
  ]);
  expect(await pending(acme)).toEqual([expect.stringContaining('workspaces/acme/workspace.yaml:1: says ?[2J nothing')]);
  await alerts.tell([mistake('system.yaml', 'is empty'), mistake('workspaces/nobody/workspace.yaml', 'is empty')]);
  expect(await pending(DEFAULT_WORKSPACE)).toEqual([expect.stringContaining('system.yaml:1: is empty'), 'another']);
  expect(await pending(acme)).toEqual([]);
  expect(said).toEqual([expect.stringContaining('Cannot use workspace "nobody"')]);
  await open().tell([]);
  expect(await pending(DEFAULT_WORKSPACE)).toEqual(['another']);
});
