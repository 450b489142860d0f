/** Every attempt against every wall: each must be refused exactly as the tables say. Start reading at README.md. */
import type { Snapshot } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arena, Ground } from './arena.ts';
import { ATTEMPTS, attemptsIn, THEMES } from './attempts.ts';
import { ownLeaks, takeSnapshot } from './own-leaks.ts';
import { type Answers, isShared, runAlone, runShared } from './run-attempts.ts';
import { profileOf, type Setting } from './setting.ts';

const isRoot = process.getuid?.() === 0;
const SETTINGS: readonly Setting[] = isRoot ? ['moderate', 'restrictive'] : ['unprivileged'];

let before: Snapshot;
let ground: Ground;
let arena: Arena;

beforeAll(async () => {
  before = takeSnapshot();
  ground = await Ground.open();
  arena = await Arena.open(ground);
});

afterAll(async () => {
  await arena[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

describe.each(SETTINGS)('in the setting %s', (setting) => {
  const attempts = attemptsIn(setting);
  let answers: Answers;

  beforeAll(async () => {
    answers = await runShared(arena, attempts, profileOf(setting));
  }, 90_000);

  it.each(attempts)('$id is refused: $title', async (attempt) => {
    const answer = isShared(attempt) ? answers.get(attempt.id) : await runAlone(arena, attempt, profileOf(setting));
    expect(answer).toBe(attempt.answers[setting]);
  });
});

describe('the attempts', () => {
  it('are many, and no two have the same id', () => {
    const ids = ATTEMPTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(300);
    expect(THEMES.every(({ attempts }) => attempts.length > 0)).toBe(true);
  });

  it('expect a refusal or an absence, never anything else', () => {
    const odd = ATTEMPTS.flatMap(({ id, answers }) => Object.values(answers).map((answer) => `${id}: ${answer}`));
    expect(odd.filter((line) => !/^[a-z0-9-]+: (refused \S|absent)/.test(line))).toEqual([]);
  });
});

describe('after all of them', () => {
  it('the canaries of the host are unharmed, and nothing is left behind', async () => {
    expect(ground.canaries.harm()).toEqual([]);
    await arena[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
    expect(await ownLeaks(before)).toEqual([]);
  });
});
