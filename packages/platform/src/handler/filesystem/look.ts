/** `filesystem.list`, `filesystem.stat` and `filesystem.mkdir`. */
import type { Entry } from '@warren/sandbox';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles, contextOf, quoted } from '../internal/agent-files.ts';
import { timestamp } from '../internal/file-text.ts';
import { TRASH_NAME } from '../internal/file-tree.ts';
import { makeDirectory, requireParent } from './write.ts';

type SortKey = 'name' | 'size' | 'modified';
type ListInput = {
  readonly path: string;
  readonly include_hidden: boolean;
  readonly sort_by: SortKey | `-${SortKey}`;
  readonly limit: number;
};

export async function list(input: ListInput, context: HandlerContext): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'r');
  await files.directory(path);
  const shown = (await files.list(path)).filter(({ name }) => name !== TRASH_NAME && (input.include_hidden || !name.startsWith('.')));
  const sorted = shown.toSorted(orderBy(input.sort_by));
  const entries = sorted.slice(0, input.limit).map((entry) => ({
    name: entry.name,
    type: typeOf(entry.kind),
    size: entry.size,
    modified: timestamp(entry.mtimeMs),
  }));
  return { output: { entries, total: sorted.length, truncated: sorted.length > entries.length, path } };
}

function orderBy(sortBy: ListInput['sort_by']): (a: Entry, b: Entry) => number {
  const isDescending = sortBy.startsWith('-');
  const key = (isDescending ? sortBy.slice(1) : sortBy) as SortKey; // By its type.
  const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const compare = (a: Entry, b: Entry): number =>
    (key === 'size' ? a.size - b.size : key === 'modified' ? a.mtimeMs - b.mtimeMs : 0) || byName(a, b);
  return isDescending ? (a, b) => compare(b, a) : compare;
}

export async function stat(input: { readonly path: string }, context: HandlerContext): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  // What a link leads to may be out of scope; that it is a link is said of itself.
  const path = await files.locate(input.path, 'r', { followsLast: false });
  const entry = await files.find(path);
  if (entry === undefined) return { output: { exists: false } };
  const { exit, stdout } = await files.run(['stat', '--printf', '%W\\n%A\\n%U\\n', '--', path]);
  if (exit.kind !== 'exited' || exit.code !== 0) return { output: { exists: false } }; // It went meanwhile.
  const [born = '0', permissions = '', owner = ''] = Buffer.from(stdout).toString().split('\n');
  const created = Number(born) > 0 ? timestamp(Number(born) * 1_000) : null;
  return {
    output: {
      exists: true,
      type: typeOf(entry.kind),
      size: entry.size,
      modified: timestamp(entry.mtimeMs),
      created,
      permissions: permissions.slice(1),
      owner,
    },
  };
}

export async function mkdir(
  input: { readonly path: string; readonly create_parents: boolean },
  context: HandlerContext,
): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'rw');
  const there = await files.find(path);
  if (there?.kind === 'directory') return { output: { path, created: false } };
  if (there !== undefined) {
    throw new CapabilityError('DestinationExists', `Cannot make the directory ${quoted(path)}: there is a ${there.kind}`, {
      context: contextOf(path),
    });
  }
  if (!input.create_parents) await requireParent(files, path);
  await makeDirectory(files, path, input.create_parents);
  return { output: { path, created: true } };
}

export function typeOf(kind: Entry['kind']): 'file' | 'directory' | 'symlink' | 'other' {
  return kind === 'file' || kind === 'directory' || kind === 'symlink' ? kind : 'other';
}
