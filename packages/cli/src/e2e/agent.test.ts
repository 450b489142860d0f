/** `warren agent create …`: agents as they are kept, and programs that act as them. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

let gate: GateDaemon;

beforeAll(async () => {
  gate = await GateDaemon.start();
});
afterAll(async () => await gate?.[Symbol.asyncDispose]());

type Shown = { agent: string; state: string; tool_grants: string[]; pid: number | null; tokens: unknown[] };

describe('warren agent', () => {
  it('makes an agent and prints its token alone, shows it, and changes it', async () => {
    const made = await gate.warren([
      'agent',
      'create',
      'ada',
      '--purpose',
      'reads',
      '--tool',
      'filesystem.read',
      '--budget',
      'tool_calls=9',
    ]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^wrn_[\w-]{43}\n$/) });
    expect(made.stderr).toContain('warren agent connect ada');
    expect(await gate.json<Shown>(['agent', 'show', 'ada'])).toMatchObject({ state: 'active', pid: null, tokens: [expect.anything()] });
    const shown = await gate.warren(['agent', 'show', 'ada']);
    expect(shown.stdout).toMatch(/^Tools +filesystem\.read$/m);
    expect(shown.stdout).toMatch(/^Budgets +tool_calls=9$/m);
    expect((await gate.warren(['agent', 'list'])).stdout).toMatch(/^ada +idle .* reads$/m);
    const updated = await gate.warren(['agent', 'update', 'ada', '--tool', 'filesystem.*']);
    expect(updated).toMatchObject({ code: 0, stdout: expect.stringContaining('from now on') });
    expect(await gate.json<Shown>(['agent', 'show', 'ada'])).toMatchObject({ tool_grants: ['filesystem.*'] });
    expect((await gate.warren(['agent', 'update', 'ada'])).stderr).toContain('nothing to change is given');
    const twice = await gate.warren(['agent', 'create', 'ada']);
    expect(twice.code).not.toBe(0);
    expect(twice.stderr).toContain('there is one of this name');
  });

  it('lets a kept agent act without a start, with what it is kept with', async () => {
    await gate.warren(['agent', 'create', 'eve', '--tool', 'agent.whoami']);
    expect((await gate.warren(['call', 'agent.whoami', '--as', 'eve'])).code).toBe(0);
    const refused = await gate.warren(['call', 'filesystem.list', 'path=/workspace', '--as', 'eve']);
    expect(refused.code).toBe(1);
    const listings = [['list', '--names'], ['export', '--format', 'mcp']]; // biome-ignore format: one line
    for (const [index, listing] of listings.entries()) {
      await gate.warren(['agent', 'create', `looked-at-${index}`, '--tool', 'agent.whoami']);
      const listed = await gate.warren(['capability', ...listing, '--as', `looked-at-${index}`]);
      expect(listed).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/agent\.whoami|agent__whoami/) });
      expect(listed.stdout).not.toMatch(/filesystem/);
    }
    for (const act of [['call', 'agent.whoami'], ...listings.map((listing) => ['capability', ...listing])]) {
      const { code, stderr } = await gate.warren([...act, '--as', 'nobody']);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/agent "nobody": there is no agent of this name\n {2}fix: warren agent create nobody/),
      ]);
    }
  });

  it('starts no agent that nobody made, and nothing of it is left to be adopted', async () => {
    const typo = await gate.warren(['agent', 'start', 'typoo']);
    expect(typo.code).toBe(1);
    expect(typo.stderr).toMatch(/"typoo": there is no agent of this name\n {2}fix: warren agent create typoo --tool/);
    expect(await gate.client.call('kernel.agent.list', { agent: 'typoo' })).toMatchObject({ total: 0 });
    // With grants it is made with these.
    expect((await gate.warren(['agent', 'start', 'granted', '--tool', 'agent.whoami'])).code).toBe(0);
    expect(await gate.json<Shown>(['agent', 'show', 'granted'])).toMatchObject({ tool_grants: ['agent.whoami'], tokens: [] });
    expect((await gate.warren(['agent', 'delete', 'granted'])).code).toBe(0);
    expect((await gate.warren(['agent', 'start', 'granted'])).code).toBe(1);
    // What somebody began over the API under a name is not what an agent of this name is made with.
    const { pid } = await gate.client.call('kernel.agent.create', { name: 'x', template: 'x', agent: 'nobody-s' });
    const refused = await gate.warren(['agent', 'create', 'nobody-s', '--tool', 'agent.whoami']);
    expect(refused.stderr).toMatch(new RegExp(`process ${pid} runs under this name[^]*fix: warren agent stop nobody-s`));
    expect((await gate.warren(['agent', 'stop', 'nobody-s'])).code).toBe(0);
    expect((await gate.warren(['agent', 'create', 'nobody-s', '--tool', 'agent.whoami'])).code).toBe(0);
  });

  it('starts once, shows what its process has, and stops all of it', async () => {
    await gate.warren(['agent', 'create', 'once', '--tool', 'git.*']);
    const { pid } = await gate.json<{ pid: number }>(['agent', 'start', 'once']);
    const again = await gate.warren(['agent', 'start', 'once']);
    expect(again).toMatchObject({ code: 0, stdout: `Agent once runs already, as process ${pid}.\n` });
    expect(again.stderr).toBe('  let it act: warren capability list --as once\n');
    const other = await gate.warren(['agent', 'start', 'once', '--tool', '*']);
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(`runs already, as process ${pid}`)]);
    await gate.warren(['agent', 'update', 'once', '--tool', 'state.*']);
    expect((await gate.warren(['agent', 'show', 'once'])).stdout).toContain(`state.* (process ${pid} has: git.*)`);
    const second = await gate.startAgent('once');
    expect((await gate.warren(['agent', 'stop', 'once'])).stdout).toBe(`Agent once: processes ${second}, ${pid} have ended.\n`);
    expect(await gate.json<Shown>(['agent', 'show', 'once'])).toMatchObject({ pid: null });
  });

  it('revokes, restores, rotates and deletes', async () => {
    await gate.warren(['agent', 'create', 'bob']);
    await gate.warren(['agent', 'start', 'bob']);
    expect((await gate.warren(['agent', 'revoke', 'bob'])).stdout).toContain('worthless');
    expect(await gate.json<Shown>(['agent', 'show', 'bob'])).toMatchObject({ state: 'revoked', pid: null, tokens: [] });
    for (const action of ['pause', 'resume']) expect((await gate.warren(['agent', action, 'bob'])).stderr).toContain('it is revoked');
    const refused = await gate.warren(['agent', 'start', 'bob']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('warren agent restore bob');
    const restored = await gate.warren(['agent', 'restore', 'bob', '--expires', '1h']);
    expect(restored.stdout).toMatch(/^wrn_/);
    const rotated = await gate.warren(['agent', 'rotate-token', 'bob']);
    expect(rotated.stdout).toMatch(/^wrn_/);
    expect(rotated.stdout).not.toBe(restored.stdout);
    expect(await gate.json<Shown>(['agent', 'show', 'bob'])).toMatchObject({ tokens: [expect.anything()] });
    expect((await gate.warren(['agent', 'delete', 'bob'])).code).toBe(0);
    expect((await gate.warren(['agent', 'show', 'bob'])).stderr).toContain('there is none');
  });

  it.each([
    ['claude-code', /^claude mcp add warren -- warren mcp --agent ada --state \S+\n$/],
    ['codex', /^\[mcp_servers\.warren\]\ncommand = "warren"\nargs = \["mcp","--agent","ada","--state",/],
    ['gemini', /"mcpServers": \{\n {4}"warren": \{\n {6}"command": "warren"/],
    ['opencode', /"type": "local",\n {6}"command": \[\n {8}"warren",\n {8}"mcp"/],
  ])('prints how %s connects', async (client, form) => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('warren'), '#!/bin/sh\n', { mode: 0o755 });
    const { code, stdout } = await gate.warren(['agent', 'connect', 'ada', '--client', client], { env: { PATH: directory.path } });
    expect(code).toBe(0);
    expect(stdout).toMatch(form);
  });

  it('prints a connection over HTTP that has no token in it', async () => {
    const args = ['agent', 'connect', 'ada', '--url', 'http://127.0.0.1:7700', '--client', 'codex'];
    const { stdout, stderr } = await gate.warren(args);
    expect(stdout).toContain('url = "http://127.0.0.1:7700/mcp"');
    expect(stdout).toContain('bearer_token_env_var = "WARREN_TOKEN"');
    expect(`${stdout}${stderr}`).not.toMatch(/wrn_/);
    expect((await gate.warren(['agent', 'connect', 'nobody'])).stderr).toContain('there is none');
  });

  it('leaves the token to the program that connects: no shell fills it in, no file gets it', async () => {
    const args = ['agent', 'connect', 'ada', '--url', 'http://127.0.0.1:7700', '--client', 'claude-code'];
    const { stdout } = await gate.warren(args);
    const shell = spawnSync('/bin/sh', ['-c', `claude() { printf '%s\\n' "$@"; }; ${stdout}`], { env: { WARREN_TOKEN: 'secret' } });
    expect(shell.stdout.toString().trimEnd().split('\n').at(-1)).toBe(`Authorization: Bearer \${WARREN_TOKEN}`);
  });

  it('prints what a program can start as it stands', async () => {
    const { stdout } = await gate.warren(['agent', 'connect', 'ada'], { env: { PATH: '/nowhere' } });
    const { command, args } = (JSON.parse(stdout) as { mcpServers: { warren: { command: string; args: string[] } } }).mcpServers.warren; // As printed.
    // Where the program starts it nothing says where the daemon is.
    const child = spawn(command, args, { env: { HOME: gate.user.home }, stdio: 'pipe' });
    const answered = once(child.stdout, 'data');
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    child.stdin.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize })}\n`);
    expect(String((await answered)[0])).toContain('"protocolVersion":"2025-11-25"');
    await once(child, 'exit');
  });
});
