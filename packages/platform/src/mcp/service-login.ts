/** Signing in to a mounted server with credentials of Warren's own, by OAuth 2.1: a token for one connection, got when the server asks for it. */
import type { AuthProvider } from '@modelcontextprotocol/client';
import { isFault } from '@warren/protocol';
import { type LoginRequests, requireIssuer } from './login-requests.ts';

export type ServiceLoginParts = {
  readonly server: string;
  readonly url: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly scope: string | undefined;
  /** Whose client that is; undefined: of whoever the server names. */
  readonly issuer: string | undefined;
  readonly requests: LoginRequests;
};

export class ServiceLogin implements AuthProvider {
  readonly #parts: ServiceLoginParts;
  #token: string | undefined;
  #asking: Promise<void> | undefined;

  constructor(parts: ServiceLoginParts) {
    this.#parts = parts;
  }

  /** What must not come back. */
  get secrets(): readonly string[] {
    return [this.#parts.client.secret, ...(this.#token === undefined ? [] : [this.#token])];
  }

  async token(): Promise<string | undefined> {
    return this.#token;
  }

  /** One request for all who want it. Faults: `unavailable`; `permission_denied`, when the server names another issuer. */
  async onUnauthorized({ response }: { readonly response: Response }): Promise<void> {
    this.#asking ??= this.#ask(response).finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(response: Response): Promise<void> {
    const { server, url, client, scope, issuer, requests } = this.#parts;
    const challenge = requests.challengeOf(response, url);
    try {
      const discovery = await requests.discover(url, challenge.metadataUrl);
      requireIssuer(server, discovery, issuer);
      this.#token = (await requests.grant(discovery, client, scope ?? challenge.scope)).access_token;
    } catch (error) {
      throw isFault(error, 'permission_denied') ? error : requests.noToken(server, error);
    }
  }
}
