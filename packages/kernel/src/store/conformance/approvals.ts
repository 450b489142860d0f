import { describe, expect, it } from 'vitest';
import type { AllowRuleRow, ApprovalRow } from '../tables/approval-table.ts';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_OBJECT, HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

const approval = (id: string, more: Partial<ApprovalRow> = {}): ApprovalRow => ({
  id,
  state: 'pending',
  callId: `call of ${id}`,
  pid: 1,
  agent: 'alice',
  capability: 'process.run',
  callHash: 'hash',
  input: {},
  rule: undefined,
  reasoning: undefined,
  terms: {},
  createdAt: 5,
  expiresAt: 100,
  escalateAt: undefined,
  escalatedAt: undefined,
  decidedAt: undefined,
  reason: undefined,
  editedInput: undefined,
  votes: [],
  ...more,
});
const decided = (state: ApprovalRow['state'], decidedAt: number): Partial<ApprovalRow> => ({ state, decidedAt });
const rule = (id: string, more: Partial<AllowRuleRow> = {}): AllowRuleRow => ({
  id,
  agent: 'alice',
  capability: 'process.run',
  when: undefined,
  createdAt: 5,
  createdBy: 'olga',
  approvalId: undefined,
  expiresAt: 100,
  revokedAt: undefined,
  revokedBy: undefined,
  ...more,
});
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id).join('');

