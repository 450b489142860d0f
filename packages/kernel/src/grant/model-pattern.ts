/** Model names: one, all that start alike (`claude-*`), or all (`*`). Case matters. */
import type { PatternKind } from './pattern-kind.ts';
import { isPlainName } from './plain-name.ts';

export const MODEL_PATTERNS: PatternKind<string> = {
  field: 'model_grants',
  shape: 'a model name, the start of one and `*`, or `*`',
  parse: (entry) => (typeof entry === 'string' && isModelPattern(entry) ? entry : undefined),
  write: (pattern) => pattern,
  read: (value) => value,
  covers,
  meet: (a, b) => (covers(a, b) ? b : covers(b, a) ? a : undefined),
};

/** The pattern of this model alone. */
export function modelNamed(name: unknown): string | undefined {
  return isPlainName(name) ? name : undefined;
}

function isModelPattern(text: string): boolean {
  return text === '*' || isPlainName(text.endsWith('*') ? text.slice(0, -1) : text);
}

function covers(outer: string, inner: string): boolean {
  return outer === inner || (outer.endsWith('*') && inner.startsWith(outer.slice(0, -1)));
}
