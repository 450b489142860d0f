/** Who may call, as the rest of Warren sees it. */
import type { TokenId, WorkspaceId } from '@warren/protocol';

/** In whose name a call is made. A process acts for itself and what it started, a member for one workspace, an operator for all. */
export type Principal =
  | { readonly kind: 'operator' }
  | { readonly kind: 'member'; readonly workspace: WorkspaceId }
  | { readonly kind: 'process'; readonly workspace: WorkspaceId; readonly pid: number };

export type TokenRecord = {
  readonly id: TokenId;
  readonly principal: Principal;
  readonly label: string;
  /** Of whoever holds it: they say who may decide about what. */
  readonly groups: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
};

export interface Tokens {
  /**
   * The only time the token itself is shown; what is kept is its SHA-256. Faults: `not_found` (the workspace), `unknown_pid`,
   * `illegal_transition` (the process is DEAD), `invalid_argument` (the label, a group, or an end in the past), `too_large` (too many tokens).
   */
  create(
    principal: Principal,
    options?: {
      readonly label?: string | undefined;
      readonly groups?: readonly string[] | undefined;
      readonly expiresAt?: number | undefined;
    },
  ): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Undefined: unknown, expired, revoked, or of a process that is DEAD. */
  authenticate(token: string): Promise<Principal | undefined>;
  /** The same, with all that is known of the token. */
  identify(token: string): Promise<TokenRecord | undefined>;
  /** Whether there is such a token, also one that ended and was not yet purged: who has it did not guess it. */
  isKnown(token: string): Promise<boolean>;
  /** The newest first, those that ended included; of one workspace, or all. */
  list(workspace?: WorkspaceId): Promise<readonly TokenRecord[]>;
  /** Faults: `not_found`. */
  get(id: string): Promise<TokenRecord>;
  /** False when there is none, or it was revoked before. */
  revoke(id: string): Promise<boolean>;
}
