import { AND, type Instruction, JUMP, LOAD, RETURN } from './bpf.ts';

/** A place in the program, counted from its end: the last instruction is 1. */
export type Label = number;

/** A conditional jump skips at most this many instructions. */
const REACH = 255;

/**
 * Writes a program from its last instruction to its first. BPF jumps only forward, so whatever an instruction jumps to is already
 * written when its turn comes: the distance is known, and where it is too far for eight bits a stepping stone goes right behind it.
 */
export class Assembler {
  readonly #reversed: Instruction[] = [];
  /** The newest stepping stone to a label. */
  readonly #stones = new Map<Label, Label>();

  finish(): Instruction[] {
    return this.#reversed.toReversed();
  }

  returns(verdict: number): Label {
    return this.#put({ code: RETURN, jt: 0, jf: 0, k: verdict });
  }

  /** Loads a word of seccomp_data, keeps the bits of `mask`, and goes on at `next`. */
  loads(offset: number, mask: number | undefined, next: Label): Label {
    if (this.#distance(next) !== 0) this.#put({ code: JUMP, jt: 0, jf: 0, k: this.#distance(next) });
    if (mask !== undefined) this.#put({ code: AND, jt: 0, jf: 0, k: mask });
    return this.#put({ code: LOAD, jt: 0, jf: 0, k: offset });
  }

  /** Compares the accumulator with `k` and goes on at one of two labels. */
  branches(code: number, k: number, onTrue: Label, onFalse: Label): Label {
    const near = this.#withinReach(onFalse, 1); // One to spare, for the stone that `onTrue` may need.
    const other = this.#withinReach(onTrue, 0);
    return this.#put({ code, jt: this.#distance(other), jf: this.#distance(near), k });
  }

  #withinReach(label: Label, spare: number): Label {
    const stone = this.#stones.get(label);
    for (const place of [label, stone]) {
      if (place !== undefined && this.#distance(place) + spare <= REACH) return place;
    }
    const placed = this.#put({ code: JUMP, jt: 0, jf: 0, k: this.#distance(label) });
    this.#stones.set(label, placed);
    return placed;
  }

  #put(instruction: Instruction): Label {
    return this.#reversed.push(instruction);
  }

  /** How many instructions the next one written would skip to get to `label`. */
  #distance(label: Label): number {
    return this.#reversed.length - label;
  }
}
