import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@warren/protocol';
import type { Exit, OpenRunRequest } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import type { OpenRecord, Records } from '../internal/records.ts';
import type { RunFlags } from '../program.ts';
import { FakeHost } from '../test-support/fake-host.ts';
import { exited, type FakeCommand, FakeSandboxes, signalled, USAGE } from '../test-support/fake-sandboxes.ts';
import { run } from './run.ts';

class FakeRecords implements Records {
  readonly closed: (Exit | undefined)[] = [];
  readonly opened: string[] = [];
  changes = 0;

  async open({ directory }: OpenRunRequest): Promise<OpenRecord> {
    this.opened.push(directory);
    return {
      id: 'run_0123456789abcdef',
      layer: '/layer',
      close: async (exit, { keep }) => {
        this.closed.push(exit);
        return { changes: this.changes, isKept: keep || this.changes > 0 };
      },
    };
  }
}

async function noDaemon(): Promise<never> {
  throw new Fault('unavailable', 'no daemon');
}

type Outcome = {
  readonly host: FakeHost;
  readonly sandboxes: FakeSandboxes;
  readonly records: FakeRecords;
  readonly code: Promise<number>;
};

function start(
  command: FakeCommand,
  flags: RunFlags = {},
  host: FakeHost = new FakeHost(),
  records: FakeRecords = new FakeRecords(),
): Outcome {
  const sandboxes = new FakeSandboxes(command);
  const parts = { openSandboxes: () => sandboxes.open(), openRecords: async () => records, openNetwork: noDaemon };
  return { host, sandboxes, records, code: run(['program', 'argument'], flags, host, parts) };
}

describe('run', () => {
  it('passes output and the exit code on and says nothing itself', async () => {
    const { code, host } = start((process) => {
      process.out('out');
      process.err('err');
      return exited(42);
    });
    expect(await code).toBe(42);
    expect([host.stdout.text, host.stderr.text]).toEqual(['out', 'err']);
  });

  it('passes bytes on untouched', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const { code, host } = start((process) => {
      process.out(bytes);
      return exited(0);
    });
    await code;
    expect(Buffer.concat(host.stdout.chunks).equals(Buffer.from(bytes))).toBe(true);
  });

  it('feeds standard input and closes it', async () => {
    const { code, host } = start(
      async (process) => {
        process.out((await process.input()).toUpperCase());
        return exited(0);
      },
      {},
      new FakeHost({ input: 'hello' }),
    );
    expect(await code).toBe(0);
    expect(host.stdout.text).toBe('HELLO');
  });

  it('gives no input at all when there is none', async () => {
    const { code, sandboxes } = start(() => exited(0));
    await code;
    expect(sandboxes.execs[0]?.stdin).toBeUndefined();
  });

  it('ends although a terminal would still have input', async () => {
    const { code, host } = start(() => exited(0), {}, new FakeHost({ terminal: { rows: 1, columns: 1 } }));
    expect(await code).toBe(0);
    expect(host.events).toContain('input closed');
  });

  it('disposes of the sandbox before it counts changes', async () => {
    await using directory = await TemporaryDirectory.create();
    const records = new FakeRecords();
    const outcome = start(() => exited(0), { dir: directory.path }, new FakeHost(), records);
    const before: (readonly string[])[] = [];
    records.closed.push = (exit) => {
      before.push([...outcome.sandboxes.events]);
      return Array.prototype.push.call(records.closed, exit);
    };
    await outcome.code;
    expect(before).toEqual([['sandbox disposed', 'sandboxes disposed']]);
  });

  it('leaves no listener behind', async () => {
    const { code, host } = start(() => exited(0), { tty: true }, new FakeHost({ terminal: { rows: 1, columns: 1 } }));
    await code;
    expect(host.listeners).toBe(0);
  });
});

