/** Values and passphrases as people type them: at a real terminal, seen by nobody and kept nowhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { atTerminal, hasPython, type TerminalOutcome, type TerminalStep } from '../test-support/terminal.ts';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS, SHIPPED } from './warren.ts';

let gate: GateDaemon;
beforeAll(async () => {
  gate = await GateDaemon.start();
}, PATIENCE_MS);
afterAll(async () => await gate?.[Symbol.asyncDispose]());
beforeEach(({ skip }) => skip(!hasPython, 'python3 is not installed: nobody can play the terminal'));

const VALUE = 'planted-at-the-terminal-é😀';
const fine = { code: 0, restored: true, failedStep: null, timedOut: false };

/** `argv`: default the tool itself, with `args`. */
async function type(
  args: readonly string[],
  steps: readonly TerminalStep[],
  argv: readonly string[] = [...SHIPPED, ...args],
): Promise<TerminalOutcome> {
  return await atTerminal({ argv, steps, cwd: gate.user.home, env: { ...gate.user.env(), PS1: '$ ' }, timeout: 60 });
}

/** Processes with a text in their words or their environment, looked for until `done`. */
async function processesWith(text: string, done: Promise<unknown>): Promise<readonly string[]> {
  const found = new Set<string>();
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      for (const file of ['cmdline', 'environ'])
        try {
          if (pid !== String(process.pid) && readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(text)) found.add(`${pid} ${file}`);
        } catch {} // It ended, or is somebody else's.
    await sleep(50);
  }
  return [...found];
}

const names = async (): Promise<string> => (await gate.warren(['secret', 'list', '--names'])).stdout;

it('a value is typed without being shown, and what is erased is not in it', { timeout: PATIENCE_MS }, async () => {
  const outcome = await type(
    ['secret', 'set', 'ci/typed', '--capability', 'network.credentialed_request', '--host', 'h.example.com'],
    [{ expect: 'Value of ci/typed: ', send: `forgotten\u0015${VALUE}😀x\u007f\u007f\r` }],
  );
  expect(outcome).toMatchObject(fine);
  for (const part of [VALUE, 'planted', 'forgotten']) expect(outcome.output).not.toContain(part);
  const set = await gate.client.call('secret.get', { name: 'ci/typed' });
  expect(set).toMatchObject({ name: 'ci/typed', version: 1 });
});

it('a value that is typed in a shell is in no history, no command line and no environment', { timeout: PATIENCE_MS }, async () => {
  const words = [...SHIPPED, 'secret', 'set', 'ci/shell', '--host', 'h.example.com'].map((word) => `'${word}'`).join(' ');
  const typing = type(
    [],
    [
      { expect: '\\$ ', send: `HISTFILE=$PWD/history; ${words}\r` },
      { expect: 'Value of ci/shell: ', send: VALUE },
      { wait: 1, send: '\r' },
      { expect: '\\$ ', send: 'exit\r' },
    ],
    ['bash', '--norc', '--noprofile', '-i'],
  );
  expect(await processesWith('planted-at', typing)).toEqual([]);
  const { output, failedStep } = await typing;
  expect([failedStep, output.includes('planted')]).toEqual([null, false]);
  expect(readFileSync(`${gate.user.home}/history`, 'utf8')).toContain('ci/shell');
  expect(readFileSync(`${gate.user.home}/history`, 'utf8')).not.toContain('planted');
  expect(await names()).toContain('ci/shell');
});

it.each([
  ['Ctrl-C', { send: `${VALUE}\u0003` }],
  ['Ctrl-D', { send: '\u0004' }],
  ['SIGTERM', { send: VALUE, signal: 'SIGTERM' }],
])('%s at the prompt keeps nothing, and gives the terminal back', { timeout: PATIENCE_MS }, async (_, step) => {
  const outcome = await type(['secret', 'set', 'ci/left', '--host', 'h.example.com'], [{ expect: 'Value of ci/left: ', ...step }]);
  expect(outcome).toMatchObject({ restored: true, failedStep: null, timedOut: false });
  expect(outcome.code).not.toBe(0);
  expect(outcome.output).not.toContain('planted');
  expect(await names()).not.toContain('ci/left');
});

it('a passphrase of the vault is typed twice, and the same both times', { timeout: PATIENCE_MS }, async () => {
  const [first, second] = [`${VALUE} one`, `${VALUE} two`];
  const differs = await type(
    ['vault', 'passphrase'],
    [
      { expect: 'New passphrase: ', send: `${first}\r` },
      { expect: 'Once more: ', send: `${second}\r` },
    ],
  );
  expect(differs).toMatchObject({ ...fine, code: 2, output: expect.stringContaining('the second time') });
  expect((await gate.warren(['vault', 'status'])).stdout).toContain('a key file unlocks it');
  const left = await type(
    ['vault', 'passphrase'],
    [
      { expect: 'New passphrase: ', send: `${first}\r` },
      { expect: 'Once more: ', send: `${first}\u0003` },
    ],
  );
  expect(left).toMatchObject({ restored: true, timedOut: false });
  expect((await gate.warren(['vault', 'status'])).stdout).toContain('a key file unlocks it');
  const done = await type(
    ['vault', 'passphrase'],
    [
      { expect: 'New passphrase: ', send: `${first}\r` },
      { expect: 'Once more: ', send: `${first}\r` },
    ],
  );
  expect(done).toMatchObject({ ...fine, output: expect.stringContaining('a passphrase unlocks it') });
  await gate.killAndStart();
  const wrong = await type(['vault', 'unlock'], [{ expect: 'Passphrase: ', send: `${second}\r` }]);
  expect(wrong).toMatchObject({ restored: true, output: expect.stringContaining('is not the one it was locked with') });
  expect(wrong.code).not.toBe(0);
  const right = await type(['vault', 'unlock'], [{ expect: 'Passphrase: ', send: `${first}\r` }]);
  expect(right).toMatchObject({ ...fine, output: expect.stringContaining('The vault is unlocked') });
  const changed = await type(
    ['vault', 'passphrase'],
    [
      { expect: 'Passphrase now: ', send: `${first}\r` },
      { expect: 'New passphrase: ', send: `${second}\r` },
      { expect: 'Once more: ', send: `${second}\r` },
    ],
  );
  expect(changed).toMatchObject(fine);
  for (const { output } of [differs, left, done, wrong, right, changed]) expect(output).not.toContain('planted');
  expect(await names()).toContain('ci/typed');
});
