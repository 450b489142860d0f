/** Who may call, as the rest of Warren sees it. */
import type { WorkspaceId } from '@warren/protocol';

/** In whose name a call is made. A process acts for itself and what it started, a member for one workspace, an operator for all. */
export type Principal =
  | { readonly kind: 'operator' }
  | { readonly kind: 'member'; readonly workspace: WorkspaceId }
  | { readonly kind: 'process'; readonly workspace: WorkspaceId; readonly pid: number };

export type TokenRecord = {
  /** Names it without revealing it. */
  readonly id: string;
  readonly principal: Principal;
  readonly label: string;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
};

export interface Tokens {
  /** The only time the token itself is shown; what is kept is its SHA-256. */
  create(
    principal: Principal,
    options?: { readonly label?: string | undefined; readonly expiresAt?: number | undefined },
  ): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Undefined: unknown, expired, revoked, or of a process that is DEAD. */
  authenticate(token: string): Promise<Principal | undefined>;
  list(workspace?: WorkspaceId): Promise<readonly TokenRecord[]>;
  /** False when there is none, or it was revoked before. */
  revoke(id: string): Promise<boolean>;
}
