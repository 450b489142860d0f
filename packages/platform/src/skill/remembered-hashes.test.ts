import { chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { hashPack } from '../pack/hash-pack.ts';
import { rememberHashes } from './remembered-hashes.ts';

const LATER_MS = Date.now() + 86_400_000;

function counted(options: Parameters<typeof rememberHashes>[0] = {}) {
  const read: string[] = [];
  const hashes = rememberHashes({
    now: () => LATER_MS,
    hash: async (folder) => {
      read.push(folder);
      return await hashPack(folder);
    },
    ...options,
  });
  return { read, of: hashes.of };
}

it('reads a folder once while it looks the same, and again after each kind of change', async () => {
  await using directory = await TemporaryDirectory.create();
  const folder = directory.join('one');
  await mkdir(`${folder}/below`, { recursive: true });
  await writeFile(`${folder}/a`, 'aaaa');
  await writeFile(`${folder}/below/b`, 'b');
  const { read, of } = counted();
  expect([await of(folder), await of(folder)]).toEqual([await hashPack(folder), await hashPack(folder)]);
  expect(read).toHaveLength(1);
  const then = new Date(1_000_000);
  const changes = [
    () => writeFile(`${folder}/a`, 'aaab'),
    () => utimes(`${folder}/a`, then, then),
    async () => {
      await writeFile(`${folder}/a`, 'aaac'); // As large as before, and as old.
      await utimes(`${folder}/a`, then, then);
    },
    () => chmod(`${folder}/below/b`, 0o700),
    () => rename(`${folder}/below/b`, `${folder}/below/c`),
    () => rm(`${folder}/below/c`),
    () => symlink('/etc/passwd', `${folder}/link`),
  ];
  for (const [index, change] of changes.entries()) {
    await change();
    expect(await of(folder)).toBe(await hashPack(folder));
    expect(read).toHaveLength(index + 2);
  }
});

it('remembers nothing of a folder that was changed just now', async () => {
  await using directory = await TemporaryDirectory.create();
  await writeFile(directory.join('a'), 'a');
  const { read, of } = counted({ now: Date.now });
  await of(directory.path);
  await of(directory.path);
  expect(read).toHaveLength(2);
});

it('remembers so many folders and no more, and refuses one that is gone', async () => {
  await using directory = await TemporaryDirectory.create();
  const folders = ['x', 'y', 'z'].map((name) => directory.join(name));
  for (const folder of folders) await mkdir(folder);
  for (const folder of folders) await writeFile(`${folder}/a`, 'a');
  const { read, of } = counted({ foldersMax: 2 });
  for (const folder of [...folders, ...folders]) await of(folder);
  expect(read).toHaveLength(6);
  await of(folders[2] ?? '');
  expect(read).toHaveLength(6);
  await expect(of(directory.join('gone'))).rejects.toMatchObject({ code: 'ENOENT' });
});
