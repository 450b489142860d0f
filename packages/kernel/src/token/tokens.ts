/** Who may call, as the rest of Warren sees it. */
import type { MemberRole, TokenId, WorkspaceId } from '@warren/protocol';

/**
 * In whose name a call is made. A process acts for itself and what it started, an agent for its processes, a member for one workspace as far as
 * its role goes, an operator for all.
 */
export type Principal =
  | { readonly kind: 'operator' }
  | { readonly kind: 'member'; readonly workspace: WorkspaceId; readonly role: MemberRole }
  | { readonly kind: 'agent'; readonly workspace: WorkspaceId; readonly agent: string }
  | { readonly kind: 'process'; readonly workspace: WorkspaceId; readonly pid: number };

export type TokenRecord = {
  readonly id: TokenId;
  readonly principal: Principal;
  /** Who signed in to get it; undefined: it was made for a program. */
  readonly person: string | undefined;
  /** What it is for. Of those of people that can be used, no two of one workspace have the same. */
  readonly label: string;
  /** Whoever holds it. All tokens of one person have the same, and so that person is counted once. */
  readonly owner: string;
  /** The token of the member who made it; undefined when an operator did. */
  readonly madeBy: TokenId | undefined;
  /** Of whoever holds it: they say who may decide about what. */
  readonly groups: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
};

export interface Tokens {
  /**
   * The only time the token itself is shown; what is kept is its SHA-256. Faults: `not_found` (the workspace, agent or person), `unknown_pid`,
   * `illegal_transition` (the process is DEAD, the agent revoked, the person disabled), `invalid_argument` (the label, the owner, a group, or an end in the past), `conflict` (another token has the
   * label), `permission_denied` (it would be more than the one it is made with), `too_large` (too many tokens).
   */
  create(
    principal: Principal,
    options?: {
      readonly label?: string | undefined;
      readonly person?: string | undefined;
      /** Default: the person, else the label or, without one, the id. */
      readonly owner?: string | undefined;
      readonly groups?: readonly string[] | undefined;
      readonly expiresAt?: number | undefined;
      /** The token it is made with, of a member: the new one is of the same owner, in no other groups, and ends no later. */
      readonly maker?: TokenRecord | undefined;
    },
  ): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Undefined: unknown, expired, revoked, or of a process that is DEAD, an agent that is revoked or gone, or a person who is disabled. */
  authenticate(token: string): Promise<Principal | undefined>;
  /** The same, with all that is known of the token. */
  identify(token: string): Promise<TokenRecord | undefined>;
  /** Whether there is such a token, also one that ended and was not yet purged: who has it did not guess it. */
  isKnown(token: string): Promise<boolean>;
  /** The newest first, those that ended included; of one workspace, or all. */
  list(workspace?: WorkspaceId): Promise<readonly TokenRecord[]>;
  /** Faults: `not_found`. */
  get(id: string): Promise<TokenRecord>;
  /** It, and what was made with it, and with that: all that are worthless from now on. None when there is no such token, or it was revoked before. */
  revoke(id: string): Promise<readonly TokenId[]>;
}
