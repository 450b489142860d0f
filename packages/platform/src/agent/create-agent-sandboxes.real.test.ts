/** Agents' sandboxes: what is mounted, who shares what, and when they end. Real walls and a real kernel. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { DEFAULT_WORKSPACE, isFault } from '@warren/protocol';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentHost } from '../handler/test-support/agent-host.ts';

let sandboxes: Sandboxes;
beforeAll(async () => {
  sandboxes = await openSandboxes();
});
afterAll(() => sandboxes[Symbol.asyncDispose]());

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'opened',
    (error: unknown) => (isFault(error) ? error.code : `not a fault: ${String(error)}`),
  );

/** It runs again, so that it can be stopped again. */
async function restart({ mine }: AgentHost, pid: number): Promise<void> {
  await mine.processes.signal(pid, 'continue');
  await mine.processes.transition(pid, 'RUNNING');
}

describe("what an agent's sandbox shows", () => {
  it('is the granted places and nothing else of the workspace', async () => {
    await using host = await AgentHost.open({ sandboxes });
    for (const name of ['a', 'b', 'c']) mkdirSync(`${host.files}/${name}`);
    writeFileSync(`${host.files}/b/f`, 'b');
    const pid = await host.process([
      { prefix: '/workspace/a', mode: 'rw' },
      { prefix: '/workspace/b', mode: 'r' },
      { prefix: '/workspace/new/deep', mode: 'rw' },
    ]);
    expect(await host.shell(pid, 'find /workspace | sort')).toBe(
      '/workspace\n/workspace/a\n/workspace/b\n/workspace/b/f\n/workspace/new\n/workspace/new/deep\n',
    );
    expect(
      await host.shell(
        pid,
        'echo x > /workspace/a/x; echo y > /workspace/new/deep/y; for f in /workspace/b/f /workspace/z /workspace/new/z; do (echo z > $f) 2>/dev/null && echo wrote $f; done; cat /workspace/b/f; stat -c %u /workspace/b',
      ),
    ).toBe('b1000\n');
    expect(readFileSync(`${host.files}/a/x`, 'utf8')).toBe('x\n');
  });

  it('may be read as a whole and written in a part', async () => {
    await using host = await AgentHost.open({ sandboxes });
    writeFileSync(`${host.files}/f`, 'f');
    const pid = await host.process([
      { prefix: '/workspace', mode: 'r' },
      { prefix: '/workspace/out/put', mode: 'rw' },
    ]);
    expect(
      await host.shell(
        pid,
        'cd /workspace; cat f; echo o > out/put/o; for f in f out/x new; do (echo z > $f) 2>/dev/null && echo wrote $f; done; true',
      ),
    ).toBe('f');
    expect(readFileSync(`${host.files}/out/put/o`, 'utf8')).toBe('o\n');
  });

  it('is never what a link planted by another agent leads to', async () => {
    await using host = await AgentHost.open({ sandboxes });
    const planter = await host.process();
    mkdirSync(`${host.files}/secret`);
    writeFileSync(`${host.files}/secret/key`, 'hidden');
    await host.shell(planter, 'cd /workspace && ln -s / a && ln -s secret b && mkdir c && ln -s ../secret c/d && ln -s /etc/passwd e');
    for (const prefix of ['/workspace/a', '/workspace/a/etc', '/workspace/b', '/workspace/c/d', '/workspace/e', '/workspace/b/made']) {
      const pid = await host.process([{ prefix, mode: 'rw' }]);
      expect([prefix, await codeOf(host.agents.open(DEFAULT_WORKSPACE, pid))]).toEqual([prefix, 'permission_denied']);
    }
    expect(host.agents.active).toBe(1);
  });

  it('is never what a link leads to that is swapped in while it starts', async () => {
    await using host = await AgentHost.open({ sandboxes });
    mkdirSync(`${host.files}/secret`);
    writeFileSync(`${host.files}/secret/key`, 'hidden');
    const start = sandboxes.start.bind(sandboxes);
    // Between the walk over the names and what the backend makes of them.
    await using raced = await AgentHost.open({
      sandboxes: {
        capabilities: sandboxes.capabilities,
        start: async (spec, signal) => {
          renameSync(`${raced.files}/a`, `${raced.files}/moved`);
          symlinkSync(`${host.files}/secret`, `${raced.files}/a`);
          return await start(spec, signal);
        },
        [Symbol.asyncDispose]: async () => {},
      },
    });
    mkdirSync(`${raced.files}/a`);
    const pid = await raced.process([{ prefix: '/workspace/a', mode: 'rw' }]);
    expect(await codeOf(raced.agents.open(DEFAULT_WORKSPACE, pid))).toBe('permission_denied');
    rmSync(`${raced.files}/a`);
  });

  it('is nothing for a process that holds no path, is DEAD or unknown', async () => {
    await using host = await AgentHost.open({ sandboxes });
    const pid = await host.process([]);
    expect(await codeOf(host.agents.open(DEFAULT_WORKSPACE, pid))).toBe('permission_denied');
    expect(await codeOf(host.agents.open(DEFAULT_WORKSPACE, 999))).toBe('unknown_pid');
    const dead = await host.process();
    await host.mine.processes.signal(dead, 'kill');
    expect(await codeOf(host.agents.open(DEFAULT_WORKSPACE, dead))).toBe('conflict');
    expect(host.agents.active).toBe(0);
  });
});

