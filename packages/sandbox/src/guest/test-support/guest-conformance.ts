/**
 * Test support: what a guest must do, whoever plays it. The same cases run against the fake and against the real pid 1 behind real walls, so
 * they use only programs that every image has: sh, cat, head, printf, sleep, env, true.
 *
 * The test runner is handed in (`guestConformance({ describe, it }, 'fake', connect)`): what ships imports none.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultCode, isFault } from '@warren/protocol';
import type { Exit, Sandbox } from '../../contract.ts';

/** What a guest cannot do, or cannot be asked, with the reason: its cases are skipped, loudly. */
export type GuestGaps = { readonly [Part in 'pty' | 'usage' | 'tree']?: string };

/** A `Guest`, or a whole `Sandbox`. */
export type GuestMethods = Pick<Sandbox, 'exec' | 'run' | 'readFile' | 'writeFile' | 'list' | 'stat' | 'remove' | 'mkdir' | 'signal'>;

/** A fresh guest, and a directory of its own in there that its user may write to. Its environment has a PATH and nothing else of interest. */
export interface GuestSubject extends AsyncDisposable {
  readonly guest: GuestMethods;
  readonly directory: string;
  readonly gaps: GuestGaps;
}

/** As much of a test runner as is needed. */
export type TestRunner = {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: (context: TestContext) => Promise<void>): unknown;
};
export type TestContext = { skip(condition: boolean, reason: string): void };

type Case = (subject: GuestSubject) => Promise<void>;
const MIB = 1_048_576;

export function guestConformance(runner: TestRunner, name: string, connect: () => Promise<GuestSubject>): void {
  runner.describe(`${name} as a guest`, () => {
    for (const [part, cases] of Object.entries({ '': COMMANDS, files: FILES, ...NEEDING })) {
      for (const [title, body] of Object.entries(cases)) {
        runner.it(title, async (context) => {
          await using subject = await connect();
          const gap = subject.gaps[part as keyof GuestGaps]; // A part that is no gap has none.
          if (gap !== undefined) context.skip(true, gap);
          else await body(subject);
        });
      }
    }
  });
}

