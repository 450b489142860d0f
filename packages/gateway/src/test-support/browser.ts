/** What a page of ours sends: a browser adds where it comes from, and the cookies of the host. */
import type { RequestOptions } from 'node:http';
import type { Answer, TestGateway } from './open-test-gateway.ts';

export const PASSPHRASE = 'correct horse battery staple';

export type SignedIn = {
  /** `name=value`, as the browser sends it. */
  readonly cookie: string;
  readonly csrf: string;
  readonly answer: Answer;
};

export function pageHeaders(on: TestGateway): Record<string, string> {
  const host = `127.0.0.1:${on.port}`;
  return { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
}

export function trySignIn(on: TestGateway, body: object, more: RequestOptions = {}): Promise<Answer> {
  const headers = { ...pageHeaders(on), ...more.headers };
  return on.send({ port: on.port, method: 'POST', path: '/api/session', ...more, headers }, JSON.stringify(body));
}

export async function signIn(on: TestGateway, name: string, passphrase = PASSPHRASE): Promise<SignedIn> {
  const answer = await trySignIn(on, { name, passphrase });
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0];
  if (cookie === undefined) throw new Error(`${name} is not signed in: ${answer.text}`);
  return { cookie, csrf: (JSON.parse(answer.text) as { csrf: string }).csrf, answer };
}

/** A call by a page of ours; `headers` replace what it would send. */
export async function callFromPage(on: TestGateway, method: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method });
  return await on.send({ port: on.port, method: 'POST', path: '/rpc', headers: { ...pageHeaders(on), ...headers } }, body);
}
