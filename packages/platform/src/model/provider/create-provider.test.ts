/** Every provider keeps the one contract: against servers that speak as their makers publish, or the makers themselves with WARREN_LIVE=1 and keys in the environment. */
import { FakeModelServer, MODEL_KEY, type ServedTurn } from '@warren/testkit';
import { describe, expect, it, vi } from 'vitest';
import { answerText, complete } from '../complete.ts';
import { environmentKeys } from '../environment-keys.ts';
import type { AssistantMessage, Model, ModelFinish, ModelMessage, ModelPart, ModelRequest, ToolMessage } from '../model.ts';
import { createProvider, type ProviderOptions } from './create-provider.ts';
import { PROVIDERS, type ProviderName } from './providers.ts';

vi.setConfig({ testTimeout: 60_000 });

const NEVER = new AbortController().signal;
const KINDS = Object.keys(PROVIDERS) as ProviderName[]; // They are its keys.
/** One that takes images, thinks and knows prices where there are any. */
const MODELS: Readonly<Record<ProviderName, string>> = {
  ...{
    anthropic: 'claude-sonnet-4-5',
    openai: 'gpt-5',
    'openai-chat': 'gpt-4.1',
    google: 'gemini-3-pro-preview',
    groq: 'openai/gpt-oss-120b',
  },
  ...{
    cerebras: 'gpt-oss-120b',
    mistral: 'mistral-medium-latest',
    xai: 'grok-4',
    openrouter: 'openai/gpt-5',
    ollama: 'qwen3',
    compatible: 'local',
  },
};
/** Their format shows no thoughts. */
const HIDES_THOUGHTS: ReadonlySet<ProviderName> = new Set<ProviderName>(['openai-chat']);
/** Thoughts have to come back as they were. */
const KEEPS_THOUGHTS: ReadonlySet<ProviderName> = new Set<ProviderName>(['anthropic', 'openai']);

const user = (text: string): ModelMessage => ({ role: 'user', content: [{ type: 'text', text }] });
const hello: ModelRequest = { system: 'You are kind', messages: [user('hello')] };
const TOOLS = ['read', 'write'].map((name) => ({
  ...{ name, description: `Can ${name}` },
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'], additionalProperties: false },
}));
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

type Options = Partial<ProviderOptions> & { readonly needsKey?: boolean };

