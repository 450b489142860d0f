import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../../http/authenticate.ts';
import type { Gateway } from '../../http/gateway.ts';
import { headerOf } from '../../http/header.ts';
import type { HttpSession } from './http-session.ts';
import { refuseMcp } from './refuse-mcp.ts';

export const SESSION_HEADER = 'mcp-session-id';

/** Undefined when it was refused. Of somebody else's session nothing is said, not even that there is one. */
export function findSession(
  request: IncomingMessage,
  response: ServerResponse,
  identity: Identity,
  { mcp }: Gateway,
): HttpSession | undefined {
  const id = headerOf(request, SESSION_HEADER);
  const session = id === undefined ? undefined : mcp.sessions.find(id, identity);
  if (id === undefined) refuseMcp(response, 400, 'Cannot answer: header Mcp-Session-Id is missing; initialize begins a session');
  else if (session === undefined) refuseMcp(response, 404, 'Cannot answer: there is no such session; initialize begins another');
  return session;
}
