import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptedModel } from '../model/scripted/scripted-model.ts';
import type { Script, ScriptedTurn } from '../model/scripted/scripted-turn.ts';
import type { RunTerms } from './run-host.ts';
import { runLoop } from './run-loop.ts';
import { DEFAULT_LIMITS, type RunStep } from './run-step.ts';
import { Died, type HostParts, makeWorld, openHost, type World } from './test-support/memory-host.ts';

const never = new AbortController().signal;

type Options = Omit<HostParts, 'world' | 'model'> & { readonly world?: World; readonly contextTokens?: number };

/** Until it ends; where it waits for time, time passes. */
async function play(script: Script, { world = makeWorld(), contextTokens, ...parts }: Options = {}): Promise<World> {
  const model = scriptedModel(script, contextTokens === undefined ? {} : { contextTokens });
  for (let turns = 0; turns < 100; turns++) {
    if ((await runLoop(openHost({ world, model, ...parts }), never)) === 'ended') return world;
    if (world.waits?.until === undefined) return world;
    world.now = world.waits.until;
  }
  throw new Error('It does not end');
}

const text = (content: string) => [{ type: 'text' as const, text: content }];
const kinds = ({ steps }: World): readonly string[] => steps.map(({ kind }) => kind);
const endOf = ({ steps }: World): RunStep & { readonly kind: 'end' } => {
  const end = steps.at(-1);
  if (end?.kind !== 'end') throw new Error(`It ends with ${end?.kind}`);
  return end;
};
const calls = (...names: readonly string[]): ScriptedTurn => ({ calls: names.map((name) => ({ name, input: { name } })) });
const limits = (some: Partial<RunTerms['limits']>): { terms: Partial<RunTerms> } => ({ terms: { limits: { ...DEFAULT_LIMITS, ...some } } });

