/** From a run to what became of it: diff, apply, undo, runs, rm. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { atTerminal, hasPython } from '../test-support/terminal.ts';
import { finish, PATIENCE_MS, User, WARREN } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

/** Runs a script on the user's directory and gives the id of the run. */
async function work(user: User, script: string): Promise<string> {
  const { stdout } = await user.warren(['run', '--json', '--keep', '--dir', '.', '--', 'sh', '-c', script]);
  return (JSON.parse(stdout) as { run: string }).run; // Ours.
}

describe('review of a run', () => {
  it('shows, applies and takes back', async () => {
    await using user = await User.create();
    await writeFile(join(user.home, 'kept'), 'one\n');
    await writeFile(join(user.home, 'gone'), 'x\n');
    await work(user, 'echo two >> kept; rm gone; mkdir d; echo new > d/new');

    const shown = await user.warren(['diff']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    for (const line of ['+two', '-x', '+new']) expect(shown.stdout.split('\n')).toContain(line);
    expect((await user.warren(['diff', '--name-only'])).stdout.split('\n')).toEqual(expect.arrayContaining(['d/new', 'gone', 'kept']));
    expect((await user.warren(['diff', '--stat'])).stdout).toContain('kept');

    expect((await user.warren(['apply', '--dry-run'])).code).toBe(0);
    expect(existsSync(join(user.home, 'gone'))).toBe(true);
    expect((await user.warren(['apply'])).code).toBe(0);
    expect(await readFile(join(user.home, 'kept'), 'utf8')).toBe('one\ntwo\n');
    expect(await readFile(join(user.home, 'd/new'), 'utf8')).toBe('new\n');
    expect(existsSync(join(user.home, 'gone'))).toBe(false);

    expect((await user.warren(['undo'])).code).toBe(0);
    expect(await readFile(join(user.home, 'kept'), 'utf8')).toBe('one\n');
    expect(await readFile(join(user.home, 'gone'), 'utf8')).toBe('x\n');
    expect(existsSync(join(user.home, 'd'))).toBe(false);
  });

  it('shows a diff that git and patch understand', async () => {
    await using user = await User.create();
    await writeFile(join(user.home, 'a'), 'one\ntwo\n');
    await work(user, "sed -i 's/two/TWO/' a");
    const { stdout } = await user.warren(['diff']);
    expect(stdout).toMatch(/^diff --git a\/a b\/a\n/);
    expect(stdout).not.toContain('\u001b');
    expect((await user.warren(['diff', '--color', 'always'])).stdout).toContain('\u001b[');
    expect((await user.warren(['diff'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[');
    expect((await user.warren(['diff', '--color', 'never'], { env: { FORCE_COLOR: '1' } })).stdout).not.toContain('\u001b');
  });

  it('applies only the paths it is given', async () => {
    await using user = await User.create();
    await mkdir(join(user.home, 'sub'));
    const id = await work(user, 'echo 1 > a; echo 2 > sub/b; echo 3 > sub/c');
    expect((await user.warren(['diff', '--name-only', id, 'sub'])).stdout).toBe('sub/b\nsub/c\n');
    expect((await user.warren(['apply', 'a'])).code).toBe(0);
    expect([existsSync(join(user.home, 'a')), existsSync(join(user.home, 'sub/b'))]).toEqual([true, false]);
    // From below, as git does.
    expect((await user.warren(['apply', 'b'], { cwd: join(user.home, 'sub') })).code).toBe(0);
    expect([existsSync(join(user.home, 'sub/b')), existsSync(join(user.home, 'sub/c'))]).toEqual([true, false]);
  });

  it('does not overwrite what changed since, unless forced', async () => {
    await using user = await User.create();
    await writeFile(join(user.home, 'a'), 'one\n');
    await work(user, 'echo two > a; echo fine > b');
    await writeFile(join(user.home, 'a'), 'mine\n');
    const refused = await user.warren(['apply']);
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('a');
    expect(await readFile(join(user.home, 'a'), 'utf8')).toBe('mine\n');
    expect((await user.warren(['apply', '--force'])).code).toBe(0);
    expect(await readFile(join(user.home, 'a'), 'utf8')).toBe('two\n');
  });

  it('says what to do when there is no run', async () => {
    await using user = await User.create();
    for (const command of ['diff', 'apply', 'undo']) {
      const { code, stdout, stderr } = await user.warren([command]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^warren: .*\n {2}fix: warren run --dir/);
    }
    const unknown = await user.warren(['diff', 'zzzzzzzzzzzz']);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('zzzzzzzzzzzz');
    expect(JSON.parse((await user.warren(['diff', '--json'])).stdout)).toMatchObject({ error: { code: 'not_found' } });
  });

  it('does not obey what an agent wrote', async () => {
    await using user = await User.create();
    await work(user, `printf 'x' > "$(printf 'a\\033]0;owned\\007\\nb')"; printf '\\033[2J\\033[31m' > c`);
    const { stdout } = await user.warren(['diff', '--name-only']);
    expect(stdout).not.toMatch(/[\u001b\u0007]/u);
    const { stdout: runs } = await user.warren(['runs']);
    expect(runs).not.toMatch(/[\u001b\u0007]/u);
    if (!hasPython) return;
    const outcome = await atTerminal({ argv: [...WARREN, 'diff', '--color', 'never'], cwd: user.home, env: user.env(), steps: [] });
    expect(outcome.output).toContain('^[[2J');
    expect(outcome.output).not.toContain('\u001b');
  });

  it('all answers are JSON when asked', async () => {
    await using user = await User.create();
    const id = await work(user, 'echo 1 > a');
    const of = async (...args: string[]): Promise<unknown> => JSON.parse((await user.warren([...args, '--json'])).stdout);
    expect(await of('diff')).toMatchObject({ run: id, changes: [{ path: 'a' }] });
    expect(await of('apply', '--dry-run')).toMatchObject({ run: id });
    expect(await of('apply')).toMatchObject({ run: id });
    expect(await of('undo')).toMatchObject({ run: id });
    expect(await of('runs')).toMatchObject({ runs: [{ id }] });
    expect(await of('rm', '--force', id)).toMatchObject({ removed: [id] });
  });
});

describe('the list of runs', () => {
  it('is a table, the newest first, of this directory or of all', async () => {
    await using user = await User.create();
    const first = await work(user, 'exit 3');
    await mkdir(join(user.home, 'other'));
    const { stdout } = await user.warren(['run', '--json', '--dir', 'other', '--', 'sh', '-c', 'echo x > y']);
    const second = (JSON.parse(stdout) as { run: string }).run; // Ours.
    const lines = (await user.warren(['runs'])).stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^RUN .*AGE .*STATUS .*EXIT .*CHANGES .*LAYER .*DIRECTORY .*COMMAND$/);
    expect(lines.slice(1).map((line) => line.split(' ')[0])).toEqual([second, first]);
    expect((await user.warren(['runs', '--ids', '--dir', 'other'])).stdout).toBe(`${second}\n`);
  });

  it('forgets runs, and those with changes only when told so', async () => {
    await using user = await User.create();
    const [one, two] = [await work(user, 'echo 1 > a'), await work(user, 'true')];
    const refused = await user.warren(['rm', one]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--force');
    expect((await user.warren(['rm', two])).code).toBe(0);
    expect((await user.warren(['rm', '--force', one.slice(0, 11)])).code).toBe(0);
    expect((await user.warren(['runs', '--ids'])).stdout).toBe('');
    expect((await user.warren(['rm', one])).code).toBe(1);
    expect((await user.warren(['rm'])).code).toBe(2);
  });

  it('does not stumble over a damaged record', async () => {
    await using user = await User.create();
    const [good, bad] = [await work(user, 'echo 1 > a'), await work(user, 'echo 2 > b')];
    await writeFile(join(user.state, 'runs', bad, 'run.json'), '{');
    const list = await user.warren(['runs']);
    expect(list.code).toBe(0);
    expect(list.stdout).toContain(good);
    expect(list.stderr).toContain(bad);
    expect((await user.warren(['rm', '--force', bad])).code).toBe(0);
  });

  it('survives a directory that is gone', async () => {
    await using user = await User.create();
    await mkdir(join(user.home, 'd'));
    const { stdout } = await user.warren(['run', '--json', '--dir', 'd', '--', 'sh', '-c', 'echo x > y']);
    const { run } = JSON.parse(stdout) as { run: string }; // Ours.
    await rm(join(user.home, 'd'), { recursive: true });
    expect((await user.warren(['runs'])).stdout).toContain(run);
    expect((await user.warren(['apply', run])).code).toBe(1);
  });
});

describe('warren itself', () => {
  it('says its version and its commands', async () => {
    await using user = await User.create();
    expect(await user.warren(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
    const help = await user.warren(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const command of ['run', 'diff', 'apply', 'undo', 'runs', 'rm', 'doctor', 'completion'])
      expect(help.stdout).toContain(`  ${command} `);
  });

  it('exits 2 at an unknown command, with the usage on standard error', async () => {
    await using user = await User.create();
    const { code, stdout, stderr } = await user.warren(['frobnicate']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('frobnicate');
  });

  it('says that its directory is gone', async () => {
    await using user = await User.create();
    const gone = join(user.home, 'gone');
    await mkdir(gone);
    const command = WARREN.map((word) => `'${word}'`).join(' ');
    const result = await finish(spawn('bash', ['-c', `rmdir ../gone; ${command} diff`], { cwd: gone, env: user.env() }));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('it does not exist any more');
  });
});

describe('warren doctor', () => {
  it('says of every wall whether it stands', async () => {
    await using user = await User.create();
    const { code, stdout } = await user.warren(['doctor', '--json']);
    const { ok, walls } = JSON.parse(stdout) as { ok: boolean; walls: { wall: string; state: string }[] }; // Ours.
    expect(code).toBe(ok ? 0 : 1);
    expect(walls.length).toBeGreaterThan(5);
    for (const { state } of walls) expect(['enforced', 'degraded', 'missing']).toContain(state);
    const text = await user.warren(['doctor']);
    for (const { wall } of walls) expect(text.stdout).toContain(wall);
  });
});

it('a state directory of somebody else is refused', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'needs root, to give a directory to somebody else');
  await using user = await User.create();
  await mkdir(user.state);
  const { chown } = await import('node:fs/promises');
  await chown(user.state, 12345, 12345);
  await chmod(user.state, 0o700);
  const { code, stderr } = await user.warren(['runs']);
  expect(code).toBe(1);
  expect(stderr).toContain(user.state);
});