describe("the life of an agent's sandbox", () => {
  it('is shared by callers that open it at once, and released by each once', async () => {
    await using host = await AgentHost.open({ sandboxes });
    const pid = await host.process();
    const [first, second] = await Promise.all([host.agents.open(DEFAULT_WORKSPACE, pid), host.agents.open(DEFAULT_WORKSPACE, pid)]);
    expect(first?.sandbox).toBe(second?.sandbox);
    await first?.[Symbol.asyncDispose]();
    await first?.[Symbol.asyncDispose]();
    host.time += 300_000;
    await host.agents.sweep();
    expect(host.agents.active).toBe(1); // The second still holds it.
    await second?.[Symbol.asyncDispose]();
    await host.agents.sweep();
    expect(host.agents.active).toBe(1);
    host.time += 300_000;
    await host.agents.sweep();
    expect(host.agents.active).toBe(0);
  });

  it('ends with its process', async () => {
    await using host = await AgentHost.open({ sandboxes });
    const pid = await host.process();
    await using held = await host.agents.open(DEFAULT_WORKSPACE, pid);
    await host.mine.processes.signal(pid, 'kill');
    await held.sandbox.gone;
    expect(host.agents.active).toBe(0);
    expect(await codeOf(held.sandbox.run(['true']))).toBe('sandbox_gone');
  });

  it('ends when grants change: a call under way hears it, the next has the new mounts', async () => {
    await using host = await AgentHost.open({ sandboxes });
    writeFileSync(`${host.files}/f`, 'f');
    const pid = await host.process();
    await using held = await host.agents.open(DEFAULT_WORKSPACE, pid);
    const waiting = codeOf(
      held.sandbox
        .run(['sleep', '60'])
        .then(({ exit }) => (exit.kind === 'stopped' && exit.by === 'destroyed' ? Promise.reject(new Error('stopped')) : exit)),
    );
    await host.mine.grants.narrow(pid, { paths: [{ prefix: '/workspace/only', mode: 'r' }], tools: ['*'] });
    expect(await waiting).not.toBe('opened');
    expect(await host.shell(pid, 'ls /workspace')).toBe('only\n');
    await host.mine.grants.revoke(pid);
    expect(await codeOf(host.agents.open(DEFAULT_WORKSPACE, pid))).toBe('permission_denied');
  });

  it('is made again when grants change while it starts', async () => {
    let narrow = async (): Promise<void> => {};
    await using host = await AgentHost.open({
      sandboxes: {
        capabilities: sandboxes.capabilities,
        start: async (spec, signal) => {
          await narrow();
          return await sandboxes.start(spec, signal);
        },
        [Symbol.asyncDispose]: async () => {},
      },
    });
    mkdirSync(`${host.files}/all`);
    const pid = await host.process();
    narrow = async () => {
      narrow = async () => {};
      await host.mine.grants.narrow(pid, { paths: [{ prefix: '/workspace/part', mode: 'rw' }], tools: ['*'] });
    };
    expect(await host.shell(pid, 'ls /workspace')).toBe('part\n');
  });

  it('gives way to another process when it is idle, and to none when it is not', async () => {
    await using host = await AgentHost.open({ sandboxes, limits: { sandboxesMax: 2 } });
    const [a = 0, b = 0, c = 0] = [await host.process(), await host.process(), await host.process()];
    await using first = await host.agents.open(DEFAULT_WORKSPACE, a);
    host.time += 1;
    await using second = await host.agents.open(DEFAULT_WORKSPACE, b);
    expect(await codeOf(host.agents.open(DEFAULT_WORKSPACE, c))).toBe('busy');
    await second[Symbol.asyncDispose]();
    await using third = await host.agents.open(DEFAULT_WORKSPACE, c);
    expect(third.sandbox).not.toBe(second.sandbox);
    await second.sandbox.gone;
    expect((await first.sandbox.run(['true'])).exit).toMatchObject({ kind: 'exited', code: 0 });
  });

  it('is given up with the last caller who waits for it', async () => {
    await using host = await AgentHost.open({ sandboxes });
    const pid = await host.process();
    const [one, two] = [new AbortController(), new AbortController()];
    const opening = [host.agents.open(DEFAULT_WORKSPACE, pid, one.signal), host.agents.open(DEFAULT_WORKSPACE, pid, two.signal)] as const;
    one.abort(new Error('enough'));
    await expect(opening[0]).rejects.toThrow('enough');
    await using held = await opening[1];
    expect((await held.sandbox.run(['true'])).exit.kind).toBe('exited');
    const other = await host.process();
    const both = host.agents.open(DEFAULT_WORKSPACE, other, two.signal);
    two.abort(new Error('enough'));
    await expect(both).rejects.toThrow('enough');
    await expect(host.agents.open(DEFAULT_WORKSPACE, other, two.signal)).rejects.toThrow('enough');
    expect(host.agents.active).toBe(1);
  });

  it.each<readonly [string, (host: AgentHost, pid: number) => Promise<unknown>, (host: AgentHost, pid: number) => Promise<unknown>]>([
    ['its process is suspended', ({ mine }, pid) => mine.processes.transition(pid, 'SUSPENDED'), restart],
    ['its agent is paused', ({ mine }) => mine.processes.pauseAgent('ada'), ({ mine }) => mine.processes.resumeAgent('ada')],
  ])('stands still while %s, and goes on then', async (_, stop, goOn) => {
    const settled: string[] = [];
    await using host = await AgentHost.open({
      sandboxes: {
        capabilities: sandboxes.capabilities,
        start: async (spec, signal) => {
          const sandbox = await sandboxes.start(spec, signal);
          const [pause, resume] = [sandbox.pause.bind(sandbox), sandbox.resume.bind(sandbox)];
          return Object.assign(sandbox, {
            pause: () => pause().then(() => void settled.push('frozen')),
            resume: () => resume().then(() => void settled.push('thawed')),
          });
        },
        [Symbol.asyncDispose]: async () => {},
      },
    });
    const last = () => expect.poll(() => settled.at(-1), { timeout: 10_000 });
    const { pid } = await host.mine.processes.create({ name: 'ada', template: 't', agent: 'ada' });
    await host.mine.grants.create(pid, { paths: [{ prefix: '/workspace', mode: 'rw' }], tools: ['*'] });
    await host.mine.processes.transition(pid, 'RUNNING');
    await using held = await host.agents.open(DEFAULT_WORKSPACE, pid);
    writeFileSync(`${host.files}/beats`, '');
    const beats = () => statSync(`${host.files}/beats`).size;
    const growsFrom = (size: number) => expect.poll(beats, { timeout: 10_000 }).toBeGreaterThan(size);
    await held.background.start(['sh', '-c', 'while :; do echo x >> /workspace/beats; done'], {});
    await growsFrom(0);
    await stop(host, pid);
    await last().toBe('frozen');
    const before = beats();
    await host.shell(await host.process(), 'true'); // Another has time to run.
    expect(beats()).toBe(before);
    await goOn(host, pid);
    await last().toBe('thawed');
    await growsFrom(before);
    await stop(host, pid);
    await last().toBe('frozen');
    await host.mine.processes.end(pid, 'cancelled'); // What is frozen ends too.
    await held.sandbox.gone;
  });

  it('can be frozen, closed, and is refused when everything closes', async () => {
    const host = await AgentHost.open({ sandboxes });
    const pid = await host.process();
    await using held = await host.agents.open(DEFAULT_WORKSPACE, pid);
    await held.sandbox.pause();
    let isDone = false;
    const running = held.sandbox.run(['true']).then(() => {
      isDone = true;
    });
    await host.mine.processes.get(pid);
    expect(isDone).toBe(false);
    await held.sandbox.resume();
    await running;
    await host.agents.close(DEFAULT_WORKSPACE, pid);
    await held.sandbox.gone;
    const last = await host.process();
    await using open = await host.agents.open(DEFAULT_WORKSPACE, last);
    await host.agents[Symbol.asyncDispose]();
    await open.sandbox.gone;
    expect(await codeOf(host.agents.open(DEFAULT_WORKSPACE, last))).toBe('unavailable');
    await host[Symbol.asyncDispose]();
  });
});