const COMMANDS: Readonly<Record<string, Case>> = {
  'runs a command and gives its output unmerged': async ({ guest }) => {
    const { exit, stdout, stderr } = await guest.run(['sh', '-c', 'printf out; printf err >&2']);
    assert.deepEqual([text(stdout), text(stderr)], ['out', 'err']);
    assert.equal(code(exit), 0);
    assert.ok(exit.kind === 'exited' && exit.usage.wallMs > 0 && exit.limitsHit.length === 0);
  },
  'says the exit code of a command': async ({ guest }) => {
    for (const expected of [0, 1, 3, 127, 255]) assert.equal(code((await guest.run(['sh', '-c', `exit ${expected}`])).exit), expected);
  },
  'says the signal that ended a command': async ({ guest }) => {
    for (const signal of ['TERM', 'KILL', 'SEGV'] as const) {
      const { exit } = await guest.run(['sh', '-c', `kill -${signal} $$`]);
      assert.ok(exit.kind === 'signalled' && exit.signal === `SIG${signal}`, JSON.stringify(exit));
    }
  },
  'passes arguments on as they are': async ({ guest }) => {
    const args = ['', ' ', 'a b', '"', "'", '$HOME', '\n', '--', '-n', '日本語 🐇', '*', '\\', 'x'.repeat(100_000), ''];
    const { stdout } = await guest.run(['printf', '%s|', ...args]);
    assert.equal(text(stdout), args.map((arg) => `${arg}|`).join(''));
  },
  'passes thousands of arguments on': async ({ guest }) => {
    const args = Array.from({ length: 10_000 }, (_, index) => `${index}`);
    const { stdout } = await guest.run(['sh', '-c', 'echo $# $10000', 'sh', ...args]);
    assert.equal(text(stdout), '10000 00000\n');
  },
  'gives a command exactly its environment': async ({ guest }) => {
    const before = lines((await guest.run(['env'])).stdout);
    const given = { ADDED: 'a=b\nc', EMPTY: '', 名: '値' };
    const { stdout } = await guest.run(['sh', '-c', 'printf "%s|" "$ADDED"'], { env: given });
    assert.equal(text(stdout), 'a=b\nc|');
    const after = lines((await guest.run(['env'], { env: { ...given, ADDED: undefined } })).stdout);
    assert.deepEqual(after.toSorted(), [...before, 'EMPTY=', '名=値'].toSorted());
  },
  'runs a command in its directory': async ({ guest, directory }) => {
    await guest.mkdir(`${directory}/a b`);
    const { stdout } = await guest.run(['sh', '-c', 'printf x > here; cat "$0"', 'here'], { cwd: `${directory}/a b` });
    assert.equal(text(stdout), 'x');
    assert.equal((await guest.stat(`${directory}/a b/here`)).size, 1);
  },
  'says that a program does not exist': async ({ guest }) => {
    const execution = guest.exec(['no-such-program']);
    const exit = await execution.exit;
    assert.ok(exit.kind === 'not_started' && exit.code === 127 && exit.errno === 'ENOENT' && exit.stage === 'exec', JSON.stringify(exit));
    assert.equal(text(await all(execution.stdout)), '');
  },
  'says that a program cannot be executed': async ({ guest, directory }) => {
    await guest.writeFile(`${directory}/data`, 'no program', { mode: 0o644 });
    const { exit } = await guest.run([`${directory}/data`]);
    assert.ok(exit.kind === 'not_started' && exit.code === 126 && exit.errno === 'EACCES', JSON.stringify(exit));
  },
  'says that the directory of a command does not exist': async ({ guest, directory }) => {
    const { exit } = await guest.run(['true'], { cwd: `${directory}/none` });
    assert.ok(exit.kind === 'not_started' && exit.code === 125 && exit.errno === 'ENOENT', JSON.stringify(exit));
  },
  'says the pid of a command': async ({ guest }) => {
    const execution = guest.exec(['sh', '-c', 'printf $$']);
    assert.equal(text(await all(execution.stdout)), `${await execution.pid}`);
    assert.equal(code(await execution.exit), 0);
  },
  'gives a command without stdin its end at once': async ({ guest }) => {
    assert.equal(text((await guest.run(['cat'])).stdout), '');
  },
  'feeds bytes and text to stdin': async ({ guest }) => {
    for (const stdin of ['', 'hé\n', 'x'.repeat(3 * MIB), new Uint8Array(MIB + 7).fill(255)]) {
      const { stdout } = await guest.run(['cat'], { stdin });
      assert.ok(Buffer.from(stdin).equals(stdout), `${stdin.length} in, ${stdout.length} out`);
    }
  },
  'feeds a stream to stdin, no faster than it is read': async ({ guest }) => {
    let given = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; given < 64; given++) yield Buffer.alloc(MIB / 4, given);
    }
    const execution = guest.exec(['sh', '-c', 'read -r _; cat'], { stdin: 'pipe' });
    const slow = guest.exec(['sh', '-c', 'sleep 0.3; cat'], { stdin: source() });
    await sleep(150);
    assert.ok(given < 8, `${given} quarter MiB taken by a command that does not read`);
    const bytes = await all(slow.stdout);
    assert.equal(bytes.length, 16 * MIB);
    assert.equal(bytes.at(-1), 63);
    execution.closeStdin();
    assert.equal(code(await execution.exit), 0);
  },
  'talks with a command over a pipe': async ({ guest }) => {
    const execution = guest.exec(['cat'], { stdin: 'pipe' });
    const output = execution.stdout[Symbol.asyncIterator]();
    for (const word of ['one', 'two', 'three']) {
      await execution.write(Buffer.from(word));
      assert.equal(text((await output.next()).value ?? new Uint8Array()), word);
    }
    execution.closeStdin();
    execution.closeStdin();
    assert.equal((await output.next()).done, true);
    assert.equal(code(await execution.exit), 0);
    await rejects(execution.write(Buffer.from('late')), 'conflict');
  },
  'ends a command that does not read its stdin': async ({ guest }) => {
    const stdin = Buffer.alloc(4 * MIB);
    assert.equal(code((await guest.run(['true'], { stdin })).exit), 0);
    let isReleased = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        isReleased = true;
      }
    }
    assert.equal(text((await guest.run(['head', '-c', '3'], { stdin: endless() })).stdout), '\0\0\0');
    await until(() => isReleased);
  },
  'kills a command whose source of stdin fails, and says why': async ({ guest }) => {
    const problem = new Error('the source broke');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw problem;
    }
    await assert.rejects(guest.run(['sh', '-c', 'cat; sleep 60'], { stdin: broken() }), problem);
  },
  'streams much output to a slow reader': async ({ guest }) => {
    const execution = guest.exec(['head', '-c', `${4 * MIB}`, '/dev/zero']);
    let bytes = 0;
    let chunks = 0;
    for await (const chunk of execution.stdout) {
      bytes += chunk.length;
      if (chunks++ % 16 === 0) await sleep(2);
    }
    assert.equal(bytes, 4 * MIB);
    assert.equal(code(await execution.exit), 0);
  },
  'lets a command wait whose output nobody reads': async ({ guest }) => {
    const execution = guest.exec(['sh', '-c', `head -c ${MIB} /dev/zero; printf done >&2`]);
    const word = all(execution.stderr);
    assert.equal(await Promise.race([word, sleep(200)]), undefined);
    assert.equal((await all(execution.stdout)).length, MIB);
    assert.equal(text(await word), 'done');
  },
  'lets a command go on whose reader has stopped': async ({ guest }) => {
    const execution = guest.exec(['sh', '-c', `head -c ${2 * MIB} /dev/zero; printf done >&2`]);
    for await (const _ of execution.stdout) break;
    assert.equal(text(await all(execution.stderr)), 'done');
    assert.equal(code(await execution.exit), 0);
  },
  'keeps the output for a reader that comes after the exit': async ({ guest }) => {
    const execution = guest.exec(['sh', '-c', 'printf out; printf err >&2; exit 5']);
    assert.equal(code(await execution.exit), 5);
    await sleep(20);
    assert.deepEqual([text(await all(execution.stdout)), text(await all(execution.stderr))], ['out', 'err']);
    assert.throws(() => execution.stdout[Symbol.asyncIterator](), /being read/);
  },
  'stops a command at its deadline': async ({ guest }) => {
    const started = performance.now();
    const { exit, stdout } = await guest.run(['sh', '-c', 'printf before; sleep 60'], { timeoutMs: 150 });
    stopped(exit, 'deadline');
    assert.equal(text(stdout), 'before');
    assert.ok(performance.now() - started < 5_000);
  },
  'kills a command that ignores its deadline': async ({ guest }) => {
    const { exit } = await guest.run(['sh', '-c', "trap '' TERM; while :; do sleep 0.05; done"], { timeoutMs: 100, killGraceMs: 100 });
    stopped(exit, 'deadline');
  },
  'stops a command whose caller aborts': async ({ guest }) => {
    const abort = new AbortController();
    const execution = guest.exec(['sh', '-c', "trap '' TERM; printf x; while :; do sleep 0.05; done"], { signal: abort.signal });
    const output = execution.stdout[Symbol.asyncIterator]();
    assert.equal(text((await output.next()).value ?? new Uint8Array()), 'x');
    abort.abort();
    stopped(await execution.exit, 'caller');
    assert.equal((await output.next()).done, true);
  },
  'starts nothing for a caller that has aborted, and forgets one that aborts too late': async ({ guest, directory }) => {
    const { exit } = await guest.run(['sh', '-c', `: > ${directory}/made`], { signal: AbortSignal.abort() });
    stopped(exit, 'caller');
    await rejects(guest.stat(`${directory}/made`), 'not_found');
    const abort = new AbortController();
    const late = await guest.run(['true'], { signal: abort.signal });
    abort.abort();
    assert.equal(code(late.exit), 0);
  },
  'stops a command that says too much, and cuts its output at the limit': async ({ guest }) => {
    const most = await guest.run(['sh', '-c', 'printf 12345; printf 67890 >&2'], { outputBytesMax: 10 });
    assert.equal(code(most.exit), 0);
    const { exit, stdout, stderr } = await guest.run(['sh', '-c', 'while :; do printf 1234567; done'], { outputBytesMax: 100_000 });
    stopped(exit, 'output');
    assert.deepEqual([stdout.length, stderr.length], [100_000, 0]);
    const execution = guest.exec(['sh', '-c', 'while :; do printf 1234567 >&2; done'], { outputBytesMax: 10 });
    assert.equal(text(await all(execution.stderr)), '1234567123');
    stopped(await execution.exit, 'output');
  },
  'sends signals to the process and to its group': async ({ guest }) => {
    const trapping = "trap 'printf caught; exit 7' USR1; printf ready; while :; do sleep 0.02; done";
    const execution = guest.exec(['sh', '-c', trapping]);
    const output = execution.stdout[Symbol.asyncIterator]();
    await output.next();
    execution.kill('SIGUSR1');
    assert.equal(text((await output.next()).value ?? new Uint8Array()), 'caught');
    assert.equal(code(await execution.exit), 7);
    execution.kill('SIGKILL'); // It has ended: nothing happens.
    for (const scope of ['process', 'group', 'tree'] as const) {
      const sleeper = guest.exec(['sleep', '60']);
      await sleeper.pid;
      sleeper.kill('SIGKILL', scope);
      const exit = await sleeper.exit;
      assert.ok(exit.kind === 'signalled' && exit.signal === 'SIGKILL', JSON.stringify(exit));
    }
    assert.throws(() => guest.exec(['true']).kill('SIGHUP', 'tree'), hasCode('invalid_argument'));
  },
  'sends a signal to every command': async ({ guest }) => {
    const sleepers = Array.from({ length: 5 }, () => guest.exec(['sleep', '60']));
    await Promise.all(sleepers.map(({ pid }) => pid));
    guest.signal('SIGTERM');
    for (const { exit } of sleepers) assert.equal((await exit).kind, 'signalled');
    assert.equal(code((await guest.run(['true'])).exit), 0);
  },
  'runs many commands at once': async ({ guest }) => {
    const numbers = Array.from({ length: 60 }, (_, index) => `${index}`);
    const { signal } = new AbortController();
    const results = await Promise.all(numbers.map((number) => guest.run(['sh', '-c', `printf ${number}; cat`], { stdin: number, signal })));
    assert.deepEqual(
      results.map(({ stdout }) => text(stdout)),
      numbers.map((number) => number + number),
    );
  },
  'runs more commands one after the other than can run at once': async ({ guest }) => {
    for (let round = 0; round < 72; round++) {
      const exits = await Promise.all(Array.from({ length: 15 }, () => guest.run(['true'])));
      for (const { exit } of exits) assert.equal(code(exit), 0);
    }
  },
  'ends the output of a command with its main process': async ({ guest }) => {
    const started = performance.now();
    const { exit, stdout } = await guest.run(['sh', '-c', 'sleep 20 & printf said']);
    assert.equal(code(exit), 0);
    assert.equal(text(stdout), 'said');
    assert.ok(performance.now() - started < 5_000);
  },
  'stops a command at its limit of processor time': async ({ guest }) => {
    const { exit } = await guest.run(['sh', '-c', 'while :; do :; done'], { limits: { cpuSeconds: 1 } });
    stopped(exit, 'cpu');
    assert.ok(exit.kind === 'stopped' && exit.limitsHit.includes('cpu'));
  },
  'stops a command at its limit of file size': async ({ guest, directory }) => {
    const { exit } = await guest.run(['sh', '-c', 'exec head -c 100000 /dev/zero > big'], { cwd: directory, limits: { fileBytes: 4_096 } });
    stopped(exit, 'file_size');
    assert.equal((await guest.stat(`${directory}/big`)).size, 4_096);
  },
  'limits the open files of a command': async ({ guest }) => {
    assert.equal(text((await guest.run(['sh', '-c', 'ulimit -n'], { limits: { openFiles: 64 } })).stdout), '64\n');
  },
  'answers while a command floods it': async ({ guest }) => {
    const flood = guest.exec(['sh', '-c', 'while :; do printf 1234567; done']);
    const other = guest.exec(['sh', '-c', 'while :; do printf 1234567; done']);
    const reading = all(flood.stdout);
    for (let count = 0; count < 20; count++) assert.equal(code((await guest.run(['true'])).exit), 0);
    for (const execution of [flood, other]) {
      execution.kill('SIGKILL', 'tree');
      assert.equal((await execution.exit).kind, 'signalled');
    }
    assert.ok((await reading).length > 0);
  },
  'refuses what cannot be passed on': async ({ guest }) => {
    assert.throws(() => guest.exec([]), hasCode('invalid_argument'));
    await rejects(guest.run(['a', 'b\0c']), 'invalid_argument');
    await rejects(guest.run(['a', '\ud800']), 'invalid_argument');
    await rejects(guest.run(['true'], { env: { 'A=B': 'c' } }), 'invalid_argument');
    await rejects(guest.run(['true'], { cwd: 'a\0b' }), 'invalid_argument');
    await rejects(guest.run(['true'], { timeoutMs: 0 }), 'invalid_argument');
    await rejects(guest.run(['true', 'x'.repeat(MIB)]), 'too_large');
    assert.equal(code((await guest.run(['true'])).exit), 0);
  },
};

