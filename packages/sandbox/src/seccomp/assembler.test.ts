import { describe, expect, it } from 'vitest';
import { Assembler, type Label } from './assembler.ts';
import * as bpf from './bpf.ts';
import { interpret } from './interpret.ts';

const ALLOWED = { number: 1, architecture: 0, args: [] };
const KILLED = { number: 2, architecture: 0, args: [] };

describe('Assembler', () => {
  it.each([0, 1, 252, 253, 254, 255, 256, 257, 600])('branches over %d instructions, both ways', (count) => {
    for (const isSwapped of [false, true]) {
      const program = new Assembler();
      const first = program.returns(bpf.RETURN_ALLOW);
      const second = program.returns(bpf.RETURN_KILL_PROCESS);
      fill(program, count);
      const branch = isSwapped
        ? program.branches(bpf.JUMP_IF_EQUAL, KILLED.number, second, first)
        : program.branches(bpf.JUMP_IF_EQUAL, ALLOWED.number, first, second);
      expectBothAnswers(program, branch);
    }
  });

  it('shares stepping stones', () => {
    const program = new Assembler();
    const allow = program.returns(bpf.RETURN_ALLOW);
    const kill = program.returns(bpf.RETURN_KILL_PROCESS);
    fill(program, 300);
    let next = kill;
    for (let number = 500; number > 400; number--) next = program.branches(bpf.JUMP_IF_EQUAL, number, kill, next);
    const branch = program.branches(bpf.JUMP_IF_EQUAL, ALLOWED.number, allow, next);
    expectBothAnswers(program, branch);
    expect(program.finish().filter(({ code }) => code === bpf.JUMP).length).toBe(2);
  });

  it('jumps to what a load goes on with when it does not stand right behind', () => {
    const program = new Assembler();
    const kill = program.returns(bpf.RETURN_KILL_PROCESS);
    const branch = program.branches(bpf.JUMP_IF_EQUAL, ALLOWED.number, program.returns(bpf.RETURN_ALLOW), kill);
    fill(program, 300);
    expectBothAnswers(program, branch);
  });
});

function fill(program: Assembler, count: number): void {
  for (let written = 0; written < count; written++) program.returns(bpf.RETURN_ERRNO);
}

function expectBothAnswers(program: Assembler, start: Label): void {
  program.loads(bpf.NUMBER_OFFSET, undefined, start);
  const finished = bpf.decode(bpf.encode(program.finish())); // Through bytes, where a jump too far would be cut.
  expect([interpret(finished, ALLOWED).kind, interpret(finished, KILLED).kind]).toEqual(['allow', 'kill']);
}
