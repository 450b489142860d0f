/** The attempts that need no root, against sandboxes that an ordinary user of the host has started: one id, no cgroups. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ORDINARY_USER, runAsUser, whyNotAsUser } from './as-user.ts';
import { attemptsIn } from './attempts.ts';
import { ownLeaks, takeSnapshot } from './own-leaks.ts';
import type { Answers } from './run-attempts.ts';

const whyNot = whyNotAsUser();
const attempts = attemptsIn('unprivileged');

describe('in a sandbox of an ordinary user', () => {
  const before = takeSnapshot();
  let answers: Answers = new Map();

  beforeAll(async () => {
    if (whyNot === undefined) answers = await runAsUser([]);
  }, 120_000);

  it.for(attempts)('$id is refused: $title', ({ id, answers: expected }, { skip }) => {
    skip(whyNot !== undefined, whyNot);
    expect(answers.get(id)).toBe(expected.unprivileged);
  });

  it('nothing is left behind', async () => {
    expect(await ownLeaks(before, ORDINARY_USER.uid)).toEqual([]);
  });
});