describe('run with limits', () => {
  it('says in one line which limit stopped the command', async () => {
    const { code, host } = start(() => ({
      kind: 'stopped',
      by: 'memory',
      detail: 'more than 512 MiB',
      usage: USAGE,
      limitsHit: ['memory'],
    }));
    expect(await code).toBe(137);
    expect(host.stderr.text).toBe('warren: stopped by memory: more than 512 MiB (set another limit with --memory)\n');
  });

  it('says nothing of it when told to be quiet', async () => {
    const { code, host } = start(() => ({ kind: 'stopped', by: 'deadline', detail: '1s', usage: USAGE, limitsHit: [] }), { quiet: true });
    expect(await code).toBe(124);
    expect(host.stderr.text).toBe('');
  });

  it('says what it could not run, even when told to be quiet', async () => {
    const { code, host } = start(
      () => ({ kind: 'not_started', code: 127, stage: 'exec', call: 'execve', path: 'program', errno: 'ENOENT' }),
      { quiet: true },
    );
    expect(await code).toBe(127);
    expect(host.stderr.text).toBe('warren: cannot run "program": there is no such program in the sandbox\n');
  });

  it('says which limits of the profile do not hold here, but not those it was told about', async () => {
    const host = new FakeHost();
    const sandboxes = new FakeSandboxes(() => exited(0));
    sandboxes.missingLimits = ['memoryBytes', 'cpus', 'pids'];
    const parts = { openSandboxes: () => sandboxes.open(), openRecords: async () => new FakeRecords(), openNetwork: noDaemon };
    expect(await run(['x'], { pids: 'none' }, host, parts)).toBe(0);
    expect(host.stderr.text).toBe(
      'warren: memory and cpus of the profile "moderate" cannot be limited for this user here; see: warren doctor\n',
    );
    const quiet = new FakeHost();
    await run(['x'], { quiet: true }, quiet, parts);
    expect(quiet.stderr.text).toBe('');
  });

  it('asks for exactly the limits it was given', async () => {
    const flags: RunFlags = {
      memory: 1024,
      cpus: 0.5,
      pids: 'none',
      fileSize: 7,
      openFiles: 8,
      timeout: 1_000,
      outputLimit: 9,
      profile: 'restrictive',
    };
    const { code, sandboxes } = start(() => exited(0), flags);
    await code;
    expect(sandboxes.specs[0]).toEqual({
      profile: 'restrictive',
      limits: { memoryBytes: 1024, cpus: 0.5, pids: null, fileBytes: 7, openFiles: 8, wallMs: 11_000 },
      mounts: [],
    });
    expect(sandboxes.execs[0]).toEqual({ env: {}, timeoutMs: 1_000, outputBytesMax: 9 });
  });
});

describe('run and signals', () => {
  it('passes Ctrl-C to the process group and ends as the command does', async () => {
    const { code, host, sandboxes } = start(async (process) => {
      await process.signal();
      return exited(7);
    });
    await until(() => sandboxes.execs.length === 1);
    host.send('SIGINT');
    expect(await code).toBe(7);
    expect(sandboxes.events[0]).toBe('SIGINT to the group');
  });

  it('kills the tree at the second Ctrl-C and exits 130, without a word', async () => {
    const { code, host, sandboxes } = start(() => new Promise(() => {}));
    await until(() => sandboxes.execs.length === 1);
    host.send('SIGINT');
    host.send('SIGINT');
    expect(await code).toBe(130);
    expect(sandboxes.events).toEqual(['SIGINT to the group', 'SIGKILL to the tree', 'sandbox disposed', 'sandboxes disposed']);
    expect(host.stderr.text).toBe('');
  });

  it('leaves at the third Ctrl-C when even the kill takes long', async () => {
    const { code, host, sandboxes } = start(() => new Promise(() => {}));
    code.catch(() => {});
    await until(() => sandboxes.execs.length === 1);
    host.send('SIGINT');
    host.send('SIGINT');
    expect(() => host.send('SIGINT')).toThrow('left with 130');
  });

  it('does not wait for a reader that does not read, once the command is killed', async () => {
    const host = new FakeHost();
    host.stdout.room = new Promise(() => {});
    const { code, sandboxes } = start(
      (process) => {
        process.out('much');
        return new Promise(() => {});
      },
      {},
      host,
    );
    await until(() => sandboxes.execs.length === 1);
    host.send('SIGINT');
    host.send('SIGINT');
    expect(await code).toBe(130);
  });

  it('ends the start at Ctrl-C and closes the record', async () => {
    await using directory = await TemporaryDirectory.create();
    const records = new FakeRecords();
    const host = new FakeHost();
    const sandboxes = new FakeSandboxes(() => exited(0));
    sandboxes.startsAfter = new Promise(() => {});
    const code = run(['x'], { dir: directory.path }, host, {
      openSandboxes: () => sandboxes.open(),
      openRecords: async () => records,
      openNetwork: noDaemon,
    });
    await until(() => sandboxes.specs.length === 1);
    host.send('SIGTERM');
    expect(await code).toBe(143);
    expect(records.closed).toEqual([undefined]);
    expect(sandboxes.events).toEqual(['sandboxes disposed']);
  });

  it('stops with its sandbox at Ctrl-Z and continues with it', async () => {
    const { code, host, sandboxes } = start(async (process) => {
      await process.signal();
      return exited(0);
    });
    await until(() => sandboxes.execs.length === 1);
    host.send('SIGTSTP');
    await until(() => sandboxes.events.includes('resumed'));
    host.send('SIGINT');
    await code;
    expect(sandboxes.events.slice(0, 2)).toEqual(['paused', 'resumed']);
    expect(host.events).toContain('stopped');
  });
});

