/** What a profile says about a call, read straight from the data: the compiler's other half, with nothing clever in it. */
import { type Decision, ERRNOS } from '../decision.ts';
import type { Verdict } from '../interpret.ts';
import { answersOf, type Profile } from '../profile.ts';
import { type Architecture, SYSCALLS, type SyscallName } from '../syscalls.ts';

export function naiveVerdict(profile: Profile, architecture: Architecture, number: number, args: readonly bigint[]): Verdict {
  if (architecture === 'x86_64' && number >= 0x40000000 && number < 0x80000000) return { kind: 'kill' };
  const name = nameOf(architecture, number);
  return name === undefined ? decide('ENOSYS', args) : decide(answersIn(profile).get(name) ?? 'EPERM', args);
}

const known = new WeakMap<Profile, ReturnType<typeof answersOf>>();

/** Thousands of questions are asked of the same profile. */
function answersIn(profile: Profile): ReturnType<typeof answersOf> {
  const answers = known.get(profile) ?? answersOf(profile);
  known.set(profile, answers);
  return answers;
}

export function nameOf(architecture: Architecture, number: number): SyscallName | undefined {
  const entry = Object.entries(SYSCALLS[architecture]).find(([, other]) => other === number);
  return entry?.[0] as SyscallName | undefined; // Object.entries forgets what the keys are.
}

function decide(decision: Decision, args: readonly bigint[]): Verdict {
  if (decision === 'allow') return { kind: 'allow' };
  if (typeof decision === 'string') return { kind: 'errno', errno: ERRNOS[decision] };
  const value = BigInt.asUintN(32, args[decision.arg] ?? 0n) & BigInt(decision.mask ?? 0xffffffff);
  const match = decision.cases.find(({ is }) => is.some((wanted) => BigInt(wanted) === value));
  return decide(match?.answer ?? decision.otherwise, args);
}
