/** What the tool says next to what failed: the command that helps, as it is to be typed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

let gate: GateDaemon;
beforeAll(async () => {
  gate = await GateDaemon.start();
  await gate.client.call('workspace.create', { workspace: 'acme' });
}, PATIENCE_MS);
afterAll(async () => await gate?.[Symbol.asyncDispose]());

describe('what is not there', { timeout: PATIENCE_MS }, () => {
  it.each([
    ['secret show nope --workspace acme', 'those there are: warren secret list --workspace acme'],
    ['session show nope', 'those there are: warren session list'],
    ['memory show nope --workspace acme', 'those there are: warren memory list --workspace acme'],
    ['skill enable nope', 'those there are: warren skill list'],
    ['hook test nope', 'those there are: warren hook list'],
    ['memory list --workspace gone', 'warren workspace list, or: warren workspace create gone'],
  ])('warren %s', async (words, fix) => {
    expect(await gate.warren(words.split(' '))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`\n  fix: ${fix}\n`),
    });
  });

  it('as a skill may be here as a folder', async () => {
    mkdirSync(`${gate.user.home}/greet`);
    writeFileSync(`${gate.user.home}/greet/SKILL.md`, '---\nname: greet\ndescription: x\n---\n');
    const { code, stderr } = await gate.warren(['skill', 'test', 'greet']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('\n  fix: warren skill test ./greet\n')]);
  });
});

it('a secret that nothing can use is bound where it is', { timeout: PATIENCE_MS }, async () => {
  const { stderr } = await gate.warren(['secret', 'set', 'a/b', '--workspace', 'acme'], { input: 'x' });
  expect(stderr).toContain('warren secret bind a/b --host HOST --workspace acme\n');
});

it('a passphrase that cannot be asked for is given by an option, which is named', { timeout: PATIENCE_MS }, async () => {
  const { code, stderr } = await gate.warren(['vault', 'passphrase'], { input: 'x' });
  expect([code, stderr]).toEqual([2, expect.stringContaining('give it with --passphrase-file FILE')]);
});

it('names of workspaces are listed alone', { timeout: PATIENCE_MS }, async () => {
  expect((await gate.warren(['workspace', 'list', '--names'])).stdout).toBe('acme\ndefault\n');
});
