/** `warren session` as users have it: the shipped program and a real daemon. */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

let gate: GateDaemon;
let ids: readonly string[];
beforeAll(async () => {
  gate = await GateDaemon.start();
  await gate.client.call('transcript.create', { session: 'support-42', agent: 'helper', title: 'A refund' });
  const { entry_ids } = await gate.client.call('transcript.append', {
    session: 'support-42',
    entries: [
      { type: 'message', role: 'user', content: 'Where is my refund?\u001b[31m' },
      { type: 'message', role: 'assistant', content: 'It comes on Tuesday.' },
    ],
  });
  ids = entry_ids;
}, PATIENCE_MS);
afterAll(async () => await gate?.[Symbol.asyncDispose]());

describe('warren session', { timeout: PATIENCE_MS }, () => {
  it('lists, shows, searches and exports', async () => {
    expect((await gate.warren(['session', 'list'])).stdout).toMatch(/^support-42 +\S+ +helper +A refund/m);
    const shown = (await gate.warren(['session', 'show', 'support-42'])).stdout;
    expect(shown).toMatch(/^user {2}\S+ {2}entry_\w+\n {2}Where is my refund\?/m);
    expect(shown).not.toContain('\u001b');
    expect((await gate.warren(['session', 'search', 'REFUND', 'where'])).stdout).toContain(`support-42  ${ids[0]}`);
    expect(await gate.warren(['session', 'search', 'pineapple'])).toMatchObject({ code: 1, stderr: 'warren: nothing is found\n' });
    expect((await gate.warren(['session', 'export', 'support-42'])).stdout).toMatch(/^# Session support-42\n[\s\S]*It comes on Tuesday/);
    expect((await gate.warren(['session', 'export', 'support-42', '--format', 'html'])).stdout).toMatch(/^<!doctype html>/);
    const whole = JSON.parse((await gate.warren(['session', 'export', 'support-42', '--format', 'json'])).stdout);
    expect(whole).toMatchObject({
      session: 'support-42',
      tip_id: ids[1],
      entries: [{ type: 'title' }, { role: 'user' }, { role: 'assistant' }],
    });
    expect((await gate.warren(['session', 'export', 'support-42', '--format', 'jsonl'])).stdout.trim().split('\n')).toHaveLength(4);
  });

  it('branches, compacts and deletes', async () => {
    const branched = await gate.warren(['session', 'branch', 'support-42', ids[0] ?? '', '--as', 'again']);
    expect([branched.code, branched.stdout]).toEqual([0, `again goes on from ${ids[0]}\n`]);
    expect(await gate.warren(['session', 'compact', 'again', '-'], { input: 'They want a refund.' })).toMatchObject({ code: 0 });
    expect((await gate.warren(['session', 'show', 'again', '--view', 'context'])).stdout).toMatch(
      /^summary .*\n {2}They want a refund\.\n$/,
    );
    expect(await gate.warren(['session', 'delete', 'again', 'none'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no such session'),
    });
    expect((await gate.json<{ transcripts: readonly unknown[] }>(['session', 'list'])).transcripts).toHaveLength(1);
  });

  it('writes a session that is larger than what it may hold', async () => {
    await gate.client.call('transcript.create', { session: 'large' });
    const content = 'A sentence that somebody said, and not a short one.\n'.repeat(19_000);
    for (let count = 0; count < 60; count++)
      await gate.client.call('transcript.append', { session: 'large', entries: [{ type: 'message', role: 'user', content }] });
    const held = { env: { NODE_OPTIONS: '--max-old-space-size=40' } };
    for (const [format, end] of [
      ['md', '\n```\n'],
      ['html', '</body></html>\n'],
    ] as const) {
      const { code, stdout, stderr } = await gate.warren(['session', 'export', 'large', '--format', format], held);
      expect([code, stderr, stdout.length > 60 * content.length, stdout.endsWith(end)]).toEqual([0, '', true, true]);
    }
    await gate.warren(['session', 'delete', 'large']);
  });

  it.each(['../../kernel', 'a/b', '.', 'x'.repeat(200)])('makes nothing of %j', async (id) => {
    const before = readdirSync(gate.path('workspaces'), { recursive: true });
    for (const words of [
      ['show', id],
      ['export', id],
      ['delete', id],
      ['branch', 'support-42', ids[0] ?? '', '--as', id],
    ]) {
      const { code, stderr } = await gate.warren(['session', ...words]);
      expect([words, code, stderr]).toEqual([words, 2, expect.stringContaining('as the id of a session')]);
    }
    expect(readdirSync(gate.path('workspaces'), { recursive: true })).toEqual(before);
  });

  it('survives a kill and half a line', async () => {
    await gate.client.call('transcript.append', { session: 'support-42', entries: [{ type: 'note', kind: 'x', data: { a: 1 } }] });
    await gate.daemon.kill('SIGKILL');
    const file = gate.path('workspaces', 'default', 'sessions', 'support-42.jsonl');
    truncateSync(file, statSync(file).size - 5);
    await gate.start();
    const { entries, tip_id: tip } = await gate.client.call('transcript.get', { session: 'support-42' });
    expect([entries.length, tip]).toEqual([3, ids[1]]);
    expect(
      await gate.client.call('transcript.append', { session: 'support-42', entries: [{ type: 'title', title: 'Done' }] }),
    ).toBeDefined();
  });
});
