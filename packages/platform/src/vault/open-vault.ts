/**
 * The vault: secrets of all workspaces, under root keys that one passphrase or key unlocks. A value is sealed under the data key of its workspace, with its name, version and bindings as associated data;
 * the data key is wrapped by a root key, with the workspace; the root keys by what unlocks the vault. Each can be replaced without the ones below it being read by anybody.
 */
import type { Kernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { createSecrets } from './create-secrets.ts';
import { DataKeys } from './data-keys.ts';
import { openRootKeys, type RootKeyParts } from './root-keys.ts';
import type { Secrets } from './secrets.ts';
import type { KeySource } from './unlock-key.ts';

export interface Vault {
  /** Nothing is read before it is used. */
  secrets(workspace: WorkspaceId): Secrets;
  /** From now on this unlocks it. Faults: `invalid_argument`, `unavailable`. */
  changeSource(source: KeySource): Promise<void>;
  /** A new root key for all workspaces; secrets can be used meanwhile. What a crash left half done is finished by the next. */
  rotateRoot(signal?: AbortSignal): Promise<void>;
}

export type VaultParts = RootKeyParts & { readonly kernel: Kernel; readonly source: KeySource };

/** Makes it when there is none. Faults: `permission_denied` (wrong passphrase or key), `store_failed`, `invalid_argument`, `unavailable`. */
export async function openVault({ kernel, source, ...parts }: VaultParts): Promise<Vault> {
  const roots = await openRootKeys(source, parts);
  const known = new Map<WorkspaceId, { readonly keys: DataKeys; readonly secrets: Secrets }>();
  const of = (workspace: WorkspaceId) => {
    const found = known.get(workspace);
    if (found !== undefined) return found;
    const sealed = kernel.workspace(workspace).secrets;
    const keys = new DataKeys(workspace, sealed, roots);
    const made = { keys, secrets: createSecrets({ workspace, sealed, keys, now: parts.now }) };
    known.set(workspace, made);
    return made;
  };
  // The keys of one that is deleted are not those of another of its name.
  kernel.workspaces.keep({
    stop: async () => ({ [Symbol.dispose]() {} }),
    async wipe(workspace) {
      known.get(workspace)?.keys.forget();
      known.delete(workspace);
    },
  });
  return {
    secrets: (workspace) => of(workspace).secrets,
    changeSource: (next) => roots.changeSource(next),
    async rotateRoot(signal) {
      await roots.add();
      for (const { id } of await kernel.workspaces.list()) {
        signal?.throwIfAborted();
        await of(id).keys.rewrap();
      }
      await roots.dropOld();
    },
  };
}
