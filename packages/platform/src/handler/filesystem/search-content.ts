/** `filesystem.search_content`: lines of files, counted or the best of them with what is around. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { chooseFiles } from '../internal/chosen-files.ts';
import { textOf } from '../internal/file-text.ts';
import { type FoundLine, findLines } from '../internal/find-lines.ts';
import type { Workers } from '../internal/workers.ts';

type SearchContentInput = {
  readonly path: string;
  readonly pattern: string;
  readonly regex: boolean;
  readonly include_glob?: string;
  readonly include_hidden: boolean;
  readonly total_only: boolean;
  readonly count_by?: string;
  readonly files_only: boolean;
  readonly max_results: number;
  readonly context_lines: number;
};

const TEXT_MAX = 500;
const SNIPPET_MAX = 4_000;
const SNIPPET_FILE_BYTES_MAX = 4_194_304;
/** Further matches of an answer come without what is around them. */
const SNIPPET_FILES_MAX = 200;

export async function searchContent(input: SearchContentInput, context: HandlerContext, workers: Workers): Promise<HandlerResult> {
  if (input.count_by !== undefined && !input.regex) {
    throw new CapabilityError('InvalidInput', 'Cannot count by a group: the pattern is not a regular expression', {
      context: { field: 'count_by' },
    });
  }
  const files = await AgentFiles.open(context);
  const root = await files.locate(input.path, 'r');
  const { chosen, isWhole } = await chooseFiles(files, root, {
    includeHidden: input.include_hidden,
    includeIgnored: input.include_hidden,
    glob: input.include_glob,
    missingType: 'DirectoryNotFound',
  });
  const found = await findLines(
    files,
    chosen.map(({ path }) => path),
    { text: input.pattern, isRegex: input.regex },
  );
  const byPath = Map.groupBy(found.lines, ({ path }) => path);
  const common = { files_matched: byPath.size };
  const isCut = !isWhole || !found.isWhole;
  if (input.total_only || input.count_by !== undefined) {
    const { total, values } = await count(found.lines, input, workers, context.signal);
    const counts = input.total_only ? {} : { counts: values.slice(0, input.max_results) };
    return {
      output: { ...counts, ...common, total_matches: total, truncated: isCut || (!input.total_only && values.length > input.max_results) },
    };
  }
  const totals = { ...common, total_matches: found.lines.length };
  if (input.files_only) {
    const listed = [...byPath].map(([path, lines]) => ({ path, lines: lines.length }));
    return { output: { ...totals, files: listed.slice(0, input.max_results), truncated: isCut || listed.length > input.max_results } };
  }
  const best = rank(found.lines, input).slice(0, input.max_results);
  const snippets = await snippetsOf(files, best, input.context_lines);
  const matches = best.map((match, index) => ({
    path: match.path,
    line: match.line,
    text: match.text.slice(0, TEXT_MAX),
    snippet: snippets[index] ?? match.text.slice(0, TEXT_MAX),
  }));
  return { output: { ...totals, matches, truncated: isCut || found.lines.length > best.length } };
}

async function count(lines: readonly FoundLine[], input: SearchContentInput, workers: Workers, signal: AbortSignal) {
  const pattern = input.regex ? input.pattern : input.pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const group = input.total_only ? undefined : input.count_by;
  return await workers.ask('groups', { lines: lines.map(({ text }) => text), pattern, group }, { signal });
}

/** A line that declares something comes first, then whole words, then files that say it often; what is deep or a test comes later. */
function rank(lines: readonly FoundLine[], { pattern, regex }: SearchContentInput): readonly FoundLine[] {
  const frequency = Map.groupBy(lines, ({ path }) => path);
  const score = ({ path, text }: FoundLine): number => {
    const isDeclaration =
      /^\s*(export\s+|pub(\(\w+\))?\s+|public\s+|private\s+|static\s+|async\s+)*(function|def|class|interface|type|struct|enum|trait|fn|func|const|let|var)\b/.test(
        text,
      );
    const at = regex ? -1 : text.indexOf(pattern);
    const isWord = at >= 0 && !/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + pattern.length] ?? '');
    const isTest = /(^|[/._-])tests?([/._-]|$)/i.test(path);
    return (
      (isDeclaration ? 4 : 0) +
      (isWord ? 2 : 0) +
      Math.min(2, Math.log10(frequency.get(path)?.length ?? 1)) -
      (isTest ? 1 : 0) -
      path.split('/').length / 10
    );
  };
  const scored = lines.map((line) => ({ line, score: score(line) }));
  return scored
    .toSorted((a, b) => b.score - a.score || (a.line.path < b.line.path ? -1 : a.line.path > b.line.path ? 1 : a.line.line - b.line.line))
    .map(({ line }) => line);
}

async function snippetsOf(
  files: AgentFiles,
  matches: readonly FoundLine[],
  contextLines: number,
): Promise<readonly (string | undefined)[]> {
  const paths = [...new Set(matches.map(({ path }) => path))].slice(0, SNIPPET_FILES_MAX);
  const texts = new Map<string, readonly string[]>();
  for (const path of contextLines === 0 ? [] : paths) {
    const bytes = await files.read(path, SNIPPET_FILE_BYTES_MAX).catch(() => undefined); // It went, or is too large: there is still the line.
    files.signal.throwIfAborted();
    const text = bytes === undefined ? undefined : textOf(bytes);
    if (text !== undefined) texts.set(path, text.split(/\r?\n/));
  }
  return matches.map(({ path, line }) =>
    texts
      .get(path)
      ?.slice(Math.max(0, line - 1 - contextLines), line + contextLines)
      .map((text) => text.slice(0, TEXT_MAX))
      .join('\n')
      .slice(0, SNIPPET_MAX),
  );
}
