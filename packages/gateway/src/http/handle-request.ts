/** From a request to whoever answers it: the version, the browser's walls, the route, who is calling, and how often. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Fault, isFault } from '@warren/protocol';
import { authenticate } from './authenticate.ts';
import { checkBrowser } from './check-browser.ts';
import { acceptVersion } from './check-version.ts';
import type { Entry } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { declaredLength } from './read-body.ts';
import { readTarget } from './read-target.ts';
import { refuseTooFast } from './refuse-too-fast.ts';
import { API_PREFIX, refuse, sendNothing } from './reply.ts';
import { findRoute } from './routes.ts';

/** `isWaitingToSend`: the client asks before it sends its body (`Expect: 100-continue`). Never rejects. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  entry: Entry,
  gateway: Gateway,
  isWaitingToSend = false,
): Promise<void> {
  // Without it an aborted connection would be an uncaught error.
  response.on('error', () => {});
  if (gateway.stopping.aborted) response.shouldKeepAlive = false;
  try {
    await route(request, response, entry, gateway, isWaitingToSend);
  } catch (error) {
    answerFailure(response, error, gateway);
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  entry: Entry,
  gateway: Gateway,
  isWaitingToSend: boolean,
): Promise<void> {
  if (!acceptVersion(request, response)) return;
  const { path, query } = readTarget(request);
  const found = findRoute(path);
  const answer = found?.get(request.method ?? '');
  const foreign = checkBrowser(request, entry, answer?.kind === 'open' && answer.isReturn);
  if (foreign !== undefined) return refuse(response, { fault: foreign });
  if (found === undefined) return refuse(response, { fault: new Fault('not_found', 'Cannot answer: there is nothing at this path') });
  if (answer === undefined) {
    const methods = [...found.keys(), ...(path.startsWith(API_PREFIX) ? ['OPTIONS'] : [])];
    const headers = { allow: methods.join(', ') };
    if (request.method === 'OPTIONS' && methods.includes(request.method)) return sendNothing(response, headers);
    const fault = new Fault('unsupported', `Cannot answer: this path has ${methods.join(' and ')} only`);
    return refuse(response, { fault, status: 405, headers });
  }
  const exchange = { request, response, query, entry };
  if (answer.kind === 'open') {
    if (isWaitingToSend) letSend(request, response, gateway);
    return await answer.run(exchange, gateway);
  }
  const who = await authenticate(request, entry, answer.cookies, gateway);
  if (who.kind === 'refused') return refuse(response, who.refusal);
  const waitMs = gateway.rates.take(who.identity);
  if (waitMs > 0) return refuseTooFast(response, waitMs);
  if (who.setCookie !== undefined) response.setHeader('set-cookie', who.setCookie);
  if (isWaitingToSend) letSend(request, response, gateway);
  await answer.run(exchange, who.identity, gateway);
}

function letSend(request: IncomingMessage, response: ServerResponse, { limits }: Gateway): void {
  // A body that was not asked for would be read as the next request.
  if (declaredLength(request) > limits.bodyBytesMax) response.shouldKeepAlive = false;
  else response.writeContinue();
}

function answerFailure(response: ServerResponse, error: unknown, { log }: Gateway): void {
  const isTheirs = isFault(error) && error.code !== 'internal';
  if (!isTheirs) log.error('A request failed', { stack: error instanceof Error ? error.stack : typeof error });
  refuse(response, { fault: isTheirs ? error : new Fault('internal', 'Cannot answer: an error of ours, which is in the log') });
}
