/** How the shipped daemon stops while agents act: real processes, real sandboxes, real signals. */
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@warren/client';
import type { CallAnswer } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

const POLICY = `rules:
  - { capability: system.health, tier: approval_required }
  - { capability: "*", tier: autonomous }
`;
/** Until a file is there that the test makes, or it is told to end. */
const UNTIL_TOLD = 'touch begun; until [ -e go ]; do sleep 0.02; done; echo finished';

class Scene implements AsyncDisposable {
  readonly gate: GateDaemon;
  readonly pid: number;

  private constructor(gate: GateDaemon, pid: number) {
    this.gate = gate;
    this.pid = pid;
  }

  static async open(): Promise<Scene> {
    const gate = await GateDaemon.start(['--no-tcp'], (user) => {
      mkdirSync(join(user.state, 'policies'), { recursive: true, mode: 0o700 });
      writeFileSync(join(user.state, 'policies', 'workspace.yaml'), POLICY);
    });
    return new Scene(gate, await gate.startAgent('builder'));
  }

  /** What the agent sees in its workspace. */
  file(name: string): string {
    return this.gate.path('workspaces', 'default', 'files', name);
  }

  /** A call that goes on until it is told, and has begun. */
  async begin(): Promise<{ readonly answer: Promise<CallAnswer> }> {
    const answer = this.gate.call(this.pid, 'process.run', { command: 'sh', args: ['-c', UNTIL_TOLD] });
    answer.catch(() => {}); // Looked at by the test.
    while (!existsSync(this.file('begun'))) await sleep(5); // Nobody tells of a file but the machine.
    return { answer };
  }

  async draining(): Promise<void> {
    while ((await this.gate.client.call('daemon.status', {})).state !== 'draining');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gate[Symbol.asyncDispose]();
  }
}

const CUT_OFF = { state: 'failed', error: { type: 'Cancelled', message: expect.stringContaining('Warren is stopping') } };

describe('a daemon that stops', { timeout: PATIENCE_MS }, () => {
  it('lets a call under way end and answers it, ends whoever waits, and refuses what would begin', async () => {
    await using scene = await Scene.open();
    const { gate, pid } = scene;
    const { answer } = await scene.begin();
    const waiting = gate.call(pid, 'system.health', {}, { on_ask: 'wait', wait_ms: 60_000 });
    const claiming = gate.client.call('queue.claim', { worker_id: 'w', wait_ms: 60_000 });
    const stream = new WebSocket(`ws+unix:${gate.path('warren.sock')}:/events?view=supervision`);
    await once(stream, 'open');
    const ended = once(stream, 'close');

    process.kill(gate.daemon.document.pid, 'SIGTERM');
    expect((await ended)[0]).toBe(1001);
    expect(await waiting).toMatchObject({ state: 'pending' });
    expect(await claiming).toEqual({ claims: [] });
    await scene.draining();
    await using late = connect({ socketPath: gate.path('warren.sock'), attemptsMax: 1 });
    await expect(late.call('call.make', { pid, capability: 'system.time', input: {} })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Warren is stopping'),
    });
    expect((await gate.warren(['status'])).stdout).toContain('draining');

    writeFileSync(scene.file('go'), '');
    expect(await answer).toMatchObject({ state: 'done', output: { exit_code: 0, stdout_summary: expect.stringContaining('finished') } });
    expect(await gate.daemon.ended).toMatchObject({ code: 0 });
    await gate.start();
    const { approvals } = await gate.client.call('approval.list', {});
    expect(approvals).toMatchObject([{ capability: 'system.health', state: 'pending' }]);
  });

  it('cuts off what does not end within --drain, and tells its caller', async () => {
    await using scene = await Scene.open();
    const { answer } = await scene.begin();
    const stopping = scene.gate.warren(['stop', '--drain', '50ms']);
    expect(await answer).toMatchObject(CUT_OFF);
    expect(await stopping).toMatchObject({ code: 0 });
    expect(await scene.gate.daemon.ended).toMatchObject({ code: 0 });
  });

  it('is given less time by whoever asks once more', async () => {
    await using scene = await Scene.open();
    const { answer } = await scene.begin();
    const first = scene.gate.warren(['stop', '--drain', '1h']);
    await scene.draining();
    const second = scene.gate.warren(['stop', '--drain', '0s']);
    expect(await answer).toMatchObject(CUT_OFF);
    expect([(await first).code, (await second).code]).toEqual([0, 0]);
  });

  it('cuts off at a second signal, and tells callers', async () => {
    await using scene = await Scene.open();
    const { answer } = await scene.begin();
    process.kill(scene.gate.daemon.document.pid, 'SIGTERM');
    await scene.draining();
    process.kill(scene.gate.daemon.document.pid, 'SIGTERM');
    expect(await answer).toMatchObject(CUT_OFF);
    expect(await scene.gate.daemon.ended).toMatchObject({ code: 0 });
  });

  it('does not wait when nothing is under way', async () => {
    await using scene = await Scene.open();
    expect(await scene.gate.warren(['stop', '--drain', '1h'])).toMatchObject({ code: 0 });
    expect((await scene.gate.daemon.ended).stderr).not.toContain('not everything is answered');
  });

  it.each([
    [['stop', '--drain', '2h'], /--drain: it must be at most 1h/],
    [['stop', '--drain', 'soon'], /a duration is a number and a unit/],
  ])('warren %j is refused', async (words, message) => {
    await using scene = await Scene.open();
    const { code, stderr } = await scene.gate.warren(words);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
