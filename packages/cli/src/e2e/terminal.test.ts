/** `warren run --tty` with a person at the other end. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { atTerminal, hasPython, type TerminalOutcome, type TerminalSession } from '../test-support/terminal.ts';
import { PATIENCE_MS, User, WARREN } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

async function warrenAtTerminal(args: readonly string[], session: Omit<TerminalSession, 'argv'>): Promise<TerminalOutcome> {
  await using user = await User.create();
  return await atTerminal({ argv: [...WARREN, ...args], cwd: user.home, ...session, env: { ...user.env(), PS1: '$ ', ...session.env } });
}

const fine = { restored: true, failedStep: null, timedOut: false };

beforeEach(({ skip }) => skip(!hasPython, 'python3 is not installed: nobody can play the terminal'));

describe('warren run --tty', () => {
  it('gives the command a terminal of the same size and kind', async () => {
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'sh', '-c', 'tty; stty size; echo $TERM; exit 5'], {
      rows: 41,
      columns: 97,
      env: { TERM: 'xterm-kitty' },
      steps: [{ expect: '/dev/' }, { expect: '41 97' }, { expect: 'xterm-kitty' }],
    });
    expect(outcome).toMatchObject({ ...fine, code: 5 });
  });

  it('passes a new size on', async () => {
    const script = 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done';
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'sh', '-c', script], {
      steps: [{ expect: 'ready', resize: [50, 132] }, { expect: '50 132' }],
    });
    expect(outcome).toMatchObject({ ...fine, code: 0 });
  });

  it('sends Ctrl-C as a key, which the terminal inside turns into SIGINT', async () => {
    const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.05; done';
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'sh', '-c', script], {
      steps: [{ expect: 'ready', send: '\u0003' }, { expect: 'caught' }],
    });
    expect(outcome).toMatchObject({ ...fine, code: 9 });
  });

  it('does not kill at a second Ctrl-C: an editor may want it', async () => {
    const script = 'trap "echo caught" INT; echo ready; read a; read b; echo "<$a$b>"';
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'bash', '-c', script], {
      steps: [
        { expect: 'ready', send: '\u0003' },
        { expect: 'caught', send: '\u0003' },
        { expect: 'caught', send: 'x\ry\r' },
        { expect: '<xy>' },
      ],
    });
    expect(outcome).toMatchObject({ ...fine, code: 0 });
  });

  it('keeps a lone newline one line down, for programs that fill the screen', async () => {
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'sh', '-c', 'echo ordinary; stty -onlcr; printf "a\\nb\\r\\n"'], {
      steps: [],
    });
    expect(outcome).toMatchObject({ ...fine, code: 0, output: 'ordinary\r\na\u000bb\r\n' });
  });

  it('ends a program that reads at Ctrl-D', async () => {
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'sh', '-c', 'echo ready; cat; echo over'], {
      steps: [{ expect: 'ready', send: 'hello\r' }, { expect: 'hello\r\nhello', send: '\u0004' }, { expect: 'over' }],
    });
    expect(outcome).toMatchObject({ ...fine, code: 0 });
  });

  it('runs a shell as one sits at it', async () => {
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'bash', '--norc', '-i'], {
      steps: [
        { expect: r`\$ `, send: 'echo $((6*7))\r' },
        { expect: '\r42\r\n', send: 'sleep 100\r' },
        { wait: 0.3, send: '\u001a' },
        { expect: 'Stopped', send: 'fg\r' },
        { wait: 0.3, send: '\u0003' },
        { wait: 0.3, send: 'exit 3\r' },
      ],
    });
    expect(outcome).toMatchObject({ ...fine, code: 3 });
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('restores the terminal when it is told to end with %s', async (signal, code) => {
    const outcome = await warrenAtTerminal(['run', '-t', '--', 'sh', '-c', 'trap "" TERM HUP; echo ready; while :; do sleep 0.05; done'], {
      steps: [{ expect: 'ready', signal }],
    });
    expect(outcome).toMatchObject({ ...fine, code });
  });

  it('restores the terminal after a command that does not exist, a deadline, a crash', async () => {
    for (const [args, code] of [
      [['run', '-t', '--', 'no-such-program'], 127],
      [['run', '-t', '--timeout', '300ms', '--', 'sleep', '100'], 124],
      [['run', '-t', '--', 'sh', '-c', 'stty raw -echo; kill -SEGV $$'], 139],
    ] as const) {
      expect(await warrenAtTerminal(args, { steps: [] })).toMatchObject({ ...fine, code });
    }
  });
});

describe('warren run on a terminal, without --tty', () => {
  it('reads lines and passes Ctrl-C on', async () => {
    const outcome = await warrenAtTerminal(
      ['run', '--', 'sh', '-c', 'trap "echo caught; exit 9" INT; read line; echo "<$line>"; sleep 100 & wait'],
      {
        steps: [{ wait: 1, send: 'typed\r' }, { expect: '<typed>', send: '\u0003' }, { expect: 'caught' }],
      },
    );
    expect(outcome).toMatchObject({ ...fine, code: 9 });
  });

  it('kills at the second Ctrl-C', async () => {
    const outcome = await warrenAtTerminal(['run', '--', 'sh', '-c', 'trap "" INT; echo ready; while :; do sleep 0.05; done'], {
      steps: [
        { expect: 'ready', send: '\u0003' },
        { wait: 0.3, send: '\u0003' },
      ],
    });
    expect(outcome).toMatchObject({ ...fine, code: 130 });
  });

  it('stops at Ctrl-Z with everything in the sandbox, and continues', async () => {
    const command = WARREN.map((word) => `'${word}'`).join(' ');
    await using user = await User.create();
    const outcome = await atTerminal({
      argv: ['bash', '--norc', '-i'],
      cwd: user.home,
      env: { ...user.env(), PS1: 'prompt> ' },
      steps: [
        { expect: 'prompt> ', send: `${command} run -- sh -c 'i=0; while :; do echo tick$i; i=$((i+1)); sleep 0.1; done'\r` },
        { expect: 'tick3\r', send: '\u001a' },
        { expect: 'prompt> ', wait: 1, send: 'echo waited; fg\r' },
        { expect: 'waited.*tick[4-9]\r', send: '\u0003' },
        { expect: 'prompt> ', send: 'exit\r' },
      ],
    });
    expect(outcome).toMatchObject({ failedStep: null, timedOut: false });
  });

  it('does not stop as a background job that reads nothing', async () => {
    const command = WARREN.map((word) => `'${word}'`).join(' ');
    await using user = await User.create();
    const outcome = await atTerminal({
      argv: ['bash', '--norc', '-i'],
      cwd: user.home,
      env: { ...user.env(), PS1: 'prompt> ' },
      steps: [
        { expect: 'prompt> ', send: `${command} run -- sh -c 'sleep 0.3; echo finished' &\r` },
        { expect: 'finished\r', wait: 1, send: '\r' },
        { expect: 'Done', send: 'exit\r' },
      ],
    });
    expect(outcome).toMatchObject({ failedStep: null, timedOut: false });
  });
});

/** A regular expression as it is written. */
function r(strings: TemplateStringsArray): string {
  return strings.raw.join('');
}
