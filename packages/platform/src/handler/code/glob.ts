/** `code.glob`: files by their names. */
import type { HandlerContext, HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { listTree } from '../internal/file-tree.ts';
import { compileGlob } from '../internal/glob.ts';

type GlobInput = {
  readonly pattern: string;
  readonly path: string;
  readonly max_results: number;
  readonly include_ignored: boolean;
  readonly sort_by: 'path' | 'modified';
};

export async function glob(input: GlobInput, context: HandlerContext): Promise<HandlerResult> {
  const matches = compileGlob(input.pattern);
  const files = await AgentFiles.open(context);
  const root = await files.locate(input.path, 'r');
  await files.directory(root);
  const { entries, isWhole } = await listTree(files, root, { includeHidden: input.include_ignored, includeIgnored: input.include_ignored });
  const found = entries.filter(({ path, kind }) => kind === 'file' && matches(path));
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
  const sorted = found.toSorted((a, b) => (input.sort_by === 'modified' ? b.modifiedMs - a.modifiedMs : 0) || byPath(a, b));
  const listed = sorted.slice(0, input.max_results).map(({ path }) => `${root}/${path}`);
  return { output: { matches: listed, count: listed.length, truncated: !isWhole || sorted.length > listed.length } };
}
