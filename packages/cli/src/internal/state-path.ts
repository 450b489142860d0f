/** Which state directory a command means, and how to name it in the next command to type. */
import { resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { stateDirectoryPath } from '@warren/sandbox';
import type { StateFlags, WorkspaceFlags } from '../program/state-options.ts';
import type { Host } from './host.ts';
import { shellWord } from './shell-words.ts';

/** `--state`, else what WARREN_STATE says, else the default of the user. Throws `invalid_argument`. */
export function statePath(host: Host, flag: string | undefined): string {
  if (flag === '') throw new Fault('invalid_argument', 'Cannot use "" as the state directory: name one, or leave out --state');
  if (flag !== undefined) return resolve(host.cwd(), flag);
  return stateDirectoryPath({ environment: host.env });
}

/** Which daemon was meant, as far as words said so. */
export type PlaceFlags = { readonly [Flag in 'state' | 'server']?: StateFlags[Flag] | undefined };

/** `warren status --state /x`: what to type, with the state directory or server if it was given as a word and not by the environment. */
export function nextCommand(words: string, { state, server }: PlaceFlags): string {
  return [`warren ${words}`, ...placeOf('--state', state), ...placeOf('--server', server)].join(' ');
}

/** The same of what is in a workspace, which is named where it is not the default. */
export function nextCommandIn(words: string, flags: PlaceFlags & { readonly workspace?: string }): string {
  const { workspace } = flags;
  return nextCommand([words, ...placeOf('--workspace', workspace === 'default' ? undefined : workspace)].join(' '), flags);
}

function placeOf(option: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${option} ${shellWord(value)}`];
}

/** What lists processes. There `--state` is the state of a process, and the directory is `--state-dir`. */
export function agentsCommand({ state, server, workspace }: WorkspaceFlags): string {
  const where = [...placeOf('--state-dir', state), ...placeOf('--server', server)];
  return ['warren kernel agents', ...placeOf('--workspace', workspace === 'default' ? undefined : workspace), ...where].join(' ');
}
