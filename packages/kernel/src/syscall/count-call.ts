/** Where policies count. Windows slide over slices of a sixtieth of their length. */
import type { CounterRef } from '../policy/policy.ts';
import type { Transaction } from '../store/store.ts';

const SLICES = 60;

export function sliceMs(perMs: number): number {
  return Math.max(1, Math.floor(perMs / SLICES));
}

/** The call itself, when it is about to be carried out. */
export function countCall(transaction: Transaction, counters: readonly CounterRef[]): void {
  for (const counter of counters) if (counter.what === 'calls') add(transaction, counter, 1);
}

/** What it used, when that is known. */
export function countUsage(transaction: Transaction, counters: readonly CounterRef[], usage: Readonly<Record<string, number>>): void {
  for (const counter of counters) {
    const amount = counter.what === 'calls' || !Object.hasOwn(usage, counter.what) ? 0 : (usage[counter.what] ?? 0);
    if (amount > 0) add(transaction, counter, amount);
  }
}

function add({ counters, now }: Transaction, { key, perMs }: CounterRef, amount: number): void {
  const slice = sliceMs(perMs);
  counters.add(key, now - (now % slice), amount, perMs + 2 * slice);
}
