/** `warren secret` and `warren vault`, against a daemon. */
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

let gate: GateDaemon;

beforeAll(async () => {
  gate = await GateDaemon.start();
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

const file = (name: string, text: string): string => {
  const path = join(gate.user.home, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

describe('a secret', () => {
  it('is kept, listed, shown, bound, rotated, rolled back, revoked, restored and deleted; its value is in no output', async () => {
    const outputs: string[] = [];
    const run = async (args: readonly string[], input?: string) => {
      const result = await gate.warren(['secret', ...args], input === undefined ? {} : { input });
      outputs.push(result.stdout, result.stderr);
      return result;
    };
    const set = await run(['set', 'github', '--host', 'api.github.com', '--type', 'api_key', '--purpose', 'for CI'], 'planted-value-1\n');
    expect([set.code, set.stdout, set.stderr]).toEqual([
      0,
      'github: version 1, in use, bound to api.github.com, for network.credentialed_request\n',
      '',
    ]);
    const unbound = await run(['set', 'ci/deploy', '--from-file', file('value', 'planted-value-2')]);
    expect([unbound.code, unbound.stderr]).toEqual([0, expect.stringContaining('warren secret bind ci/deploy')]);
    expect((await run(['rotate', 'github'], 'planted-value-3')).stdout).toContain('version 2');
    expect((await run(['rotate', 'nothing'], 'planted-value-3')).code).toBe(1);
    expect((await run(['bind', 'ci/deploy', '--skill', 'deploy', '--host', 'a.example.com'])).stdout).toContain(
      'bound to a.example.com, for network.credentialed_request, skill deploy',
    );
    expect(
      (await run(['unbind', 'ci/deploy', '--host', 'a.example.com', '--capability', 'network.credentialed_request'])).stdout,
    ).toContain('bound to skill deploy\n');
    expect((await run(['unbind', 'ci/deploy'])).code).toBe(2);
    expect((await run(['rollback', 'github', '1'])).stdout).toContain('version 3');
    expect((await run(['rollback', 'github', '77'])).code).toBe(1);
    expect((await run(['revoke', 'github'])).stdout).toContain('revoked');
    expect((await run(['list'])).stdout).toMatch(
      /^NAME +TYPE +VERSION +STATE +BOUND TO +PURPOSE\nci\/deploy .*\ngithub +api_key +3 +revoked/,
    );
    expect((await run(['restore', 'github'])).stdout).toContain('in use');
    expect((await run(['list', '--names'])).stdout).toBe('ci/deploy\ngithub\n');
    expect((await run(['show', 'github'])).stdout).toMatch(/versions +3 .*, 2 .*, 1 /);
    expect(await gate.json(['secret', 'show', 'github'])).toMatchObject({
      name: 'github',
      bindings: { hosts: ['api.github.com'] },
      versions: [{ version: 3 }, {}, {}],
    });
    expect((await run(['delete', 'github', 'none'])).stderr).toBe('warren: cannot delete "none": there is no such secret\n');
    expect((await run(['list', '--workspace', 'none'])).stderr).toContain('workspace create none');
    expect(outputs.join('\n')).not.toContain('planted-value');
  });

  it('that is too short to be looked for is kept, and that is said', async () => {
    const set = await gate.warren(['secret', 'set', 'pin', '--skill', 'door'], { input: '12345' });
    expect([set.code, set.stderr]).toEqual([0, expect.stringContaining('fewer than 6 bytes is not taken out of what calls answer')]);
    expect((await gate.warren(['secret', 'rotate', 'pin'], { input: '123456' })).stderr).toBe('');
    await gate.warren(['secret', 'delete', 'pin']);
  });

  it.each(['set', 'bind'])('that is given a host by %s alone is for requests to it, unless it is for something already', async (how) => {
    const give = async (name: string) => {
      const given = ['secret', how, name, '--host', 'h.example.com'];
      return await gate.warren(given, how === 'set' ? { input: 'planted-value-7' } : {});
    };
    await gate.warren(['secret', 'set', `${how}-new`], { input: 'planted-value-7' });
    const done = await give(`${how}-new`);
    expect([done.code, done.stdout, done.stderr]).toEqual([
      0,
      expect.stringContaining('bound to h.example.com, for network.credentialed_request\n'),
      '',
    ]);
    await gate.warren(['secret', 'set', `${how}-mail`, '--capability', 'mail.send'], { input: 'planted-value-7' });
    expect((await give(`${how}-mail`)).stdout).toContain('bound to h.example.com, for mail.send\n');
    const missing = await give(`${how}-missing`);
    expect(missing.code).toBe(how === 'set' ? 0 : 1);
  });

  it.each([
    ['as an argument', ['set', 'x', 'planted-value-4']],
    ['as several', ['set', 'x', 'planted-value-4', 'more', '--host', 'h.example.com']],
    ['as an option', ['set', 'x', '--value', 'planted-value-4']],
    ['as an option with =', ['rotate', 'x', '--value=planted-value-4']],
  ])('is refused %s, and the refusal does not repeat it', async (_, args) => {
    const { code, stdout, stderr } = await gate.warren(['secret', ...args], { input: 'other' });
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('everybody on this machine can see it there')]);
    expect(stderr).not.toContain('planted-value');
    expect((await gate.warren(['secret', 'list', '--names'])).stdout).not.toContain('x\n');
  });

  it.each([
    ['nothing', ''],
    ['a line end alone', '\n'],
    ['too much', 'x'.repeat(70_000)],
  ])('is refused when there is %s on standard input', async (_, input) => {
    expect((await gate.warren(['secret', 'set', 'y'], { input })).code).not.toBe(0);
  });

  it('comes from credentials.enc.json of an earlier system', async () => {
    const sealed = (values: object) => {
      const [salt, iv] = [randomBytes(32), randomBytes(16)];
      const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync('horse', salt, 100_000, 32, 'sha512'), iv);
      const ciphertext = Buffer.concat([cipher.update(JSON.stringify(values)), cipher.final()]);
      return Object.fromEntries(
        Object.entries({ salt, iv, tag: cipher.getAuthTag(), ciphertext }).map(([name, bytes]) => [name, bytes.toString('base64')]),
      );
    };
    const credentials = { issues: sealed({ GITHUB_TOKEN: 'planted-value-5', EMPTY: '' }), broken: { salt: 'AAAA' } };
    const path = file('credentials.enc.json', JSON.stringify({ version: 1, credentials }));
    const wrong = await gate.warren(['secret', 'import', path, '--passphrase-file', file('wrong', 'wrong')]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('not the right one')]);
    const done = await gate.warren(['secret', 'import', path, '--passphrase-file', file('right', 'horse\n')]);
    expect([done.code, done.stdout]).toEqual([1, 'issues/GITHUB_TOKEN\n']);
    expect(done.stderr).toMatch(/not imported: issues\/EMPTY: .*\n.*not imported: broken: it is damaged\n.*1 secret imported, 2 not/);
    expect(await gate.json(['secret', 'show', 'issues/GITHUB_TOKEN'])).toMatchObject({ bindings: { skills: ['issues'], hosts: [] } });
    expect((await gate.warren(['secret', 'import', '/nowhere', '--passphrase-file', file('right', 'horse')])).code).toBe(2);
  });
});

