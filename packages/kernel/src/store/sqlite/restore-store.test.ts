import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { DEFAULT_WORKSPACE, Fault, type FaultCode, isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openKernel } from '../../open-kernel.ts';
import { addBackupFiles, type BackupFile } from './backup-files.ts';
import { restoreStore } from './restore-store.ts';

/** Two state directories' worth of names, and a backup of the first, in which there is one process called `kept`. */
async function withBackup(): Promise<AsyncDisposable & { readonly backup: string; readonly state: string; join(name: string): string }> {
  const directory = await TemporaryDirectory.create();
  const backup = directory.join('a backup.db');
  const kernel = await openKernel({ directory: directory.join('first') });
  await kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'kept', template: 't' });
  await kernel.store.backup(backup);
  await kernel.close();
  return {
    backup,
    state: directory.join('state'),
    join: (name) => directory.join(name),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

/** Makes a store there with one process of this name, or adds it. */
async function addProcess(directory: string, name: string): Promise<void> {
  const kernel = await openKernel({ directory });
  await kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name, template: 't' });
  await kernel.close();
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const kernel = await openKernel({ directory });
  const { processes } = await kernel.workspace(DEFAULT_WORKSPACE).processes.list();
  await kernel.close();
  return processes.map(({ name }) => name);
}

async function faultOf(restoring: Promise<unknown>): Promise<FaultCode | undefined> {
  return await restoring.then(
    () => undefined,
    (error: unknown) => (isFault(error) ? error.code : Promise.reject(error)),
  );
}

