/**
 * Secrets that commands have as placeholders. The vault says, at each request, whether a secret may go to that host; this says where in a request it may stand, and looks
 * for it in what comes back.
 */
import { createSecretRedactor, type SecretRedactor } from '@warren/kernel';
import type { EgressSecrets, SecretAnswer, SecretAsked } from '@warren/sandbox';
import { makePlaceholder } from '@warren/sandbox/egress';
import type { Secrets } from '../vault/secrets.ts';

export type PlacedSecret = {
  readonly name: string;
  /** Of the environment. */
  readonly variable: string;
  readonly places: readonly SecretPlaceKind[];
};
/** A header is one that carries credentials, and no other. */
export type SecretPlaceKind = SecretAsked['place']['kind'];

export type PlacedSecrets = {
  /** Placeholders by variable. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: EgressSecrets;
};

/** What a binding names to let commands use a secret. */
export const COMMANDS = 'process.run';
/** Headers that nobody but the host reads. A field of a body may be shown to others, and would be a way out. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  ...[
    'authorization',
    'x-api-key',
    'api-key',
    'apikey',
    'x-auth-token',
    'x-access-token',
    'private-token',
    'x-goog-api-key',
    'x-amz-security-token',
  ],
]);
const PLACE_WORDS: Readonly<Record<SecretPlaceKind, string>> = {
  header: 'a header that carries credentials, as Authorization',
  query: 'a field of the query',
  body: 'a field of the body',
};

/** Each has a placeholder of its own, anew each time. */
export function placeSecrets(secrets: Pick<Secrets, 'use'>, placed: readonly PlacedSecret[]): PlacedSecrets {
  const placeholders = new Map(placed.map((each) => [makePlaceholder(each.name), each]));
  const values = new UsedValues();
  return {
    env: Object.fromEntries([...placeholders].map(([placeholder, { variable }]) => [variable, placeholder])),
    secrets: {
      substitute: (asked) => substitute(secrets, placeholders, values, asked),
      redactor: () => values.redactor,
    },
  };
}

async function substitute(
  secrets: Pick<Secrets, 'use'>,
  placeholders: ReadonlyMap<string, PlacedSecret>,
  values: UsedValues,
  { placeholder, place, host, port }: SecretAsked,
): Promise<SecretAnswer> {
  const placed = placeholders.get(placeholder);
  if (placed === undefined) return { kind: 'not_bound' };
  const { name, places } = placed;
  const isHere = places.includes(place.kind) && (place.kind !== 'header' || CREDENTIAL_HEADERS.has(place.name));
  if (!isHere)
    return { kind: 'misplaced', where: `it may stand in ${places.map((each) => PLACE_WORDS[each]).join(' or ')}, and nowhere else` };
  using value = await secrets.use(name, { kind: 'request', capability: COMMANDS, host, port });
  if (value === undefined) return { kind: 'not_bound' };
  values.add(name, value.version, value.bytes);
  return { kind: 'value', value: Uint8Array.from(value.bytes) }; // The proxy's own: it overwrites them.
}

/** Values that went out, each version: any answer may hold them from then on, also one that has begun; so whoever reads one asks for the redactor again and again. */
class UsedValues {
  readonly #known = new Map<string, { readonly name: string; readonly value: Uint8Array }>();
  #redactor: SecretRedactor = createSecretRedactor([]);

  get redactor(): SecretRedactor {
    return this.#redactor;
  }

  add(name: string, version: number, value: Uint8Array): void {
    const key = `${version} ${name}`;
    if (this.#known.has(key)) return;
    this.#known.set(key, { name, value: Uint8Array.from(value) });
    this.#redactor = createSecretRedactor([...this.#known.values()]);
  }
}
