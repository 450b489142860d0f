/** `warren policy`: written, checked, explained, tested, compared, and in force without a restart. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const BLOCK = `rules:
  - id: hands-off
    capability: "filesystem.*"
    when: { path: { under: /workspace/secret } }
    tier: blocked
    reason: Not for agents
tests:
  - { name: secrets, capability: filesystem.read, input: { path: secret/key }, expect: { tier: blocked, rule: hands-off } }
  - { name: others, capability: filesystem.read, input: { path: secrets.md }, expect: { tier: autonomous } }
`;
const BAD = `rules:
  - id: typo
    capability: "filesystem.*"
    teir: blocked
`;

let gate: GateDaemon;
let pid: number;

beforeAll(async () => {
  gate = await GateDaemon.start();
  pid = await gate.startAgent('builder');
});

afterEach(async () => {
  for (const name of readdirSync(gate.path('policies'))) rmSync(gate.path('policies', name), { recursive: true });
  await gate.client.call('policy.reload', {});
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

function write(name: string, text: string): string {
  const path = join(gate.user.home, name);
  writeFileSync(path, text);
  return path;
}

describe('warren policy', () => {
  it('begins with a template, and shows what is in force', async () => {
    expect((await gate.warren(['policy', 'show'])).stdout).toContain('No policy files');
    expect((await gate.warren(['policy', 'init'])).stdout.split('\n')).toContain('team-moderate');
    const unknown = await gate.warren(['policy', 'init', 'lenient']);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('the templates are personal-permissive, team-moderate')]);

    const inForce = gate.says('Policies are in force');
    expect((await gate.warren(['policy', 'init', 'team-moderate'])).code).toBe(0);
    await inForce;
    const shown = await gate.warren(['policy', 'show']);
    expect(shown.stdout).toMatch(/^workspace {2}workspace\.yaml {6}\d+ {2}notify$/m);
    const again = await gate.warren(['policy', 'init', 'team-moderate']);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('it is there')]);
    expect(await gate.warren(['policy', 'check'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 file with \d+ rules can/) });
  });

  it('finds mistakes, with file and line', async () => {
    const bad = await gate.warren(['policy', 'check', write('bad.yaml', BAD)]);
    expect([bad.code, bad.stdout]).toEqual([1, '']);
    expect(bad.stderr).toMatch(/^error: bad\.yaml:4: .*teir/m);
    const found = await gate.outcome(['policy', 'check', write('broken.yaml', 'rules: [\n  {')]);
    expect(found).toMatchObject({ code: 1, document: { is_usable: false, files: 0 } });
    expect(found.stderr).toBe('');
    const explosive = 'rules: [{ capability: "*", tier: notify, when: { args: { a: { regex: "(a+)+\\\\1" } } } }]';
    expect((await gate.warren(['policy', 'check', write('regex.yaml', explosive)])).code).toBe(1);
    expect(await gate.warren(['policy', 'check', write('good.yaml', BLOCK)])).toMatchObject({ code: 0, stderr: '' });
    expect((await gate.warren(['policy', 'check', 'nowhere'])).stderr).toContain('there is nothing');
  });

  it('explains a decision by rule, file and line, and does nothing', async () => {
    await gate.setPolicy(BLOCK);
    const explained = await gate.warren(['policy', 'explain', 'filesystem.write', 'path=secret/x', 'content=1', '--as', 'anybody']);
    expect(explained).toMatchObject({ code: 0, stderr: '' });
    expect(explained.stdout.split('\n')).toContain('decision   blocked');
    expect(explained.stdout.split('\n')).toContain('because    workspace.yaml:2 hands-off (Not for agents)');
    const builtIn = await gate.warren(['policy', 'explain', 'process.run', 'command=rm', 'args:=["-rf","/"]', '--as', 'anybody']);
    expect(builtIn.stdout).toMatch(/^asked +process\.run by anybody$/m);
    expect(builtIn.stdout).toMatch(/^because +built in: mass_destruction \(It removes a directory of the system\)$/m);
    const asJson = await gate.json(['policy', 'explain', 'process.run', 'command=rm', 'args:=["-rf","/"]', '--as', 'anybody']);
    expect(asJson).toMatchObject({ rule: { layer: 'builtin', file: null, line: null, reason: 'It removes a directory of the system' } });
    const incomplete = await gate.warren(['policy', 'explain', 'filesystem.write', '--as', 'anybody']);
    expect(incomplete.stderr).toMatch(/^warren: cannot explain a call of filesystem\.write: its arguments are not valid: path: is missing/);
    const none = await gate.json(['policy', 'explain', 'filesystem.read', 'path=x', '--as', 'anybody']);
    expect(none).toMatchObject({ tier: 'autonomous', rule: null });
    const wrong = await gate.warren(['policy', 'explain', 'filesystem.read', '--input', '{', '--as', 'anybody']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('cannot use --input: it is no JSON')]);
    expect((await gate.warren(['policy', 'explain', 'filesystem.read', 'path=x', '--as', 'a', '--at', 'noon'])).code).toBe(2);
    expect((await gate.client.call('audit.search', { agent: 'anybody' })).entries).toEqual([]);
  });

  it('runs the tests of its files', async () => {
    expect(await gate.warren(['policy', 'test', write('tested.yaml', BLOCK)])).toMatchObject({ code: 0, stdout: '2 passed, 0 failed\n' });
    const failing = BLOCK.replace('expect: { tier: autonomous }', 'expect: { tier: notify }');
    const { code, stdout } = await gate.warren(['policy', 'test', write('failing.yaml', failing)]);
    expect([code, stdout]).toEqual([1, 'failed: failing.yaml: others: expected notify, found autonomous by no rule\n1 passed, 1 failed\n']);
    expect((await gate.warren(['policy', 'test', write('bad.yaml', BAD)])).code).toBe(1);
  });

  it('is in force at once when a file changes; a file with a mistake leaves what was', async () => {
    const read = async () => await gate.call(pid, 'filesystem.stat', { path: 'secret/key' });
    expect(await read()).toMatchObject({ state: 'done' });
    const file = gate.path('policies', 'workspace.yaml');
    const inForce = gate.says('Policies are in force');
    writeFileSync(file, BLOCK);
    await inForce;
    expect(await read()).toMatchObject({ state: 'failed', error: { type: 'PolicyDenied' } });

    const refused = gate.says('"level":"warn","message":"Policies on disk have mistakes');
    writeFileSync(file, BAD);
    await refused;
    expect(await read()).toMatchObject({ state: 'failed', error: { type: 'PolicyDenied' } });
    const shown = await gate.warren(['policy', 'show']);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/^workspace {2}workspace\.yaml {6}1/m);
    expect(shown.stderr).toMatch(/^error: workspace\.yaml:4: .*teir/m);
    const alerted = async () => (await gate.client.call('alert.list', { status: 'pending' })).alerts.map(({ message }) => message);
    await vi.waitFor(async () => expect(await alerted()).toEqual([expect.stringMatching(/workspace\.yaml:4: .*teir/)]));

    const again = gate.says('Policies are in force');
    writeFileSync(file, 'default: notify\n');
    await again;
    expect(await read()).toMatchObject({ state: 'done' });
    await vi.waitFor(async () => expect(await alerted()).toEqual([]));
  });

  it('waits for nothing that is no plain file, and names what it does not read', async () => {
    await gate.setPolicy(BLOCK);
    const refused = gate.says('Policies on disk have mistakes');
    execFileSync('mkfifo', [gate.path('policies', 'system.yaml')]);
    symlinkSync('/dev/zero', gate.path('policies', 'organization.yaml'));
    await refused;
    const kinds = /^error: system\.yaml: is a pipe, not a plain file\nerror: organization\.yaml: is a device, not a plain file$/m;
    for (const command of ['check', 'reload', 'show', 'test', 'diff']) {
      const words = command === 'diff' ? [command, gate.path('policies')] : [command];
      const { code, stderr } = await gate.warren(['policy', ...words]);
      expect([command, code, stderr]).toEqual([command, 1, expect.stringMatching(kinds)]);
    }
    const pipe = await gate.warren(['policy', 'import', gate.path('policies', 'system.yaml')]);
    expect([pipe.code, pipe.stderr]).toEqual([2, expect.stringContaining('it is a pipe, not a plain file')]);
    expect(await gate.call(pid, 'filesystem.stat', { path: 'secret/key' })).toMatchObject({ state: 'failed' });
    for (const file of ['system.yaml', 'organization.yaml']) rmSync(gate.path('policies', file));
    writeFileSync(gate.path('policies', 'worksapce.yaml'), 'default: blocked\n');
    for (const command of ['reload', 'check', 'show']) {
      const { code, stderr } = await gate.warren(['policy', command]);
      expect([code, stderr]).toEqual([0, 'warning: worksapce.yaml: is not read: did you mean workspace.yaml\n']);
    }
    rmSync(gate.path('policies', 'worksapce.yaml'));
    await gate.warren(['policy', 'reload']);
  });

  it('keeps a file in force that is gone, until it is reloaded', async () => {
    await gate.setPolicy(BLOCK);
    const said = gate.says('Policies on disk have mistakes');
    rmSync(gate.path('policies', 'workspace.yaml'));
    await said;
    expect(await gate.call(pid, 'filesystem.stat', { path: 'secret/key' })).toMatchObject({ state: 'failed' });
    expect((await gate.warren(['policy', 'show'])).stderr).toMatch(/^error: workspace\.yaml.*is gone; it is still in force/m);
    const reloaded = await gate.warren(['policy', 'reload']);
    expect([reloaded.code, reloaded.stdout]).toEqual([0, expect.stringMatching(/^0 files in force, version [0-9a-f]{12}\n$/)]);
    expect(await gate.call(pid, 'filesystem.stat', { path: 'secret/key' })).toMatchObject({ state: 'done' });
    await gate.warren(['policy', 'init', 'team-moderate']);
    writeFileSync(gate.path('policies', 'workspace.yaml'), BAD);
    const bad = await gate.outcome(['policy', 'reload']);
    expect(bad).toMatchObject({ code: 1, document: { problems: expect.arrayContaining([expect.objectContaining({ line: 4 })]) } });
  });

  it('simulates other policies with the calls that were recorded', async () => {
    const simulated = await gate.startAgent('simulated');
    for (const path of ['secret/a', 'secret/b', 'open/c']) {
      await gate.call(simulated, 'filesystem.write', { path, content: '1', create_parents: true });
    }
    const file = write('candidate.yaml', BLOCK);
    const found = await gate.json<{ calls: number; stricter: number; changes: { agent: string; after: string; rule: string }[] }>([
      ...['policy', 'simulate', file, '--last', '1h'],
    ]);
    const changes = found.changes.filter(({ agent }) => agent === 'simulated');
    expect(changes).toMatchObject([
      { capability: 'filesystem.write', before: 'notify', after: 'blocked', rule: 'candidate.yaml:2 hands-off' },
      { capability: 'filesystem.write', before: 'notify', after: 'blocked', rule: 'candidate.yaml:2 hands-off' },
    ]);
    expect(found.calls).toBeGreaterThanOrEqual(3);
    const text = await gate.warren(['policy', 'simulate', file, '--workspace', 'default']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^\d+ calls: \d+ the same, \d+ stricter, 0 milder\n/);
    const bad = await gate.warren(['policy', 'simulate', write('bad.yaml', BAD)]);
    expect([bad.code, bad.stdout, bad.stderr]).toEqual([1, '', expect.stringMatching(/^error: bad\.yaml:4: .*teir/m)]);
    // Nothing of it is in force.
    expect(await gate.call(simulated, 'filesystem.read', { path: 'secret/a' })).toMatchObject({ state: 'done' });
  });

  it('compares two sets, rule by rule', async () => {
    const [before, after] = [write('before.yaml', BLOCK), write('after.yaml', BLOCK.replace('tier: blocked\n', 'tier: notify\n'))];
    const { code, stdout } = await gate.warren(['policy', 'diff', before, after]);
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'changed workspace.yaml hands-off']);
    expect(stdout).toMatch(/^ {2}- filesystem\.\* → blocked.*\n {2}\+ filesystem\.\* → notify/m);
    expect((await gate.warren(['policy', 'diff', before, before])).stdout).toBe('no difference\n');
    await gate.setPolicy(BLOCK);
    expect((await gate.warren(['policy', 'diff', before])).stdout).toBe('no difference\n');
    // Alone it is what would come: its rules are added, and of other files nothing is said.
    writeFileSync(gate.path('policies', 'organization.yaml'), 'default: notify\n');
    const candidate = write(
      'candidate.yaml',
      `${BLOCK.slice(0, BLOCK.indexOf('tests:'))}  - { id: few, capability: process.run, tier: notify, limit: { max: 5, per: 90m } }\n`,
    );
    expect((await gate.warren(['policy', 'diff', candidate])).stdout).toBe(
      'added workspace.yaml few\n  + process.run → notify; limit 5 calls in 1h 30m, then blocked\n',
    );
    expect((await gate.warren(['policy', 'diff', candidate, gate.path('policies')])).stdout).toMatch(
      /^removed workspace\.yaml few\n {2}- /,
    );
    rmSync(gate.path('policies', 'organization.yaml'));
    await gate.warren(['policy', 'reload']);
    const bad = await gate.warren(['policy', 'diff', before, write('bad.yaml', BAD)]);
    expect([bad.code, bad.stdout]).toEqual([1, '']);
  });

  it.each([
    ['a map', 'capabilities: { filesystem.write: { tier: blocked } }\ndefaults: { tier: notify }', 'filesystem.write', 'blocked'],
    [
      'a list',
      'rules: [{ capability: "filesystem.*", tier: blocked, conditions: { path_prefix: "<workspace>/" } }]',
      'filesystem.write',
      'blocked',
    ],
    [
      'a list with match',
      'rules: [{ match: { capability: filesystem.write }, tier: approval_required }]',
      'filesystem.write',
      'approval_required',
    ],
    [
      'that of an organization',
      'defaults: { tier: notify }\noverrides: [{ capability: "filesystem.*", tier: blocked }]',
      'filesystem.write',
      'blocked',
    ],
  ])('takes over an earlier spelling: %s', async (_, text, capability, tier) => {
    const old = write('old.yaml', text);
    const { code, stdout } = await gate.warren(['policy', 'import', old]);
    expect(code).toBe(0);
    await gate.setPolicy(stdout);
    const decision = await gate.client.call('policy.explain', { agent: 'a', capability, input: { path: 'x', content: '1' } });
    expect(decision.tier).toBe(tier);
  });

  it('says what cannot be taken over, and where an agent’s policy belongs', async () => {
    const old = write('old.yaml', 'agent: builder\nrules: [{ capability: "x.y", tier: blocked, conditions: { moon: full } }]');
    const out = join(gate.user.home, 'new.yaml');
    const { code, stdout, stderr } = await gate.warren(['policy', 'import', old, '--out', out]);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('its condition moon has no equal here');
    expect(stderr).toContain('put it at policies/agents/builder.yaml');
    expect(readFileSync(out, 'utf8')).toContain('rules: []');
    const again = await gate.warren(['policy', 'import', old, '--out', out]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining(`cannot write ${out}: it is there\n  fix: change that file`)]);
    for (const [text, problem] of [
      ['', 'old.yaml:1: says nothing: '],
      ['foo: bar', 'old.yaml:1: says nothing of a policy: '],
    ]) {
      const nothing = await gate.warren(['policy', 'import', write('old.yaml', text ?? '')]);
      expect([nothing.code, nothing.stdout, nothing.stderr]).toEqual([1, '', expect.stringContaining(`error: ${problem}`)]);
    }
    const nowhere = await gate.warren(['policy', 'import', 'nowhere.yaml']);
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      expect.stringMatching(/^warren: cannot import .*nowhere\.yaml: it cannot be read: ENOENT/),
    ]);
  });
});