describe('run and its reader', () => {
  it('waits for a slow reader before it reads more', async () => {
    const host = new FakeHost();
    const room = Promise.withResolvers<void>();
    host.stdout.room = room.promise;
    const { code } = start(
      (process) => {
        process.out('a');
        process.out('b');
        return exited(0);
      },
      {},
      host,
    );
    await sleep(20);
    expect(host.stdout.chunks).toEqual([]);
    room.resolve();
    expect(await code).toBe(0);
    expect(host.stdout.text).toBe('ab');
  });

  it('ends the command as SIGPIPE would, quietly, when nobody reads any more', async () => {
    const host = new FakeHost();
    host.stdout.isClosed = true;
    const { code, sandboxes } = start(
      async (process) => {
        process.out('x');
        await process.signal();
        return signalled('SIGPIPE');
      },
      {},
      host,
    );
    expect(await code).toBe(141);
    expect(sandboxes.events[0]).toBe('SIGPIPE to the group');
    expect(host.stderr.text).toBe('');
  });

  it('kills a command that ignores SIGPIPE, and still exits 141', async () => {
    const host = new FakeHost();
    host.stdout.isClosed = true;
    const { code, sandboxes } = start(
      (process) => {
        process.out('x');
        return new Promise(() => {});
      },
      {},
      host,
    );
    expect(await code).toBe(141);
    expect(sandboxes.events.slice(0, 2)).toEqual(['SIGPIPE to the group', 'SIGKILL to the tree']);
  });

  it('does not wait for a reader that does not read after the deadline', async () => {
    const host = new FakeHost();
    host.stdout.room = new Promise(() => {});
    const { code } = start(
      (process) => {
        process.out('x');
        return { kind: 'stopped', by: 'deadline', detail: '1s', usage: USAGE, limitsHit: [] };
      },
      {},
      host,
    );
    expect(await code).toBe(124);
  });
});

