/** The regular files that a search or a change over a place is about: the file itself, or those below a directory that match. */
import { CapabilityError } from '../../capability/handler.ts';
import { type AgentFiles, contextOf, notAFile, quoted } from './agent-files.ts';
import { listTree, type TreeOptions } from './file-tree.ts';
import { compileNameGlob } from './glob.ts';

export type ChosenFile = { readonly path: string; readonly size: number; readonly modifiedMs: number };

/** By path. `root` is a real path. Throws `missingType` when there is nothing, and `InvalidPattern`. */
export async function chooseFiles(
  files: AgentFiles,
  root: string,
  options: TreeOptions & { readonly glob: string | undefined; readonly missingType: string },
): Promise<{ readonly chosen: readonly ChosenFile[]; readonly isWhole: boolean }> {
  const matches = options.glob === undefined ? undefined : compileNameGlob(options.glob);
  const entry = await files.find(root);
  if (entry === undefined)
    throw new CapabilityError(options.missingType, `Cannot search ${quoted(root)}: it does not exist`, { context: contextOf(root) });
  if (entry.kind === 'file') return { chosen: [{ path: root, size: entry.size, modifiedMs: entry.mtimeMs }], isWhole: true };
  if (entry.kind !== 'directory') throw notAFile(root, entry.kind);
  const { entries, isWhole } = await listTree(files, root, options);
  const chosen = entries
    .filter(({ path, kind }) => kind === 'file' && matches?.(path) !== false)
    .map(({ path, size, modifiedMs }) => ({ path: `${root === '/' ? '' : root}/${path}`, size, modifiedMs }));
  return { chosen: chosen.toSorted((a, b) => (a.path < b.path ? -1 : 1)), isWhole };
}
