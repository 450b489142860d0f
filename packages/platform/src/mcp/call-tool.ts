/** One call of a tool of others: what it answers, or which error it is. Decides what is known of a call that did not end well: that nothing was done, or that nobody knows. */
import type { CallToolResult } from '@modelcontextprotocol/client';
import type { ActContext } from '@warren/kernel';
import { isFault, type JsonValue } from '@warren/protocol';
import { isObject } from '../capability/compile-field.ts';
import { CapabilityError, type HandlerResult } from '../capability/handler.ts';
import { checkSchema } from './check-schema.ts';
import { cleanText } from './clean-text.ts';
import type { McpConnection } from './mcp-connection.ts';
import type { MountedServer } from './mounted-server.ts';
import type { Pin } from './pin-store.ts';
import type { ForeignTool } from './tool-list.ts';

const SAID_LENGTH_MAX = 2_000;
/** JSON-RPC: what cannot be asked was not done. */
const NOT_DONE: ReadonlySet<number> = new Set([-32_700, -32_600, -32_601, -32_602]);

export async function callTool(
  server: MountedServer,
  pin: Pin,
  tool: ForeignTool,
  context: ActContext,
  now: () => number,
): Promise<HandlerResult> {
  const { actor, input, signal, deadlineAt, progress } = context;
  const result = await server.use(actor.workspace, pin, signal, async (connection) => {
    try {
      return await connection.call(tool, input, {
        signal,
        timeoutMs: Math.max(1, deadlineAt - now()),
        onProgress: (message, share) => progress(message, share),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (isFault(error, 'unauthenticated')) server.wants(error.message);
      throw errorOf(error, connection, server.config.name, pin.reads.includes(tool.name));
    }
  });
  return answerOf(result, tool, { net_bytes: 'url' in server.config ? sizeOf(input) + sizeOf(result) : 0 });
}

function answerOf(result: CallToolResult, tool: ForeignTool, { net_bytes: bytes }: { readonly net_bytes: number }): HandlerResult {
  const usage = bytes === 0 ? {} : { net_bytes: bytes };
  const { content = [], structuredContent, isError } = result;
  if (isError === true)
    throw new CapabilityError('McpToolFailed', `The tool ${cleanText(tool.name, 64)} failed: ${textOf(content)}`, { usage });
  const schema = tool['outputSchema'];
  if (isObject(schema)) {
    const problems =
      structuredContent === undefined
        ? [{ field: '', reason: 'has nothing of what its schema promises' }]
        : checkSchema(schema, structuredContent as JsonValue);
    if (problems.length > 0) {
      const [{ field, reason } = { field: '', reason: '' }] = problems;
      throw new CapabilityError(
        'McpBadAnswer',
        `The answer of the tool ${cleanText(tool.name, 64)} is not what it promises: ${cleanText(`${field} ${reason}`, 300)}`,
        { usage },
      );
    }
  }
  const output = {
    content: content as unknown as JsonValue,
    ...(structuredContent !== undefined && { structured_content: structuredContent as JsonValue }),
  };
  return { output, usage }; // What came over the wire is JSON.
}

function errorOf(error: unknown, connection: McpConnection, server: string, isRead: boolean): CapabilityError {
  if (isFault(error, 'unauthenticated')) return new CapabilityError('McpServerUnavailable', cleanText(error.message, SAID_LENGTH_MAX));
  const said = error instanceof Error ? cleanText(error.message, SAID_LENGTH_MAX) : 'it says no more';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (typeof code === 'number' && !connection.isClosed)
    return NOT_DONE.has(code) || isRead
      ? new CapabilityError('McpToolFailed', `The MCP server ${server} refuses the call: ${said}`)
      : new CapabilityError('McpToolFailed', `The MCP server ${server} answers with an error: ${said}`);
  if (code === 'UNSUPPORTED_RESULT_TYPE')
    return new CapabilityError('McpToolFailed', `The MCP server ${server} asks for something before it goes on, which is given to none`);
  if (code === 'INVALID_RESULT') return new CapabilityError('McpBadAnswer', `The MCP server ${server} answers what is no result of a tool`);
  if (isRead || isUnsent(error)) return new CapabilityError('McpServerUnavailable', `The MCP server ${server} was lost: ${said}`);
  return new CapabilityError('OutcomeUnknown', `The MCP server ${server} was lost during the call: ${said}`);
}

/** The guard let nothing out, or the other side had no session to do it in. */
function isUnsent(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (isFault(each) && each.details !== undefined && 'is_sent' in each.details && each.details['is_sent'] === false) return true;
    if ('reason' in each && typeof each.reason === 'string' && UNSENT.has(each.reason)) return true;
    if ('status' in each && (each.status === 401 || each.status === 403 || each.status === 404)) return true;
  }
  return false;
}

const UNSENT: ReadonlySet<string> = new Set([
  ...['invalid_url', 'invalid_request', 'host_not_allowed', 'address_not_public', 'not_resolved', 'not_connected', 'tls_failed'],
]);

function textOf(content: readonly unknown[]): string {
  const texts = content.flatMap((each) => (isObject(each) && typeof each['text'] === 'string' ? [each['text']] : []));
  return texts.length === 0 ? 'it says no more' : cleanText(texts.join(' '), SAID_LENGTH_MAX);
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
