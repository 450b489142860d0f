/** Text of a stranger that people and models are shown: one paragraph without what is invisible or changes how the rest is shown. */

/** Control characters, format characters (directions, joiners, tags, zero widths), private ones and broken unicode. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** The same text with all of it to be seen: for people who compare. */
export function showUnseen(text: string): string {
  return text.toWellFormed().replace(UNSEEN, (found) => [...found].map((each) => `\\u{${each.codePointAt(0)?.toString(16)}}`).join(''));
}

export function cleanText(text: string, lengthMax: number): string {
  const looked = text.length > 4 * lengthMax ? text.slice(0, 4 * lengthMax) : text; // What is cut off need not be looked at.
  const clean = looked.toWellFormed().replace(UNSEEN, ' ').replace(/ {2,}/g, ' ').trim();
  return clean.length <= lengthMax && looked === text ? clean : `${clean.slice(0, lengthMax).toWellFormed()}…`;
}
