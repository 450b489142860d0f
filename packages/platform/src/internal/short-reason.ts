/** What somebody else said of an error, to be repeated: short, and without anything that looks like a key. */
const CHARACTERS_MAX = 500;
const LONG_WORD = /[A-Za-z0-9_-]{32,}/g;

/** What looks like a key goes first: one that is cut in two would not look like one. */
export function shortReason(text: string): string {
  return text.replace(LONG_WORD, '[REDACTED]').replace(/\s+/g, ' ').trim().slice(0, CHARACTERS_MAX).toWellFormed();
}
