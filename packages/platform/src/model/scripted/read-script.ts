/** A script out of a YAML file. */
import { Fault } from '@warren/protocol';
import { readPlainFile } from '../../internal/read-plain-file.ts';
import type { ScriptedTurn } from './scripted-turn.ts';

const SCRIPT_BYTES_MAX = 8_388_608;

/** Faults: `not_found`, `too_large`, `invalid_argument` (with the line of the first mistake). */
export async function readScript(path: string): Promise<readonly ScriptedTurn[]> {
  const file = await readPlainFile(path, { bytesMax: SCRIPT_BYTES_MAX, mayBeLink: true });
  if (file.kind === 'refused') throw new Fault(file.code, `Cannot play ${path}: it ${file.reason}`, { details: { path } });
  return await parseScript(file.bytes.toString('utf8'), path);
}

/** `file` is what messages call it. Faults: `invalid_argument`. */
export async function parseScript(text: string, file: string): Promise<readonly ScriptedTurn[]> {
  const [{ readYaml }, { scriptFormat }] = await Promise.all([import('../../policy/read-yaml.ts'), import('./script-format.ts')]); // Few ever need them.
  const { value, problems } = readYaml(text, file, scriptFormat);
  if (value !== undefined) return value.turns;
  const [problem] = problems;
  const at = problem?.line === undefined ? file : `${file}:${problem.line}`;
  throw new Fault('invalid_argument', `Cannot play ${at}: ${problem?.message ?? 'it is no script'}`, {
    details: { file, problems: problems.map(({ line, message }) => ({ line, message })) },
  });
}
