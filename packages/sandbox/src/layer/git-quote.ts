import type { BytePath } from './byte-path.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/** A name as git prints it: in C's quotes when it has quotes, backslashes, control characters or anything beyond ASCII (core.quotePath). */
export function quoteForGit(path: BytePath, prefix = ''): string {
  const name = `${prefix}${path}`;
  if (!/[\0-\x1f\x7f-\xff"\\]/.test(name)) return name;
  const quoted = name.replace(/[\0-\x1f\x7f-\xff"\\]/g, (byte) => ESCAPES[byte] ?? `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `"${quoted}"`;
}
