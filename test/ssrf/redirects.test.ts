import { describe, expect, it } from 'vitest';
import { createEgress } from '../../packages/sandbox/src/egress/create-egress.ts';
import type { EgressRequest } from '../../packages/sandbox/src/egress/egress.ts';
import { answer, RawServer } from './raw-server.ts';
import { readAll, refusalOf } from './refusal-of.ts';

const RULES = { hosts: ['*'], privateNetworks: ['127.0.0.0/8'] };
const never = new AbortController().signal;
const SECRETS = {
  authorization: 'Bearer S3CRET',
  cookie: 's=S3CRET',
  'x-api-key': 'S3CRET',
  'proxy-authorization': 'S3CRET',
  referer: 'http://S3CRET/',
};

/** Two origins; the first answers `/` with a redirect to the second's (or its own) `/end`, which answers with what it got. */
async function follow(status: number, request: Partial<EgressRequest>, to: 'same' | 'other' = 'same') {
  await using other = await RawServer.start((text, connection) => answer(connection, '200 OK', text));
  await using first = await RawServer.start((text, connection) => {
    const origin = to === 'same' ? '' : `http://127.0.0.1:${other.port}`;
    answer(connection, text.includes(' / ') ? `${status} Moved\r\nlocation: ${origin}/end` : '200 OK', text);
  });
  await using egress = createEgress();
  try {
    const response = await egress.fetch(RULES, { ...request, url: `http://127.0.0.1:${first.port}/` }, never);
    return { response, text: String(await readAll(response)), others: other.connections };
  } catch (error) {
    return { error, others: other.connections };
  }
}

const body = Buffer.from('the body');

describe('a redirect within an origin', () => {
  it.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'DELETE', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [301, 'GET', 'GET'],
    [301, 'PUT', 'PUT'],
    [302, 'PATCH', 'PATCH'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
    [307, 'HEAD', 'HEAD'],
  ])('with %i makes %s a %s', async (status, method, then) => {
    const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
    const { response, text = '' } = await follow(status, {
      method,
      headers: { 'content-type': 'text/x', 'x-key': 'k' },
      ...(hasBody ? { body } : {}),
    });
    expect(response?.redirects.map((step) => step.status)).toEqual([status]);
    if (then === 'HEAD') return expect(text).toBe('');
    expect(text).toMatch(new RegExp(`^${then} /end HTTP/1\\.1\r\n`));
    expect(text).toContain('x-key: k');
    expect(text.endsWith('\r\n\r\nthe body')).toBe(hasBody && then === method);
    expect(text.includes('content-type')).toBe(then === method);
  });

  it('keeps the headers of its origin', async () => {
    const { text } = await follow(302, { headers: SECRETS });
    expect(text?.match(/S3CRET/g)).toHaveLength(5);
  });
});

describe('a redirect to another origin', () => {
  it.each([301, 302, 303, 307, 308])('with %i takes no header along that may be a secret', async (status) => {
    const { text } = await follow(status, { headers: { ...SECRETS, accept: 'text/html', 'user-agent': 'mine' } }, 'other');
    expect(text).not.toContain('S3CRET');
    expect(text).toContain('accept: text/html');
    expect(text).toContain('user-agent: mine');
  });

  it.each([
    [307, 'POST'],
    [308, 'PUT'],
    [301, 'PATCH'],
  ])('with %i takes no body of a %s along', async (status, method) => {
    const { error, others } = await follow(status, { method, body }, 'other');
    expect(error).toMatchObject({ reason: 'redirect_refused' });
    expect(others).toBe(0);
  });

  it('with 308 does not delete there what was to be deleted here', async () => {
    const { error, others } = await follow(308, { method: 'DELETE' }, 'other');
    expect(error).toMatchObject({ reason: 'redirect_refused' });
    expect(others).toBe(0);
  });

  it('with 303 goes on as a GET without the body', async () => {
    const { text } = await follow(303, { method: 'POST', body }, 'other');
    expect(text).toMatch(/^GET \/end /);
    expect(text).not.toContain('the body');
  });
});

describe('redirects', () => {
  it('end at the limit', async () => {
    await using server = await RawServer.start((_text, connection) => answer(connection, '302 Found\r\nlocation: /'));
    await using egress = createEgress();
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await refusalOf(egress.fetch(RULES, { url }, never))).reason).toBe('too_many_redirects');
    expect(server.connections).toBe(11);
    expect((await refusalOf(egress.fetch(RULES, { url, redirectsMax: 3 }, never))).reason).toBe('too_many_redirects');
    expect(server.connections).toBe(15);
    expect((await egress.fetch(RULES, { url, redirectsMax: 0 }, never)).status).toBe(302);
  });

  it('share one deadline and are counted together', async () => {
    await using server = await RawServer.start((text, connection) =>
      answer(connection, text.includes(' / ') ? '302 Found\r\nlocation: /end' : '200 OK', 'x'.repeat(1_000)),
    );
    await using egress = createEgress();
    const response = await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/` }, never);
    await readAll(response);
    expect(response.bytes()).toBeGreaterThan(1_200);
    expect(response.url).toBe(`http://127.0.0.1:${server.port}/end`);
    expect(response.redirects).toEqual([
      { from: `http://127.0.0.1:${server.port}/`, to: `http://127.0.0.1:${server.port}/end`, status: 302 },
    ]);
  });

  it('do not wait for a body that never ends', async () => {
    await using server = await RawServer.start((text, connection) => {
      if (!text.includes(' / ')) return answer(connection, '200 OK', 'end');
      connection.write('HTTP/1.1 302 Found\r\nlocation: /end\r\ncontent-length: 1000000000\r\n\r\nxxx');
    });
    await using egress = createEgress();
    expect(String(await readAll(await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/` }, never)))).toBe('end');
  });

  it.each([300, 304, 305, 306])('are not made of %i', async (status) => {
    await using server = await RawServer.start((_text, connection) => answer(connection, `${status} X\r\nlocation: /end`));
    await using egress = createEgress();
    const response = await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/` }, never);
    expect([response.status, response.redirects]).toEqual([status, []]);
    response.dispose();
  });

  it('without a location are the answer', async () => {
    await using server = await RawServer.start((_text, connection) => answer(connection, '302 Found', 'where?'));
    await using egress = createEgress();
    const response = await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/` }, never);
    expect([response.status, String(await readAll(response))]).toEqual([302, 'where?']);
  });

  it.each([
    ['/end', '/end'],
    ['end', '/a/end'],
    ['?q=1', '/a/b?q=1'],
    ['../end', '/end'],
    ['../../../../end', '/end'],
    ['/with space', '/with%20space'],
    ['/\u00c3\u00bc', '/%C3%BC'],
    ['#only', '/a/b'],
    ['//127.0.0.1:PORT/end', '/end'],
    ['HTTP://127.0.0.1:PORT/end#x', '/end'],
  ])('to %j lead to %s', async (location, path) => {
    let isFirst = true;
    await using server = await RawServer.start((_text, connection) => {
      const head = isFirst ? `302 Found\r\nlocation: ${location.replace('PORT', String(server.port))}` : '200 OK';
      isFirst = false;
      answer(connection, head);
    });
    await using egress = createEgress();
    const response = await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/a/b` }, never);
    expect([response.status, response.url]).toEqual([200, `http://127.0.0.1:${server.port}${path}`]);
    response.dispose();
  });
});
