import type { Condition } from '../policy.ts';
import { compileCommand } from './command-condition.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { compileHost } from './host-condition.ts';
import { compileSize } from './number-condition.ts';
import { compilePath } from './path-condition.ts';
import { compileTime } from './time-condition.ts';
import { both, either, FALSE, not, type Quantifier, TRUE, type Truth, truthOf } from './truth.ts';
import { compileValue } from './value-condition.ts';

/** Only of a condition without problems (`problemsOfCondition`). Cheap parts are tried first. */
export function compileCondition(condition: Condition, quantifier: Quantifier): CompiledCondition {
  const { path, host, command, size, args, taint, time } = condition;
  const parts: CompiledCondition[] = [];
  if (taint !== undefined) parts.push(compileTaint(taint));
  if (size !== undefined) parts.push(compileSize(size));
  if (path !== undefined) parts.push(compilePath(path, quantifier));
  if (host !== undefined) parts.push(compileHost(host, quantifier));
  if (command !== undefined) parts.push(compileCommand(command, quantifier));
  if (time !== undefined) parts.push(compileTime(time));
  for (const [place, value] of Object.entries(args ?? {})) parts.push(compileValue(place, value, quantifier));
  if (condition.not !== undefined) {
    const inner = compileCondition(condition.not, quantifier === 'every' ? 'one' : 'every');
    parts.push((question) => not(inner(question)));
  }
  if (condition.any !== undefined) parts.push(compileChoice(condition.any.map((each) => compileCondition(each, quantifier))));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : compileAll(parts);
}

function compileAll(parts: readonly CompiledCondition[]): CompiledCondition {
  return (question) => {
    let truth: Truth = TRUE;
    for (const part of parts) {
      truth = both(truth, part(question));
      if (truth === FALSE) break;
    }
    return truth;
  };
}

function compileChoice(choices: readonly CompiledCondition[]): CompiledCondition {
  return (question) => {
    let truth: Truth = FALSE;
    for (const choice of choices) {
      truth = either(truth, choice(question));
      if (truth === TRUE) break;
    }
    return truth;
  };
}

function compileTaint({ any, none }: NonNullable<Condition['taint']>): CompiledCondition {
  return ({ request: { taint } }) =>
    truthOf(
      (any === undefined || any.some((label) => taint.includes(label))) &&
        (none === undefined || !none.some((label) => taint.includes(label))),
    );
}
