import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';

describe('an agent', () => {
  it('is kept with what its processes are given, in canonical form', async () => {
    await using on = await openTestKernel();
    const made = await on.mine.agents.create('coder', {
      purpose: 'writes code',
      grants: { tools: ['git.*', 'filesystem.*'], hosts: ['API.Example.org'] },
      budgets: { tool_calls: 100 },
    });
    expect(made).toMatchObject({
      name: 'coder',
      purpose: 'writes code',
      state: 'active',
      grants: { tools: ['filesystem.*', 'git.*'], paths: [], hosts: ['api.example.org'], models: [], subAgents: false },
      budgets: { tool_calls: 100 },
    });
    await on.reopen();
    expect(await on.mine.agents.get('coder')).toEqual(made);
    expect(await on.mine.agents.find('another')).toBeUndefined();
  });

  it('is changed in what is named, and the rest stays', async () => {
    await using on = await openTestKernel();
    await on.mine.agents.create('coder', { purpose: 'one', grants: { tools: ['*'] }, budgets: { tool_calls: 1 } });
    expect(await on.mine.agents.update('coder', { budgets: {} })).toMatchObject({ purpose: 'one', grants: { tools: ['*'] }, budgets: {} });
    expect(await on.mine.agents.update('coder', { purpose: 'two', grants: {} })).toMatchObject({ purpose: 'two', grants: { tools: [] } });
  });

  it('that is revoked or deleted ends with its tokens and its processes, and leaves those of others alone', async () => {
    for (const end of ['revoke', 'delete'] as const) {
      await using on = await openTestKernel();
      const { agents, processes } = on.mine;
      await agents.create('coder');
      await agents.create('other');
      const of = (agent: string) => ({ kind: 'agent', workspace: on.mine.id, agent }) as const;
      const [mine, others] = await Promise.all(['coder', 'other'].map((agent) => on.kernel.tokens.create(of(agent))));
      const parent = await processes.create({ name: 'a', template: 't', agent: 'coder' });
      const child = await processes.create({ name: 'b', template: 't', agent: 'coder', parentPid: parent.pid });
      const stranger = await processes.create({ name: 'c', template: 't', agent: 'other' });
      await agents[end]('coder');
      const states = await Promise.all([parent, child, stranger].map(async ({ pid }) => (await processes.get(pid)).state));
      expect(states).toEqual(['DEAD', 'DEAD', 'READY']);
      expect(await on.kernel.tokens.authenticate(mine?.token ?? '')).toBeUndefined();
      expect(await on.kernel.tokens.authenticate(others?.token ?? '')).toEqual(of('other'));
      expect(await on.mine.events.newest({ limit: 1 })).toMatchObject([expect.anything()]);
    }
  });

  it('that was revoked gets new tokens once it is restored, and the old ones stay worthless', async () => {
    await using on = await openTestKernel();
    await on.mine.agents.create('coder', { grants: { tools: ['a'] } });
    const of = { kind: 'agent', workspace: on.mine.id, agent: 'coder' } as const;
    const { token } = await on.kernel.tokens.create(of);
    expect([await on.mine.agents.revoke('coder'), await on.mine.agents.revoke('coder')]).toEqual([true, false]);
    await expect(on.kernel.tokens.create(of)).rejects.toMatchObject({ code: 'illegal_transition' });
    expect([await on.mine.agents.restore('coder'), await on.mine.agents.restore('coder')]).toEqual([true, false]);
    expect(await on.mine.agents.get('coder')).toMatchObject({ state: 'active', grants: { tools: ['a'] } });
    expect(await on.kernel.tokens.authenticate(token)).toBeUndefined();
    const fresh = await on.kernel.tokens.create(of);
    expect(await on.kernel.tokens.authenticate(fresh.token)).toEqual(of);
  });

  it('is refused twice, with a wrong name, and with what could not be given', async () => {
    await using on = await openTestKernel();
    const { agents } = on.mine;
    await agents.create('coder');
    await expect(agents.create('coder')).rejects.toMatchObject({ code: 'already_exists' });
    for (const name of ['', '.', '-a', 'a/b', 'a b', 'x'.repeat(65), 'system', 'a\n', '__proto__ ']) {
      await expect(agents.create(name)).rejects.toMatchObject({ code: 'invalid_argument', details: { field: 'agent' } });
    }
    await expect(agents.create('b', { grants: { hosts: ['a b'] } })).rejects.toMatchObject({ code: 'grant_invalid' });
    await expect(agents.create('b', { budgets: { tokens: -1 } })).rejects.toMatchObject({ code: 'ledger_amount_invalid' });
    for (const purpose of ['x'.repeat(4_097), 'a\0b', '\ud800']) {
      await expect(agents.create('b', { purpose })).rejects.toMatchObject({ code: 'invalid_argument', details: { field: 'purpose' } });
    }
    expect((await agents.list()).map(({ name }) => name)).toEqual(['coder']);
    for (const act of [agents.get, agents.revoke, agents.restore, agents.delete, (name: string) => agents.update(name, {})]) {
      await expect(act('nobody')).rejects.toMatchObject({ code: 'not_found' });
    }
  });
});

describe('the program of an agent', () => {
  const PROGRAM = { kind: 'loop', model: 'anthropic/x', toolsets: ['coding'] };

  it('is kept as it is until another or none is given', async () => {
    await using under = await openTestKernel();
    const { agents } = under.mine;
    expect((await agents.create('plain')).program).toBeUndefined();
    expect((await agents.create('coder', { program: PROGRAM })).program).toEqual(PROGRAM);
    expect((await agents.update('coder', { purpose: 'x' })).program).toEqual(PROGRAM);
    expect((await agents.update('coder', { program: { kind: 'command' } })).program).toEqual({ kind: 'command' });
    expect((await agents.update('coder', { program: null })).program).toBeUndefined();
  });

  it('is an object of at most 64 KiB, and is written as it was when it was given', async () => {
    await using under = await openTestKernel();
    const { agents } = under.mine;
    await expect(agents.create('a', { program: 'loop' as never })).rejects.toMatchObject({
      code: 'invalid_payload',
      details: { field: 'program' },
    });
    await expect(agents.create('a', { program: { text: 'x'.repeat(65_536) } })).rejects.toMatchObject({ code: 'too_large' });
    const program = { ...PROGRAM };
    const creating = agents.create('a', { program });
    program.model = 'another';
    expect((await creating).program).toEqual(PROGRAM);
  });
});
