/** Lists of labels: put together, checked and kept short. */
import { checkWord } from '../internal/payload.ts';

/** Of one message, one value, one call. */
export const LABELS_MAX = 32;
const LABEL_BYTES_MAX = 64;

/** Undefined when there are none. Of too many the general ones stay: `web` says all that `web:example.com` does but where. */
export function mergeLabels(...lists: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  if (lists.every((list) => list === undefined || list.length === 0)) return undefined;
  const all = [...new Set(lists.flatMap((list) => list ?? []))];
  if (all.length <= LABELS_MAX) return all.sort();
  const general = [...new Set(all.map((label) => label.split(':', 1)[0] ?? label))].sort();
  return general.slice(0, LABELS_MAX);
}

/** Throws `invalid_argument` with the field. */
export function checkLabels(labels: readonly string[], field: string): readonly string[] {
  for (const label of labels) checkWord(label, field, 'invalid_argument', LABEL_BYTES_MAX);
  return labels;
}
