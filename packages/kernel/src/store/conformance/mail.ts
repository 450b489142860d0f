import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { ReadTransaction, Transaction } from '../store.ts';
import type { BoxRow, MessageRow, NewBox, NewMessage } from '../tables/mail-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.
const NOW = 1_800_000_000_000;
const ROOM = { bytes: 10, bytesMax: 1_000, deliveredFactor: 4, isCounted: true };

const boxOf = (pid: number, changes: Partial<NewBox> = {}): NewBox => ({
  ...{ pid, capacity: 10, senderCapacity: 10, retentionMs: 1_000, deliveriesMax: 3, senders: 'anyone' },
  ...changes,
});

const message = (changes: Partial<NewMessage> = {}): NewMessage => ({
  ...{ sender: 9, kind: 'k', text: '{"n":1}', priority: 0, visibleAt: 0, expiresAt: undefined, correlationId: undefined },
  ...changes,
});

/** A clock that stands until it is moved. */
function standing() {
  let now = NOW;
  return {
    now: () => now,
    move: (ms: number) => {
      now += ms;
    },
  };
}

function requireBox({ mail }: ReadTransaction, pid: number): BoxRow {
  const box = mail.findBox(pid);
  if (box === undefined) throw new Error(`No box ${pid}`);
  return box;
}

function look(transaction: ReadTransaction, pid: number, options: { limit?: number; topic?: string } = {}): readonly number[] {
  return ids(transaction.mail.visible(requireBox(transaction, pid), { limit: 100, ...options }).messages);
}

/** Hands out as many as there are, up to a limit. */
function handOut(transaction: Transaction, pid: number, hiddenUntil: number | undefined, limit = 100, topic?: string): readonly number[] {
  const box = requireBox(transaction, pid);
  const visible = transaction.mail.visible(box, { limit, topic });
  transaction.mail.deliver(box, visible, { hiddenUntil, keptUntil: transaction.now + box.retentionMs });
  return ids(visible.messages);
}

function ids(messages: readonly MessageRow[]): readonly number[] {
  return messages.map(({ id }) => id);
}

function counts(transaction: ReadTransaction, pid: number): readonly number[] {
  const { pending, delivered, bytes } = requireBox(transaction, pid);
  return [pending, delivered, bytes];
}

