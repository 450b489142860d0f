/** Calls that concern the whole machine, or parts of the kernel that have been ways in. */
import { program, type Theme } from '../attempt.ts';

const EPERM = { restrictive: 'refused EPERM' } as const;

export const KERNEL_CALLS: Theme = {
  name: 'kernel calls',
  attempts: [
    program('kernel-bpf-program', 'load a BPF program', ['seccomp'], 'refused EPERM', EPERM),
    program('kernel-bpf-map', 'make a BPF map', ['seccomp'], 'refused EPERM'),
    program('kernel-perf', 'count its own events', ['seccomp'], 'refused EPERM', EPERM),
    program('kernel-perf-machine', 'watch the events of the whole machine', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-userfaultfd', 'hold page faults, to win races in the kernel', ['seccomp'], 'refused EPERM', EPERM),
    program('kernel-io-uring', 'make calls that no filter sees', ['seccomp'], 'refused EPERM', EPERM),
    program('kernel-kexec', 'load another kernel', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-kexec-file', 'load another kernel from a file', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-module', 'load a module', ['seccomp', 'user'], 'refused EPERM', { user: 'root', ...EPERM }),
    program('kernel-module-file', 'load a module from a file', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-module-removal', 'remove a module', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-time-of-day', 'set the time zone of the kernel', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-clock', 'set the clock', ['seccomp', 'user'], 'refused EPERM', { user: 'root', ...EPERM }),
    program('kernel-adjust-clock', 'make the clock run slower', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-host-name', 'change the host’s name', ['seccomp', 'capabilities', 'uts'], 'refused EPERM', { user: 'root', ...EPERM }),
    program('kernel-read-host-name', 'learn the host’s name', ['uts'], 'absent', { restrictive: 'absent' }),
    program('kernel-domain-name', 'change the host’s domain', ['seccomp', 'capabilities', 'uts'], 'refused EPERM', { user: 'root' }),
    program('kernel-restart', 'restart the machine', ['seccomp', 'capabilities', 'pid'], 'refused EPERM', { user: 'root', ...EPERM }),
    program('kernel-swap-on', 'swap to a file', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-swap-off', 'end swapping', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-accounting', 'have the kernel write an account of all processes', ['seccomp', 'user'], 'refused EPERM', {
      user: 'root',
    }),
    program('kernel-log', 'read the log of the kernel by syslog(2)', ['seccomp', 'user'], 'refused EPERM', EPERM),
    program('kernel-quota', 'change disk quotas', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-hang-up', 'hang up a terminal', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('kernel-fanotify', 'decide on the file accesses of others', ['seccomp', 'user'], 'refused EPERM', { user: 'root' }),
    program('kernel-page-cache', 'learn which files others have read', ['seccomp'], 'refused ENOSYS'),
    program('kernel-security-modules', 'learn which security modules there are', ['seccomp'], 'refused EPERM'),
    program('kernel-memory-policy', 'move the memory of pid 1 between nodes', ['seccomp', 'undumpable'], 'refused EPERM', { user: 'root' }),
    program('kernel-personality', 'switch off the randomness of addresses', ['seccomp'], 'refused EPERM', EPERM),
    program('kernel-program-break', 'forge the layout that the kernel keeps of it', ['capabilities', 'user'], 'refused EPERM', {
      user: 'root',
    }),
    program('kernel-ports', 'talk to hardware ports', ['seccomp', 'user'], 'refused EPERM', { user: 'root', architecture: 'x64' }),
    program('kernel-descriptor-table', 'change the descriptor table of the processor', ['seccomp'], 'refused EPERM', {
      architecture: 'x64',
    }),
  ],
};
