/** A YAML file as data, with the line of each mistake: what it means is checked against a schema, what is wrong is said with file and line. */
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

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

const ALIASES_MAX = 100;
const PROBLEMS_MAX = 100;
const BYTES_MAX = 4_194_304;

export function readYaml<Schema extends z.ZodType>(content: string, file: string, schema: Schema): ReadYaml<z.output<Schema>> {
  const problem = (message: string, line?: number): FileProblem => ({ file, line, severity: 'error', message });
  const nothing = (...problems: readonly FileProblem[]) => ({ value: undefined, problems, lineOf: () => undefined });
  if (Buffer.byteLength(content) > BYTES_MAX) return nothing(problem(`is larger than ${BYTES_MAX} bytes`));
  const counter = new LineCounter();
  const document = parseDocument(content, { lineCounter: counter, version: '1.2', schema: 'core', uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    const errors = document.errors.slice(0, PROBLEMS_MAX);
    return nothing(...errors.map((error) => problem(error.message, counter.linePos(error.pos[0]).line)));
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    return nothing(problem(error instanceof Error ? error.message : String(error)));
  }
  const lineOf = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
    }
    return undefined;
  };
  const parsed = schema.safeParse(data ?? {});
  if (parsed.success) return { value: parsed.data, problems: [], lineOf };
  const problems = flatten(parsed.error.issues).slice(0, PROBLEMS_MAX);
  return { value: undefined, problems: problems.map(({ path, message }) => problem(`${nameOf(path)}${message}`, lineOf(path))), lineOf };
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
