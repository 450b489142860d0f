/** `warren skill`: begun, tried, added, enabled, run by an agent, changed, approved and removed; and what must not happen on the way. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

let gate: GateDaemon;
let log = '';

beforeAll(async () => {
  gate = await GateDaemon.start();
  gate.daemon.child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await gate.startAgent('builder');
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

const skill = (...words: readonly string[]) => gate.warren(['skill', ...words]);

/** A folder with a shell script as its program. */
function write(name: string, script: string, declares = ''): string {
  const folder = join(gate.user.home, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'SKILL.md'), `---\nname: ${name}\ndescription: Does what a test says\n${declares}---\nRead me.\n`);
  writeFileSync(join(folder, 'execute.sh'), `${script}\n`);
  return folder;
}

describe('warren skill new', () => {
  it.each(['python', 'javascript', 'shell'])('begins one in %s that works at once, tried without a daemon', async (language) => {
    const name = `greet-${language}`;
    const made = await skill('new', name, '--language', language);
    expect([made.code, made.stderr]).toEqual([0, `  try it: warren skill test ./${name} --params '{"name":"Ada"}'\n`]);
    const TMPDIR = join(gate.user.home, `tmp-${language}`);
    mkdirSync(TMPDIR);
    const state = { env: { WARREN_STATE: join(gate.user.home, 'no-state'), TMPDIR } };
    const given = await gate.warren(['skill', 'test', `./${name}`, '--params', '{"name":"Ada"}'], state);
    expect([given.code, given.stdout, given.stderr]).toEqual([0, '{\n  "text": "Hello, Ada"\n}\n', '']);
    const read = await gate.warren(['skill', 'test', `./${name}`, '--params', '-', '--json'], { input: '{"name": "Bo"}', ...state });
    expect(JSON.parse(read.stdout)).toMatchObject({ output: { result: { text: 'Hello, Bo' } }, error: null });
    const bare = await gate.warren(['skill', 'test', `./${name}`], state);
    expect(JSON.parse(bare.stdout)).toEqual({ text: 'Hello, world' });
    expect(readdirSync(TMPDIR).filter((each) => each.startsWith('warren-skill-'))).toEqual([]);
  });

  it.each([
    ['a name that is none', ['Bad_Name'], 2, 'a name has small letters and digits'],
    ['a name that leads out', ['../x'], 2, 'a name has small letters and digits'],
    ['a place that is not there', ['fine', '--dir', 'no/where/made'], 1, 'there is no directory'],
    ['a language that is none', ['fine', '--language', 'cobol'], 2, 'cobol'],
  ])('makes nothing of %s', async (_, words, exit, message) => {
    const { code, stderr } = await skill('new', ...words);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
  });
});

describe('warren skill test of a folder', () => {
  it('says how it failed, and gives it nothing of whoever tries it', async () => {
    write('fails', 'echo "no such order" >&2; exit 3');
    const failed = await skill('test', './fails');
    expect([failed.code, failed.stdout, failed.stderr]).toEqual([
      ...[1, ''],
      'no such order\nwarren: SkillFailed: Skill fails exits with code 3: no such order\n',
    ]);
    write('spy', 'printf \'{"found":"%s%s"}\' "$MINE" "$(ls /workspace 2>/dev/null)"');
    const spied = await gate.warren(['skill', 'test', './spy'], { env: { MINE: 'of the user' } });
    expect(JSON.parse(spied.stdout)).toEqual({ found: '' });
    write('needs', 'cat', 'warren: { secrets: { MINE: some/secret } }\n');
    const needs = await gate.warren(['skill', 'test', './needs'], { env: { MINE: 'of the user' } });
    expect([needs.code, needs.stderr]).toEqual([1, expect.stringMatching(/SecretUnavailable.*\n.*warren skill add .*needs, then/)]);
  });
});

