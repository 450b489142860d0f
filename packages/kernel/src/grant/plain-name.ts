const LENGTH_MAX = 256;

/** Whether this can be the name of one capability or model: short, without control characters and broken unicode, and no pattern. */
export function isPlainName(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= LENGTH_MAX && !/[*\p{Cc}\p{Cs}]/u.test(text);
}
