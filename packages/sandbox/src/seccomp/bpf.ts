/**
 * Classic BPF as seccomp takes it (linux/filter.h, linux/bpf_common.h). No other instructions are used: these are the ones the kernel
 * can follow when it works out which calls are always allowed.
 */
export const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS: accumulator = word of seccomp_data at k
export const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
export const JUMP = 0x05; // BPF_JMP | BPF_JA: k further
export const JUMP_IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K: jt or jf further
export const JUMP_IF_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
export const RETURN = 0x06; // BPF_RET | BPF_K

/** Verdicts (linux/seccomp.h). The low half of RETURN_ERRNO is the error number, at most 4095. */
export const RETURN_ALLOW = 0x7fff0000;
export const RETURN_ERRNO = 0x00050000;
export const RETURN_KILL_PROCESS = 0x80000000;

/** Where `struct seccomp_data` keeps things. Both architectures are little-endian: the low half of an argument comes first. */
export const NUMBER_OFFSET = 0;
export const ARCHITECTURE_OFFSET = 4;
export function argumentOffset(index: number): number {
  return 16 + index * 8;
}

/** `struct sock_filter` */
export type Instruction = { readonly code: number; readonly jt: number; readonly jf: number; readonly k: number };

export const INSTRUCTION_BYTES = 8;

export function encode(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
  }
  return bytes;
}

export function decode(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_BYTES }, (_, index) => {
    const at = index * INSTRUCTION_BYTES;
    return { code: view.getUint16(at, true), jt: view.getUint8(at + 2), jf: view.getUint8(at + 3), k: view.getUint32(at + 4, true) };
  });
}
