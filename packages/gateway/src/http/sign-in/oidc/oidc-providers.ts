/** The providers there are, as the configuration says just now. */
import type { OidcProviderConfig } from '@warren/platform';
import { Fault } from '@warren/protocol';
import { BegunSignIns } from './begun-cookie.ts';
import { OidcProvider } from './oidc-provider.ts';

/** Sign-ins whose issuer is being asked: each waits for somebody else. */
const ASKING_MAX = 32;

export class OidcProviders {
  readonly begun = new BegunSignIns();
  readonly #configs: () => readonly OidcProviderConfig[];
  readonly #issuerMs: number;
  readonly #known = new Map<string, OidcProvider>();
  #asking = 0;

  constructor(configs: () => readonly OidcProviderConfig[], issuerMs: number) {
    this.#configs = configs;
    this.#issuerMs = issuerMs;
  }

  names(): readonly string[] {
    return this.#configs().map(({ name }) => name);
  }

  /** Throws `not_found`. */
  get(name: string): OidcProvider {
    const config = this.#configs().find((each) => each.name === name);
    if (config === undefined) throw new Fault('not_found', 'Cannot sign in: there is no provider of this name');
    const known = this.#known.get(name);
    if (known !== undefined && JSON.stringify(known.config) === JSON.stringify(config)) return known;
    const made = new OidcProvider(config, { issuerMs: this.#issuerMs });
    this.#known.set(name, made);
    return made;
  }

  /** Throws `busy` when too many are at it. */
  async ask<Value>(act: () => Promise<Value>): Promise<Value> {
    if (this.#asking >= ASKING_MAX) throw new Fault('busy', `Cannot sign in: ${this.#asking} others are signing in; try again in a moment`);
    this.#asking += 1;
    try {
      return await act();
    } finally {
      this.#asking -= 1;
    }
  }
}