describe('run --tty', () => {
  const terminal = { rows: 40, columns: 120 };

  it('lends the terminal at its size and gives it back', async () => {
    const { code, host, sandboxes } = start(() => exited(0), { tty: true }, new FakeHost({ terminal, env: { TERM: 'xterm-kitty' } }));
    await code;
    expect(sandboxes.execs[0]).toMatchObject({ pty: terminal, env: { TERM: 'xterm-kitty' } });
    expect(host.events).toEqual(['terminal raw', 'terminal restored', 'input closed']);
  });

  it('passes a new size on', async () => {
    const host = new FakeHost({ terminal });
    const { code, sandboxes } = start(
      async (process) => {
        const size = await process.resized();
        process.out(`${size.rows} ${size.columns}`);
        return exited(0);
      },
      { tty: true },
      host,
    );
    await until(() => sandboxes.execs.length === 1);
    host.stdout.resizeTo({ rows: 10, columns: 20 });
    await code;
    expect(host.stdout.text).toBe('10 20');
  });

  it('gives the terminal back when the sandbox breaks', async () => {
    const { code, host } = start(() => Promise.reject(new Error('gone')), { tty: true }, new FakeHost({ terminal }));
    await expect(code).rejects.toThrow('gone');
    expect(host.events).toContain('terminal restored');
  });

  it('gives the terminal back when the sandbox does not start', async () => {
    const host = new FakeHost({ terminal });
    const parts = {
      openSandboxes: () => Promise.reject(new Error('no launcher')),
      openRecords: async () => new FakeRecords(),
      openNetwork: noDaemon,
    };
    await expect(run(['x'], { tty: true }, host, parts)).rejects.toThrow('no launcher');
    expect(host.events).toEqual([]);
    expect(host.listeners).toBe(0);
  });

  it('makes up a size when there is no terminal', async () => {
    const { code, host, sandboxes } = start(() => exited(0), { tty: true });
    await code;
    expect(sandboxes.execs[0]?.pty).toEqual({ rows: 24, columns: 80 });
    expect(sandboxes.execs[0]?.env).toEqual({ TERM: 'xterm' });
    expect(host.events).not.toContain('terminal raw');
  });
});

describe('run --dir', () => {
  it('works on a layer and says what changed', async () => {
    await using directory = await TemporaryDirectory.create();
    const records = new FakeRecords();
    records.changes = 3;
    const { code, host, sandboxes } = start(() => exited(0), { dir: directory.path }, new FakeHost(), records);
    expect(await code).toBe(0);
    expect(sandboxes.specs[0]?.workspace).toEqual({ kind: 'overlay', directory: directory.path, layer: '/layer' });
    expect(host.stderr.text).toBe('warren: 3 files changed · warren diff run_0123456789abcdef · warren apply run_0123456789abcdef\n');
  });

  it('says nothing when nothing changed, and keeps the layer when told to', async () => {
    await using directory = await TemporaryDirectory.create();
    const one = start(() => exited(0), { dir: directory.path });
    await one.code;
    expect(one.host.stderr.text).toBe('');
    const kept = start(() => exited(0), { dir: directory.path, keep: true });
    await kept.code;
    expect(kept.host.stderr.text).toContain('0 files changed');
  });

  it('takes a relative directory from where it was called, without symbolic links', async () => {
    await using directory = await TemporaryDirectory.create();
    await mkdir(directory.join('real'));
    await symlink('real', directory.join('link'));
    const { code, records } = start(() => exited(0), { dir: 'link' }, new FakeHost({ cwd: directory.path }));
    await code;
    expect(records.opened).toEqual([directory.join('real')]);
  });

  it('mounts the directory itself with --rw and keeps no record', async () => {
    await using directory = await TemporaryDirectory.create();
    const { code, records, sandboxes } = start(() => exited(0), { dir: directory.path, rw: true });
    await code;
    expect(sandboxes.specs[0]?.workspace).toEqual({ kind: 'writable', directory: directory.path });
    expect(records.opened).toEqual([]);
  });

  it('closes the record when the start fails', async () => {
    await using directory = await TemporaryDirectory.create();
    const records = new FakeRecords();
    const parts = {
      openSandboxes: () => Promise.reject(new Error('no launcher')),
      openRecords: async () => records,
      openNetwork: noDaemon,
    };
    await expect(run(['x'], { dir: directory.path }, new FakeHost(), parts)).rejects.toThrow('no launcher');
    expect(records.closed).toEqual([undefined]);
  });
});

