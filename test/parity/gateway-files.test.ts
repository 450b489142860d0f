import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '@warren/protocol';
import { expect, vi } from 'vitest';
import { shareAgents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

vi.setConfig({ testTimeout: 60_000 }); // Each agent has a sandbox of its own.

const agents = shareAgents();

const HOUR_MS = 3_600_000;

/** A file of the workspace, on the host. */
function textOf(path: string): string {
  return readFileSync(agents().files(path), 'utf8');
}

provesGate('file:missing', async () => {
  const agent = await agents().agent();
  const answer = await agent.ask('filesystem.read', { path: '/workspace/none' });
  if (answer.kind !== 'failed') throw new Error('it was read');
  expect(answer.error).toMatchObject({ type: 'FileNotFound', agentMessage: expect.stringContaining('/workspace/none') });
  const named = answer.error.recovery.flatMap(({ capability }) => (capability === undefined ? [] : [capability]));
  expect(named).toContain('filesystem.list');
  expect(named.filter((name) => agents().platform.capabilities.find(name) === undefined)).toEqual([]);
});

provesGate('input:missing-field', async () => {
  const agent = await agents().agent();
  const answer = await agent.ask('filesystem.write', { path: '/workspace/unwritten' });
  expect(answer).toMatchObject({ kind: 'failed', error: { type: 'InvalidInput', context: { field: 'content' } } });
  expect(existsSync(agents().files('unwritten'))).toBe(false);
});

provesGate('file:parent-missing', async () => {
  const agent = await agents().agent();
  const input = { path: '/workspace/new/deep/file', content: 'x' };
  expect(await agent.errorOf('filesystem.write', { ...input, create_parents: false })).toBe('ParentNotFound');
  expect(existsSync(agents().files('new'))).toBe(false);
  await agent.call('filesystem.write', { ...input, create_parents: true });
  expect(textOf('new/deep/file')).toBe('x');
});

provesGate('file:atomic', async () => {
  const agent = await agents().agent();
  const [old, fresh] = ['o'.repeat(2_000_000), 'n'.repeat(2_000_000)];
  const seen = new Set<string>();
  for (let moment = 0; moment < 20; moment++) {
    await agent.call('filesystem.write', { path: '/workspace/whole', content: old });
    const cancel = new AbortController();
    const writing = agent.ask('filesystem.write', { path: '/workspace/whole', content: fresh }, {}, cancel.signal).catch(() => {}); // It is told that it was cancelled.
    for (let turn = 0; turn < moment * 3; turn++) await new Promise(setImmediate);
    cancel.abort();
    await writing;
    const content = textOf('whole');
    seen.add(content === old ? 'old' : content === fresh ? 'new' : `a mix of ${content.length}`);
  }
  expect([...seen].filter((each) => each !== 'old' && each !== 'new')).toEqual([]);
});

provesGate('file:escape', async () => {
  const agent = await agents().agent();
  symlinkSync('/etc/hostname', agents().files('way-out'));
  const answer = await agent.ask('filesystem.read', { path: '/workspace/way-out' });
  expect(answer).toMatchObject({ kind: 'failed', error: { type: 'PathOutOfScope' } });
  const { entries } = await agents().platform.audit.search({ callId: answer.callId });
  expect(entries).toMatchObject([{ action: 'filesystem.read', error: { type: 'PathOutOfScope' } }]);
});

provesGate('file:not-empty', async () => {
  const agent = await agents().agent();
  mkdirSync(agents().files('full'), { recursive: true });
  writeFileSync(agents().files('full/file'), 'kept');
  expect(await agent.errorOf('filesystem.delete', { path: '/workspace/full' })).toBe('DirectoryNotEmpty');
  expect(textOf('full/file')).toBe('kept');
});

provesGate('file:trash', async () => {
  const agent = await agents().agent();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('base64');
  await agent.call('filesystem.write', { path: '/workspace/gone', content: bytes, encoding: 'binary' });
  const before = Date.now();
  const { recoverable_until: until } = await agent.call('filesystem.delete', { path: '/workspace/gone' });
  expect(existsSync(agents().files('gone'))).toBe(false);
  const hours = (Date.parse(String(until)) - before) / HOUR_MS;
  expect([hours > 23.99, hours < 24.01]).toEqual([true, true]);
  await agent.call('filesystem.restore', { path: '/workspace/gone' });
  expect(await agent.call('filesystem.read', { path: '/workspace/gone', encoding: 'binary' })).toMatchObject({ content: bytes });
});

provesGate('file:count-mismatch', async () => {
  const agent = await agents().agent();
  writeFileSync(agents().files('thrice'), 'a a a');
  const answer = await agent.ask('filesystem.edit', { path: '/workspace/thrice', pattern: 'a', replace: 'b', expected_replacements: 2 });
  const found = answer.kind === 'done' ? answer.output : answer.kind === 'failed' ? { ...answer.error } : {};
  expect(JSON.stringify(found)).toMatch(/3/);
  expect(textOf('thrice')).toBe('a a a');
});

provesGate('file:edit-ambiguous', async () => {
  const agent = await agents().agent();
  writeFileSync(agents().files('both'), 'a');
  const input = { path: '/workspace/both', pattern: 'a', replace: 'b', expected_replacements: 1, replace_all: true };
  expect(await agent.errorOf('filesystem.edit', input)).toBe('InvalidInput');
  expect(textOf('both')).toBe('a');
});

provesGate('file:stat-missing', async () => {
  const agent = await agents().agent();
  expect(await agent.call('filesystem.stat', { path: '/workspace/none' })).toEqual({ exists: false });
});

provesGate('file:aggregate', async () => {
  const agent = await agents().agent();
  await agent.shell('mkdir counted; cd counted; touch a.md b.md c.ts plain');
  const input = { path: '/workspace/counted', pattern: '**/*', aggregate: { group_by: 'extension' } };
  const { rows, matches } = await agent.call('filesystem.search', input);
  const counts = (rows as readonly JsonObject[]).map(({ key, count }) => `${key} ${count}`).toSorted();
  expect([counts, matches]).toEqual([['.md 2', '.ts 1', '<none> 1'], undefined]);
});

provesGate('code:ambiguous', async () => {
  const agent = await agents().agent();
  const text = 'x = 1\ny = 2\nx = 1\nz\nx = 1\n';
  writeFileSync(agents().files('code.py'), text);
  expect(await agent.call('code.edit', { path: '/workspace/code.py', old_string: 'x = 1', new_string: 'x = 3' })).toMatchObject({
    outcome: 'ambiguous_match',
    match_count: 3,
    match_lines: [1, 3, 5],
  });
  expect(textOf('code.py')).toBe(text);
});

provesGate('code:all-or-none', async () => {
  const agent = await agents().agent();
  writeFileSync(agents().files('multi.py'), 'a\nb\n');
  const edits = [
    { old_string: 'a', new_string: 'A' },
    { old_string: 'missing', new_string: 'B' },
  ];
  expect(await agent.call('code.multi_edit', { path: '/workspace/multi.py', edits })).toMatchObject({
    outcome: 'no_match',
    failed_edit_index: 1,
  });
  expect(textOf('multi.py')).toBe('a\nb\n');
});
