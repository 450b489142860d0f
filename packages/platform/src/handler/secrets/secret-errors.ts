import { CapabilityError } from '../../capability/handler.ts';

/** One that is absent, one that is revoked and one that is bound to something else are told in the same words. */
export function secretNotFound(name: string): CapabilityError {
  return new CapabilityError(
    'SecretNotFound',
    `Cannot use secret ${JSON.stringify(name)}: there is none of this name that may be used for this`,
    {
      context: { secret_name: name },
    },
  );
}

export function vaultError(cause?: unknown): CapabilityError {
  return new CapabilityError('VaultLocked', 'Cannot use a secret: the vault is locked', { cause });
}
