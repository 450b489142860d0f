/** `vault.*`: what the secrets of all workspaces are locked with. A passphrase goes in and never comes out. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { vaultStatus } from '../record/secret.ts';
import { OPERATOR } from '../scope.ts';
import { ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { word } from '../value/text.ts';

export const VAULT_OPERATIONS = {
  'vault.status': operation({
    summary: 'Answers whether the vault is unlocked, what unlocks it, and why it could not be',
    tier: 'experimental',
    effect: 'read',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: vaultStatus,
    faults: ['store_failed'],
  }),
  'vault.unlock': operation({
    summary:
      'Unlocks the vault with its passphrase or, without one, with the key that the configuration names; makes it when there is none',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({ passphrase: optional(word) }),
    result: vaultStatus,
    faults: ['vault_locked', 'store_failed'],
  }),
  'vault.change_passphrase': operation({
    summary:
      'Locks the vault with another passphrase or, without one, with the key that the configuration names; `current` is needed where a passphrase unlocks it now',
    tier: 'experimental',
    effect: 'once',
    scope: OPERATOR,
    params: z.strictObject({ passphrase: optional(word), current: optional(word) }),
    result: vaultStatus,
    faults: ['vault_locked', 'unavailable', 'store_failed'],
  }),
  'vault.rotate_root': operation({
    summary: 'Wraps the data keys of all workspaces with a new root key; secrets can be used meanwhile',
    tier: 'experimental',
    effect: 'idempotent',
    scope: OPERATOR,
    params: z.strictObject({}),
    result: z.object({ rotated: z.boolean() }),
    faults: ['vault_locked', ...ON_WRITE],
  }),
};
