import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonValue } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createEmbedder, type EmbedderOptions } from './create-embedder.ts';

type Asked = { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: Record<string, JsonValue> };
type Answer = (asked: Asked, response: ServerResponse) => void;

const KEY = 'pa-0123456789-a-key-of-a-provider';
const json = (response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
/** The length of a text and its place tell vectors apart. */
const vectorOf = (text: string): readonly number[] => [text.length, 1, 0];

class Provider implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`; // It listens on a port.
  }

  /** Each answer once, the last one for all that come after. */
  static async start(...answers: readonly Answer[]): Promise<Provider> {
    const server = createServer(async (request, response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk as Uint8Array); // No encoding is set.
      const asked = { path: request.url ?? '', headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
      const answer = answers[Math.min(provider.asked.length, answers.length - 1)];
      provider.asked.push(asked);
      answer?.(asked, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = new Provider(server);
    return provider;
  }

  embedder(options: Partial<EmbedderOptions> = {}) {
    const waited: number[] = [];
    const embedder = createEmbedder({
      ...{ provider: 'openai', url: this.url, keyOf: async () => KEY, now: () => Date.UTC(2030, 0, 1), random: () => 1 },
      pause: async (ms) => void waited.push(ms),
      ...options,
    });
    return { embedder, waited, embed: (texts: readonly string[], signal = new AbortController().signal) => embedder.embed(texts, signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** As OpenAI answers; the order of its list is not the order of the texts. */
const openai: Answer = ({ body }, response) => {
  const input = body['input'] as readonly string[]; // It is what we sent.
  const data = input.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })).reverse();
  json(response, 200, { object: 'list', data, model: body['model'], usage: { prompt_tokens: 5, total_tokens: 5 } });
};
const gemini: Answer = ({ body }, response) => {
  const requests = body['requests'] as readonly { readonly content: { readonly parts: readonly { readonly text: string }[] } }[]; // As above.
  json(response, 200, { embeddings: requests.map(({ content }) => ({ values: vectorOf(content.parts[0]?.text ?? '') })) });
};
const ollama: Answer = ({ body }, response) => {
  const input = body['input'] as readonly string[]; // As above.
  json(response, 200, { model: body['model'], embeddings: input.map(vectorOf), total_duration: 14143917, load_duration: 1019500 });
};
const unit = (text: string): Float32Array => {
  const length = Math.hypot(text.length, 1);
  return Float32Array.from([text.length / length, 1 / length, 0]);
};

describe('what is sent to each provider and read from it', () => {
  const input = ['one', 'three'];
  it.each([
    ['openai', openai, '/v1/embeddings', { model: 'text-embedding-3-small', input, encoding_format: 'float' }],
    ['voyage', openai, '/v1/embeddings', { model: 'voyage-3-lite', input, input_type: 'query', truncation: false }],
    ['mistral', openai, '/v1/embeddings', { model: 'mistral-embed', input }],
    ['ollama', ollama, '/v1/api/embed', { model: 'nomic-embed-text', input, truncate: false }],
    [
      'gemini',
      gemini,
      '/v1/models/gemini-embedding-001:batchEmbedContents',
      {
        requests: input.map((text) => ({
          model: 'models/gemini-embedding-001',
          content: { parts: [{ text }] },
          taskType: 'RETRIEVAL_QUERY',
        })),
      },
    ],
  ] as const)('%s', async (provider, answer, path, body) => {
    await using server = await Provider.start(answer);
    const { embedder } = server.embedder({ provider });
    expect(embedder.name).toMatch(new RegExp(`^${provider}/.+`));
    expect(await embedder.embed(input, new AbortController().signal, 'query')).toEqual(input.map(unit));
    expect(server.asked).toMatchObject([{ path, body }]);
    const headers: IncomingMessage['headers'] = server.asked[0]?.headers ?? {};
    expect(headers['content-type']).toBe('application/json');
    expect([headers['authorization'], headers['x-goog-api-key']]).toEqual(
      provider === 'gemini' ? [undefined, KEY] : [`Bearer ${KEY}`, undefined],
    );
  });

  it('any that speaks as OpenAI does, without a key and without more than it may know', async () => {
    await using server = await Provider.start(openai);
    const { embed } = server.embedder({ provider: 'compatible', model: 'local', keyOf: async () => undefined });
    expect(await embed(['one'])).toEqual([unit('one')]);
    expect(server.asked[0]?.body).toEqual({ model: 'local', input: ['one'] });
    expect(server.asked[0]?.headers).not.toHaveProperty('authorization');
  });
});

describe('requests', () => {
  it('have no more texts and no more tokens than the provider takes, and their answers stand in order', async () => {
    await using server = await Provider.start(gemini);
    const texts = Array.from({ length: 250 }, (_, index) => 'x'.repeat(1 + (index % 7)));
    expect(await server.embedder({ provider: 'gemini' }).embed(texts)).toEqual(texts.map(unit));
    expect(server.asked.map(({ body }) => (body['requests'] as readonly unknown[]).length)).toEqual([100, 100, 50]); // It is a list.
    server.asked.length = 0;
    await server.embedder({ provider: 'gemini' }).embed(Array.from({ length: 20 }, () => 'x'.repeat(8_000)));
    expect(server.asked).toHaveLength(2);
  });

  it('are not made for a text that is too long', async () => {
    await using server = await Provider.start(gemini);
    await expect(server.embedder({ provider: 'gemini' }).embed(['fits', 'x'.repeat(8_193)])).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(server.asked).toEqual([]);
  });

  it('are not made without a key where one is needed', async () => {
    await using server = await Provider.start(openai);
    await expect(server.embedder({ keyOf: async () => undefined }).embed(['x'])).rejects.toMatchObject({ code: 'permission_denied' });
    expect(server.asked).toEqual([]);
  });

  it.each(['http://example.com/v1', 'ftp://127.0.0.1/', 'https://user:pass@example.com', 'not an address', 'https://example.com/?key=x'])(
    'never go to %s',
    (url) => {
      expect(() => createEmbedder({ provider: 'openai', url })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );

  it('take no key to where they are sent on to', async () => {
    await using other = await Provider.start(openai);
    await using server = await Provider.start((_, response) => response.writeHead(307, { location: `${other.url}/embeddings` }).end());
    await expect(server.embedder().embed(['x'])).rejects.toMatchObject({ code: 'unavailable' });
    expect(other.asked).toEqual([]);
  });
});

describe('a provider that fails', () => {
  it('is asked again after as long as it says', async () => {
    await using server = await Provider.start(
      (_, response) => json(response, 429, { error: 'slow down' }, { 'retry-after': '7' }),
      (_, response) => json(response, 503, {}, { 'retry-after': 'Tue, 01 Jan 2030 00:00:03 GMT' }),
      (_, response) => json(response, 500, {}),
      openai,
    );
    const { embed, waited } = server.embedder();
    expect(await embed(['one'])).toEqual([unit('one')]);
    expect(waited).toEqual([7_000, 3_000, 2_000]);
  });

  it('is left alone when it asks for long, and after some tries', async () => {
    await using busy = await Provider.start((_, response) => json(response, 429, {}, { 'retry-after': '3600' }));
    const one = busy.embedder();
    await expect(one.embed(['x'])).rejects.toMatchObject({ code: 'rate_limited', details: { retry_after_ms: 3_600_000 } });
    expect([busy.asked.length, one.waited]).toEqual([1, []]);
    await using broken = await Provider.start((_, response) => json(response, 500, {}));
    const other = broken.embedder();
    await expect(other.embed(['x'])).rejects.toMatchObject({ code: 'unavailable' });
    expect([broken.asked.length, other.waited]).toEqual([4, [500, 1_000, 2_000]]);
  });

  it('says why, short and without the key or what looks like one', async () => {
    const said = `${'x'.repeat(490)} key ${KEY} and sk-abcdefghijklmnopqrstuvwx, ${'A1'.repeat(30)} ${'words '.repeat(1_000)}`;
    await using server = await Provider.start((_, response) => json(response, 401, { error: { message: said } }));
    const error: unknown = await server
      .embedder()
      .embed(['x'])
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'permission_denied' });
    const { message } = error as Error; // It is a fault.
    expect(message).toContain('401');
    for (const secret of [KEY, KEY.slice(0, 12), 'sk-abcdef', 'A1A1A1']) expect(message).not.toContain(secret);
    expect(message.length).toBeLessThan(560);
    expect(server.asked).toHaveLength(1);
  });

  const list = (...embeddings: readonly unknown[]): Answer => {
    return (_, response) => json(response, 200, { data: embeddings.map((embedding, index) => ({ index, embedding })) });
  };
  it.each<[string, Answer]>([
    [
      'cuts its answer',
      (_, response) => void response.writeHead(200, { 'content-length': '1000' }).write('{"data": [', () => response.destroy()),
    ],
    ['answers with no JSON', (_, response) => void response.writeHead(200).end('<html>')],
    ['answers with something else', (_, response) => json(response, 200, { data: 'none' })],
    ['answers with null', (_, response) => json(response, 200, null)],
    ['gives too few', list([1, 2])],
    ['gives vectors of two lengths', list([1, 2], [1, 2, 3])],
    ['gives none', list([], [])],
    ['gives words', list('a', 'b')],
    [
      'gives one place twice',
      (_, response) =>
        json(response, 200, {
          data: [
            { index: 0, embedding: [1] },
            { index: 0, embedding: [1] },
          ],
        }),
    ],
    ['gives more dimensions than there are', list(Array(10_000).fill(1), Array(10_000).fill(1))],
    ['hangs up', (_, response) => void response.destroy()],
  ])('is unavailable when it %s', async (_, answer) => {
    await using server = await Provider.start(answer);
    await expect(server.embedder().embed(['one', 'two'])).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is held to the dimensions it began with', async () => {
    await using server = await Provider.start(list([1, 2]), list([1, 2, 3]));
    const { embed } = server.embedder();
    await embed(['one']);
    await expect(embed(['two'])).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('3 dimensions, not 2') });
  });

  it('gives vectors of length one, with 0 for what is no number', async () => {
    const answer = '{"data":[{"index":0,"embedding":[1e400,null,3,4]},{"index":1,"embedding":["NaN",1e300,1e300,0]}]}';
    await using server = await Provider.start((_, response) => void response.writeHead(200).end(answer));
    const [first, second] = await server.embedder().embed(['one', 'two']);
    expect(first).toEqual(Float32Array.from([0, 0, 0.6, 0.8]));
    expect(second).toEqual(Float32Array.from([0, Math.SQRT1_2, Math.SQRT1_2, 0]));
  });

  it('cannot fill the memory with an answer', async () => {
    let sent = 0;
    await using server = await Provider.start((_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536))) sent += 65_536;
        response.once('drain', more);
      };
      more();
    });
    await expect(server.embedder({ answerBytesMax: 1_000_000 }).embed(['x'])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('more than 1000000 bytes'),
    });
    expect(sent).toBeLessThan(50_000_000);
  });

  it('cannot hold a request for ever', async () => {
    await using server = await Provider.start(() => {});
    await expect(server.embedder({ requestMs: 20 }).embed(['x'])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('does not answer within 20 ms'),
    });
    expect(server.asked).toHaveLength(4);
  });

  it('is let go of at once when the caller goes, under way and between tries', async () => {
    const controller = new AbortController();
    await using server = await Provider.start(() => controller.abort(new Error('enough')));
    await expect(server.embedder().embed(['x'], controller.signal)).rejects.toThrow('enough');
    const later = new AbortController();
    await using busy = await Provider.start((_, response) => json(response, 429, {}));
    const { embed } = busy.embedder({
      async pause(_, signal) {
        later.abort(new Error('enough'));
        signal.throwIfAborted();
      },
    });
    await expect(embed(['x'], later.signal)).rejects.toThrow('enough');
    expect(busy.asked).toHaveLength(1);
  });
});
