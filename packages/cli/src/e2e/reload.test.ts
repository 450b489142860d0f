import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { PATIENCE_MS, User } from './warren.ts';

const SELF_SIGNED = ['--listen', 'tcp:127.0.0.1:0', '--tls', 'self-signed'];

/** What a daemon has in its log, from now on. */
class LogReader {
  #text = '';
  #watch: () => void = () => {};

  constructor({ child }: TestDaemon) {
    child.stderr.on('data', (piece: Buffer) => {
      this.#text += piece.toString();
      this.#watch();
    });
  }

  /** Resolves when this is there, and returns all until then; what comes later is looked at the next time. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(text);
      if (at >= 0) {
        const found = this.#text.slice(0, at + text.length);
        this.#text = this.#text.slice(found.length);
        return found;
      }
      await new Promise<void>((resolve) => {
        this.#watch = resolve;
      });
    }
  }
}

function open(url: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => resolve(socket));
    socket.on('error', reject);
  });
}

async function fingerprint(url: string): Promise<string | undefined> {
  using socket = disposed(await open(url));
  return socket.value.getPeerX509Certificate()?.fingerprint256;
}

function disposed(value: TLSSocket): Disposable & { readonly value: TLSSocket } {
  return { value, [Symbol.dispose]: () => value.destroy() };
}

/** A certificate, as the daemon makes its own. */
async function makeCertificate(to: User, name: string): Promise<string> {
  await using maker = await User.create();
  await using daemon = await TestDaemon.start(maker, SELF_SIGNED);
  for (const part of ['cert', 'key']) copyFileSync(join(maker.state, 'tls', `${part}.pem`), join(to.home, `${name}-${part}.pem`));
  return (daemon.document as unknown as { fingerprint: string }).fingerprint;
}

it('SIGHUP takes a new certificate; a broken one changes nothing and people are told', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  const [one, two] = [await makeCertificate(user, 'one'), await makeCertificate(user, 'two')];
  const use = (name: string): void => {
    for (const part of ['cert', 'key']) copyFileSync(join(user.home, `${name}-${part}.pem`), join(user.home, `${part}.pem`));
  };
  use('one');
  const files = ['--tls-cert', join(user.home, 'cert.pem'), '--tls-key', join(user.home, 'key.pem')];
  await using daemon = await TestDaemon.start(user, ['--listen', 'tcp:127.0.0.1:0', ...files]);
  const log = new LogReader(daemon);
  const reload = async (): Promise<string> => {
    process.kill(daemon.document.pid, 'SIGHUP');
    return await log.until('"Reloaded"');
  };
  const alerts = async (): Promise<string> => (await user.warren(['kernel', 'events', '--json'])).stdout;
  using early = disposed(await open(daemon.url));
  expect(await fingerprint(daemon.url)).toBe(one);
  use('two');
  expect(await reload()).toContain(two);
  expect(await fingerprint(daemon.url)).toBe(two);
  // Who was connected stays so.
  const answer = new Promise<string>((resolve) => early.value.once('data', (piece: Buffer) => resolve(piece.toString())));
  early.value.write(`GET /health HTTP/1.1\r\nhost: ${new URL(daemon.url).host}\r\n\r\n`);
  expect(await answer).toContain('200 OK');

  writeFileSync(join(user.home, 'cert.pem'), 'nonsense');
  expect(await reload()).toContain('The certificate there is now cannot be used: the one before stays');
  expect(await fingerprint(daemon.url)).toBe(two);
  expect(await alerts()).toContain('alert.sent');
  expect(await alerts()).not.toContain('alert.acknowledged');
  use('one');
  await reload();
  expect(await fingerprint(daemon.url)).toBe(one);
  expect(await alerts()).toContain('alert.acknowledged');
  const ended = await daemon.kill('SIGTERM');
  expect(ended.code).toBe(0);
});

it('SIGHUP takes what may change in the configuration; a mistake in it changes nothing and people are told', {
  timeout: PATIENCE_MS,
}, async () => {
  await using user = await User.create();
  await using daemon = await TestDaemon.start(user);
  const log = new LogReader(daemon);
  const config = (text: string): void => writeFileSync(join(user.state, 'config.yaml'), text);
  const reload = async (): Promise<string> => {
    process.kill(daemon.document.pid, 'SIGHUP');
    return await log.until('"Reloaded"');
  };
  const providers = async (): Promise<unknown> => await (await fetch(`${daemon.url}/api/session/oidc`)).json();
  expect(await providers()).toEqual({ providers: [] });
  config('sign_in:\n  providers:\n    - { name: corp, issuer: "https://login.example.org", client_id: warren }\n');
  expect(await reload()).not.toContain('restart');
  const known = { providers: [{ name: 'corp', path: '/api/session/oidc/corp' }] };
  expect(await providers()).toEqual(known);
  config('sign_in:\n  providers:\n    - { name: corp, issuer: "http://login.example.org", client_id: warren }\n');
  expect(await reload()).toContain('config.yaml:3: sign_in.providers[0].issuer');
  expect(await providers()).toEqual(known);
  expect((await user.warren(['kernel', 'events', '--json'])).stdout).toContain('alert.sent');
  expect((await user.warren(['audit', 'search', '--action', 'daemon.config', '--json'])).stdout).toContain('"failure"');
  config('egress: { private_networks: [10.0.0.0/8] }\n');
  expect(await reload()).toMatch(/takes a restart.*egress/);
  expect(await providers()).toEqual({ providers: [] });
});
