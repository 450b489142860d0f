/**
 * Stands where a program expects its model, on this machine: it asks once for one tool, takes what comes of it and ends its turn. So a program can be tried whole, from
 * the list of tools it sends its model to the call it makes, without an account anywhere.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { JsonObject } from '@warren/protocol';
import { anthropicMessages } from './anthropic-messages.ts';
import type { Dialect, Turn } from './dialect.ts';
import { geminiContent } from './gemini-content.ts';
import { openAiResponses } from './openai-responses.ts';

const DIALECTS: readonly Dialect[] = [anthropicMessages, openAiResponses, geminiContent];

/** The tool of Claude Code that loads others by their name: it tells its model of many tools by name only. */
const SEARCH = 'ToolSearch';
const SEARCH_INPUT = { query: 'select:mcp__warren__filesystem__write', max_results: 1 };
/** A program that does not understand the answers asks for ever. */
const REQUESTS_MAX = 10;

/** `tool`: how the name of the tool ends; what stands before it is the program's. */
export type Wanted = { readonly tool: RegExp; readonly input: JsonObject };

export class StandInModel implements AsyncDisposable {
  readonly #server: Server;
  readonly #wanted: Wanted;
  #requests = 0;
  /** Names of tools, as the program offers them. */
  readonly offered = new Set<string>();

  private constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#server = createServer((request, response) => void this.#answer(request, response).catch((error) => response.destroy(error)));
  }

  static async start(wanted: Wanted): Promise<StandInModel> {
    const model = new StandInModel(wanted);
    model.#server.listen(0, '127.0.0.1');
    await once(model.#server, 'listening');
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // It listens on TCP.
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const body = await text(request);
    const dialect = DIALECTS.find(({ asksAt }) => asksAt(pathname));
    if (request.method !== 'POST' || dialect === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const turn = this.#turn(dialect, JSON.parse(body) as JsonObject); // The program made it.
    const events = dialect.eventsOf(turn, String(++this.#requests));
    if (pathname.endsWith(':generateContent')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(events[0]));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) {
      const name = typeof event['type'] === 'string' ? `event: ${event['type']}\n` : '';
      response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  }

  /** By what came of the calls so far, which is all a model knows, too. */
  #turn(dialect: Dialect, request: JsonObject): Turn {
    const tools = dialect.toolsOf(request);
    for (const { name } of tools) this.offered.add(name);
    const results = dialect.resultsOf(request);
    const tool = tools.find(({ name }) => this.#wanted.tool.test(name));
    const search = tools.find(({ name }) => name === SEARCH);
    const done = { say: 'Done.' };
    if (this.#requests > REQUESTS_MAX) return done;
    if (tool !== undefined) return results.length > (search === undefined ? 0 : 1) ? done : { call: tool, input: this.#wanted.input };
    return search === undefined || results.length > 0 ? done : { call: search, input: SEARCH_INPUT };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
