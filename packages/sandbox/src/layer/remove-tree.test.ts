import { existsSync, mkdirSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { Pace } from './internal/pace.ts';
import { removeTree } from './remove-tree.ts';
import { LayerFixture } from './test-support/layer-fixture.ts';

it('removes whatever an agent left: any depth, any name, any mode, and nothing a link points to', { timeout: 60_000 }, async () => {
  await using fixture = await LayerFixture.create();
  const directory = fixture.join('leftover');
  mkdirSync(directory);
  await fixture.build([['write', 'outside', 'stays']]);
  await fixture.build(
    [
      ['deep', 'd', 3_000, 'x'],
      ['write', '\xff\xfe\n', 'x'],
      ['symlink', 'link', fixture.directory],
      ['mkdir', 'shut'],
      ['write', 'shut/x', 'x'],
      ['chmod', 'shut', 0],
      ['fifo', 'pipe'],
    ],
    directory,
  );
  await removeTree(directory, new Pace());
  expect(existsSync(directory)).toBe(false);
  expect(Object.keys(await fixture.snapshot())).toEqual(['outside']);
});

it('does not mind what is gone already', async () => {
  await using temporary = await TemporaryDirectory.create();
  await removeTree(temporary.join('gone'), new Pace());
});

it('does not remove through a link', async () => {
  await using fixture = await LayerFixture.create();
  await fixture.build([
    ['mkdir', 'kept'],
    ['write', 'kept/x', 'x'],
    ['symlink', 'link', 'kept'],
  ]);
  await expect(removeTree(`${fixture.directory}/link`, new Pace())).rejects.toThrow();
  expect(Object.keys(await fixture.snapshot())).toEqual(['kept', 'kept/x', 'link']);
});
