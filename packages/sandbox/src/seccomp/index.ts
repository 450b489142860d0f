/**
 * The seccomp wall: which system calls a sandbox may make.
 *
 * Profiles are data with reasons (`default-rules.ts`, `restrictive-rules.ts`, arguments in `guards.ts`); `compile.ts` turns one into the
 * bytes that the launcher installs in pid 1 before anything else runs, and every command inherits it. Filters cannot be taken off.
 */
export { type CompileOptions, compileFilter, compileInitFilter, compileProfile } from './compile.ts';
export { type Decision, ERRNOS, type Errno, type Question } from './decision.ts';
export { type Verdict, verdict } from './interpret.ts';
export { answersOf, type Profile, type Rule } from './profile.ts';
export { PROFILES, type SeccompProfileName } from './profiles.ts';
export { type Architecture, architectureOf, SYSCALLS, type SyscallName } from './syscalls.ts';
