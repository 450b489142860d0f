/**
 * A server that speaks as the makers of models do, each in its published format: it plays turns, holds requests to the rules, and goes wrong when a turn says so. Turns are played by where the conversation is,
 * so that many can be asked at once and who comes back goes on. `url('anthropic')` is what a client of Anthropic is given; every provider has a path of its own.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServedTurn } from './served-turn.ts';
import type { Body, ServerEvent, Wire, WireRequest } from './wire.ts';
import { anthropicWire } from './wire-anthropic.ts';
import { chatWire } from './wire-chat.ts';
import { googleWire } from './wire-google.ts';
import { responsesWire } from './wire-responses.ts';

export type AskedModel = WireRequest & { readonly problems: readonly string[] };
export type FakeModelServerOptions = {
  /** Those that are taken. Default: `MODEL_KEY`. */
  readonly keys?: readonly string[];
  /** Also of a provider that needs none. Default: yes. */
  readonly needsKey?: boolean;
};

export const MODEL_KEY = 'test-Key0123456789abcdefghijklmnop';
/** Below the path of each provider, as it is in the world. */
const BASES: Readonly<Record<string, string>> = { google: '/v1beta', groq: '/openai/v1', openrouter: '/api/v1' };
const BODY_BYTES_MAX = 67_108_864;
/** What an answer that never ends is made of. */
const ENDLESS = 'and so on '.repeat(1_000);

const STATUSES: Readonly<Record<string, number>> = {
  ...{
    rate_limited: 429,
    overloaded: 503,
    key_refused: 401,
    unpaid: 402,
    unknown_model: 404,
    context_too_long: 400,
    bad_request: 400,
    refused: 400,
  },
};
const MESSAGES: Readonly<Record<string, string>> = {
  context_too_long: 'prompt is too long: 300000 tokens > 200000 maximum context length',
  refused: 'Your request was rejected as a result of our safety system (content_policy)',
  unknown_model: 'The model `none` does not exist or you do not have access to it',
};

export class FakeModelServer implements AsyncDisposable {
  /** Oldest first. */
  readonly asked: AskedModel[] = [];
  /** Answers whose connection the client closed before they ended. */
  abandoned = 0;
  turns: readonly ServedTurn[];
  readonly #server: Server;
  readonly #options: FakeModelServerOptions;
  readonly #ending = new AbortController();
  /** By place: how many of the turns that go wrong were played. */
  readonly #failed = new Map<number, number>();
  #onAbandoned: (() => void)[] = [];

