import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as bpf from './bpf.ts';
import { compileFilter, compileProfile } from './compile.ts';
import type { Decision } from './decision.ts';
import { interpret } from './interpret.ts';
import type { Profile } from './profile.ts';
import { PROFILES } from './profiles.ts';
import { AUDIT_ARCHITECTURES, SYSCALLS, type SyscallName } from './syscalls.ts';
import { registersFor } from './test-support/arguments.ts';
import { naiveVerdict } from './test-support/naive.ts';

const ARCHITECTURES = ['x86_64', 'aarch64'] as const;
const CASES = ARCHITECTURES.flatMap((architecture) => (['default', 'restrictive'] as const).map((name) => [name, architecture] as const));
const AUDIT_ARCH_I386 = 0x40000003;

describe.each(CASES)('compileFilter(%s, %s)', (name, architecture) => {
  const program = bpf.decode(compileFilter(name, architecture));
  const data = { architecture: AUDIT_ARCHITECTURES[architecture] };

  it('answers every number from 0 to 600 as the data says', () => {
    for (let number = 0; number <= 600; number++) {
      for (const args of [[0n, 0n, 0n, 0n, 0n, 0n], Array<bigint>(6).fill(0xffff_ffff_ffff_ffffn)]) {
        expect(interpret(program, { ...data, number, args }), `number ${number}`).toEqual(
          naiveVerdict(PROFILES[name], architecture, number, args),
        );
      }
    }
  });

  it('answers any number with any arguments as the data says', () => {
    const number = fc.oneof(
      fc.integer({ min: 0, max: 480 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: 0x3ffffff0, max: 0x40000200 }),
    );
    fc.assert(
      fc.property(number, registersFor(PROFILES[name]), (number, args) => {
        expect(interpret(program, { ...data, number, args })).toEqual(naiveVerdict(PROFILES[name], architecture, number, args));
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers each call whose arguments matter as the data says', () => {
    const asked = PROFILES[name].rules.filter((rule) => typeof rule.answer === 'object').flatMap((rule) => rule.calls);
    for (const number of asked.map((call) => SYSCALLS[architecture][call]).filter((found) => found !== undefined)) {
      fc.assert(
        fc.property(registersFor(PROFILES[name]), (args) => {
          expect(interpret(program, { ...data, number, args })).toEqual(naiveVerdict(PROFILES[name], architecture, number, args));
        }),
        { numRuns: 300 },
      );
    }
  });

  it('kills calls that come through another architecture, whatever their number', () => {
    const others = [AUDIT_ARCH_I386, AUDIT_ARCHITECTURES[architecture === 'x86_64' ? 'aarch64' : 'x86_64'], 0, 0xffffffff];
    fc.assert(
      fc.property(fc.constantFrom(...others), fc.integer({ min: 0, max: 0xffffffff }), (other, number) => {
        expect(interpret(program, { number, architecture: other, args: [] })).toEqual({ kind: 'kill' });
      }),
    );
  });

  it('uses only instructions that the kernel accepts, with targets inside the program', () => {
    for (const [index, { code, jt, jf, k }] of program.entries()) {
      const targets = code === bpf.JUMP ? [k] : code === bpf.RETURN ? [-1] : [jt, jf];
      expect([bpf.LOAD, bpf.AND, bpf.JUMP, bpf.JUMP_IF_EQUAL, bpf.JUMP_IF_AT_LEAST, bpf.RETURN]).toContain(code);
      for (const target of targets) expect(index + 1 + target).toBeLessThan(program.length);
    }
    expect(program.at(-1)?.code).toBe(bpf.RETURN);
  });

  it('is no longer than it was', () => {
    // A ratchet: fewer is progress, lower the number; more needs a reason.
    expect(program.length).toBe({ default: { x86_64: 176, aarch64: 156 }, restrictive: { x86_64: 157, aarch64: 138 } }[name][architecture]);
  });
});

describe('compileFilter', () => {
  it('kills x32 calls on x86_64, and does not know numbers above them', () => {
    const filter = compileFilter('default', 'x86_64');
    const answer = (number: number) => interpret(bpf.decode(filter), { number, architecture: AUDIT_ARCHITECTURES.x86_64, args: [] });
    expect([0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff, 0x80000000, 0xffffffff].map((number) => answer(number).kind)).toEqual([
      'errno',
      'kill',
      'kill',
      'kill',
      'errno',
      'errno',
    ]);
  });

  it('compiles a profile once per architecture', () => {
    expect(compileFilter('default', 'x86_64')).toBe(compileFilter('default', 'x86_64'));
    expect(compileFilter('default', 'x86_64')).not.toEqual(compileFilter('default', 'aarch64'));
  });
});

describe('compileProfile', () => {
  it('moves every error number by errnoOffset and nothing else', () => {
    const plain = compileProfile(PROFILES.default, 'x86_64');
    const moved = compileProfile(PROFILES.default, 'x86_64', { errnoOffset: 3000 });
    const isRefusal = ({ code, k }: bpf.Instruction): boolean => code === bpf.RETURN && k < bpf.RETURN_ALLOW;
    expect(moved).toEqual(plain.map((instruction) => (isRefusal(instruction) ? { ...instruction, k: instruction.k + 3000 } : instruction)));
    expect(plain.filter(isRefusal).length).toBe(5);
  });

  it('is right for any profile, also where jumps reach further than 255 instructions', () => {
    const lengths: number[] = [];
    fc.assert(
      fc.property(fc.constantFrom(...ARCHITECTURES), anyProfile(), fc.integer({ min: 0, max: 480 }), (architecture, profile, number) => {
        const program = compileProfile(profile, architecture);
        lengths.push(program.length);
        for (const args of fc.sample(registersFor(profile), { numRuns: 5, seed: number })) {
          const actual = interpret(bpf.decode(bpf.encode(program)), { number, architecture: AUDIT_ARCHITECTURES[architecture], args });
          expect(actual).toEqual(naiveVerdict(profile, architecture, number, args));
        }
      }),
      { numRuns: 200 },
    );
    expect(Math.max(...lengths)).toBeGreaterThan(600);
  });
});

/** Every call with an answer of its own: nothing to merge, so programs grow as long as they get. */
function anyProfile(): fc.Arbitrary<Profile> {
  const names = [...new Set(Object.values(SYSCALLS).flatMap((table) => Object.keys(table)))] as SyscallName[]; // Object.keys forgets what they are.
  const question = (depth: number): fc.Arbitrary<Decision> =>
    fc.record({
      arg: fc.constantFrom(0, 1, 2, 3, 4, 5),
      mask: fc.constantFrom(0xffffffff, 0xff, 0o6000, 0x80000000),
      cases: fc.array(fc.record({ is: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 4 }), answer: answer(depth - 1) }), {
        maxLength: 3,
      }),
      otherwise: answer(depth - 1),
    });
  const plain = fc.constantFrom<Decision>('allow', 'EPERM', 'ENOSYS', 'EINVAL');
  const answer = (depth: number): fc.Arbitrary<Decision> => (depth === 0 ? plain : fc.oneof(plain, question(depth)));
  const rules = fc
    .shuffledSubarray(names, { minLength: 50 })
    .chain((calls) =>
      fc
        .array(answer(2), { minLength: calls.length, maxLength: calls.length })
        .map((answers) => calls.map((call, index) => ({ why: 'by chance', calls: [call], answer: answers[index] ?? 'allow' }))),
    );
  return rules.map((drawn) => ({ rules: drawn, tightened: [] }));
}
