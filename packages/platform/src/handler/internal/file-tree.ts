/** A directory and all below it, as `find` sees it inside the walls. Links are named and not followed. */
import { CapabilityError } from '../../capability/handler.ts';
import type { AgentFiles } from './agent-files.ts';
import { textOf } from './file-text.ts';
import { IgnoreRules } from './ignore-rules.ts';

export type TreeEntry = {
  /** Below the root, without a leading slash. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly modifiedMs: number;
  readonly inode: string;
};
export type TreeOptions = {
  readonly includeHidden: boolean;
  /** Also what `.gitignore` files and Warren leave out: repositories' own files, installed packages, caches. */
  readonly includeIgnored: boolean;
  /** 1: only what is in the root itself. */
  readonly depthMax?: number | undefined;
};

export const TREE_ENTRIES_MAX = 250_000;
const TREE_BYTES_MAX = 134_217_728;
const IGNORE_FILES_MAX = 200;
const IGNORE_FILE_BYTES_MAX = 65_536;
/** Where files lie that were deleted. */
export const TRASH_NAME = '.warren-trash';
/** Made by tools and found in nobody's search by accident. */
const LEFT_OUT = [
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  '__pycache__',
  '.venv',
  'venv',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.next',
  '.gradle',
];
const KINDS: Readonly<Record<string, TreeEntry['kind']>> = { f: 'file', d: 'directory', l: 'symlink' };

/** Unsorted. `isWhole` is false when there is more than may be looked at. */
export async function listTree(
  files: AgentFiles,
  root: string,
  options: TreeOptions,
): Promise<{ readonly entries: readonly TreeEntry[]; readonly isWhole: boolean }> {
  const pruned = options.includeIgnored ? [TRASH_NAME] : [TRASH_NAME, ...LEFT_OUT];
  const names = pruned.flatMap((name, index) => (index === 0 ? ['-name', name] : ['-o', '-name', name]));
  const argv = [
    'find',
    '-P',
    root,
    '-mindepth',
    '1',
    ...(options.depthMax === undefined ? [] : ['-maxdepth', `${options.depthMax}`]),
    '(',
    '-type',
    'd',
    '(',
    ...names,
    ')',
    '-prune',
    ')',
    '-o',
    '-printf',
    '%y\\0%s\\0%T@\\0%i\\0%P\\0',
  ];
  const { found, isWhole } = await readEntries(files, argv);
  const isHidden = (path: string): boolean => path.startsWith('.') || path.includes('/.');
  const rules = options.includeIgnored ? undefined : await ignoreRules(files, root, found);
  const entries = found.filter(
    ({ path, kind }) => (options.includeHidden || !isHidden(path)) && rules?.isIgnored(path, kind === 'directory') !== true,
  );
  return { entries, isWhole };
}

/** Read as it comes, and ended when there is too much of it: what a tree holds is the agent's choice, what the host holds of it is not. */
async function readEntries(
  files: AgentFiles,
  argv: readonly string[],
): Promise<{ readonly found: readonly TreeEntry[]; readonly isWhole: boolean }> {
  const execution = files.sandbox.exec(argv, { cwd: '/', env: { LC_ALL: 'C.UTF-8' }, signal: files.signal });
  const found: TreeEntry[] = [];
  const decoder = new TextDecoder();
  let fields: string[] = [];
  let rest = '';
  let bytes = 0;
  let isWhole = true;
  const dropped = drain(execution.stderr); // What may not be looked at is left out.
  try {
    for await (const chunk of execution.stdout) {
      bytes += chunk.length;
      const texts = (rest + decoder.decode(chunk, { stream: true })).split('\0');
      rest = texts.pop() ?? '';
      for (const text of texts) {
        fields.push(text);
        if (fields.length < 5) continue;
        const [kind = '', size, modified, inode = '', path = ''] = fields;
        found.push({ path, kind: KINDS[kind] ?? 'other', size: Number(size), modifiedMs: Math.floor(Number(modified) * 1_000), inode });
        fields = [];
      }
      if (found.length > TREE_ENTRIES_MAX || bytes > TREE_BYTES_MAX) {
        isWhole = false;
        break;
      }
    }
  } finally {
    execution.kill('SIGKILL', 'tree');
  }
  const exit = await execution.exit;
  await dropped;
  files.signal.throwIfAborted();
  if (exit.kind === 'not_started')
    throw new CapabilityError('ServiceUnavailable', 'Cannot look through the directory: find is not installed on this machine');
  return { found: found.slice(0, TREE_ENTRIES_MAX), isWhole };
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _ of stream);
  } catch {
    // The exit says what went wrong.
  }
}

async function ignoreRules(files: AgentFiles, root: string, entries: readonly TreeEntry[]): Promise<IgnoreRules> {
  const rules = new IgnoreRules();
  const found = entries.filter(
    ({ path, kind, size }) => kind === 'file' && size <= IGNORE_FILE_BYTES_MAX && /(^|\/)\.gitignore$/.test(path),
  );
  const fromTop = found.toSorted((a, b) => a.path.split('/').length - b.path.split('/').length);
  for (const { path } of fromTop.slice(0, IGNORE_FILES_MAX)) {
    const text = textOf(await files.read(`${root}/${path}`, IGNORE_FILE_BYTES_MAX).catch(() => new Uint8Array()));
    rules.add(path.slice(0, Math.max(0, path.length - '/.gitignore'.length)), text ?? '');
  }
  return rules;
}
