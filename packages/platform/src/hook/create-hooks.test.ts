import { describe, expect, it, vi } from 'vitest';
import { createHooks } from './create-hooks.ts';
import type { HookFailure, HookName, ToolCallVerdict } from './hooks.ts';

function testHooks() {
  const failures: HookFailure[] = [];
  return { failures, hooks: createHooks({ onFailure: (failure) => failures.push(failure) }) };
}
const CALL = { toolName: 'process.run', input: { command: 'ls' }, callId: 'call_1', agent: 'ann' };

describe('hooks', () => {
  it('run by priority, and else in the order they were registered', async () => {
    const { hooks } = testHooks();
    const ran: string[] = [];
    for (const [name, priority] of [['first', 0], ['ten', 10], ['second', 0]] as const) hooks.register('session_start', () => ran.push(name), priority); // biome-ignore format: one line
    await hooks.run('session_start', { sessionId: 's' });
    expect(ran).toEqual(['ten', 'first', 'second']);
  });

  it('wait for each other', async () => {
    const { hooks } = testHooks();
    const ran: string[] = [];
    hooks.register('session_end', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      ran.push('slow');
    });
    hooks.register('session_end', () => ran.push('next'));
    await hooks.run('session_end', { sessionId: 's' });
    expect(ran).toEqual(['slow', 'next']);
  });

  it('that fail are told of, and the others run', async () => {
    const { hooks, failures } = testHooks();
    const ran: string[] = [];
    hooks.register('after_agent_end', () => Promise.reject(new Error('out of tea')), { label: 'tea' });
    hooks.register('after_agent_end', () => {
      throw new TypeError('thrown');
    });
    hooks.register('after_agent_end', () => ran.push('ran'));
    await hooks.run('after_agent_end', { sessionId: 's', result: null });
    expect([failures, ran]).toEqual([[{ hook: 'after_agent_end', label: 'tea', reason: 'out of tea' }, { hook: 'after_agent_end', label: 'after_agent_end', reason: 'thrown' }], ['ran']]); // biome-ignore format: one line
  });

  it('have the time they were given, and are told when it is over', async () => {
    const { hooks, failures } = testHooks();
    let wasTold = false;
    hooks.register('session_start', (_, signal) => new Promise(() => signal.addEventListener('abort', () => (wasTold = true))), {
      timeoutMs: 1,
    });
    await hooks.run('session_start', { sessionId: 's' });
    expect([failures[0]?.reason, wasTold]).toEqual(['it took longer than 1 ms', true]);
  });

  it('have their time from when there is a place for them, and give it back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { hooks, failures } = testHooks();
      const { promise, resolve } = Promise.withResolvers<Disposable>();
      const ran: string[] = [];
      hooks.register('session_start', () => ran.push('ran'), { timeoutMs: 10, place: () => promise });
      const running = hooks.run('session_start', { sessionId: 's' });
      await vi.advanceTimersByTimeAsync(1_000);
      resolve({ [Symbol.dispose]: () => void ran.push('gave it back') });
      await running;
      expect([ran, failures]).toEqual([['ran', 'gave it back'], []]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keep their place until they have ended, though their time is over', async () => {
    const { hooks, failures } = testHooks();
    const { promise, resolve } = Promise.withResolvers<void>();
    const ran: string[] = [];
    const place = async (): Promise<Disposable> => ({ [Symbol.dispose]: () => void ran.push('gave it back') });
    hooks.register('session_start', () => promise, { timeoutMs: 1, place });
    await hooks.run('session_start', { sessionId: 's' });
    expect([ran, failures.length]).toEqual([[], 1]);
    resolve();
    await new Promise(setImmediate);
    expect(ran).toEqual(['gave it back']);
  });

  it('do not begin when whoever runs them has enough meanwhile, and failed when there is no place', async () => {
    const { hooks, failures } = testHooks();
    const controller = new AbortController();
    const ran: string[] = [];
    hooks.register('session_end', () => ran.push('ran'), { place: () => Promise.reject(new Error('no place')) });
    await hooks.run('session_end', { sessionId: 's' });
    expect(failures.map(({ reason }) => reason)).toEqual(['no place']);
    const place = async (): Promise<Disposable> => {
      controller.abort(new Error('enough'));
      return { [Symbol.dispose]: () => void ran.push('gave it back') };
    };
    hooks.register('session_start', () => ran.push('ran'), { place });
    await expect(hooks.run('session_start', { sessionId: 's' }, controller.signal)).rejects.toThrow('enough');
    expect(ran).toEqual(['gave it back']);
  });

  it('end when whoever runs them has enough, and those after are left out', async () => {
    const { hooks, failures } = testHooks();
    const controller = new AbortController();
    const ran: string[] = [];
    hooks.register('session_start', () => {
      controller.abort(new Error('enough'));
      return new Promise(() => {});
    });
    hooks.register('session_start', () => ran.push('ran'));
    await expect(hooks.run('session_start', { sessionId: 's' }, controller.signal)).rejects.toThrow('enough');
    expect([ran, failures]).toEqual([[], []]);
  });

  it('are gone when they are disposed', async () => {
    const { hooks } = testHooks();
    const ran: string[] = [];
    const hook = hooks.register('session_start', () => ran.push('ran'));
    hook[Symbol.dispose]();
    hook[Symbol.dispose]();
    await hooks.run('session_start', { sessionId: 's' });
    expect(ran).toEqual([]);
  });

  it('cannot change what the others are told', async () => {
    const { hooks } = testHooks();
    hooks.register('after_tool_call', (payload) => Object.assign(payload.input, { command: 'rm' }));
    const seen: unknown[] = [];
    hooks.register('after_tool_call', ({ input }) => seen.push(input));
    await hooks.run('after_tool_call', { ...CALL, result: null });
    expect([seen, CALL.input]).toEqual([[{ command: 'ls' }], { command: 'ls' }]);
  });

  it.each([
    ['name', 'on_fire', () => {}, {}],
    ['name', '__proto__', () => {}, {}],
    ['handler', 'session_start', 'text', {}],
    ['priority', 'session_start', () => {}, { priority: Number.NaN }],
    ['timeoutMs', 'session_start', () => {}, { timeoutMs: 0 }],
    ['timeoutMs', 'session_start', () => {}, { timeoutMs: 1e9 }],
  ])('are not registered when their %s is unfit', (field, name, handler, options) => {
    const { hooks } = testHooks();
    expect(() => hooks.register(name as HookName, handler as never, options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', details: { field } }),
    );
  });
});

