/** The attempts that need no root, against sandboxes that an ordinary user of the host has started: one id, no cgroups. */
import { leaksSince, snapshot } from '@warren/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { runAsUser, whyNotAsUser } from './as-user.ts';
import { attemptsIn } from './attempts.ts';
import type { Answers } from './run-attempts.ts';

const whyNot = whyNotAsUser();
const attempts = attemptsIn('unprivileged');

describe('in a sandbox of an ordinary user', () => {
  const before = snapshot({ isOurs: () => false }); // No cgroups: there are none to look for.
  let answers: Answers = new Map();

  beforeAll(async () => {
    if (whyNot === undefined) answers = await runAsUser([]);
  }, 120_000);

  it.for(attempts)('$id is refused: $title', ({ id, answers: expected }, { skip }) => {
    skip(whyNot !== undefined, whyNot);
    expect(answers.get(id)).toBe(expected.unprivileged);
  });

  it('nothing is left behind', async () => {
    expect(await leaksSince(before)).toEqual([]);
  });
});
