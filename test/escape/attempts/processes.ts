/** Processes of the host, pid 1, and objects that outlive their process. */
import { program, type Theme } from '../attempt.ts';

export const PROCESSES: Theme = {
  name: 'processes',
  attempts: [
    program('process-signal-host', 'signal a process of the host', ['pid', 'landlock', 'user'], 'refused ESRCH', {
      restrictive: 'refused ESRCH',
    }),
    program('process-signal-host-as-root', 'the same as root inside', ['pid', 'landlock', 'user'], 'refused ESRCH', {
      program: 'process-signal-host',
      user: 'root',
    }),
    program('process-pidfd-host', 'hold on to a process of the host', ['pid'], 'refused ESRCH'),
    program('process-limits-of-host', 'read or set the limits of a process of the host', ['seccomp', 'pid', 'user'], 'refused EPERM', {
      user: 'root',
    }),
    program('process-signal-init', 'signal pid 1', ['user'], 'refused EPERM', { restrictive: 'refused EPERM', needsRoot: true }),
    program('process-queue-signal-to-init', 'queue a signal with a forged sender', ['user'], 'refused EPERM', { needsRoot: true }),
    program('process-pidfd-signal-init', 'signal pid 1 through a descriptor', ['user'], 'refused EPERM', { needsRoot: true }),
    program('process-trace-init', 'trace pid 1', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('process-trace-child', 'trace a child to change its system calls', ['seccomp'], 'refused EPERM', {
      restrictive: 'refused EPERM',
    }),
    program('process-be-traced', 'be traced by the parent', ['seccomp'], 'refused EPERM'),
    program('process-read-init', 'read the memory of pid 1', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('process-write-init', 'write the memory of pid 1', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', {
      user: 'root',
    }),
    program('process-take-descriptor', 'take a descriptor of pid 1', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('process-compare', 'learn addresses of the kernel by comparing', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', {
      user: 'root',
    }),
    program('process-advise-init', 'have the memory of pid 1 swapped out', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', {
      user: 'root',
    }),
    program('process-move-pages', 'move the memory of pid 1', ['seccomp', 'undumpable', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('process-robust-list', 'read an address in pid 1', ['undumpable', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('process-slow-init', 'change the priority of pid 1', ['user'], 'refused EPERM', {
      restrictive: 'refused EPERM',
      needsRoot: true,
    }),
    program('process-place-init', 'bind pid 1 to a processor', ['user'], 'refused EPERM', {
      restrictive: 'refused EPERM',
      needsRoot: true,
    }),
    program('process-limit-init', 'change the limits of pid 1', ['seccomp', 'user'], 'refused EPERM'),
    program('process-negative-nice', 'run before everybody else', ['capabilities', 'user'], 'refused EACCES', { user: 'root' }),
    program('process-real-time', 'run as a real-time process', ['capabilities', 'user'], 'refused EPERM', { user: 'root' }),
    program('process-deadline', 'run as a deadline process', ['capabilities', 'user'], 'refused EPERM', { user: 'root' }),
    program('process-real-time-io', 'have its disk requests served first', ['capabilities', 'user'], 'refused EPERM', { user: 'root' }),
    program('process-session', 'be in the session of the launcher', ['session'], 'refused its own', { restrictive: 'refused its own' }),
    program('ipc-shared-memory', 'find shared memory of the host', ['ipc'], 'absent', { restrictive: 'refused EPERM' }),
    program('ipc-semaphore', 'find semaphores of the host', ['ipc'], 'absent', { restrictive: 'refused EPERM' }),
    program('ipc-queue', 'find a message queue of the host', ['ipc'], 'absent', { restrictive: 'refused EPERM' }),
  ],
};