describe('commands in the background', () => {
  it('go on after the call, keep their output within bounds and hold the sandbox', async () => {
    await using host = await AgentHost.open({ sandboxes });
    const pid = await host.process();
    const held = await host.agents.open(DEFAULT_WORKSPACE, pid);
    const { background } = held;
    const signal = new AbortController().signal;
    const started = await background.start(['sh', '-c', 'echo begin; head -c 3000000 /dev/zero; read line'], { signal });
    expect(started).toMatchObject({ state: 'running', argv: ['sh', '-c', expect.any(String)] });
    const done = await background.wait(started.id, 20_000, signal);
    expect(done).toMatchObject({ state: 'completed', stdoutBytes: 3_000_006, exit: { kind: 'exited' } });
    const kept = background.output(started.id, 'stdout', 0, 4_000_000);
    expect([kept.bytes.length, kept.firstOffset, kept.totalBytes]).toEqual([1_048_576, 3_000_006 - 1_048_576, 3_000_006]);

    const endless = await background.start(['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {});
    await held[Symbol.asyncDispose]();
    host.time += 600_000;
    await host.agents.sweep();
    expect(host.agents.active).toBe(1);
    expect(await background.wait(endless.id, 1, signal)).toMatchObject({ state: 'running' });
    expect(await background.kill(endless.id, 'SIGTERM', 100)).toMatchObject({ state: 'killed' });
    const missing = await background.start(['/no/such/program'], {});
    expect(await background.wait(missing.id, 20_000, signal)).toMatchObject({ state: 'failed', exit: { kind: 'not_started', code: 127 } });
    const late = await background.start(['sleep', '60'], { timeoutMs: 50 });
    expect(await background.wait(late.id, 20_000, signal)).toMatchObject({ state: 'timed_out' });
    expect(background.list().map(({ state }) => state)).toEqual(['completed', 'killed', 'failed', 'timed_out']);
    expect(new Set(background.list().map(({ id }) => id)).size).toBe(4);
    expect(() => background.output('proc_0', 'stdout', 0, 1)).toThrow(/none of that id/);
    const abort = new AbortController();
    const again = await background.start(['sleep', '60'], {});
    const waiting = background.wait(again.id, 60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await host.agents.close(DEFAULT_WORKSPACE, pid);
    expect(await background.wait(again.id, 20_000, signal)).toMatchObject({ endedAt: host.time });
  });
});
