import { LAYERS, type PolicyFile, type PolicyProblem, TIERS } from '../policy.ts';
import { FILES_MAX, PROBLEMS_MAX, RULES_MAX } from '../policy-bounds.ts';
import { problemsOfRule } from './check-rule.ts';
import { isPlainText, quoted } from './check-text.ts';

export type Errors = {
  /** The first hundred. */
  readonly problems: readonly PolicyProblem[];
  readonly count: number;
};

/** Everything for which these files are refused. */
export function errorsIn(files: readonly PolicyFile[]): Errors {
  const problems: PolicyProblem[] = [];
  let count = 0;
  const tell = (file: string, line: number, message: string): void => {
    if (count++ < PROBLEMS_MAX) problems.push({ kind: 'error', file, line, message: `${file}:${line}: ${message}` });
  };
  const rules = files.reduce((sum, file) => sum + file.rules.length, 0);
  if (files.length > FILES_MAX) tell('', 0, `${files.length} files are given, the limit is ${FILES_MAX}`);
  else if (rules > RULES_MAX) tell('', 0, `${rules} rules are given, the limit is ${RULES_MAX}`);
  else for (const file of files) checkFile(file, (line, message) => tell(file.file, line, message));
  checkNames(files, tell);
  return { problems, count };
}

function checkFile(file: PolicyFile, tell: (line: number, message: string) => void): void {
  const { layer, of, defaultTier, defaultLine = 1, rules } = file;
  if (!LAYERS.includes(layer)) tell(1, `layer is ${quoted(layer)}, none of ${LAYERS.join(', ')}`);
  const isOfSomebody = layer === 'workspace' || layer === 'agent';
  if (isOfSomebody && !isPlainText(of, 256)) tell(1, `a file of the layer ${layer} has to say of which`);
  if (!isOfSomebody && of !== undefined) tell(1, `a file of the layer ${layer} is nobody's, but names ${quoted(of)}`);
  if (defaultTier !== undefined && !TIERS.includes(defaultTier))
    tell(defaultLine, `default is ${quoted(defaultTier)}, none of ${TIERS.join(', ')}`);
  const linesById = new Map<string, number>();
  for (const { rule, line } of rules) {
    for (const problem of problemsOfRule(rule, file)) tell(line, problem);
    if (rule.id === undefined) continue;
    const first = linesById.get(rule.id);
    if (first === undefined) linesById.set(rule.id, line);
    else tell(line, `id ${quoted(rule.id)} is taken by the rule in line ${first}`);
  }
}

/** Rules and counters are found again by layer, owner and name of their file. */
function checkNames(files: readonly PolicyFile[], tell: (file: string, line: number, message: string) => void): void {
  const known = new Set<string>();
  for (const { layer, of, file } of files) {
    const key = JSON.stringify([layer, of ?? null, file]);
    if (known.has(key)) tell(file, 1, 'is given twice');
    known.add(key);
  }
}
