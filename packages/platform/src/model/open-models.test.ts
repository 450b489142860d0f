import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeModelServer, MODEL_KEY, type ServedTurn } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { answerText, complete } from './complete.ts';
import { contextFill, withContextGuard } from './context-window.ts';
import { environmentKeys } from './environment-keys.ts';
import type { Model, ModelPart, ModelRequest } from './model.ts';
import { openModels } from './open-models.ts';
import { createProvider } from './provider/create-provider.ts';
import { scriptedModel } from './scripted/scripted-model.ts';
import type { Script } from './scripted/scripted-turn.ts';
import { withFallbacks } from './with-fallbacks.ts';
import { withRetries } from './with-retries.ts';

const NEVER = new AbortController().signal;
const hello: ModelRequest = { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }] };

function retrying(script: Script, random = 0) {
  const waited: number[] = [];
  const model = withRetries(scriptedModel(script), { random: () => random, pause: async (ms) => void waited.push(ms) });
  return { model, waited };
}

async function tell(model: Model, request = hello, signal = NEVER) {
  const told: ModelPart[] = [];
  const finish = await complete(model, request, signal, (part) => told.push(part));
  return { text: answerText(finish), model: finish.model, retries: told.flatMap((part) => (part.type === 'retry' ? [part] : [])) };
}

