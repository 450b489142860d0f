import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createFaultPlan } from '@warren/kernel/testing';
import { expect } from 'vitest';
import { Daemon } from './daemon.ts';
import { proves } from './proves.ts';

const READER = join(import.meta.dirname, 'store-reader.ts');

function namesSeenByAnother(directory: string): unknown {
  return JSON.parse(execFileSync(process.execPath, ['--conditions=warren-source', READER, directory], { encoding: 'utf8' }));
}

proves('store:committed-only', 'another process sees a change when it is on disk and not before', async () => {
  const faults = createFaultPlan();
  await using own = await Daemon.start({ faults });
  const state = own.directory.join('state');
  await own.client.call('kernel.agent.create', { name: 'before', template: 't' });
  const seen: unknown[] = [];
  const look = () => seen.push(namesSeenByAnother(state));
  faults.plan('store.commit', 1, { kind: 'call', action: look });
  faults.plan('store.committed', 1, { kind: 'call', action: look });
  await own.client.call('kernel.agent.create', { name: 'after', template: 't' });
  expect(seen).toEqual([['before'], ['before', 'after']]);
});

proves('store:committed-only', 'what fails in the end never was', async () => {
  const faults = createFaultPlan();
  await using own = await Daemon.start({ faults });
  faults.plan('store.commit', 1, { kind: 'disk_full' });
  const create = own.client.refused('kernel.agent.create', { name: 'a', template: 't' });
  const [refusal, ...lists] = await Promise.all([create, ...Array.from({ length: 10 }, () => own.client.call('kernel.agent.list'))]);
  expect(refusal).toMatchObject({ code: -32013, data: { fault: 'storage_full' } });
  for (const list of lists) expect(list).toEqual({ agents: [], total: 0 });
  expect(await own.client.call('kernel.info')).toMatchObject({ next_pid: 1, next_event_id: 1, agent_count: 0 });
});
