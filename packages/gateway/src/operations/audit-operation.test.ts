import type { OperationEntry, Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { OPERATIONS, type OperationName } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { auditOperation } from './audit-operation.ts';
import { isAudited, NOT_AUDITED } from './audited-operations.ts';
import type { Call } from './handler.ts';

const NAMES = Object.keys(OPERATIONS) as readonly OperationName[]; // Object.keys forgets them.

/** As much of it as is looked at. */
function callOf(principal: Principal, name?: string): Pick<Call, 'caller' | 'workspace'> {
  return { caller: { principal, name, groups: [], tokenId: undefined }, workspace: DEFAULT_WORKSPACE };
}

/** Keeps what it is given to record. */
class TestJournal {
  readonly recorded: { readonly entry: OperationEntry; readonly details: unknown }[] = [];

  async record<Result>(entry: OperationEntry, act: () => Promise<Result>, describe: (result: Result) => unknown = () => undefined) {
    const result = await act();
    this.recorded.push({ entry, details: describe(result) });
    return result;
  }
}

describe('operations in the audit', () => {
  it('are all that change something, but for those with a reason', () => {
    const excepted = NOT_AUDITED.flatMap(({ names }) => names);
    expect(new Set(excepted).size).toBe(excepted.length);
    for (const name of excepted) expect([name, OPERATIONS[name].effect]).toEqual([name, expect.stringMatching(/^(?:once|idempotent)$/)]);
    for (const name of NAMES)
      expect([name, isAudited(name)]).toEqual([name, OPERATIONS[name].effect !== 'read' && !excepted.includes(name)]);
  });

  it('are those by which anybody decides what agents may do', () => {
    for (const name of ['token.create', 'workspace.update', 'policy.reload', 'approval.approve', 'grant.narrow', 'daemon.stop'] as const)
      expect([name, isAudited(name)]).toEqual([name, true]);
  });
});

describe('auditOperation', () => {
  it('records who did what with which parameters, without secrets, and what it was done to', async () => {
    const journal = new TestJournal();
    const member = callOf({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' }, 'alice');
    const params = { label: 'ci', password: 'hunter2-hunter2' };
    const made = { token: 'wrn_secret', token_id: 'token_1' };
    const agentOf = () => Promise.reject(new Error('Not asked for'));
    expect(await auditOperation(journal, 'token.create', params, member, async () => made, agentOf)).toBe(made);
    expect(journal.recorded).toEqual([
      {
        entry: {
          workspace: 'default',
          actor: { kind: 'member', name: 'alice' },
          action: 'token.create',
          input: { label: 'ci', password: expect.not.stringContaining('hunter2') },
        },
        details: { result: { token_id: 'token_1' } },
      },
    ]);
  });

  it('records a process by its number and its agent, and whoever has no name by what it is', async () => {
    const journal = new TestJournal();
    const ofAgent = callOf({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid: 7 }, 'token_7');
    await auditOperation(
      journal,
      'kernel.agent.create',
      {},
      ofAgent,
      async () => ({ pid: 8 }),
      async (pid) => `agent-${pid}`,
    );
    await auditOperation(
      journal,
      'policy.reload',
      {},
      callOf({ kind: 'operator' }),
      async () => ({}),
      async () => '',
    );
    expect(journal.recorded.map(({ entry }) => entry.actor)).toEqual([
      { kind: 'process', pid: 7, agent: 'agent-7' },
      { kind: 'operator', name: 'operator' },
    ]);
  });

  it('leaves arguments that people edited to the entry of their answer', async () => {
    const journal = new TestJournal();
    const params = { approval_id: 'approval_1', input: { content: 'private' }, note: 'fine' };
    await auditOperation(
      journal,
      'approval.approve',
      params,
      callOf({ kind: 'operator' }),
      async () => ({}),
      async () => '',
    );
    expect(journal.recorded[0]?.entry.input).toEqual({ approval_id: 'approval_1', note: 'fine' });
  });
});
