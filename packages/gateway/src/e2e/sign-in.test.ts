import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { callFromPage, PASSPHRASE, pageHeaders, signIn, trySignIn } from '../test-support/browser.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

async function openWithAnn(options: Parameters<typeof openTestGateway>[0] = {}): Promise<TestGateway> {
  const on = await openTestGateway(options);
  await on.kernel.people.create({ name: 'ann', workspace: DEFAULT_WORKSPACE, role: 'approver', groups: ['ops'], passphrase: PASSPHRASE });
  return on;
}

const session = (on: TestGateway, method: string, headers: Record<string, string>) =>
  on.send({ port: on.port, method, path: '/api/session', headers: { ...pageHeaders(on), ...headers } });

it('a page signs somebody in and gets a cookie it cannot read, which acts as that person', async () => {
  await using on = await openWithAnn();
  const { cookie, csrf, answer } = await signIn(on, 'ann');
  expect(answer.status).toBe(200);
  expect(answer.headers['set-cookie']).toEqual([
    expect.stringMatching(/^warren=wrn_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43(?:200|199)$/),
  ]);
  expect(answer.text).not.toContain(cookie.slice('warren='.length));
  const principal = { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'approver' };
  expect(JSON.parse(answer.text)).toMatchObject({ principal, name: 'ann', role: 'approver', groups: ['ops'] });
  const who = await session(on, 'GET', { cookie });
  expect(JSON.parse(who.text)).toEqual({ principal, name: 'ann', role: 'approver', groups: ['ops'], csrf });
  expect(JSON.parse((await callFromPage(on, 'kernel.info', { cookie, 'warren-csrf': csrf })).text)).toMatchObject({ result: {} });
  expect(JSON.parse((await callFromPage(on, 'daemon.stop', { cookie, 'warren-csrf': csrf })).text)).toMatchObject({
    error: { data: { fault: 'permission_denied' } },
  });
});

it('a program signs in for a token, which is listed and revoked as any other', async () => {
  await using on = await openWithAnn();
  const answer = await on.send(
    { port: on.port, method: 'POST', path: '/api/session', headers: { 'content-type': 'application/json' } },
    JSON.stringify({ name: 'ann', passphrase: PASSPHRASE, token: true }),
  );
  expect(answer.headers['set-cookie']).toBeUndefined();
  const { token, token_id } = JSON.parse(answer.text) as { token: string; token_id: string };
  expect((await on.call('kernel.info', {}, { token })).result).toBeDefined();
  const { result } = await on.call('token.list');
  expect(result?.['tokens']).toMatchObject([{ token_id, owner: 'ann', label: 'session' }]);
  expect(await on.call('token.revoke', { token_id })).toMatchObject({ result: { revoked: true } });
  expect((await on.call('kernel.info', {}, { token })).error?.data).toMatchObject({ fault: 'unauthenticated' });
});

it('signing out ends the session, and only that one', async () => {
  await using on = await openWithAnn();
  const [one, other] = [await signIn(on, 'ann'), await signIn(on, 'ann')];
  const out = await session(on, 'DELETE', { cookie: one.cookie, 'warren-csrf': one.csrf });
  expect([out.status, out.headers['set-cookie']]).toEqual([204, ['warren=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0']]);
  const gone = await session(on, 'GET', { cookie: one.cookie });
  expect([gone.status, gone.headers['set-cookie']?.[0]]).toEqual([401, expect.stringMatching(/Max-Age=0$/)]);
  expect((await session(on, 'GET', { cookie: other.cookie })).status).toBe(200);
  const token = await on.tokenFor({ kind: 'operator' });
  expect((await session(on, 'DELETE', { authorization: `Bearer ${token}` })).status).toBe(409);
  expect((await session(on, 'GET', { authorization: `Bearer ${token}` })).status).toBe(200);
});

