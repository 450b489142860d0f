/** Messages of the versions with sessions. */
import { isFault } from '@warren/protocol';
import { askedSeat } from '../../caller/asked-seat.ts';
import { headerOf } from '../../http/header.ts';
import { refuseTooFast } from '../../http/refuse-too-fast.ts';
import { sendJson } from '../../http/reply.ts';
import { errorText, resultText } from '../engine/messages.ts';
import { type McpMessage, type McpRequest, readMessage } from '../engine/read-message.ts';
import { refuseBatch } from '../engine/refuse-batch.ts';
import { BATCH_VERSION } from '../engine/versions.ts';
import { VERSION_HEADER } from './check-headers.ts';
import { findSession, SESSION_HEADER } from './find-session.ts';
import type { HttpSession } from './http-session.ts';
import { type Post, PostReply } from './post.ts';
import { sendMcpError } from './refuse-mcp.ts';

type Valid = Exclude<McpMessage, { readonly kind: 'invalid' }>;

export async function beginSession({ id, params }: McpRequest, { request, response, identity, gateway }: Post): Promise<void> {
  const { mcp } = gateway;
  try {
    const host = await mcp.openHost(identity, askedSeat(request));
    const session = mcp.sessions.begin({ host, explain: mcp.explain }, params, identity);
    sendJson(response, 200, resultText(id, session.session.describe()), { [SESSION_HEADER]: session.id });
  } catch (error) {
    sendMcpError(response, isFault(error, 'busy') ? 503 : 400, mcp.explain(error), id);
  }
}

export async function postToSession(message: Valid, post: Post): Promise<void> {
  const { request, response, identity, gateway } = post;
  const session = findSession(request, response, identity, gateway);
  if (session === undefined) return;
  if (message.kind === 'request') return await answer(session, post, (reply) => session.session.request(message, reply.stream));
  tell(message, session);
  response.writeHead(202).end();
}

export async function postBatch(values: readonly unknown[], post: Post): Promise<void> {
  const { request, response, identity, gateway } = post;
  const { batchMax, textMax } = gateway.mcp.limits;
  // Of a version without sessions there is none to find.
  const early = refuseBatch(headerOf(request, VERSION_HEADER) ?? BATCH_VERSION, values.length, batchMax);
  if (early !== undefined) return sendMcpError(response, 400, early);
  const session = findSession(request, response, identity, gateway);
  if (session === undefined) return;
  const refusal = refuseBatch(session.session.version, values.length, batchMax);
  if (refusal !== undefined) return sendMcpError(response, 400, refusal);
  const waitMs = gateway.rates.takeMore(identity, values.length - 1);
  if (waitMs > 0) return refuseTooFast(response, waitMs);
  const messages = values.map((value) => readMessage(value, textMax));
  if (messages.every(({ kind }) => kind === 'notification' || kind === 'response')) {
    for (const message of messages) if (message.kind === 'notification' || message.kind === 'response') tell(message, session);
    return void response.writeHead(202).end();
  }
  await answer(session, post, async (reply) => {
    const answers = await Promise.all(messages.map((message) => answerOne(message, session, reply)));
    const given = answers.filter((text) => text !== undefined);
    return given.length === 0 ? undefined : `[${given.join(',')}]`;
  });
}

async function answerOne(message: McpMessage, session: HttpSession, reply: PostReply): Promise<string | undefined> {
  if (message.kind === 'invalid') return errorText(message.id, message.error);
  if (message.kind === 'request') return await session.session.request(message, reply.stream);
  tell(message, session);
  return undefined;
}

/** A connection that breaks cancels nothing: the client may come back for the rest of the stream. */
async function answer(session: HttpSession, post: Post, run: (reply: PostReply) => Promise<string | undefined>): Promise<void> {
  const { response, gateway } = post;
  const reply = new PostReply(post, {
    openStream: () => session.openStream(response),
    onRevoked: () => gateway.mcp.sessions.end(session),
    headers: { [SESSION_HEADER]: session.id },
  });
  await reply.finish(await run(reply));
  session.forgetOld();
  session.touch();
}

function tell(message: Exclude<Valid, McpRequest>, { session }: HttpSession): void {
  if (message.kind === 'notification') session.notification(message);
  else session.response(message);
}
