import type { MemberRole, WorkspaceId } from '@warren/protocol';

export type PersonRow = {
  /** What they sign in as, and what the audit calls them. */
  readonly name: string;
  /** Undefined, with the role: an operator. */
  readonly workspace: WorkspaceId | undefined;
  readonly role: MemberRole | undefined;
  readonly groups: readonly string[];
  /** Argon2id in the PHC form; undefined: they sign in through a provider only. */
  readonly passphrase: string | undefined;
  /** Who vouches for them, and what they are called there. */
  readonly identity: { readonly issuer: string; readonly subject: string } | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly disabledAt: number | undefined;
};

export type NewPerson = Omit<PersonRow, 'createdAt' | 'updatedAt' | 'disabledAt'>;

export interface PersonTableReads {
  find(name: string): PersonRow | undefined;
  findByIdentity(issuer: string, subject: string): PersonRow | undefined;
  /** By name; of one workspace, or all. */
  list(limit: number, workspace?: WorkspaceId): readonly PersonRow[];
  count(): number;
}

export interface PersonTable extends PersonTableReads {
  /** Throws `not_found` when there is no such workspace. */
  insert(person: NewPerson): void;
  /** Throws when there is none. */
  update(person: NewPerson & { readonly disabledAt: number | undefined }): void;
  /** With all of their tokens. False when there is none. */
  delete(name: string): boolean;
}
