import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Architecture, architectureOf, SYSCALLS } from './syscalls.ts';

const X86_HEADER = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
const GENERIC_HEADER = '/usr/include/asm-generic/unistd.h';
/** What arch/arm64 asks of the generic header. */
const AARCH64_WANTS = ['RENAMEAT', 'NEW_STAT', 'SET_GET_RLIMIT', 'TIME32_SYSCALLS', 'SYS_CLONE3', 'MEMFD_SECRET'];
/** file_setattr, the newest call of kernel 6.18. */
const LAST = 469;

describe('SYSCALLS', () => {
  it('agrees with the kernel header of x86_64', ({ skip }) => {
    skip(!existsSync(X86_HEADER), `${X86_HEADER} is not installed`);
    expectAgreement('x86_64', numbersIn(`#include "${X86_HEADER}"`));
  });

  it('agrees with the generic kernel header that aarch64 uses', ({ skip }) => {
    skip(!existsSync(GENERIC_HEADER), `${GENERIC_HEADER} is not installed`);
    const wants = AARCH64_WANTS.map((want) => `#define __ARCH_WANT_${want}\n`).join('');
    const numbers = numbersIn(`${wants}#define __BITS_PER_LONG 64\n#define __ASM_GENERIC_BITS_PER_LONG\n#include "${GENERIC_HEADER}"`);
    numbers.delete('arch_specific_syscall'); // Where a range begins, no call.
    expectAgreement('aarch64', numbers);
  });

  it.each(['x86_64', 'aarch64'] as const)('gives each call of %s its own number, up to the last of kernel 6.18', (architecture) => {
    const numbers = Object.values(SYSCALLS[architecture]);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBe(LAST);
    expect(numbers.length).toBe({ x86_64: 383, aarch64: 325 }[architecture]);
  });

  it('knows which table a Node architecture means', () => {
    expect([architectureOf('x64'), architectureOf('arm64'), architectureOf('riscv64')]).toEqual(['x86_64', 'aarch64', undefined]);
  });
});

/** Either side may be newer than the other: as far as both go, they say the same. */
function expectAgreement(architecture: Architecture, header: ReadonlyMap<string, number>): void {
  expect(header.size).toBeGreaterThan(250);
  const newest = Math.min(LAST, Math.max(...header.values()));
  const upTo = (table: Iterable<[string, number]>) => [...table].filter(([name, number]) => number <= newest && !ADDED_IN_A_GAP.has(name));
  expect(Object.fromEntries(upTo(Object.entries(SYSCALLS[architecture])))).toEqual(Object.fromEntries(upTo(header)));
}

/** Newer calls with numbers among the old ones. */
const ADDED_IN_A_GAP = new Set(['uretprobe', 'uprobe']);

/** Lets the preprocessor resolve the header's conditions and aliases. */
function numbersIn(source: string): Map<string, number> {
  const defines = execFileSync('cc', ['-E', '-dM', '-x', 'c', '-'], { input: source, encoding: 'utf8' });
  const values = new Map<string, string>();
  for (const [, name = '', value = ''] of defines.matchAll(/^#define (__NR\w+) (\w+)$/gm)) values.set(name, value);
  const numbers = new Map<string, number>();
  for (const name of values.keys()) {
    let value = name;
    while (values.has(value)) value = values.get(value) ?? '';
    if (name.startsWith('__NR_') && name !== '__NR_syscalls') numbers.set(name.slice('__NR_'.length), Number(value));
  }
  return numbers;
}
