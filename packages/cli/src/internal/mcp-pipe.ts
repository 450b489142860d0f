/**
 * Passes messages between a client and the daemon. It understands only as much of them as it takes to go on with a daemon that was started anew: it begins the
 * session again as the client began it, and answers what was under way, for nobody else will.
 */
import { isFault, JSON_RPC_ERRORS, type JsonObject } from '@warren/protocol';
import type { McpWire, OpenMcpWire } from './mcp-wire.ts';

export type McpPipeParts = {
  readonly open: OpenMcpWire;
  /** One message for the client. Resolves when there is room for more. */
  readonly write: (text: string) => Promise<void>;
  /** For people. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

type Message = { readonly id?: unknown; readonly method?: unknown; readonly params?: unknown };

/** Between two attempts, from the first to the last and all after it. */
const PAUSES_MS = [50, 100, 250, 500, 1_000, 2_000];
/** Messages that wait for a connection. More are answered with an error. */
const WAITING_MAX = 256;
const UNDER_WAY_MAX = 4_096;
/** What the client wants to hear of, to be said again. */
const WISHES_MAX = 128;
/** Characters the client has not taken before nothing more is read from the daemon. */
const UNWRITTEN_MAX = 1_048_576;
const OWN_ID = 'warren-mcp-';

export class McpPipe {
  readonly #parts: McpPipeParts;
  #wire: McpWire | undefined;
  /** By its text: what the client waits for an answer to. */
  readonly #underWay = new Map<string, unknown>();
  readonly #waiting: string[] = [];
  /** What begins the session, and then what the client wants to hear of: by what it is about. */
  #initialize: Message | undefined;
  #isInitialized = false;
  readonly #wishes = new Map<string, Message>();
  readonly #ownAnswers = new Map<string, () => void>();
  #lastOwnId = 0;
  #unwritten = 0;
  #isEnding = false;
  readonly #failed = Promise.withResolvers<never>();
  #whenIdle: (() => void) | undefined;

  constructor(parts: McpPipeParts) {
    this.#parts = parts;
    this.#failed.promise.catch(() => {}); // Heard of by whoever waits for it.
  }

  /** Rejects when it cannot go on: there is no such agent any more, say. Otherwise never settles. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** The first connection; rejects when there is none to be had. */
  async begin(): Promise<void> {
    await this.#connect();
  }

  /** A message of the client. Resolves when there is room for more. */
  async take(text: string): Promise<void> {
    const message = read(text);
    if (message === undefined)
      return await this.#write(failureText(null, JSON_RPC_ERRORS.parse_error, 'Cannot read the message: it is not JSON'));
    if (!Array.isArray(message)) this.#note(message);
    if (this.#wire !== undefined) return await this.#wire.send(text);
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(text);
    else this.#answerLost(message);
  }

  /** Resolves when every request of the client is answered. */
  async idle(): Promise<void> {
    if (this.#underWay.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  close(): void {
    this.#isEnding = true;
    this.#wire?.close();
  }

  /** What a daemon that knows nothing yet has to be told again. */
  #note(message: Message): void {
    const { id, method, params } = message;
    if (typeof method !== 'string') return;
    if (method === 'notifications/initialized') this.#isInitialized = true;
    if (method === 'initialize') this.#initialize = message;
    if (method === 'logging/setLevel') this.#wishes.set(method, message);
    const { uri } = isObject(params) ? params : {};
    if (method === 'resources/subscribe' && this.#wishes.size < WISHES_MAX) this.#wishes.set(`subscribe ${String(uri)}`, message);
    if (method === 'resources/unsubscribe') this.#wishes.delete(`subscribe ${String(uri)}`);
    if (id !== undefined && this.#underWay.size < UNDER_WAY_MAX) this.#underWay.set(JSON.stringify(id), id);
  }

  async #connect(): Promise<void> {
    const { open, signal } = this.#parts;
    const gone = Promise.withResolvers<void>();
    const wire = await open({ onMessage: (text) => this.#pass(text), onClose: () => gone.resolve() }, signal);
    // Not before it knows what it has to know is it used for anything else.
    await Promise.race([this.#restore(wire), gone.promise]);
    this.#wire = wire;
    void gone.promise.then(() => this.#lost());
    for (const text of this.#waiting.splice(0)) await wire.send(text);
  }

  async #restore(wire: McpWire): Promise<void> {
    // The first time there is nothing to restore: the client says it all itself.
    if (this.#initialize === undefined || !this.#isInitialized) return;
    await this.#ask(wire, this.#initialize);
    await wire.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    for (const wish of this.#wishes.values()) await this.#ask(wire, wish);
    // Nobody knows what changed meanwhile.
    await this.#write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }));
  }

  /** A request of our own, whose answer is nobody else's. */
  async #ask(wire: McpWire, { method, params }: Message): Promise<void> {
    const id = `${OWN_ID}${++this.#lastOwnId}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ownAnswers.set(id, resolve);
    await wire.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    await promise;
  }

  /** A message of the daemon. */
  #pass(text: string): void {
    for (const message of messagesOf(text)) {
      const { id, method } = message;
      if (method !== undefined || id === undefined) continue;
      const own = typeof id === 'string' ? this.#ownAnswers.get(id) : undefined;
      if (own !== undefined) {
        this.#ownAnswers.delete(String(id));
        own();
        return;
      }
      this.#settle(id);
    }
    this.#unwritten += text.length;
    if (this.#unwritten > UNWRITTEN_MAX) this.#wire?.pause();
    this.#write(text).then(
      () => {
        this.#unwritten -= text.length;
        if (this.#unwritten <= UNWRITTEN_MAX) this.#wire?.resume();
      },
      (error: unknown) => this.#failed.reject(error),
    );
  }

  #settle(id: unknown): void {
    this.#underWay.delete(JSON.stringify(id));
    if (this.#underWay.size === 0) this.#whenIdle?.();
  }

  async #write(text: string): Promise<void> {
    // A line is a message, whatever the daemon writes.
    await this.#parts.write(`${text.replaceAll('\n', ' ')}\n`);
  }

  #lost(): void {
    this.#wire = undefined;
    if (this.#isEnding || this.#parts.signal.aborted) return;
    for (const own of this.#ownAnswers.values()) own();
    this.#ownAnswers.clear();
    for (const id of [...this.#underWay.values()]) this.#answerLost({ id });
    this.#parts.say('the connection to the daemon was lost');
    this.#reconnect().catch((error: unknown) => this.#failed.reject(error));
  }

  #answerLost(message: Message): void {
    const { id } = message;
    if (id === undefined) return;
    this.#settle(id);
    const text = failureText(id, -32_000, 'The connection to Warren was lost; whether it was carried out is not known');
    this.#write(text).catch((error: unknown) => this.#failed.reject(error));
  }

  async #reconnect(): Promise<void> {
    const { signal, sleep, say } = this.#parts;
    for (let attempt = 0; !this.#isEnding; attempt++) {
      await sleep(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 0, signal);
      try {
        await this.#connect();
        say('connected to the daemon again');
        return;
      } catch (error) {
        const isTemporary = isFault(error, 'unavailable') || isFault(error, 'busy');
        if (!isTemporary) throw error;
      }
    }
  }
}

/** Undefined: it is not JSON. */
function read(text: string): (Message & { readonly [key: string]: unknown }) | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Message & { readonly [key: string]: unknown }) : {}; // Whatever its fields are.
  } catch {
    return undefined;
  }
}

function messagesOf(text: string): readonly Message[] {
  const value = read(text);
  if (value === undefined) return [];
  return Array.isArray(value) ? value.filter((each: unknown) => typeof each === 'object' && each !== null) : [value];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function failureText(id: unknown, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
}
