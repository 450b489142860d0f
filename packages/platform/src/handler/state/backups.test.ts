/** Backups and reports: what they hold, who can read it, and that they put back what was there. */
import { describe, expect, it } from 'vitest';
import { HandlerHost } from '../test-support/handler-host.ts';
import { createBackupHandlers } from './create-backup-handlers.ts';
import { createReportHandlers } from './create-report-handlers.ts';
import { createStateHandlers } from './create-state-handlers.ts';

const KEY = new Uint8Array(32).fill(7);

async function open(keyOf: () => Promise<Uint8Array | undefined> = async () => KEY, backupsMax?: number): Promise<HandlerHost> {
  let ids = 0;
  const newId = () => `snapshot_${String(++ids).padStart(4, '0')}`;
  return await HandlerHost.open(({ now }) => ({
    ...createStateHandlers(),
    ...createBackupHandlers({ newId, keyOf, now, backupsMax }),
    ...createReportHandlers({
      ...{ now, newId, health: async () => 'healthy', callsOf: async () => [], offered: async () => [] },
      definition: () => undefined,
      rules: () => ({ rules: [], defaultTier: null }),
    }),
  }));
}

async function everyByte(host: HandlerHost): Promise<string> {
  const { files } = await host.mine().files.list();
  const bodies = await Promise.all(files.map(({ path }) => host.mine().files.read(path)));
  return bodies.map(({ content }) => Buffer.from(content).toString('latin1')).join('\n');
}

describe('a backup', () => {
  it('puts back what was there and deletes what was not', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    await host.call(ada, 'state.persistent.set', { key: 'kept', value: { a: [1] } });
    await host.call(ada, 'state.persistent.set', { key: 'short', value: 1, ttl_seconds: 100 });
    await host.call(bob, 'state.persistent.set', { key: 'b', value: 'b' });
    await host.call(bob, 'state.shared.set', { key: 's', value: 1, expected_version: 0, access: { read: ['bob'], write: ['bob'] } });
    const { backup_id: id, scope } = await host.call(ada, 'state.backup.create');
    expect(scope).toBe('full');
    await host.call(ada, 'state.persistent.set', { key: 'kept', value: 'changed' });
    await host.call(ada, 'state.persistent.set', { key: 'new', value: 1 });
    await host.call(bob, 'state.persistent.delete', { key: 'b' });
    await host.call(bob, 'state.shared.delete', { key: 's' });
    await host.call(ada, 'state.shared.set', { key: 't', value: 1, expected_version: 0 });
    await host.reopen();
    host.time += 60_000;
    expect(await host.call(ada, 'state.backup.restore', { backup_id: String(id), agent: 'ada' })).toEqual({
      ...{ restored: true, agents_restored: ['ada'], shared_state_restored: false },
    });
    expect(await host.call(ada, 'state.persistent.get', { key: 'kept' })).toMatchObject({ value: { a: [1] }, version: 3 });
    expect(await host.call(ada, 'state.persistent.get', { key: 'new' })).toMatchObject({ found: false });
    expect(await host.call(bob, 'state.persistent.get', { key: 'b' })).toMatchObject({ found: false });
    expect(await host.call(ada, 'state.backup.restore', { backup_id: String(id) })).toEqual({
      ...{ restored: true, agents_restored: ['ada', 'bob'], shared_state_restored: true },
    });
    expect(await host.call(bob, 'state.persistent.get', { key: 'b' })).toMatchObject({ value: 'b' });
    expect(await host.call(bob, 'state.shared.get', { key: 's' })).toMatchObject({ value: 1, owner_agent: 'bob' });
    expect(await host.call(ada, 'state.shared.get', { key: 's' })).toMatchObject({ found: false });
    expect(await host.call(bob, 'state.shared.get', { key: 't' })).toMatchObject({ found: false });
    host.time += 40_000;
    expect(await host.call(ada, 'state.persistent.get', { key: 'short' })).toMatchObject({ found: false });
  });

  it('says nothing to whoever can read its file', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    await host.call(bob, 'state.persistent.set', { key: 'secret-key', value: 'secret-value' });
    await host.call(ada, 'state.backup.create');
    expect(await everyByte(host)).not.toContain('secret');
    expect(await host.call(ada, 'state.backup.list')).toMatchObject({ total: 1, backups: [{ scope: 'full' }] });
  });

  it('that is damaged, cut off, of another name or made with another key changes nothing', async () => {
    let key = KEY;
    await using host = await open(async () => key);
    const ada = await host.start('ada');
    for (let n = 0; n < 20; n++) await host.call(ada, 'state.persistent.set', { key: `k${n}`, value: 'before' });
    const id = String((await host.call(ada, 'state.backup.create'))['backup_id']);
    await host.call(ada, 'state.persistent.set', { key: 'k0', value: 'after' });
    const { content } = await host.mine().files.read(`/blob/backups/${id}`);
    const body = Buffer.from(content);
    const flipped = Buffer.from(body);
    flipped.writeUInt8(flipped.readUInt8(body.length - 1) ^ 1, body.length - 1);
    const first = body.readUInt32BE();
    const second = body.readUInt32BE(first);
    const swapped = Buffer.concat([body.subarray(first, first + second), body.subarray(0, first), body.subarray(first + second)]);
    const dropped = Buffer.concat([body.subarray(0, first), body.subarray(first + second)]);
    const endless = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    const cut = [body.subarray(0, -1), body.subarray(0, first), body.subarray(0, first + second), Buffer.alloc(0)];
    const path = `/blob/backups/${id}`;
    await host.mine().files.setMode(path, 'rw');
    for (const bytes of [flipped, swapped, dropped, endless, ...cut]) {
      await host.mine().files.write(ada.pid, { path }, bytes);
      expect(await host.errorOf(ada, 'state.backup.restore', { backup_id: id })).toBe('DecryptionFailed');
    }
    await host.mine().files.write(ada.pid, { path: '/blob/backups/copy' }, body);
    expect(await host.errorOf(ada, 'state.backup.restore', { backup_id: 'copy' })).toBe('DecryptionFailed');
    await host.mine().files.write(ada.pid, { path }, body);
    key = new Uint8Array(32).fill(8);
    expect(await host.errorOf(ada, 'state.backup.restore', { backup_id: id })).toBe('DecryptionFailed');
    expect(await host.call(ada, 'state.persistent.get', { key: 'k0' })).toMatchObject({ value: 'after' });
    key = KEY;
    await host.call(ada, 'state.backup.restore', { backup_id: id });
    expect(await host.call(ada, 'state.persistent.get', { key: 'k0' })).toMatchObject({ value: 'before' });
  });

  it('is refused when there are as many as there may be, until one is deleted for good', async () => {
    await using host = await open(undefined, 2);
    const ada = await host.start('ada');
    const first = String((await host.call(ada, 'state.backup.create'))['backup_id']);
    await host.call(ada, 'state.backup.create');
    expect(await host.errorOf(ada, 'state.backup.create')).toBe('TooManyBackups');
    const freed = { deleted: true, backup_id: first, freed_bytes: expect.any(Number) };
    expect(await host.call(ada, 'state.backup.delete', { backup_id: first })).toEqual(freed);
    expect(await host.mine().files.history(`/blob/backups/${first}`)).toEqual([]);
    for (const gone of ['state.backup.delete', 'state.backup.restore'])
      expect(await host.errorOf(ada, gone, { backup_id: first })).toBe('BackupNotFound');
    for (const id of ['../x', '__proto__', 'a\0'])
      expect(await host.errorOf(ada, 'state.backup.delete', { backup_id: id })).toBe('BackupNotFound');
    await host.call(ada, 'state.backup.create');
    expect(await host.call(ada, 'state.backup.list')).toMatchObject({ total: 2 });
  });

  it('needs a key, and a name that is one', async () => {
    await using host = await open(async () => undefined);
    const ada = await host.start('ada');
    expect(await host.errorOf(ada, 'state.backup.create')).toBe('VaultLocked');
    for (const id of ['none', '../x', '__proto__', 'a\0', 'A'])
      expect(await host.errorOf(ada, 'state.backup.restore', { backup_id: id })).toBe('BackupNotFound');
    expect(await host.errorOf(ada, 'state.backup.export', { backup_id: 'none', path: 'x' })).toBe('BackupNotFound');
    expect(await host.call(ada, 'state.backup.list')).toEqual({ backups: [], total: 0 });
  });
});

