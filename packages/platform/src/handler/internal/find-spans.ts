/** Where a pattern matches in texts, also over lines. */
import { compilePattern } from './compile-pattern.ts';

export type SpanRequest = {
  readonly texts: readonly string[];
  readonly pattern: string;
  readonly isRegex: boolean;
  readonly ignoresCase: boolean;
  readonly isWord: boolean;
  readonly spansMax: number;
  /** Only the first of each text. */
  readonly isFirstOnly: boolean;
};
export type Span = {
  /** Of the text. */
  readonly index: number;
  /** From 1, both; columns in characters. */
  readonly line: number;
  readonly column: number;
  /** The line it begins in. */
  readonly text: string;
};
export type Spans = { readonly spans: readonly Span[]; readonly total: number };

const TEXT_MAX = 2_000;

export function findSpans(request: SpanRequest): Spans {
  const plain = request.isRegex ? request.pattern : request.pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const expression = compilePattern(request.isWord ? `\\b(?:${plain})\\b` : plain, request.ignoresCase);
  const spans: Span[] = [];
  let total = 0;
  for (const [index, text] of request.texts.entries()) {
    let line = 1;
    let lineStart = 0;
    for (const match of text.matchAll(expression)) {
      total++;
      if (spans.length < request.spansMax) {
        for (let next = text.indexOf('\n', lineStart); next >= 0 && next < match.index; next = text.indexOf('\n', lineStart)) {
          line++;
          lineStart = next + 1;
        }
        const end = text.indexOf('\n', match.index);
        const shown = text.slice(lineStart, Math.min(end < 0 ? text.length : end, lineStart + TEXT_MAX)).replace(/\r$/, '');
        spans.push({ index, line, column: [...text.slice(lineStart, Math.min(match.index, lineStart + 65_536))].length + 1, text: shown });
      }
      if (request.isFirstOnly) break;
    }
  }
  return { spans, total };
}
