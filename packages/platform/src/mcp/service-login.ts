/** Signing in to a mounted server with credentials of Warren's own, by OAuth 2.1: a token for one connection, got when the server asks for it. */
import type { AuthProvider } from '@modelcontextprotocol/client';
import type { LoginRequests } from './login-requests.ts';

export type ServiceLoginParts = {
  readonly server: string;
  readonly url: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly scope: string | undefined;
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

  /** One request for all who want it. Faults: `unavailable`. */
  async onUnauthorized(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { server, url, client, scope, requests } = this.#parts;
    try {
      this.#token = (await requests.grant(await requests.discover(url), client, scope)).access_token;
    } catch (error) {
      throw requests.noToken(server, error);
    }
  }
}
