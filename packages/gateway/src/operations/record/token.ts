import type { TokenRecord } from '@warren/kernel';
import type { TokenRecord as Token } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';

export function toToken({ id, principal, person, label, owner, madeBy, groups, createdAt, expiresAt, revokedAt }: TokenRecord): Token {
  return {
    token_id: id,
    principal,
    person: person ?? null,
    label,
    owner,
    made_by: madeBy ?? null,
    groups,
    created_at: toSeconds(createdAt),
    expires_at: toSecondsOrNull(expiresAt),
    revoked_at: toSecondsOrNull(revokedAt),
  };
}
