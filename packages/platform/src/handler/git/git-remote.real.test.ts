/** Clone, pull and push over HTTP: a sandbox without a network, a real git server, and the egress guard between them. */
import type { Egress } from '@warren/sandbox';
import { createEgress } from '@warren/sandbox/egress';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentFixture } from '../process/test-support/agent-fixture.ts';
import { gitHandlers as handlers } from './git-handlers.ts';
import { GitServer } from './test-support/git-server.ts';

vi.setConfig({ testTimeout: 120_000 }); // Dozens of processes each.

let agent: AgentFixture;
let server: GitServer;
let egress: Egress;
beforeAll(async () => {
  agent = await AgentFixture.start();
  server = await GitServer.start();
  egress = createEgress({ privateNetworks: ['127.0.0.1/32'] });
});
afterAll(async () => {
  await egress[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});
afterEach(() => {
  server.misbehave = () => false;
  server.asked.length = 0;
});

let made = 0;
const next = (): string => `copy-${++made}`;
const reach = () => ({ egress, hosts: [`127.0.0.1:${new URL(server.origin).port}`] });

describe('over HTTP', () => {
  it('a repository is cloned, changed, pushed and pulled', async () => {
    const url = server.repository('round.git');
    const [one, two] = [next(), next()];
    const first = await agent.act(handlers, 'git.clone', { url, path: one }, reach());
    expect(first.output).toMatchObject({ path: `/workspace/${one}`, default_branch: 'main' });
    expect(first.usage?.['net_bytes']).toBeGreaterThan(100);
    await agent.call(handlers, 'git.clone', { url: `${url}/`, path: two }, reach());
    expect(await agent.shell(`cat ${one}/a.txt; git -C ${one} config remote.origin.url`)).toBe(`1\n2\n3\n${url}\n`);
    await agent.shell(`echo new > ${one}/new; seq 100000 > ${one}/large`);
    const { commit_hash } = await agent.call(handlers, 'git.commit', { path: one, message: 'new' });
    expect(await agent.call(handlers, 'git.push', { path: one }, reach())).toEqual({
      pushed_refs: ['refs/heads/main'],
      head_commit: commit_hash,
    });
    expect(server.git(['-C', server.path('round.git'), 'rev-parse', 'main']).trim()).toBe(commit_hash);
    expect(await agent.call(handlers, 'git.push', { path: one }, reach())).toMatchObject({ pushed_refs: [] });
    expect(await agent.call(handlers, 'git.pull', { path: two }, reach())).toMatchObject({
      new_commits: 1,
      files_changed: 2,
      head_commit: commit_hash,
    });
    expect(await agent.call(handlers, 'git.pull', { path: two }, reach())).toMatchObject({ up_to_date: true });
    await agent.shell(`echo late > ${two}/late; cd ${one}; echo early > early`);
    for (const path of [one, two]) await agent.call(handlers, 'git.commit', { path, message: path });
    await agent.call(handlers, 'git.push', { path: one }, reach());
    expect((await agent.fail(handlers, 'git.push', { path: two }, reach())).type).toBe('PushRejected');
    expect(await agent.call(handlers, 'git.pull', { path: two }, reach())).toMatchObject({ up_to_date: false });
    await agent.call(handlers, 'git.push', { path: two }, reach());
    expect(await agent.shell('ls -d /tmp/.git-call-* 2>/dev/null | wc -l; ls /proc | grep -c "^[0-9]"')).toMatch(/^0\n/);
  });

  it('a clone takes so many commits, one branch, and an empty repository', async () => {
    const url = server.repository('deep.git');
    const path = server.path('deep.git');
    const head = server.git(['-C', path, 'rev-parse', 'main']).trim();
    const second = server
      .git(['-C', path, '-c', 'user.name=s', '-c', 'user.email=s@s', 'commit-tree', '-p', head, '-m', 'two', `${head}^{tree}`])
      .trim();
    server.git(['-C', path, 'update-ref', 'refs/heads/next', second]);
    const shallow = next();
    await agent.call(handlers, 'git.clone', { url, path: shallow, branch: 'next', depth: 1 }, reach());
    expect((await agent.call(handlers, 'git.log', { path: shallow }))['total_returned']).toBe(1);
    expect(await agent.call(handlers, 'git.checkout', { path: shallow, ref: 'main' })).toMatchObject({ branch: 'main', head_commit: head });
    expect(await agent.call(handlers, 'git.status', { path: shallow })).toMatchObject({ upstream: { branch: 'origin/main', ahead: 0 } });
    server.git(['init', '--quiet', '--bare', server.path('empty.git')]);
    expect(await agent.call(handlers, 'git.clone', { url: `${server.origin}/empty.git`, path: next() }, reach())).toMatchObject({
      head_commit: null,
    });
  });

  it('reaches no host that is not granted, and asks nothing of it', async () => {
    const url = server.repository('denied.git');
    for (const hosts of [[], ['example.com'], ['127.0.0.1:1']]) {
      expect((await agent.fail(handlers, 'git.clone', { url, path: next() }, { egress, hosts })).type).toBe('DomainNotAllowed');
    }
    await using strict = createEgress();
    expect((await agent.fail(handlers, 'git.clone', { url, path: next() }, { egress: strict, hosts: ['*'] })).type).toBe(
      'DomainNotAllowed',
    );
    expect(server.asked).toEqual([]);
  });

  it('a URL in the configuration of a repository is held to the same grants', async () => {
    const path = next();
    await agent.call(handlers, 'git.clone', { url: server.repository('config.git'), path }, reach());
    server.asked.length = 0;
    await agent.shell(`cd ${path}; git config url.http://127.0.0.2/.insteadOf ${server.origin}/; git config http.proxy http://127.0.0.3`);
    await agent.call(handlers, 'git.pull', { path }, reach());
    expect(server.asked.length).toBeGreaterThan(0);
    await agent.shell(`git -C ${path} config remote.origin.url http://127.0.0.9/x`);
    expect((await agent.fail(handlers, 'git.pull', { path }, { egress, hosts: ['127.0.0.1'] })).type).toBe('DomainNotAllowed');
    for (const url of [
      'ext::sh -c "touch /workspace/pwned"',
      'ssh://h/x',
      'git@h:x',
      'fd::0',
      '-x',
      'file:///etc',
      '/etc',
      'http://u:p@h/x',
      'warren::http://h/',
    ]) {
      await agent.shell(`git -C ${path} config remote.origin.url '${url}'`);
      const error = await agent.fail(handlers, 'git.pull', { path }, reach());
      expect(error.type, url).toBe('InvalidUrl');
      expect(error.message).not.toContain('u:p');
    }
    expect(await agent.shell('ls pwned 2>/dev/null || echo none')).toBe('none\n');
  });

  it('redirects are followed within the host only, and never for what is sent', async () => {
    const url = server.repository('moved.git');
    server.misbehave = (request, response) => {
      if (request.url?.startsWith('/old/') !== true) return false;
      response.writeHead(302, { location: request.url.replace('/old/', '/') }).end();
      return true;
    };
    await agent.call(handlers, 'git.clone', { url: url.replace('/moved', '/old/moved'), path: next() }, reach());
    server.misbehave = (request, response) => {
      response.writeHead(302, { location: `http://127.0.0.2:9${request.url}` }).end();
      return true;
    };
    const error = await agent.fail(handlers, 'git.clone', { url, path: next() }, { egress, hosts: ['*'] });
    expect(['CloneFailed', 'DomainNotAllowed']).toContain(error.type);
  });

  it.each<[string, (asked: string) => { status?: number; type?: string; body: string | Buffer } | undefined]>([
    ['says 500', () => ({ status: 500, body: 'x' })],
    ['wants credentials', () => ({ status: 401, body: 'x' })],
    ['is no git', () => ({ type: 'text/html', body: '<html>' })],
    ['sends garbage for refs', () => ({ type: 'application/x-git-upload-pack-advertisement', body: 'zzzz not git' })],
    ['sends a length beyond its end', () => ({ type: 'application/x-git-upload-pack-advertisement', body: 'ffff000eversion 2\n' })],
    [
      'speaks only an old version',
      () => ({
        type: 'application/x-git-upload-pack-advertisement',
        body: '001e# service=git-upload-pack\n0000003f1111111111111111111111111111111111111111 HEAD\0\n0000',
      }),
    ],
    [
      'sends garbage for a pack',
      (asked) =>
        asked.startsWith('POST') ? { type: 'application/x-git-upload-pack-result', body: Buffer.alloc(100_000, 0x61) } : undefined,
    ],
    [
      'breaks off in the pack',
      (asked) => (asked.startsWith('POST') ? { type: 'application/x-git-upload-pack-result', body: '000dpackfile\n' } : undefined),
    ],
  ])('a server that %s fails the clone and leaves nothing', async (_, answer) => {
    const url = server.repository(`bad-${++made}.git`);
    server.misbehave = (request, response) => {
      const answered = answer(`${request.method} ${request.url}`);
      if (answered === undefined) return false;
      response.writeHead(answered.status ?? 200, { 'content-type': answered.type ?? 'text/plain' }).end(answered.body);
      return true;
    };
    const path = next();
    const error = await agent.fail(handlers, 'git.clone', { url, path }, reach());
    expect(error.type).toBe('CloneFailed');
    expect(error.message).not.toMatch(/\/tmp\/|\.git-call/);
    expect(await agent.shell(`ls -A ${path} 2>/dev/null | wc -l; ls -d /tmp/.git-call-* 2>/dev/null | wc -l`)).toBe('0\n0\n');
  });

  it('a call that is cancelled while the server is silent ends, and nothing of it stays', async () => {
    const url = server.repository('silent.git');
    const asked = Promise.withResolvers<void>();
    server.misbehave = (request) => {
      if (request.method === 'POST') asked.resolve();
      return request.method === 'POST';
    };
    const cancel = new AbortController();
    const path = next();
    const cloning = agent.act(handlers, 'git.clone', { url, path }, { ...reach(), signal: cancel.signal });
    await asked.promise;
    cancel.abort(new Error('enough'));
    await expect(cloning).rejects.toThrow('enough');
    expect(
      await agent.shell(`ls -A ${path} 2>/dev/null | wc -l; cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c "[g]it-remote" || true`),
    ).toBe('0\n0\n');
  });

  it('a tree that names programs and places outside does nothing', async () => {
    const url = server.repository('evil.git', {
      '.gitattributes': '* filter=evil diff=evil merge=evil\n',
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = -u/workspace/pwned\n\tupdate = !touch /workspace/pwned\n\tignore = none\n',
      '.lfsconfig': '[lfs]\n\turl = http://127.0.0.2/\n',
      'a.txt': 'a\n',
    });
    const path = next();
    await agent.call(handlers, 'git.clone', { url, path }, reach());
    expect(await agent.call(handlers, 'git.status', { path })).toMatchObject({ state: 'clean' });
    expect(await agent.shell('ls pwned 2>/dev/null || echo none')).toBe('none\n');
  });
});
