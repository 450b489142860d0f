/** What only the rows themselves show. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../internal/clock.ts';
import type { Transaction } from '../store.ts';
import type { NewMessage } from '../tables/mail-table.ts';
import { openSqliteStore, STORE_FILE } from './sqlite-store.ts';

const LARGE = JSON.stringify({ text: 'x'.repeat(5_000) });
const letter: NewMessage = { sender: 9, kind: 'k', text: LARGE, priority: 0, visibleAt: 0, expiresAt: undefined, correlationId: undefined };

type Left = AsyncDisposable & { ask(sql: string): unknown };

/** Runs `bodies` with three boxes, each in a transaction, to ask the file afterwards. */
async function leave(...bodies: readonly ((transaction: Transaction) => unknown)[]): Promise<Left> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-mail-'));
  const store = openSqliteStore({ directory, clock: createClock() });
  await store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: DEFAULT_WORKSPACE, createdAt: now, settings: {} }));
  const mine = store.workspace(DEFAULT_WORKSPACE);
  await mine.write(({ mail }) => {
    for (const pid of [1, 2, 3]) {
      mail.insertBox({ pid, capacity: 10, senderCapacity: 10, retentionMs: 1_000, deliveriesMax: 3, senders: 'anyone' });
    }
  });
  for (const body of bodies) await mine.write(body);
  await store.close();
  const database = new DatabaseSync(join(directory, STORE_FILE));
  database.exec('PRAGMA foreign_keys = ON');
  return {
    ask: (sql) => ({ ...database.prepare(sql).get() }),
    async [Symbol.asyncDispose]() {
      database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describe('bodies that are kept once', () => {
  it('go with the last message that uses them, whichever way it goes', async () => {
    await using left = await leave(
      ({ mail }) => mail.insertCopies([1, 2, 3], 'a', letter),
      ({ mail }) => mail.insert(1, letter),
      ({ mail }) => mail.remove(1, [1, 4]),
      ({ mail }) => mail.deleteBox(2),
    );
    expect(left.ask('SELECT id, uses, topic, kind FROM message_bodies')).toEqual({ id: 1, uses: 1, topic: 'a', kind: 'k' });
    await using gone = await leave(
      ({ mail }) => mail.insertCopies([1, 2], 'a', letter),
      ({ mail }) => mail.remove(1, [1]),
      ({ mail }) => mail.bury(2, mail.after(2, 0, 1), 0),
    );
    expect(gone.ask('SELECT count(*) AS count FROM message_bodies')).toEqual({ count: 0 });
  });

  it('are not made for what is small and goes to one box', async () => {
    await using left = await leave(({ mail }) => mail.insert(1, { ...letter, text: '{}' }));
    expect(left.ask('SELECT count(*) AS count FROM message_bodies')).toEqual({ count: 0 });
  });
});

describe('a workspace that is deleted', () => {
  it('leaves no row of mail behind', async () => {
    await using left = await leave(({ mail }) => {
      mail.subscribe(1, 'a', { isPattern: false });
      mail.insertCopies([1, 2, 3], 'a', letter);
      mail.keepKey(1, undefined, 'key', { messageId: 1, until: 5 }, 10);
      mail.insertRequest({ pid: 1, correlationId: 'c', recipient: 2, messageId: 1, until: 5 });
    });
    left.ask('DELETE FROM workspaces');
    for (const table of ['boxes', 'messages', 'message_bodies', 'message_keys', 'message_requests', 'subscriptions']) {
      expect([table, left.ask(`SELECT count(*) AS count FROM ${table}`)]).toEqual([table, { count: 0 }]);
    }
  });
});
