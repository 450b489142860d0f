import { LiveIdentity } from '../../http/live-identity.ts';
import { beginStream } from '../../http/reply.ts';
import { Listening } from '../engine/listen.ts';
import { McpError, SERVER_ERROR } from '../engine/mcp-error.ts';
import type { McpRequest } from '../engine/read-message.ts';
import type { McpHost } from '../host.ts';
import { keepOpen } from './keep-open.ts';
import { createPlainStream } from './plain-stream.ts';
import type { Post } from './post.ts';
import { takesOf } from './takes.ts';

/** The response is the stream, until the client closes it or the daemon stops. Throws `McpError` and `busy` before anything is sent. */
export function listenOverHttp(message: McpRequest, host: McpHost, { request, response, identity, gateway }: Post): void {
  const { kernel, limits, stopping, mcpStreams, mcp } = gateway;
  if (!takesOf(request).events) throw new McpError(SERVER_ERROR, 'Cannot listen: the Accept header does not name text/event-stream');
  const place = mcpStreams.take(identity.principal, 'streams of MCP');
  response.once('close', () => place[Symbol.dispose]());
  const stream = createPlainStream(response);
  const listening = new Listening(message, host, mcp.limits, {
    send(text, options) {
      if (!response.headersSent) {
        response.setHeader('x-accel-buffering', 'no');
        beginStream(response);
      }
      return stream.send(text, options);
    },
  });
  response.on('drain', () => listening.ready());
  response.once('close', () => listening[Symbol.dispose]());
  const end = (): void => {
    stream.send(listening.endText(), { mayDrop: false });
    stream.end();
  };
  keepOpen(response, { live: new LiveIdentity(identity, kernel.tokens), heartbeatMs: limits.heartbeatMs, stopping, end });
}
