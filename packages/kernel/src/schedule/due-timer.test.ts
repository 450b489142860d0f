import { parseWorkspaceId } from '@warren/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestClock } from '../test-support/open-test-kernel.ts';
import { DueTimer } from './due-timer.ts';

const [A, B] = [parseWorkspaceId('a'), parseWorkspaceId('b')];
const MINUTE = 60_000;

/** A timer whose clock and timeouts move together, unless the clock is moved alone. */
function openTimer(answer: (timer: DueTimer) => Promise<void> | void = () => {}) {
  const clock = createTestClock(0);
  const fired: number[] = [];
  const timer: DueTimer = new DueTimer(clock, async () => {
    fired.push(clock.now());
    for (const id of timer.due) timer.set(id, undefined);
    await answer(timer);
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left--) {
      clock.advance(1);
      await vi.advanceTimersByTimeAsync(1);
    }
  };
  return { timer, clock, fired, pass, [Symbol.dispose]: () => timer.close() };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the timer of what is due', () => {
  it('fires at the earliest time of all workspaces, then at the next', async () => {
    using opened = openTimer();
    opened.timer.set(A, 30);
    opened.timer.set(B, 10);
    await opened.pass(50);
    expect(opened.fired).toEqual([10, 30]);
  });

  it('follows a time that moves, in both directions, and one that goes away', async () => {
    using opened = openTimer();
    opened.timer.set(A, 10);
    opened.timer.set(A, 40);
    await opened.pass(20);
    opened.timer.set(A, 25);
    await opened.pass(10);
    opened.timer.set(A, 35);
    opened.timer.set(A, undefined);
    await opened.pass(20);
    expect(opened.fired).toEqual([25]);
  });

  it('fires soon after a clock that jumped, however far away it thought the time was', async () => {
    using opened = openTimer();
    opened.timer.set(A, 600 * MINUTE);
    opened.clock.advance(700 * MINUTE); // The machine slept.
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(opened.fired.length).toBe(1);
  });

  it('waits for months without overflowing', async () => {
    using opened = openTimer();
    opened.timer.set(A, 2 ** 40);
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect([opened.fired, vi.getTimerCount()]).toEqual([[], 1]);
  });

  it('tries again after a pause when it failed', async () => {
    let failures = 2;
    using opened = openTimer((timer) => {
      if (failures-- <= 0) return;
      timer.set(A, 10); // Still due.
      throw new Error('the store is in trouble');
    });
    opened.timer.set(A, 10);
    await opened.pass(3_000);
    expect(opened.fired).toEqual([10, 1_010, 2_010]);
  });

  it('does nothing after it was closed', async () => {
    using opened = openTimer();
    opened.timer.set(A, 10);
    opened.timer.close();
    opened.timer.set(B, 5);
    await opened.pass(50);
    expect([opened.fired, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
