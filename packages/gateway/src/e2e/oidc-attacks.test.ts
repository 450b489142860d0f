/** Attacks on signing in through a provider. Each has a browser of its own, and what must not happen is that it is somebody afterwards. */
import type { ServerResponse } from 'node:http';
import {
  type IssuerClaims,
  type IssuerKey,
  makeKey,
  signToken,
  TestIssuer,
  tokenSignedWithPublicKey,
  unsignedToken,
} from '@warren/testkit';
import { expect, it } from 'vitest';
import { NAVIGATION, OidcBrowser, openOidc, START } from '../test-support/oidc-browser.ts';
import type { Answer } from '../test-support/open-test-gateway.ts';

const faultOf = ({ status, text }: Answer) => [status, (JSON.parse(text) as { code: string }).code];
const REFUSED = [401, 'unauthenticated'];

it('an answer without a state, with that of another, or with one that was used is refused', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  const [ann, eve] = [new OidcBrowser(on), new OidcBrowser(on)];
  const back = issuer.authorize(await ann.begin());
  const foreign = issuer.authorize(await eve.begin());
  for (const state of [undefined, '', 'guess', foreign.searchParams.get('state') ?? '']) {
    const changed = new URL(back);
    if (state === undefined) changed.searchParams.delete('state');
    else changed.searchParams.set('state', state);
    const browser = new OidcBrowser(on);
    for (const [name, value] of ann.cookies) browser.cookies.set(name, value);
    expect([state, ...faultOf(await browser.comeBack(changed))]).toEqual([state, ...REFUSED]);
    expect(await browser.who()).toBeUndefined();
  }
  const again = new Map(ann.cookies);
  expect((await ann.comeBack(back)).status).toBe(200);
  const thief = new OidcBrowser(on);
  for (const [name, value] of again) thief.cookies.set(name, value);
  expect(faultOf(await thief.comeBack(back))).toEqual(REFUSED);
  expect(await thief.who()).toBeUndefined();
  expect(issuer.asked.filter((path) => path === '/token')).toHaveLength(1);
});

it('nobody is signed in as somebody else: what one browser began no other ends', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  const back = issuer.authorize(await new OidcBrowser(on).begin());
  const victim = new OidcBrowser(on);
  expect(faultOf(await victim.comeBack(back))).toEqual(REFUSED);
  await victim.begin();
  expect(faultOf(await victim.comeBack(back))).toEqual(REFUSED);
  expect(await victim.who()).toBeUndefined();
  expect(issuer.asked).not.toContain('/token');
});

it('a code that was used, or is of another sign-in, is worth nothing', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  const ann = new OidcBrowser(on);
  const back = issuer.authorize(await ann.begin());
  await ann.comeBack(back);
  const eve = new OidcBrowser(on);
  const own = issuer.authorize(await eve.begin());
  own.searchParams.set('code', back.searchParams.get('code') ?? '');
  expect(faultOf(await eve.comeBack(own))).toEqual(REFUSED);
  // One that nobody used yet was made for another verifier.
  const fresh = issuer.authorize(await new OidcBrowser(on).begin());
  const injected = issuer.authorize(await eve.begin());
  injected.searchParams.set('code', fresh.searchParams.get('code') ?? '');
  expect(faultOf(await eve.comeBack(injected))).toEqual(REFUSED);
  expect(await eve.who()).toBeUndefined();
});

const now = () => Math.floor(Date.now() / 1_000);

it.each<[string, (claims: IssuerClaims) => IssuerClaims]>([
  ['the nonce of another sign-in', (claims) => ({ ...claims, nonce: 'guess' })],
  ['no nonce', ({ nonce: _, ...claims }) => claims],
  ['another issuer', (claims) => ({ ...claims, iss: 'https://login.example.org' })],
  ['another audience', (claims) => ({ ...claims, aud: 'another' })],
  ['several audiences and nobody it was made for', (claims) => ({ ...claims, aud: ['warren', 'another'] })],
  ['another it was made for', (claims) => ({ ...claims, azp: 'another' })],
  ['its time over', (claims) => ({ ...claims, iat: now() - 400, exp: now() - 100 })],
  ['no end', ({ exp: _, ...claims }) => claims],
  ['an age that no fresh one has', (claims) => ({ ...claims, iat: now() - 7_200, exp: now() + 7_200 })],
  ['a beginning in the future', (claims) => ({ ...claims, iat: now() + 3_600, exp: now() + 7_200 })],
  ['no subject', ({ sub: _, ...claims }) => claims],
  ['a subject that is a list', (claims) => ({ ...claims, sub: ['ann-1'] })],
])('a token with %s is refused', async (_, change) => {
  await using setting = await openOidc();
  setting.issuer.changeClaims = change;
  const browser = new OidcBrowser(setting.on);
  expect(faultOf(await browser.signIn(setting.issuer))).toEqual(REFUSED);
  expect(await browser.who()).toBeUndefined();
});

