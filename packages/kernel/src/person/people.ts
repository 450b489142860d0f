/** People: who signs in. What somebody may do is the role in a workspace; without a workspace it is an operator. */
import type { MemberRole, WorkspaceId } from '@warren/protocol';

export type PersonRecord = {
  readonly name: string;
  /** Undefined, with the role: an operator. */
  readonly workspace: WorkspaceId | undefined;
  readonly role: MemberRole | undefined;
  /** They say who may decide about what. */
  readonly groups: readonly string[];
  readonly hasPassphrase: boolean;
  /** Who vouches for them, and what they are called there. */
  readonly identity: { readonly issuer: string; readonly subject: string } | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly disabledAt: number | undefined;
};

export type PersonTerms = {
  readonly groups?: readonly string[] | undefined;
  /** 12 to 1,024 bytes; `null` takes it away. */
  readonly passphrase?: string | null | undefined;
  readonly identity?: { readonly issuer: string; readonly subject: string } | null | undefined;
};

export interface People {
  /**
   * Names are those of mail addresses or plain words, in lower case. Faults: `invalid_argument`, `not_found` (the workspace), `already_exists`
   * (the name, or the identity), `too_large` (10,000).
   */
  create(
    person: PersonTerms & { readonly name: string; readonly workspace?: WorkspaceId | undefined; readonly role?: MemberRole | undefined },
  ): Promise<PersonRecord>;
  /** Faults: `not_found`. */
  get(name: string): Promise<PersonRecord>;
  findByIdentity(issuer: string, subject: string): Promise<PersonRecord | undefined>;
  /** By name; of one workspace, or all. */
  list(workspace?: WorkspaceId): Promise<readonly PersonRecord[]>;
  /** What is absent stays. A new passphrase, or none, ends every session. Faults: as `create`, and `not_found`. */
  update(name: string, terms: PersonTerms & { readonly role?: MemberRole | undefined }): Promise<PersonRecord>;
  /** Ends every session and lets nobody in until enabled again. Whether that changed anything. Faults: `not_found`. */
  setDisabled(name: string, isDisabled: boolean): Promise<boolean>;
  /** With every session. False when there is none. */
  delete(name: string): Promise<boolean>;
  /**
   * Whether this is the passphrase of somebody who may come in. It takes as long for a name that does not exist. Faults: `busy` (too many are
   * being looked at).
   */
  verify(name: string, passphrase: string): Promise<PersonRecord | undefined>;
}
