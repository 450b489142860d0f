import { describe, expect, it } from 'vitest';
import * as bpf from './bpf.ts';
import { interpret } from './interpret.ts';

const DATA = { number: 7, architecture: 9, args: [1, -1, 0x1_2345_6789n] } as const;

describe('interpret', () => {
  it('shows a program the words of seccomp_data where the kernel puts them', () => {
    const word = (offset: number): number => {
      const seen = (value: number) =>
        interpret([load(offset), ifEqual(value, 0, 1), give(bpf.RETURN_ALLOW), give(bpf.RETURN_KILL_PROCESS)], DATA).kind;
      return [0, 1, 7, 9, 0xffffffff, 0x23456789].find((value) => seen(value) === 'allow') ?? Number.NaN;
    };
    expect([0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 60].map(word)).toEqual([
      7, 9, 0, 0, 1, 0, 0xffffffff, 0xffffffff, 0x23456789, 1, 0, 0,
    ]);
  });

  it('compares without sign', () => {
    const atLeast = { code: bpf.JUMP_IF_AT_LEAST, jt: 0, jf: 1, k: 0x80000000 };
    expect(interpret([load(24), atLeast, give(bpf.RETURN_ALLOW), give(bpf.RETURN_KILL_PROCESS)], DATA)).toEqual({ kind: 'allow' });
    expect(interpret([load(24), and(0x80000000), atLeast, give(bpf.RETURN_ALLOW), give(bpf.RETURN_KILL_PROCESS)], DATA)).toEqual({
      kind: 'allow',
    });
  });

  it('reads an error number out of a verdict', () => {
    expect(interpret([give(bpf.RETURN_ERRNO | 3001)], DATA)).toEqual({ kind: 'errno', errno: 3001 });
  });

  it('survives encoding', () => {
    const program = [load(60), and(0xffffffff), ifEqual(0xfedcba98, 255, 0), { code: bpf.JUMP, jt: 0, jf: 0, k: 4000 }, give(0x80000000)];
    expect(bpf.decode(bpf.encode(program))).toEqual(program);
    expect([...bpf.encode([ifEqual(0x01020304, 5, 6)])]).toEqual([0x15, 0, 5, 6, 4, 3, 2, 1]);
  });

  it.each([
    ['runs off its end', [load(0)], 'The program has no end'],
    ['jumps past its end', [{ code: bpf.JUMP, jt: 0, jf: 0, k: 5 }, give(bpf.RETURN_ALLOW)], 'The program has no end'],
    ['is empty', [], 'The program has no end'],
    ['loads past seccomp_data', [load(64), give(bpf.RETURN_ALLOW)], 'There is no word at 64'],
    ['loads between words', [load(2), give(bpf.RETURN_ALLOW)], 'There is no word at 2'],
    ['uses another instruction', [{ code: 0x87, jt: 0, jf: 0, k: 0 }], 'Instruction code 135 is not one of ours'],
    ['returns another verdict', [give(0x7ff00000)], 'Verdict 2146435072 is not one of ours'],
  ])('fails on a program that %s', (_, program, message) => {
    expect(() => interpret(program, DATA)).toThrow(message);
  });
});

function load(k: number): bpf.Instruction {
  return { code: bpf.LOAD, jt: 0, jf: 0, k };
}

function and(k: number): bpf.Instruction {
  return { code: bpf.AND, jt: 0, jf: 0, k };
}

function ifEqual(k: number, jt: number, jf: number): bpf.Instruction {
  return { code: bpf.JUMP_IF_EQUAL, jt, jf, k };
}

function give(k: number): bpf.Instruction {
  return { code: bpf.RETURN, jt: 0, jf: 0, k };
}
