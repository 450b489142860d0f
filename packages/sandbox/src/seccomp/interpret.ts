import assert from 'node:assert';
import * as bpf from './bpf.ts';
import { compileFilter } from './compile.ts';
import type { SeccompProfileName } from './profiles.ts';
import { type Architecture, AUDIT_ARCHITECTURES } from './syscalls.ts';

export type Verdict = { readonly kind: 'allow' } | { readonly kind: 'errno'; readonly errno: number } | { readonly kind: 'kill' };

/** What the kernel shows a filter. Arguments not given are 0. */
export type SeccompData = { readonly number: number; readonly architecture: number; readonly args: readonly (number | bigint)[] };

/** What the filter of a profile does with a call. */
export function verdict(
  name: SeccompProfileName,
  architecture: Architecture,
  number: number,
  args: readonly (number | bigint)[] = [],
): Verdict {
  return interpret(bpf.decode(compileFilter(name, architecture)), { number, architecture: AUDIT_ARCHITECTURES[architecture], args });
}

/** Runs a program as the kernel does. A program that the kernel would not take, or that runs off its end, is a defect. */
export function interpret(program: readonly bpf.Instruction[], data: SeccompData): Verdict {
  const words = wordsOf(data);
  let accumulator = 0;
  let next = 0;
  for (;;) {
    const instruction = program[next++];
    assert(instruction !== undefined, 'The program has no end');
    const { code, jt, jf, k } = instruction;
    switch (code) {
      case bpf.LOAD:
        assert(k % 4 === 0 && k < words.byteLength, `There is no word at ${k}`);
        accumulator = words.getUint32(k, true);
        break;
      case bpf.AND:
        accumulator = (accumulator & k) >>> 0;
        break;
      case bpf.JUMP:
        next += k;
        break;
      case bpf.JUMP_IF_EQUAL:
        next += accumulator === k ? jt : jf;
        break;
      case bpf.JUMP_IF_AT_LEAST:
        next += accumulator >= k ? jt : jf;
        break;
      case bpf.RETURN:
        return verdictOf(k);
      default:
        assert.fail(`Instruction code ${code} is not one of ours`);
    }
  }
}

function verdictOf(k: number): Verdict {
  if (k === bpf.RETURN_ALLOW) return { kind: 'allow' };
  if (k === bpf.RETURN_KILL_PROCESS) return { kind: 'kill' };
  const errno = k - bpf.RETURN_ERRNO;
  assert(errno >= 0 && errno <= 0xffff, `Verdict ${k} is not one of ours`);
  return { kind: 'errno', errno };
}

/** `struct seccomp_data`: number, architecture, instruction pointer (which no filter of ours looks at), six arguments. */
function wordsOf(data: SeccompData): DataView {
  const words = new DataView(new ArrayBuffer(bpf.argumentOffset(6)));
  words.setUint32(bpf.NUMBER_OFFSET, data.number, true);
  words.setUint32(bpf.ARCHITECTURE_OFFSET, data.architecture, true);
  for (const [index, value] of data.args.entries()) words.setBigUint64(bpf.argumentOffset(index), BigInt.asUintN(64, BigInt(value)), true);
  return words;
}
