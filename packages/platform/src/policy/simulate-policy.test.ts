import { writeFileSync } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { openPlatform } from '../open-platform.ts';
import type { Platform } from '../platform.ts';
import { parsePolicies } from './parse-policies.ts';
import { createPolicyOf } from './policy-of.ts';
import { placeOf } from './policy-places.ts';
import { simulatePolicy } from './simulate-policy.ts';

const { signal } = new AbortController();
const ANN = { name: 'ann', groups: [], isOperator: true };

async function open() {
  const owned = new AsyncDisposableStack();
  const directory = owned.use(await TemporaryDirectory.create());
  const kernel = owned.use(await openKernel({ directory: directory.path }));
  const platform = owned.use(
    await openPlatform({
      ...{ kernel, directory: directory.path, isWatching: false },
      openSandboxes: () => Promise.reject(new Error('There are none here')),
    }),
  );
  const grants = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts: ['*'], models: [], subAgents: false } as const;
  const { pid } = await platform.agents.start(DEFAULT_WORKSPACE, { agent: 'ada', grants, budgets: {} });
  return {
    ...{ platform, kernel },
    call: (capability: string, input: JsonObject, taint: readonly string[] = []) =>
      platform.gate.call(DEFAULT_WORKSPACE, { pid, capability, input, taint }),
    async setPolicy(text: string) {
      writeFileSync(directory.join('policies/workspace.yaml'), text);
      await platform.policies.reload();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function simulate(platform: Platform, text: string) {
  const { changes, ...counts } = await platform.simulate([{ path: 'workspace.yaml', text }], { limit: 100 }, signal);
  return { ...counts, changes: changes.map(({ capability, before, after, rule }) => [capability, before, after, rule?.split(' ')[1]]) };
}

it('decides recorded calls as they were: by labels, by arguments, and by what was recorded of those that were shortened or redacted', async () => {
  await using under = await open();
  const { call, platform } = under;
  const page = { url: 'https://example.org/', method: 'POST', body: 'x' };
  await call('network.http_request', page);
  await call('network.http_request', page, ['web']);
  await call('network.http_request', { ...page, method: 'GET' }, ['web']);
  await call('filesystem.write', { path: 'data/large', content: 'x'.repeat(100_000) });
  await call('filesystem.write', { path: 'data/small', content: 'x' });
  await call('process.run', { command: 'curl', args: ['-u', 'ann:AKIAABCDEFGHIJKLMNOP', 'https://example.org/'] });
  await call('alerts.send', { message: 'm', severity: 'info' });
  await call('alerts.send', { message: 'm', severity: 'critical' });
  expect(await simulate(platform, '{}')).toMatchObject({ calls: 8, same: 8, stricter: 0, milder: 0, gone: 0, problems: [] });

  const candidate = `rules:
  - { id: sent-after-the-web, capability: network.http_request, when: { taint: { any: [web] }, args: { method: { in: [POST] } } }, tier: approval_required }
  - { id: large, capability: filesystem.write, when: { path: { under: /workspace/data }, size: { gte: 100000 } }, tier: blocked }
  - { id: small, capability: filesystem.write, when: { size: { lt: 100 } }, tier: autonomous }
  - { id: curl, capability: process.run, when: { command: { prefix: [[curl, -u]] } }, tier: blocked }
  - { id: critical, capability: alerts.send, when: { args: { severity: { equals: critical } } }, tier: notify }
  - { id: one-alert, capability: alerts.send, limit: { max: 1, per: 1h, on_exceed: blocked }, tier: autonomous }
`;
  const { changes, ...counts } = await simulate(platform, candidate);
  const before = Object.fromEntries(changes.map(([capability, tier]) => [capability, tier]));
  expect(changes).toEqual([
    ['network.http_request', before['network.http_request'], 'approval_required', 'sent-after-the-web'],
    ['filesystem.write', 'notify', 'blocked', 'large'],
    ['filesystem.write', 'notify', 'autonomous', 'small'],
    ['process.run', before['process.run'], 'blocked', 'curl'],
    ['alerts.send', 'autonomous', 'notify', 'critical'],
  ]);
  expect(counts).toMatchObject({ calls: 8, same: 3, stricter: 4, milder: 1 });

  const { entries } = await platform.audit.search({ kind: 'syscall' });
  const factsOf = (action: string) => entries.filter((each) => each.action === action).map(({ details }) => details?.['facts']);
  // Only where the arguments that were recorded do not say it.
  expect(factsOf('filesystem.write')).toEqual([
    {
      paths: [{ path: '/workspace/data/large', mode: 'rw' }],
      hosts: [],
      commands: [],
      content_bytes: 100_000,
      estimate: { fs_w_bytes: 100_000 },
    },
    undefined,
  ]);
  expect(factsOf('process.run')).toMatchObject([
    { commands: [['curl', '-u', expect.stringContaining('[REDACTED:aws key]'), 'https://example.org/']] },
  ]);
  expect(JSON.stringify(entries)).not.toContain('AKIAABCDEFGHIJKLMNOP');
});

it('holds the standing answers of people as they held then', async () => {
  await using under = await open();
  const { call, kernel, platform } = under;
  const ASKS = 'rules: [{ id: asks, capability: alerts.send, tier: approval_required }]\n';
  await under.setPolicy(ASKS);
  const send = () => call('alerts.send', { message: 'm', severity: 'info' });
  const { approvals } = kernel.workspace(DEFAULT_WORKSPACE);
  const asked = await send();
  if (asked.kind !== 'pending') throw new Error('It is asked about');
  await approvals.approve(asked.approvalId, ANN, { always: { scope: { kind: 'capability' }, forMs: 60_000 } });
  await platform.gate.result(DEFAULT_WORKSPACE, asked.callId, { waitMs: 60_000 });
  expect(await send()).toMatchObject({ kind: 'done', tier: 'notify' });
  const [rule] = await approvals.listRules();
  await approvals.revokeRule(rule?.id ?? '', ANN);
  expect(await send()).toMatchObject({ kind: 'pending' });
  const { entries } = await platform.audit.search({ kind: 'syscall' });
  expect(entries[1]).toMatchObject({ decision: { tier: 'notify', rule: { layer: 'allowance', file: '', rule: rule?.id } } });
  // One was approved, one was allowed by the answer; the last is only a question.
  expect(await simulate(platform, ASKS)).toMatchObject({ calls: 2, same: 2, changes: [] });
  expect(await simulate(platform, ASKS.replace('approval_required', 'blocked'))).toMatchObject({ calls: 2, stricter: 2 });
});

it('decides nothing for capabilities that are not there any more', async () => {
  await using under = await open();
  const { call, platform } = under;
  await call('alerts.send', { message: 'm', severity: 'info' });
  await call('agent.whoami', {});
  const { entries } = await platform.audit.search({ kind: 'syscall' });
  const found = placeOf('workspace.yaml');
  if (found === undefined) throw new Error('It is a place of policies');
  const parsed = parsePolicies({ texts: [{ found, content: 'default: autonomous' }], problems: [] });
  const simulated = await simulatePolicy({
    entries,
    policyOf: createPolicyOf(parsed),
    allowRulesOf: () => Promise.resolve([]),
    capability: (name) => (name === 'agent.whoami' ? undefined : platform.capabilities.find(name)),
    limit: 10,
  });
  expect(simulated).toMatchObject({ calls: 1, same: 1, stricter: 0, milder: 0, gone: 1, changes: [] });
});
