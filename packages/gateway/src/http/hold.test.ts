import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeldBytes } from './held-bytes.ts';
import { Hold } from './hold.ts';

const room = (all: HeldBytes): number => {
  let bytes = 0;
  while (all.take(1)) bytes++;
  all.give(bytes);
  return bytes;
};

it('what is small is free, and the rest counts', () => {
  const all = new HeldBytes(100);
  const hold = new Hold(all, 10);
  expect(hold.add(10)).toBe(true);
  expect(room(all)).toBe(100);
  expect(hold.add(30)).toBe(true);
  expect(room(all)).toBe(70);
});

it('what does not fit is not taken, and leaves what was held as it was', () => {
  const all = new HeldBytes(100);
  const hold = new Hold(all, 0);
  expect([hold.add(60), hold.add(41), hold.add(40)]).toEqual([true, false, true]);
  expect(hold.bytes).toBe(100);
});

it('whatever is added and removed, clearing gives everything back', () => {
  const step = fc.record({ bytes: fc.nat({ max: 50 }), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), fc.nat({ max: 60 }), (steps, free) => {
      const all = new HeldBytes(100);
      const holds = [new Hold(all, free), new Hold(all, free)];
      for (const [index, { bytes, isAdded }] of steps.entries()) {
        const hold = holds[index % 2];
        if (isAdded) hold?.add(bytes);
        else if (hold !== undefined) hold.remove(Math.min(bytes, hold.bytes));
        const counted = holds.reduce((sum, each) => sum + Math.max(0, each.bytes - free), 0);
        expect(room(all)).toBe(100 - counted);
      }
      for (const hold of holds) hold.clear();
      expect(room(all)).toBe(100);
    }),
  );
});
