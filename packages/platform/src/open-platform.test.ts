import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { openPlatform } from './open-platform.ts';

it('secrets of known forms are in no record of a call, wherever an agent put them', async () => {
  await using directory = await TemporaryDirectory.create();
  await using kernel = await openKernel({ directory: directory.path });
  await using platform = await openPlatform({
    ...{ kernel, directory: directory.path, isWatching: false },
    openSandboxes: () => Promise.reject(new Error('There are none here')),
  });
  const grants = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts: ['*'], models: [], subAgents: false } as const;
  const { pid } = await platform.agents.start(DEFAULT_WORKSPACE, { agent: 'ada', grants, budgets: {} });
  const key = 'AKIAABCDEFGHIJKLMNOP';
  const password = 'hunter2secret';
  const input = { command: 'curl', args: ['-u', `ann:${key}`, `https://ann:${password}@example.org/`] };
  await platform.gate.call(DEFAULT_WORKSPACE, { pid, capability: 'process.run', input, reasoning: `with ${key}` });
  await platform.gate.call(DEFAULT_WORKSPACE, { pid, capability: 'alerts.send', input: { message: `found ${key}`, severity: 'info' } });
  const { entries } = await platform.audit.search({});
  const recorded = JSON.stringify(entries);
  expect(recorded).toContain('[REDACTED:aws key]');
  expect(recorded).toContain('https://ann:[REDACTED:password in url]@example.org/');
  for (const secret of [key, password]) expect(recorded).not.toContain(secret);
});
