import { expect, it } from 'vitest';
import { applyRun } from '../apply.ts';
import { patchText } from '../diff.ts';
import { formatStat } from '../diff-stat.ts';
import { summarizeDiff } from '../diff-summary.ts';
import { reviewRun } from '../review.ts';
import { undoRun } from '../undo.ts';
import { LayerFixture } from './layer-fixture.ts';

it('smoke', async () => {
  await using f = await LayerFixture.create();
  expect(await f.overlayProblem()).toBeUndefined();
  await f.build([['write','a.txt','one\ntwo\nthree\n'],['mkdir','d'],['write','d/x','x'],['write','d/y','y'],['symlink','l','/etc'],['write','r','rename me\n'],['write','m','same']]);
  const before = await f.snapshot();
  const {id, merged} = await f.run([['write','a.txt','one\n2\nthree\n'],['remove','d'],['mkdir','d',0o700],['write','d/z','z\n'],['remove','l'],['mkdir','l'],['write','l/passwd','root'],['rename','r','s'],['chmod','m',0o755],['touch','m'],['write','new \xe9\n.txt','hi'],['symlink','k','d'],['mkdir','.git'],['write','.git/config','x'], ['fifo','ff']]);
  const review = await reviewRun(f.store, id, {probe: f.probe});
  for await (const t of patchText(review, {colour: false})) process.stdout.write(t);
  const s = await summarizeDiff(review);
  console.log(formatStat(s));
  console.log(JSON.stringify(s.changes.slice(0,4)));
  const result = await applyRun(f.store, id, {probe: f.probe});
  console.log(result);
  const after = await f.snapshot();
  const { ff, '.git/config': gc, ...expected } = merged as any;
  expect(after).toEqual(expected);
  console.log(await undoRun(f.store, id));
  expect(await f.snapshot()).toEqual(before);
});
