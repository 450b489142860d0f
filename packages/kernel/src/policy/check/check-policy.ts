import type { PolicyFile, PolicyProblem } from '../policy.ts';
import { PROBLEMS_MAX } from '../policy-bounds.ts';
import { errorsIn } from './errors-in.ts';
import { findCovered } from './find-covered.ts';

/**
 * Everything for which files are refused, and, when there is nothing of that, what is probably not meant: rules that can never match, and rules that say something else
 * about the same. At most a hundred of each.
 */
export function checkPolicy(files: readonly PolicyFile[]): readonly PolicyProblem[] {
  const { problems } = errorsIn(files);
  return problems.length > 0 ? problems : files.flatMap(warningsIn).slice(0, PROBLEMS_MAX);
}

function warningsIn(file: PolicyFile): readonly PolicyProblem[] {
  const warn = (line: number, message: string): PolicyProblem => ({
    kind: 'warning',
    file: file.file,
    line,
    message: `${file.file}:${line}: ${message}`,
  });
  return findCovered(file).map(({ line, by, isContradicted }) =>
    isContradicted
      ? warn(line, `says another tier than the rule in line ${by} about the same calls; the earlier one decides`)
      : warn(line, `can never match: the rule in line ${by} matches first`),
  );
}
