import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestMcpLoginServer } from '@warren/testkit';
import { expect, it } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { finish, PATIENCE_MS, User } from './warren.ts';

/** Waits until a command has said where to log in. */
function addressSaid(child: ReturnType<User['start']>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (piece: Buffer) => {
      text += piece.toString();
      const found = /^ {2}(http\S+)$/m.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on('close', () => reject(new Error(`It ended: ${text}`)));
  });
}

it('somebody logs in for a mounted server with a browser', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  await using server = await TestMcpLoginServer.start();
  mkdirSync(user.state, { mode: 0o700 });
  writeFileSync(join(user.state, 'config.yaml'), 'egress: { private_networks: [127.0.0.0/8] }\n');
  writeFileSync(join(user.state, 'mcp-servers.yaml'), `servers:\n  - { name: web, url: "${server.url}", login: {} }\n`);
  await using _daemon = await TestDaemon.start(user);
  const early = await user.warren(['mcp-server', 'reload', 'web']);
  expect([early.code, early.stdout]).toEqual([1, expect.stringContaining('somebody has to log in: warren mcp-server login web')]);

  const child = user.start(['mcp-server', 'login', 'web']);
  const ended = finish(child);
  const back = server.authorize(await addressSaid(child));
  // What does not know the state, or the path, changes nothing.
  for (const change of [{ state: 'guess' }, { path: '/callback' }]) {
    const other = new URL(back);
    if (change.state !== undefined) other.searchParams.set('state', change.state);
    if (change.path !== undefined) other.pathname = change.path;
    expect((await fetch(other)).status).toBe(404);
  }
  expect((await fetch(back)).status).toBe(200);
  const { code, stdout } = await ended;
  expect([code, stdout]).toEqual([0, expect.stringContaining('Logged in for web.')]);
  const reloaded = await user.warren(['mcp-server', 'reload', 'web']);
  expect([reloaded.code, reloaded.stdout]).toEqual([0, expect.stringContaining('mcp.web.look')]);
  const audited = await user.warren(['audit', 'search', '--action', 'mcp_server.finish_login', '--json']);
  expect(audited.stdout).toContain('mcp_server.finish_login');
  expect(audited.stdout).not.toContain(back.searchParams.get('code') ?? '');

  const denied = user.start(['mcp-server', 'login', 'web']);
  const refused = finish(denied);
  const no = server.authorize(await addressSaid(denied));
  no.searchParams.set('error', 'access_denied');
  await fetch(no);
  expect(await refused).toMatchObject({ code: 1, stderr: expect.stringContaining('access_denied') });
});
