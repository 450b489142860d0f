/** Secrets on the wire: everything about them but their values, which nobody is shown. */
import { z } from 'zod';
import { listOf } from '../value/list.ts';
import { int, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';

export const SECRET_TYPES = ['api_key', 'oauth_token', 'agent_auth_token', 'encryption_key', 'password', 'other'] as const;

/** What it may be used with: an empty list binds to nothing. */
export const secretBindings = z.object({ hosts: listOf(word), capabilities: listOf(word), skills: listOf(word) });

export const secret = z.object({
  name: word,
  type: word,
  purpose: word,
  bindings: secretBindings,
  version: int,
  created_at: seconds,
  updated_at: seconds,
  revoked_at: seconds.nullable(),
});

export const secretDetails = z.object({
  ...secret.shape,
  /** Those that are kept, newest first. */
  versions: listOf(z.object({ version: int, created_at: seconds })),
});

export const vaultStatus = z.object({
  /** `absent`: it is made when the first secret is. */
  state: z.enum(['absent', 'locked', 'unlocked']),
  /** What unlocks it. */
  key: z.enum(['passphrase', 'file', 'systemd', 'command']).nullable(),
  /** Whether the key lies in the state directory, beside what it protects. */
  key_beside: z.boolean(),
  /** Why it could not be unlocked when that was tried last. */
  reason: word.nullable(),
});

export type SecretRecord = z.output<typeof secret>;
export type SecretDetailsRecord = z.output<typeof secretDetails>;
export type VaultStatusRecord = z.output<typeof vaultStatus>;
