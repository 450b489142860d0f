import { writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { loadConfig } from './config.ts';
import { LiveConfig } from './live-config.ts';

it('what cannot be recorded or told about a reading keeps nothing else from being done', async () => {
  await using directory = await TemporaryDirectory.create();
  const { config } = await loadConfig(directory.path);
  const [told, said]: [(string | undefined)[], string[]] = [[], []];
  const live = new LiveConfig(config, {
    directory: directory.path,
    onChange: async () => {},
    onRefused: () => Promise.reject(new Error('the audit is full')),
    async tell(problem) {
      told.push(problem);
      if (problem === undefined) throw new Error('the store is full');
    },
    say: (message) => said.push(message),
  });
  writeFileSync(directory.join('config.yaml'), 'nonsense: [', { mode: 0o600 });
  expect(await live.reload()).toMatchObject({ kind: 'refused' });
  expect([told.length, said.at(-1)]).toEqual([1, expect.stringContaining('recorded: the audit is full')]);
  writeFileSync(directory.join('config.yaml'), '', { mode: 0o600 });
  expect(await live.reload()).toEqual({ kind: 'read', restart: [] });
  expect([told.length, said.at(-1)]).toEqual([2, expect.stringContaining('told: the store is full')]);
});
