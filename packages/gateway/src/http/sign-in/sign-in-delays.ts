/**
 * Guesses of passphrases, held up by the name that is tried and by the network it is tried from, so that neither many names nor many addresses
 * help. An attempt counts as failed until it succeeded: those under way at once count too.
 *
 * Who tries a name all the time would hold up its owner as well. So a name that signed in from a network before is held up there by what is tried
 * with this name in this network, and by nothing else.
 */
import { hash } from 'node:crypto';
import { GrowingDelays, type KeptDelay } from './growing-delays.ts';

const KNOWN_MAX = 4_096;

export type SignInAttempt =
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** `lockedMs`: how long the next one has to wait, if this one fails; 0 for none. */
  | {
      readonly kind: 'admitted';
      readonly lockedMs: number;
      succeeded(): void /** It was no attempt after all: nobody could look. */;
      withdrawn(): void;
    };

export type KeptDelays = {
  readonly names: readonly KeptDelay[];
  readonly networks: readonly KeptDelay[];
  readonly pairs: readonly KeptDelay[];
  readonly known: readonly string[];
};

type Counted = { readonly delays: GrowingDelays; readonly key: string };

export class SignInDelays {
  readonly #names: GrowingDelays;
  readonly #networks: GrowingDelays;
  readonly #pairs: GrowingDelays;
  /** Pairs of name and network that signed in; the one that did so the longest ago is forgotten first. */
  readonly #known = new Set<string>();

  constructor(delayMs: number, now?: () => number) {
    this.#names = new GrowingDelays(delayMs, now);
    this.#networks = new GrowingDelays(delayMs, now);
    this.#pairs = new GrowingDelays(delayMs, now);
  }

  /** A `name` is what anybody typed, so it may read like that of a provider: what is tried with one never holds up the other. */
  begin(kind: 'name' | 'provider', name: string, network: string): SignInAttempt {
    // Names are kept as hashes: they may be as long as anybody likes, and are passphrases when somebody mistook the field.
    const who = digest(`${kind}:${name}`);
    const pair = digest(`${who} ${network}`);
    const counted: readonly Counted[] = this.#known.has(pair)
      ? [{ delays: this.#pairs, key: pair }]
      : [
          { delays: this.#names, key: who },
          { delays: this.#networks, key: network },
        ];
    const waitMs = Math.max(...counted.map(({ delays, key }) => delays.waitMs(key)));
    if (waitMs > 0) return { kind: 'wait', waitMs };
    const lockedMs = Math.max(...counted.map(({ delays, key }) => delays.failed(key)));
    const withdrawn = (): void => {
      for (const { delays, key } of counted) delays.takeBack(key);
    };
    return {
      kind: 'admitted',
      lockedMs,
      succeeded: () => {
        withdrawn();
        this.#remember(pair);
      },
      withdrawn,
    };
  }

  kept(): KeptDelays {
    return { names: this.#names.kept(), networks: this.#networks.kept(), pairs: this.#pairs.kept(), known: [...this.#known] };
  }

  restore({ names, networks, pairs, known }: KeptDelays, sinceMs: number): void {
    this.#names.restore(names, sinceMs);
    this.#networks.restore(networks, sinceMs);
    this.#pairs.restore(pairs, sinceMs);
    for (const pair of known) this.#remember(pair);
  }

  #remember(pair: string): void {
    this.#known.delete(pair);
    this.#known.add(pair);
    if (this.#known.size <= KNOWN_MAX) return;
    const oldest = this.#known.values().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}
