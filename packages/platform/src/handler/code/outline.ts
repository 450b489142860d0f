/** `code.outline`: what a source file declares. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles, contextOf, quoted } from '../internal/agent-files.ts';
import { textOrError } from '../internal/file-text.ts';
import type { Workers } from '../internal/workers.ts';
import { languageOf, type OutlineKind, type OutlineLanguageName } from './outline/outline-language.ts';
import { OUTLINE_LIMITS } from './outline/outline-source.ts';

type OutlineInput = {
  readonly path?: string;
  readonly text?: string;
  readonly language?: OutlineLanguageName;
  readonly include?: readonly OutlineKind[];
  readonly max_depth: number;
  readonly max_nodes: number;
};

export async function outline(input: OutlineInput, context: HandlerContext, workers: Workers): Promise<HandlerResult> {
  const { path, source } = await sourceOf(input, context);
  const language = input.language ?? (path === undefined ? undefined : languageOf(path));
  if (language === undefined) {
    const what = path === undefined ? 'a text without a language' : quoted(path);
    throw new CapabilityError('LanguageUnknown', `Cannot outline ${what}: its language is not known`, {
      context: path === undefined ? {} : contextOf(path),
    });
  }
  const request = {
    source,
    language,
    kinds: input.include,
    depthMax: input.max_depth,
    nodesMax: Math.min(input.max_nodes, OUTLINE_LIMITS.nodesMax),
  };
  const { nodes, syntaxErrors, lineCount, isWhole } = await workers.ask('outline', request, { signal: context.signal });
  return {
    output: {
      path: path ?? null,
      language,
      nodes: nodes.map(({ kind, name, signature, line, endLine, scope }) => ({ kind, name, signature, line, end_line: endLine, scope })),
      syntax_error: syntaxErrors[0] ?? null,
      line_count: lineCount,
      truncated: !isWhole,
    },
  };
}

async function sourceOf(
  input: OutlineInput,
  context: HandlerContext,
): Promise<{ readonly path: string | undefined; readonly source: string }> {
  if ((input.path === undefined) === (input.text === undefined)) {
    throw new CapabilityError('InvalidInput', 'Cannot outline: give either path or text', { context: { field: 'path' } });
  }
  if (input.path === undefined) {
    const source = input.text ?? '';
    if (Buffer.byteLength(source) > OUTLINE_LIMITS.sourceBytesMax)
      throw new CapabilityError('FileTooLarge', `Cannot outline more than ${OUTLINE_LIMITS.sourceBytesMax} bytes`);
    return { path: undefined, source };
  }
  const files = await AgentFiles.open(context);
  const path = await files.locate(input.path, 'r');
  await files.file(path);
  return { path, source: textOrError(await files.read(path, OUTLINE_LIMITS.sourceBytesMax), path) };
}
