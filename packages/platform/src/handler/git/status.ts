/** `git.status`, from the format that is made for programs. */
import type { JsonObject } from '@warren/protocol';
import type { HandlerContext, HandlerResult } from '../../capability/handler.ts';
import { resolveDirectory } from './names.ts';
import { openRepository } from './open-repository.ts';

export type FileChange = { readonly file: string; readonly status: string };
export type Status = {
  readonly branch: string | null;
  readonly head_commit: string | null;
  readonly staged: readonly FileChange[];
  readonly unstaged: readonly FileChange[];
  readonly untracked: readonly string[];
  readonly conflicted: readonly string[];
  readonly upstream: { readonly branch: string; readonly ahead: number; readonly behind: number } | null;
};

const STATUS_ARGUMENTS = [
  'status',
  '--porcelain=v2',
  '-z',
  '--branch',
  '--untracked-files=all',
  '--ignore-submodules=dirty',
  '--find-renames',
];

const WORDS: Readonly<Record<string, string>> = {
  A: 'added',
  C: 'copied',
  D: 'deleted',
  M: 'modified',
  R: 'renamed',
  T: 'type_changed',
};

export async function status({ path }: JsonObject & { readonly path: string }, context: HandlerContext): Promise<HandlerResult> {
  const { sandbox } = await context.sandbox();
  await using repository = await openRepository(sandbox, resolveDirectory(path), context.signal);
  const { stdout } = await repository.must('NotARepository', STATUS_ARGUMENTS);
  const read = parseStatus(stdout);
  const isDirty = [read.staged, read.unstaged, read.untracked, read.conflicted].some(({ length }) => length > 0);
  const state = repository.doing !== 'clean' ? repository.doing : isDirty ? 'dirty' : 'clean';
  return { output: { ...read, state } };
}

export function parseStatus(porcelain: string): Status {
  const staged: FileChange[] = [];
  const unstaged: FileChange[] = [];
  const untracked: string[] = [];
  const conflicted: string[] = [];
  const headers = new Map<string, string>();
  const records = porcelain.split('\0');
  records.pop(); // What follows the last NUL: nothing, or a record that was cut.
  for (let index = 0; index < records.length; index++) {
    const record = records[index] ?? '';
    switch (record[0]) {
      case '#': {
        const [, name = '', ...words] = record.split(' ');
        headers.set(name, words.join(' '));
        break;
      }
      case '1':
      case '2': {
        const file = afterFields(record, record[0] === '1' ? 8 : 9);
        note(staged, record[2], file);
        note(unstaged, record[3], file);
        if (record[0] === '2') index++; // The name it had.
        break;
      }
      case 'u':
        conflicted.push(afterFields(record, 10));
        break;
      case '?':
        untracked.push(record.slice(2));
        break;
    }
  }
  return { ...readHeaders(headers), staged, unstaged, untracked, conflicted };
}

/** Files that changed, of a listing without renames: not the repositories below. */
export function changedOwnFiles(porcelain: string): readonly string[] {
  const files: string[] = [];
  for (const record of porcelain.split('\0')) {
    const isOwn = record.slice(5, 9) === 'N...';
    if (record.startsWith('1 ') && isOwn) files.push(afterFields(record, 8));
    else if (record.startsWith('u ') && isOwn) files.push(afterFields(record, 10));
    else if (record.startsWith('? ') && !record.endsWith('/')) files.push(record.slice(2));
  }
  return files;
}

export function statusWord(letter: string): string {
  return WORDS[letter] ?? 'modified';
}

function note(changes: FileChange[], letter: string | undefined, file: string): void {
  if (letter !== undefined && letter !== '.') changes.push({ file, status: statusWord(letter) });
}

/** What comes after so many words: a path, which may hold spaces. */
function afterFields(record: string, count: number): string {
  let position = 0;
  for (let field = 0; field < count; field++) position = record.indexOf(' ', position) + 1;
  return record.slice(position);
}

function readHeaders(headers: ReadonlyMap<string, string>): Pick<Status, 'branch' | 'head_commit' | 'upstream'> {
  const head = headers.get('branch.head');
  const commit = headers.get('branch.oid');
  const upstream = headers.get('branch.upstream');
  const [, ahead = '0', behind = '0'] = /^\+(\d+) -(\d+)$/.exec(headers.get('branch.ab') ?? '') ?? [];
  return {
    branch: head === undefined || head === '(detached)' ? null : head,
    head_commit: commit === undefined || commit === '(initial)' ? null : commit,
    upstream: upstream === undefined ? null : { branch: upstream, ahead: Number(ahead), behind: Number(behind) },
  };
}
