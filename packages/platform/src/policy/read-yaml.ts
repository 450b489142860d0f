/** A YAML file as data, with the line of each mistake: what it means is checked against a schema, what is wrong is said with file and line. */
import type { z } from 'zod';
import { readYaml as readYamlFile } from '../capability/yaml-file.ts';

/** What is wrong with a file. Errors keep it from being used. */
export type FileProblem = {
  readonly file: string;
  /** From 1; undefined when it concerns the file as a whole. */
  readonly line: number | undefined;
  readonly severity: 'error' | 'warning';
  readonly message: string;
};

export type ReadYaml<T> = {
  /** Undefined when there are errors. */
  readonly value: T | undefined;
  readonly problems: readonly FileProblem[];
  /** Where something stands, by its path in the file. */
  readonly lineOf: (path: readonly PropertyKey[]) => number | undefined;
};

const PROBLEMS_MAX = 100;
/** Of one file. */
export const POLICY_BYTES_MAX = 8_388_608;

export type ReadYamlOptions = {
  /** Whether a file that says nothing is an empty map. Otherwise it is an error: so does a file look that was cut off while it was saved. */
  readonly isEmptyAllowed?: boolean | undefined;
};

export function readYaml<Schema extends z.ZodType>(
  content: string,
  file: string,
  schema: Schema,
  { isEmptyAllowed = false }: ReadYamlOptions = {},
): ReadYaml<z.output<Schema>> {
  const read = readYamlFile(file, content, POLICY_BYTES_MAX);
  if (read.kind === 'refused') {
    const problems = read.problems.map(({ line, reason }): FileProblem => ({ file, line, severity: 'error', message: reason }));
    return { value: undefined, problems, lineOf: () => undefined };
  }
  const { lineOf } = read;
  if (read.value === null && !isEmptyAllowed)
    return {
      value: undefined,
      problems: [{ file, line: 1, severity: 'error', message: 'says nothing: write {} if that is meant' }],
      lineOf,
    };
  const parsed = schema.safeParse(read.value ?? {});
  if (parsed.success) return { value: parsed.data, problems: [], lineOf };
  const problems = flatten(parsed.error.issues)
    .slice(0, PROBLEMS_MAX)
    .map(({ path, message }): FileProblem => ({ file, line: lineOf(path), severity: 'error', message: `${nameOf(path)}${message}` }));
  return { value: undefined, problems, lineOf };
}

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

/** What a union refuses is said once, by the alternative that came furthest. */
function flatten(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): readonly Issue[] {
  return issues.flatMap((issue): readonly Issue[] => {
    const path = [...above, ...issue.path];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...path, key], message: 'is unknown here' }));
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path, message: lowerFirst(issue.message) }];
    const furthest = issue.errors.map((errors) => flatten(errors, path)).toSorted((one, other) => depth(other) - depth(one))[0];
    return furthest ?? [];
  });
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

function nameOf(path: readonly PropertyKey[]): string {
  const name = path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`),
    '',
  );
  return name === '' ? '' : `${name}: `;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
