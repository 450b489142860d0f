/**
 * Secrets as the kernel keeps them: sealed. It holds their names, what each is bound to and which versions there are, and can read none of them. Each change is one
 * transaction, the row, its versions and the event in it together.
 */
import type { DataKeyRow, SealedVersion, SecretBindings, SecretRow } from '../store/tables/secret-table.ts';

export type { SealedVersion, SecretBindings };
export type SecretRecord = SecretRow;
export type DataKeyRecord = DataKeyRow;

/** What a change makes of a secret. */
export type SecretChange = Pick<SecretRow, 'name' | 'type' | 'purpose' | 'bindings' | 'version' | 'revokedAt'> & {
  /** All that are kept from now on. */
  readonly versions: readonly SealedVersion[];
};

/** For the event. */
export type SecretChangeKind = 'created' | 'rotated' | 'changed' | 'resealed' | 'revoked' | 'restored';

export type SealedSecret = { readonly record: SecretRecord; readonly versions: readonly SealedVersion[] };

export interface SealedSecrets {
  find(name: string): Promise<SealedSecret | undefined>;
  /** Its record and the version that is used: the way that is taken with every use. */
  findCurrent(name: string): Promise<{ readonly record: SecretRecord; readonly current: SealedVersion } | undefined>;
  /** By name, those after `after`; at most 1,000. */
  list(page?: { readonly limit?: number | undefined; readonly after?: string | undefined }): Promise<readonly SecretRecord[]>;
  /**
   * `revision` is of the record that the change was made to, 0 when there was none. Faults: `conflict` (it has another by now), `too_large` (10,000 of a workspace).
   */
  put(change: SecretChange, revision: number, kind: SecretChangeKind): Promise<SecretRecord>;
  /** With all its versions. False when there is none. */
  delete(name: string): Promise<boolean>;
  /** Oldest first. */
  dataKeys(): Promise<readonly DataKeyRecord[]>;
  /** Faults: `conflict` (somebody added one of this number). */
  addDataKey(key: Pick<DataKeyRecord, 'number' | 'root' | 'wrapped'>): Promise<void>;
  /** The same keys under another root, all of them or none. */
  rewrapDataKeys(keys: readonly Pick<DataKeyRecord, 'number' | 'root' | 'wrapped'>[]): Promise<void>;
  /** Deletes the data keys before `number` under which nothing is sealed. Returns their numbers. */
  deleteUnusedDataKeys(before: number): Promise<readonly number[]>;
}