describe('warren skill', () => {
  it('adds, enables, runs, shows, approves again, disables and removes one', async () => {
    await skill('new', 'greet', '--language', 'shell');
    const added = await skill('add', './greet');
    expect([added.code, added.stdout]).toEqual([0, 'Skill greet is added, and approved as it is.\n']);
    expect(added.stderr).toContain('warren skill enable greet --workspace NAME');

    const params = ['--params', '{"name":"Ada"}'];
    const early = await skill('run', 'greet', '--as', 'builder', ...params);
    expect([early.code, early.stdout]).toEqual([1, '']);
    expect(early.stderr).toMatch(/SkillNotEnabled[\s\S]* {2}enable it: warren skill enable greet\n$/);
    expect(JSON.parse((await skill('test', 'greet', ...params)).stdout)).toEqual({ text: 'Hello, Ada' });

    expect((await skill('enable', 'greet')).stdout).toBe('Skill greet is enabled in workspace default.\n');
    expect((await skill('enable', 'greet')).stdout).toContain('was already enabled');
    const ran = await skill('run', 'greet', '--as', 'builder', ...params);
    expect([ran.code, JSON.parse(ran.stdout)]).toEqual([0, { text: 'Hello, Ada' }]);
    expect((await gate.client.call('audit.search', { action: 'skill.run', outcome: 'success' })).entries).toHaveLength(1);
    const nobody = await skill('run', 'greet');
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringMatching(/--as AGENT\n.*warren skill test greet/)]);

    expect((await skill('list')).stdout).toMatch(/^greet +approved +enabled +program +Greets somebody/m);
    expect((await skill('list', '--names')).stdout).toBe('greet\n');
    const shown = await skill('show', 'greet');
    expect(shown.stdout).toMatch(/^state +approved, enabled here$/m);
    expect(shown.stdout).toContain('# greet\n\nGive it');

    const program = gate.path('skills', 'greet', 'execute.sh');
    writeFileSync(program, `${readFileSync(program, 'utf8')}# changed\n`);
    const changed = await skill('run', 'greet', '--as', 'builder');
    expect([changed.code, changed.stderr]).toEqual([
      1,
      expect.stringMatching(/SkillNotApproved[\s\S]*look at it: warren skill show greet\n$/),
    ]);
    const approve = /approve it: warren (skill approve greet --hash [0-9a-f]{64})\n/.exec((await skill('show', 'greet')).stderr)?.[1] ?? '';
    expect((await skill('approve', 'greet', '--hash', '0'.repeat(64))).code).not.toBe(0);
    expect((await gate.warren(approve.split(' '))).stdout).toBe('Skill greet is approved as it is.\n');
    expect((await skill('run', 'greet', '--as', 'builder')).code).toBe(0);

    expect((await skill('disable', 'greet')).stdout).toBe('Skill greet is no longer enabled in workspace default.\n');
    expect((await skill('remove', 'greet')).stdout).toBe('Skill greet is removed.\n');
    expect(await skill('remove', 'greet')).toMatchObject({ code: 1, stdout: 'There is no skill greet.\n' });
    expect((await skill('run', 'greet', '--as', 'builder')).stderr).toMatch(/SkillNotFound[\s\S]*warren skill list\n$/);
    expect((await skill('show', 'greet')).code).toBe(1);
    const { entries } = await gate.client.call('audit.search', { limit: 100 });
    expect(entries.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['skill.add', 'skill.enable', 'skill.approve', 'skill.remove']),
    );
  });

  it('is enabled for one workspace and not for another', async () => {
    await gate.client.call('workspace.create', { workspace: 'acme' });
    write('mine', 'cat');
    await skill('add', './mine');
    expect((await skill('enable', 'mine', '--workspace', 'acme')).code).toBe(0);
    expect((await skill('list')).stdout).toMatch(/^mine +approved +- /m);
    expect((await skill('list', '--workspace', 'acme')).stdout).toMatch(/^mine +approved +enabled /m);
    const none = await skill('enable', 'mine', '--workspace', 'none');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('workspace create none')]);
  });

  it('has its secret, and what it says of it reaches nobody', async () => {
    const value = 'correct-horse-battery-9f3b';
    const script = `echo "key $KEY" >&2; printf '{"plain":"%s","encoded":"%s","length":%d}' "$KEY" "$(printf %s "$KEY" | base64 -w0)" "\${#KEY}"`;
    await skill('add', write('leaky', script, 'warren: { secrets: { KEY: billing/key } }\n'));
    await skill('enable', 'leaky');
    expect((await skill('run', 'leaky', '--as', 'builder')).stderr).toMatch(
      /SecretUnavailable[\s\S]*warren secret set billing\/key --skill leaky/,
    );
    expect((await gate.warren(['secret', 'set', 'billing/key', '--skill', 'leaky'], { input: value })).code).toBe(0);

    const ran = await skill('run', 'leaky', '--as', 'builder');
    const tried = await skill('test', 'leaky');
    const whole = await gate.json(['skill', 'run', 'leaky', '--as', 'builder']);
    expect([ran.code, tried.code, JSON.parse(ran.stdout)['length'], JSON.parse(tried.stdout)['length']]).toEqual([
      0,
      0,
      value.length,
      value.length,
    ]);
    expect(JSON.parse(tried.stdout)['plain']).toBe('[redacted:billing/key]');
    const { entries } = await gate.client.call('audit.search', { limit: 100 });
    const said = [ran.stdout, ran.stderr, tried.stdout, tried.stderr, JSON.stringify(whole), JSON.stringify(entries), log].join('\n');
    expect(log).toContain('Skill leaky in workspace default says: key [redacted:billing/key]');
    for (const form of [value, Buffer.from(value).toString('base64')]) expect(said).not.toContain(form);
  });

  it.each([
    ['nothing', () => './nope', 1, 'there is no SKILL.md in it'],
    ['the whole machine', () => '/', 1, 'there is no SKILL.md in it'],
    ['a file', () => '/etc/passwd', 2, 'ENOTDIR'],
    ['a folder that says nothing of itself', () => write('mute', 'cat', 'warren: { hots: [] }\n'), 2, 'SKILL.md:4: warren.hots'],
  ])('adds nothing of %s', async (_, folder, exit, message) => {
    const { code, stdout, stderr } = await skill('add', folder());
    expect([code, stdout, stderr]).toEqual([exit, '', expect.stringContaining(message)]);
  });
});
