/** Results as a model is shown them. What is longer than a model should have to read is cut where it can be seen, and stays what its schema says it is. */
import type { JsonObject, JsonValue } from '@warren/protocol';

/** Characters of JSON. */
export const RESULT_LENGTH_MAX = 131_072;
const TEXTS_MAX = [65_536, 32_768, 8_192, 1_024, 128];
const ITEMS_MAX = [1_000, 500, 100, 20, 5];

export type Fitted = { readonly output: JsonObject; readonly text: string; readonly note: string | undefined };

/** `readsOn`: whether the call takes `offset` and `limit`. */
export function fitResult(output: JsonObject, readsOn: boolean): Fitted {
  const text = JSON.stringify(output);
  if (text.length <= RESULT_LENGTH_MAX) return { output, text, note: undefined };
  const how = readsOn ? 'read on with `offset` and a smaller `limit`' : 'ask for less of it';
  for (const [index, textMax] of TEXTS_MAX.entries()) {
    const shorter = shorten(output, { textMax, itemsMax: ITEMS_MAX[index] ?? 1, how }) as JsonObject; // An object stays one.
    const cut = JSON.stringify(shorter);
    if (cut.length <= RESULT_LENGTH_MAX) return { output: shorter, text: cut, note: noteOf(text.length, cut.length, how) };
  }
  // So many small values that there is no part to show: their names, and that there is more.
  const names = Object.fromEntries(
    Object.entries(output).map(([name, value]) => [name, shorten(value, { textMax: 16, itemsMax: 0, how })]),
  );
  const cut = JSON.stringify(names);
  const least = cut.length <= RESULT_LENGTH_MAX ? names : {};
  return { output: least, text: JSON.stringify(least), note: noteOf(text.length, JSON.stringify(least).length, how) };
}

function noteOf(whole: number, shown: number, how: string): string {
  return `[The result was cut: ${shown} of ${whole} characters are shown. Texts that were cut say so at their end, lists only have their beginning. To see the rest, ${how}.]`;
}

type Bounds = { readonly textMax: number; readonly itemsMax: number; readonly how: string };

function shorten(value: JsonValue, bounds: Bounds): JsonValue {
  if (typeof value === 'string') return shortenText(value, bounds);
  if (isList(value)) return value.slice(0, bounds.itemsMax).map((item) => shorten(item, bounds));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner, bounds)]));
}

function shortenText(text: string, { textMax, how }: Bounds): string {
  if (text.length <= textMax) return text;
  const kept = text.slice(0, textMax).toWellFormed();
  return `${kept}… [cut: ${text.length - kept.length} of ${text.length} characters are not shown, after ${Buffer.byteLength(kept)} bytes; ${how}]`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
