/** What an agent knows of itself, held to its definition. */
import { describe, expect, it } from 'vitest';
import { type Caller, HandlerHost } from '../test-support/handler-host.ts';
import { createAgentHandlers } from './create-agent-handlers.ts';

const RULE = {
  tier: 'blocked',
  reason: null,
  rate_limit: { max: 2, per_seconds: 3600, what: 'calls', on_exceed: 'blocked' },
  rule: 'agent: rules[0]',
};

const open = () =>
  HandlerHost.open(({ now }) =>
    createAgentHandlers({
      ...{ now, newId: () => 'snapshot_1', health: async () => 'healthy', callsOf: async () => [], definition: () => undefined },
      offered: async () => [{ name: 'git.push', tier: 'notify' }],
      rules: () => ({ rules: ['*', 'git.*', 'git.push', 'gitx.*'].map((capability) => ({ ...RULE, capability })), defaultTier: null }),
    }),
  );

describe('an agent', () => {
  it('learns who it is and what it may use', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    await host.mine().grants.create(ada.pid, {
      tools: ['*'],
      paths: [
        { prefix: '/workspace', mode: 'rw' },
        { prefix: '/workspace/docs', mode: 'r' },
      ],
    });
    await host.mine().ledger.create({ kind: 'process', pid: ada.pid }, { tool_calls: 10 });
    host.time += 1_500;
    expect(await host.call(ada, 'agent.whoami')).toMatchObject({ agent_name: 'ada', workspace_path: '/workspace', purpose: '' });
    expect(await host.call(ada, 'agent.session')).toMatchObject({
      ...{ session_id: `process-${ada.pid}`, duration_seconds: 1.5, invocation_count: 0, state_quota: { used_bytes: 0, percent: 0 } },
      scope: { read: ['/workspace/docs'], write: ['/workspace'], capabilities: ['*'] },
      budgets: [{ dimension: 'tool_calls', used: 0, limit: 10 }],
    });
    expect(await host.call(ada, 'agent.capabilities', { category: 'git' })).toEqual({ capabilities: [], total: 0 });
    expect(await host.call(ada, 'agent.briefing', { detail_level: 'detailed' })).toMatchObject({ briefing: { health: 'healthy' } });
  });

  it('sees the rules that may apply', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    const rulesFor = async (who: Caller, capability: string) =>
      ((await host.call(who, 'agent.policy', { capability }))['rules'] as { capability: string }[]).map((rule) => rule.capability);
    expect(await rulesFor(ada, 'git.push')).toEqual(['*', 'git.*', 'git.push']);
    expect(await rulesFor(ada, '__proto__')).toEqual(['*']);
    expect(await rulesFor(ada, '')).toHaveLength(4);
  });

  it('that has none, or is no more, is told so', async () => {
    await using host = await open();
    const nobody = await host.start('');
    expect(await host.call(nobody, 'agent.whoami')).toMatchObject({ agent_name: '' });
    await host.call(nobody, 'agent.session');
    expect(await host.errorOf({ ...nobody, pid: 99 }, 'agent.whoami')).toBe('SessionError');
  });
});
