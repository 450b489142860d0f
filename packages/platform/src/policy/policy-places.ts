/**
 * Where policy files stand, below the policy directory:
 *
 *     system.yaml                                      layer system, every workspace
 *     organization.yaml                                layer organization, every workspace
 *     workspace.yaml, agents/NAME.yaml                 of the workspace `default`
 *     workspaces/ID/workspace.yaml, …/agents/NAME.yaml of that workspace
 *
 * `.yml` is read too. Whatever else stands there decides nothing and is told, for somebody may believe that it does; not so hidden files, what editors keep (`x~`) and Markdown.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LAYERS, type Layer } from '@warren/kernel';
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

export type FoundPolicies = {
  /** By layer, then by name. */
  readonly found: readonly FoundPolicy[];
  /** What stands there and is no policy file, relative to the policy directory; folders end with a slash. The first hundred. */
  readonly strays: readonly string[];
};

const FILES_MAX = 10_000;
const STRAYS_MAX = 100;
const NAME = /^(?<stem>[^/]+)\.ya?ml$/;
const QUIET = /^\.|~$|\.md$/i;

/** Nothing when the directory is not there. */
export async function findPolicies(directory: string): Promise<FoundPolicies> {
  const found: FoundPolicy[] = [];
  const strays: string[] = [];
  const walk = async (prefix: string): Promise<void> => {
    for (const entry of await entriesIn(join(directory, prefix))) {
      const path = `${prefix}${entry.name}`;
      const place = placeOf(path);
      if (place !== undefined) found.push(place);
      else if (isFolderOfPolicies(path) && !entry.isFile()) await walk(`${path}/`);
      else if (!QUIET.test(entry.name) && strays.length < STRAYS_MAX) strays.push(entry.isDirectory() ? `${path}/` : path);
      if (found.length > FILES_MAX) throw new Error(`There are more than ${FILES_MAX} policy files`);
    }
  };
  await walk('');
  return { found: found.toSorted((one, other) => LAYERS.indexOf(one.layer) - LAYERS.indexOf(other.layer)), strays };
}

/** What a file is by its path, without looking at it; undefined for what is no policy file. */
export function placeOf(file: string): FoundPolicy | undefined {
  const { workspace, rest, isTop } = splitPlace(file);
  const stem = NAME.exec(rest.at(-1) ?? '')?.groups?.['stem'];
  if (stem === undefined || stem.startsWith('.')) return undefined;
  if (rest.length === 2 && rest[0] === 'agents') return { layer: 'agent', file, workspace, agent: stem };
  if (rest.length !== 1) return undefined;
  if (stem === 'workspace') return { layer: 'workspace', file, workspace, agent: undefined };
  const isAbove = (stem === 'system' || stem === 'organization') && isTop;
  return isAbove ? { layer: stem, file, workspace: undefined, agent: undefined } : undefined;
}

/** Whose a path below the policy directory is, also when no policy file stands there; undefined: everybody's. */
export function ownerOf(path: string): WorkspaceId | undefined {
  const place = placeOf(path);
  return place === undefined ? splitPlace(path).workspace : place.workspace;
}

type Split = { readonly workspace: WorkspaceId; readonly rest: readonly string[]; readonly isTop: boolean };

function splitPlace(path: string): Split {
  const parts = path.split('/');
  if (parts[0] !== 'workspaces' || parts.length < 3) return { workspace: DEFAULT_WORKSPACE, rest: parts, isTop: true };
  return { workspace: parts[1] as WorkspaceId, rest: parts.slice(2), isTop: false }; // A folder of no workspace is of nobody.
}

function isFolderOfPolicies(path: string): boolean {
  return /^(?:agents|workspaces|workspaces\/[^./][^/]*(?:\/agents)?)$/.test(path);
}

async function entriesIn(directory: string): Promise<readonly Dirent[]> {
  try {
    return (await readdir(directory, { withFileTypes: true })).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // That is what readdir throws.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
