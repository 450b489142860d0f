import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isFault } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { type LauncherOptions, LauncherProcess } from './launcher-process.ts';

const FAKE = join(import.meta.dirname, 'test-support/fake-launcher.ts');
const NO_FILTER = new Uint8Array(0);

/** The fake as a program of its own, in a directory of its own, with the file it writes down what happens in. */
async function installFake() {
  const directory = await TemporaryDirectory.create();
  const path = join(directory.path, 'launcher');
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${FAKE}' "$@"\n`);
  await chmod(path, 0o755);
  return { path, log: join(directory.path, 'log'), [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

async function start(behaviour = '', waits: LauncherOptions['waits'] = {}) {
  const fake = await installFake();
  const launcher = new LauncherProcess({
    path: fake.path,
    flags: [fake.log, behaviour],
    waits: { reasonMs: 200, ...waits },
    explain: ({ stage }) => ({ wall: `the wall of ${stage}`, fix: 'a fix' }),
  });
  return {
    launcher,
    launch: (how: string, signal?: AbortSignal) => launcher.launch(launcher.nextId(), [how, ''], NO_FILTER, signal),
    log: async () => (await readFile(fake.log, 'utf8')).trimEnd().split('\n'),
    async [Symbol.asyncDispose]() {
      await launcher[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

describe('LauncherProcess', () => {
  it('starts the launcher with a clean environment and hands out sandboxes', async () => {
    await using it = await start();
    expect(await it.launcher.hello).toMatchObject({ landlock: 3 });
    const [one, other] = await Promise.all([it.launch('run'), it.launch('run')]);
    await Promise.all([one.client.ping(), other.client.ping()]);
    expect([one.slot, other.slot]).toEqual([1, 2]);
    one.destroy();
    expect(await one.gone).toEqual({
      kind: 'signalled',
      value: 9,
      usage: { userMicros: 1_500, systemMicros: 0, rssBytesMax: 0 },
      reports: ['report one', 'report two'],
    });
    expect(isFault(await one.client.closed, 'sandbox_gone')).toBe(true);
    await other.client.ping();
    one.destroy(); // Again: nothing happens.
    const [first, ...others] = await it.log();
    expect(first).toBe('started serve --control-fd 3 env=PATH cwd=/');
    expect(others).toContain('spec 1 run 5');
    expect(others.filter((line) => line.startsWith('destroy'))).toEqual(['destroy 1']);
  });

  it.each([
    ['refuse', 'the launcher refuses the spec'],
    ['fail', 'pid 1 fails'],
  ])('%s: says which wall is missing when %s', async (how) => {
    await using it = await start();
    const details = { wall: 'the wall of mount', stage: 'mount', call: 'move_mount', path: '/x', errno: 'EACCES', fix: 'a fix' };
    await expect(it.launch(how)).rejects.toMatchObject({ code: 'wall_unavailable', details });
    expect(await it.log()).toContain(how === 'fail' ? 'gone 1' : 'spec 1 refuse 8');
    await (await it.launch('run')).client.ping();
  });

  it('gives up on a sandbox whose connection is dropped, or that makes no sense, or is never ready', async () => {
    await using it = await start('', { readyMs: 300 });
    await expect(it.launch('drop')).rejects.toMatchObject({ code: 'sandbox_gone' });
    await expect(it.launch('nonsense')).rejects.toMatchObject({ code: 'protocol_error' });
    await expect(it.launch('silent')).rejects.toMatchObject({ code: 'wall_unavailable', details: { stage: 'ready' } });
    const log = await it.log();
    expect(log).toContain('gone 2');
    expect(log).toContain('gone 3');
    expect(it.launcher.isLost).toBe(false);
  });

  it('refuses a spec that is too large', async () => {
    await using it = await start();
    await expect(it.launch('x'.repeat(1_048_576))).rejects.toMatchObject({ code: 'too_large' });
    expect(await it.launcher.hello).toBeDefined();
  });

  it('ends a sandbox whose guest breaks the protocol, even one that does not take hanging up for an end', async () => {
    await using it = await start();
    const { client, gone } = await it.launch('stays');
    expect(isFault(await client.closed, 'protocol_error')).toBe(true);
    await gone;
    expect(await it.log()).toContain('destroy 1');
  });

  it('tells who waits when a sandbox ends by itself, also when its connection stays open', async () => {
    await using it = await start('', { hangUpMs: 50 });
    for (const how of ['ends', 'lingers']) {
      const { client, gone } = await it.launch(how);
      await gone;
      expect(isFault(await client.closed, 'sandbox_gone')).toBe(true);
    }
  });
});

describe('A launch that is aborted', () => {
  it('before it begins starts nothing', async () => {
    await using it = await start();
    await it.launcher.hello;
    const reason = new Error('enough');
    await expect(it.launch('run', AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await it.log()).toHaveLength(1);
  });

  it('while the launcher starts does not wait for it', async () => {
    await using it = await start('says-nothing');
    const abort = new AbortController();
    const launching = it.launch('run', abort.signal);
    abort.abort(new Error('enough'));
    await expect(launching).rejects.toThrow('enough');
  });

  it('before the launcher has read it is destroyed when it arrives, not passed by', async () => {
    await using it = await start('slow');
    await it.launcher.hello;
    const abort = new AbortController();
    const launching = it.launch('silent', abort.signal);
    await sleep(20);
    abort.abort(new Error('enough'));
    await expect(launching).rejects.toThrow('enough');
    expect((await it.log()).slice(1, 3)).toEqual(['spec 1 silent 8', 'silent 1']);
    expect(await it.log()).toContain('gone 1');
  });

  it('while its walls are built leaves nothing', async () => {
    await using it = await start();
    const abort = new AbortController();
    const launching = it.launch('silent', abort.signal);
    while (!(await it.log().catch((): string[] => [])).includes('silent 1')) await sleep(5);
    abort.abort(new Error('enough'));
    await expect(launching).rejects.toThrow('enough');
    expect(await it.log()).toContain('gone 1');
  });

  it('after it has started goes on', async () => {
    await using it = await start();
    const abort = new AbortController();
    const { client } = await it.launch('run', abort.signal);
    abort.abort();
    await client.ping();
  });
});

describe('A launcher that', () => {
  it('cannot be executed is a missing wall', async () => {
    for (const path of ['/nonexistent/launcher', '/etc/passwd']) {
      await using launcher = new LauncherProcess({ path, flags: [] });
      await expect(launcher.hello).rejects.toMatchObject({ code: 'wall_unavailable', details: { wall: 'launcher', path } });
      expect(launcher.isLost).toBe(true);
      await expect(launcher.launch(1, ['x'], NO_FILTER)).rejects.toMatchObject({ code: 'wall_unavailable' });
    }
  });

  it('dies at once is quoted, shortly', async () => {
    await using it = await start('die-at-once');
    const error: unknown = await it.launch('run').catch((reason: unknown) => reason);
    if (!isFault(error, 'sandbox_gone')) throw error;
    expect(error.message).toContain('exit code 7');
    expect(error.message).toContain('noise');
    expect(error.message.length).toBeLessThan(20_000);
  });

  it('dies takes all its sandboxes with it', async () => {
    await using it = await start();
    const { client, gone } = await it.launch('run');
    const running = client.ping();
    await running;
    await expect(it.launch('die')).rejects.toMatchObject({ code: 'sandbox_gone', message: expect.stringContaining('dies of this') });
    expect(await gone).toBeUndefined();
    expect(isFault(await client.closed, 'sandbox_gone')).toBe(true);
    expect(it.launcher.isLost).toBe(true);
    await expect(it.launch('run')).rejects.toMatchObject({ code: 'sandbox_gone' });
  });

  it.each([
    ['other-version', 'version'],
    ['nonsense', 'padding'],
    ['says-nothing', 'said nothing for 300 ms'],
  ])('%s is not used', async (behaviour, words) => {
    await using it = await start(behaviour, { helloMs: behaviour === 'says-nothing' ? 300 : 10_000 });
    await expect(it.launch('run')).rejects.toThrow(words);
    expect(it.launcher.isLost).toBe(true);
  });

  it('is disposed leaves, and takes its sandboxes with it; twice is once', async () => {
    const it = await start();
    const { client, gone } = await it.launch('run');
    await Promise.all([it.launcher[Symbol.asyncDispose](), it.launcher[Symbol.asyncDispose]()]);
    expect(await gone).toBeUndefined();
    expect(isFault(await client.closed, 'sandbox_gone')).toBe(true);
    expect((await it.log()).at(-1)).toBe('left');
    await expect(it.launch('run')).rejects.toMatchObject({ code: 'sandbox_gone' });
    await it[Symbol.asyncDispose]();
  });

  it('does not leave is killed', async () => {
    const it = await start('stays', { exitMs: 100 });
    await it.launch('run');
    await it[Symbol.asyncDispose]();
  });
});

describe('The event loop of the host', () => {
  const script = (body: string): string => `
    const { LauncherProcess } = await import('${import.meta.dirname}/launcher-process.ts');
    const launcher = new LauncherProcess({ path: process.argv[1], flags: [process.argv[2], ''] });
    const launched = await launcher.launch(launcher.nextId(), ['run'], new Uint8Array(0));
    ${body}`;

  async function run(body: string, timeout = 10_000) {
    await using fake = await installFake();
    const args = ['--conditions=warren-source', '--input-type=module', '--eval', script(body), fake.path, fake.log];
    return await promisify(execFile)(process.execPath, args, { timeout, cwd: import.meta.dirname });
  }

  it('ends by itself once no sandbox is left, though the launcher was not disposed', async () => {
    await run('launched.destroy(); await launched.gone; console.log("over");');
  });

  it('is kept alive by a sandbox', async () => {
    await expect(run('', 700)).rejects.toMatchObject({ killed: true });
  });
});
