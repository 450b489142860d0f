/** Runs on a disk of 3 MiB: fills it with acknowledged events, makes room, and checks that all of them are there. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, isFault } from '@warren/protocol';

const [directory = ''] = process.argv.slice(2);
const ballast = join(directory, 'ballast');
writeFileSync(ballast, Buffer.alloc(1_000_000));

const acknowledged: number[] = [];
{
  await using kernel = await openKernel({ directory });
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const { pid } = await mine.processes.create({ name: 'a', template: 't' });
  const append = () => mine.events.append({ pid, kind: 'x', payload: { text: 'x'.repeat(1_000) } });
  const refused: unknown[] = [];
  while (refused.length === 0) {
    for (const each of await Promise.allSettled([append(), append(), append()])) {
      if (each.status === 'fulfilled') acknowledged.push(each.value);
      else refused.push(each.reason);
    }
  }
  for (const error of refused) assert(isFault(error, 'storage_full'), String(error));
  assert.equal((await mine.processes.get(pid)).lastEventId, acknowledged.at(-1), 'reads go on, and see what was acknowledged');
  rmSync(ballast);
  acknowledged.push(await append());
}
await using kernel = await openKernel({ directory });
const found = await kernel.workspace(DEFAULT_WORKSPACE).events.tail({ kind: 'x', limit: 10_000 });
assert.deepEqual(
  found.events.map(({ id }) => id),
  acknowledged,
);
assert.deepEqual(await kernel.store.check(), []);
console.log('full disk: done');