export function testApprovals(name: string, open: OpenStore): void {
  describe(`approvals of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart, whatever is in them', async () => {
      await using on = await openTwo(open);
      const rows = HOSTILE_TEXT.map((text, index) =>
        approval(`a${index}`, {
          agent: text,
          reasoning: text,
          reason: text,
          input: HOSTILE_OBJECT,
          rule: HOSTILE_OBJECT,
          editedInput: HOSTILE_OBJECT,
          votes: [{ approver: text, at: 1, note: undefined }, { approver: 'b', at: 2, note: text }], // biome-ignore format: one line
        }),
      );
      await on.mine.write(({ approvals }) => rows.map((row) => approvals.insert(row)));
      await on.under.reopen();
      expect(await on.mine.read(({ approvals }) => rows.map(({ id }) => approvals.find(id)))).toEqual(rows);
      expect(await on.mine.read(({ approvals }) => HOSTILE_TEXT.map((agent) => ids(approvals.list({ agent }, 9))))).toEqual(
        rows.map(({ id }) => id),
      );
    });

    it('are those of their workspace alone', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ approvals }) => {
        approvals.insert(approval('a'));
        approvals.insertRule(rule('r'));
      });
      const seen = await on.other.write(({ approvals }) => [
        ...[
          approvals.find('a'),
          approvals.list({}, 9),
          approvals.list({ pid: 1 }, 9, 'a'),
          approvals.countPending(),
          approvals.due(999, 9),
        ],
        ...[
          approvals.nextDue(),
          approvals.findRule('r'),
          approvals.rulesInForce(1),
          approvals.rulesInForce(1, 'alice'),
          approvals.rules(9),
        ],
        ...[approvals.purgeDecided(999, 9), approvals.purgeRules(999, 9)],
      ]);
      expect(seen).toEqual([undefined, [], [], 0, [], undefined, undefined, [], [], [], 0, 0]);
      await expect(on.other.write(({ approvals }) => approvals.update('a', { reason: 'x' }))).rejects.toThrow();
      await expect(on.other.write(({ approvals }) => approvals.revokeRule('r', 1, 'eve'))).rejects.toThrow();
    });

    it('have an id that none has, and are decided exactly when they are not pending', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ approvals }) => approvals.insert(approval('a')));
      await expect(on.mine.write(({ approvals }) => approvals.insert(approval('a')))).rejects.toThrow();
      await expect(on.mine.write(({ approvals }) => approvals.update('a', { state: 'approved' }))).rejects.toThrow();
      await expect(on.mine.write(({ approvals }) => approvals.update('a', { decidedAt: 9 }))).rejects.toThrow();
      await on.mine.write(({ approvals }) =>
        approvals.update('a', { ...decided('approved', 9), votes: [{ approver: 'o', at: 9, note: undefined }] }),
      );
      expect(await on.mine.read(({ approvals }) => approvals.find('a'))).toEqual(
        approval('a', { ...decided('approved', 9), votes: [{ approver: 'o', at: 9, note: undefined }] }),
      );
    });

    it('are listed newest first, in pages, by whatever is asked, together', async () => {
      await using on = await openTwo(open);
      const list = await on.mine.write(({ approvals }) => {
        approvals.insert(approval('a', { createdAt: 1 }));
        for (const id of ['d', 'c', 'b']) approvals.insert(approval(id, { createdAt: 2, agent: 'bob' }));
        approvals.insert(approval('e', { createdAt: 3, pid: 2, ...decided('rejected', 4) }));
        approvals.insert(approval('f', { createdAt: 4, pid: 2, agent: 'bob', ...decided('approved', 5) }));
        return [
          approvals.list({}, 9),
          approvals.list({}, 3),
          approvals.list({}, 3, 'd'),
          approvals.list({}, 9, 'gone'),
          approvals.list({ state: 'pending' }, 9),
          approvals.list({ state: 'pending', agent: 'bob' }, 1, 'd'),
          approvals.list({ state: 'rejected' }, 9),
          approvals.list({ pid: 2 }, 9),
          approvals.list({ pid: 2, state: 'approved' }, 9),
          approvals.list({ pid: 2, agent: 'alice' }, 9),
          approvals.list({ agent: 'bob' }, 9),
          approvals.list({ agent: 'bob', state: 'approved' }, 9),
          approvals.list({ agent: 'bob', state: 'approved', pid: 1 }, 9),
        ].map(ids);
      });
      expect(list).toEqual(['fedcba', 'fed', 'cba', '', 'dcba', 'c', 'e', 'fe', 'f', 'e', 'fdcb', 'f', '']);
      expect(await on.mine.read(({ approvals }) => [approvals.countPending(), approvals.countPending(1), approvals.countPending(2), approvals.countPendingOfAgent('nobody')])).toEqual([4, 4, 0, 0]); // biome-ignore format: one line
    });

    it('are due when they are to be escalated, then when they expire, and not when they are decided', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ approvals }) => {
        const steps: unknown[] = [approvals.nextDue()];
        approvals.insert(approval('a', { expiresAt: 50 }));
        approvals.insert(approval('b', { expiresAt: 60, escalateAt: 20 }));
        approvals.insert(approval('c', { expiresAt: 10, ...decided('approved', 5) }));
        steps.push(
          approvals.nextDue(),
          ids(approvals.due(19, 9)),
          ids(approvals.due(20, 9)),
          ids(approvals.due(99, 9)),
          ids(approvals.due(99, 1)),
        );
        approvals.update('b', { escalateAt: undefined, escalatedAt: 20 });
        steps.push(approvals.nextDue(), ids(approvals.due(59, 9)), ids(approvals.due(60, 9)));
        approvals.update('a', decided('expired', 60));
        steps.push(approvals.nextDue());
        return steps;
      });
      expect(seen).toEqual([undefined, 20, '', 'b', 'ba', 'b', 50, 'a', 'ab', 60]);
    });

    it('are deleted when they were decided long ago, the oldest first, and never while they are pending', async () => {
      await using on = await openTwo(open);
      const left = await on.mine.write(({ approvals }) => {
        approvals.insert(approval('a', { createdAt: 0, expiresAt: 0 }));
        for (const [index, state] of (['cancelled', 'expired', 'rejected'] as const).entries())
          approvals.insert(approval('bcd'.charAt(index), { createdAt: 9 - index, ...decided(state, index) }));
        const left = () => ids(approvals.list({}, 9));
        return [approvals.purgeDecided(2, 1), left(), approvals.purgeDecided(2, 9), left(), approvals.purgeDecided(99, 9), left()];
      });
      expect(left).toEqual([1, 'cda', 1, 'da', 1, 'a']);
    });
  });

  describe(`rules of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart', async () => {
      await using on = await openTwo(open);
      const rows = HOSTILE_TEXT.map((text, index) =>
        rule(`r${index}`, { agent: text, createdBy: text, when: HOSTILE_OBJECT, approvalId: text }),
      );
      await on.mine.write(({ approvals }) => rows.map((row) => approvals.insertRule(row)));
      await on.under.reopen();
      expect(await on.mine.read(({ approvals }) => rows.map(({ id }) => approvals.findRule(id)))).toEqual(rows);
      expect(await on.mine.read(({ approvals }) => rows.map(({ agent }) => approvals.rulesInForce(9, agent)))).toEqual(rows.map((row) => [row])); // biome-ignore format: one line
    });

    it('are in force until they expire or are revoked, once', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ approvals }) => {
        for (const [index, id] of ['a', 'b', 'c'].entries())
          approvals.insertRule(rule(id, { createdAt: index, expiresAt: 10 * (index + 1) }));
        approvals.insertRule(rule('d', { agent: 'bob' }));
        approvals.revokeRule('c', 8, 'olga');
        return [
          ids(approvals.rulesInForce(7)),
          ids(approvals.rulesInForce(8)),
          ids(approvals.rulesInForce(9, 'alice')),
          ids(approvals.rulesInForce(10, 'alice')),
          ids(approvals.rulesInForce(20, 'alice')),
          ids(approvals.rulesInForce(9, 'nobody')),
          ids(approvals.rules(9)),
          ids(approvals.rules(1)),
          ids(approvals.rules(9, 'c')),
          ids(approvals.rules(9, 'gone')),
        ];
      });
      expect(seen).toEqual(['dcba', 'dba', 'ba', 'b', '', '', 'dcba', 'd', 'ba', '']);
      expect(await on.mine.read(({ approvals }) => approvals.findRule('c'))).toMatchObject({ revokedAt: 8, revokedBy: 'olga' });
      await expect(on.mine.write(({ approvals }) => approvals.revokeRule('c', 9, 'olga'))).rejects.toThrow();
    });

    it('are deleted when they ended long ago', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ approvals }) => {
        for (const [index, id] of ['a', 'b', 'c'].entries())
          approvals.insertRule(rule(id, { createdAt: index, expiresAt: 10 * (index + 1) }));
        approvals.revokeRule('c', 8, 'olga');
        return [approvals.purgeRules(11, 1), ids(approvals.rules(9)), approvals.purgeRules(11, 9), ids(approvals.rules(9))];
      });
      expect(seen).toEqual([1, 'ba', 1, 'b']);
    });
  });
}
