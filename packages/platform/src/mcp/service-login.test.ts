/** Warren signs in to a mounted server by itself: a real authorization server on loopback, through the guard. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestMcpLoginServer } from '@warren/testkit';
import { expect, it, vi } from 'vitest';
import { mount, NEVER } from './test-support/mounted.ts';

it('a token is got when the server asks for it, and nothing of what strangers answer is written or shown', async () => {
  const warned = vi.spyOn(console, 'warn');
  await using server = await TestMcpLoginServer.start();
  const file = `servers:\n  - name: web\n    url: ${server.url}\n    oauth: { client_id: warren, client_secret_file: ours.txt }\n`;
  await using on = await mount({ sandboxes: undefined as never, privateNetworks: ['127.0.0.0/8'], file }); // No program is started here.
  writeFileSync(join(on.directory, 'ours.txt'), 'the-secret-of-the-client');
  const given: string[] = [];
  server.refuseToken = (asked) => {
    given.push(asked.get('grant_type') ?? '');
    return { status: 200, text: JSON.stringify({ access_token: server.letIn(), token_type: 'Bearer' }) };
  };
  await on.approve('web');
  server.answer = (token) => `${token} the-secret-of-the-client`;
  for (const _ of [1, 2])
    expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done', output: { content: [{ text: '[REDACTED] [REDACTED]' }] } });
  server.expire();
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
  expect(given).toEqual(['client_credentials', 'client_credentials', 'client_credentials']);
  for (const { status, text, why } of [
    { status: 401, text: '{"error":"invalid_client","error_description":"a stranger says"}', why: 'it says invalid_client' },
    { status: 400, text: '<html>a stranger says', why: 'its answer cannot be read' },
    { status: 502, text: 'a stranger says', why: 'HTTP 502' },
  ]) {
    server.expire();
    server.refuseToken = () => ({ status, text });
    expect((await on.servers.reload('web', NEVER))[0]?.problem).toContain(why);
    expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'failed', error: { type: 'McpServerUnavailable' } });
  }
  expect(on.said.join()).not.toContain('stranger');
  expect(warned.mock.calls).toEqual([]);
});
