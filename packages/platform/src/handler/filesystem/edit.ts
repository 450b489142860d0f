/** `filesystem.edit`: the same change in one file or in many, all or nothing. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { type ChosenFile, chooseFiles } from '../internal/chosen-files.ts';
import { isBinary, textOf } from '../internal/file-text.ts';
import type { Workers } from '../internal/workers.ts';
import { type FileChange, writeAll } from '../internal/write-all.ts';

type EditInput = {
  readonly path: string;
  readonly include_glob?: string;
  readonly pattern: string;
  readonly replace: string;
  readonly regex: boolean;
  readonly expected_replacements?: number;
  readonly replace_all: boolean;
  readonly include_all: boolean;
  readonly dry_run: boolean;
};

export const EDIT_LIMITS = {
  /** A larger file is skipped. */
  fileBytesMax: 4_194_304,
  filesMax: 10_000,
  /** Read and changed in one call. */
  bytesMax: 67_108_864,
  readsAtOnce: 8,
  diffBytesMax: 262_144,
  diffMs: 2_000,
  listedMax: 1_000,
} as const;

type Source = { readonly path: string; readonly bytes: Buffer; readonly text: string };
type Skipped = { readonly path: string; readonly reason: 'binary' | 'too_large' | 'unreadable' };

export async function edit(input: EditInput, context: HandlerContext, workers: Workers): Promise<HandlerResult> {
  if ((input.expected_replacements === undefined) === !input.replace_all) {
    throw new CapabilityError('InvalidInput', 'Cannot edit: give either expected_replacements or replace_all', {
      context: { field: 'expected_replacements' },
    });
  }
  const files = await AgentFiles.open(context);
  const root = await files.locate(input.path, 'rw');
  const options = {
    includeHidden: input.include_all,
    includeIgnored: input.include_all,
    glob: input.include_glob,
    missingType: 'FileNotFound',
  };
  const { chosen, isWhole } = await chooseFiles(files, root, options);
  if (!isWhole || chosen.length > EDIT_LIMITS.filesMax) {
    throw new CapabilityError('FileTooLarge', `Cannot edit so many files at once: the limit is ${EDIT_LIMITS.filesMax}`, {
      context: { path: root, limit: EDIT_LIMITS.filesMax },
    });
  }
  const { sources, skipped } = await readSources(files, chosen);
  const request = { texts: sources.map(({ text }) => text), pattern: input.pattern, isRegex: input.regex, replacement: input.replace };
  const { results } = await workers.ask('replace', request, { signal: context.signal });
  const changed = sources.flatMap((source, index) => {
    const result = results[index];
    return result === undefined ? [] : [{ ...source, ...result, before: source.text }];
  });
  const total = changed.reduce((sum, { count }) => sum + count, 0);
  if (input.expected_replacements !== undefined && total !== input.expected_replacements)
    throw mismatch(root, total, input.expected_replacements);
  const diff = await diffOf(changed, workers, context.signal);
  const isWritten = !input.dry_run && changed.length > 0;
  const changes = changed.map(({ path, bytes, text }): FileChange => ({ path, before: bytes, after: Buffer.from(text), mode: undefined }));
  const written = isWritten ? await writeAll(files, await withModes(files, changes)) : 0;
  return {
    output: {
      applied: input.dry_run ? 'preview' : changed.length === 0 ? 'none' : 'full',
      total_replacements: total,
      files_changed: changed.length,
      per_file: changed.slice(0, EDIT_LIMITS.listedMax).map(({ path, count }) => ({ path, replacements: count })),
      skipped: skipped.slice(0, EDIT_LIMITS.listedMax),
      diff,
    },
    usage: { fs_w_bytes: written },
  };
}

async function readSources(
  files: AgentFiles,
  chosen: readonly ChosenFile[],
): Promise<{ readonly sources: readonly Source[]; readonly skipped: readonly Skipped[] }> {
  const read = new Map<string, Source>();
  const skipped = new Map<string, Skipped>();
  let bytesLeft = EDIT_LIMITS.bytesMax;
  const waiting = chosen.values();
  const readSome = async (): Promise<void> => {
    for (const { path, size } of waiting) {
      const isTooLarge = size > EDIT_LIMITS.fileBytesMax;
      const bytes = isTooLarge ? undefined : await files.read(path, EDIT_LIMITS.fileBytesMax).catch(() => undefined); // Skipped and said so.
      files.signal.throwIfAborted();
      if (isTooLarge || bytes === undefined) {
        skipped.set(path, { path, reason: isTooLarge ? 'too_large' : 'unreadable' });
        continue;
      }
      bytesLeft -= bytes.length;
      if (bytesLeft < 0)
        throw new CapabilityError('FileTooLarge', `Cannot edit so much at once: the limit is ${EDIT_LIMITS.bytesMax} bytes`, {
          context: { path, limit: EDIT_LIMITS.bytesMax },
        });
      const text = isBinary(bytes) ? undefined : textOf(bytes);
      if (text === undefined) skipped.set(path, { path, reason: 'binary' });
      else read.set(path, { path, bytes, text });
    }
  };
  await Promise.all(Array.from({ length: EDIT_LIMITS.readsAtOnce }, readSome));
  const inOrder = <T>(found: ReadonlyMap<string, T>): readonly T[] => chosen.flatMap(({ path }) => found.get(path) ?? []);
  return { sources: inOrder(read), skipped: inOrder(skipped) };
}

async function withModes(files: AgentFiles, changes: readonly FileChange[]): Promise<readonly FileChange[]> {
  const looked: FileChange[] = [];
  for (const change of changes) looked.push({ ...change, mode: (await files.file(change.path)).mode });
  return looked;
}

/** Only to be looked at, so it is cut when it is long, and left out where a file differs too much. */
async function diffOf(
  changed: readonly { readonly path: string; readonly before: string; readonly text: string }[],
  workers: Workers,
  signal: AbortSignal,
): Promise<string> {
  let diff = '';
  for (const { path, before, text } of changed) {
    if (diff.length >= EDIT_LIMITS.diffBytesMax) break;
    const names = { oldName: `a${path}`, newName: `b${path}` };
    const request = { ...names, oldText: before, newText: text, contextLines: 0, timeoutMs: EDIT_LIMITS.diffMs };
    const made = await workers.ask('diff', request, { signal }).catch((error: unknown) => {
      if (error instanceof CapabilityError) return undefined;
      throw error;
    });
    diff += made?.text ?? `--- a${path}\n+++ b${path}\n(differs too much to be shown)\n`;
  }
  return diff.length <= EDIT_LIMITS.diffBytesMax ? diff : `${diff.slice(0, EDIT_LIMITS.diffBytesMax)}\n(cut)\n`;
}

function mismatch(path: string, found: number, expected: number): CapabilityError {
  return new CapabilityError(
    'MatchCountMismatch',
    `Cannot edit ${JSON.stringify(path.slice(0, 200))}: there are ${found} matches, expected are ${expected}`,
    { context: { path, found, expected } },
  );
}
