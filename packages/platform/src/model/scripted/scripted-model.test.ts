import { writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { answerText, complete } from '../complete.ts';
import type { AssistantMessage, ModelMessage, ModelPart, ModelRequest } from '../model.ts';
import { parseScript, readScript } from './read-script.ts';
import { scriptedModel, scriptedProvider } from './scripted-model.ts';

const NEVER = new AbortController().signal;
const hello: ModelMessage = { role: 'user', content: [{ type: 'text', text: 'hello' }] };
const request: ModelRequest = { messages: [hello] };
const said = (text: string): AssistantMessage => ({ role: 'assistant', content: [{ type: 'text', text }] });
const after = (...texts: readonly string[]): ModelRequest => ({ messages: [hello, ...texts.flatMap((text) => [said(text), hello])] });

async function partsUntil(stream: AsyncIterable<ModelPart>): Promise<{ readonly parts: readonly ModelPart[]; readonly error: unknown }> {
  const parts: ModelPart[] = [];
  try {
    for await (const part of stream) parts.push(part);
    return { parts, error: undefined };
  } catch (error) {
    return { parts, error };
  }
}

describe('scriptedModel', () => {
  it('says a turn in pieces, and all of it at the end', async () => {
    const calls = [
      { name: 'read', input: { path: '/a' } },
      { name: 'write', malformed: '{"path": ' },
    ];
    const model = scriptedModel([
      { reasoning: 'let me think', text: 'I look.\n', calls, usage: { inputTokens: 7, outputTokens: 3 }, costMicros: 12 },
    ]);
    const { parts } = await partsUntil(model.stream(request, NEVER));
    expect(parts[0]).toEqual({ type: 'start', model: 'scripted/script' });
    const joined = (type: 'text' | 'reasoning'): string => parts.map((part) => (part.type === type ? part.text : '')).join('');
    expect([joined('reasoning'), joined('text')]).toEqual(['let me think', 'I look.\n']);
    const content = [
      { type: 'reasoning', text: 'let me think' },
      { type: 'text', text: 'I look.\n' },
      { type: 'tool_call', id: 'call_0_0', name: 'read', input: { path: '/a' } },
      { type: 'malformed_call', id: 'call_0_1', name: 'write', text: '{"path": ', reason: 'the input is no JSON object' },
    ];
    expect(parts.filter(({ type }) => type === 'tool_call' || type === 'malformed_call')).toEqual(content.slice(2));
    expect(parts.at(-1)).toEqual({
      ...{ type: 'finish', model: 'scripted/script', reason: 'tool_calls' },
      message: { role: 'assistant', content },
      usage: { inputTokens: 7, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 3, reasoningTokens: 0, isEstimated: false },
      cost: { micros: 12, isEstimated: false },
    });
  });

  it('plays by where the conversation is, for many at once and whoever comes back', async () => {
    const model = scriptedModel([{ text: 'one' }, { text: 'two' }]);
    const ask = async (asked: ModelRequest): Promise<string> => answerText(await complete(model, asked, NEVER));
    expect(await Promise.all([ask(request), ask(after('one')), ask(request), ask(after('one'))])).toEqual(['one', 'two', 'one', 'two']);
    await expect(ask(after('one', 'two'))).rejects.toMatchObject({ code: 'unavailable', details: { reason: 'script_ended' } });
  });

  it('goes wrong as often as the script says, before or in the middle of an answer', async () => {
    const model = scriptedModel([
      { fault: 'rate_limited', retryAfterMs: 2_000 },
      { text: 'half of', calls: [{ name: 'read', input: {} }], fault: 'cut' },
      { text: 'whole' },
      { fault: 'overloaded' },
      { text: 'next' },
    ]);
    const limited = await partsUntil(model.stream(request, NEVER));
    expect(limited.parts.map(({ type }) => type)).toEqual(['start']);
    expect(limited.error).toMatchObject({ code: 'rate_limited', details: { reason: 'rate_limited', retry_after_ms: 2_000 } });
    const cut = await partsUntil(model.stream(request, NEVER));
    expect(cut.error).toMatchObject({ code: 'unavailable', details: { reason: 'cut' } });
    const types = cut.parts.map(({ type }) => type);
    expect([types.includes('text'), types.includes('tool_call'), types.includes('finish')]).toEqual([true, false, false]);
    expect(answerText(await complete(model, request, NEVER))).toBe('whole');
    await expect(complete(model, after('whole'), NEVER)).rejects.toMatchObject({ details: { reason: 'overloaded' } });
    expect(answerText(await complete(model, after('whole'), NEVER))).toBe('next');
  });

  it('estimates what the script does not say, and is never free of tokens', async () => {
    const { usage } = await complete(scriptedModel([{ text: 'word' }]), request, NEVER);
    expect(usage).toMatchObject({ isEstimated: true, cacheReadTokens: 0 });
    expect(Math.min(usage.inputTokens, usage.outputTokens)).toBeGreaterThan(0);
  });

  it('stops when it is told to, also while it is slow', async () => {
    const controller = new AbortController();
    const waits: number[] = [];
    const pause = async (ms: number): Promise<void> => {
      waits.push(ms);
      if (waits.length === 2) controller.abort(new Error('enough'));
    };
    const { parts, error } = await partsUntil(
      scriptedModel([{ text: 'one two three', pauseMs: 50 }], { pause }).stream(request, controller.signal),
    );
    expect([waits, parts.length, error]).toEqual([[50, 50], 2, new Error('enough')]);
    const slow = new AbortController();
    const waiting = complete(scriptedModel([{ text: 'never', pauseMs: 3_600_000 }]), request, slow.signal, () =>
      slow.abort(new Error('now')),
    );
    await expect(waiting).rejects.toThrow('now');
    await expect(complete(scriptedModel([{ text: 'x' }]), request, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  it('may be a function, and one script has any name', async () => {
    const provider = scriptedProvider(({ system = '' }) => ({ text: `I am told ${system}` }));
    const model = provider.model('any');
    expect([model.name, provider.model('any') === model]).toEqual(['scripted/any', true]);
    expect(answerText(await complete(model, { ...request, system: 'be kind' }, NEVER))).toBe('I am told be kind');
  });

  it.each<[string, ModelRequest]>([
    ['nothing is said to it', { messages: [] }],
    ['not 1 to 64', { ...request, tools: [{ name: 'a.b', description: '', inputSchema: {} }] }],
    ['two tools', { ...request, tools: ['a', 'a'].map((name) => ({ name, description: '', inputSchema: {} })) }],
    ['no tool of the request', { ...request, toolChoice: { tool: 'x' } }],
    ['has none', { ...request, toolChoice: 'required' }],
    [
      'not answered: c1',
      { messages: [hello, { role: 'assistant', content: [{ type: 'tool_call', id: 'c1', name: 'a', input: {} }] }, hello] },
    ],
    ['to no call', { messages: [hello, { role: 'tool', content: [{ type: 'tool_result', id: 'c', name: 'a', content: [] }] }] }],
    ['its own', { messages: [hello, said('x')] }],
    ['type of an image', { messages: [{ role: 'user', content: [{ type: 'image', mediaType: 'text/html', data: '' }] }] }],
  ])('refuses what no provider takes: %s', async (words, asked) => {
    await expect(complete(scriptedModel([{ text: 'x' }]), asked, NEVER)).rejects.toMatchObject({
      ...{ code: 'invalid_argument', message: expect.stringContaining(words) },
      details: { reason: 'bad_request' },
    });
  });
});

describe('a script in a file', () => {
  it('says all that turns can', async () => {
    const text = `
turns:
  - reasoning: hm
    text: I look
    calls:
      - { name: read, input: { path: /a, deep: [1, null, { x: true }] } }
      - { name: write, malformed: '{"a' }
    usage: { input_tokens: 5, cache_read_tokens: 2 }
    cost_micros: 9
  - { fault: rate_limited, retry_after: 2s }
  - { text: half, fault: cut, pause: 250ms }
  - { text: no, finish: refused }
`;
    expect(await parseScript(text, 'a.yaml')).toEqual([
      {
        ...{ reasoning: 'hm', text: 'I look', costMicros: 9 },
        calls: [
          { name: 'read', input: { path: '/a', deep: [1, null, { x: true }] } },
          { name: 'write', malformed: '{"a' },
        ],
        usage: { inputTokens: 5, cacheReadTokens: 2, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 },
      },
      { fault: 'rate_limited', retryAfterMs: 2_000 },
      { text: 'half', fault: 'cut', pauseMs: 250 },
      { text: 'no', finish: 'refused' },
    ]);
  });

  it.each([
    ['a.yaml:3: turns[1].fault', 'turns:\n  - text: a\n  - fault: bored\n'],
    ['a.yaml:2: turns[0].say: is unknown here', 'turns:\n  - say: a\n'],
    ['a.yaml:1', ''],
    ['a.yaml', 'turns: []'],
    ['a.yaml:2', 'turns:\n  - calls: [{ name: a, input: [1] }]\n'],
  ])('is refused with its line: %s', async (words, text) => {
    await expect(parseScript(text, 'a.yaml')).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(words) });
  });

  it('is read from a plain file', async () => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('a.yaml'), 'turns: [{ text: hello }]');
    expect(await readScript(directory.join('a.yaml'))).toEqual([{ text: 'hello' }]);
    await expect(readScript(directory.join('b.yaml'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(readScript('/dev/zero')).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
