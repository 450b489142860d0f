import { describe, expect, it } from 'vitest';
import { runCli } from './cli.ts';
import { FakeHost } from './test-support/fake-host.ts';
import { VERSION } from './version.ts';

async function say(...words: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const host = new FakeHost();
  const code = await runCli(words, host);
  return { code, out: host.stdout.text, err: host.stderr.text };
}

describe('warren', () => {
  it('prints its version', async () => {
    expect(await say('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
    expect(await say('-V')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
  });

  it('prints help with examples, exit codes and environment, and exits 0', async () => {
    const { code, out, err } = await say('--help');
    expect([code, err]).toEqual([0, '']);
    for (const word of [
      'run',
      'diff',
      'apply',
      'undo',
      'runs',
      'rm',
      'doctor',
      'completion',
      'Examples:',
      'Exit codes:',
      'WARREN_STATE',
      'NO_COLOR',
      'FORCE_COLOR',
    ]) {
      expect(out).toContain(word);
    }
  });

  it('prints help for each command', async () => {
    const commands = ['run', 'diff', 'apply', 'undo', 'runs', 'rm', 'doctor', 'completion'];
    for (const command of [...commands, 'serve', 'status', 'stop', 'service', 'kernel', 'token', 'backup', 'restore']) {
      const { code, out } = await say(command, '--help');
      expect(code).toBe(0);
      expect(out).toContain(`Usage: warren ${command}`);
      expect((await say('help', command)).out).toBe(out);
    }
  });

  it('prints help for each command of a command', async () => {
    const views = ['summary', 'info', 'agents', 'proc', 'events', 'queue', 'registry', 'methods', 'prometheus'];
    for (const [group, names] of Object.entries({ kernel: views, token: ['create', 'list', 'revoke'], service: ['install'] })) {
      for (const name of names) {
        const { code, out } = await say(group, name, '--help');
        expect(code).toBe(0);
        expect(out).toContain(`Usage: warren ${group} ${name}`);
      }
    }
  });

  it('prints help to standard error and exits 2 when a command needs another, and there is none', async () => {
    for (const group of ['kernel', 'token', 'service']) {
      const { code, out, err } = await say(group);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(`Usage: warren ${group}`);
    }
  });

  it('explains every exit code of run', async () => {
    const { out } = await say('run', '--help');
    for (const code of ['124', '125', '126', '127', '130', '137', '141', '143', '152', '153']) expect(out).toContain(code);
  });

  it('prints help to standard error and exits 2 when there is no command', async () => {
    const { code, out, err } = await say();
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: warren');
  });

  it('exits 2 at an unknown command and suggests the nearest', async () => {
    expect(await say('aply')).toEqual({
      code: 2,
      out: '',
      err: "warren: unknown command 'aply' (Did you mean apply?)\n  fix: warren --help\n",
    });
  });

  it('exits 2 at an unknown flag and suggests the nearest', async () => {
    expect(await say('diff', '--stats')).toEqual({
      code: 2,
      out: '',
      err: "warren: unknown option '--stats' (Did you mean --stat?)\n  fix: warren diff --help\n",
    });
  });

  it('names the inner command in the advice', async () => {
    expect((await say('kernel', 'agents', '--stat', 'DEAD')).err).toContain(
      '(Did you mean --state?)\n  fix: warren kernel agents --help\n',
    );
    expect((await say('token', 'crate')).err).toContain('(Did you mean create?)\n  fix: warren token --help\n');
  });

  it('exits 2 at an unknown shell', async () => {
    const { code, err } = await say('completion', 'tcsh');
    expect(code).toBe(2);
    expect(err).toContain('bash, zsh, fish');
  });

  it('prints a completion script', async () => {
    const { code, out } = await say('completion', 'bash');
    expect(code).toBe(0);
    expect(out).toContain('complete -F _warren warren');
  });
});

describe('warren run exits 125', () => {
  it.each<[string, readonly string[], string]>([
    ['without a command', [], 'missing required argument'],
    ['at an unknown flag', ['--memroy', '1g', '--', 'true'], 'Did you mean --memory?'],
    ['at a flag of another product', ['--fast', '--keep', '--', 'true'], '--fast'],
    ['at an unknown profile', ['--profile', 'x', '--', 'true'], 'permissive, moderate, restrictive'],
    ['at a negative limit', ['--memory', '-5', '--', 'true'], '--memory'],
    ['at an absurd limit', ['--memory', '99999999999999t', '--', 'true'], '--memory'],
    ['at a limit of nothing', ['--pids', '0', '--', 'true'], '--pids'],
    ['at a duration without a unit', ['--timeout', '30', '--', 'true'], '1500ms, 30s'],
    ['at --output-limit none', ['--output-limit', 'none', '--', 'true'], '--output-limit'],
    ['at --rw without --dir', ['--rw', '--', 'true'], '--dir'],
    ['at a network', ['--network', 'host', '--', 'true'], 'hosts by --allow-host'],
    ['at an allowed host that is none', ['--allow', 'a b', '--', 'true'], 'network.rules[0].host'],
    ['at a host that is none', ['--allow-host', 'a b', '--', 'true'], 'network.rules[0].host'],
    ['at a host without a network', ['--no-network', '--allow-host', 'a.test', '--', 'true'], '--no-network'],
    ['at a directory that is missing', ['--dir', '/nowhere/at/all', '--', 'true'], '"/nowhere/at/all" for --dir: it does not exist'],
    ['at a mount that cannot be read', ['--mount', 'x', '--', 'true'], '--mount'],
    ['at a flag without its value', ['--memory'], '--memory'],
  ])('%s', async (_, words, named) => {
    const { code, out, err } = await say('run', ...words);
    expect([code, out]).toEqual([125, '']);
    expect(err).toMatch(/^warren: /);
    expect(err).toContain(named);
    expect(err).not.toContain('    at ');
  });
});

describe('warren --json', () => {
  it('says what is wrong with the usage as JSON on standard output', async () => {
    const { code, out, err } = await say('run', '--json', '--profile', 'x', '--', 'true');
    expect([code, err]).toEqual([125, '']);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'invalid_argument', message: expect.stringContaining('--profile'), details: {} },
    });
  });

  it('belongs to the command when it stands after --', async () => {
    const { out, err } = await say('run', '--profile', 'x', '--', 'true', '--json');
    expect(out).toBe('');
    expect(err).toContain('--profile');
  });
});

it('a defect is reported as internal, with a stack only when asked for', async () => {
  const broken = new FakeHost();
  broken.cwd = () => {
    throw new TypeError('x is not a function');
  };
  expect(await runCli(['run', '--dir', '.', '--', 'true'], broken)).toBe(125);
  expect(broken.stderr.text).toBe(
    'warren: Something inside Warren failed: x is not a function\n  fix: set WARREN_DEBUG=1 to see where, and report it\n',
  );
  broken.env['WARREN_DEBUG'] = '1';
  await runCli(['run', '--dir', '.', '--', 'true'], broken);
  expect(broken.stderr.text).toContain('    at ');
});

it('words that are not UTF-8 are refused, for nobody knows any more what they were', async () => {
  const host = new FakeHost();
  host.hasExactWords = false;
  expect(await runCli(['run', '--', 'cat', '\ufffd'], host)).toBe(125);
  expect(host.stderr.text).toContain('UTF-8');
});

it('a reader that has left is no failure', async () => {
  const host = new FakeHost();
  host.stdout.isClosed = true;
  expect(await runCli(['--help'], host)).toBe(141);
  expect(await runCli(['completion', 'bash'], host)).toBe(141);
  expect(host.stderr.text).toBe('');
});