describe('restoreStore', () => {
  it('makes a state directory of a backup', async () => {
    await using have = await withBackup();
    const done = await restoreStore({ directory: have.state, backup: have.backup, isForced: false, suffix: 'now' });
    expect(done).toMatchObject({ keptAs: undefined, schemaVersion: expect.any(Number) });
    expect(done.bytes).toBe(statSync(`${have.state}/kernel.db`).size);
    expect(statSync(`${have.state}/kernel.db`).mode & 0o777).toBe(0o600);
    expect(await namesIn(have.state)).toEqual(['kept']);
  });

  it('gives back the files that came with a backup, and leaves none of their bytes in the store', async () => {
    await using have = await withBackup();
    const files = [
      { path: 'vault.json', bytes: Buffer.from('{"wrapped":1}') },
      { path: 'vault.key', bytes: Buffer.from('Xyzzy42PlughKeyOfTheVault'.repeat(1_000)) },
    ];
    addBackupFiles(have.backup, files);
    expect([statSync(have.backup).mode & 0o777, existsSync(`${have.backup}-wal`)]).toEqual([0o600, false]);
    expect(readFileSync(have.backup).includes('Xyzzy42Plugh')).toBe(true);
    const given: BackupFile[] = [];
    const request = { directory: have.state, backup: have.backup, isForced: false, suffix: 'now' };
    await restoreStore({ ...request, place: (some) => given.push(...some) });
    expect(given.map(({ path, bytes }) => [path, Buffer.from(bytes)])).toEqual(files.map(({ path, bytes }) => [path, bytes]));
    expect(readFileSync(`${have.state}/kernel.db`).includes('Xyzzy42Plugh')).toBe(false);
    expect(await namesIn(have.state)).toEqual(['kept']);
    const again = await openKernel({ directory: have.state });
    await again.store.backup(have.join('second.db'));
    await again.close();
    expect(readFileSync(have.join('second.db')).includes('Xyzzy42Plugh')).toBe(false);
  });

  it('changes nothing when a file that came with a backup cannot be placed', async () => {
    await using have = await withBackup();
    addBackupFiles(have.backup, [{ path: '../x', bytes: Buffer.from('x') }]);
    await addProcess(have.state, 'old');
    const place = (): never => {
      throw new Fault('invalid_argument', 'Cannot place it');
    };
    const request = { directory: have.state, backup: have.backup, isForced: true, suffix: 'now', place };
    expect(await faultOf(restoreStore(request))).toBe('invalid_argument');
    expect(await namesIn(have.state)).toEqual(['old']);
    expect(readdirSync(have.state).filter((name) => name.includes('restor'))).toEqual([]);
  });

  it('refuses to replace a store, unless it is told to, and then keeps the old one', async () => {
    await using have = await withBackup();
    await addProcess(have.state, 'old');
    const request = { directory: have.state, backup: have.backup, isForced: false, suffix: 'now' };
    expect(await faultOf(restoreStore(request))).toBe('already_exists');
    expect(await namesIn(have.state)).toEqual(['old']);

    const { keptAs } = await restoreStore({ ...request, isForced: true });
    expect(await namesIn(have.state)).toEqual(['kept']);
    expect(keptAs).toBe(`${have.state}/kernel.db.before-restore-now`);
    expect(readdirSync(have.state).filter((name) => name.includes('restor'))).toEqual(['kernel.db.before-restore-now']);
    // And back again, from what was kept.
    await restoreStore({ ...request, backup: keptAs ?? '', isForced: true, suffix: 'later' });
    expect(await namesIn(have.state)).toEqual(['old']);
  });

  it('refuses while somebody has the state directory open, and names the process', async () => {
    await using have = await withBackup();
    const kernel = await openKernel({ directory: have.state });
    const restoring = restoreStore({ directory: have.state, backup: have.backup, isForced: true, suffix: 'now' });
    await expect(restoring).rejects.toMatchObject({ code: 'busy', details: { pid: process.pid } });
    await kernel.close();
  });

  it.each<[string, (path: string) => void]>([
    ['nothing', () => {}],
    ['a directory', (path) => mkdirSync(path)],
    ['an empty file', (path) => writeFileSync(path, '')],
    ['text', (path) => writeFileSync(path, 'not a database'.padEnd(4096))],
    ['text that begins as a database does', (path) => writeFileSync(path, 'SQLite format 3\0, or so it says'.padEnd(4096))],
    ['a database of something else', (path) => new DatabaseSync(path).exec('CREATE TABLE a (b)')],
  ])('refuses %s', async (_, make) => {
    await using have = await withBackup();
    make(have.join('other'));
    await addProcess(have.state, 'old');
    const restoring = restoreStore({ directory: have.state, backup: have.join('other'), isForced: true, suffix: 'now' });
    expect(['not_found', 'invalid_argument', 'store_failed']).toContain(await faultOf(restoring));
    expect(await namesIn(have.state)).toEqual(['old']);
  });

  it('refuses a backup with a damaged page, and leaves everything as it was', async () => {
    await using have = await withBackup();
    await addProcess(have.state, 'old');
    const bytes = readFileSync(have.backup);
    for (let page = 2; page * 4096 < bytes.length; page++) bytes.fill(0xa5, page * 4096, page * 4096 + 512);
    writeFileSync(have.join('damaged'), bytes);
    expect(await faultOf(restoreStore({ directory: have.state, backup: have.join('damaged'), isForced: true, suffix: 'now' }))).toBe(
      'store_failed',
    );
    expect(await namesIn(have.state)).toEqual(['old']);
    expect(readdirSync(have.state).filter((name) => name.includes('restor'))).toEqual([]);
  });

  it('refuses a backup that was cut off', async () => {
    await using have = await withBackup();
    const bytes = readFileSync(have.backup);
    writeFileSync(have.join('half'), bytes.subarray(0, bytes.length / 2));
    expect(await faultOf(restoreStore({ directory: have.state, backup: have.join('half'), isForced: false, suffix: 'now' }))).toBe(
      'store_failed',
    );
    expect(existsSync(`${have.state}/kernel.db`)).toBe(false);
  });

  it('refuses a backup of a newer version', async () => {
    await using have = await withBackup();
    const database = new DatabaseSync(have.backup);
    database.exec("INSERT INTO migrations (number, name, checksum) VALUES (9999, 'of the future', 'x')");
    database.close();
    const restoring = restoreStore({ directory: have.state, backup: have.backup, isForced: false, suffix: 'now' });
    await expect(restoring).rejects.toMatchObject({ code: 'schema_mismatch', details: { found: 9999 } });
  });

  it('replaces a store that is damaged beyond opening, and keeps it with its log', async () => {
    await using have = await withBackup();
    await addProcess(have.state, 'old');
    writeFileSync(`${have.state}/kernel.db`, 'x'.repeat(8192));
    writeFileSync(`${have.state}/kernel.db-wal`, 'y'.repeat(100));
    await restoreStore({ directory: have.state, backup: have.backup, isForced: true, suffix: 'now' });
    expect(await namesIn(have.state)).toEqual(['kept']);
    expect(readFileSync(`${have.state}/kernel.db.before-restore-now`, 'utf8')).toBe('x'.repeat(8192));
  });

  it('takes along the log of a store that was copied by hand', async () => {
    await using have = await withBackup();
    const kernel = await openKernel({ directory: have.join('running') });
    await kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'in the log', template: 't' });
    for (const rest of ['', '-wal']) await cp(`${have.join('running')}/kernel.db${rest}`, have.join(`copied${rest}`));
    await kernel.close();
    await restoreStore({ directory: have.state, backup: have.join('copied'), isForced: false, suffix: 'now' });
    expect(await namesIn(have.state)).toEqual(['in the log']);
  });

  it('tidies up after one that was cut off', async () => {
    await using have = await withBackup();
    mkdirSync(have.state, { mode: 0o700 });
    writeFileSync(`${have.state}/kernel.db.restoring-1`, 'half');
    await restoreStore({ directory: have.state, backup: have.backup, isForced: false, suffix: 'now' });
    expect(readdirSync(have.state).filter((name) => name.includes('restoring'))).toEqual([]);
    rmSync(have.state, { recursive: true });
  });
});
