/** `code.diff`: two files or two texts. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { textOrError } from '../internal/file-text.ts';
import type { Workers } from '../internal/workers.ts';

type DiffInput = {
  readonly path_a?: string;
  readonly path_b?: string;
  readonly text_a?: string;
  readonly text_b?: string;
  readonly context_lines: number;
  readonly label_a?: string;
  readonly label_b?: string;
};

export const DIFF_LIMITS = { sideBytesMax: 4_194_304, outputCharactersMax: 524_288, timeoutMs: 8_000 } as const;

export async function diff(input: DiffInput, context: HandlerContext, workers: Workers): Promise<HandlerResult> {
  const [a, b] = await sidesOf(input, context);
  for (const label of [a.label, b.label]) {
    if (/[\n\r\0]/.test(label))
      throw new CapabilityError('InvalidInput', 'Cannot compare: a label goes over lines', { context: { field: 'label_a' } });
  }
  const request = {
    oldName: a.label,
    newName: b.label,
    oldText: a.text,
    newText: b.text,
    contextLines: input.context_lines,
    timeoutMs: DIFF_LIMITS.timeoutMs,
  };
  const { text } = await workers.ask('diff', request, { signal: context.signal });
  const isCut = text.length > DIFF_LIMITS.outputCharactersMax;
  const shown = isCut ? text.slice(0, text.lastIndexOf('\n', DIFF_LIMITS.outputCharactersMax) + 1) : text;
  return {
    output: {
      diff: shown,
      label_a: a.label,
      label_b: b.label,
      lines_a: countLines(a.text),
      lines_b: countLines(b.text),
      identical: a.text === b.text,
      diff_lines: countLines(shown),
      truncated: isCut,
      context_lines: input.context_lines,
    },
  };
}

type Side = { readonly label: string; readonly text: string };

async function sidesOf(input: DiffInput, context: HandlerContext): Promise<readonly [Side, Side]> {
  const { path_a: pathA, path_b: pathB, text_a: textA, text_b: textB } = input;
  if (pathA !== undefined && pathB !== undefined && textA === undefined && textB === undefined) {
    const files = await AgentFiles.open(context);
    const [realA = '', realB = ''] = await files.locateAll([pathA, pathB], 'r');
    return [await sideOf(files, realA, input.label_a), await sideOf(files, realB, input.label_b)];
  }
  if (pathA === undefined && pathB === undefined && textA !== undefined && textB !== undefined) {
    for (const text of [textA, textB]) {
      if (Buffer.byteLength(text) > DIFF_LIMITS.sideBytesMax)
        throw new CapabilityError('FileTooLarge', `Cannot compare a text of more than ${DIFF_LIMITS.sideBytesMax} bytes`);
    }
    return [
      { label: input.label_a ?? 'a', text: textA },
      { label: input.label_b ?? 'b', text: textB },
    ];
  }
  throw new CapabilityError('InvalidInput', 'Cannot compare: give path_a and path_b, or text_a and text_b', {
    context: { field: 'path_a' },
  });
}

async function sideOf(files: AgentFiles, path: string, label: string | undefined): Promise<Side> {
  await files.file(path);
  return { label: label ?? path, text: textOrError(await files.read(path, DIFF_LIMITS.sideBytesMax), path) };
}

function countLines(text: string): number {
  let count = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