it('sessions end with the person, also in the middle', async () => {
  await using on = await openWithAnn();
  for (const end of [
    () => on.kernel.people.update('ann', { groups: [] }),
    () => on.kernel.people.setDisabled('ann', true),
    () => on.kernel.people.setDisabled('ann', false),
    () => on.kernel.people.delete('ann'),
  ]) {
    const attempt = await trySignIn(on, { name: 'ann', passphrase: PASSPHRASE });
    const cookie = attempt.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    await end();
    expect((await session(on, 'GET', { cookie })).status).toBe(401);
  }
});

it('who is signed in and who is not is in the audit, without what was typed', async () => {
  await using on = await openWithAnn({ hasPlatform: true });
  await signIn(on, 'ann');
  await trySignIn(on, { name: 'my passphrase by mistake', passphrase: 'guess guess guess' });
  const { entries } = await on.platformAudit().search({ action: 'person.sign_in' });
  expect(entries.map(({ outcome, actor, details }) => [outcome, actor, details])).toEqual([
    ['success', { kind: 'member', name: 'ann' }, { token_id: expect.stringMatching(/^token_/), how: 'passphrase' }],
    ['denied', { kind: 'system' }, { from: '127.0.0.1' }],
  ]);
  expect(JSON.stringify([entries, on.logged])).not.toMatch(/mistake|guess|correct horse/);
});

it('a wrong name and a wrong passphrase get the same answer, a problem document', async () => {
  await using on = await openWithAnn();
  const [wrong, nobody] = [
    await trySignIn(on, { name: 'ann', passphrase: 'guess' }),
    await trySignIn(on, { name: 'bob', passphrase: 'guess' }),
  ];
  expect([wrong.status, wrong.text]).toEqual([nobody.status, nobody.text]);
  expect(wrong.headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(wrong.text)).toMatchObject({ type: 'urn:warren:fault:unauthenticated', status: 401, code: 'unauthenticated' });
});

it.each([
  ['no JSON', 'name=ann'],
  ['a list', '[]'],
  ['a name that is none', JSON.stringify({ name: ['ann'], passphrase: PASSPHRASE })],
  ['no passphrase', JSON.stringify({ name: 'ann' })],
  ['something else besides', JSON.stringify({ name: 'ann', passphrase: PASSPHRASE, role: 'admin' })],
  ['a passphrase without end', JSON.stringify({ name: 'ann', passphrase: 'x'.repeat(2_000) })],
])('a body with %s is refused and not repeated', async (_name, body) => {
  await using on = await openWithAnn();
  const answer = await on.send({ port: on.port, method: 'POST', path: '/api/session', headers: pageHeaders(on) }, body);
  expect(answer.status).toBe(400);
  expect(answer.text).not.toContain('correct horse');
});

it('a body that is too large, of another type, or by another method is refused', async () => {
  await using on = await openWithAnn();
  expect((await trySignIn(on, { name: 'ann', passphrase: 'x'.repeat(10_000) })).status).toBe(413);
  expect((await trySignIn(on, { name: 'ann', passphrase: PASSPHRASE }, { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  for (const method of ['PUT', 'PATCH', 'constructor']) {
    expect([400, 405]).toContain((await trySignIn(on, {}, { method })).status);
  }
});

it('the operator at the unix socket is never held up, and signs others in', async () => {
  await using on = await openWithAnn();
  const body = (passphrase: string) => JSON.stringify({ name: 'ann', passphrase, token: true });
  const headers = { 'content-type': 'application/json' };
  for (let count = 0; count < 8; count++) {
    expect((await on.send({ method: 'POST', path: '/api/session', headers }, body('wrong'))).status).toBe(401);
  }
  expect((await on.send({ method: 'POST', path: '/api/session', headers }, body(PASSPHRASE))).status).toBe(200);
  expect(JSON.parse((await on.send({ path: '/api/session' })).text)).toEqual({
    ...{ principal: { kind: 'operator' }, name: null, role: null, groups: [], csrf: null },
  });
});
