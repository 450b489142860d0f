import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';

const ADA = { name: 'ada', template: 't', agent: 'ada' };

describe('an agent that is paused', () => {
  it('has all its processes stopped, those made later too, and goes on with those that this stopped', async () => {
    await using on = await openTestKernel();
    const { processes } = on.mine;
    const [ready, running, stopped] = [await processes.create(ADA), await processes.create(ADA), await processes.create(ADA)];
    const other = await processes.create({ ...ADA, agent: 'bob' });
    for (const { pid } of [running, stopped, other]) await processes.transition(pid, 'RUNNING');
    await processes.signal(stopped.pid, 'stop');
    expect([await processes.pauseAgent('ada'), await processes.pauseAgent('ada'), await processes.isPaused('ada')]).toEqual([
      true,
      false,
      true,
    ]);
    const later = await processes.create(ADA);
    for (const { pid } of [ready, running, stopped, later]) expect(await processes.isStopped(pid)).toBe(true);
    expect([await processes.isStopped(other.pid), await processes.isPaused('bob')]).toEqual([false, false]);
    const states = async () => (await processes.list({ agent: 'ada' })).processes.map(({ state }) => state);
    expect(await states()).toEqual(['READY', 'SUSPENDED', 'SUSPENDED', 'READY']);
    expect([await processes.resumeAgent('ada'), await processes.resumeAgent('ada')]).toEqual([true, false]);
    expect(await states()).toEqual(['READY', 'READY', 'SUSPENDED', 'READY']);
    expect([await processes.isStopped(ready.pid), await processes.isStopped(stopped.pid)]).toEqual([false, true]);
  });

  it('stays so over a restart, and can be paused again', async () => {
    await using on = await openTestKernel();
    await on.mine.processes.create(ADA);
    await on.mine.processes.pauseAgent('ada');
    await on.reopen();
    expect(await on.mine.processes.isPaused('ada')).toBe(true);
    await on.mine.processes.resumeAgent('ada');
    expect(await on.mine.processes.pauseAgent('ada')).toBe(true);
    expect(await on.mine.processes.isPaused('ada')).toBe(true);
  });
});
