const NAMED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', e: '\x1b', E: '\x1b', f: '\f', v: '\v' };

/** What `$'…'`, `echo -e` and `printf` make of backslashes. */
export function decodeEscapes(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{1,2})|u([0-9a-f]{1,4})|U([0-9a-f]{1,8})|0?([0-7]{1,3})|([\s\S]))/gi, (...found) => {
    const [, hex, short, long, octal, other] = found as (string | undefined)[]; // Groups of a match are texts or undefined.
    const code = hex ?? short ?? long;
    if (code !== undefined) return fromCode(Number.parseInt(code, 16));
    return octal === undefined ? (NAMED[other ?? ''] ?? other ?? '') : fromCode(Number.parseInt(octal, 8));
  });
}

function fromCode(code: number): string {
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : '';
}
