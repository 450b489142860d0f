import { expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { createDaemonLog } from './daemon-log.ts';

it('a log that is kept has a line of JSON for each thing', async () => {
  const host = new FakeHost();
  const log = createDaemonLog(host);
  log.info('Listening', { address: 'unix:/x' });
  log.error('An operation failed', { error_id: 'error_1', stack: 'Error\n    at x' });
  await host.stderr.flush();
  expect(
    host.stderr.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { time: '2023-11-14T22:13:20.000Z', level: 'info', message: 'Listening', address: 'unix:/x' },
    { time: '2023-11-14T22:13:20.000Z', level: 'error', message: 'An operation failed', error_id: 'error_1', stack: 'Error\n    at x' },
  ]);
});

it('a log that is watched has words, and nothing in it can take over the terminal', async () => {
  const host = new FakeHost({ terminal: { rows: 24, columns: 80 } });
  createDaemonLog(host).warn('Wrong tokens', { address: '\u001b[2J', none: undefined });
  createDaemonLog(host).info('x', { stack: 'one\ntwo' });
  await host.stderr.flush();
  expect(host.stderr.text).toBe('22:13:20 warn: Wrong tokens address=^[[2J\n22:13:20 x\none\ntwo\n');
});

it('nobody reading the log ends nothing', async () => {
  const host = new FakeHost();
  host.stderr.isClosed = true;
  createDaemonLog(host).info('Listening');
  await expect(host.stderr.flush()).rejects.toThrow();
});
