/** A store of every released version is brought to this one, and everything in it is still there and goes on. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openKernel } from '@warren/kernel';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { checkStore, fillStore } from './fixture-content.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.db.gz'));

it.each(fixtures)('a store %s is upgraded', async (name) => {
  await using directory = await TemporaryDirectory.create();
  const state = directory.join('state');
  mkdirSync(state);
  writeFileSync(join(state, 'kernel.db'), gunzipSync(readFileSync(join(FIXTURES, name))));
  await using kernel = await openKernel({ directory: state });
  await checkStore(kernel, Number.parseInt(name, 10));
});

it('there is a store of every migration', async () => {
  await using directory = await TemporaryDirectory.create();
  await using kernel = await openKernel({ directory: directory.path });
  expect(fixtures).toHaveLength(kernel.store.schemaVersion);
});

it('what is looked for is what this version writes', async () => {
  await using directory = await TemporaryDirectory.create();
  await using kernel = await openKernel({ directory: directory.path });
  await fillStore(kernel);
  await checkStore(kernel);
});