async function serve(kind: ProviderName, turns: readonly ServedTurn[], { needsKey = true, ...options }: Options = {}) {
  const server = await FakeModelServer.start(turns, { needsKey });
  const model = createProvider({ kind, url: server.url(kind), keysOf: async () => [MODEL_KEY], ...options }).model(MODELS[kind]);
  return { server, model, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function partsOf(model: Model, request: ModelRequest, signal = NEVER) {
  const parts: ModelPart[] = [];
  try {
    for await (const part of model.stream(request, signal)) parts.push(part);
    return { parts, error: undefined };
  } catch (error) {
    return { parts, error };
  }
}

const textIn = (parts: readonly ModelPart[], type: 'text' | 'reasoning'): string =>
  parts.map((part) => (part.type === type ? part.text : '')).join('');
const resultsFor = (message: AssistantMessage): ToolMessage => ({
  role: 'tool',
  content: message.content.flatMap((part) =>
    part.type === 'tool_call' || part.type === 'malformed_call'
      ? [
          {
            type: 'tool_result' as const,
            id: part.id,
            name: part.name,
            content: [{ type: 'text' as const, text: `result of ${part.name}` }],
          },
        ]
      : [],
  ),
});

describe.each(KINDS)('%s', (kind) => {
  it('streams text, and says what was used and what it costs', async () => {
    await using on = await serve(kind, [{ text: 'Grüß Gott, 世界 😀 and all' }]);
    const { parts, error } = await partsOf(on.model, hello);
    expect([error, on.server.asked.map(({ problems }) => problems)]).toEqual([undefined, [[]]]);
    expect(textIn(parts, 'text')).toBe('Grüß Gott, 世界 😀 and all');
    expect(parts.filter(({ type }) => type === 'text').length).toBeGreaterThan(1);
    expect(parts[0]).toEqual({ type: 'start', model: `${kind}/${MODELS[kind]}` });
    const finish = parts.at(-1) as ModelFinish; // The last one always is.
    expect(finish).toMatchObject({
      ...{ type: 'finish', model: `${kind}/${MODELS[kind]}`, reason: 'stop' },
      usage: {
        inputTokens: 60,
        cacheReadTokens: 40,
        cacheWriteTokens: 0,
        outputTokens: 20,
        reasoningTokens: kind === 'anthropic' ? expect.any(Number) : 5,
        isEstimated: false,
      },
    });
    expect(answerText(finish)).toBe('Grüß Gott, 世界 😀 and all');
    if (kind === 'ollama') expect(finish.cost).toEqual({ micros: 0, isEstimated: false });
    else expect(finish.cost.micros).toBeGreaterThan(0);
    expect(finish.cost.isEstimated).toBe(kind === 'compatible');
  });

  it('makes calls side by side, and goes on with their results and with what it wants to see again', async () => {
    const calls = [
      { name: 'read', input: { path: '/a "quoted" \\ ü' } },
      { name: 'write', input: { path: '/b' } },
    ];
    await using on = await serve(kind, [{ reasoning: 'I should look first', text: 'I look', calls }, { text: 'Done' }]);
    const request: ModelRequest = { ...hello, tools: TOOLS, reasoning: 'high', cache: { key: 'session' } };
    const { parts, error } = await partsOf(on.model, request);
    expect([error, on.server.asked.map(({ problems }) => problems)]).toEqual([undefined, [[]]]);
    const made = parts.flatMap((part) => (part.type === 'tool_call' ? [part] : []));
    expect(made.map(({ name, input }) => ({ name, input }))).toEqual(calls);
    expect(new Set(made.map(({ id }) => id)).size).toBe(2);
    const finish = parts.at(-1) as ModelFinish; // As above.
    expect(finish.reason).toBe('tool_calls');
    expect(finish.message.content.filter(({ type }) => type === 'tool_call')).toEqual(made);
    if (!HIDES_THOUGHTS.has(kind)) {
      expect(textIn(parts, 'reasoning')).toBe('I should look first');
      const thought = finish.message.content.find(({ type }) => type === 'reasoning');
      expect(thought?.metadata === undefined).toBe(!KEEPS_THOUGHTS.has(kind));
    }
    for (const { id } of made) {
      const deltas = parts.map((part) => (part.type === 'tool_input_delta' && part.id === id ? part.text : '')).join('');
      expect(JSON.parse(deltas)).toEqual(made.find((call) => call.id === id)?.input);
    }
    // It is JSON, and stays what it is as JSON.
    const kept = JSON.parse(JSON.stringify(finish.message)) as AssistantMessage;
    expect(kept).toEqual(finish.message);
    const next = await complete(on.model, { ...request, messages: [...request.messages, kept, resultsFor(kept)] }, NEVER);
    expect(on.server.asked.at(-1)?.problems).toEqual([]);
    expect(answerText(next)).toBe('Done');
    expect(JSON.stringify(on.server.asked.at(-1)?.body)).toContain('result of write');
  });

  it('takes what another model said: calls, thoughts and results', async () => {
    await using on = await serve(kind, [{ text: 'first' }, { text: 'go on' }]);
    const message: AssistantMessage = {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', metadata: { another: { signature: 'x' } } },
        { type: 'text', text: 'I try' },
        { type: 'malformed_call', id: 'toolu_01ABCDEFG', name: 'read', text: '{"pa', reason: 'the input is no JSON' },
      ],
    };
    const answered = { ...resultsFor(message), content: resultsFor(message).content.map((each) => ({ ...each, isError: true })) };
    const messages = [user('hello'), message, answered, user('and?')];
    expect(answerText(await complete(on.model, { messages, tools: TOOLS }, NEVER))).toBe('go on');
  });

  it('sees images', async () => {
    await using on = await serve(kind, [{ text: 'a dot' }]);
    const content = [
      { type: 'text', text: 'what is it?' },
      { type: 'image', mediaType: 'image/png', data: PIXEL },
    ] as const;
    expect(answerText(await complete(on.model, { messages: [{ role: 'user', content }] }, NEVER))).toBe('a dot');
    expect(JSON.stringify(on.server.asked[0]?.body)).toContain(PIXEL);
  });

  it('answers by a schema', async () => {
    const schema = { type: 'object', properties: { colour: { type: 'string' } }, required: ['colour'], additionalProperties: false };
    await using on = await serve(kind, [{ text: '{"colour":"red"}' }]);
    const finish = await complete(on.model, { ...hello, answer: { name: 'colour', schema } }, NEVER);
    expect(JSON.parse(answerText(finish))).toEqual({ colour: 'red' });
    expect(on.server.asked[0]?.problems).toEqual([]);
    expect(JSON.stringify(on.server.asked[0]?.body)).toContain('"colour"');
  });

  it('has an estimate where nobody says what was used', async () => {
    await using on = await serve(kind, [{ text: 'some words', usage: 'none' }]);
    const { usage, cost } = await complete(on.model, hello, NEVER);
    expect(usage.isEstimated).toBe(true);
    expect(Math.min(usage.inputTokens, usage.outputTokens)).toBeGreaterThan(0);
    if (kind !== 'ollama') expect([cost.isEstimated, cost.micros > 0]).toEqual([true, true]);
  });

  it('tells a call that is no JSON from one that is', async () => {
    await using on = await serve(kind, [{ calls: [{ name: 'read', malformed: '{"path": "/a' }] }]);
    const { parts, error } = await partsOf(on.model, { ...hello, tools: TOOLS });
    if (kind === 'google') return expect(error).toMatchObject({ details: { reason: 'garbled' } }); // Its server reads calls itself.
    expect(error).toBeUndefined();
    expect(parts.some(({ type }) => type === 'tool_call')).toBe(false);
    expect((parts.at(-1) as ModelFinish).message.content).toMatchObject([{ type: 'malformed_call', name: 'read', text: '{"path": "/a' }]);
  });

  it.each(['length', 'refused'] as const)('says when it ends by %s', async (finish) => {
    await using on = await serve(kind, [{ text: 'I', finish }]);
    expect((await complete(on.model, hello, NEVER)).reason).toBe(finish);
  });

  it.each([
    ['rate_limited', 'rate_limited'],
    ['overloaded', 'unavailable'],
    ['unpaid', 'permission_denied'],
    ['unknown_model', 'not_found'],
    ['context_too_long', 'too_large'],
    ['bad_request', 'invalid_argument'],
    ['refused', 'permission_denied'],
  ] as const)('is %s', async (fault, code) => {
    await using on = await serve(kind, [{ fault, retryAfterMs: 3_000 }, { text: 'now' }]);
    const { parts, error } = await partsOf(on.model, hello);
    expect(error).toMatchObject({ code, details: { reason: fault, model: on.model.name } });
    if (fault === 'rate_limited') expect(error).toMatchObject({ details: { retry_after_ms: 3_000 } });
    expect([parts, on.server.asked.length]).toEqual([[], 1]);
  });

  it.each([
    ['cut', 'cut'],
    ['ended', 'cut'],
    ['garbled', 'garbled'],
    ['overloaded', 'overloaded'],
  ])('breaks off in the middle: %s', async (fault, reason) => {
    await using on = await serve(kind, [{ text: 'half of what', fault }]);
    const { parts, error } = await partsOf(on.model, hello);
    expect(error).toMatchObject({ code: 'unavailable', details: { reason } });
    expect([parts.some(({ type }) => type === 'text'), parts.some(({ type }) => type === 'finish')]).toEqual([true, false]);
  });

  it('is not waited for without end', async () => {
    await using silent = await serve(kind, [{ fault: 'timeout' }, { text: 'x' }], { limits: { answerMs: 50 } });
    expect((await partsOf(silent.model, hello)).error).toMatchObject({ code: 'unavailable', details: { reason: 'timeout' } });
    await silent.server.untilAbandoned();
    await using stops = await serve(kind, [{ text: 'half of it', fault: 'timeout' }], { limits: { silenceMs: 100 } });
    expect((await partsOf(stops.model, hello)).error).toMatchObject({ code: 'unavailable', details: { reason: 'timeout' } });
    await stops.server.untilAbandoned();
  });

  it('cannot fill the memory', async () => {
    await using on = await serve(kind, [{ text: 'never', fault: 'answer_too_large' }], { limits: { answerBytesMax: 300_000 } });
    const { parts, error } = await partsOf(on.model, hello);
    expect(error).toMatchObject({ code: 'too_large', details: { reason: 'answer_too_large' } });
    expect(textIn(parts, 'text').length).toBeLessThan(300_000);
    await on.server.untilAbandoned();
  });

  it('is let go of when the caller goes, which closes the connection', async () => {
    await using on = await serve(kind, [{ text: 'long story', fault: 'timeout' }]);
    const controller = new AbortController();
    const asked = complete(on.model, hello, controller.signal, ({ type }) => type === 'text' && controller.abort(new Error('enough')));
    await expect(asked).rejects.toThrow('enough');
    await on.server.untilAbandoned();
    await using other = await serve(kind, [{ text: 'long story', fault: 'timeout' }]);
    for await (const part of other.model.stream(hello, NEVER)) if (part.type === 'text') break;
    await other.server.untilAbandoned();
    await expect(complete(other.model, hello, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    expect(other.server.asked).toHaveLength(1);
  });

  it('tells nobody its key, not even when the server repeats it', async () => {
    const key = 'wrong-Key9876543210abcdef';
    await using on = await serve(kind, [{ text: 'x' }], { keysOf: async () => [key] });
    const { error } = await partsOf(on.model, hello);
    expect(error).toMatchObject({ code: 'permission_denied', details: { reason: 'key_refused' } });
    for (let each: unknown = error; each instanceof Error; each = each.cause)
      for (const text of [each.message, String(each.stack), JSON.stringify(each)]) expect(text).not.toMatch(/wrong-Key|9876543210/);
  });

  it('tries one key after the other, and lets the one that was refused rest', async () => {
    await using on = await serve(kind, [{ text: 'one' }], { keysOf: async () => ['old-key', MODEL_KEY] });
    expect(answerText(await complete(on.model, hello, NEVER))).toBe('one');
    expect(answerText(await complete(on.model, hello, NEVER))).toBe('one');
    expect(on.server.asked).toHaveLength(3);
  });
});

/** The same statements, as far as a script is not needed for them. */
const LIVE = process.env['WARREN_LIVE'] === '1' ? KINDS.filter((kind) => environmentKeys(process.env, kind).length > 0) : [];

describe.each(LIVE)('%s, asked for real', (kind) => {
  const model = createProvider({ kind, keysOf: async () => environmentKeys(process.env, kind) }).model(
    process.env[`WARREN_LIVE_${kind.toUpperCase().replace('-', '_')}_MODEL`] ?? MODELS[kind],
  );

  it('streams text, and says what was used and what it costs', async () => {
    const { parts, error } = await partsOf(model, { ...hello, messages: [user('Say: good morning')], outputTokensMax: 2_000 });
    expect(error).toBeUndefined();
    expect(textIn(parts, 'text')).toMatch(/good morning/i);
    const { usage } = parts.at(-1) as ModelFinish; // The last one always is.
    expect([usage.inputTokens > 0, usage.outputTokens > 0, usage.isEstimated]).toEqual([true, true, false]);
  });

  it('makes calls, and goes on with their results and with what it wants to see again', async () => {
    const messages = [user('Use the tool read for /a and for /b, both at once, then tell me what they say')];
    const request: ModelRequest = { messages, tools: TOOLS, reasoning: 'low', cache: { key: 'warren-live' } };
    const first = await complete(model, request, NEVER);
    expect(first.message.content.filter(({ type }) => type === 'tool_call').length).toBeGreaterThan(0);
    const next = await complete(model, { ...request, messages: [...messages, first.message, resultsFor(first.message)] }, NEVER);
    expect(answerText(next)).not.toBe('');
  });

  it('sees images, and answers by a schema', async () => {
    const content = [
      { type: 'text', text: 'Is this an image? Answer with JSON' },
      { type: 'image', mediaType: 'image/png', data: PIXEL },
    ] as const;
    const schema = { type: 'object', properties: { isImage: { type: 'boolean' } }, required: ['isImage'], additionalProperties: false };
    const finish = await complete(model, { messages: [{ role: 'user', content }], answer: { name: 'answer', schema } }, NEVER);
    expect(JSON.parse(answerText(finish))).toEqual({ isImage: expect.any(Boolean) });
  });

  it('is let go of when the caller goes', async () => {
    const controller = new AbortController();
    const messages = [user('Tell a long story')];
    const asked = complete(model, { messages }, controller.signal, ({ type }) => type === 'text' && controller.abort(new Error('enough')));
    await expect(asked).rejects.toThrow('enough');
  });

  it('does not take a wrong key', async () => {
    const wrong = createProvider({ kind, keysOf: async () => ['wrong-Key9876543210abcdef'] }).model(MODELS[kind]);
    const { error } = await partsOf(wrong, hello);
    expect(error).toMatchObject({ details: { reason: 'key_refused' } });
    expect(String((error as Error).message)).not.toContain('9876543210'); // It is one.
  });
});
