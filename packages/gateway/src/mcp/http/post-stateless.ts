/** Messages of the version without sessions. */
import type { JsonRpcError } from '@warren/protocol';
import { askedSeat, seatKey } from '../../caller/asked-seat.ts';
import { LISTEN } from '../engine/listen.ts';
import { HEADER_MISMATCH, McpError, METHOD_NOT_FOUND, MISSING_CAPABILITY, SERVER_ERROR, UNSUPPORTED_VERSION } from '../engine/mcp-error.ts';
import { errorText, resultText } from '../engine/messages.ts';
import type { McpMessage, McpRequest } from '../engine/read-message.ts';
import { readEnvelope, runStateless } from '../engine/stateless.ts';
import type { McpHost } from '../host.ts';
import { checkHeaders, checkParameters } from './check-headers.ts';
import { listenOverHttp } from './listen-over-http.ts';
import { createPlainStream } from './plain-stream.ts';
import { type Post, PostReply } from './post.ts';
import { refuseMcp, sendMcpError } from './refuse-mcp.ts';

export async function postStateless(message: McpMessage, post: Post): Promise<void> {
  const { request, response, identity, gateway } = post;
  const { mcp } = gateway;
  // There is nothing a client has to tell in this version: it cancels by closing the connection.
  if (message.kind === 'notification') return void response.writeHead(202).end();
  if (message.kind !== 'request') return refuseMcp(response, 400, 'Cannot take the message: in this version clients send no responses');
  let host: McpHost;
  try {
    checkHeaders(request, message);
    readEnvelope(message.params);
    host = await mcp.openHost(identity, askedSeat(request));
    checkParameters(request, message, host);
    if (message.method === LISTEN) return listenOverHttp(message, host, post);
  } catch (error) {
    const explained = mcp.explain(error);
    return sendMcpError(response, statusOf(explained, 400), explained, message.id);
  }
  await answer(message, host, post);
}

/** Who closes the connection cancels. */
async function answer(message: McpRequest, host: McpHost, post: Post): Promise<void> {
  const { request, response, identity, gateway } = post;
  const { mcp } = gateway;
  const cancel = new AbortController();
  response.once('close', () => {
    // Most of the time because all is said.
    if (!response.writableFinished) cancel.abort(new McpError(SERVER_ERROR, 'The client is gone'));
  });
  const reply = new PostReply(post, {
    openStream: () => createPlainStream(response),
    onRevoked: () => cancel.abort(new McpError(SERVER_ERROR, 'The token is no longer good')),
  });
  const parts = { host, limits: mcp.limits, states: mcp.states, caller: () => seatKey(identity, askedSeat(request)) };
  try {
    await reply.finish(resultText(message.id, await runStateless(message, parts, reply.stream, cancel.signal)));
  } catch (error) {
    const explained = cancel.signal.aborted
      ? { code: SERVER_ERROR, message: 'Cannot answer: the request was cancelled' }
      : mcp.explain(error);
    await reply.finish(errorText(message.id, explained), statusOf(explained, 200));
  }
}

const BAD: ReadonlySet<number> = new Set([HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION]);

function statusOf({ code }: JsonRpcError, otherwise: number): number {
  if (code === METHOD_NOT_FOUND) return 404;
  return BAD.has(code) ? 400 : otherwise;
}
