/** Questions of a session to its client that are not answered yet, and the answers on their way back. */
import type { JsonObject } from '@warren/protocol';
import type { Outcome } from '../host.ts';
import { McpError, SERVER_ERROR } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';
import type { MessageStream } from './message-stream.ts';
import { notificationText, requestText } from './messages.ts';
import type { McpResponse, RequestId } from './read-message.ts';

type Asked = Extract<Outcome, { readonly kind: 'ask' }>;

export class Questions {
  readonly #limits: McpLimits;
  readonly #open = new Map<RequestId, (response: McpResponse) => void>();
  #lastId = 0;

  constructor(limits: McpLimits) {
    this.#limits = limits;
  }

  /** What nobody asked is ignored. */
  answer(response: McpResponse): void {
    const take = this.#open.get(response.id);
    this.#open.delete(response.id);
    take?.(response);
  }

  /**
   * Asks over the stream of the request that needs it. Resolves with the answers by name, or with undefined when they are not needed any more; rejects when `signal`
   * fires, when nobody answers in time, and when the client refuses. The client is told that what it has not answered by then is of no use.
   */
  async ask({ questions, until }: Asked, stream: MessageStream, signal: AbortSignal): Promise<JsonObject | undefined> {
    const entries = Object.entries(questions);
    if (this.#open.size + entries.length > this.#limits.questionsMax) {
      throw new McpError(
        SERVER_ERROR,
        `Cannot ask the client: ${this.#open.size} questions are open, the limit is ${this.#limits.questionsMax}`,
      );
    }
    const over = new AbortController();
    const ids: RequestId[] = [];
    try {
      const either = AbortSignal.any([signal, over.signal, AbortSignal.timeout(this.#limits.questionMs)]);
      const answered = Promise.all(
        entries.map(async ([name, { method, params }]) => {
          const { promise, resolve } = Promise.withResolvers<McpResponse>();
          const id = `warren-${++this.#lastId}`;
          ids.push(id);
          this.#open.set(id, resolve);
          if (!stream.send(requestText(id, method, params), { mayDrop: false })) throw unasked();
          return [name, answerOf(method, await orAborted(promise, either))] as const;
        }),
      ).then((answers): JsonObject => Object.fromEntries(answers));
      if (until === undefined) return await answered;
      answered.catch(() => {}); // Heard of in the race, or not needed.
      return await Promise.race([answered, until(either).then(() => undefined)]);
    } finally {
      for (const id of ids) {
        if (this.#open.delete(id)) stream.send(notificationText('notifications/cancelled', { requestId: id }), { mayDrop: true });
      }
      over.abort();
    }
  }
}

function unasked(): McpError {
  return new McpError(SERVER_ERROR, 'Cannot ask the client: it takes no stream of events');
}

function answerOf(method: string, { result, error }: McpResponse): JsonObject {
  if (result !== undefined) return result;
  // Who cannot show a form has not agreed to anything.
  if (method === 'elicitation/create') return { action: 'cancel' };
  throw new McpError(SERVER_ERROR, `Cannot go on: the client does not answer ${method}: ${error?.message ?? ''}`);
}

function orAborted<T>(waited: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    waited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
