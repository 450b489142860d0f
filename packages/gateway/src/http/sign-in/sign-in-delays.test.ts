import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DelayFile } from './delay-file.ts';
import { SignInDelays } from './sign-in-delays.ts';

function setUp() {
  let now = 0;
  const delays = new SignInDelays(1_000, () => now);
  const guess = (name: string, network: string): number => {
    const attempt = delays.begin('name', name, network);
    return attempt.kind === 'wait' ? attempt.waitMs : 0;
  };
  const signIn = (name: string, network: string): boolean => {
    const attempt = delays.begin('name', name, network);
    if (attempt.kind === 'admitted') attempt.succeeded();
    return attempt.kind === 'admitted';
  };
  return { delays, guess, signIn, advance: (ms: number) => (now += ms) };
}

it('one name from many networks waits, and so does one network with many names', () => {
  const { guess } = setUp();
  const byName = Array.from({ length: 7 }, (_, index) => guess('ann', `10.0.0.${index}`));
  expect(byName).toEqual([0, 0, 0, 0, 0, 1_000, 1_000]);
  const byNetwork = Array.from({ length: 7 }, (_, index) => guess(`nobody-${index}`, '10.1.0.1'));
  expect(byNetwork).toEqual([0, 0, 0, 0, 0, 1_000, 1_000]);
});

it('who signed in from a network before is let in there while others guess the name, and can guess there no more than anybody', () => {
  const { guess, signIn } = setUp();
  expect(signIn('ann', '10.0.0.1')).toBe(true);
  for (let index = 0; index < 6; index++) guess('ann', `10.9.0.${index}`);
  expect(signIn('ann', '10.0.0.2')).toBe(false);
  expect(signIn('ann', '10.0.0.1')).toBe(true);
  expect(Array.from({ length: 6 }, () => guess('ann', '10.0.0.1'))).toEqual([0, 0, 0, 0, 0, 1_000]);
  expect(signIn('ann', '10.0.0.1')).toBe(false);
});

it("an account of one's own does not buy guesses at others", () => {
  const { guess, signIn } = setUp();
  const waits: number[] = [];
  for (let round = 0; round < 6; round++) {
    waits.push(guess('ann', '10.0.0.1'));
    signIn('mallory', '10.0.0.1');
  }
  expect(waits.at(-1)).toBeGreaterThan(0);
});

it('what is typed as a name holds up no provider of the same name, nor the other way around', () => {
  const { delays, guess } = setUp();
  const viaProvider = (who: string, network: string) => delays.begin('provider', who, network).kind;
  for (let index = 0; index < 6; index++) guess('corp 10.0.0.1', `10.9.0.${index}`);
  expect(viaProvider('corp 10.0.0.1', '10.0.0.1')).toBe('admitted');
  for (let index = 0; index < 6; index++) viaProvider('corp 10.0.0.2', `10.8.0.${index}`);
  expect(guess('corp 10.0.0.2', '10.0.0.2')).toBe(0);
});

it("is kept in a file of one's own that holds no name, and a damaged one is none", () => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-delays-'));
  const path = join(directory, 'sign-in.json');
  const { delays, guess, signIn } = setUp();
  for (let count = 0; count < 5; count++) guess('my passphrase by mistake', '10.0.0.1');
  signIn('ann', '10.0.0.2');
  new DelayFile(path, delays, () => 5_000_000).write();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).not.toMatch(/mistake|ann/);
  const after = setUp();
  new DelayFile(path, after.delays, () => 4_000_000).write();
  expect(after.guess('x', '10.0.0.1')).toBe(1_000);
  for (const text of ['', '{}', 'x', '{"written_at":0,"names":[{"key":"a"}],"networks":[],"pairs":[],"known":[]}']) {
    writeFileSync(path, text);
    const fresh = setUp();
    new DelayFile(path, fresh.delays);
    expect(fresh.guess('x', '10.0.0.1')).toBe(0);
  }
  rmSync(directory, { recursive: true });
});
