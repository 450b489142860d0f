/** `git.diff`: which files differ and by how many lines; the lines themselves when asked for. */
import type { JsonObject } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { isRevision, resolveDirectory, resolveFile } from './names.ts';
import { openRepository, type Repository } from './open-repository.ts';
import { statusWord } from './status.ts';

export type DiffInput = JsonObject & {
  readonly path: string;
  readonly cached?: boolean;
  readonly commit?: string;
  readonly patch?: boolean;
  readonly files?: readonly string[];
  readonly limit?: number;
};

export type FileDiff = {
  readonly file: string;
  readonly status: string;
  readonly additions: number | null;
  readonly deletions: number | null;
};

const PATCH_BYTES_DEFAULT = 65_536;
const PATCH_BYTES_MAX = 1_048_576;

/** No drivers of attributes, and no looking into repositories below. */
const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=dirty', '--find-renames'];

export async function diff(input: DiffInput, context: HandlerContext): Promise<HandlerResult> {
  const root = resolveDirectory(input.path);
  const files = (input.files ?? []).map((file) => resolveFile(root, file));
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, root, context.signal);
  const base = input.commit === undefined ? undefined : await resolveCommit(repository, input.commit);
  const what = [...(input.cached === true ? ['--cached'] : []), ...(base === undefined ? [] : [base]), '--', ...files];
  const listed = await repository.must('NotARepository', ['diff', '--raw', '--numstat', '-z', ...PLAIN, ...what]);
  const changes = parseDiff(listed.stdout);
  const patch = input.patch === true ? await readPatch(repository, what, input.limit) : undefined;
  const output = {
    changes,
    total_additions: sum(changes.map(({ additions }) => additions)),
    total_deletions: sum(changes.map(({ deletions }) => deletions)),
    files_changed: changes.length,
    ...(patch === undefined ? {} : { patch: patch.stdout, truncated: patch.isTruncated }),
  };
  return { output };
}

export async function resolveCommit(repository: Repository, revision: string): Promise<string> {
  const hash = isRevision(revision) ? await repository.resolve(revision) : undefined;
  if (hash !== undefined) return hash;
  throw new CapabilityError('CommitNotFound', `Cannot find ${JSON.stringify(revision.slice(0, 100))}: the repository has no such commit`);
}

/** Of `--raw --numstat -z`: first what happened to each file, then how many lines. */
export function parseDiff(listing: string): readonly FileDiff[] {
  const fields = listing.split('\0');
  fields.pop();
  const letters = new Map<string, string>();
  const changes: FileDiff[] = [];
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] ?? '';
    if (field.startsWith(':')) {
      const letter = field.slice(field.lastIndexOf(' ') + 1, field.lastIndexOf(' ') + 2);
      index += letter === 'R' || letter === 'C' ? 2 : 1;
      letters.set(fields[index] ?? '', letter);
      continue;
    }
    const [additions = '', deletions = '', name = ''] = splitCounts(field);
    if (name === '') index += 2; // Renamed: the old and the new name follow.
    const file = name === '' ? (fields[index] ?? '') : name;
    changes.push({ file, status: statusWord(letters.get(file) ?? 'M'), additions: count(additions), deletions: count(deletions) });
  }
  return changes;
}

async function readPatch(repository: Repository, what: readonly string[], limit: number | undefined) {
  const outputBytesMax = Math.min(limit ?? PATCH_BYTES_DEFAULT, PATCH_BYTES_MAX);
  return await repository.must('NotARepository', ['diff', '--patch', ...PLAIN, ...what], { outputBytesMax });
}

/** A name may hold tabs. */
function splitCounts(field: string): readonly string[] {
  const first = field.indexOf('\t');
  const second = field.indexOf('\t', first + 1);
  return [field.slice(0, first), field.slice(first + 1, second), field.slice(second + 1)];
}

function count(text: string): number | null {
  return text === '-' ? null : Number(text);
}

function sum(counts: readonly (number | null)[]): number {
  return counts.reduce<number>((total, each) => total + (each ?? 0), 0);
}
