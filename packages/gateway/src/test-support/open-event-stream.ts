/** A reader of server-sent events over the unix socket or TCP. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { TestGateway } from './open-test-gateway.ts';

export type StreamedEvent = { readonly id: number; readonly type: string | undefined; readonly data: Readonly<Record<string, unknown>> };

export type EventStream = Disposable & {
  readonly status: number;
  readonly response: IncomingMessage;
  /** Resolves with the next events, when there are so many. */
  take(count: number): Promise<readonly StreamedEvent[]>;
  /** What is no event: signs of life, and where the stream begins. */
  readonly comments: readonly string[];
  /** Resolves with what was left when the stream has ended. */
  ended(): Promise<readonly StreamedEvent[]>;
};

export async function openEventStream(
  on: TestGateway,
  query: string,
  {
    token,
    headers = {},
    isPaused = false,
  }: { readonly token?: string; readonly headers?: Record<string, string>; readonly isPaused?: boolean } = {},
): Promise<EventStream> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const sent = httpRequest({
    socketPath: on.socketPath,
    agent: false,
    path: `/events?${query}`,
    headers: { ...authorization, ...headers },
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage]; // What the event is declared with.
  sent.on('error', () => {}); // Being cut off is what some tests are for.
  const events: StreamedEvent[] = [];
  const comments: string[] = [];
  let rest = '';
  let hasEnded = false;
  let wake = (): void => {};
  const read = (chunk: string): void => {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      if (!block.includes('data: ')) comments.push(block);
      else events.push(parse(block));
    }
    wake();
  };
  response.setEncoding('utf8');
  response.on('close', () => {
    hasEnded = true;
    wake();
  });
  response.on('error', () => {});
  if (!isPaused) response.on('data', read);
  const until = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      wake = () => {
        if (isThere()) resolve();
        else if (hasEnded) reject(new Error('The stream has ended'));
      };
      wake();
    });
  return {
    status: response.statusCode ?? 0,
    response,
    comments,
    async take(count) {
      if (response.listenerCount('data') === 0) response.on('data', read);
      await until(() => events.length >= count);
      return events.splice(0, count);
    },
    async ended() {
      if (response.listenerCount('data') === 0) response.on('data', read);
      await until(() => hasEnded);
      return events.splice(0);
    },
    [Symbol.dispose]: () => void sent.destroy(),
  };
}

function parse(block: string): StreamedEvent {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const));
  return { id: Number(fields.get('id')), type: fields.get('event'), data: JSON.parse(fields.get('data') ?? 'null') };
}
