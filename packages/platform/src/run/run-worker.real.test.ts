/** Runs in the process that has the kernel: a real gate, real sandboxes, a script for a model. */
import { type Kernel, openKernel, type Worker } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptedModel } from '../model/scripted/scripted-model.ts';
import type { Script } from '../model/scripted/scripted-turn.ts';
import { openPlatform } from '../open-platform.ts';
import type { Platform } from '../platform.ts';
import { createRunWorker } from './run-worker.ts';
import { type StartRun, startRun } from './start-run.ts';

const GRANTS = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], models: ['*'] } as const;

let directory: TemporaryDirectory;
let kernel: Kernel;
let platform: Platform;
beforeAll(async () => {
  directory = await TemporaryDirectory.create();
  kernel = await openKernel({ directory: directory.path });
  platform = await openPlatform({ kernel, directory: directory.path, isWatching: false, openSandboxes });
});
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await kernel.close();
  await directory[Symbol.asyncDispose]();
});

function work(script: Script, leaseMs = 30_000): Worker {
  const openModel = async () => scriptedModel(script);
  return createRunWorker({ kernel, platform, openModel, costOf: () => 0, now: () => Date.now(), leaseMs });
}

async function start(message: string, request: Partial<StartRun> = {}): Promise<number> {
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const asked = { agent: 'ada', grants: GRANTS, message, model: 'scripted/script', ...request };
  return (await startRun(platform.agents, mine, asked)).id;
}

/** Resolves when the run is in this state. */
async function until(run: number, state: 'waiting' | 'ended'): Promise<void> {
  const { events, runs } = kernel.workspace(DEFAULT_WORKSPACE);
  const stop = new AbortController();
  const { state: now } = await runs.get(run);
  if (now === state || now === 'ended') return;
  for await (const { payload } of events.subscribe({ kind: `kernel.run.${state}`, after: 0 }, stop.signal))
    if (payload['run'] === run) return;
}

async function textsOf(run: number): Promise<readonly string[]> {
  const steps = await kernel.workspace(DEFAULT_WORKSPACE).runs.steps(run);
  return steps.filter(({ kind }) => kind === 'call').map(({ body }) => (body['content'] as readonly { text: string }[])[0]?.text ?? '');
}

const resultOf = async (run: number) => await kernel.workspace(DEFAULT_WORKSPACE).runs.get(run);

describe('a run', () => {
  it('works with the tools that models know, in its own sandbox', async () => {
    await using _worker = work([
      { calls: [{ name: 'write', input: { path: 'notes/a.txt', content: 'one\ntwo\nthree\n' } }] },
      {
        calls: [
          { name: 'read', input: { path: 'notes/a.txt', offset: 2, limit: 1 } },
          { name: 'edit', input: { path: 'notes/a.txt', old_string: 'three', new_string: 'four' } },
          { name: 'ls', input: { path: 'notes' } },
        ],
      },
      { calls: [{ name: 'bash', input: { command: 'cat notes/a.txt; exit 3' } }] },
      {
        calls: [
          { name: 'grep', input: { pattern: 'fo.r', path: 'notes' } },
          { name: 'find', input: { pattern: '**/*.txt' } },
        ],
      },
      {
        calls: [
          { name: 'reed', input: {} },
          { name: 'read', input: { path: 'missing' } },
          { name: 'write', input: { path: 5 } },
        ],
      },
      { text: 'All done.' },
    ]);
    const run = await start('work');
    await until(run, 'ended');
    expect(await resultOf(run)).toMatchObject({ outcome: 'completed', result: { text: 'All done.' } });
    const texts = await textsOf(run);
    expect(texts[0]).toMatch(/^Wrote 14 bytes/);
    expect(texts.slice(1, 4).toSorted()).toEqual([
      expect.stringMatching(/^Changed .*a\.txt in 1 places/),
      'a.txt',
      'two\n… there is more, from line 3 on',
    ]);
    expect(texts[4]).toContain('one\ntwo\nfour\n');
    expect(texts[4]).toContain('[exit code 3]');
    expect(texts.slice(5, 7).toSorted()).toEqual(['/workspace/notes/a.txt', '/workspace/notes/a.txt:3: four']);
    expect(texts.slice(7).join('\n')).toMatch(/did you mean read/);
    expect(texts.slice(7).join('\n')).toMatch(/FileNotFound/);
    expect(texts.slice(7).join('\n')).toMatch(/InvalidInput/);
  });

  it('is gone on with by another worker, and nothing is done twice', async () => {
    let turns = 0;
    const stop = Promise.withResolvers<void>();
    const script: Script = ({ messages }) => {
      turns += 1;
      if (messages.length === 1) return { calls: [{ name: 'bash', input: { command: 'echo x >> count; cat count' } }] };
      if (turns === 2) stop.resolve();
      return turns === 2 ? { text: 'never heard', pauseMs: 60_000 } : { text: 'ok' };
    };
    const run = await (async () => {
      await using first = work(script);
      const id = await start('count');
      await stop.promise;
      await first.stop({ drain: false, graceMs: 0 });
      return id;
    })();
    await using _second = work(script);
    await until(run, 'ended');
    expect(await resultOf(run)).toMatchObject({ outcome: 'completed', result: { text: 'ok' } });
    expect(await textsOf(run)).toEqual(['x\n']);
  });

  it('holds nothing while people decide, and goes on with what they say', async () => {
    const script: Script = [{ calls: [{ name: 'filesystem__delete', input: { path: 'precious' } }] }, { text: 'ok' }];
    await using _worker = work(script);
    const run = await start('delete it', { toolsets: ['all'] });
    await until(run, 'waiting');
    const mine = kernel.workspace(DEFAULT_WORKSPACE);
    const [pending] = (await mine.approvals.list({ state: 'pending' })).approvals;
    if (pending === undefined) throw new Error('Nobody is asked');
    await mine.approvals.reject(pending.id, { name: 'ana', groups: [], isOperator: true }, { reason: 'keep it' });
    await until(run, 'ended');
    expect((await textsOf(run))[0]).toMatch(/ApprovalRejected/);
  });

  it('is stopped in the middle of a turn', async () => {
    const asked = Promise.withResolvers<void>();
    const script: Script = () => {
      asked.resolve();
      return { text: 'never', pauseMs: 60_000 };
    };
    await using _worker = work(script);
    const run = await start('stop me');
    await asked.promise;
    await kernel.workspace(DEFAULT_WORKSPACE).runs.stop(run, 'enough');
    await until(run, 'ended');
    expect(await resultOf(run)).toMatchObject({ outcome: 'stopped' });
  });

  it('ends when its budget does', async () => {
    await using _worker = work(() => ({ calls: [{ name: 'bash', input: { command: 'true' } }], usage: { inputTokens: 900 } }));
    const run = await start('spend', { budgets: { tokens: 2_000 } });
    await until(run, 'ended');
    expect(await resultOf(run)).toMatchObject({ outcome: 'budget' });
  });
});

describe('what is wrong with a run is said at once', () => {
  it.each([
    [{ message: '' }, 'message'],
    [{ message: 'x', toolsets: ['codnig'] }, 'toolsets'],
    [{ message: 'x', limits: { turnsMax: -1 } }, 'turnsMax'],
  ] as const)('%j', async (request, field) => {
    const before = (await kernel.workspace(DEFAULT_WORKSPACE).processes.list()).total;
    await expect(start(request.message, request)).rejects.toMatchObject({ code: 'invalid_argument', details: { field } });
    expect((await kernel.workspace(DEFAULT_WORKSPACE).processes.list()).total).toBe(before);
  });
});
