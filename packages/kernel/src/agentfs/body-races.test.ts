/** What can come between two steps of a large body: each of these needs luck in life, and none here. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import type { FaultPoints } from '../internal/fault-points.ts';
import type { WorkspaceStore } from '../store/store.ts';
import { CHUNK_BYTES } from '../store/tables/file-table.ts';
import { openTestKernel } from '../test-support/open-test-kernel.ts';
import { BodySweeper } from './body-sweeper.ts';
import { type AgentFs, createFiles } from './create-files.ts';
import { OpenBodies } from './open-bodies.ts';

const LARGE = CHUNK_BYTES + 1;

function createAgentFs(store: WorkspaceStore, faults?: FaultPoints): AgentFs {
  const limits = async () => ({ bytesMax: 1e9, versionsMax: 10 });
  return createFiles({ store, limits, faults, mayWrite: () => true, wouldExceed: () => undefined, chargeInside: () => {} });
}

it('a sweep at the moment of the first chunk leaves the body alone', async () => {
  let agentFs: AgentFs | undefined;
  const sweeps: Promise<number>[] = [];
  await using under = await openTestKernel({
    isRehearsing: false,
    faults: {
      reach(point) {
        if (point === 'store.committed' && agentFs !== undefined) sweeps.push(agentFs.sweep());
      },
    },
  });
  const { pid } = await under.mine.processes.create({ name: 'a', template: 't' });
  agentFs = createAgentFs(under.kernel.store.workspace(DEFAULT_WORKSPACE));
  await agentFs.files.write(pid, { path: '/a' }, new Uint8Array(LARGE).fill(7));
  expect((await agentFs.files.read('/a')).content).toEqual(new Uint8Array(LARGE).fill(7));
  expect(sweeps.length).toBeGreaterThan(1);
  expect(await Promise.all(sweeps)).toEqual(sweeps.map(() => 0));
});

it('a sweep passes over what is starting or open, and takes it afterwards', async () => {
  await using under = await openTestKernel();
  const store = under.kernel.store.workspace(DEFAULT_WORKSPACE);
  const open = new OpenBodies();
  const sweeper = new BodySweeper(store, open);
  const start = open.start();
  const body = await store.write(({ files }) => {
    const number = files.insertLarge();
    for (let seq = 0; seq < 100; seq++) files.insertChunk(number, seq, new Uint8Array(10));
    return number;
  });
  expect(await sweeper.sweep()).toBe(0);
  const holds = [open.hold(body), open.hold(body)];
  start[Symbol.dispose]();
  start[Symbol.dispose]();
  for (const hold of holds) {
    expect(await sweeper.sweep()).toBe(0);
    hold[Symbol.dispose]();
    hold[Symbol.dispose]();
  }
  expect(await sweeper.sweep()).toBe(1);
  expect(await sweeper.sweep()).toBe(0);
  expect(await store.read(({ files }) => files.readChunk(body, 0))).toBeUndefined();
});

it('a body that goes between finding and holding it is not opened: the newer one is', async () => {
  await using under = await openTestKernel();
  const inner = under.kernel.store.workspace(DEFAULT_WORKSPACE);
  let between = async (): Promise<void> => {};
  const store: WorkspaceStore = {
    ...inner,
    async read(body) {
      const value = await inner.read(body);
      const once = between;
      between = async () => {};
      await once();
      return value;
    },
  };
  const { pid } = await under.mine.processes.create({ name: 'a', template: 't' });
  const agentFs = createAgentFs(store);
  const write = (fill: number) => agentFs.files.write(pid, { path: '/a' }, new Uint8Array(LARGE).fill(fill));
  const replace = (fill: number) => async () => {
    await write(fill);
    await agentFs.files.purgeHistory('/a');
    await agentFs.sweep();
  };
  await write(1);
  between = replace(2);
  expect((await agentFs.files.read('/a')).content).toEqual(new Uint8Array(LARGE).fill(2));
  between = replace(3);
  const { stat, content } = await agentFs.files.open('/a');
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  expect([stat.version, new Uint8Array(Buffer.concat(pieces))]).toEqual([3, new Uint8Array(LARGE).fill(3)]);
});
