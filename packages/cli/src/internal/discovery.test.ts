import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Discovery, discoveryPath, readDiscovery } from '@warren/client';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { removeDiscovery, writeDiscovery } from './discovery.ts';

const ONE: Discovery = { pid: 7, started_at: 1.5, version: '0.1.0', addresses: ['unix:/x', 'tcp:127.0.0.1:7700'] };

it('a discovery file reads as it was written, is for its owner only, and leaves nothing beside it', async () => {
  await using directory = await TemporaryDirectory.create();
  writeDiscovery(directory.path, ONE);
  writeDiscovery(directory.path, { ...ONE, pid: 8 });
  expect(readDiscovery(directory.path)).toEqual({ ...ONE, pid: 8 });
  expect(statSync(discoveryPath(directory.path)).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory.path)).toEqual(['daemon.json']);
});

it('only the process it names removes it', async () => {
  await using directory = await TemporaryDirectory.create();
  writeDiscovery(directory.path, ONE);
  removeDiscovery(directory.path, 8);
  expect(readDiscovery(directory.path)).toEqual(ONE);
  removeDiscovery(directory.path, 7);
  expect(readdirSync(directory.path)).toEqual([]);
  removeDiscovery(directory.path, 7);
});

it('what no daemon wrote is no discovery file', async () => {
  await using directory = await TemporaryDirectory.create();
  const path = discoveryPath(directory.path);
  for (const content of [
    '',
    '{',
    'null',
    '[]',
    '{"pid":"7"}',
    JSON.stringify({ ...ONE, pid: -1 }),
    JSON.stringify({ ...ONE, addresses: [1] }),
  ]) {
    writeFileSync(path, content);
    expect(readDiscovery(directory.path)).toBeUndefined();
  }
  writeFileSync(path, JSON.stringify({ ...ONE, version: 'x'.repeat(100_000) }));
  expect(readDiscovery(directory.path)).toBeUndefined();
  rmSync(path);
  mkdirSync(path);
  expect(readDiscovery(directory.path)).toBeUndefined();
  expect(readDiscovery(directory.join('none'))).toBeUndefined();
});

it('a symbolic link in its place is replaced, not followed', async () => {
  await using directory = await TemporaryDirectory.create();
  writeFileSync(directory.join('target'), 'precious');
  symlinkSync(directory.join('target'), discoveryPath(directory.path));
  writeDiscovery(directory.path, ONE);
  expect(readFileSync(directory.join('target'), 'utf8')).toBe('precious');
  expect(readDiscovery(directory.path)).toEqual(ONE);
});
