/** Hooks as users have them: the shipped program, real sandboxes, a file that is read while everything runs. */
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

/** Vetoes writing secrets, and puts its own text in the place of drafts. */
const CHECK = `import json, sys
told = json.load(sys.stdin)
path = told["input"]["path"]
if "secret" in path:
    print(json.dumps({"veto": "secrets stay out of files"}))
elif "draft" in path:
    print(json.dumps({"input": {**told["input"], "content": "DRAFT of " + told["agent"]}}))
elif "broken" in path:
    sys.exit("I am broken")
`;
const HOOKS = `hooks:
  - name: check
    on: before_tool_call
    capabilities: [filesystem.write]
    command: [python3, /srv/check.py]
    mounts: [{ source: check.py, target: /srv/check.py }]
`;

let gate: GateDaemon;
let pid: number;
beforeAll(async () => {
  gate = await GateDaemon.start();
  await gate.setPolicy('rules: [{ capability: "*", tier: autonomous }]');
  pid = await gate.startAgent('builder');
  writeFileSync(gate.path('check.py'), CHECK, { mode: 0o755 });
  writeFileSync(gate.path('hooks.yaml'), HOOKS);
  while ((await gate.client.call('hook.list', {})).hooks.length === 0); // It is looked for each second.
}, PATIENCE_MS);
afterAll(async () => await gate?.[Symbol.asyncDispose]());

const write = async (path: string) => await gate.outcome(['call', 'filesystem.write', `path=${path}`, 'content=mine', '--as', 'builder']);

describe('hooks.yaml', { timeout: PATIENCE_MS }, () => {
  it('has calls vetoed, changed, refused when the hook fails, and left alone', async () => {
    const vetoed = await write('secret.txt');
    expect(vetoed).toMatchObject({ code: 1, document: { state: 'failed', error: { type: 'Vetoed' } } });
    expect(JSON.stringify(vetoed.document)).toContain('check vetoes it: secrets stay out of files');
    expect(await write('draft.txt')).toMatchObject({ code: 0 });
    const read = await gate.call(pid, 'filesystem.read', { path: 'draft.txt' });
    expect(read).toMatchObject({ output: { content: 'DRAFT of builder' } });
    expect(JSON.stringify((await write('broken.txt')).document)).toContain('it exits with code 1: I am broken');
    expect(await write('plain.txt')).toMatchObject({ code: 0 });
    const failed = async () => (await gate.client.call('kernel.events.tail', { kind: 'kernel.hook.failed' })).events;
    while ((await failed()).length === 0); // Nobody waits for it to be written.
    expect(await failed()).toMatchObject([{ pid, payload: { hook: 'before_tool_call', label: 'check' } }]);
    const { entries } = await gate.client.call('audit.search', { action: 'filesystem.write', outcome: 'denied' });
    expect(entries.map(({ error }) => error?.type)).toEqual(['Vetoed', 'Vetoed']);
  });

  it('is listed, and tried without a call', async () => {
    const listed = await gate.warren(['hook', 'list']);
    expect(listed.stdout).toMatch(/^check +before_tool_call +0 +filesystem\.write +python3 \/srv\/check\.py/m);
    const tried = await gate.warren(['hook', 'test', 'check', 'filesystem.write', 'path=secret.txt']);
    expect([tried.code, tried.stdout]).toEqual([1, 'It vetoes: secrets stay out of files\n']);
    const changed = await gate.json(['hook', 'test', 'check', 'filesystem.write', 'path=draft', '--as', 'ada']);
    expect(changed).toEqual({ outcome: 'changes', input: { path: 'draft', content: 'DRAFT of ada' }, reason: null });
    expect((await gate.warren(['hook', 'test', 'check', 'filesystem.write', 'path=x'])).stdout).toMatch(/^It says nothing/);
    const none = await gate.warren(['hook', 'test', 'nobody']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('hooks.yaml has none of this name')]);
  });

  it('with a mistake stays as it was, is told with its line, and keeps the next start from happening', async () => {
    writeFileSync(gate.path('hooks.yaml'), `${HOOKS}    priorty: 3\n`);
    let messages = '';
    while (!messages.includes('hooks.yaml:')) messages = JSON.stringify((await gate.client.call('alert.list', {})).alerts);
    expect(messages).toMatch(/hooks on disk cannot be used.*hooks\.yaml:\d+: .*priorty/);
    expect(await write('secret.txt')).toMatchObject({ code: 1 });
    await gate.stop();
    const refused = await gate.warren(['serve', '--no-tcp']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('priorty')]);
    rmSync(gate.path('hooks.yaml'));
    await gate.start();
    expect(await write('secret.txt')).toMatchObject({ code: 0 });
    expect((await gate.client.call('alert.list', { status: 'pending' })).alerts).toEqual([]);
  });
});
