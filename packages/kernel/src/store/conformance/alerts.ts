import { describe, expect, it } from 'vitest';
import type { AlertRow } from '../tables/alert-table.ts';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_OBJECT, HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

const alert = (id: string, more: Partial<AlertRow> = {}): AlertRow => ({
  id,
  agent: 'alice',
  pid: undefined,
  message: 'm',
  severity: 'info',
  context: {},
  createdAt: 5,
  acknowledgedAt: undefined,
  acknowledgedBy: undefined,
  ...more,
});
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id).join('');

export function testAlerts(name: string, open: OpenStore): void {
  describe(`alerts of the store on ${name}`, () => {
    it('are found as they were inserted, also after a restart, whatever is in them', async () => {
      await using on = await openTwo(open);
      const rows = HOSTILE_TEXT.map((text, index) =>
        alert(`a${index}`, { agent: text, message: text, context: HOSTILE_OBJECT, pid: index }),
      );
      await on.mine.write(({ alerts }) => rows.map((row) => alerts.insert(row)));
      await on.under.reopen();
      expect(await on.mine.read(({ alerts }) => rows.map(({ id }) => alerts.find(id)))).toEqual(rows);
      expect(await on.mine.read(({ alerts }) => rows.map(({ agent }) => alerts.list({ agent }, 9)))).toEqual(rows.map((row) => [row]));
    });

    it('are those of their workspace alone', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ alerts }) => alerts.insert(alert('a')));
      const seen = await on.other.write(({ alerts }) => [
        alerts.find('a'),
        alerts.list({}, 9),
        alerts.countPending(),
        alerts.purgeAcknowledged(99, 9),
      ]);
      expect(seen).toEqual([undefined, [], 0, 0]);
      await expect(on.other.write(({ alerts }) => alerts.acknowledge('a', 1, 'eve'))).rejects.toThrow();
      await expect(on.mine.write(({ alerts }) => alerts.insert(alert('a')))).rejects.toThrow();
    });

    it('are listed newest first, in pages, by whatever is asked, together', async () => {
      await using on = await openTwo(open);
      const list = await on.mine.write(({ alerts }) => {
        alerts.insert(alert('a', { createdAt: 1 }));
        for (const id of ['d', 'c', 'b']) alerts.insert(alert(id, { createdAt: 2, agent: 'bob' }));
        alerts.acknowledge('c', 3, 'olga');
        alerts.insert(alert('e', { createdAt: 3, acknowledgedAt: 4, acknowledgedBy: 'olga' }));
        return [
          ...[alerts.list({}, 9), alerts.list({}, 2), alerts.list({}, 9, 'd'), alerts.list({}, 9, 'gone')],
          ...[alerts.list({ isAcknowledged: false }, 9), alerts.list({ isAcknowledged: true }, 9), alerts.list({ agent: 'bob' }, 9)],
          ...[alerts.list({ agent: 'bob', isAcknowledged: false }, 9, 'd'), alerts.list({ agent: 'bob', isAcknowledged: true }, 9)],
        ].map(ids);
      });
      expect(list).toEqual(['edcba', 'ed', 'cba', '', 'dba', 'ec', 'dcb', 'b', 'c']);
      expect(await on.mine.read(({ alerts }) => alerts.countPending())).toBe(3);
    });

    it('are acknowledged once, and then deleted some time, the oldest first', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ alerts }) => {
        for (const id of ['a', 'b', 'c']) alerts.insert(alert(id));
        alerts.acknowledge('b', 6, 'olga');
        alerts.acknowledge('a', 7, 'olga');
      });
      await expect(on.mine.write(({ alerts }) => alerts.acknowledge('a', 8, 'eve'))).rejects.toThrow();
      expect(await on.mine.read(({ alerts }) => alerts.find('a'))).toMatchObject({ acknowledgedAt: 7, acknowledgedBy: 'olga' });
      const left = await on.mine.write(({ alerts }) => {
        const left = () => ids(alerts.list({}, 9));
        return [alerts.purgeAcknowledged(6, 9), alerts.purgeAcknowledged(99, 1), left(), alerts.purgeAcknowledged(99, 9), left()];
      });
      expect(left).toEqual([0, 1, 'ca', 1, 'c']);
    });
  });
}