describe('withRetries', () => {
  it('waits as long as it is asked to, else longer each time', async () => {
    const { model, waited } = retrying([
      { fault: 'rate_limited', retryAfterMs: 7_000 },
      { fault: 'overloaded' },
      { fault: 'cut' },
      { text: 'now' },
    ]);
    const { text, retries } = await tell(model);
    expect([text, waited]).toEqual(['now', [7_000, 500, 1_000]]);
    expect(retries.map(({ reason, waitMs }) => [reason, waitMs])).toEqual([
      ['rate_limited', 7_000],
      ['overloaded', 500],
      ['cut', 1_000],
    ]);
    const spread = retrying([{ fault: 'rate_limited', retryAfterMs: 1_000 }, { text: 'now' }], 1);
    await tell(spread.model);
    expect(spread.waited).toEqual([1_100]);
  });

  it('gives up after some tries, when asked for long, and on what never passes', async () => {
    const down = retrying(Array.from({ length: 10 }, () => ({ fault: 'unreachable' as const })));
    await expect(tell(down.model)).rejects.toMatchObject({ details: { reason: 'unreachable' } });
    expect(down.waited).toEqual([250, 500, 1_000]);
    for (const turn of [
      { fault: 'rate_limited', retryAfterMs: 3_600_000 },
      { fault: 'key_refused' },
      { fault: 'context_too_long' },
    ] as const) {
      const { model, waited } = retrying([turn, { text: 'never' }]);
      await expect(tell(model)).rejects.toMatchObject({ details: { reason: turn.fault } });
      expect(waited).toEqual([]);
    }
  });

  it('does not say twice what was said', async () => {
    const { model, waited } = retrying([{ text: 'half of', fault: 'cut' }, { text: 'whole' }]);
    await expect(tell(model)).rejects.toMatchObject({ details: { reason: 'cut' } });
    expect(waited).toEqual([]);
  });

  it('stops waiting when it is told to', async () => {
    const controller = new AbortController();
    const model = withRetries(scriptedModel([{ fault: 'rate_limited', retryAfterMs: 50_000 }, { text: 'x' }]));
    const asked = complete(
      model,
      hello,
      controller.signal,
      ({ type }) => type === 'retry' && setImmediate(() => controller.abort(new Error('enough'))),
    );
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('withFallbacks', () => {
  const of = (name: string, script: Script) => scriptedModel(script, { name });

  it('asks the next one, and lets the one that failed rest', async () => {
    let now = 0;
    let failures = 1;
    const a = of('s/a', () => (failures-- > 0 ? { fault: 'overloaded' } : { text: 'from a' }));
    const model = withFallbacks([a, of('s/b', [{ text: 'from b' }])], () => now);
    const first = await tell(model);
    expect(first).toMatchObject({ text: 'from b', model: 's/b', retries: [{ model: 's/a', reason: 'overloaded', waitMs: 0 }] });
    expect((await tell(model)).text).toBe('from b');
    now = 30_001;
    expect((await tell(model)).text).toBe('from a');
  });

  it('does not ask another what is wrong with the question, or when something was said', async () => {
    for (const turn of [{ fault: 'bad_request' }, { text: 'half', fault: 'cut' }] as const) {
      const model = withFallbacks([of('s/a', [turn]), of('s/b', [{ text: 'never' }])], () => 0);
      await expect(tell(model)).rejects.toMatchObject({ details: { reason: turn.fault } });
    }
  });

  it('says of all why they failed', async () => {
    const model = withFallbacks([of('s/a', [{ fault: 'key_refused' }]), of('s/b', [{ fault: 'rate_limited', retryAfterMs: 5 }])], () => 0);
    const attempts = [
      { model: 's/a', reason: 'key_refused' },
      { model: 's/b', reason: 'rate_limited' },
    ];
    await expect(tell(model)).rejects.toMatchObject({
      code: 'rate_limited',
      message: expect.stringMatching(/s\/a.*; .*s\/b/),
      details: { attempts, retry_after_ms: 5 },
    });
  });

  it('passes on that it is to stop', async () => {
    const controller = new AbortController();
    const a = of('s/a', () => {
      controller.abort(new Error('enough'));
      return { fault: 'overloaded' };
    });
    await expect(
      tell(
        withFallbacks([a, of('s/b', [{ text: 'never' }])], () => 0),
        hello,
        controller.signal,
      ),
    ).rejects.toThrow('enough');
  });
});

describe('the context window', () => {
  const long: ModelRequest = { messages: [{ role: 'user', content: [{ type: 'text', text: 'word '.repeat(4_000) }] }] };

  it('is not exceeded for certain, and is said to be tight before', async () => {
    const small = withContextGuard(scriptedModel([{ text: 'x' }], { contextTokens: 4_000 }));
    await expect(tell(small, long)).rejects.toMatchObject({
      ...{ code: 'too_large', details: { reason: 'context_too_long', context_tokens: 4_000, input_tokens: expect.any(Number) } },
    });
    expect((await tell(small)).text).toBe('x');
    expect(contextFill({ contextTokens: 8_000 }, long)).toMatchObject({ isTight: true, contextTokens: 8_000 });
    expect(contextFill({ contextTokens: 200_000 }, long).isTight).toBe(false);
    expect(contextFill({ contextTokens: 200_000 }, long, 170_000).isTight).toBe(true);
  });

  it('may be larger with another model', async () => {
    const small = withContextGuard(scriptedModel([{ text: 'never' }], { name: 's/small', contextTokens: 4_000 }));
    const large = withContextGuard(scriptedModel([{ text: 'room' }], { name: 's/large' }));
    expect(
      (
        await tell(
          withFallbacks([small, large], () => 0),
          long,
        )
      ).text,
    ).toBe('room');
  });
});

describe('models by name', () => {
  async function opened(turns: readonly ServedTurn[], keys: readonly string[] = [MODEL_KEY]) {
    const server = await FakeModelServer.start(turns);
    const providers = {
      anthropic: createProvider({ kind: 'anthropic', url: server.url('anthropic'), keysOf: async () => keys }),
      local: createProvider({ kind: 'compatible', name: 'local', url: server.url('compatible'), keysOf: async () => [MODEL_KEY] }),
    };
    const models = openModels({ providers, keysOf: async () => [], now: () => 0, retry: { random: () => 0, pause: async () => {} } });
    return { server, models, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }

  it('are asked, again where that helps, and the next one where it does not', async () => {
    await using on = await opened([{ fault: 'overloaded' }, { text: 'hello' }], ['wrong']);
    const model = on.models.open(['anthropic/claude-sonnet-4-5', 'local/some/model:7b']);
    expect(await tell(model)).toMatchObject({
      text: 'hello',
      model: 'local/some/model:7b',
      retries: [{ reason: 'key_refused' }, { reason: 'overloaded' }],
    });
    expect(on.server.asked.map(({ provider }) => provider)).toEqual(['anthropic', 'compatible', 'compatible']);
    expect(on.models.open(['anthropic/claude-sonnet-4-5', 'local/some/model:7b'])).toBe(model);
    // Somebody's own key, for this model only.
    expect(await tell(on.models.open('anthropic/claude-sonnet-4-5', { keys: [MODEL_KEY] }))).toMatchObject({
      text: 'hello',
      model: 'anthropic/claude-sonnet-4-5',
    });
  });

  it('are refused when nobody has them', async () => {
    const models = openModels({ keysOf: async () => [], now: () => 0 });
    expect(models.providers).toEqual([
      'anthropic',
      'cerebras',
      'google',
      'groq',
      'mistral',
      'ollama',
      'openai',
      'openai-chat',
      'openrouter',
      'xai',
    ]);
    expect(() => models.open('nobody/x')).toThrow(
      expect.objectContaining({ code: 'not_found', message: expect.stringContaining('anthropic, cerebras') }),
    );
    for (const name of ['claude', '', '/x', 'anthropic/', 'anthropic/a b', 'anthropic/\0', `anthropic/${'x'.repeat(300)}`])
      expect(() => models.open(name)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => models.open([])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    await expect(tell(models.open('openai/gpt-5'))).rejects.toMatchObject({
      code: 'permission_denied',
      details: { reason: 'key_refused' },
    });
    expect(models.known()).toContainEqual(
      expect.objectContaining({
        name: 'anthropic/claude-sonnet-4-5',
        contextTokens: 200_000,
        price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
      }),
    );
  });

  it.each(['http://models.example.com/v1', 'ftp://127.0.0.1/', 'https://user:pass@example.com', 'https://example.com/?key=x', 'nothing'])(
    'are never asked at %s',
    (url) => {
      expect(() => createProvider({ kind: 'compatible', url })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );

  it('take no key to where a server sends them on to', async () => {
    await using other = await FakeModelServer.start([{ text: 'stolen' }]);
    const server = createServer((_, response) =>
      response.writeHead(307, { location: `${other.url('compatible')}/chat/completions` }).end(),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo; // It listens on a port.
      const provider = createProvider({ kind: 'compatible', url: `http://127.0.0.1:${port}/v1`, keysOf: async () => [MODEL_KEY] });
      await expect(tell(provider.model('x'))).rejects.toMatchObject({ code: 'unavailable', details: { reason: 'unreachable' } });
      expect(other.asked).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

it('keys of an environment are found under every name they may have, each once', () => {
  const environment = {
    OPENAI_API_KEYS: 'a, b,,a',
    OPENAI_API_KEY: 'c',
    OPENAI_API_KEY_2: 'd',
    OPENAI_API_KEY_1: 'b',
    GOOGLE_API_KEY: 'g',
    GEMINI_API_KEY: 'f',
    X: 'x',
  };
  expect(environmentKeys(environment, 'openai')).toEqual(['a', 'b', 'c', 'd']);
  expect(environmentKeys(environment, 'google')).toEqual(['f', 'g']);
  expect([environmentKeys(environment, 'compatible'), environmentKeys({}, 'openai')]).toEqual([[], []]);
});
