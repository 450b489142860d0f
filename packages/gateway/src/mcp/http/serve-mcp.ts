/**
 * `/mcp`: POST brings a message, and its response the answer; GET opens the stream for what is about no request, and DELETE ends a session, both only in the
 * versions that have sessions. Which era a message is of, it says itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Fault } from '@warren/protocol';
import type { Identity } from '../../http/authenticate.ts';
import type { Gateway } from '../../http/gateway.ts';
import { headerOf } from '../../http/header.ts';
import { LiveIdentity } from '../../http/live-identity.ts';
import { beginStream, refuse } from '../../http/reply.ts';
import { STATELESS_VERSION } from '../engine/versions.ts';
import { VERSION_HEADER } from './check-headers.ts';
import { findSession, SESSION_HEADER } from './find-session.ts';
import type { HttpSession } from './http-session.ts';
import { keepOpen } from './keep-open.ts';
import { postMcp } from './post-mcp.ts';
import { refuseMcp } from './refuse-mcp.ts';
import { takesOf } from './takes.ts';

export async function serveMcp(request: IncomingMessage, response: ServerResponse, identity: Identity, gateway: Gateway): Promise<void> {
  if (request.method === 'POST') return await postMcp({ request, response, identity, gateway });
  if (headerOf(request, VERSION_HEADER) === STATELESS_VERSION) {
    const fault = new Fault('unsupported', `Cannot answer: in version ${STATELESS_VERSION} this path has POST only`);
    return refuse(response, { fault, status: 405, headers: { allow: 'POST' } });
  }
  const session = findSession(request, response, identity, gateway);
  if (session === undefined) return;
  if (request.method === 'GET') return openStream(request, response, session, gateway);
  gateway.mcp.sessions.end(session);
  response.writeHead(204).end();
}

function openStream(request: IncomingMessage, response: ServerResponse, session: HttpSession, gateway: Gateway): void {
  const { kernel, limits, stopping, mcpStreams } = gateway;
  if (!takesOf(request).events) {
    refuseMcp(response, 406, 'Cannot open a stream: the Accept header does not name text/event-stream');
    return;
  }
  const found = session.findStream(headerOf(request, 'last-event-id'));
  if (found === undefined) {
    refuseMcp(response, 400, 'Cannot resume the stream: no such event is kept');
    return;
  }
  const place = mcpStreams.take(session.owner.principal, 'streams of MCP');
  response.once('close', () => {
    place[Symbol.dispose]();
    session.touch();
  });
  response.setHeader(SESSION_HEADER, session.id);
  response.setHeader('x-accel-buffering', 'no');
  beginStream(response);
  const live = new LiveIdentity(session.owner, kernel.tokens);
  keepOpen(response, { live, heartbeatMs: limits.heartbeatMs, stopping, end: () => void response.end() });
  session.attach(found.stream, response, found.after);
}
