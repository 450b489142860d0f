/** Tools as they are, in real sandboxes, with nothing done for them: their TLS is opened, their placeholders become secrets, and what comes back has none. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type EgressEvent, openSandboxes, type Sandbox, type Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, TestAuthority } from '../ssrf/certificates.ts';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';
import { gitServer } from './git-server.ts';
import { REDACTED, testSecrets } from './test-secrets.ts';

const VALUE = 'sk-live-0123456789abcdef';

let authority: TestAuthority;
let tls: Certificate;
let dns: DnsServer;
let sandboxes: Sandboxes;
beforeAll(async () => {
  authority = await TestAuthority.create();
  tls = await authority.issue(['DNS:web.test']);
  dns = await DnsServer.start({ 'web.test': addresses('127.0.0.1'), 'other.test': addresses('127.0.0.1') });
  sandboxes = await openSandboxes({
    egress: { dns: { servers: [dns.address] }, privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca } },
  });
});
afterAll(async () => {
  await sandboxes[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

type Web = AsyncDisposable & { readonly port: number; readonly seen: readonly string[] };

async function serve(listener: RequestListener): Promise<Web> {
  const seen: string[] = [];
  const server = createServer(tls, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Inspected = AsyncDisposable & {
  readonly sandbox: Sandbox;
  readonly events: readonly EgressEvent[];
  readonly say: (...argv: readonly string[]) => Promise<string>;
};

/** A sandbox with `TOKEN` in its environment, which stands for the secret at `web.test`. */
async function start(port: number): Promise<Inspected> {
  const { secrets, placeholder } = testSecrets({ value: VALUE, host: 'web.test' });
  const events: EgressEvent[] = [];
  const sandbox = await sandboxes.start({
    network: {
      kind: 'egress',
      rules: [
        { host: `web.test:${port}`, inspect: true },
        { host: `other.test:${port}`, inspect: true },
      ],
      secrets,
      onEvent: (event) => events.push(event),
    },
    mounts: [{ source: process.execPath, target: '/opt/node' }],
    env: { TOKEN: placeholder },
  });
  return {
    sandbox,
    events,
    async say(...argv) {
      const { exit, stdout, stderr } = await sandbox.run(argv, { timeoutMs: 120_000 });
      const out = Buffer.concat([stdout, stderr]).toString();
      return exit.kind === 'exited' && exit.code === 0 ? out : `${JSON.stringify(exit)}\n${out}`;
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

const reflect: RequestListener = ({ headers }, response) => {
  response.end(`hello ${headers.authorization ?? 'nobody'}`);
};

describe('with nothing done for them', () => {
  it('curl speaks TLS through the proxy, uses a secret and does not see it', async () => {
    await using web = await serve(reflect);
    await using box = await start(web.port);
    const url = `https://web.test:${web.port}/`;
    expect(await box.say('curl', '-sS', url)).toBe('hello nobody');
    expect(await box.say('sh', '-c', `curl -sS -H "Authorization: Bearer $TOKEN" ${url}`)).toBe(`hello Bearer ${REDACTED}`);
    expect(await box.say('sh', '-c', `curl -sS -u user:$TOKEN ${url}`)).toBe(`hello Basic ${REDACTED}`);
    const basic = `Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}`;
    expect(web.seen).toEqual(['GET / ', `GET / Bearer ${VALUE}`, `GET / ${basic}`]);
    expect(await box.say('sh', '-c', `curl -sS -H "Authorization: Bearer $TOKEN" https://other.test:${web.port}/`)).toContain(
      'secret_not_bound',
    );
    expect(web.seen).toHaveLength(3);
    expect(JSON.stringify(box.events)).not.toContain(VALUE);
    expect(await box.say('sh', '-c', 'env; cat /run/*.crt; cat /proc/self/environ')).not.toMatch(new RegExp(`${VALUE}|PRIVATE KEY`));
  });

  it('Python does, by urllib and by requests', async () => {
    await using web = await serve(reflect);
    await using box = await start(web.port);
    const url = `https://web.test:${web.port}/`;
    const urllib = `import os, urllib.request as u; print(u.urlopen(u.Request("${url}", headers={"Authorization": "Bearer " + os.environ["TOKEN"]})).read().decode())`;
    expect(await box.say('/usr/bin/python3', '-c', urllib)).toBe(`hello Bearer ${REDACTED}\n`);
    // Of pip, where there is no other.
    const requests = `import os\ntry: import requests\nexcept ImportError: from pip._vendor import requests\nprint(requests.get("${url}", auth=("user", os.environ["TOKEN"])).text)`;
    expect(await box.say('/usr/bin/python3', '-c', requests)).toBe(`hello Basic ${REDACTED}\n`);
    expect(web.seen).toHaveLength(2);
  });

  it('wget does, which asks no variable where the authorities are', async () => {
    await using web = await serve(reflect);
    await using box = await start(web.port);
    const url = `https://web.test:${web.port}/`;
    expect(await box.say('sh', '-c', `wget -qO- --header "Authorization: Bearer $TOKEN" ${url}`)).toBe(`hello Bearer ${REDACTED}`);
    expect(web.seen).toEqual([`GET / Bearer ${VALUE}`]);
    const machines = await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8');
    expect(await box.say('sh', '-c', 'cmp /run/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt && echo same')).toBe('same\n');
    expect(await box.say('sh', '-c', 'echo x > /etc/ssl/certs/ca-certificates.crt')).toContain('Read-only');
    expect(await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8')).toBe(machines);
  });

  it('openssl does, told of the proxy, and whatever it speaks TLS with is verified', async () => {
    await using web = await serve(reflect);
    await using box = await start(web.port);
    const script = `printf 'GET / HTTP/1.1\\r\\nHost: web.test:${web.port}\\r\\nAuthorization: Bearer %s\\r\\nConnection: close\\r\\n\\r\\n' "$TOKEN" |
      openssl s_client -quiet -verify_return_error -verify_hostname web.test -proxy 127.0.0.1:3128 -connect web.test:${web.port} 2>/dev/null | tail -n 1`;
    expect(await box.say('sh', '-c', script)).toBe(`hello Bearer ${REDACTED}`);
    expect(web.seen).toEqual([`GET / Bearer ${VALUE}`]);
  });

  it('Node does, by fetch', async () => {
    await using web = await serve(reflect);
    await using box = await start(web.port);
    const program = `fetch("https://web.test:${web.port}/", { headers: { authorization: "Bearer " + process.env.TOKEN } }).then((r) => r.text()).then(console.log)`;
    expect(await box.say('/opt/node', '-e', program)).toBe(`hello Bearer ${REDACTED}\n`);
    expect(web.seen).toEqual([`GET / Bearer ${VALUE}`]);
  });

  it('git clones, fetches and pushes where credentials are needed', async () => {
    await using directory = await TemporaryDirectory.create();
    const git = (...words: readonly string[]): string =>
      execFileSync('git', words, { cwd: directory.join(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    git('init', '-q', '--bare', '-b', 'main', 'it.git');
    git('clone', '-q', 'it.git', 'work');
    git('-C', 'work', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first words');
    git('-C', 'work', 'push', '-q', 'origin', 'HEAD:main');
    await using web = await serve(gitServer(directory.join(), `Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}`));
    await using box = await start(web.port);
    const script = `set -e; cd /tmp; git clone -q https://user:$TOKEN@web.test:${web.port}/it.git it; cd it; git log --format=%s
      head -c 3000000 /dev/urandom > big; git add big; git -c user.name=b -c user.email=b@c commit -q -m 'second words'; git push -q origin HEAD:main; git fetch -q`;
    expect(await box.say('sh', '-c', script)).toBe('first words\n');
    expect(git('-C', 'it.git', 'log', '--format=%s')).toBe('second words\nfirst words\n');
  });

  it('npm and pip use registries that want credentials', async () => {
    await using directory = await TemporaryDirectory.create();
    const wheel = 'thing-1.0-py3-none-any.whl';
    const program = `import zipfile
with zipfile.ZipFile("${directory.join(wheel)}", "w") as z:
    z.writestr("thing.py", "")
    z.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n")
    z.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr("thing-1.0.dist-info/RECORD", "")`;
    execFileSync('/usr/bin/python3', ['-c', program]);
    execFileSync('sh', [
      '-c',
      `cd ${directory.join()} && mkdir package && echo '{"name":"thing","version":"1.2.3"}' > package/package.json && tar czf thing.tgz package`,
    ]);
    const [bytes, tarball] = await Promise.all([readFile(directory.join(wheel)), readFile(directory.join('thing.tgz'))]);
    const known = new Set([`Bearer ${VALUE}`, `Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}`]);
    await using web = await serve((request, response) => {
      if (!known.has(request.headers.authorization ?? '')) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else if (request.url === `/${wheel}`) response.end(bytes);
      else if (request.url === '/thing.tgz') response.end(tarball);
      else if (request.url === '/simple/thing/') response.setHeader('content-type', 'text/html').end(`<a href="/${wheel}">${wheel}</a>`);
      else
        response.end(
          JSON.stringify({
            name: 'thing',
            'dist-tags': { latest: '1.2.3' },
            versions: {
              '1.2.3': {
                name: 'thing',
                version: '1.2.3',
                dist: {
                  tarball: `https://${request.headers.host}/thing.tgz`,
                  integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
                },
              },
            },
          }),
        );
    });
    await using box = await start(web.port);
    const origin = `web.test:${web.port}`;
    const npm = `cd /tmp && printf '%s\\n' 'registry=https://${origin}/' '//${origin}/:_authToken=\${TOKEN}' > .npmrc && npm install --no-audit --no-fund --loglevel=error thing >/dev/null && cat node_modules/thing/package.json`;
    expect(await box.say('sh', '-c', npm)).toBe('{"name":"thing","version":"1.2.3"}\n');
    const pip = `/usr/bin/python3 -m pip download --no-deps -q --disable-pip-version-check -d /tmp/wheels -i https://user:$TOKEN@${origin}/simple thing && ls /tmp/wheels`;
    expect(await box.say('sh', '-c', pip)).toBe(`${wheel}\n`);
  });
});

it('what the sandbox trusts is one authority more than before, and no other sandbox trusts it', async () => {
  await using web = await serve(reflect);
  await using one = await start(web.port);
  await using other = await start(web.port);
  const ours = Buffer.concat(await Array.fromAsync(one.sandbox.readFile('/run/warren-ca.crt'))).toString();
  await other.sandbox.writeFile('/tmp/theirs.crt', ours);
  expect(await other.say('sh', '-c', `curl -sS --cacert /tmp/theirs.crt https://web.test:${web.port}/`)).toMatch(/certificate/);
  expect(await other.say('curl', '-sS', `https://web.test:${web.port}/`)).toBe('hello nobody');
  await using plain = await sandboxes.start({ network: { kind: 'egress', rules: [{ host: `web.test:${web.port}` }] } });
  const { stdout } = await plain.run(['sh', '-c', 'ls /run; env | grep -c CERT; cat /etc/ssl/certs/ca-certificates.crt']);
  expect(Buffer.from(stdout).toString()).toBe(`0\n${await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8')}`);
});
