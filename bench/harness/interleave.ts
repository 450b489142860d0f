import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './benchmark.ts';

/** Something that can take a turn; the turn returns what it measured. */
export type Subject = { readonly name: string; turn(): Promise<number> };

/**
 * Lets all subjects take turns, so that what disturbs the machine disturbs them alike. Each round has one turn of each, in an order that changes from
 * round to round, and after each turn there is a rest. Without it, what one leaves to do (the kernel frees namespaces late, the launcher builds ahead) is paid
 * for by the next; and some calls look cheap only while they are made all the time: a process joins a cgroup in 0.03 ms when another has done so within the
 * last grace period of RCU, else in 12.
 */
export async function interleave<const Names extends readonly Subject[]>(
  subjects: Names,
  rounds: number,
  context: Context,
  { warmups = Math.min(10, rounds), restMs = 20 }: { readonly warmups?: number; readonly restMs?: number } = {},
): Promise<(subject: Names[number]) => readonly number[]> {
  const samples = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  const random = randomFrom(1);
  for (let round = -warmups; round < rounds; round += 1) {
    for (const subject of shuffled(subjects, random)) {
      context.signal.throwIfAborted();
      const value = await subject.turn();
      if (round >= 0) samples.get(subject)?.push(value);
      if (restMs > 0) await sleep(restMs);
    }
  }
  return (subject) => samples.get(subject) ?? [];
}

function shuffled<T>(values: readonly T[], random: () => number): readonly T[] {
  return values
    .map((value) => ({ value, key: random() }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ value }) => value);
}

/** The same order in every run: a small linear congruential generator (Numerical Recipes) is random enough for that. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