it('a vault with a passphrase waits to be unlocked after each start, and the daemon starts without it', async () => {
  expect((await gate.warren(['vault', 'status'])).stdout).toMatch(
    /^The vault is unlocked \(a key file unlocks it\)\n.*beside what it protects.*warren vault passphrase/s,
  );
  const [one, two] = [file('one', 'correct horse battery\n'), file('two', 'another staple of words\n')];
  expect((await gate.warren(['vault', 'passphrase', '--passphrase-file', one])).stdout).toBe(
    'The vault is unlocked (a passphrase unlocks it)\n',
  );
  await gate.killAndStart();
  const status = await gate.warren(['vault', 'status']);
  expect([status.code, status.stdout]).toEqual([1, expect.stringMatching(/^The vault is locked.*fix: warren vault unlock\n$/s)]);
  const refused = await gate.warren(['secret', 'set', 'late', '--host', 'h.example.com'], { input: 'planted-value-6' });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/the vault: it is locked.*fix: warren vault unlock/s)]);
  expect((await gate.warren(['secret', 'revoke', 'ci/deploy'])).stdout).toContain('revoked');
  expect((await gate.warren(['secret', 'delete', 'ci/deploy'])).code).toBe(0);
  expect((await gate.warren(['secret', 'list', '--names'])).stdout).not.toContain('ci/deploy');
  expect((await gate.warren(['vault', 'unlock', '--passphrase-file', two])).stderr).toContain('is not the one it was locked with');
  expect((await gate.warren(['vault', 'unlock'], { input: 'correct horse battery' })).code).toBe(0);
  expect((await gate.warren(['secret', 'set', 'late', '--host', 'h.example.com'], { input: 'planted-value-6' })).code).toBe(0);
  expect((await gate.warren(['vault', 'passphrase', '--passphrase-file', two, '--current-file', one])).code).toBe(0);
  expect((await gate.warren(['vault', 'rotate'])).code).toBe(0);
  expect((await gate.warren(['vault', 'rotate', '--workspace', 'default'])).stdout).toMatch(/sealed under a new key\n$/);
  expect((await gate.warren(['vault', 'passphrase', '--configured', '--current-file', two])).stdout).toContain('(a key file unlocks it)');
  expect(existsSync(gate.path('vault.key'))).toBe(true);
  for (const name of ['kernel.db', 'vault.json', 'daemon.json'])
    expect(readFileSync(gate.path(name)).includes('planted-value')).toBe(false);
});
