import { expect, it } from 'vitest';
import { FakeHost } from '../test-support/fake-host.ts';
import { createDaemonLog } from './daemon-log.ts';
import { reloadDaemon } from './reload-daemon.ts';

const STEPS = ['certificate', 'configuration', 'policies', 'packs', 'hooks'];

/** Steps that fail, and which were taken. */
function setUp(failing: readonly string[]) {
  const taken: string[] = [];
  const take = (step: string): void => {
    taken.push(step);
    if (failing.includes(step)) throw new Error(`no ${step}`);
  };
  const platform = {
    reloadConfig: async () => {
      take('configuration');
      return { kind: 'read', restart: [] } as const;
    },
    policies: { reload: async () => take('policies') },
    capabilities: { reload: async () => take('packs') },
    hooks: { reload: async () => take('hooks') },
  };
  return { taken, reload: () => reloadDaemon({ reload: () => take('certificate') }, platform, createDaemonLog(new FakeHost())) };
}

it.each(STEPS)('when the %s cannot be read again, the rest is', async (step) => {
  const { taken, reload } = setUp([step]);
  await expect(reload()).rejects.toThrow(`no ${step}`);
  expect(taken).toEqual(STEPS);
});

it('all that failed is told together', async () => {
  const { taken, reload } = setUp(['certificate', 'policies']);
  await expect(reload()).rejects.toThrow('no certificate; no policies');
  expect(taken).toEqual(STEPS);
});
