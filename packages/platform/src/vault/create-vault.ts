import { type AllSecretsParts, createAllSecrets } from './all-secrets.ts';
import { HeldRoots, type HeldRootsParts } from './held-roots.ts';
import type { Vault } from './vault.ts';

export type VaultParts = Omit<HeldRootsParts, 'hasSealed' | 'onUnlock'> & Pick<AllSecretsParts, 'kernel' | 'room'>;

/** Opens nothing. */
export function createVault({ kernel, room, ...parts }: VaultParts): Vault {
  const held = new HeldRoots({ ...parts, hasSealed: () => hasSealed(kernel), onUnlock: () => tellUnlocked() });
  const { tellUnlocked, ...secrets } = createAllSecrets({ kernel, roots: () => held.get(), now: parts.now, room });
  return {
    ...secrets,
    status: () => held.status(),
    tellIfLocked: () => held.tellIfLocked(),
    unlock: (passphrase) => held.unlock(passphrase),
    changeKey: (next) => held.changeKey(next),
  };
}

async function hasSealed({ workspaces, workspace }: VaultParts['kernel']): Promise<boolean> {
  for (const { id } of await workspaces.list()) if ((await workspace(id).secrets.dataKeys()).length > 0) return true;
  return false;
}
