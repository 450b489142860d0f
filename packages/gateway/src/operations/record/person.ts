import type { PersonRecord } from '@warren/kernel';
import type { PersonRecord as Person } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';

export function toPerson({
  name,
  workspace,
  role,
  groups,
  hasPassphrase,
  identity,
  createdAt,
  updatedAt,
  disabledAt,
}: PersonRecord): Person {
  return {
    name,
    workspace: workspace ?? null,
    role: role ?? null,
    groups: [...groups],
    has_passphrase: hasPassphrase,
    identity: identity ?? null,
    created_at: toSeconds(createdAt),
    updated_at: toSeconds(updatedAt),
    disabled_at: toSecondsOrNull(disabledAt),
  };
}
