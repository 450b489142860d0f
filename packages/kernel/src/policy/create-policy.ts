import { Fault } from '@warren/protocol';
import { errorsIn } from './check/errors-in.ts';
import { type CompiledFile, compileFile } from './compile-file.ts';
import { decide } from './decide.ts';
import { dimensionsOf } from './index/dimensions.ts';
import { outlook } from './outlook.ts';
import { LAYERS, type Policy, type PolicyFile, type PolicyOptions } from './policy.ts';
import { PROBLEMS_MAX } from './policy-bounds.ts';

/**
 * Compiles rules. Files of one layer keep the order they are given in. Faults: `invalid_argument` when a file has errors: the message and `details.problems` tell all of
 * them (the first hundred), each with file and line.
 */
export function createPolicy(files: readonly PolicyFile[], { version, workspace }: PolicyOptions): Policy {
  refuseProblems(files);
  const spoken = files.filter(({ layer, of }) => layer !== 'workspace' || of === workspace);
  const ordered = spoken.toSorted((one, other) => LAYERS.indexOf(one.layer) - LAYERS.indexOf(other.layer));
  const dimensions = dimensionsOf(ordered.flatMap(({ rules }) => rules.map(({ rule }) => rule)));
  const everybody: CompiledFile[] = [];
  const byAgent = new Map<string, CompiledFile[]>();
  for (const file of ordered) {
    const compiled = compileFile(file, dimensions);
    if (file.layer !== 'agent' || file.of === undefined) everybody.push(compiled);
    else byAgent.set(file.of, [...(byAgent.get(file.of) ?? []), compiled]);
  }
  const filesFor = (agent: string): readonly CompiledFile[] => {
    const own = byAgent.get(agent);
    return own === undefined ? everybody : [...everybody, ...own];
  };
  return {
    version,
    decide: (request, read, allowances = []) => decide(filesFor(request.agent), request, read, allowances),
    outlook: (capability) => outlook(filesFor(capability.agent), capability),
  };
}

function refuseProblems(files: readonly PolicyFile[]): void {
  const { problems, count } = errorsIn(files);
  if (count === 0) return;
  const rest = count > PROBLEMS_MAX ? `; and ${count - PROBLEMS_MAX} more` : '';
  const list = problems.map(({ message }) => message).join('; ');
  throw new Fault('invalid_argument', `Cannot load policy: ${count} ${count === 1 ? 'problem' : 'problems'}: ${list}${rest}`, {
    details: { problems, count },
  });
}
