import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect } from 'vitest';
import { Agents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

provesGate('policy:rate', async () => {
  const limit = 'limit: { max: 2, per: 1h, on_exceed: approval_required }';
  await using agents = await Agents.open({
    'policies/system.yaml': `default: autonomous\nrules:\n  - { capability: system.echo, tier: autonomous, ${limit} }\n`,
  });
  const agent = await agents.agent();
  for (let call = 0; call < 2; call++) expect(await agent.ask('system.echo', { text: 'x' })).toMatchObject({ kind: 'done' });
  expect(await agent.ask('system.echo', { text: 'x' })).toMatchObject({ kind: 'pending', tier: 'approval_required' });
  await agents.restart();
  expect(await agent.ask('system.echo', { text: 'y' })).toMatchObject({ kind: 'pending' });
});

provesGate('policy:most-restrictive', async () => {
  await using agents = await Agents.open({
    'policies/organization.yaml': 'rules:\n  - { id: ask, capability: filesystem.write, tier: approval_required }\n',
    'policies/agents/builder.yaml': 'rules:\n  - { capability: "*", tier: autonomous }\n',
  });
  const agent = await agents.agent({}, 'builder');
  expect(await agent.ask('filesystem.write', { path: '/workspace/a', content: '' })).toMatchObject({ kind: 'pending' });
  const question = {
    agent: 'builder',
    capability: 'filesystem.write',
    input: { path: '/workspace/a', content: '' },
    taint: [],
    at: undefined,
  };
  expect(await agents.platform.explain(DEFAULT_WORKSPACE, question)).toMatchObject({
    tier: 'approval_required',
    rule: { layer: 'organization', file: 'organization.yaml', line: 2, rule: 'ask' },
  });
});

provesGate('policy:hot-reload', async () => {
  await using agents = await Agents.open({ 'policies/system.yaml': 'default: autonomous\n' });
  const agent = await agents.agent();
  const { policies } = agents.platform;
  expect(await agent.errorOf('system.echo', { text: 'x' })).toBe('none');
  const before = policies.status().version;
  agents.write('policies/system.yaml', 'default: blocked\n');
  // Nobody asks for it: the files are watched.
  await expect.poll(() => policies.status().version, { timeout: 15_000, interval: 20 }).not.toBe(before);
  expect(await agent.errorOf('system.echo', { text: 'x' })).toBe('PolicyDenied');
  agents.write('policies/system.yaml', 'default: autonomous\nrules: [ { capability: "*" }\n');
  await expect.poll(() => policies.status().problems.length, { timeout: 15_000, interval: 20 }).toBeGreaterThan(0);
  expect(policies.status().problems[0]).toMatchObject({ file: 'system.yaml', severity: 'error', line: expect.any(Number) });
  expect(await agent.errorOf('system.echo', { text: 'x' })).toBe('PolicyDenied');
});

provesGate('policy:blocked-is-hidden', async () => {
  await using agents = await Agents.open({
    'policies/system.yaml': 'default: autonomous\nrules:\n  - { capability: "git.*", tier: blocked, reason: No history here }\n',
  });
  const agent = await agents.agent();
  const offered = (await agents.platform.gate.offered(DEFAULT_WORKSPACE, agent.pid)).map(({ name }) => name);
  expect(offered.filter((name) => name.startsWith('git.'))).toEqual([]);
  expect(offered).toContain('filesystem.read');
  expect(await agent.ask('git.log', { path: '/workspace' })).toMatchObject({
    kind: 'failed',
    error: { type: 'PolicyDenied', context: { capability: 'git.log', rule: { reason: 'No history here' } } },
  });
});

provesGate('command:destruction', 'with the policy that allows everything, and with none at all', async () => {
  const policies = [
    {},
    { 'policies/system.yaml': 'default: autonomous\nrules:\n  - { capability: "*", tier: autonomous, exception: true }\n' },
  ];
  for (const files of policies) {
    await using agents = await Agents.open(files);
    const agent = await agents.agent();
    expect(await agent.errorOf('process.run', { command: 'rm', args: ['-rf', '/usr'] })).toBe('PolicyDenied');
  }
});
