import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { torture } from './torture.ts';

const SEED = Number(process.env['WARREN_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000));

it(`a daemon that is killed under load loses and doubles nothing it acknowledged (seed ${SEED})`, { timeout: 120_000 }, async () => {
  await using directory = await TemporaryDirectory.create();
  expect(await torture({ state: directory.path, kills: 8, seed: SEED })).toBeGreaterThan(0);
});
