/** What the commands of a process have of the secrets of its workspace: a placeholder in the environment for each that is bound to `process.run`. */
import { isAllowed, parseGrantSet } from '@warren/kernel';
import type { Secrets } from '../vault/secrets.ts';
import { COMMANDS, type PlacedSecrets, placeSecrets } from './place-secrets.ts';

/** Of one process. */
const SECRETS_MAX = 64;

/** As `WARREN_SECRET_NAME`, for headers alone. Undefined when no secret is for commands: then nothing of answers is looked at. Faults: those of `list`. */
export async function openProcessSecrets(
  secrets: Pick<Secrets, 'list' | 'use'>,
  say: (message: string) => void,
): Promise<PlacedSecrets | undefined> {
  const found = await namesForCommands(secrets);
  const names = found.slice(0, SECRETS_MAX);
  if (names.length === 0) return undefined;
  if (found.length > SECRETS_MAX)
    say(`more than ${SECRETS_MAX} secrets are bound to ${COMMANDS}: commands have placeholders for those up to ${names.at(-1)}, by name`);
  return placeSecrets(
    secrets,
    names.map((name) => ({ name, variable: variableOf(name), places: ['header'] })),
  );
}

/** One more than there is room for, when there are more. */
async function namesForCommands(secrets: Pick<Secrets, 'list'>): Promise<readonly string[]> {
  const names: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await secrets.list({ after });
    for (const { name, bindings, revokedAt } of page) {
      const isForCommands = isAllowed(parseGrantSet({ tools: bindings.capabilities }), { kind: 'tool', tool: COMMANDS });
      if (revokedAt === undefined && isForCommands && names.length <= SECRETS_MAX) names.push(name);
    }
    after = page.at(-1)?.name;
    if (after === undefined || names.length > SECRETS_MAX) return names;
  }
}

/** Names differ in more than a variable's does: of two that are one, the later counts. */
function variableOf(name: string): string {
  return `WARREN_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}
