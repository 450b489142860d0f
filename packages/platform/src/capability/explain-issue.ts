import { suggest } from '@warren/protocol';
import type { z } from 'zod';
import { isObject } from './compile-field.ts';
import { hint } from './read-text.ts';

export type Explained = { readonly path: readonly PropertyKey[]; readonly reason: string };

/** Says what a checker found in the words of all our messages: what is wrong, and what is allowed. */
export function explainIssue(
  issue: z.core.$ZodIssue,
  known: (path: readonly PropertyKey[]) => readonly string[],
  value: unknown,
): readonly Explained[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const names = known(path);
        return { path: [...path, key], reason: `is unknown${hint(suggest(key, names)) || `; known are ${names.join(', ')}`}` };
      });
    case 'invalid_type':
      return [
        {
          path,
          reason: isMissing(value, path)
            ? 'is missing'
            : (own(issue.message) ?? `is not ${issue.expected === 'array' ? 'a list' : `of type ${issue.expected}`}`),
        },
      ];
    case 'invalid_value': {
      if (isMissing(value, path)) return [{ path, reason: `is missing; it is one of ${issue.values.join(', ')}` }];
      const given = at(value, path);
      const near = typeof given === 'string' ? suggest(given, issue.values.map(String)) : undefined;
      return [{ path, reason: `is not one of ${issue.values.join(', ')}${hint(near)}` }];
    }
    case 'too_small':
      return [
        {
          path,
          reason:
            issue.origin === 'number'
              ? `is less than ${issue.minimum}`
              : issue.minimum === 1
                ? 'is empty'
                : `has fewer than ${issue.minimum}`,
        },
      ];
    case 'too_big':
      return [{ path, reason: issue.origin === 'number' ? `is more than ${issue.maximum}` : `has more than ${issue.maximum}` }];
    case 'invalid_union': {
      // The alternative that came nearest says more than "none fits".
      const [best] = issue.errors.toSorted(
        (a, b) => b.reduce((sum, each) => sum + each.path.length, 0) - a.reduce((sum, each) => sum + each.path.length, 0),
      );
      return (best ?? []).flatMap((each) => explainIssue({ ...each, path: [...path, ...each.path] }, known, value));
    }
    default:
      return [{ path, reason: own(issue.message) ?? 'is not valid' }];
  }
}

/** Ours begin with a verb. */
function own(message: string): string | undefined {
  return /^(?:is|has) /.test(message) ? message : undefined;
}

function isMissing(value: unknown, path: readonly PropertyKey[]): boolean {
  return at(value, path) === undefined;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)];
    return isObject(inner) && Object.hasOwn(inner, key) ? inner[String(key)] : undefined;
  }, value);
}
