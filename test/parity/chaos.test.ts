import { createChaos, createFaultPlan } from '@warren/kernel/testing';
import { parseWorkspaceId } from '@warren/protocol';
import { expect } from 'vitest';
import { Daemon, shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

/** Twelve processes in some states; two are dead. */
async function populate() {
  const os = await daemon.workspace();
  await os.batch(Array.from({ length: 12 }, (_, index) => ['kernel.agent.create', { name: `p${index}`, template: 't' }] as const));
  for (const pid of [2, 3]) await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  for (const pid of [5, 6, 7]) await os.call('kernel.agent.transition', { pid, target_state: 'RUNNING' });
  return { os, mine: daemon.kernel.workspace(parseWorkspaceId(os.workspace)) };
}

proves('chaos:drills', 'the same seed and the same population give the same victims, who are alive and crash', async () => {
  const rounds = [];
  for (let round = 0; round < 2; round++) {
    const { os, mine } = await populate();
    const chaos = createChaos(42);
    const victims = [];
    for (let index = 0; index < 10; index++) victims.push(await chaos.killRandomProcess(mine));
    expect(await chaos.killRandomProcess(mine)).toBe(undefined);
    expect(await os.call('kernel.agent.get', { pid: victims[0] })).toMatchObject({
      state: 'DEAD',
      exit_kind: 'crashed',
      exit_detail: { chaos: 'killed' },
    });
    rounds.push(victims);
  }
  expect(rounds[0]).toEqual(rounds[1]);
  expect(rounds[0]?.toSorted((one, other) => (one ?? 0) - (other ?? 0))).toEqual([1, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const { mine } = await populate();
  const others = [];
  for (const chaos = createChaos(43); others.length < 10; ) others.push(await chaos.killRandomProcess(mine));
  expect(others).not.toEqual(rounds[0]);
});

proves('chaos:drills', 'a mailbox is filled to its brim', async () => {
  const { os, mine } = await populate();
  await os.call('kernel.mbox.create', { pid: 1, queue_size: 7 });
  expect(await createChaos(1).fillMailbox(mine, 1)).toBe(7);
  expect((await os.refused('kernel.mbox.send', { recipient_pid: 1, kind: 'note' })).code).toBe(-32143);
});

proves('chaos:drills', 'a full disk refuses one change, and then everything goes on', async () => {
  const faults = createFaultPlan();
  await using own = await Daemon.start({ faults });
  const os = own.client;
  const create = { name: 'a', template: 't' };
  await os.call('kernel.agent.create', create);
  const before = await os.call('kernel.observe.summary');
  faults.plan('store.commit', 1, { kind: 'disk_full' });
  expect(await os.refused('kernel.agent.create', create)).toMatchObject({ code: -32013, data: { fault: 'storage_full' } });
  expect(await os.call('kernel.observe.summary')).toEqual(before);
  expect(await os.call('kernel.agent.create', create)).toEqual({ pid: 2, state: 'READY' });
  expect((await os.call('kernel.observe.summary')).agents.total).toBe(2);
});