export function testMail(name: string, open: OpenStore): void {
  describe(`boxes of the store on ${name}`, () => {
    it('are found as they were made, also after a restart', async () => {
      await using under = await open({ clock: standing() });
      const [plain, family, some] = [boxOf(1), boxOf(2, { senders: 'family' }), boxOf(3, { senders: [4, 5] })];
      await under.store.workspace(MINE).write(({ mail }) => [plain, family, some].map((box) => mail.insertBox(box)));
      await under.reopen();
      const found = await under.store.workspace(MINE).read(({ mail }) => [1, 2, 3, 4].map((pid) => mail.findBox(pid)));
      const fresh = { pending: 0, delivered: 0, bytes: 0, createdAt: NOW, waitingFrom: 0, dueAt: undefined };
      expect(found).toEqual([{ ...plain, ...fresh }, { ...family, ...fresh }, { ...some, ...fresh }, undefined]);
    });

    it('are one for each process, and each workspace has its own', async () => {
      await using under = await open();
      await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
      const mine = under.store.workspace(MINE);
      await mine.write(({ mail }) => mail.insertBox(boxOf(1)));
      await expect(mine.write(({ mail }) => mail.insertBox(boxOf(1)))).rejects.toThrow();
      await mine.write(({ mail }) => mail.insert(1, message()));
      const other = under.store.workspace(OTHER);
      expect(await other.read(({ mail }) => [mail.findBox(1), mail.totals()])).toEqual([undefined, { boxes: 0, pending: 0 }]);
      await other.write(({ mail }) => mail.insertBox(boxOf(1)));
      expect(await other.write(({ mail }) => mail.insert(1, message()))).toBe(1);
      expect(await mine.read(({ mail }) => mail.totals())).toEqual({ boxes: 1, pending: 1 });
    });

    it('are open while they have room and take mail of anyone', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        const { mail } = transaction;
        mail.insertBox(boxOf(1, { capacity: 2, senderCapacity: 2 }));
        mail.insertBox(boxOf(2, { senders: 'family' }));
        mail.insertBox(boxOf(3, { senderCapacity: 1 }));
        expect([1, 2, 3, 4].map((pid) => mail.isOpen(pid, ROOM))).toEqual([true, false, true, false]);
        expect(mail.isOpen(1, { ...ROOM, bytes: 1_001 })).toBe(false);
        for (const pid of [1, 3]) mail.insert(pid, message());
        expect([1, 3].map((pid) => mail.isOpen(pid, ROOM))).toEqual([true, false]);
        expect(mail.isOpen(3, { ...ROOM, isCounted: false })).toBe(true);
        mail.insert(1, message());
        expect(mail.isOpen(1, ROOM)).toBe(false);
        handOut(transaction, 1, NOW * 2);
        expect([mail.isOpen(1, ROOM), mail.isOpen(1, { ...ROOM, deliveredFactor: 1 })]).toEqual([true, false]);
      });
    });

    it('take everything with them when they are deleted, and no message id is given again', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const removed = await mine.write(({ mail }) => {
        mail.insertBox(boxOf(1));
        mail.subscribe(1, 'a', { isPattern: false });
        for (let index = 0; index < 3; index++) mail.insert(1, message({ correlationId: 'c' }));
        mail.keepKey(1, 9, 'key', { messageId: 3, until: NOW * 2 }, 10);
        mail.insertRequest({ pid: 1, correlationId: 'c', recipient: 2, messageId: 3, until: NOW * 2 });
        return mail.deleteBox(1);
      });
      expect(removed).toBe(3);
      await under.reopen();
      await under.store.workspace(MINE).write(({ mail }) => {
        expect([mail.findBox(1), mail.topicsOf(1), mail.findRequest(1, 'c'), mail.totals().boxes]).toEqual([undefined, [], undefined, 0]);
        mail.insertBox(boxOf(1));
        expect([mail.findKey(1, 9, 'key'), mail.findAnswer(1, { correlationId: 'c', sender: 9, after: 0 })]).toEqual([
          undefined,
          undefined,
        ]);
        expect(mail.insert(1, message())).toBe(4);
      });
    });
  });

  describe(`messages of the store on ${name}`, () => {
    it('are read as they were written, small and large, direct and published', async () => {
      await using under = await open({ clock: standing() });
      const large = JSON.stringify({ text: 'é'.repeat(10_000) });
      await under.store.workspace(MINE).write(({ mail }) => {
        mail.insertBox(boxOf(1));
        mail.insertBox(boxOf(2));
        mail.insert(1, message({ sender: undefined, priority: -5, expiresAt: NOW + 5, correlationId: 'c' }));
        mail.insert(1, message({ text: large }));
        mail.insertCopies([1, 2], 'some.topic', message({ text: '{"__proto__":{"a":1}}' }));
      });
      await under.reopen();
      const all = await under.store.workspace(MINE).read(({ mail }) => [...mail.after(1, 0, 10), ...mail.after(2, 0, 10)]);
      const common = { sender: 9, recipient: 1, topic: undefined, kind: 'k', priority: 0, postedAt: NOW, deliveredAt: undefined };
      const rest = { ...common, deliveries: 0, expiresAt: undefined, correlationId: undefined };
      const published = { ...rest, topic: 'some.topic', payload: JSON.parse('{"__proto__":{"a":1}}') };
      expect(all).toEqual([
        { ...rest, id: 1, sender: undefined, payload: { n: 1 }, priority: -5, expiresAt: NOW + 5, correlationId: 'c' },
        { ...rest, id: 2, payload: JSON.parse(large) },
        { ...published, id: 3 },
        { ...published, id: 4, recipient: 2 },
      ]);
    });

    it('are visible by priority and then by age, also when some were hidden', async () => {
      const clock = standing();
      await using under = await open({ clock });
      const mine = under.store.workspace(MINE);
      await mine.write((transaction) => {
        transaction.mail.insertBox(boxOf(1));
        for (const priority of [0, 5, -1, 0, 5]) transaction.mail.insert(1, message({ priority }));
        expect(look(transaction, 1)).toEqual([2, 5, 1, 4, 3]);
        expect(look(transaction, 1, { limit: 3 })).toEqual([2, 5, 1]);
        expect(handOut(transaction, 1, NOW + 10, 3)).toEqual([2, 5, 1]);
        expect(look(transaction, 1)).toEqual([4, 3]);
        expect(transaction.mail.nextVisibleAt(1)).toBe(NOW + 10);
      });
      clock.move(10);
      await mine.read((transaction) => {
        expect(look(transaction, 1)).toEqual([2, 5, 1, 4, 3]);
        expect(transaction.mail.nextVisibleAt(1)).toBeUndefined();
      });
    });

    it('are found by the topic they were published to, and the others stay where they are', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        transaction.mail.insertBox(boxOf(1));
        for (const topic of ['a', 'b', 'a']) transaction.mail.insertCopies([1], topic, message());
        transaction.mail.insert(1, message());
        expect(handOut(transaction, 1, NOW * 2, 10, 'a')).toEqual([1, 3]);
        expect(look(transaction, 1, { topic: 'a' })).toEqual([]);
        expect(handOut(transaction, 1, NOW * 2, 1)).toEqual([2]);
        expect(look(transaction, 1)).toEqual([4]);
      });
    });

    it('are not found once they are expired, and found again by nobody', async () => {
      const clock = standing();
      await using under = await open({ clock });
      const mine = under.store.workspace(MINE);
      await mine.write(({ mail }) => {
        mail.insertBox(boxOf(1));
        mail.insert(1, message({ expiresAt: NOW + 1, correlationId: 'c' }));
      });
      clock.move(1);
      await mine.read((transaction) => {
        expect(look(transaction, 1)).toEqual([]);
        expect([transaction.mail.after(1, 0, 10), transaction.mail.findAnswer(1, { correlationId: 'c', sender: 9, after: 0 })]).toEqual([
          [],
          undefined,
        ]);
        expect(counts(transaction, 1)).toEqual([1, 0, 7]);
      });
    });

    it('keep the counts of their box true, whatever happens to them', async () => {
      const clock = standing();
      await using under = await open({ clock });
      await under.store.workspace(MINE).write((transaction) => {
        const { mail } = transaction;
        mail.insertBox(boxOf(1));
        for (let index = 0; index < 6; index++) mail.insert(1, message());
        expect(counts(transaction, 1)).toEqual([6, 0, 42]);
        handOut(transaction, 1, NOW + 10, 3);
        expect(counts(transaction, 1)).toEqual([3, 3, 42]);
        mail.deliver(
          requireBox(transaction, 1),
          { messages: mail.after(1, 0, 1), waitingFrom: 4 },
          { hiddenUntil: NOW + 20, keptUntil: NOW },
        );
        expect(counts(transaction, 1)).toEqual([3, 3, 42]);
        expect(mail.giveBack(1, [1, 2, 3, 4], NOW + 10)).toEqual([2, 3]);
        expect(look(transaction, 1)).toEqual([2, 3, 4, 5, 6]);
        expect(mail.remove(1, [2, 4, 4, 99])).toEqual({ ids: [2, 4], pending: 1, delivered: 1, dead: 0 });
        expect(counts(transaction, 1)).toEqual([2, 2, 28]);
        mail.bury(1, mail.after(1, 0, 1), 10);
        expect(counts(transaction, 1)).toEqual([2, 1, 21]);
        expect([ids(mail.dead(1, 0, 10)), ids(mail.after(1, 0, 10))]).toEqual([[1], [3, 5, 6]]);
        expect(mail.remove(1, [1])).toEqual({ ids: [1], pending: 0, delivered: 0, dead: 1 });
        expect(counts(transaction, 1)).toEqual([2, 1, 21]);
        expect(mail.deleteBox(1)).toBe(3);
      });
    });

    it('stay visible when they are handed out without hiding them, and make room from the oldest', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        transaction.mail.insertBox(boxOf(1));
        for (let index = 0; index < 4; index++) transaction.mail.insert(1, message());
        handOut(transaction, 1, undefined, 3);
        expect([look(transaction, 1), counts(transaction, 1)]).toEqual([[1, 2, 3, 4], [1, 3, 28]]); // biome-ignore format: one line
        expect(transaction.mail.removeShown(1, 2)).toEqual({ ids: [1, 2], pending: 0, delivered: 2, dead: 0 });
        expect(look(transaction, 1)).toEqual([3, 4]);
      });
    });

    it('keep as dead letters the newest only', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        transaction.mail.insertBox(boxOf(1));
        for (let index = 0; index < 5; index++) transaction.mail.insert(1, message());
        transaction.mail.bury(1, transaction.mail.after(1, 0, 5), 2);
        expect(ids(transaction.mail.dead(1, 0, 10))).toEqual([4, 5]);
        expect(counts(transaction, 1)).toEqual([0, 0, 0]);
      });
    });

    it('are counted by sender, before and after that was made quick', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        const { mail } = transaction;
        mail.insertBox(boxOf(1));
        const count = () => [7, 8].map((sender) => mail.countFrom(1, sender, 10));
        for (const sender of [7, 8, 7]) mail.insert(1, message({ sender }));
        expect(count()).toEqual([2, 1]);
        mail.countSenders(1);
        mail.insert(1, message({ sender: 7 }));
        expect([count(), mail.countFrom(1, 7, 2)]).toEqual([[3, 1], 2]);
        mail.countSenders(1);
        handOut(transaction, 1, NOW * 2, 2);
        expect(count()).toEqual([2, 0]);
        mail.remove(1, [4]);
        expect(count()).toEqual([1, 0]);
      });
    });

    it('are found as answers by sender and correlation id, the oldest after the question', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write(({ mail }) => {
        mail.insertBox(boxOf(1));
        for (const sender of [9, 8, 9]) mail.insert(1, message({ correlationId: 'c', sender }));
        const found = (sender: number, after: number, correlationId = 'c') => mail.findAnswer(1, { correlationId, sender, after })?.id;
        expect([found(9, 0), found(9, 1), found(8, 0), found(9, 3), found(9, 0, 'd')]).toEqual([1, 3, 2, undefined, undefined]);
      });
    });

    it('are removed when their time has passed, in steps, and the box knows what is due next', async () => {
      await using under = await open({ clock: standing() });
      await under.store.workspace(MINE).write((transaction) => {
        const { mail } = transaction;
        mail.insertBox(boxOf(1));
        mail.insertBox(boxOf(2));
        for (const expiresAt of [NOW + 50, NOW + 10, NOW + 20, undefined]) mail.insert(1, message({ expiresAt }));
        expect([mail.nextDueAt(), mail.dueBoxes(NOW + 9, 10), mail.dueBoxes(NOW + 10, 10).map(({ pid }) => pid)]).toEqual([NOW + 10, [], [1]]); // biome-ignore format: one line
        const sweep = (at: number, limit: number) => mail.removeDue(requireBox(transaction, 1), at, limit).ids;
        expect(sweep(NOW + 20, 1)).toEqual([2]);
        expect(mail.nextDueAt()).toBe(NOW + 10);
        expect(sweep(NOW + 20, 10)).toEqual([3]);
        expect(mail.nextDueAt()).toBe(NOW + 50);
        handOut(transaction, 1, NOW + 5_000, 1);
        expect(sweep(NOW + 1_000, 10)).toEqual([1]);
        expect(mail.nextDueAt()).toBeUndefined();
        handOut(transaction, 1, NOW + 5_000, 1);
        expect([mail.nextDueAt(), sweep(NOW + 4_999, 10), sweep(NOW + 5_000, 10)]).toEqual([NOW + 5_000, [], [4]]);
        expect([counts(transaction, 1), mail.nextDueAt()]).toEqual([[0, 0, 0], undefined]);
      });
    });
  });

  describe(`subscriptions of the store on ${name}`, () => {
    it('are listed, once each, and say who gets a message', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        const { mail } = transaction;
        for (const pid of [3, 1, 2]) mail.insertBox(boxOf(pid, { senderCapacity: 1 }));
        expect([mail.subscribe(1, 'b', { isPattern: false }), mail.subscribe(1, 'b', { isPattern: false })]).toEqual([true, false]);
        for (const [pid, topic] of [[1, 'a'], [3, 'a'], [2, 'a.é']] as const) mail.subscribe(pid, topic, { isPattern: false }); // biome-ignore format: a table
        expect([mail.topicsOf(1), mail.topicsOf(9), mail.hasPatterns()]).toEqual([['a', 'b'], [], false]);
        const subscribers = (topics: readonly string[], limit = 10) => mail.subscribers(topics, limit, ROOM);
        expect(subscribers(['a', 'b'])).toEqual({ open: [1, 3], others: [] });
        expect([subscribers(['a.é', 'a'], 2), subscribers(['A'])]).toEqual([{ open: [1, 2], others: [] }, { open: [], others: [] }]); // biome-ignore format: one line
        mail.insert(1, message());
        expect(subscribers(['a'])).toEqual({ open: [3], others: [1] });
        mail.subscribe(3, 'x.*', { isPattern: true });
        expect(mail.hasPatterns()).toBe(true);
        expect([mail.unsubscribe(3, 'x.*'), mail.unsubscribe(3, 'x.*'), mail.hasPatterns()]).toEqual([true, false, false]);
      });
    });

    it('bring copies whose ids follow the order of the recipients', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        for (const pid of [1, 2, 3]) transaction.mail.insertBox(boxOf(pid));
        expect(transaction.mail.insertCopies([3, 1], 'a', message())).toBe(1);
        expect(transaction.mail.insert(2, message())).toBe(3);
        expect([1, 2, 3].map((pid) => look(transaction, pid))).toEqual([[2], [3], [1]]);
        expect(counts(transaction, 1)).toEqual([1, 0, 7]);
      });
    });
  });

  describe(`keys and requests of the store on ${name}`, () => {
    it('are each for their box, sender and time, the newest keys only', async () => {
      const clock = standing();
      await using under = await open({ clock });
      const mine = under.store.workspace(MINE);
      await mine.write(({ mail }) => {
        mail.insertBox(boxOf(1));
        mail.insertBox(boxOf(2));
        const keep = (sender: number | undefined, key: string, messageId: number) =>
          mail.keepKey(1, sender, key, { messageId, until: NOW + messageId }, 3);
        for (const [index, sender] of [undefined, 7, 8].entries()) keep(sender, 'a', index + 1);
        expect([undefined, 7, 8, 9].map((sender) => mail.findKey(1, sender, 'a'))).toEqual([1, 2, 3, undefined]);
        expect([mail.findKey(1, 7, 'A'), mail.findKey(2, 7, 'a')]).toEqual([undefined, undefined]);
        keep(8, 'a', 4);
        keep(8, 'b', 5);
        expect([mail.findKey(1, undefined, 'a'), mail.findKey(1, 7, 'a'), mail.findKey(1, 8, 'a')]).toEqual([undefined, 2, 4]);
        expect(mail.nextDueAt()).toBe(NOW + 1);
      });
      clock.move(4);
      await mine.write((transaction) => {
        const { mail } = transaction;
        expect([mail.findKey(1, 8, 'a'), mail.findKey(1, 8, 'b')]).toEqual([undefined, 5]);
        mail.removeDue(requireBox(transaction, 1), NOW + 4, 10);
        expect(mail.nextDueAt()).toBe(NOW + 5);
      });
    });

    it('are found until their time has passed', async () => {
      const clock = standing();
      await using under = await open({ clock });
      const mine = under.store.workspace(MINE);
      const request = { pid: 1, correlationId: 'c', recipient: 2, messageId: 3, until: NOW + 5 };
      await mine.write(({ mail }) => {
        mail.insertBox(boxOf(1));
        mail.insertRequest(request);
        mail.insertRequest({ ...request, correlationId: 'd' });
        expect([mail.findRequest(1, 'c'), mail.countRequests(1, 10), mail.countRequests(1, 1)]).toEqual([request, 2, 1]);
        expect([mail.deleteRequest(1, 'd'), mail.deleteRequest(1, 'd'), mail.nextDueAt()]).toEqual([true, false, NOW + 5]);
      });
      clock.move(5);
      await mine.write((transaction) => {
        expect(transaction.mail.findRequest(1, 'c')).toBeUndefined();
        transaction.mail.removeDue(requireBox(transaction, 1), NOW + 5, 10);
        expect([transaction.mail.countRequests(1, 10), transaction.mail.nextDueAt()]).toEqual([0, undefined]);
      });
    });
  });
}
