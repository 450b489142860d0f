/** Secrets in files or in the vault that the operator named. Read anew each time: they may be rotated. */
import { readFile } from 'node:fs/promises';
import { Fault } from '@warren/protocol';
import type { ConfiguredSecret } from '../vault/configured-secret.ts';
import type { SecretUse } from '../vault/secrets.ts';

export async function readSecrets(
  files: Readonly<Record<string, string>>,
  action = 'start the MCP server',
): Promise<Readonly<Record<string, string>>> {
  const read = Object.entries(files).map(async ([name, file]) => [name, (await readSecret(file, action)).trim()] as const);
  return Object.fromEntries(await Promise.all(read));
}

async function readSecret(file: string, action: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Fault('invalid_argument', `Cannot ${action}: its secret file ${JSON.stringify(file)} cannot be read`, { cause });
  }
}

export async function vaultSecrets(
  names: Readonly<Record<string, string>> | undefined,
  use: SecretUse,
  secretOf: ConfiguredSecret | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (names === undefined) return {};
  if (secretOf === undefined) throw new Fault('unsupported', 'Cannot start the MCP server: there is no vault here');
  const read = Object.entries(names).map(async ([name, secret]) => [name, await secretOf(secret, use)] as const);
  return Object.fromEntries(await Promise.all(read));
}