const FILES: Readonly<Record<string, Case>> = {
  'writes and reads files of any size': async ({ guest, directory }) => {
    for (const size of [0, 1, 65_536, 3 * MIB + 5]) {
      const content = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const bytes = Buffer.alloc(size, content);
      await guest.writeFile(`${directory}/file`, bytes);
      assert.ok(bytes.equals(await all(guest.readFile(`${directory}/file`))), `${size} bytes`);
    }
    await guest.writeFile(`${directory}/名`, 'text: é');
    assert.equal(text(await all(guest.readFile(`${directory}/名`))), 'text: é');
  },
  'writes a file from a stream': async ({ guest, directory }) => {
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 20; index++) yield Buffer.alloc(index * 10_000, index);
    }
    await guest.writeFile(`${directory}/file`, source());
    assert.equal((await guest.stat(`${directory}/file`)).size, 1_900_000);
  },
  'reads a part of a file': async ({ guest, directory }) => {
    const path = `${directory}/file`;
    await guest.writeFile(path, '0123456789');
    const parts = [{ offset: 3 }, { offset: 3, length: 4 }, { length: 2 }, { offset: 20 }, { length: 0 }, { offset: 8, length: 10 }];
    const read = await Promise.all(parts.map(async (part) => text(await all(guest.readFile(path, part)))));
    assert.deepEqual(read, ['3456789', '3456', '01', '', '', '89']);
  },
  'reads a file again, and stops when its reader does': async ({ guest, directory }) => {
    const path = `${directory}/file`;
    await guest.writeFile(path, Buffer.alloc(4 * MIB));
    const content = guest.readFile(path);
    for (let time = 0; time < 2; time++) for await (const _ of content) break;
    assert.equal((await all(content)).length, 4 * MIB);
  },
  'says what is wrong with a path': async ({ guest, directory }) => {
    await guest.writeFile(`${directory}/file`, 'x');
    await guest.mkdir(`${directory}/folder`);
    await rejects(all(guest.readFile(`${directory}/none`)), 'not_found');
    await rejects(all(guest.readFile(`${directory}/folder`)), 'invalid_argument');
    await rejects(all(guest.readFile(`${directory}/file/x`)), 'invalid_argument');
    await rejects(all(guest.readFile('/dev/zero')), 'invalid_argument');
    await rejects(all(guest.readFile(`${directory}/a\0b`)), 'invalid_argument');
    await rejects(all(guest.readFile(`${directory}/${'x'.repeat(300)}`)), 'invalid_argument');
    await rejects(guest.writeFile(`${directory}/none/file`, 'x'), 'not_found');
    await rejects(guest.writeFile(`${directory}/folder`, 'x'), 'invalid_argument');
    await rejects(guest.list(`${directory}/none`), 'not_found');
    await rejects(guest.list(`${directory}/file`), 'invalid_argument');
    await rejects(guest.stat(`${directory}/none`), 'not_found');
    await rejects(guest.remove(`${directory}/none`), 'not_found');
    await rejects(guest.mkdir(`${directory}/folder`), 'already_exists');
    await rejects(guest.mkdir(`${directory}/none/folder`), 'not_found');
    await rejects(guest.stat(''), 'invalid_argument');
  },
  'replaces, appends and refuses to replace': async ({ guest, directory }) => {
    const path = `${directory}/file`;
    await guest.writeFile(path, 'one', { exclusive: true, mode: 0o600 });
    assert.equal((await guest.stat(path)).mode, 0o600);
    await rejects(guest.writeFile(path, 'two', { exclusive: true }), 'already_exists');
    await guest.writeFile(path, '+two', { append: true });
    assert.equal(text(await all(guest.readFile(path))), 'one+two');
    await guest.writeFile(path, 'three', { mode: 0o755 });
    assert.equal(text(await all(guest.readFile(path))), 'three');
    assert.equal((await guest.stat(path)).mode, 0o755);
    assert.deepEqual(await names(guest, directory), ['file']);
  },
  'leaves the old content when a write is stopped': async ({ guest, directory }) => {
    const path = `${directory}/file`;
    await guest.writeFile(path, 'old');
    const abort = new AbortController();
    const problem = new Error('the source broke');
    async function* broken(fail: () => void): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(200_000);
      fail();
      yield* endless();
    }
    await rejects(
      guest.writeFile(
        path,
        broken(() => abort.abort()),
        { signal: abort.signal },
      ),
      'aborted',
    );
    await assert.rejects(
      guest.writeFile(
        path,
        broken(() => {
          throw problem;
        }),
      ),
      problem,
    );
    await rejects(guest.writeFile(path, 'new', { signal: AbortSignal.abort() }), 'aborted');
    assert.equal(text(await all(guest.readFile(path))), 'old');
    assert.deepEqual(await names(guest, directory), ['file']);
  },
  'stops a read whose caller aborts': async ({ guest, directory }) => {
    const path = `${directory}/file`;
    await guest.writeFile(path, Buffer.alloc(4 * MIB));
    const abort = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _ of guest.readFile(path, { signal: abort.signal })) abort.abort();
    };
    await rejects(reading(), 'aborted');
    await rejects(guest.stat(path, { signal: abort.signal }), 'aborted');
  },
  'describes files, directories and links': async ({ guest, directory }) => {
    await guest.run(
      ['sh', '-c', 'printf 12345 > file; chmod 640 file; mkdir folder; chmod 1777 folder; ln -s file link; ln -s none broken'],
      { cwd: directory },
    );
    const now = Date.now();
    const file = await guest.stat(`${directory}/file`);
    assert.deepEqual([file.name, file.kind, file.mode, file.size, file.target], ['file', 'file', 0o640, 5, undefined]);
    assert.ok(Math.abs(file.mtimeMs - now) < 60_000, `${file.mtimeMs} is not about ${now}`);
    const folder = await guest.stat(`${directory}/folder/`);
    assert.deepEqual([folder.name, folder.kind, folder.mode], ['folder', 'directory', 0o1777]);
    const link = await guest.stat(`${directory}/link`);
    assert.deepEqual([link.name, link.kind, link.target], ['link', 'symlink', 'file']);
    const followed = await guest.stat(`${directory}/link`, { follow: true });
    assert.deepEqual([followed.name, followed.kind, followed.size], ['link', 'file', 5]);
    assert.equal((await guest.stat(`${directory}/broken`)).target, 'none');
    await rejects(guest.stat(`${directory}/broken`, { follow: true }), 'not_found');
    assert.deepEqual([(await guest.stat('/')).name, (await guest.stat('/')).kind], ['/', 'directory']);
    assert.equal((await guest.stat('/dev/null')).kind, 'character_device');
  },
  'lists a directory': async ({ guest, directory }) => {
    assert.deepEqual(await guest.list(directory), []);
    await guest.run(
      ['sh', '-c', 'mkdir .hidden; ln -s x link; i=0; while [ $i -lt 2000 ]; do : > "$i a long name for an entry"; i=$((i+1)); done'],
      { cwd: directory },
    );
    const entries = await guest.list(directory);
    assert.equal(entries.length, 2_002);
    assert.equal(entries.find(({ name }) => name === '.hidden')?.kind, 'directory');
    assert.equal(entries.find(({ name }) => name === 'link')?.target, 'x');
    assert.equal(entries.find(({ name }) => name === '1999 a long name for an entry')?.kind, 'file');
  },
  'makes directories': async ({ guest, directory }) => {
    await guest.mkdir(`${directory}/a`, { mode: 0o700 });
    assert.equal((await guest.stat(`${directory}/a`)).mode, 0o700);
    await guest.mkdir(`${directory}/a/b/c`, { parents: true });
    await guest.mkdir(`${directory}/a/b/c`, { parents: true });
    assert.deepEqual(await names(guest, `${directory}/a/b`), ['c']);
  },
  'removes files, links and directories': async ({ guest, directory }) => {
    await guest.run(
      ['sh', '-c', 'mkdir -p outside tree/a/b empty; : > outside/kept; : > tree/a/b/f; ln -s ../outside tree/out; ln -s outside link'],
      { cwd: directory },
    );
    await guest.remove(`${directory}/link`);
    await guest.remove(`${directory}/empty`);
    await rejects(guest.remove(`${directory}/tree`), 'invalid_argument');
    await guest.remove(`${directory}/tree`, { recursive: true });
    assert.deepEqual(await names(guest, directory), ['outside']);
    assert.deepEqual(await names(guest, `${directory}/outside`), ['kept']);
  },
};

