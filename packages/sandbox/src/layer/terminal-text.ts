/**
 * Makes text of an agent safe to show. A terminal obeys escape sequences (move, recolour, answer as if typed), and text with direction
 * overrides reads differently from what it says (CVE-2021-42574), so both are shown as what they are.
 */

/**
 * Everything that is not simply drawn: C0 but tab and newline, DEL, C1; marks that turn the direction; characters of no width, which hide
 * differences; line separators; the tag block.
 */
const UNSAFE =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Keeps tabs and newlines; shows the rest as `^[`, `\x9b` or `\u202e`. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, show);
}

/** As `escapeForTerminal`, for what has to stay on one line: a name in a list. */
export function escapeLineForTerminal(text: string): string {
  return escapeForTerminal(text).replaceAll('\n', '^J').replaceAll('\t', '^I');
}

/** As `escapeForTerminal`, of bytes (one character each) that ought to be UTF-8; a byte that is none is shown as `\xff`. */
export function escapeBytesForTerminal(bytes: string): string {
  if (/^[\x20-\x7e\t]*$/.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  const text = buffer.toString('utf8');
  if (!text.includes('\ufffd')) return escapeForTerminal(text);
  return [...splitValid(buffer)].map((part) => (typeof part === 'number' ? hex(part) : escapeForTerminal(part))).join('');
}

function show(character: string): string {
  const code = character.codePointAt(0) ?? 0; // A match is never empty.
  if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
  if (code === 0x7f) return '^?';
  if (code < 0x100) return hex(code);
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** Whole characters as text, other bytes as numbers. */
function* splitValid(bytes: Buffer): Generator<string | number> {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0; // Within the length.
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length).toString('utf8');
    const isWhole = Buffer.byteLength(character) === length && Buffer.from(character).equals(bytes.subarray(at, at + length));
    yield isWhole ? character : first;
    at += isWhole ? length : 1;
  }
}
