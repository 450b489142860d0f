/** `POST /mcp`: reads the message and finds out of which era it is. */

import { headerOf } from '../../http/header.ts';
import { Hold } from '../../http/hold.ts';
import { readBody } from '../../http/read-body.ts';
import { refuse } from '../../http/reply.ts';
import { readJson } from '../../jsonrpc/read-json.ts';
import { type McpMessage, readMessage } from '../engine/read-message.ts';
import { isStateless } from '../engine/stateless.ts';
import { isSessionVersion } from '../engine/versions.ts';
import { VERSION_HEADER } from './check-headers.ts';
import type { Exchange, Post } from './post.ts';
import { beginSession, postBatch, postToSession } from './post-session.ts';
import { postStateless } from './post-stateless.ts';
import { refuseMcp, sendMcpError } from './refuse-mcp.ts';
import { takesOf } from './takes.ts';

export async function postMcp(exchange: Exchange): Promise<void> {
  const { request, response, gateway } = exchange;
  const { limits, held, mcp, readLimits } = gateway;
  const takes = takesOf(request);
  if (!takes.json && !takes.events) {
    return refuseMcp(response, 406, 'Cannot answer: the Accept header names neither application/json nor text/event-stream');
  }
  const hold = new Hold(held, limits.smallBytes);
  response.once('close', () => hold.clear());
  const read = await readBody(request, limits.bodyBytesMax, hold);
  if (read.kind === 'gone') return;
  if (read.kind === 'refused') return refuse(response, read);
  const json = readJson(read.body, readLimits);
  if (json.kind === 'refused') return sendMcpError(response, 400, json.error);
  const { value } = json;
  const post = { ...exchange, hold };
  await mcp.during(() => (Array.isArray(value) ? postBatch(value, post) : postOne(value, post)));
}

async function postOne(value: unknown, post: Post): Promise<void> {
  const { response, gateway } = post;
  const message = readMessage(value, gateway.mcp.limits.textMax);
  if (message.kind === 'invalid') return sendMcpError(response, 400, message.error, message.id);
  if (isOfStatelessEra(message, post)) return await postStateless(message, post);
  if (message.kind === 'request' && message.method === 'initialize') return await beginSession(message, post);
  await postToSession(message, post);
}

/** A message says of which era it is by what only that era has. */
function isOfStatelessEra(message: McpMessage, { request }: Post): boolean {
  const version = headerOf(request, VERSION_HEADER);
  if (version !== undefined && !isSessionVersion(version)) return true;
  return (message.kind === 'request' || message.kind === 'notification') && isStateless(message.params);
}
