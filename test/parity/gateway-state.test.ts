import type { JsonObject } from '@warren/protocol';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect } from 'vitest';
import { shareAgents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

const agents = shareAgents();

provesGate('state:compare-and-set', async () => {
  const [one, other] = [await agents().agent(), await agents().agent()];
  const input = { key: 'leader', value: 'me', expected_version: 0 };
  const answers = await Promise.all([one.ask('state.shared.set', input), other.ask('state.shared.set', input)]);
  const said = answers.map((answer) =>
    answer.kind === 'done' ? answer.output['version'] : answer.kind === 'failed' ? answer.error.type : '',
  );
  expect(said.toSorted()).toEqual([1, 'VersionConflict']);
});

provesGate('state:history', async () => {
  const agent = await agents().agent();
  for (let value = 1; value <= 101; value++) await agent.call('state.persistent.set', { key: 'k', value });
  expect(await agent.call('state.persistent.get', { key: 'k' })).toMatchObject({ value: 101, version: 101 });
  const { versions } = await agent.call('state.persistent.history', { key: 'k', limit: 1_000 });
  const numbers = (versions as readonly JsonObject[]).map(({ version }) => Number(version));
  expect([numbers.length, Math.min(...numbers), Math.max(...numbers)]).toEqual([100, 2, 101]);
});

provesGate('state:quota', async () => {
  const agent = await agents().agent();
  const value = 'x'.repeat(1_000_000);
  await agent.call('state.session.set', { key: 'first', value });
  let error = 'none';
  for (let part = 0; part < 200 && error === 'none'; part++)
    error = await agent.errorOf('state.session.set', { key: `part${part}`, value });
  expect(error).toBe('QuotaExceeded');
  expect(await agent.call('state.session.get', { key: 'first' })).toMatchObject({ value });
});

provesGate('state:apart', async () => {
  const [one, other] = [await agents().agent(), await agents().agent()];
  await other.call('state.persistent.set', { key: 'mine', value: 1 });
  expect(await one.call('state.persistent.get', { key: 'mine' })).toMatchObject({ found: false, value: null });
});

provesGate('message:offline', async () => {
  const sender = await agents().agent();
  const away = await agents().agent({}, 'away');
  await agents().mine.processes.end(away.pid, 'completed');
  const said = await Promise.all(
    (['normal', 'high'] as const).map((priority) => sender.call('comms.send', { to: 'away', message: priority, priority })),
  );
  expect(said.map(({ status }) => status)).toEqual(['queued', 'queued']);
  const back = await agents().agent({}, 'away');
  const { messages } = await back.call('comms.receive');
  expect((messages as readonly JsonObject[]).map(({ message }) => message)).toEqual(['high', 'normal']);
});

provesGate('message:peek', async () => {
  const [sender, reader] = [await agents().agent(), await agents().agent()];
  await sender.call('comms.send', { to: reader.name, message: 'again' });
  const first = await reader.call('comms.receive', { acknowledge: false });
  expect(first['messages']).toMatchObject([{ message: 'again' }]);
  expect((await reader.call('comms.receive', { acknowledge: false }))['messages']).toEqual(first['messages']);
  await reader.call('comms.receive');
  expect(await reader.call('comms.receive')).toMatchObject({ messages: [] });
});

provesGate('cron:refused', async () => {
  const agent = await agents().agent();
  expect(
    await agent.errorsOf([
      ['scheduler.cron_create', { capability: 'system.echo', inputs: { text: 'x' }, schedule: '61 * * * *' }],
      ['scheduler.cron_create', { capability: 'nothing.here', schedule: '0 * * * *' }],
    ]),
  ).toEqual(['InvalidCronExpression', 'CapabilityNotFound']);
});

provesGate('cron:apart', async () => {
  const [one, other] = [await agents().agent(), await agents().agent()];
  await one.call('scheduler.cron_create', { capability: 'system.echo', inputs: { text: 'x' }, schedule: '0 0 1 1 *' });
  expect(await one.call('scheduler.cron_list')).toMatchObject({ total: 1 });
  expect(await other.call('scheduler.cron_list')).toEqual({ jobs: [], total: 0 });
});

provesGate('audit:redacted', async () => {
  const agent = await agents().agent();
  const secret = 'sk-parity-0123456789abcdef';
  const answer = await agent.ask('state.session.set', { key: 'settings', value: { api_key: secret, note: 'kept' } });
  const { entries } = await agents().platform.audit.search({ workspace: DEFAULT_WORKSPACE, callId: answer.callId });
  expect(JSON.stringify(entries)).not.toContain(secret);
  expect(entries).toMatchObject([{ input: { value: { api_key: expect.stringMatching(/redacted/i), note: 'kept' } } }]);
});
