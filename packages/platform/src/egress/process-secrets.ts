/**
 * What the commands of a process have of the secrets of its workspace: a placeholder in the environment for each that is bound to `process.run`. The vault says, at
 * each request, whether the secret may go to that host; this says where in a request it may stand, and looks for it in what comes back.
 */
import { createSecretRedactor, isAllowed, parseGrantSet, type SecretRedactor } from '@warren/kernel';
import type { EgressSecrets, SecretAnswer, SecretAsked } from '@warren/sandbox';
import { makePlaceholder } from '@warren/sandbox/egress';
import type { Secrets } from '../vault/secrets.ts';

export type ProcessSecrets = {
  /** As `WARREN_SECRET_NAME`; empty when there are none. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: EgressSecrets;
};

/** What a binding names to let commands use a secret. */
export const COMMANDS = 'process.run';
/** Of one process. */
const SECRETS_MAX = 64;
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

/** Undefined when no secret is for commands: then nothing of answers is looked at. Faults: those of `list`. */
export async function openProcessSecrets(secrets: Pick<Secrets, 'list' | 'use'>): Promise<ProcessSecrets | undefined> {
  const names = await namesForCommands(secrets);
  if (names.length === 0) return undefined;
  const placeholders = new Map(names.map((name) => [makePlaceholder(name), name]));
  const values = new UsedValues();
  return {
    env: Object.fromEntries([...placeholders].map(([placeholder, name]) => [variableOf(name), placeholder])),
    secrets: {
      substitute: (asked) => substitute(secrets, placeholders, values, asked),
      redactor: () => values.redactor,
    },
  };
}

async function substitute(
  secrets: Pick<Secrets, 'use'>,
  placeholders: ReadonlyMap<string, string>,
  values: UsedValues,
  { placeholder, place, host, port }: SecretAsked,
): Promise<SecretAnswer> {
  const name = placeholders.get(placeholder);
  if (name === undefined) return { kind: 'not_bound' };
  if (place.kind !== 'header' || !CREDENTIAL_HEADERS.has(place.name))
    return { kind: 'misplaced', where: 'it may stand in a header that carries credentials, as Authorization, and nowhere else' };
  using value = await secrets.use(name, { kind: 'request', capability: COMMANDS, host, port });
  if (value === undefined) return { kind: 'not_bound' };
  values.add(name, value.version, value.bytes);
  return { kind: 'value', value: Uint8Array.from(value.bytes) }; // The proxy's own: it overwrites them.
}

async function namesForCommands(secrets: Pick<Secrets, 'list'>): Promise<readonly string[]> {
  const names: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await secrets.list({ after });
    for (const { name, bindings, revokedAt } of page) {
      const isForCommands = isAllowed(parseGrantSet({ tools: bindings.capabilities }), { kind: 'tool', tool: COMMANDS });
      if (revokedAt === undefined && isForCommands && names.length < SECRETS_MAX) names.push(name);
    }
    after = page.at(-1)?.name;
    if (after === undefined || names.length >= SECRETS_MAX) return names;
  }
}

/** Names differ in more than a variable's does: of two that are one, the later counts. */
function variableOf(name: string): string {
  return `WARREN_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** Values that went out for this process, each version: any answer may hold them from then on. */
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
