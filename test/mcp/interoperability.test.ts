/** The official clients use real capabilities of the shipped daemon, over each way in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from '../../packages/cli/src/e2e/gate-daemon.ts';
import { PATIENCE_MS, SHIPPED } from '../../packages/cli/src/e2e/warren.ts';
import { connectFirst, connectFirstBySocket, connectSecond, type OfficialClient, type Way } from './official-clients.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const AGENT = 'builder';
const STATELESS = { pin: '2026-07-28' };
let daemon: GateDaemon;
let token: string;
let port: string;

beforeAll(async () => {
  daemon = await GateDaemon.start(['--listen', 'tcp:127.0.0.1:0']);
  const pid = await daemon.startAgent(AGENT);
  token = (await daemon.client.call('token.create', { workspace: 'default', pid })).token;
  const { addresses } = await daemon.client.call('daemon.status', {});
  port = /:(\d+)$/.exec(addresses.find((address) => address.startsWith('tcp:')) ?? '')?.[1] ?? '';
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

const http = (): Way => ({ kind: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: { authorization: `Bearer ${token}` } });
const stdio = (): Way => {
  const [command = '', ...args] = SHIPPED;
  return { kind: 'stdio', command, args: [...args, 'mcp', '--agent', AGENT], env: daemon.user.env() };
};

async function useTools(client: OfficialClient, file: string): Promise<void> {
  try {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['filesystem__read', 'filesystem__write', 'process__run', 'warren__call_result']),
    );
    expect(tools.find(({ name }) => name === 'filesystem__read')?.annotations).toMatchObject({ readOnlyHint: true, openWorldHint: false });
    const written = await client.callTool({ name: 'filesystem__write', arguments: { path: file, content: `from ${file}` } });
    expect([written.isError, written.content]).toEqual([undefined, [expect.objectContaining({ type: 'text' })]]);
    const read = await client.callTool({ name: 'filesystem__read', arguments: { path: file } });
    expect(read.structuredContent).toMatchObject({ content: `from ${file}`, truncated: false });
    const missing = await client.callTool({ name: 'filesystem.read', arguments: { path: 'missing' } });
    expect(missing.isError).toBe(true);
    expect(JSON.parse(missing.content[0]?.text ?? '')).toMatchObject({
      type: 'FileNotFound',
      recovery: expect.any(Array),
      retryable: false,
    });
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(`file:///workspace/${file}`);
    const { contents } = await client.readResource({ uri: `file:///workspace/${file}` });
    expect(contents[0]?.text).toBe(`from ${file}`);
  } finally {
    await client.close();
  }
}

describe('the official client of TypeScript', () => {
  it('version 1 over HTTP', async () => await useTools(await connectFirst(http()), 'first-http.txt'));
  it('version 1 over standard input and output', async () => await useTools(await connectFirst(stdio()), 'first-stdio.txt'));
  it('version 1 over a WebSocket', async () => {
    const client = await connectFirstBySocket(`ws://127.0.0.1:${port}/mcp`, { authorization: `Bearer ${token}` });
    await useTools(client, 'first-socket.txt');
  });
  it('version 2 over HTTP, without sessions', async () => await useTools(await connectSecond(http(), STATELESS), 'second-http.txt'));
  it('version 2 over HTTP, with a session', async () => await useTools(await connectSecond(http(), 'legacy'), 'second-legacy.txt'));
  it('version 2 over HTTP, whichever both speak', async () => await useTools(await connectSecond(http(), 'auto'), 'second-auto.txt'));
  it('version 2 over standard input and output', async () => await useTools(await connectSecond(stdio(), STATELESS), 'second-stdio.txt'));
  it('version 2 over standard input and output, whichever both speak', async () =>
    await useTools(await connectSecond(stdio(), 'auto'), 'second-stdio-auto.txt'));
});

describe('files of the workspace', () => {
  it('are what there is to read; nothing leads elsewhere', async () => {
    const client = await connectFirst(http());
    try {
      await client.callTool({ name: 'process__run', arguments: { command: 'ln', args: ['-s', '/etc', '/workspace/etc'] } });
      await client.callTool({ name: 'filesystem__write', arguments: { path: 'a b/ü?.txt', content: 'odd', create_parents: true } });
      const odd = 'file:///workspace/a%20b/%C3%BC%3F.txt';
      expect((await client.listResources()).resources.map(({ uri }) => uri)).toContain(odd);
      expect((await client.readResource({ uri: odd })).contents[0]?.text).toBe('odd');
      for (const uri of [
        'file:///etc/passwd',
        'file:///workspace/../etc/passwd',
        'file:///workspace/%2e%2e/etc/passwd',
        'file:///workspace/..%2fetc/passwd',
        'file:///workspace/etc/passwd',
        'file:///workspace//etc/passwd/../../../etc/passwd',
        'file://localhost/workspace/x',
        'file:///workspace/%',
        'file:///workspace/%00',
        'http://127.0.0.1/',
        'workspace/x',
        '',
      ]) {
        const said = await client.readResource({ uri }).then(
          ({ contents }) => contents[0]?.text,
          () => 'refused',
        );
        expect([uri, said]).toEqual([uri, 'refused']);
      }
    } finally {
      await client.close();
    }
  });

  it('that are long are cut where it shows, and read on', async () => {
    const client = await connectSecond(http(), STATELESS);
    try {
      await client.callTool({ name: 'filesystem__write', arguments: { path: 'long.txt', content: '0123456789'.repeat(50_000) } });
      const cut = await client.callTool({ name: 'filesystem__read', arguments: { path: 'long.txt' } });
      expect(cut.content[0]?.text).toMatch(/^\[The result was cut: /);
      const { content } = cut.structuredContent as { readonly content: string }; // By its schema, which the client has checked.
      const after = Number(/after (\d+) bytes/.exec(content)?.[1]);
      const more = await client.callTool({ name: 'filesystem__read', arguments: { path: 'long.txt', offset: after, limit: 5 } });
      expect(more.structuredContent).toMatchObject({ content: '0123456789'.repeat(2).slice(after % 10, (after % 10) + 5) });
    } finally {
      await client.close();
    }
  });
});

const PYTHON_CLIENT = join(import.meta.dirname, 'official_client.py');
const BUILD = resolve(import.meta.dirname, '../../build');

/** `scripts/setup.mjs --tests` puts them there, or says why it cannot. */
function pythonWith(version: 1 | 2): { readonly python: string; readonly missing: string | undefined } {
  const python = join(BUILD, `mcp-python-${version}/bin/python`);
  return {
    python,
    missing: existsSync(python) ? undefined : `the official Python client, version ${version}, is not there: ${whyMissing(version)}`,
  };
}