it.each<[string, (claims: IssuerClaims, key: IssuerKey) => string]>([
  ['by nothing', unsignedToken],
  ['by the public key as if it were a secret', tokenSignedWithPublicKey],
  ['by a key of another issuer', (claims) => signToken(claims, makeKey('RS256'))],
  ['by another key under the name of the known one', (claims, { kid }) => signToken(claims, { ...makeKey('RS256'), kid })],
  [
    'and then changed',
    (claims, key) =>
      signToken({ ...claims, sub: 'eve' }, key).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`),
  ],
  ['in a form that is none', () => 'a.b.c'],
])('a token signed %s is refused', async (_, makeToken) => {
  await using setting = await openOidc();
  setting.issuer.makeToken = makeToken;
  const browser = new OidcBrowser(setting.on);
  expect(faultOf(await browser.signIn(setting.issuer))).toEqual(REFUSED);
  expect(await browser.who()).toBeUndefined();
});

it('the answer of one issuer is not taken to another', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  for (const iss of [undefined, 'https://evil.example.org', `${issuer.url}/`]) {
    const browser = new OidcBrowser(on);
    const back = issuer.authorize(await browser.begin());
    if (iss === undefined) back.searchParams.delete('iss');
    else back.searchParams.set('iss', iss);
    expect(faultOf(await browser.comeBack(back))).toEqual(REFUSED);
  }
  expect(issuer.asked).not.toContain('/token');
  // Nor does what was begun with one provider end with another.
  const browser = new OidcBrowser(on);
  const back = issuer.authorize(await browser.begin());
  back.pathname = '/api/session/oidc/other/callback';
  expect((await browser.comeBack(back)).status).toBe(404);
});

const huge = (response: ServerResponse): void => {
  const piece = Buffer.alloc(65_536, ' ');
  const write = (): void => {
    while (!response.destroyed && response.write(piece)); // Without end, as fast as it is read.
  };
  response.on('drain', write);
  write();
};
const never = (): void => {};
const text =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };

it.each<[string, string, (response: ServerResponse) => void, string?]>([
  ['keys without end', '/keys', huge, 'too much'],
  ['keys that never come', '/keys', never, 'in time'],
  ['keys that are none', '/keys', text(200, '{"keys":"none"}')],
  ['keys elsewhere', '/keys', text(302, '', { location: '/keys?moved' })],
  ['tokens without end', '/token', huge, 'too much'],
  ['tokens that never come', '/token', never, 'in time'],
  ['tokens that are no JSON', '/token', text(200, '<html>')],
  ['tokens that are a list', '/token', text(200, '[]')],
])('a provider with %s is unavailable, and nothing else suffers', async (_, path, answer, why = '') => {
  await using setting = await openOidc({ limits: { issuerMs: 500 } });
  const { on, issuer } = setting;
  issuer.misbehave = ({ url }, response) => {
    if (url !== path) return false;
    answer(response);
    return true;
  };
  const browser = new OidcBrowser(on);
  const refused = await browser.signIn(issuer);
  expect(faultOf(refused)).toEqual([503, 'unavailable']);
  expect(refused.text).toContain(why);
  expect(await browser.who()).toBeUndefined();
  issuer.misbehave = () => false;
  expect((await browser.signIn(issuer)).status).toBe(200);
});

it.each<[number, object]>([
  [500, {}],
  [503, { error: 'invalid_grant' }],
  [429, { error: 'slow_down' }],
  [401, { error: 'invalid_client' }],
  [400, { error: 'unauthorized_client' }],
  [200, { access_token: 'nothing' }],
])("that a provider answers %d with %j is nobody's guess", async (status, document) => {
  await using setting = await openOidc({ limits: { loginDelayMs: 60_000 } });
  const { on, issuer } = setting;
  issuer.misbehave = ({ url }, response) => {
    if (url === '/token') response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    return url === '/token';
  };
  for (let count = 0; count < 6; count++) expect(faultOf(await new OidcBrowser(on).signIn(issuer))).toEqual([503, 'unavailable']);
  issuer.misbehave = () => false;
  expect((await new OidcBrowser(on).signIn(issuer)).status).toBe(200);
});

it('that a code is none is a guess, and that a provider is overloaded is not', async () => {
  await using setting = await openOidc({ limits: { loginDelayMs: 60_000 } });
  const { on, issuer } = setting;
  const statuses: number[] = [];
  for (const [name, value] of [...Array(6).fill(['error', 'temporarily_unavailable']), ...Array(6).fill(['code', 'guess'])]) {
    const browser = new OidcBrowser(on);
    const back = issuer.authorize(await browser.begin());
    back.searchParams.set(name, value);
    statuses.push((await browser.comeBack(back)).status);
  }
  expect(statuses).toEqual([503, 503, 503, 503, 503, 503, 401, 401, 401, 401, 401, 429]);
});

it.each<[string, (metadata: IssuerClaims) => IssuerClaims]>([
  ['is another issuer', (metadata) => ({ ...metadata, issuer: 'https://login.example.org' })],
  ['sends people elsewhere', (metadata) => ({ ...metadata, authorization_endpoint: 'http://evil.example.org/authorize' })],
  ['has its keys elsewhere', (metadata) => ({ ...metadata, jwks_uri: 'http://169.254.169.254/keys' })],
  ['takes codes elsewhere', (metadata) => ({ ...metadata, token_endpoint: 'file:///etc/passwd' })],
  ['has no keys', ({ jwks_uri: _, ...metadata }) => metadata],
])('a provider that says it %s is not used', async (_, change) => {
  await using setting = await openOidc();
  setting.issuer.changeMetadata = change;
  const answer = await new OidcBrowser(setting.on).get(START);
  expect(faultOf(answer)).toEqual([503, 'unavailable']);
});

it('a provider that is down keeps nobody else out, and is used again when it is back', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  issuer.misbehave = (request) => {
    request.socket.destroy();
    return true;
  };
  for (let count = 0; count < 8; count++) expect(faultOf(await new OidcBrowser(on).get(START))).toEqual([503, 'unavailable']);
  issuer.misbehave = () => false;
  expect((await new OidcBrowser(on).signIn(issuer)).status).toBe(200);
});

it.each([
  '//evil.example.org',
  '/\\evil.example.org',
  'https://evil.example.org',
  'evil',
  '/\t/evil.example.org',
  '/a\r\nset-cookie: x=y',
  '/\u202e',
  '',
])('nobody is led elsewhere afterwards: %j', async (returnTo) => {
  await using setting = await openOidc();
  const answer = await new OidcBrowser(setting.on).get(`${START}?return_to=${encodeURIComponent(returnTo)}`);
  expect(faultOf(answer)).toEqual([400, 'invalid_argument']);
});

it('only a navigation comes from elsewhere, to the callback and nowhere else', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  const cross = { 'sec-fetch-site': 'cross-site' };
  for (const headers of [
    cross,
    { ...cross, ...NAVIGATION, 'sec-fetch-dest': 'iframe' },
    { ...cross, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { ...cross, ...NAVIGATION, origin: 'https://evil.example.org' },
    { ...cross, ...NAVIGATION, host: 'evil.example.org' },
  ]) {
    const browser = new OidcBrowser(on);
    const back = issuer.authorize(await browser.begin());
    expect([headers, (await browser.get(back.pathname + back.search, headers)).status]).toEqual([headers, 403]);
  }
  for (const path of [START, '/api/session', '/api/session/oidc', '/api/health']) {
    expect((await new OidcBrowser(on).get(path, { ...cross, ...NAVIGATION })).status).toBe(403);
  }
  const headers = { host: `127.0.0.1:${on.port}`, ...cross, ...NAVIGATION };
  const posted = await on.send({ port: on.port, method: 'POST', path: `${START}/callback`, headers });
  expect([403, 405]).toContain(posted.status);
});

it('an identity that is nobody here is refused, is told what it is, and nothing is made', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  // A mail address, verified or not, says nothing about who somebody is here.
  issuer.claims = { sub: 'eve-7', email: 'ann@example.org', email_verified: true, preferred_username: 'ann', name: 'ann' };
  const browser = new OidcBrowser(on);
  const answer = await browser.signIn(issuer);
  expect(faultOf(answer)).toEqual([403, 'permission_denied']);
  expect(JSON.parse(answer.text)).toMatchObject({ details: { issuer: issuer.url, subject: 'eve-7' } });
  expect(await browser.who()).toBeUndefined();
  expect((await on.kernel.people.list()).map(({ name }) => name)).toEqual(['ann']);
  expect(await on.kernel.tokens.list()).toEqual([]);
  const { entries } = await on.platformAudit().search({ action: 'person.sign_in' });
  expect(entries.map(({ outcome, details }) => [outcome, details])).toEqual([
    ['denied', { from: '127.0.0.1', issuer: issuer.url, subject: 'eve-7' }],
  ]);
});

it('the same subject of another issuer is somebody else', async () => {
  await using setting = await openOidc();
  await using other = await TestIssuer.start();
  await setting.on.kernel.people.update('ann', { identity: { issuer: other.url, subject: 'ann-1' } });
  expect(faultOf(await new OidcBrowser(setting.on).signIn(setting.issuer))).toEqual([403, 'permission_denied']);
});

it('who is disabled stays out, also while it happens', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  const early = new OidcBrowser(on);
  await early.signIn(issuer);
  const late = new OidcBrowser(on);
  const back = issuer.authorize(await late.begin());
  await on.kernel.people.setDisabled('ann', true);
  expect(await early.who()).toBeUndefined();
  expect(faultOf(await late.comeBack(back))).toEqual([403, 'permission_denied']);
  expect(await late.who()).toBeUndefined();
});

it('who tries again and again has to wait, and nobody else does', async () => {
  await using setting = await openOidc({ trustedProxies: ['127.0.0.1'] });
  const { on, issuer } = setting;
  const from = (address: string) => ({ 'x-forwarded-for': address });
  issuer.claims = { sub: 'eve' };
  const statuses: number[] = [];
  let browser = new OidcBrowser(on);
  for (let count = 0; count < 7; count++) {
    browser = new OidcBrowser(on);
    statuses.push((await browser.comeBack(issuer.authorize(await browser.begin()), from('192.0.2.1'))).status);
  }
  expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429]);
  // What was begun is not used up by having to wait.
  expect(browser.cookies.has('warren-sign-in')).toBe(true);
  issuer.claims = { sub: 'ann-1' };
  const ann = new OidcBrowser(on);
  expect((await ann.comeBack(issuer.authorize(await ann.begin()), from('198.51.100.1'))).status).toBe(200);
});

it('who guesses passphrases of somebody named like a provider and a network holds up nobody there', async () => {
  await using setting = await openOidc({ trustedProxies: ['127.0.0.1'], limits: { loginDelayMs: 60_000 } });
  const { on, issuer } = setting;
  const body = JSON.stringify({ name: 'corp 198.51.100.1', passphrase: 'guess guess guess', token: true });
  for (let count = 0; count < 6; count++) {
    const headers = { host: `127.0.0.1:${on.port}`, 'content-type': 'application/json', 'x-forwarded-for': `192.0.2.${count}` };
    const { status } = await on.send({ port: on.port, method: 'POST', path: '/api/session', headers }, body);
    expect(status).toBe(count < 5 ? 401 : 429);
  }
  const ann = new OidcBrowser(on);
  expect((await ann.comeBack(issuer.authorize(await ann.begin()), { 'x-forwarded-for': '198.51.100.1' })).status).toBe(200);
});

it('people come back where the operator said, and by no other name of ours', async () => {
  await using setting = await openOidc({
    provider: ['redirect_origins: ["https://warren.example.org"]'],
    origins: ['https://warren.example.org'],
  });
  expect(faultOf(await new OidcBrowser(setting.on).get(START))).toEqual([403, 'permission_denied']);
  const answer = await new OidcBrowser(setting.on).get(START, { host: 'warren.example.org' });
  expect(new URL(answer.headers.location ?? '').searchParams.get('redirect_uri')).toBe(`https://warren.example.org${START}/callback`);
  expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-warren-sign-in=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/);
});

it('an answer with several codes, or without end, is refused', async () => {
  await using setting = await openOidc();
  const { on, issuer } = setting;
  for (const change of [
    (url: URL) => url.searchParams.append('code', 'two'),
    (url: URL) => url.searchParams.set('code', 'x'.repeat(3_000)),
  ]) {
    const browser = new OidcBrowser(on);
    const back = issuer.authorize(await browser.begin());
    change(back);
    expect(faultOf(await browser.comeBack(back))).toEqual([400, 'invalid_argument']);
  }
  const browser = new OidcBrowser(on);
  const denied = issuer.authorize(await browser.begin());
  denied.searchParams.set('error', 'access_denied<script>');
  const answer = await browser.comeBack(denied);
  expect(faultOf(answer)).toEqual(REFUSED);
  expect(answer.text).not.toContain('<script>');
});
