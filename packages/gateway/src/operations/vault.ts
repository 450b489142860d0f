import type { Platform, VaultStatus } from '@warren/platform';
import type { VaultStatusRecord } from '@warren/protocol/contract';
import type { HandlersOf } from './handler.ts';

export function createVaultHandlers(platform: () => Platform): HandlersOf<'vault.'> {
  return {
    async 'vault.status'() {
      return toStatus(await platform().vault.status());
    },

    async 'vault.unlock'({ passphrase }) {
      return toStatus(await platform().vault.unlock(passphrase));
    },

    async 'vault.change_passphrase'({ passphrase, current }) {
      return toStatus(await platform().vault.changeKey({ passphrase, current }));
    },

    async 'vault.rotate_root'(_params, { waiting }) {
      await platform().vault.rotateRoot(waiting());
      return { rotated: true };
    },
  };
}

function toStatus({ state, key, isKeyBeside, reason }: VaultStatus): VaultStatusRecord {
  return { state, key: key ?? null, key_beside: isKeyBeside, reason: reason ?? null };
}
