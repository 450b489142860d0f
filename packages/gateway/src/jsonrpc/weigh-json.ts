/**
 * How heavy a JSON text is, before it is parsed: parsing makes objects of every bracket, many times as large as the text. This reads bytes
 * and makes nothing. It does not judge whether the text is JSON; of text that is none it may say anything, and the parser refuses it.
 */

export type JsonWeight = 'bearable' | 'too deep' | 'too many values';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes of a string that are looked at one by one before its end is searched for natively, which costs a call. */
const NEAR = 48;

export function weighJson(bytes: Uint8Array, limits: { readonly depthMax: number; readonly valuesMax: number }): JsonWeight {
  let depth = 0;
  let values = 1;
  for (let index = 0; index < bytes.length; index++) {
    switch (bytes[index]) {
      case QUOTE:
        index = endOfString(bytes, index);
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        values++;
        if (depth > limits.depthMax) return 'too deep';
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case 0x2c: // ,
        values++;
        break;
    }
    if (values > limits.valuesMax) return 'too many values';
  }
  return 'bearable';
}

/** Where the string that begins here ends: at its closing quote, or past the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  const near = Math.min(bytes.length, index + NEAR);
  for (; index < near; index++) {
    const byte = bytes[index];
    if (byte === QUOTE) return index;
    if (byte === BACKSLASH) index++;
  }
  while (index < bytes.length) {
    const quote = bytes.indexOf(QUOTE, index);
    if (quote < 0) return bytes.length;
    if (!isEscaped(bytes, quote, index)) return quote;
    index = quote + 1;
  }
  return index;
}

/** `from` is where no escape is pending. */
function isEscaped(bytes: Uint8Array, quote: number, from: number): boolean {
  let first = quote;
  while (first > from && bytes[first - 1] === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
}