describe('a hook before a tool call', () => {
  it('may give it other arguments, which the next one sees', async () => {
    const { hooks } = testHooks();
    hooks.register('before_tool_call', ({ input }) => ({ input: { ...input, one: 1 } }));
    hooks.register('before_tool_call', ({ input }) => ({ input: { ...input, two: Object.keys(input).length } }));
    expect(await hooks.beforeToolCall(CALL)).toEqual({ kind: 'call', input: { command: 'ls', one: 1, two: 2 } });
  });

  it('may forbid it, and none after it is asked', async () => {
    const { hooks } = testHooks();
    const asked: string[] = [];
    hooks.register('before_tool_call', () => ({ veto: 'not on a Sunday' }), { label: 'calendar' });
    hooks.register('before_tool_call', () => void asked.push('asked'));
    expect(await hooks.beforeToolCall(CALL)).toEqual({ kind: 'vetoed', by: 'calendar', reason: 'not on a Sunday' });
    expect(asked).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['throws', () => Promise.reject(new Error('x'))],
    ['does not end', () => new Promise(() => {})],
    ['answers text', () => 'no'],
    ['answers false', () => false],
    ['answers arguments that are none', () => ({ input: ['ls'] })],
    ['answers more than one thing', () => ({ input: {}, vetoed: true })],
    ['answers a veto that is no text', () => ({ veto: true })],
  ])('forbids it when it %s', async (_, answer) => {
    const { hooks, failures } = testHooks();
    hooks.register('before_tool_call', answer as () => ToolCallVerdict, { timeoutMs: 5 });
    expect(await hooks.beforeToolCall(CALL)).toMatchObject({ kind: 'vetoed', by: 'before_tool_call' });
    expect(failures).toHaveLength(1);
  });

  it('leaves it as it is when there is none', async () => {
    expect(await testHooks().hooks.beforeToolCall(CALL)).toEqual({ kind: 'call', input: { command: 'ls' } });
  });
});
