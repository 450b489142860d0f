/** Asks the kernel itself, through `verdict-probe.c`. Used here and by the tests of a whole sandbox. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Architecture, SYSCALLS, type SyscallName } from '../syscalls.ts';
import { nameOf } from './naive.ts';

export type Call = { readonly entry: 'native' | 'int80'; readonly number: number; readonly args: readonly (number | bigint)[] };

/** What became of a call, in the words of the probe: `ran`, `errno 13`, `waits`, `ended`, `killed`. */
export type Seen = string;

/** Added to the filter's errors, so that they differ from all of the kernel's. */
export const ERRNO_OFFSET = 3000;

export const BUILD_FOLDER: string = resolve(import.meta.dirname, '../../../../../build/test');

/** Compiles the probe and returns its path. Test files run at once, so each builds under a name of its own and moves it into place. */
export function buildProbe(): string {
  const probe = `${BUILD_FOLDER}/verdict-probe`;
  const mine = `${probe}.${process.pid}`;
  mkdirSync(BUILD_FOLDER, { recursive: true });
  const flags = ['-std=gnu11', '-O2', '-static', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Wstrict-prototypes', '-Werror'];
  execFileSync('cc', [...flags, '-o', mine, resolve(import.meta.dirname, 'verdict-probe.c')], { stdio: ['ignore', 'inherit', 'inherit'] });
  renameSync(mine, probe);
  return probe;
}

/** Makes the calls, each in a process of its own, and returns what became of them, in order. `args` are the probe's. */
export function askKernel(probe: string, args: readonly string[], calls: readonly Call[]): Seen[] {
  return parseSeen(execFileSync(probe, args, { input: callLines(calls), encoding: 'utf8', maxBuffer: 1 << 24 }), calls);
}

export function callLines(calls: readonly Call[]): string {
  return calls.map(({ entry, number, args }) => `${entry} ${number} ${args.join(' ')}\n`).join('');
}

export function parseSeen(output: string, calls: readonly Call[]): Seen[] {
  const lines = output.trimEnd().split('\n');
  return calls.map(({ number }, index) => {
    const [seenNumber, ...seen] = (lines[index] ?? '').split(' ');
    if (seenNumber !== String(number)) throw new Error(`The probe answers "${lines[index]}" where call ${number} is due`);
    return seen.join(' ');
  });
}

/** All bits set is a bad descriptor, pointer, size, flag and pid at once, so calls fail early. The others need a hand to be harmless. */
const ALL_BITS = [-1, -1, -1, -1, -1, -1];
const HARMLESS: Partial<Record<SyscallName, readonly number[]>> = {
  clone: [17, 0, 0, 0, 0, 0], // SIGCHLD: a fork, and the child stops where its parent does.
  msgget: [1, 0, 0, 0, 0, 0], // Without IPC_CREAT: all bits make a queue.
  kill: [0x7fffffff, 0, 0, 0, 0, 0], // A pid that cannot be: -1 is everybody.
};

export function harmlessCall(architecture: Architecture, number: number): Call {
  const name = nameOf(architecture, number);
  return { entry: 'native', number, args: (name === undefined ? undefined : HARMLESS[name]) ?? ALL_BITS };
}

/** Every number there is and many that are not, including x32 and, on x86_64, the 32-bit entry. */
export function everyCall(architecture: Architecture): Call[] {
  const numbers = Array.from({ length: 601 }, (_, number) => number);
  const native = [...numbers, 0x3fffffff, 0x80000000, 0xc0000000, 0xffffffff].map((number) => harmlessCall(architecture, number));
  if (architecture !== 'x86_64') return native;
  const x32 = [...numbers, 0x3fffffff].map((number): Call => ({ entry: 'native', number: 0x40000000 + number, args: ALL_BITS }));
  const int80 = numbers.map((number): Call => ({ entry: 'int80', number, args: ALL_BITS }));
  return [...native, ...x32, ...int80];
}

/** Calls whose arguments decide. Where one is let through, null pointers and bad descriptors see to it that nothing happens. */
export function guardedCalls(architecture: Architecture): Call[] {
  const table = SYSCALLS[architecture];
  return guardedRows().flatMap(([name, ...args]): Call[] => {
    const number = table[name];
    return number === undefined ? [] : [{ entry: 'native', number, args }];
  });
}

type Row = readonly [SyscallName, ...(number | bigint)[]];

const BIT_40 = 1n << 40n; // Above what the kernel looks at.

function guardedRows(): Row[] {
  const modes = [0o644, 0o1777, 0o4755, 0o2755, 0o6000, BigInt(0o4755) | BIT_40, BigInt(0o644) | BIT_40];
  const files = [0o010000, 0o020000, 0o060000, 0o100000, 0o140000].flatMap((type) => [type | 0o644, type | 0o4755]);
  const openFlags = [0, 0o100, 0o20200000, 0o1000000 | 0o100, 0o2000000];
  const cloneFlags = [0, 0x4100, ...[17, 25, 26, 27, 28, 29, 30].map((bit) => 2 ** bit)];
  const families = Array.from({ length: 47 }, (_, family) => family);
  return [
    ...modes.flatMap((mode): Row[] => [
      ['chmod', 0, mode],
      ['fchmod', -1, mode],
      ['fchmodat', -100, 0, mode],
      ['fchmodat2', -100, 0, mode, 0],
      ['mkdir', 0, mode],
      ['mkdirat', -100, 0, mode],
      ['creat', 0, mode],
      ...openFlags.flatMap((flags): Row[] => [
        ['open', 0, flags, mode],
        ['openat', -100, 0, flags, mode],
      ]),
    ]),
    ...files.flatMap((mode): Row[] => [
      ['mknod', 0, mode, 0],
      ['mknodat', -100, 0, mode, 0],
    ]),
    ...[0, 1, 2, 4, 5, BIT_40, BIT_40 | 4n].map((flags): Row => ['renameat2', -100, 0, -100, 0, flags]),
    ...cloneFlags.flatMap((flag): Row[] => [
      ['clone', flag + 17],
      ['clone', BigInt(flag + 17) | BIT_40],
    ]),
    ...[0x5401, 0x540e, 0x5411, 0x5412, 0x5413, 0x541c, 0x5422, 0x5423, 0x5424].flatMap((command): Row[] => [
      ['ioctl', -1, command, 0],
      ['ioctl', -1, BigInt(command) | BIT_40, 0],
    ]),
    ...[0, 8, 0x20000, 0x20008, 0xffffffff, -1, 1, 0x40000, 0x400000, 0x20001].map((persona): Row => ['personality', persona]),
    ...families.flatMap((family) =>
      [1, 2, 3, 5, 10].flatMap((type) => [0, 6, 9, 132].map((protocol): Row => ['socket', family, type, protocol])),
    ),
    ...families.map((family): Row => ['socketpair', family, 1, 0, 0]),
    ['socket', 2n | BIT_40, 1n | BIT_40, 6n | BIT_40],
    ['socket', 40n | BIT_40, 1, 0],
    ['socket', 2, 3 | 0o2004000, 1],
  ];
}
