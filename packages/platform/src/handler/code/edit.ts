/** `code.edit` and `code.multi_edit`: what did not fit is an answer, not an error, and never says what is in the file. */
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { sha256, textOrError } from '../internal/file-text.ts';
import { writeAll } from '../internal/write-all.ts';
import { applyEdits, type Edit, type EditResult, EXACT_EDIT_LIMITS } from './exact-edit.ts';

type EditInput = Edit & { readonly path: string; readonly expected_sha?: string };
type MultiEditInput = { readonly path: string; readonly edits: readonly Edit[]; readonly expected_sha?: string };

export async function edit(input: EditInput, context: HandlerContext): Promise<HandlerResult> {
  return await carryOut(input.path, [input], input.expected_sha, false, context);
}

export async function multiEdit(input: MultiEditInput, context: HandlerContext): Promise<HandlerResult> {
  return await carryOut(input.path, input.edits, input.expected_sha, true, context);
}

async function carryOut(
  given: string,
  edits: readonly Edit[],
  expected: string | undefined,
  isMulti: boolean,
  context: HandlerContext,
): Promise<HandlerResult> {
  const files = await AgentFiles.open(context);
  const path = await files.locate(given, 'rw');
  const { mode } = await files.file(path);
  const before = await files.read(path, EXACT_EDIT_LIMITS.fileBytesMax);
  const actual = sha256(before);
  if (expected !== undefined && expected.toLowerCase() !== actual) return stale(actual);
  const result = applyEdits(textOrError(before, path), edits);
  if (result.kind !== 'applied') return refused(result, isMulti);
  const after = Buffer.from(result.text);
  try {
    await writeAll(files, [{ path, before, after, mode }]);
  } catch (error) {
    if (error instanceof CapabilityError && error.type === 'FileChanged') return stale(undefined);
    throw error;
  }
  return {
    output: {
      outcome: 'applied',
      path,
      replacements: result.replacements,
      match_tier: result.tier,
      bytes_before: before.length,
      bytes_after: after.length,
      lines_added: result.linesAdded,
      lines_removed: result.linesRemoved,
      checksum: sha256(after),
    },
    usage: { fs_w_bytes: after.length },
  };
}

function stale(actual: string | undefined): HandlerResult {
  const hint = 'the file changed since it was read; read it again';
  return { output: { outcome: 'stale_file', ...(actual === undefined ? {} : { actual_sha: actual }), hint } };
}

function refused(result: Exclude<EditResult, { readonly kind: 'applied' }>, isMulti: boolean): HandlerResult {
  const which = isMulti ? { failed_edit_index: result.index } : {};
  const matches =
    result.kind === 'ambiguous_match'
      ? { match_count: result.count, match_lines: result.lines, truncated: result.count > result.lines.length }
      : {};
  return { output: { outcome: result.kind, ...matches, ...which, hint: result.hint } };
}
