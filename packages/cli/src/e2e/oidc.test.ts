import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { makeKey, TestIssuer } from '@warren/testkit';
import { expect, it } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { PATIENCE_MS, User } from './warren.ts';

type Answer = { readonly status: number; readonly location: string; readonly text: string };

/** Cookies of one browser, and requests as it sends them. */
class Browser {
  readonly cookies = new Map<string, string>();

  get(url: string, site: 'none' | 'same-origin' | 'cross-site', method = 'GET', more: Record<string, string> = {}): Promise<Answer> {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
    const from = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, agent: false, headers: { ...from, ...(cookie !== '' && { cookie }), ...more } }, (response) => {
        for (const set of response.headers['set-cookie'] ?? []) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
          if (set.endsWith('Max-Age=0')) this.cookies.delete(name);
          else this.cookies.set(name, value);
        }
        let text = '';
        response.on('data', (piece: Buffer) => {
          text += piece.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', text }));
      });
      sent.on('error', reject).end();
    });
  }
}

it('somebody signs in through a provider, is who the operator said, and signs out', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  await using issuer = await TestIssuer.start();
  mkdirSync(user.state, { mode: 0o700 });
  writeFileSync(join(user.state, 'oidc-secret'), issuer.clientSecret, { mode: 0o600 });
  const provider = `{ name: corp, issuer: "${issuer.url}", client_id: warren, client_secret_file: oidc-secret }`;
  writeFileSync(join(user.state, 'config.yaml'), `sign_in:\n  providers:\n    - ${provider}\n`);
  await using daemon = await TestDaemon.start(user);
  const signIn = async (browser: Browser): Promise<Answer> => {
    const { location } = await browser.get(`${daemon.url}/api/session/oidc/corp`, 'none');
    return await browser.get(issuer.authorize(location).href, 'cross-site');
  };
  // Nobody is linked yet: what is refused says how.
  const early = await signIn(new Browser());
  expect([early.status, early.text]).toEqual([403, expect.stringContaining("--subject 'ann-1'")]);
  const made = await user.warren(['person', 'create', 'ann', '--role', 'admin', '--issuer', issuer.url, '--subject', 'ann-1']);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect((await user.warren(['person', 'list'])).stdout).toContain(issuer.url);
  const browser = new Browser();
  issuer.keys = [makeKey('EdDSA')];
  expect((await signIn(browser)).status).toBe(200);
  const who = await browser.get(`${daemon.url}/api/session`, 'same-origin');
  expect(JSON.parse(who.text)).toMatchObject({ name: 'ann', role: 'admin' });
  const { csrf } = JSON.parse(who.text) as { csrf: string };
  expect((await browser.get(`${daemon.url}/api/session`, 'same-origin', 'DELETE', { 'warren-csrf': csrf })).status).toBe(204);
  expect((await browser.get(`${daemon.url}/api/session`, 'same-origin')).status).toBe(401);
  const audited = await user.warren(['audit', 'search', '--action', 'person.sign_in', '--json']);
  expect(audited.stdout).toContain('"oidc"');
  const half = await user.warren(['person', 'update', 'ann', '--issuer', issuer.url]);
  expect([half.code, half.stderr]).toEqual([2, expect.stringContaining('--subject')]);
  await user.warren(['person', 'update', 'ann', '--no-identity']);
  expect((await signIn(new Browser())).status).toBe(403);
});
