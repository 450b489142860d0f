/**
 * Where policy files stand, below the policy directory:
 *
 *     system.yaml                                      layer system, every workspace
 *     organization.yaml                                layer organization, every workspace
 *     workspace.yaml, agents/NAME.yaml                 of the workspace `default`
 *     workspaces/ID/workspace.yaml, …/agents/NAME.yaml of that workspace
 *
 * `.yml` is read too. Anything else there is somebody's own.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layer } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';

export type FoundPolicy = {
  readonly layer: Layer;
  /** Relative to the policy directory. */
  readonly file: string;
  /** Undefined: every workspace. */
  readonly workspace: WorkspaceId | undefined;
  /** Layer `agent`: whose. */
  readonly agent: string | undefined;
};

const FILES_MAX = 10_000;
const NAME = /^(?<stem>[^/]+)\.ya?ml$/;

/** By layer, then by name. Nothing when the directory is not there. */
export async function findPolicies(directory: string): Promise<readonly FoundPolicy[]> {
  const found: FoundPolicy[] = [];
  for (const layer of ['system', 'organization'] as const)
    for (const file of await namesIn(directory))
      if (stemOf(file) === layer) found.push({ layer, file, workspace: undefined, agent: undefined });
  found.push(...(await findOf(directory, '', DEFAULT_WORKSPACE)));
  for (const id of await namesIn(join(directory, 'workspaces')))
    found.push(...(await findOf(directory, `workspaces/${id}/`, id as WorkspaceId))); // A folder of no workspace is of nobody.
  if (found.length > FILES_MAX) throw new Error(`There are ${found.length} policy files, the limit is ${FILES_MAX}`);
  return found;
}

/** What a file is by its path, without looking at it; undefined for what is no policy file. */
export function placeOf(file: string): FoundPolicy | undefined {
  const parts = file.split('/');
  const [workspace, rest] =
    parts[0] === 'workspaces' && parts.length > 2 ? [parts[1] as WorkspaceId, parts.slice(2)] : [DEFAULT_WORKSPACE, parts]; // As above.
  const stem = stemOf(rest.at(-1) ?? '');
  if (stem === undefined) return undefined;
  if (rest.length === 2 && rest[0] === 'agents') return { layer: 'agent', file, workspace, agent: stem };
  if (rest.length !== 1) return undefined;
  if (stem === 'workspace') return { layer: 'workspace', file, workspace, agent: undefined };
  const isAbove = (stem === 'system' || stem === 'organization') && parts.length === 1;
  return isAbove ? { layer: stem, file, workspace: undefined, agent: undefined } : undefined;
}

async function findOf(directory: string, prefix: string, workspace: WorkspaceId): Promise<readonly FoundPolicy[]> {
  const here = (await namesIn(join(directory, prefix))).filter((name) => stemOf(name) === 'workspace');
  const agents = await namesIn(join(directory, prefix, 'agents'));
  return [
    ...here.map((name) => ({ layer: 'workspace', file: `${prefix}${name}`, workspace, agent: undefined }) as const),
    ...agents.flatMap((name) => {
      const agent = stemOf(name);
      return agent === undefined ? [] : [{ layer: 'agent', file: `${prefix}agents/${name}`, workspace, agent } as const];
    }),
  ];
}

function stemOf(name: string): string | undefined {
  return NAME.exec(name)?.groups?.['stem'];
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // That is what readdir throws.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
