/** A secret that an operator named in a file of the configuration, as text: of the default workspace, and bound to what the file is about. Had anew each time: it may be rotated. */
import { Fault, isFault } from '@warren/protocol';
import type { Secrets, SecretUse } from './secrets.ts';

export type ConfiguredSecret = (name: string, use: SecretUse) => Promise<string>;

/** Faults: `not_found` (absent, revoked, or bound to something else; with the command that binds it), `vault_locked`, `store_failed`. */
export function createConfiguredSecret(secrets: Secrets): ConfiguredSecret {
  return async (name, use) => {
    using value = await secrets.use(name, use).catch((error: unknown) => {
      if (isFault(error, 'invalid_argument')) return undefined; // No name of any.
      throw error;
    });
    if (value !== undefined) return Buffer.from(value.bytes).toString('utf8').trim();
    throw new Fault(
      'not_found',
      `Cannot use secret ${JSON.stringify(name)} for ${wordOf(use)}: there is none of this name that is bound to it`,
      {
        details: { secret: name, fix: `warren secret bind ${name} ${flagsOf(use)}` },
      },
    );
  };
}

/** For the places of an address: the port is that of its scheme unless it says another. */
export function requestTo(url: string, capability: string): SecretUse {
  const { hostname, port, protocol } = new URL(url);
  return { kind: 'request', capability, host: hostname, port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port) };
}

function wordOf(use: SecretUse): string {
  switch (use.kind) {
    case 'request':
      return `${use.capability} at ${use.host}:${use.port}`;
    case 'program':
      return use.capability;
    case 'skill':
      return `skill ${use.skill}`;
    default:
      return use satisfies never;
  }
}

function flagsOf(use: SecretUse): string {
  switch (use.kind) {
    case 'request':
      return `--host ${use.host}:${use.port} --capability ${use.capability}`;
    case 'program':
      return `--capability ${use.capability}`;
    case 'skill':
      return `--skill ${use.skill}`;
    default:
      return use satisfies never;
  }
}
