/** The walls one at a time: each is taken away, and somebody must notice. A wall that nobody misses is not tested, or not needed. */
import { REMOVABLE_WALLS } from '@warren/sandbox/testing';
import type { Snapshot } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ground } from './arena.ts';
import { whyNotAsUser } from './as-user.ts';
import { ownLeaks, takeSnapshot } from './own-leaks.ts';
import { runTrial, trialsOf, type WallTrial } from './wall-trials.ts';

const TRIAL_MS = 60_000;
/** Only root may leave out any wall it likes: the others are what lets an ordinary user have any. */
const whyNot = process.getuid?.() === 0 ? undefined : 'only root can start a sandbox without any one of its walls';

let before: Snapshot;
let ground: Ground;
const rows: string[] = [];

beforeAll(async () => {
  before = takeSnapshot();
  ground = await Ground.open();
});

afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

describe.each(REMOVABLE_WALLS)('the wall %s', (wall) => {
  it('is tried', () => {
    expect(trialsOf(wall).length).toBeGreaterThan(0);
  });

  it.for(trialsOf(wall).map((trial) => ({ words: wordsOf(trial), trial })))(
    'is missed: $words',
    { timeout: TRIAL_MS },
    async ({ trial }, { skip }) => {
      const reason = whyNot ?? (trial.setting === 'unprivileged' ? whyNotAsUser() : undefined);
      skip(reason !== undefined, reason);
      const { before: standing, after: gone } = await runTrial(ground, trial);
      const ids = Object.keys(trial.changes);
      expect(ids.filter((id) => /^(succeeded|inconclusive)/.test(standing.get(id) ?? ''))).toEqual([]);
      const noticed = ids.filter((id) => gone.get(id) !== standing.get(id));
      rows.push(...noticed.map((id) => `${wordsOf(trial).padEnd(60)} ${id.padEnd(32)} ${standing.get(id)} -> ${gone.get(id)}`));
      expect(noticed).toEqual(ids);
      for (const [id, beginning] of Object.entries(trial.changes))
        expect(`${id}: ${gone.get(id)}`).toMatch(new RegExp(`^${id}: ${beginning}`));
    },
  );
});

describe('after all of them', () => {
  it('the host is unharmed, and nothing is left behind', async () => {
    console.log(`What noticed that a wall was gone:\n${rows.join('\n')}`);
    expect(ground.canaries.harm().filter((line) => !line.startsWith('somebody connected'))).toEqual([]);
    await ground[Symbol.asyncDispose]();
    expect(await ownLeaks(before)).toEqual([]);
  });
});

function wordsOf({ alsoWithout, wall, setting }: WallTrial): string {
  const hidden = alsoWithout.length === 0 ? '' : ` behind ${alsoWithout.join(', ')}`;
  return `${wall}${hidden}${setting === 'unprivileged' ? ', as an ordinary user' : ''}`;
}
