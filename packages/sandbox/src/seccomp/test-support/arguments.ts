import fc from 'fast-check';
import type { Decision } from '../decision.ts';
import { answersOf, type Profile } from '../profile.ts';

/** Six registers: anything, but mostly what some question of the profile asks for, its neighbours, and that below rubbish. */
export function registersFor(profile: Profile): fc.Arbitrary<bigint[]> {
  const asked = [...new Set([0, ...[...answersOf(profile).values()].flatMap(valuesIn)])];
  const interesting = fc
    .constantFrom(...asked.flatMap((value) => [value, value - 1, value + 1, value | 0o644]))
    .map((value) => BigInt(value));
  const combined = fc.tuple(interesting, interesting).map(([a, b]) => a | b);
  const rubbish = fc.bigInt({ min: 0n, max: 0xffffffffn }).map((high) => high << 32n);
  const dirty = fc.tuple(fc.oneof(interesting, combined), rubbish).map(([low, high]) => BigInt.asUintN(64, low | high));
  const any = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
  const register = fc.oneof(interesting, combined, dirty, any).map((value) => BigInt.asUintN(64, value));
  return fc.array(register, { minLength: 6, maxLength: 6 });
}

function valuesIn(decision: Decision): number[] {
  if (typeof decision === 'string') return [];
  const cases = decision.cases.flatMap(({ is, answer }) => [...is, ...valuesIn(answer)]);
  return [...cases, ...(decision.mask === undefined ? [] : [decision.mask]), ...valuesIn(decision.otherwise)];
}
