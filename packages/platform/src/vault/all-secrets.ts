/** The secrets of all workspaces, under the root keys of one vault. */
import type { Kernel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { Turn } from '../internal/turn.ts';
import type { Room } from '../workspace/stored-bytes.ts';
import { createSecrets } from './create-secrets.ts';
import { DataKeys } from './data-keys.ts';
import type { RootKeys } from './root-keys.ts';
import { rotateRoot } from './rotate-root.ts';
import { sealCopies } from './seal-copies.ts';
import type { Secrets } from './secrets.ts';
import type { Vault } from './vault.ts';

export type AllSecretsParts = {
  readonly kernel: Pick<Kernel, 'workspace' | 'workspaces'>;
  /** Throws while the vault is locked. */
  readonly roots: () => Promise<RootKeys>;
  readonly now: () => number;
  readonly room?: Room | undefined;
};

export function createAllSecrets({ kernel, roots, now, room }: AllSecretsParts): Pick<
  Vault,
  'secrets' | 'rotateRoot' | 'sealFor' | 'guardUse' | 'onChange'
> & {
  /** For when what was locked is not any more. */
  readonly tellUnlocked: () => void;
} {
  const known = new Map<WorkspaceId, { readonly keys: DataKeys; readonly secrets: Secrets }>();
  const listeners = new Set<Parameters<Vault['onChange']>[0]>();
  const rotations = new Turn();
  let guard: Parameters<Vault['guardUse']>[0] = async () => {};
  const onChange = (workspace: WorkspaceId | undefined): void => {
    for (const listener of [...listeners]) listener(workspace);
  };
  const of = (workspace: WorkspaceId) => {
    const found = known.get(workspace);
    if (found !== undefined) return found;
    const sealed = kernel.workspace(workspace).secrets;
    const keys = new DataKeys(workspace, sealed, roots);
    const made = {
      keys,
      secrets: createSecrets({
        ...{ workspace, sealed, keys, now, onChange },
        requireRoom: (bytes) => room?.require(workspace, bytes) ?? Promise.resolve(),
        beforeUse: (name, version) => guard(workspace, name, version),
      }),
    };
    known.set(workspace, made);
    return made;
  };
  // The keys of one that is deleted are not those of another of its name.
  kernel.workspaces.keep({
    stop: async () => ({ [Symbol.dispose]() {} }),
    async wipe(workspace) {
      known.get(workspace)?.keys.forget();
      known.delete(workspace);
      onChange(workspace);
    },
  });
  return {
    secrets: (workspace) => of(workspace).secrets,
    rotateRoot: (signal) => rotations.take(async () => await rotateRoot({ kernel, roots: await roots() }, signal)),
    async sealFor(workspace, use) {
      try {
        return await sealCopies(workspace, { roots: await roots(), now }, use);
      } finally {
        known.get(workspace)?.keys.forget(); // Of what was there before.
        onChange(workspace);
      }
    },
    guardUse(before) {
      guard = before;
    },
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    tellUnlocked: () => onChange(undefined),
  };
}
