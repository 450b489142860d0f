import { AARCH64 } from './tables/aarch64.ts';
import { SHARED } from './tables/shared.ts';
import { X86_64 } from './tables/x86-64.ts';

export type Architecture = 'x86_64' | 'aarch64';

/** Every name of either architecture. A profile that misspells one does not compile. */
export type SyscallName = keyof typeof SHARED | keyof typeof X86_64 | keyof typeof AARCH64;

/** What a call's number is. A name missing here does not exist on that architecture (aarch64 has no `open`, for one). */
export const SYSCALLS: Readonly<Record<Architecture, Readonly<Partial<Record<SyscallName, number>>>>> = {
  x86_64: { ...X86_64, ...SHARED },
  aarch64: { ...AARCH64, ...SHARED },
};

/** AUDIT_ARCH_* of linux/audit.h, as `seccomp_data.arch` carries it. `int 0x80` on x86_64 comes as a third one, AUDIT_ARCH_I386. */
export const AUDIT_ARCHITECTURES: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

/** The architecture that a Node `process.arch` stands for, or undefined where Warren has no table. */
export function architectureOf(nodeArchitecture: string): Architecture | undefined {
  if (nodeArchitecture === 'x64') return 'x86_64';
  return nodeArchitecture === 'arm64' ? 'aarch64' : undefined;
}
