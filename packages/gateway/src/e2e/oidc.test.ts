import { makeKey } from '@warren/testkit';
import { expect, it } from 'vitest';
import { OidcBrowser, openOidc, START } from '../test-support/oidc-browser.ts';

it('somebody signs in through a provider, and comes to a page of ours that leads on', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  const browser = new OidcBrowser(on);
  const location = new URL(await browser.begin('/runs?all=1&x="<'.replace(/["<]/g, '')));
  expect(Object.fromEntries(location.searchParams)).toMatchObject({
    ...{ response_type: 'code', client_id: 'warren', scope: 'openid', code_challenge_method: 'S256' },
    redirect_uri: `http://127.0.0.1:${on.port}${START}/callback`,
  });
  const back = await browser.comeBack(issuer.authorize(location.href));
  expect([back.status, back.headers['content-security-policy']]).toEqual([200, "default-src 'none'; frame-ancestors 'none'"]);
  expect(back.text).toContain('content="0; url=/runs?all=1&amp;x="');
  expect(back.headers['set-cookie']).toEqual([
    'warren-sign-in=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
    expect.stringMatching(/^warren=wrn_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43\d\d\d$/),
  ]);
  expect(await browser.who()).toBe('ann');
  const { entries } = await on.platformAudit().search({ action: 'person.sign_in' });
  expect(entries.map(({ outcome, actor, details }) => [outcome, actor, details])).toEqual([
    ['success', { kind: 'member', name: 'ann' }, { token_id: expect.stringMatching(/^token_/), how: 'oidc' }],
  ]);
});

it('signing out ends a session of a provider like any other', async () => {
  await using setting = await openOidc();
  const browser = new OidcBrowser(setting.on);
  await browser.signIn(setting.issuer);
  const { csrf } = JSON.parse((await browser.get('/api/session', { 'sec-fetch-site': 'same-origin' })).text) as { csrf: string };
  const cookie = `warren=${browser.cookies.get('warren')}`;
  const host = `127.0.0.1:${setting.on.port}`;
  const headers = { host, cookie, 'sec-fetch-site': 'same-origin', 'warren-csrf': csrf };
  expect((await setting.on.send({ port: setting.on.port, method: 'DELETE', path: '/api/session', headers })).status).toBe(204);
  expect(await browser.who()).toBeUndefined();
});

it.each(['RS256', 'ES256', 'EdDSA'] as const)(
  'tokens signed by %s are taken, also by a key that is newer than those we know',
  async (alg) => {
    await using setting = await openOidc();
    const { on, issuer } = setting;
    issuer.keys = [makeKey(alg)];
    for (let round = 0; round < 2; round++) {
      const browser = new OidcBrowser(on);
      expect((await browser.signIn(issuer)).status).toBe(200);
      expect(await browser.who()).toBe('ann');
      issuer.keys = [makeKey(alg), ...issuer.keys];
    }
    expect(issuer.asked.filter((path) => path === '/keys')).toHaveLength(2);
    expect(issuer.asked.filter((path) => path.includes('well-known'))).toHaveLength(1);
  },
);

it('the providers there are can be listed, by whoever wants to sign in', async () => {
  await using setting = await openOidc();
  const answer = await new OidcBrowser(setting.on).get('/api/session/oidc');
  expect(JSON.parse(answer.text)).toEqual({ providers: [{ name: 'corp', path: START }] });
});

it('what the operator wants to be said about somebody has to be said', async () => {
  await using setting = await openOidc({
    provider: ['require: { groups: [warren, ops], hd: example.org }', 'email_domains: [example.org]', 'scopes: [email, groups]'],
  });
  const { on, issuer } = setting;
  const good = { sub: 'ann-1', groups: ['all', 'ops'], hd: 'example.org', email: 'ann@Example.org', email_verified: true };
  const signIn = async (claims: object) => {
    issuer.claims = { ...good, ...claims };
    return (await new OidcBrowser(on).signIn(issuer)).status;
  };
  expect(new URL(await new OidcBrowser(on).begin()).searchParams.get('scope')).toBe('openid email groups');
  expect(await signIn({})).toBe(200);
  for (const claims of [{ groups: ['all'] }, { groups: undefined }, { hd: 'evil.org' }, { email_verified: false }]) {
    expect([claims, await signIn(claims)]).toEqual([claims, 403]);
  }
});

it.each([{ email: 'ann@example.org.evil.org' }, { email: 'x@example.org@evil.org' }, { email_verified: 'true' }])(
  'a mail address that is none of the domain, or is not verified, is not enough: %j',
  async (claims) => {
    await using setting = await openOidc({ provider: ['email_domains: [example.org]'] });
    setting.issuer.claims = { sub: 'ann-1', email: 'ann@example.org', email_verified: true, ...claims };
    expect((await new OidcBrowser(setting.on).signIn(setting.issuer)).status).toBe(403);
  },
);
