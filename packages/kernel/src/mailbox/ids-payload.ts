import type { JsonObject } from '../internal/json.ts';

/** Ids named in an event; of more the first, the last and how many. */
const IDS_NAMED = 100;

export function idsPayload(ids: readonly number[]): JsonObject {
  const sorted = ids.toSorted((one, other) => one - other);
  if (ids.length <= IDS_NAMED) return { count: ids.length, message_ids: sorted };
  return { count: ids.length, first_message_id: sorted[0] ?? null, last_message_id: sorted.at(-1) ?? null };
}
