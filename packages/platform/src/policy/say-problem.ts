import type { FileProblem } from './read-yaml.ts';

/** `file:line: what is wrong`. */
export function sayProblem({ file, line, message }: Pick<FileProblem, 'file' | 'line' | 'message'>): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${message}`;
}
