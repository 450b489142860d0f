import { expect } from 'vitest';
import type { Client } from './client.ts';
import { START, shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

/** A process and the id of its first event. */
async function create(os: Client): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't' })).pid;
}

proves('event:append', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const refused = (params: Readonly<Record<string, unknown>>) =>
    os.refused('kernel.events.append', { pid, kind: 'k', payload: {}, ...params });
  const invalidKind = { code: -32104, data: { field: 'kind', fault: 'invalid_payload' } };
  expect(await refused({ kind: 'kernel.process.created' })).toEqual(invalidKind);
  expect(await refused({ kind: 'kernel.' })).toEqual(invalidKind);
  expect(await refused({ kind: '' })).toEqual(invalidKind);
  expect(await refused({ pid: 99 })).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  for (const payload of [undefined, null, [], 'x', 5]) {
    expect(await refused({ payload })).toEqual({ code: -32602, data: { field: 'payload', fault: 'invalid_argument' } });
  }
  expect((await os.call('kernel.agent.get', { pid })).last_event_id).toBe(1);

  await daemon.pass(1.5);
  const at = daemon.now;
  const payload = { text: 'ä\u0000"', deep: { list: [1, -0.5, null, true] } };
  expect(await os.call('kernel.events.append', { pid, kind: 'kernelish', payload, causation_id: 1, correlation_id: 'c' })).toEqual({
    event_id: 2,
  });
  expect((await os.call('kernel.agent.get', { pid })).last_event_id).toBe(2);
  expect((await os.call('kernel.events.tail', { since_event_id: 1 })).events).toEqual([
    { event_id: 2, pid, ts: at, kind: 'kernelish', payload, causation_id: 1, correlation_id: 'c' },
  ]);
  expect(at).toBeGreaterThan(START);
});

proves('event:append', 'also of a process that ended', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  expect(await os.call('kernel.events.append', { pid, kind: 'obituary', payload: {}, causation_id: null, correlation_id: null })).toEqual({
    event_id: 3,
  });
});

proves('event:tail', async () => {
  const os = await daemon.workspace();
  const [one, other] = [await create(os), await create(os)];
  await os.batch(
    Array.from({ length: 6 }, (_, index) => [
      'kernel.events.append',
      { pid: index % 2 === 0 ? one : other, kind: index < 3 ? 'early' : 'late', payload: { index } },
    ]),
  );
  const tail = async (params: Readonly<Record<string, unknown>>): Promise<readonly [ids: readonly number[], cursor: number]> => {
    const { events, next_cursor } = await os.call('kernel.events.tail', params);
    return [events.map(({ event_id }) => event_id), next_cursor];
  };
  expect(await tail({ limit: 1 })).toEqual([[1], 1]);
  expect(await tail({ limit: 1, since_event_id: 1 })).toEqual([[2], 2]);
  expect(await tail({ since_event_id: 2 })).toEqual([[3, 4, 5, 6, 7, 8], 8]);
  expect(await tail({ since_event_id: 8 })).toEqual([[], 8]);
  expect(await tail({ since_event_id: 1_000 })).toEqual([[], 1_000]);
  expect(await tail({ since_event_id: '6' })).toEqual([[7, 8], 8]);
  expect(await tail({ since_event_id: null })).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], 8]);
  expect(await tail({ pid: one })).toEqual([[1, 3, 5, 7], 7]);
  expect(await tail({ kind: 'late' })).toEqual([[6, 7, 8], 8]);
  expect(await tail({ kind: 'lat' })).toEqual([[], 0]);
  expect(await tail({ pid: one, kind: 'late', since_event_id: 2 })).toEqual([[7], 7]);
  expect(await tail({ pid: 99 })).toEqual([[], 0]);
});

proves('event:concurrent', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const ids = await Promise.all(
    Array.from({ length: 4 }, async (_, client) => {
      const own: number[] = [];
      for (let index = 0; index < 20; index++) {
        own.push((await os.call('kernel.events.append', { pid, kind: 'tick', payload: { client, index } })).event_id);
      }
      return own;
    }),
  );
  for (const own of ids) expect(own).toEqual(own.toSorted((one, other) => one - other));
  expect(new Set(ids.flat()).size).toBe(80);
  const { events } = await os.call('kernel.events.tail', { kind: 'tick' });
  expect(events.map(({ event_id }) => event_id)).toEqual(ids.flat().toSorted((one, other) => one - other));
});
