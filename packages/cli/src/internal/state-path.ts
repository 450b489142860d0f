/** Which state directory a command means, and how to name it in the next command to type. */
import { resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { stateDirectoryPath } from '@warren/sandbox';
import type { WorkspaceFlags } from '../program/state-options.ts';
import type { Host } from './host.ts';
import { shellWord } from './shell-words.ts';

/** `--state`, else what WARREN_STATE says, else the default of the user. Throws `invalid_argument`. */
export function statePath(host: Host, flag: string | undefined): string {
  if (flag === '') throw new Fault('invalid_argument', 'Cannot use "" as the state directory: name one, or leave out --state');
  if (flag !== undefined) return resolve(host.cwd(), flag);
  return stateDirectoryPath({ environment: host.env });
}

/** `warren status --state /x`: what to type, with the state directory if it was given as a word and not by the environment. */
export function nextCommand(words: string, flag: string | undefined): string {
  return flag === undefined ? `warren ${words}` : `warren ${words} --state ${shellWord(flag)}`;
}

/** What lists processes. There `--state` is the state of a process, and the directory is `--state-dir`. */
export function agentsCommand({ state, workspace }: WorkspaceFlags): string {
  const directory = state === undefined ? '' : ` --state-dir ${shellWord(state)}`;
  return `warren kernel agents${workspace === 'default' ? '' : ` --workspace ${shellWord(workspace)}`}${directory}`;
}
