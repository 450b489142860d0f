import { TEXT_MAX } from '../policy-bounds.ts';

/** Whether it is a text one can write in a rule: not too long, nothing invisible that a person would not see. */
export function isPlainText(text: unknown, lengthMax: number = TEXT_MAX): text is string {
  return (
    typeof text === 'string' &&
    text !== '' &&
    text.length <= lengthMax &&
    !/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufeff\u200b]/u.test(text)
  );
}

/** An absolute path without empty names, `.`, `..` or a slash at the end. */
export function isCanonicalPath(path: unknown): path is string {
  if (typeof path !== 'string' || !path.startsWith('/') || path.length > TEXT_MAX || path.includes('\0')) return false;
  return path === '/' || !/\/\.{0,2}(?:\/|$)/.test(path);
}

/** Lower case and ASCII, without a dot at the end, as hosts of calls are; addresses in their shortest form are not told from others here. */
export function isCanonicalHost(host: unknown): host is string {
  if (typeof host !== 'string' || host.length > 255) return false;
  return host.startsWith('[') ? /^\[[0-9a-f:.]{2,45}\]$/.test(host) : /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(host);
}

/** `name`, `category.name`, `category.*` or `*`. */
export function isCapabilityPattern(pattern: unknown): pattern is string {
  return typeof pattern === 'string' && pattern.length <= 200 && /^(?:\*|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:\.\*)?)$/i.test(pattern);
}

export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