  private constructor(server: Server, turns: readonly ServedTurn[], options: FakeModelServerOptions) {
    this.#server = server;
    this.turns = turns;
    this.#options = options;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch(() => response.destroy()); // The client went away.
    });
  }

  static async start(turns: readonly ServedTurn[], options: FakeModelServerOptions = {}): Promise<FakeModelServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeModelServer(server, turns, options);
  }

  /** Where a client of this provider is pointed. */
  url(provider: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${provider}${BASES[provider] ?? '/v1'}`; // It listens on a port.
  }

  /** Resolves when a client has closed a connection in the middle of an answer. */
  async untilAbandoned(): Promise<void> {
    if (this.abandoned > 0) return;
    await new Promise<void>((resolve) => this.#onAbandoned.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once('close', () => {
      if (response.writableFinished || this.#ending.signal.aborted) return;
      this.abandoned++;
      for (const tell of this.#onAbandoned.splice(0)) tell();
    });
    const read = await readRequest(request);
    const wire = wireOf(read);
    if (wire === undefined) return sendJson(response, 404, { error: { message: `There is nothing at ${read.path}` } });
    const problems = wire.problems(read);
    this.asked.push({ ...read, problems });
    const { keys = [MODEL_KEY], needsKey = true } = this.#options;
    const key = wire.keyOf(read.headers);
    if (needsKey && (key === undefined || !keys.includes(key)))
      // Some do repeat it.
      return sendJson(
        response,
        401,
        wire.error(401, 'key_refused', `Incorrect API key provided: ${key}; headers were ${JSON.stringify(read.headers)}`),
      );
    if (problems.length > 0) return sendJson(response, 400, wire.error(400, 'bad_request', problems.join('; ')));
    const place = wire.placeOf(read.body);
    const turn = this.#next(place);
    if (turn === undefined) return sendJson(response, 500, wire.error(500, 'overloaded', 'The script has ended'));
    await this.#play(wire, turn, read, place, response);
  }

  #next(place: number): ServedTurn | undefined {
    let answers = 0;
    const group = this.turns.filter((turn) => (turn.fault === undefined ? answers++ : answers) === place);
    const failed = this.#failed.get(place) ?? 0;
    const turn = group[failed];
    if (turn?.fault === undefined) this.#failed.delete(place);
    else this.#failed.set(place, failed + 1);
    return turn;
  }

  async #play(wire: Wire, turn: ServedTurn, request: WireRequest, place: number, response: ServerResponse): Promise<void> {
    const { fault, retryAfterMs } = turn;
    const saysNothing = turn.text === undefined && turn.reasoning === undefined && turn.calls === undefined;
    const status = fault === undefined ? undefined : fault === 'overloaded' && wire === anthropicWire ? 529 : STATUSES[fault];
    if (saysNothing && fault !== undefined && status !== undefined) {
      if (retryAfterMs !== undefined) response.setHeader('retry-after', String(retryAfterMs / 1_000));
      return sendJson(response, status, wire.error(status, fault, MESSAGES[fault] ?? `It is ${fault}`));
    }
    if (saysNothing && fault === 'timeout') return; // It never says anything.
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    const events = wire.events(turn, request, place);
    const told = fault === undefined ? events : events.slice(0, lastSaid(events, wire));
    for (const event of told) {
      if (turn.pauseMs !== undefined) await sleep(turn.pauseMs, undefined, { signal: this.#ending.signal });
      await send(response, event);
    }
    if (fault === undefined) {
      if (wire.hasDone) response.write('data: [DONE]\n\n');
      response.end();
      return;
    }
    await this.#goWrong(fault, wire, told, response);
  }

  async #goWrong(fault: string, wire: Wire, told: readonly ServerEvent[], response: ServerResponse): Promise<void> {
    if (fault === 'timeout') return; // Silence.
    if (fault === 'garbled') response.write('data: {"type": "mess\n\n');
    else if (fault === 'answer_too_large') return await sendForEver(response, told.at(-1));
    else if (fault === 'overloaded') for (const event of wire.errorEvents('Overloaded')) await send(response, event);
    if (fault !== 'cut') return void response.end();
    // What was written is to arrive before the connection breaks.
    await new Promise((resolve) => response.write('\n', resolve));
    response.socket?.end(() => response.socket?.destroy());
  }
}

/** What is said before something goes wrong is no whole answer: without what ends it, and without the end of its last piece. */
function lastSaid(events: readonly ServerEvent[], wire: Wire): number {
  const isEnd = ({ data }: ServerEvent): boolean => {
    const text = JSON.stringify(data);
    return /"(?:content_block_stop|message_delta|message_stop|response\.(?:output_text|content_part|output_item|function_call_arguments|reasoning_summary_text|reasoning_summary_part)\.done|response\.(?:completed|incomplete))"|"finish_?[rR]eason":"/.test(
      text,
    );
  };
  const first = events.findIndex((event, index) => isEnd(event) && events.slice(index).every((each) => isEnd(each) || wire.hasDone));
  return first === -1 ? events.length : first;
}

async function send(response: ServerResponse, { event, data }: ServerEvent): Promise<void> {
  const bytes = Buffer.from(`${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
  const middle = Math.floor(bytes.length / 2); // Also in the middle of a character.
  for (const piece of [bytes.subarray(0, middle), bytes.subarray(middle)])
    if (!response.write(piece) && !response.destroyed) await drained(response);
}

/** Or closed. */
async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

async function sendForEver(response: ServerResponse, event: ServerEvent | undefined): Promise<void> {
  const text = JSON.stringify(event ?? { data: {} });
  const longer = JSON.parse(
    text.replace(/"(?:text|delta|content|partial_json|thinking|reasoning)":"[^"]*"/, (said) => `${said.slice(0, -1)}${ENDLESS}"`),
  );
  while (!response.destroyed) await send(response, longer);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readRequest(request: IncomingMessage): Promise<WireRequest> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) throw new Error('The request is too large');
    pieces.push(piece);
  }
  const [, provider = '', path = ''] = /^\/([\w-]+)(\/.*)$/.exec(request.url ?? '') ?? [];
  const body = JSON.parse(Buffer.concat(pieces).toString() || '{}') as Body; // A client that sends no JSON gets no answer.
  return { provider, path, headers: request.headers, body };
}

function wireOf({ path }: WireRequest): Wire | undefined {
  if (path === '/v1/messages') return anthropicWire;
  if (path === '/v1/responses') return responsesWire;
  if (path.endsWith('/chat/completions')) return chatWire;
  return path.includes(':streamGenerateContent') ? googleWire : undefined;
}