describe('a run', () => {
  it('thinks, calls at once what was asked for at once, and ends with what the model said last', async () => {
    const world = await play([calls('a', 'b'), calls('c'), { text: 'It is done.' }]);
    expect(kinds(world)).toEqual(['task', 'model', 'call', 'call', 'model', 'call', 'model', 'end']);
    expect([...world.effects.keys()]).toEqual(['run/7/1/0', 'run/7/1/1', 'run/7/4/0']);
    expect(endOf(world)).toMatchObject({ outcome: 'completed', result: { text: 'It is done.' } });
  });

  it('tells the model results in the order in which it asked', async () => {
    let seen: unknown;
    const script: Script = ({ messages }) => {
      seen = messages.at(-1);
      return messages.length === 1 ? calls('slow', 'quick') : { text: 'ok' };
    };
    const world = makeWorld();
    await play(script, { world });
    expect(seen).toMatchObject({ role: 'tool', content: [{ name: 'slow' }, { name: 'quick' }] });
  });

  it('answers a call that is no JSON, and carries nothing out', async () => {
    const world = await play([{ calls: [{ name: 'read', malformed: '{"path": ' }] }, { text: 'sorry' }]);
    expect(world.steps[2]).toMatchObject({
      kind: 'call',
      outcome: 'failed',
      content: [{ text: expect.stringContaining('not a JSON object') }],
    });
    expect(world.effects.size).toBe(0);
  });

  it('says what somebody added while calls were open after their results', async () => {
    const world = makeWorld();
    let told: readonly string[] = [];
    const script: Script = ({ messages }) => {
      told = messages.map(({ role }) => role);
      return messages.length === 1 ? calls('a') : { text: 'ok' };
    };
    const answer: HostParts['answer'] = ({ key }) => {
      world.steps.push({ seq: world.steps.length, at: 0, kind: 'message', from: 'ana', content: text('rather the other') });
      return { kind: 'answered', outcome: 'done', content: text(key) };
    };
    await play(script, { world, answer });
    expect(told).toEqual(['user', 'assistant', 'tool', 'user']);
  });

  it('does not end before what somebody added at the last moment was heard', async () => {
    const world = makeWorld();
    const script: Script = ({ messages }) => {
      if (messages.length > 1) return { text: 'heard' };
      world.steps.push({ seq: world.steps.length, at: 0, kind: 'message', from: 'ana', content: text('and this') });
      return { text: 'done' };
    };
    expect(endOf(await play(script, { world })).result.text).toBe('heard');
  });

  it('waits for people without holding on to anything, and goes on with what they decided', async () => {
    let isDecided = false;
    const answer: HostParts['answer'] = (call) =>
      isDecided || call.input['name'] !== 'ask'
        ? { kind: 'answered', outcome: 'done', content: text('approved') }
        : { kind: 'waits', for: { calls: ['call_1'] } };
    const world = await play([calls('ask', 'plain'), { text: 'ok' }], { answer });
    expect(world.waits).toEqual({ calls: ['call_1'], runs: [] });
    expect(kinds(world)).toEqual(['task', 'model', 'call']);
    isDecided = true;
    await play([calls('ask', 'plain'), { text: 'ok' }], { world, answer });
    expect(endOf(world).outcome).toBe('completed');
  });

  it('asks again later when a model is overloaded, and gives up in the end', async () => {
    const fault = { fault: 'overloaded' } as const;
    expect(endOf(await play([fault, fault, { text: 'at last' }])).result.text).toBe('at last');
    const world = await play(() => fault);
    expect(endOf(world)).toMatchObject({ outcome: 'model_error', result: { reason: expect.stringContaining('8 times in a row') } });
  });

  it.each([
    ['bad_request', 'model_error'],
    ['refused', 'blocked'],
    ['key_refused', 'model_error'],
  ] as const)('ends at once when time mends nothing: %s', async (fault, outcome) => {
    expect(endOf(await play([{ fault }])).outcome).toBe(outcome);
  });

  it('tells a model that goes in circles, and ends it', async () => {
    const answer: HostParts['answer'] = () => ({ kind: 'answered', outcome: 'failed', content: text('no such file') });
    const world = await play(() => calls('a'), { answer });
    expect(endOf(world).outcome).toBe('looping');
    expect(world.steps.filter(({ kind }) => kind === 'message')).toHaveLength(1);
    expect(world.steps.filter(({ kind }) => kind === 'model')).toHaveLength(6);
  });

  it.each([
    ['turns', { turnsMax: 3 }, 'max_turns'],
    ['tokens', { tokensMax: 100 }, 'budget'],
    ['cost', { costMicrosMax: 50 }, 'budget'],
    ['time', { wallMs: 5 }, 'timeout'],
    ['turns, of which there are none', { turnsMax: 0 }, 'max_turns'],
  ] as const)('is held to its %s', async (_, some, outcome) => {
    const world = makeWorld();
    const script: Script = ({ messages }) => {
      world.now += 2;
      return { ...calls(`n${messages.length}`), costMicros: 20, usage: { inputTokens: 40 } };
    };
    expect(endOf(await play(script, { world, ...limits(some) })).outcome).toBe(outcome);
  });

  it('holds an answer to its schema, and says what is wrong with it', async () => {
    const terms = { answer: { name: 'sum', schema: { type: 'object', required: ['sum'], properties: { sum: { type: 'integer' } } } } };
    const world = await play([{ text: 'it is 3' }, { text: '{"sum":"3"}' }, { text: '```json\n{"sum": 3}\n```' }], { terms });
    expect(endOf(world)).toMatchObject({ outcome: 'completed', result: { answer: { sum: 3 } } });
    expect(world.steps[4]).toMatchObject({ kind: 'message', content: [{ text: expect.stringContaining('sum is string, not integer') }] });
    expect(endOf(await play(() => ({ text: 'no' }), { terms })).outcome).toBe('failed');
  });

  it('sums up what no longer fits, keeps the task and the journal', async () => {
    const told: string[] = [];
    const script: Script = ({ system = '', messages }) => {
      if (system.startsWith('You sum up')) return { text: 'all was read' };
      told.push(JSON.stringify(messages));
      return told.length < 30 ? calls(`n${told.length}`) : { text: 'ok' };
    };
    const answer: HostParts['answer'] = ({ key }) => ({ kind: 'answered', outcome: 'done', content: text(`${key} ${'x'.repeat(3_000)}`) });
    const world = await play(script, { world: makeWorld('the task'), contextTokens: 16_000, answer });
    expect(endOf(world).outcome).toBe('completed');
    expect(kinds(world).filter((kind) => kind === 'summary').length).toBeGreaterThan(1);
    expect(kinds(world).filter((kind) => kind === 'call')).toHaveLength(29);
    expect(told.at(-1)).toContain('the task');
    expect(told.at(-1)).toContain('all was read');
    for (const each of told) expect(each.length).toBeLessThan(16_000 * 4);
  });

  it('sums up when the model says that it is too much, and gives up when that does not help', async () => {
    let asked = 0;
    const tooLong = { fault: 'context_too_long' } as const;
    const script: Script = ({ system = '', messages }) => {
      if (system.startsWith('You sum up')) return { text: 'short' };
      if (messages.length > 4) return tooLong;
      asked += 1;
      return asked > 6 ? { text: 'ok' } : calls(`n${asked}`);
    };
    expect(endOf(await play(script)).outcome).toBe('completed');
    expect(endOf(await play(() => tooLong)).outcome).toBe('model_error');
  });

  it('stops where it is told to', async () => {
    const stop = new AbortController();
    const world = makeWorld();
    const script: Script = () => {
      stop.abort(new Error('enough'));
      return calls('a');
    };
    await expect(runLoop(openHost({ world, model: scriptedModel(script) }), stop.signal)).rejects.toThrow('enough');
    expect(kinds(world)).toEqual(['task']);
  });

  it('ends with what is wrong with Warren itself, and writes no end', async () => {
    const world = makeWorld();
    const model = scriptedModel([{ text: 'x' }]);
    const host = { ...openHost({ world, model }), append: async () => Promise.reject(new Error('the disk is gone')) };
    await expect(runLoop(host, never)).rejects.toThrow('the disk is gone');
    expect(kinds(world)).toEqual(['task']);
  });

  it('is blocked where the process may not use the model', async () => {
    const { Fault } = await import('@warren/protocol');
    const model = { ...scriptedModel([]), stream: () => throwing(new Fault('permission_denied', 'Cannot ask m: it is not granted')) };
    const world = makeWorld();
    await runLoop(openHost({ world, model }), never);
    expect(endOf(world).outcome).toBe('blocked');
  });
});