describe('a snapshot', () => {
  it('is for the agent that made it, lists newest first and shows nobody else’s values', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('process/1')];
    const nobody = await host.start('');
    await host.call(bob, 'state.persistent.set', { key: 'secret', value: 'secret' });
    await host.mine().alerts.send({ message: 'secret', severity: 'info', agent: 'process/1' });
    await host.mine().alerts.send({ message: 'secret', severity: 'info' });
    const first = await host.call(ada, 'state.snapshot.create');
    host.time += 1;
    const second = await host.call(ada, 'state.snapshot.create');
    await host.call(nobody, 'state.snapshot.create');
    expect(await host.call(ada, 'state.snapshot.list')).toMatchObject({
      ...{ total: 2, snapshots: [{ snapshot_id: second['snapshot_id'] }, { snapshot_id: first['snapshot_id'] }] },
    });
    expect(await host.call(ada, 'state.snapshot.load', { snapshot_id: String(first['snapshot_id']) })).toMatchObject({
      snapshot: { health: 'healthy' },
    });
    expect(await everyByte(host)).not.toContain('secret');
    for (const stranger of [bob, await host.start('.'), await host.start('..'), await host.start('')]) {
      expect(await host.call(stranger, 'state.snapshot.list')).toEqual({ snapshots: [], total: 0 });
      expect(await host.errorOf(stranger, 'state.snapshot.load', { snapshot_id: String(first['snapshot_id']) })).toBe('SnapshotNotFound');
      await host.call(stranger, 'state.snapshot.create');
    }
    for (const id of ['../ada/x', '__proto__', 'a\0b'])
      expect(await host.errorOf(ada, 'state.snapshot.load', { snapshot_id: id })).toBe('SnapshotNotFound');
  });
});

describe('a briefing', () => {
  it('is about a time that is past', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    for (const since of ['yesterday', '1', '2026-02-30', '+275760-09-14', '9999-01-01T00:00:00Z', 'x'.repeat(64), '\0'])
      expect(await host.errorOf(ada, 'state.briefing.generate', { since })).toBe('InvalidTimestamp');
    expect(await host.call(ada, 'state.briefing.generate', { since: '2026-01-05T06:00:00Z' })).toMatchObject({
      briefing: { health: 'healthy' },
    });
    expect(await host.call(ada, 'state.briefing.generate')).toMatchObject({ briefing: { unread_messages: 0, alerts: [] } });
  });
});