/** Cases that need a part which a guest may lack. */
const NEEDING: { readonly [Part in keyof Required<GuestGaps>]: Readonly<Record<string, Case>> } = {
  pty: {
    'runs a command on a terminal': async ({ guest }) => {
      const execution = guest.exec(
        ['sh', '-c', 'test -t 0 && test -t 1 && test -t 2 && stty size; printf err >&2; read -r line; printf "<%s>" "$line"'],
        {
          pty: { rows: 30, columns: 100 },
          stdin: 'pipe',
        },
      );
      await execution.write(Buffer.from('typed\n'));
      const said = text(await all(execution.stdout));
      assert.match(said, /30 100\r\n/); // What is typed is echoed, sooner or later.
      assert.match(said, /err/);
      assert.match(said, /<typed>$/);
      assert.equal(text(await all(execution.stderr)), '');
      assert.equal(code(await execution.exit), 0);
    },
    'resizes a terminal': async ({ guest }) => {
      const script = "trap 'stty size; exit' WINCH; printf ready; while :; do sleep 0.02; done";
      const execution = guest.exec(['sh', '-c', script], { pty: { rows: 10, columns: 20 } });
      const output = execution.stdout[Symbol.asyncIterator]();
      assert.match(text((await output.next()).value ?? new Uint8Array()), /ready/);
      execution.resize({ rows: 50, columns: 132 });
      assert.match(text((await output.next()).value ?? new Uint8Array()), /50 132/);
      assert.equal(code(await execution.exit), 0);
    },
  },
  usage: {
    'measures what a command used': async ({ guest }) => {
      const { exit } = await guest.run(['sh', '-c', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done']);
      assert.ok(exit.kind === 'exited' && exit.usage.userCpuMs > 5 && exit.usage.memoryBytesMax > 100_000, JSON.stringify(exit));
      assert.ok(exit.usage.userCpuMs + exit.usage.systemCpuMs < exit.usage.wallMs * 2);
    },
  },
  tree: {
    'kills the whole tree, also what left its session': async ({ guest, directory }) => {
      const script =
        "trap '' TERM; setsid sh -c 'echo $$ > left; while :; do sleep 0.02; done' & while ! test -s left; do sleep 0.02; done; cat left; wait";
      const execution = guest.exec(['sh', '-c', script], { cwd: directory });
      const output = execution.stdout[Symbol.asyncIterator]();
      const pid = text((await output.next()).value ?? new Uint8Array()).trim();
      execution.kill('SIGKILL', 'tree');
      assert.equal((await execution.exit).kind, 'signalled');
      let exit: Exit;
      const deadline = performance.now() + 2_000;
      do exit = (await guest.run(['sh', '-c', `kill -0 ${pid}`])).exit;
      while (code(exit) === 0 && performance.now() < deadline);
      assert.notEqual(code(exit), 0);
    },
    'ends with a command what it left, when asked to': async ({ guest, directory }) => {
      // Two forks, a session of its own, and nothing open: nobody's child, and it waits for nobody.
      const script =
        "(setsid sh -c 'echo $$ > left; while :; do sleep 0.02; done' < /dev/null > /dev/null 2>&1 &) ; while ! test -s left; do sleep 0.02; done; cat left";
      for (const endsTree of [true, false]) {
        const { exit, stdout } = await guest.run(['sh', '-c', `rm -f left; ${script}`], { cwd: directory, endsTree });
        assert.equal(code(exit), 0);
        const pid = text(stdout).trim();
        if (endsTree) {
          assert.ok(exit.kind === 'exited' && (exit.leftoversEnded ?? 0) > 0, JSON.stringify(exit));
          let still: Exit;
          const deadline = performance.now() + 2_000;
          do still = (await guest.run(['sh', '-c', `kill -0 ${pid}`])).exit;
          while (code(still) === 0 && performance.now() < deadline);
          assert.notEqual(code(still), 0);
        } else {
          assert.ok(exit.kind === 'exited' && exit.leftoversEnded === undefined);
          assert.equal(code((await guest.run(['sh', '-c', `kill -0 ${pid} && kill -9 ${pid}`])).exit), 0);
        }
      }
    },
    'says that nothing was left, and passes on all the output, of a command that ends its tree': async ({ guest }) => {
      const { exit, stdout } = await guest.run(['sh', '-c', `head -c ${MIB} /dev/zero`], { endsTree: true });
      assert.ok(exit.kind === 'exited' && exit.leftoversEnded === 0, JSON.stringify(exit));
      assert.equal(stdout.length, MIB);
    },
  },
};

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield Buffer.alloc(1_000);
    await sleep(1);
  }
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function names(guest: GuestMethods, directory: string): Promise<readonly string[]> {
  return (await guest.list(directory)).map(({ name }) => name).toSorted();
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function lines(bytes: Uint8Array): readonly string[] {
  return text(bytes)
    .split('\n')
    .filter((line) => line !== '');
}

function code(exit: Exit): number {
  assert.ok(exit.kind === 'exited', JSON.stringify(exit));
  return exit.code;
}

function stopped(exit: Exit, by: string): void {
  assert.ok(exit.kind === 'stopped' && exit.by === by, JSON.stringify(exit));
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 5_000; !holds(); await sleep(5))
    assert.ok(performance.now() < deadline, 'it does not come about');
}

async function rejects(promise: Promise<unknown>, expected: FaultCode): Promise<void> {
  await assert.rejects(promise, hasCode(expected));
}

function hasCode(expected: FaultCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isFault(error, expected), `not ${expected}: ${error}`);
    return true;
  };
}
