import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClock } from '../internal/clock.ts';
import { createTestClock } from '../test-support/open-test-kernel.ts';
import { Alarm } from './alarm.ts';

describe('an alarm', () => {
  it('rings what is due, in order, once, and nothing that was taken back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(50), isTakenBack: fc.boolean() }), { maxLength: 60 }),
        fc.array(fc.nat(20)),
        (bells, moves) => {
          const clock = createTestClock(0);
          const alarm = new Alarm(clock);
          const rung: number[] = [];
          const handles = bells.map(({ at }) => alarm.set({ at, ring: () => rung.push(at), isAwaited: false }));
          for (const [index, { isTakenBack }] of bells.entries()) if (isTakenBack) handles[index]?.[Symbol.dispose]();
          for (const ms of [0, ...moves]) {
            clock.advance(ms);
            alarm.tick();
          }
          const expected = bells.filter(({ at, isTakenBack }) => !isTakenBack && at <= clock.now()).map(({ at }) => at);
          expect(rung).toEqual(expected.sort((one, other) => one - other));
          alarm.close();
        },
      ),
    );
  });

  it('may be set and taken back while it rings', () => {
    const clock = createTestClock(0);
    const alarm = new Alarm(clock);
    const rung: string[] = [];
    const second = alarm.set({ at: 1, ring: () => rung.push('second'), isAwaited: true });
    const ring = () => {
      rung.push('first');
      second[Symbol.dispose]();
      alarm.set({ at: 1, ring: () => rung.push('third'), isAwaited: false });
    };
    alarm.set({ at: 0, ring, isAwaited: false });
    clock.advance(1);
    alarm.tick();
    second[Symbol.dispose]();
    expect(rung).toEqual(['first', 'third']);
    alarm.close();
  });

  it('rings by itself when it is time, also when it was set for later before', async () => {
    const clock = createClock();
    const alarm = new Alarm(clock);
    alarm.set({ at: clock.now() + 3_000_000_000, ring: () => {}, isAwaited: false });
    const at = clock.now() + 20;
    await new Promise<void>((resolve) => alarm.set({ at, ring: resolve, isAwaited: true }));
    expect(clock.now()).toBeGreaterThanOrEqual(at);
    alarm.close();
  });

  it('rings no more once it is closed', () => {
    const clock = createTestClock(0);
    const alarm = new Alarm(clock);
    const ring = () => {
      throw new Error('It rang');
    };
    alarm.set({ at: 0, ring, isAwaited: true });
    alarm.close();
    alarm.set({ at: 0, ring, isAwaited: true });
    alarm.tick();
  });
});
