import type { MemberRole, WorkspaceId } from '@warren/protocol';

export type TokenRow = {
  readonly id: string;
  /** Undefined: an operator's. */
  readonly workspace: WorkspaceId | undefined;
  /** Undefined: not of a single process. */
  readonly pid: number | undefined;
  /** Undefined: not of an agent, whatever its process is. */
  readonly agent: string | undefined;
  /** Who signed in; undefined: made for a program. */
  readonly person: string | undefined;
  /** Of a member; undefined: all that a member may. */
  readonly role: MemberRole | undefined;
  readonly label: string;
  /** Whoever holds it: the same for all tokens of one person. */
  readonly owner: string;
  /** The token of the member who made it; undefined when an operator did. */
  readonly madeBy: string | undefined;
  /** Of whoever holds it. */
  readonly groups: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
};

export type NewToken = Omit<TokenRow, 'workspace' | 'createdAt' | 'revokedAt'> & {
  /** SHA-256 of the token, hex. The token itself is nowhere. */
  readonly hash: string;
};

/** In a transaction of a workspace: its tokens. In one of the system: all of them to read, those of operators to change. */
export interface TokenTableReads {
  find(id: string): TokenRow | undefined;
  /** The token with this hash, whether it ended or not. */
  findByHash(hash: string): TokenRow | undefined;
  /** The same, unless it was revoked, has expired, or is of a process that is DEAD, an agent that is revoked or gone, or a person who is disabled. */
  findValid(hash: string): TokenRow | undefined;
  /** The newest first. */
  list(limit: number): readonly TokenRow[];
  /** Whether a token of people (not of a process) with this label can be used. */
  isLabelInUse(label: string): boolean;
  /** Those that ended included; in a transaction of the system, those of operators. */
  count(): number;
}

export interface TokenTable extends TokenTableReads {
  insert(token: NewToken): void;
  /** False when there is none, or it was revoked before. */
  revoke(id: string): boolean;
  /** One of a person: it ends later. False when there is none, it was revoked, or it ends no earlier anyway. */
  extend(id: string, expiresAt: number): boolean;
  /** Those of an agent, or those of a person. Returns how many were good before. */
  revokeOf(holder: { readonly agent: string } | { readonly person: string }): number;
  /**
   * Revokes what was made with a token that is revoked, and what was made with that, and so on; in a transaction of the system, in all workspaces.
   * Returns them.
   */
  revokeMade(): readonly TokenRow[];
  /** Deletes the oldest of those that can no longer be used. Returns how many. */
  purgeEnded(limit: number): number;
}
