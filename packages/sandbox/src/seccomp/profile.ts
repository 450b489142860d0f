import assert from 'node:assert';
import type { Decision } from './decision.ts';
import type { SyscallName } from './syscalls.ts';

/** Some calls, what happens to them, and why. */
export type Rule = {
  readonly why: string;
  readonly calls: readonly SyscallName[];
  readonly answer: Decision;
};

/**
 * A profile as data. A call that no rule names is refused with EPERM; a number that no table names is refused with ENOSYS, so that a
 * program built for a newer kernel falls back to what it did before.
 */
export type Profile = {
  /** What the profile starts from: each call in one rule only. */
  readonly rules: readonly Rule[];
  /** Rules that replace earlier answers of the same calls. Each may only take away. */
  readonly tightened: readonly Rule[];
};

/** What the profile answers for each call it names. */
export function answersOf(profile: Profile): ReadonlyMap<SyscallName, Decision> {
  const answers = new Map<SyscallName, Decision>();
  for (const { call, answer } of eachCall(profile.rules)) {
    assert(!answers.has(call), `Two rules name ${call}`);
    answers.set(call, answer);
  }
  for (const { call, answer } of eachCall(profile.tightened)) {
    assert(answers.has(call), `No rule allows ${call}, so it cannot be tightened`);
    answers.set(call, answer);
  }
  return answers;
}

function eachCall(rules: readonly Rule[]): { readonly call: SyscallName; readonly answer: Decision }[] {
  return rules.flatMap((rule) => rule.calls.map((call) => ({ call, answer: rule.answer })));
}