function whyMissing(version: 1 | 2): string {
  const reason = join(BUILD, `mcp-python-${version}.txt`);
  return existsSync(reason) ? readFileSync(reason, 'utf8') : 'node scripts/setup.mjs --tests did not run';
}

async function usePython(version: 1 | 2, way: Way, mode: string, file: string): Promise<void> {
  const given = way.kind === 'http' ? { url: way.url, headers: way.headers } : { command: way.command, args: way.args, env: way.env };
  const child = spawn(pythonWith(version).python, [PYTHON_CLIENT, JSON.stringify(given), mode, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(code, errors).toBe(0);
  const seen = JSON.parse(output) as Readonly<Record<string, unknown>>; // It printed it.
  expect(seen).toMatchObject({ content: 'from python', missing: 'FileNotFound', is_error: true });
  expect(seen['tools']).toEqual(expect.arrayContaining(['filesystem__read', 'process__run']));
  expect(seen['resources']).toContain(`file:///workspace/${file}`);
}

describe('the official client of Python', () => {
  for (const { version, name, mode, way } of [
    { version: 1, name: 'over HTTP', mode: 'legacy', way: http },
    { version: 1, name: 'over standard input and output', mode: 'legacy', way: stdio },
    { version: 2, name: 'over HTTP, without sessions', mode: '2026-07-28', way: http },
    { version: 2, name: 'over HTTP, whichever both speak', mode: 'auto', way: http },
    { version: 2, name: 'over HTTP, with a session', mode: 'legacy', way: http },
    { version: 2, name: 'over standard input and output', mode: 'auto', way: stdio },
  ] as const) {
    it(`version ${version} ${name}`, async ({ skip }) => {
      const { missing } = pythonWith(version);
      skip(missing !== undefined, missing);
      await usePython(version, way(), mode, `python-${version}-${mode}-${way().kind}.txt`);
    });
  }
});
