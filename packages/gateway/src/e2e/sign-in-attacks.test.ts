/** What pages of others, guessers and thieves try. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { callFromPage, PASSPHRASE, pageHeaders, signIn, trySignIn } from '../test-support/browser.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw } from '../test-support/raw-connection.ts';

/** So long that no machine is slow enough for it to pass. */
const HELD_UP = { limits: { loginDelayMs: 60_000 } };

async function openWithPeople(options: Parameters<typeof openTestGateway>[0] = {}): Promise<TestGateway> {
  const on = await openTestGateway(options);
  for (const name of ['ann', 'bob']) {
    await on.kernel.people.create({ name, workspace: DEFAULT_WORKSPACE, role: 'admin', passphrase: PASSPHRASE });
  }
  return on;
}

const without = (headers: Record<string, string>, ...names: string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

it('a page of another site cannot use the cookie, whichever way it sends a request', async () => {
  await using on = await openWithPeople();
  const { cookie, csrf } = await signIn(on, 'ann');
  const call = '{"jsonrpc":"2.0","id":1,"method":"kernel.info"}';
  const own = pageHeaders(on);
  const send = (headers: Record<string, string>) => on.send({ port: on.port, method: 'POST', path: '/rpc', headers }, call);
  expect((await send({ ...own, cookie, 'warren-csrf': csrf })).status).toBe(200);
  const foreign: readonly (readonly [string, Record<string, string>])[] = [
    ['a form', { ...own, cookie, origin: 'http://evil.example', 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' }],
    ['fetch', { ...own, cookie, 'warren-csrf': csrf, origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['an older browser', { ...without(own, 'sec-fetch-site'), cookie, 'warren-csrf': csrf, origin: 'http://evil.example' }],
    ['another port of this host', { ...own, cookie, 'warren-csrf': csrf, origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['a page that hides where it is from', { ...own, cookie, 'warren-csrf': csrf, origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['the same over another scheme', { ...own, cookie, 'warren-csrf': csrf, origin: own['origin']?.replace('http', 'https') ?? '' }],
    ['no word about where from', { ...without(own, 'origin', 'sec-fetch-site'), cookie, 'warren-csrf': csrf }],
    ['an address that was typed', { ...without(own, 'origin'), 'sec-fetch-site': 'none', cookie, 'warren-csrf': csrf }],
  ];
  for (const [name, headers] of foreign) expect([name, (await send(headers)).status]).toEqual([name, 403]);
  // Reading is no different.
  for (const path of ['/events', '/metrics', '/api/session']) {
    const headers = { ...own, cookie, origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' };
    expect([path, (await on.send({ port: on.port, path, headers })).status]).toEqual([path, 403]);
  }
});

it('a form of another site signs nobody in', async () => {
  await using on = await openWithPeople();
  const body = { name: 'ann', passphrase: PASSPHRASE };
  for (const headers of [
    { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
  ]) {
    const answer = await trySignIn(on, body, { headers });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([answer.status === 415 ? 415 : 403, undefined]);
  }
});

it('a name that was made to resolve here is not ours, also with a cookie', async () => {
  await using on = await openWithPeople();
  const { cookie, csrf } = await signIn(on, 'ann');
  for (const host of ['evil.example', `evil.example:${on.port}`, `127.0.0.1:${on.port}.evil.example`, '127.0.0.1', '']) {
    const answer = await callFromPage(on, 'kernel.info', { host, origin: `http://${host}`, cookie, 'warren-csrf': csrf });
    expect([host, [400, 403].includes(answer.status)]).toEqual([host, true]);
  }
});

it('without the proof of its own session a cookie changes nothing', async () => {
  await using on = await openWithPeople();
  const [ann, bob] = [await signIn(on, 'ann'), await signIn(on, 'bob')];
  const again = await signIn(on, 'ann');
  for (const csrf of [undefined, '', ' ', 'wrong', bob.csrf, again.csrf, `${ann.csrf}x`, ann.csrf.slice(0, -1), ann.cookie.slice(7)]) {
    const answer = await callFromPage(on, 'kernel.info', { cookie: ann.cookie, ...(csrf !== undefined && { 'warren-csrf': csrf }) });
    expect([csrf, answer.status]).toEqual([csrf, 403]);
    const out = await on.send({
      ...{ port: on.port, method: 'DELETE', path: '/api/session' },
      headers: { ...pageHeaders(on), cookie: ann.cookie, ...(csrf !== undefined && { 'warren-csrf': csrf }) },
    });
    expect([csrf, out.status]).toEqual([csrf, 403]);
  }
  expect((await callFromPage(on, 'kernel.info', { cookie: ann.cookie, 'warren-csrf': ann.csrf })).status).toBe(200);
});

it('a session that was planted is not taken up: signing in always makes a new one', async () => {
  await using on = await openWithPeople();
  const planted = await signIn(on, 'bob');
  const answer = await trySignIn(on, { name: 'ann', passphrase: PASSPHRASE }, { headers: { cookie: planted.cookie } });
  const made = answer.headers['set-cookie']?.[0]?.split(';')[0];
  expect(made).toBeDefined();
  expect(made).not.toBe(planted.cookie);
  // Two cookies of the name: one of them is somebody else's, and nobody can tell which.
  const both = await on.send({
    port: on.port,
    path: '/api/session',
    headers: { ...pageHeaders(on), cookie: `${planted.cookie}; ${made}` },
  });
  expect(both.status).toBe(401);
});

it('who says in a header who it is, is that and nobody else, whatever cookie comes along', async () => {
  await using on = await openWithPeople();
  const { cookie, csrf } = await signIn(on, 'ann');
  const token = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' });
  const who = await on.send({
    port: on.port,
    path: '/api/session',
    headers: { ...pageHeaders(on), cookie, authorization: `Bearer ${token}` },
  });
  expect(JSON.parse(who.text)).toMatchObject({ role: 'viewer' });
  for (const authorization of ['Bearer wrong', 'Basic YTpi', 'Bearer ', `Bearer ${token}, Bearer ${token}`]) {
    const answer = await callFromPage(on, 'kernel.info', { cookie, 'warren-csrf': csrf, authorization });
    expect([authorization, answer.status]).toEqual([authorization, 401]);
  }
});

it('the cookie is nothing to MCP, nor over the unix socket', async () => {
  await using on = await openWithPeople();
  const { cookie, csrf } = await signIn(on, 'ann');
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const headers = { ...pageHeaders(on), cookie, 'warren-csrf': csrf, accept: 'application/json, text/event-stream' };
  expect((await on.send({ port: on.port, method: 'POST', path: '/mcp', headers }, body)).status).toBe(401);
  const { text } = await on.send({ path: '/api/session', headers: { cookie } });
  expect(JSON.parse(text)).toMatchObject({ principal: { kind: 'operator' }, name: null });
});

it('a WebSocket with a cookie opens for a page of ours only, and for MCP for none', async () => {
  await using on = await openWithPeople();
  const { cookie } = await signIn(on, 'ann');
  const host = `127.0.0.1:${on.port}`;
  const upgrade = async (path: string, headers: Record<string, string>): Promise<string> => {
    using raw = await openRaw({ port: on.port });
    const all = { host, upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', ...headers };
    const lines = Object.entries({ 'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==', ...all }).map(([name, value]) => `${name}: ${value}`);
    raw.send(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    return (await raw.until(/^HTTP\/1.1 \d+/)).slice(9, 12);
  };
  expect(await upgrade('/rpc', { cookie, origin: `http://${host}` })).toBe('101');
  expect(await upgrade('/rpc', { cookie })).toBe('403');
  expect(await upgrade('/rpc', { cookie, 'sec-fetch-site': 'same-origin' })).toBe('403');
  expect(await upgrade('/rpc', { cookie, origin: 'http://evil.example' })).toBe('403');
  expect(await upgrade('/rpc', { cookie, origin: 'null' })).toBe('403');
  expect(await upgrade('/mcp', { cookie, origin: `http://${host}` })).toBe('401');
});

it('a token in the address is no token, and is in no log and no answer', async () => {
  await using on = await openWithPeople();
  const token = await on.tokenFor({ kind: 'operator' });
  const headers = without(pageHeaders(on), 'origin', 'sec-fetch-site');
  for (const path of [
    `/events?token=${token}`,
    `/metrics?access_token=${token}`,
    `/api/session?authorization=Bearer+${token}`,
    `/${token}`,
  ]) {
    const { status, text } = await on.send({ port: on.port, path, headers });
    expect([path, [401, 404].includes(status)]).toEqual([path, true]);
    expect(text).not.toContain(token);
  }
  expect(on.logged.join()).not.toContain(token);
});

it('guessing is held up from the fifth time on, from whichever port and connection', async () => {
  await using on = await openWithPeople(HELD_UP);
  const guess = (name: string) => trySignIn(on, { name, passphrase: 'guess guess guess' }, { agent: false });
  for (let count = 0; count < 5; count++) expect((await guess('ann')).status).toBe(401);
  const held = await guess('ann');
  expect([held.status, held.headers['retry-after']]).toEqual([429, expect.stringMatching(/^(?:60|5\d)$/)]);
  expect(JSON.parse(held.text)).toMatchObject({ type: 'urn:warren:fault:rate_limited', details: { retry_after_ms: expect.any(Number) } });
  // The network waits, whoever it tries, and the right passphrase does not help who guessed.
  expect((await guess('bob')).status).toBe(429);
  expect((await trySignIn(on, { name: 'ann', passphrase: PASSPHRASE })).status).toBe(429);
  expect(on.logged.some((line) => line.startsWith('Wrong passphrases'))).toBe(true);
  // Another network is held up for that name only; what a request says about where it is from is believed of nobody.
  expect((await trySignIn(on, { name: 'bob', passphrase: PASSPHRASE }, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(
    429,
  );
});

it('what a proxy says is believed when the operator named it, up to what the client could have written', async () => {
  await using on = await openWithPeople({ ...HELD_UP, trustedProxies: ['127.0.0.0/8'] });
  const from = (forwarded: string, name: string, passphrase = 'guess') =>
    trySignIn(on, { name, passphrase }, { headers: { 'x-forwarded-for': forwarded } });
  for (let count = 0; count < 5; count++) expect((await from(`198.51.100.${count}, 203.0.113.9`, `nobody-${count}`)).status).toBe(401);
  expect((await from('198.51.100.77, 203.0.113.9, 127.0.0.1', 'ann')).status).toBe(429);
  expect((await from('203.0.113.9, 198.51.100.77', 'ann', PASSPHRASE)).status).toBe(200);
});

it('guesses of the same moment count each', async () => {
  await using on = await openWithPeople(HELD_UP);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => trySignIn(on, { name: 'ann', passphrase: 'guess' }, { agent: false })),
  );
  const looked = answers.filter(({ status }) => status === 401);
  expect(looked.length).toBeLessThanOrEqual(5);
  expect((await trySignIn(on, { name: 'ann', passphrase: PASSPHRASE })).status).toBe(429);
});

it('a restart forgives nobody', async () => {
  await using first = await openWithPeople();
  const delayFile = `${first.directory}/sign-in-delays.json`;
  {
    await using on = await openWithPeople({ ...HELD_UP, delayFile });
    for (let count = 0; count < 5; count++) await trySignIn(on, { name: 'ann', passphrase: 'guess' });
  }
  await using on = await openWithPeople({ ...HELD_UP, delayFile });
  expect((await trySignIn(on, { name: 'ann', passphrase: PASSPHRASE })).status).toBe(429);
});
