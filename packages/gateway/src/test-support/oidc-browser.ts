/** A browser that signs in through a provider: it keeps cookies, follows where it is led, and says where it comes from. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TestIssuer } from '@warren/testkit';
import { type Answer, openTestGateway, type TestGateway } from './open-test-gateway.ts';

export const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
export const START = '/api/session/oidc/corp';

export type OidcSetting = AsyncDisposable & { readonly on: TestGateway; readonly issuer: TestIssuer };

export type OidcOptions = Parameters<typeof openTestGateway>[0] & {
  /** Lines of the provider in config.yaml. */
  readonly provider?: readonly string[];
};

/** With ann, a viewer of the default workspace, whom the issuer calls `ann-1`. */
export async function openOidc({ provider = [], ...options }: OidcOptions = {}): Promise<OidcSetting> {
  const issuer = await TestIssuer.start();
  const secret = join(tmpdir(), `warren-oidc-${process.pid}-${issuer.url.split(':').at(-1)}`);
  writeFileSync(secret, `${issuer.clientSecret}\n`, { mode: 0o600 });
  const lines = [`name: corp`, `issuer: ${issuer.url}`, 'client_id: warren', `client_secret_file: ${secret}`, ...provider];
  const config = `sign_in:\n  providers:\n    - ${lines.join('\n      ')}\n`;
  const on = await openTestGateway({ config, ...options });
  await on.kernel.people.create({
    name: 'ann',
    workspace: DEFAULT_WORKSPACE,
    role: 'viewer',
    identity: { issuer: issuer.url, subject: 'ann-1' },
  });
  return {
    ...{ on, issuer },
    async [Symbol.asyncDispose]() {
      await on[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
      rmSync(secret);
    },
  };
}

export class OidcBrowser {
  readonly #on: TestGateway;
  readonly cookies = new Map<string, string>();

  constructor(on: TestGateway) {
    this.#on = on;
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
    const host = `127.0.0.1:${this.#on.port}`;
    const answer = await this.#on.send({ port: this.#on.port, path, headers: { host, ...(cookie !== '' && { cookie }), ...headers } });
    for (const set of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (/; Max-Age=0$/.test(set)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  /** Where the provider is to be asked. */
  async begin(returnTo?: string): Promise<string> {
    const path = returnTo === undefined ? START : `${START}?return_to=${encodeURIComponent(returnTo)}`;
    const answer = await this.get(path, { ...NAVIGATION, 'sec-fetch-site': 'none' });
    if (answer.status !== 302) throw new Error(`It does not begin: ${answer.status} ${answer.text}`);
    return answer.headers.location ?? '';
  }

  comeBack(to: URL, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.get(to.pathname + to.search, { ...NAVIGATION, 'sec-fetch-site': 'cross-site', ...headers });
  }

  async signIn(issuer: TestIssuer): Promise<Answer> {
    return await this.comeBack(issuer.authorize(await this.begin()));
  }

  /** Who it is signed in as; undefined when it is not. */
  async who(): Promise<string | undefined> {
    const answer = await this.get('/api/session', { 'sec-fetch-site': 'same-origin' });
    return answer.status === 200 ? (JSON.parse(answer.text) as { name: string }).name : undefined;
  }
}
