/** What a secret may be used with. A list that is empty binds to nothing. */
export type SecretBindings = {
  /** Host patterns, as grants have them. */
  readonly hosts: readonly string[];
  /** Names of capabilities, or patterns of them. */
  readonly capabilities: readonly string[];
  /** Names of skills. */
  readonly skills: readonly string[];
};

export type SecretRow = {
  readonly name: string;
  /** What kind of value it is, in a word. */
  readonly type: string;
  /** What it is for, in words for people. */
  readonly purpose: string;
  readonly bindings: SecretBindings;
  /** The one that is used. */
  readonly version: number;
  /** Goes up with every change, so that a change can be made to what was read. */
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly revokedAt: number | undefined;
};

export type SealedVersion = {
  readonly version: number;
  /** The data key it is sealed under. */
  readonly dataKey: number;
  readonly sealed: Uint8Array;
  readonly createdAt: number;
};

export type DataKeyRow = {
  readonly number: number;
  /** The root key that wraps it. */
  readonly root: number;
  readonly wrapped: Uint8Array;
  readonly createdAt: number;
};

/** Secrets with their versions and the keys they are sealed under, with the times they have. */
export type SecretBatch = {
  readonly dataKeys: readonly DataKeyRow[];
  readonly secrets: readonly { readonly row: SecretRow; readonly versions: readonly SealedVersion[] }[];
};

export interface SecretTableReads {
  find(name: string): SecretRow | undefined;
  /** By name, those after `after`. */
  list(limit: number, after?: string): readonly SecretRow[];
  count(): number;
  /** Of all sealed versions. */
  bytes(): number;
  /** Those that are kept, newest first. */
  versions(name: string): readonly SealedVersion[];
  findVersion(name: string, version: number): SealedVersion | undefined;
  /** Oldest first. */
  dataKeys(): readonly DataKeyRow[];
  /** Whether anything is sealed under it. */
  isInUse(dataKey: number): boolean;
}

export interface SecretTable extends SecretTableReads {
  /** Inserts, or changes all of it but when it was made. */
  put(row: Omit<SecretRow, 'createdAt' | 'updatedAt'>): void;
  /** In place of what was kept. */
  replaceVersions(name: string, versions: readonly SealedVersion[]): void;
  /** With its versions. False when there is none. */
  delete(name: string): boolean;
  insertDataKey(row: Omit<DataKeyRow, 'createdAt'>): void;
  /** The same key under another root. Throws when there is none. */
  rewrapDataKey(row: Omit<DataKeyRow, 'createdAt'>): void;
  deleteDataKey(number: number): void;
}
