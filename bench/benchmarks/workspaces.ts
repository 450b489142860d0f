import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openKernel } from '@warren/kernel';
import { parseWorkspaceId } from '@warren/protocol';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { atMost, measured, type Row, ratio } from '../harness/row.ts';
import { outputOf } from '../harness/run-program.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';

const OPENER = resolve(import.meta.dirname, '../comparators/open-workspaces.ts');
const AT_ONCE = 200;
/** Each holds three descriptors and a cache: ten thousand are more than a process may have. */
const FILES_MAX = 1_000;

export const workspaces: Benchmark = {
  name: 'workspaces',
  title: 'Workspaces',
  method:
    'Workspaces are made one after the other in a kernel of their own, each on disk before the next, against a directory with an SQLite file (one table, WAL, synchronous=FULL) for each; ' +
    'they take turns. Then a state directory with 10,000 of them is opened by a process of its own, which says how long the kernel took and what it holds; the comparator opens 1,000 of its files and keeps them.',
  run,
};

async function run({ isQuick, signal, say }: Context): Promise<readonly Row[]> {
  const count = isQuick ? 500 : 10_000;
  const files = Math.min(count, FILES_MAX);
  const rounds = isQuick ? 3 : 7;
  const [ours, theirs] = [temporaryDirectory(), temporaryDirectory()];
  try {
    const made: number[] = [];
    const compared: number[] = [];
    {
      await using kernel = await openKernel({ directory: ours });
      for (let index = 0; index < (isQuick ? 20 : 300); index++) {
        signal.throwIfAborted();
        made.push(await timeOf(() => kernel.workspaces.create(parseWorkspaceId(`one_${index}`))));
        compared.push(await timeOf(() => makeFile(join(theirs, `one_${index}`))));
      }
      say(`making ${count} workspaces`);
      for (let index = made.length; index < count; index += AT_ONCE) {
        signal.throwIfAborted();
        const some = Array.from({ length: Math.min(AT_ONCE, count - index) }, (_, each) => parseWorkspaceId(`many_${index + each}`));
        await Promise.all(some.map((id) => kernel.workspaces.create(id)));
        if (index < FILES_MAX) for (const id of some) makeFile(join(theirs, id));
      }
    }
    const [open, held, openFiles, heldFiles]: number[][] = [[], [], [], []];
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      const [ms, mib] = opened('kernel', ours);
      const [fileMs, fileMib] = opened('files', theirs);
      open?.push(ms);
      held?.push(mib);
      openFiles?.push(fileMs);
      heldFiles?.push(fileMib);
    }
    return [
      measured('make a workspace', 'ms', made, { bound: atMost(10), ratio: ratio('this ÷ a directory with a file', made, compared) }),
      measured('make a directory with an SQLite file', 'ms', compared),
      measured(`open ${count}`, 's', (open ?? []).map((ms) => ms / 1_000), { bound: atMost(1) }), // biome-ignore format: one line
      measured(`resident memory with ${count}`, 'MiB', held ?? [], { bound: atMost(150) }),
      measured(`open ${files} SQLite files`, 's', (openFiles ?? []).map((ms) => ms / 1_000)), // biome-ignore format: one line
      measured(`resident memory with ${files} SQLite files`, 'MiB', heldFiles ?? []),
    ];
  } finally {
    for (const directory of [ours, theirs]) rmSync(directory, { recursive: true, force: true });
  }
}

async function timeOf(act: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

function makeFile(directory: string): void {
  mkdirSync(directory, { mode: 0o700 });
  const database = new DatabaseSync(join(directory, 'workspace.db'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT',
  );
  database.close();
}

function opened(what: 'kernel' | 'files', directory: string): readonly [ms: number, mib: number] {
  const said = outputOf(process.execPath, ['--conditions=warren-source', OPENER, what, directory]);
  const [ms, mib] = JSON.parse(said ?? 'null') ?? [];
  if (typeof ms !== 'number' || typeof mib !== 'number') throw new Error(`${OPENER} ${what} does not say how long it took`);
  return [ms, mib];
}
