/** What is made when Warren is bundled is what its sources say. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { readDefinitionTexts } from '../packages/platform/src/capability/load-definitions.ts';
import { BUILT_FILE, buildDefinitions } from '../packages/platform/src/capability/shipped-definitions.ts';

const ROOT = resolve(import.meta.dirname, '..');

it('the definitions of capabilities in the bundle are, byte for byte, what is made of their YAML', async () => {
  const texts = await readDefinitionTexts(join(ROOT, 'packages/platform/definitions'));
  expect(await readFile(join(ROOT, 'packages/cli/dist/assets/definitions', BUILT_FILE), 'utf8')).toBe(await buildDefinitions(texts));
});

it('the chunks of the bundle are ASCII, for one other character doubles what a chunk takes to read and to keep', async () => {
  const folder = join(ROOT, 'packages/cli/dist/chunks');
  const others: string[] = [];
  for (const name of await readdir(folder)) if ((await readFile(join(folder, name))).some((byte) => byte > 0x7f)) others.push(name);
  expect(others).toEqual([]);
});
