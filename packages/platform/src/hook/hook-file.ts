/**
 * What an operator wants to happen at points of agents' lives, in `<state>/hooks.yaml`:
 *
 *     hooks:
 *       - name: no-force-push
 *         on: before_tool_call
 *         capabilities: [git.push]
 *         command: [python3, /srv/hooks/check.py]
 *         mounts: [{ source: hooks, target: /srv/hooks }]
 *       - name: chronicle
 *         on: [after_tool_call, approval_decided]
 *         workspaces: [acme]
 *         webhook: https://hooks.example.com/warren
 *         secret_file: secrets/hook-key
 *
 * Paths in it are relative to the state directory.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '@warren/protocol';
import { readYaml } from '../policy/read-yaml.ts';
import { sayProblem } from '../policy/say-problem.ts';
import type { CommandHook, FileHook } from './hook-file-format.ts';

export const HOOK_FILE = 'hooks.yaml';

export type ReadHooks = { readonly hooks: readonly FileHook[]; readonly hash: string };

/** Without the file there are none. Faults: `invalid_argument`, which names each mistake with its line. */
export async function readHookFile(directory: string): Promise<ReadHooks> {
  const file = join(directory, HOOK_FILE);
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Fault('invalid_argument', `Cannot use ${file}: it cannot be read (${error.code})`, { cause: error, details: { path: file } });
  });
  if (content === undefined) return { hooks: [], hash: hash('sha256', '') };
  const { hookFileFormat } = await import('./hook-file-format.ts');
  const { value, problems } = readYaml(content, HOOK_FILE, hookFileFormat, { isEmptyAllowed: true });
  if (value === undefined)
    throw new Fault('invalid_argument', `Cannot use ${file}: ${problems.map(sayProblem).join('; ')}`, { details: { path: file } });
  return { hooks: value.hooks.map((each) => withPaths(each, directory)), hash: hash('sha256', content) };
}

export function isCommand(hook: FileHook): hook is CommandHook {
  return 'command' in hook;
}

function withPaths(hook: FileHook, directory: string): FileHook {
  if (!isCommand(hook)) return { ...hook, secret_file: resolve(directory, hook.secret_file) };
  return {
    ...hook,
    mounts: hook.mounts.map((mount) => ({ ...mount, source: resolve(directory, mount.source) })),
    env_files: Object.fromEntries(Object.entries(hook.env_files).map(([name, file]) => [name, resolve(directory, file)])),
  };
}
