/** `code.grep`: lines of source files. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { type ChosenFile, chooseFiles } from '../internal/chosen-files.ts';
import { isBinary, textOf } from '../internal/file-text.ts';
import { findLines } from '../internal/find-lines.ts';
import type { Workers } from '../internal/workers.ts';

type GrepInput = {
  readonly pattern: string;
  readonly path: string;
  readonly glob?: string;
  readonly fixed: boolean;
  readonly ignore_case: boolean;
  readonly word: boolean;
  readonly multiline: boolean;
  readonly before: number;
  readonly after: number;
  readonly mode: 'lines' | 'files' | 'count';
  readonly max_results: number;
  readonly include_ignored: boolean;
};
type Line = { readonly path: string; readonly line: number; readonly column: number; readonly text: string };

const TEXT_MAX = 2_000;
/** Of files that are read for matches over lines, or for lines around a match. */
const READ_LIMITS = { fileBytesMax: 4_194_304, bytesMax: 67_108_864, filesMax: 5_000, aroundFilesMax: 500 } as const;

export async function grep(input: GrepInput, context: HandlerContext, workers: Workers): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const root = await files.locate(input.path, 'r');
  const options = {
    includeHidden: input.include_ignored,
    includeIgnored: input.include_ignored,
    glob: input.glob,
    missingType: 'DirectoryNotFound',
  };
  const { chosen, isWhole } = await chooseFiles(files, root, options);
  const found = input.multiline ? await overLines(files, chosen, input, workers) : await byLine(files, chosen, input, workers);
  const isCut = !isWhole || !found.isWhole;
  if (input.mode !== 'lines') {
    const counted = [...Map.groupBy(found.lines, ({ path }) => path)].map(([path, lines]) => ({
      path,
      count: input.mode === 'files' ? 1 : lines.length,
    }));
    const total = input.mode === 'files' ? counted.length : found.total;
    return { output: { files: counted.slice(0, input.max_results), total, truncated: isCut || counted.length > input.max_results } };
  }
  const listed = found.lines.slice(0, input.max_results);
  const matches = await withLinesAround(files, listed, input.before, input.after);
  return { output: { matches, total: found.total, truncated: isCut || found.total > listed.length } };
}

type FoundLines = { readonly lines: readonly Line[]; readonly total: number; readonly isWhole: boolean };

async function byLine(files: AgentFiles, chosen: readonly ChosenFile[], input: GrepInput, workers: Workers): Promise<FoundLines> {
  const pattern = { text: input.pattern, isRegex: !input.fixed, ignoresCase: input.ignore_case, isWord: input.word };
  const { lines, isWhole } = await findLines(
    files,
    chosen.map(({ path }) => path),
    pattern,
  );
  const sorted = lines.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
  const shown = input.mode === 'lines' ? sorted.slice(0, input.max_results) : [];
  const columns = await columnsOf(
    shown.map(({ text }) => text),
    input,
    workers,
    files.signal,
  );
  return {
    lines: sorted.map((line, index) => ({ ...line, text: line.text.slice(0, TEXT_MAX), column: columns.get(index) ?? 1 })),
    total: lines.length,
    isWhole,
  };
}

/** Asked of the lines that were found; what is one to grep and none here begins at 1. */
async function columnsOf(
  texts: readonly string[],
  input: GrepInput,
  workers: Workers,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  if (texts.length === 0) return new Map();
  const request = { ...spanRequest(input), texts, isFirstOnly: true, spansMax: texts.length };
  const found = await workers.ask('spans', request, { signal, deadlineMs: 2_000 }).catch((error: unknown) => {
    if (error instanceof CapabilityError) return undefined;
    throw error;
  });
  return new Map(found?.spans.map(({ index, column }) => [index, column]));
}

async function overLines(files: AgentFiles, chosen: readonly ChosenFile[], input: GrepInput, workers: Workers): Promise<FoundLines> {
  const sources: { readonly path: string; readonly text: string }[] = [];
  let bytesLeft: number = READ_LIMITS.bytesMax;
  const readable = chosen.filter(({ size }) => size <= READ_LIMITS.fileBytesMax).slice(0, READ_LIMITS.filesMax);
  for (const { path } of readable) {
    const bytes = await files.read(path, READ_LIMITS.fileBytesMax).catch(() => undefined); // It went, or may not be read: as grep passes over it.
    files.signal.throwIfAborted();
    if (bytes === undefined || isBinary(bytes)) continue;
    bytesLeft -= bytes.length;
    if (bytesLeft < 0) break;
    sources.push({ path, text: textOf(bytes) ?? '' });
  }
  const request = { ...spanRequest(input), texts: sources.map(({ text }) => text), isFirstOnly: false, spansMax: 10_000 };
  const { spans, total } = await workers.ask('spans', request, { signal: files.signal });
  const lines = spans.map(({ index, line, column, text }) => ({ path: sources[index]?.path ?? '', line, column, text }));
  return { lines, total, isWhole: bytesLeft >= 0 && readable.length === chosen.length };
}

function spanRequest({ pattern, fixed, ignore_case: ignoresCase, word: isWord }: GrepInput) {
  return { pattern, isRegex: !fixed, ignoresCase, isWord };
}

async function withLinesAround(files: AgentFiles, lines: readonly Line[], before: number, after: number) {
  if (before === 0 && after === 0) return lines;
  const texts = new Map<string, readonly string[]>();
  for (const path of [...new Set(lines.map((line) => line.path))].slice(0, READ_LIMITS.aroundFilesMax)) {
    const bytes = await files.read(path, READ_LIMITS.fileBytesMax).catch(() => undefined); // There is still the line itself.
    files.signal.throwIfAborted();
    texts.set(
      path,
      (bytes === undefined ? '' : (textOf(bytes) ?? '')).split(/\r?\n/).map((text) => text.slice(0, TEXT_MAX)),
    );
  }
  return lines.map((found) => {
    const all = texts.get(found.path) ?? [];
    const at = found.line - 1;
    return { ...found, before: all.slice(Math.max(0, at - before), at), after: all.slice(at + 1, at + 1 + after) };
  });
}
