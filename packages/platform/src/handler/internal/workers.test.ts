import { isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { CapabilityError } from '../../capability/handler.ts';
import { Workers } from './workers.ts';

const ENDLESS = { texts: [`${'a'.repeat(64)}!`], pattern: '^(a+)+$', isRegex: true, replacement: '' };
const EASY = { texts: ['aa'], pattern: 'a', isRegex: true, replacement: 'b' };
const signal = new AbortController().signal;
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof CapabilityError ? error.type : isFault(error) ? error.code : error),
  );

describe('Workers', () => {
  it('end what takes too long, also several at once, and go on with the next', async () => {
    await using workers = new Workers({ limits: { deadlineMs: 1_500 } });
    const all = [1, 2, 3].map(() => outcome(workers.ask('replace', ENDLESS, { signal })));
    expect(await Promise.all(all)).toEqual(['Timeout', 'Timeout', 'Timeout']);
    expect(
      await workers.ask('replace', EASY, { signal, deadlineMs: 60_000 }).catch(() => workers.ask('replace', EASY, { signal })),
    ).toEqual({
      results: [{ count: 2, text: 'bb' }],
    });
  });

  it('end with a caller who gives up, while it runs and while it waits', async () => {
    await using workers = new Workers({ limits: { threadsMax: 1, waitingMax: 1, deadlineMs: 60_000 } });
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = outcome(workers.ask('replace', ENDLESS, { signal: running.signal }));
    const second = outcome(workers.ask('replace', ENDLESS, { signal: waiting.signal }));
    expect(await outcome(workers.ask('replace', EASY, { signal }))).toBe('busy');
    waiting.abort('gave up waiting');
    expect(await second).toBe('gave up waiting');
    running.abort('gave up');
    expect(await first).toBe('gave up');
    expect(await outcome(workers.ask('replace', EASY, { signal }))).toBe('done');
    expect(await outcome(workers.ask('replace', EASY, { signal: running.signal }))).toBe('gave up');
  });

  it('bound what a text can become, and refuse after they were closed', async () => {
    const workers = new Workers();
    const bomb = { texts: ['a'.repeat(100_000)], pattern: 'a', isRegex: false, replacement: 'b'.repeat(10_000) };
    expect(await outcome(workers.ask('replace', bomb, { signal }))).toBe('FileTooLarge');
    await workers[Symbol.asyncDispose]();
    await workers[Symbol.asyncDispose]();
    expect(await outcome(workers.ask('replace', EASY, { signal }))).toBe('unavailable');
  });
});