describe('run --json', () => {
  it('prints one document in place of the output', async () => {
    await using directory = await TemporaryDirectory.create();
    const records = new FakeRecords();
    records.changes = 1;
    const { code, host } = start(
      (process) => {
        process.out('text €');
        process.err(Uint8Array.of(0xff, 0xfe));
        return exited(3);
      },
      { json: true, dir: directory.path },
      new FakeHost(),
      records,
    );
    expect(await code).toBe(3);
    expect(host.stderr.text).toBe('');
    expect(JSON.parse(host.stdout.text)).toEqual({
      run: 'run_0123456789abcdef',
      exit: { kind: 'exited', code: 3, usage: USAGE, limitsHit: [] },
      exitCode: 3,
      usage: USAGE,
      stdout: 'text €',
      stdoutEncoding: 'utf8',
      stderr: '//4=',
      stderrEncoding: 'base64',
      changes: 1,
    });
  });

  it('says what there is none of', async () => {
    const { code, host } = start(() => ({ kind: 'not_started', code: 127, stage: 'exec', call: 'execve', path: 'x', errno: 'ENOENT' }), {
      json: true,
    });
    expect(await code).toBe(127);
    expect(JSON.parse(host.stdout.text)).toMatchObject({ run: null, usage: null, changes: null, exitCode: 127 });
  });

  it('bounds what it collects', async () => {
    const { code, sandboxes } = start(() => exited(0), { json: true });
    await code;
    expect(sandboxes.execs[0]?.outputBytesMax).toBe(16 * 2 ** 20);
  });
});

describe('run refuses', () => {
  it.each<[string, RunFlags, string]>([
    ['--rw without --dir', { rw: true }, '--rw'],
    ['--keep without --dir', { keep: true }, '--keep'],
    ['--disk without --dir', { disk: 1 }, '--disk'],
    ['--keep with --rw', { dir: '/', keep: true, rw: true }, '--keep'],
    ['--json with --tty', { json: true, tty: true }, '--json'],
    ['a network', { network: 'host' }, 'there is loopback'],
    ['a network of another kind', { network: 'host' }, 'there is loopback'],
    ['an allowed host without a network', { network: false, allow: ['example.org'] }, 'Cannot use --allow with --no-network'],
    ['TLS that is opened to no host', { inspect: true }, 'Cannot use --inspect without --allow-host'],
    ['a host without a network', { network: false, allowHost: ['example.org'] }, '--no-network'],
    ['a variable without a name', { env: ['=x'] }, '--env'],
    ['a variable that is not set', { env: ['NOT_SET_HERE'] }, 'NOT_SET_HERE'],
    ['a directory that is not there', { dir: '/nowhere/at/all' }, '/nowhere/at/all'],
    ['a mount that is not there', { mount: [{ source: '/nowhere/at/all', target: '/x' }] }, '/nowhere/at/all'],
    ['an empty --workdir', { workdir: '' }, '--workdir'],
    ['a relative --workdir without --dir', { workdir: 'src' }, '--workdir'],
  ])('%s, before anything starts', async (_, flags, named) => {
    const { code, sandboxes, records } = start(() => exited(0), flags);
    await expect(code).rejects.toThrow(expect.objectContaining({ name: 'Fault', message: expect.stringContaining(named) }));
    expect([sandboxes.specs, records.opened]).toEqual([[], []]);
  });

  it('a file as the directory', async () => {
    await using directory = await TemporaryDirectory.create();
    await writeFile(directory.join('file'), '');
    const { code } = start(() => exited(0), { dir: directory.join('file') });
    await expect(code).rejects.toThrow('not a directory');
  });

  it('an empty name, a NUL and too many words', async () => {
    const parts = {
      openSandboxes: () => Promise.reject(new Error('opened')),
      openRecords: () => Promise.reject(new Error('opened')),
      openNetwork: noDaemon,
    };
    const host = new FakeHost();
    await expect(run([''], {}, host, parts)).rejects.toThrow('without a name');
    await expect(run(['a', 'b\0c'], {}, host, parts)).rejects.toThrow('argument 1');
    await expect(
      run(
        Array.from({ length: 32_769 }, () => 'x'),
        {},
        host,
        parts,
      ),
    ).rejects.toThrow('32768');
  });
});

describe('run --env', () => {
  it('sets values as they are and passes on those of the caller', async () => {
    const host = new FakeHost({ env: { LANG: 'C.UTF-8', SECRET: 'x' } });
    const { code, sandboxes } = start(() => exited(0), { env: ['A=1', 'B=', 'C=a=b\nc', 'LANG', 'A=2'] }, host);
    await code;
    expect(sandboxes.execs[0]?.env).toEqual({ A: '2', B: '', C: 'a=b\nc', LANG: 'C.UTF-8' });
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}
