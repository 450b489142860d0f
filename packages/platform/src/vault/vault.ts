/**
 * The vault: secrets of all workspaces, under root keys that one passphrase or key unlocks. A value is sealed under the data key of its workspace, with its name, version and bindings as associated data;
 * the data key is wrapped by a root key, with the workspace; the root keys by what unlocks the vault. Each can be replaced without the ones below it being read by anybody.
 *
 * Nothing is unlocked before it is needed: a start costs nothing, and works without the key. What needs a value then opens the vault with the key that the configuration names, or throws
 * `vault_locked`, which says what to do.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { SealCopy } from './seal-copies.ts';
import type { Secrets } from './secrets.ts';
import type { KeySourceKind } from './unlock-key.ts';

export interface Vault {
  /** Nothing is read before it is used. */
  secrets(workspace: WorkspaceId): Secrets;
  status(): Promise<VaultStatus>;
  /** For a start: says in the log that somebody has to unlock it, or that it is damaged. */
  tellIfLocked(): Promise<void>;
  /**
   * Unlocks it with a passphrase, or else with the key that the configuration names; makes it when there is none. Of one that is unlocked a passphrase is checked. Faults: `permission_denied` (not the right one), `vault_locked` (the configuration
   * names none, or one that cannot be had), `store_failed` (damaged), `invalid_argument`.
   */
  unlock(passphrase?: string): Promise<VaultStatus>;
  /**
   * From now on this passphrase unlocks it or, without one, the key that the configuration names; `current` is asked for where a passphrase unlocks it now. Faults: those of `unlock`.
   */
  changeKey(next: { readonly passphrase?: string | undefined; readonly current?: string | undefined }): Promise<VaultStatus>;
  /**
   * A new root key for all workspaces, one rotation after the other; secrets can be used meanwhile. What a failure or a crash left half done is finished by the next. Faults: `vault_locked`, `store_failed` (also when keys of some workspaces are
   * damaged: it names them, and the others have the new one).
   */
  rotateRoot(signal?: AbortSignal): Promise<void>;
  /** For a workspace that `use` makes of another's: it gets what seals secrets for it, under a key of its own. Faults: `vault_locked`, `store_failed`, and those of `use`. */
  sealFor<T>(workspace: WorkspaceId, use: (seal: SealCopy) => Promise<T>): Promise<T>;
  /** From now on this is waited for before a value is given to whoever uses it. Of all that are set the last counts. */
  guardUse(before: (workspace: WorkspaceId, name: string, version: number) => Promise<void>): void;
  /** Calls back when values came or went in a workspace; with none named when the vault was unlocked, and those of all can be read from now on. */
  onChange(listener: (workspace: WorkspaceId | undefined) => void): Disposable;
}

export type VaultStatus = {
  /** `absent`: it is made when the first secret is. */
  readonly state: 'absent' | 'locked' | 'unlocked';
  /** What unlocks it; undefined when it is absent. */
  readonly key: KeySourceKind | undefined;
  /** Whether its key lies in the state directory, beside what it protects. */
  readonly isKeyBeside: boolean;
  /** Why it could not be unlocked when that was tried last. */
  readonly reason: string | undefined;
};