// biome-ignore lint/correctness/useYield: It is what throws before anything comes.
async function* throwing(error: Error): AsyncGenerator<never> {
  throw error;
}

describe('a run that dies anywhere', () => {
  const turn = fc.record({
    names: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
    text: fc.string({ maxLength: 20 }),
  });

  it('does what it would have done, and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(turn, { maxLength: 5 }),
        fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 12 }),
        async (turns, deaths) => {
          const script: Script = [
            ...turns.map(({ names, text: said }, at) => ({ text: `${at}${said}`, ...calls(...names) })),
            { text: 'end' },
          ];
          const whole = await play(script);
          const world = makeWorld();
          for (const lives of deaths) {
            world.lives = lives;
            await runLoop(openHost({ world, model: scriptedModel(script) }), never).catch((error: unknown) => {
              if (!(error instanceof Died)) throw error;
            });
          }
          world.lives = Number.POSITIVE_INFINITY;
          await play(script, { world });
          expect([...world.effects.keys()].toSorted()).toEqual([...whole.effects.keys()].toSorted());
          const finished = (each: World) => each.steps.filter(({ kind }) => kind !== 'call').map(({ kind }) => kind);
          expect(finished(world)).toEqual(finished(whole));
          expect(endOf(world).result).toEqual(endOf(whole).result);
          expect(world.steps.filter(({ kind }) => kind === 'call')).toHaveLength(whole.effects.size);
        },
      ),
    );
  });
});
