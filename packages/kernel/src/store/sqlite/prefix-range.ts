/** Texts that begin with a prefix are a range where texts are compared by code point. */

const CODE_POINT_MAX = 0x10ffff;
const SURROGATES_FIRST = 0xd800;
const SURROGATES_LAST = 0xdfff;

/** The least text that is greater than all that begin with this prefix; undefined when there is none. */
export function firstAfterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === CODE_POINT_MAX) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  const next = last + 1 === SURROGATES_FIRST ? SURROGATES_LAST + 1 : last + 1;
  return String.fromCodePoint(...points, next);
}
