/** /proc and /sys: the kernel's controls, pid 1 through its files, and what says where on the host one is. */
import { existsSync } from 'node:fs';
import { program, type Theme } from '../attempt.ts';

export const KERNEL_FILES: Theme = {
  name: 'kernel files',
  attempts: [
    program('proc-core-pattern', 'have the host run a program at the next crash', ['read_only_proc', 'user'], 'refused EROFS', {
      restrictive: 'absent',
    }),
    program('proc-core-pattern-as-root', 'the same as root inside', ['read_only_proc', 'user'], 'refused EROFS', {
      program: 'proc-core-pattern',
      user: 'root',
    }),
    program(
      'proc-modprobe',
      'have the host run a program when it looks for a module',
      ['read_only_proc', 'user'],
      whereHostHas('/proc/sys/kernel/modprobe', 'refused EROFS'),
      {
        user: 'root',
      },
    ),
    program('proc-shmmax', 'change a setting that belongs to the own ipc namespace', ['read_only_proc'], 'refused EROFS', { user: 'root' }),
    program('proc-ip-forward', 'change a setting of the own network namespace', ['read_only_proc', 'capabilities'], 'refused EROFS', {
      user: 'root',
    }),
    program('proc-user-namespaces-max', 'raise the number of user namespaces', ['read_only_proc', 'capabilities'], 'refused EROFS', {
      user: 'root',
    }),
    program('proc-sysrq', 'press the magic key', ['read_only_proc', 'user'], whereHostHas('/proc/sysrq-trigger', 'refused EROFS'), {
      user: 'root',
      restrictive: 'absent',
    }),
    program('proc-irq', 'move interrupts to another processor', ['read_only_proc', 'user'], 'refused EROFS', { user: 'root' }),
    program('proc-binfmt', 'register an interpreter that runs on the host', ['minimal_root'], 'absent', { user: 'root' }),
    program('proc-kcore', 'read the memory of the kernel', ['masks', 'user'], 'absent', { restrictive: 'absent' }),
    program('proc-kallsyms', 'read where the kernel lies in memory', ['masks'], 'absent', { restrictive: 'absent' }),
    program('proc-interrupts', 'watch interrupts, which tell keystrokes apart', ['masks'], 'absent', { restrictive: 'absent' }),
    program(
      'proc-timer-list',
      'watch the timers of other processes',
      ['user', 'masks'],
      whereHostHas('/proc/timer_list', 'refused EACCES'),
    ),
    program('proc-keys', 'list keys of the kernel', ['masks'], 'absent', { restrictive: 'absent' }),
    program('proc-kmsg', 'read the log of the kernel', ['user', 'masks'], whereHostHas('/proc/kmsg', 'refused EACCES'), {
      restrictive: 'absent',
    }),
    program(
      'proc-kpageflags',
      'learn what physical pages are used for',
      ['user', 'masks'],
      whereHostHas('/proc/kpageflags', 'refused EACCES'),
    ),
    program('proc-acpi', 'see firmware and power controls', ['masks'], 'absent'),
    program('proc-init-memory', 'write the memory of pid 1', ['read_only_proc', 'undumpable', 'user'], 'refused EROFS', {
      restrictive: 'refused EROFS',
    }),
    program('proc-init-memory-as-root', 'the same as root inside', ['read_only_proc', 'undumpable', 'capabilities'], 'refused EROFS', {
      program: 'proc-init-memory',
      user: 'root',
    }),
    program('proc-init-environment', 'read what environment the launcher had', ['undumpable', 'capabilities'], 'refused EACCES', {
      user: 'root',
      restrictive: 'refused EACCES',
    }),
    program('proc-init-descriptors', 'reach into the descriptors of pid 1', ['undumpable', 'capabilities'], 'refused EACCES', {
      user: 'root',
    }),
    program('proc-init-binary', 'open the program pid 1 runs', ['undumpable', 'capabilities', 'sealed_launcher'], 'refused EACCES', {
      user: 'root',
      restrictive: 'refused EACCES',
    }),
    program('proc-init-root', 'walk through the root of pid 1', ['undumpable', 'capabilities'], 'refused EACCES', { user: 'root' }),
    program('proc-init-namespace', 'hold on to the namespaces of pid 1', ['undumpable', 'capabilities'], 'refused EACCES', {
      user: 'root',
    }),
    program('proc-init-owner', 'own the files that stand for pid 1', ['undumpable'], 'refused nobody', { user: 'root' }),
    program('proc-uid-map', 'write a user map of its own', ['read_only_proc', 'kernel'], 'refused EROFS', { restrictive: 'refused EROFS' }),
    program('proc-oom-score', 'be spared when memory runs out', ['read_only_proc', 'user'], 'refused EROFS', {
      user: 'root',
      restrictive: 'refused EROFS',
    }),
    program('proc-time-offsets', 'shift the clocks of the next time namespace', ['read_only_proc', 'capabilities'], 'refused EROFS', {
      user: 'root',
    }),
    program(
      'proc-reopen-descriptor',
      'turn a descriptor for reading into one for writing',
      ['read_only_mount', 'landlock'],
      'refused EROFS',
      {
        restrictive: 'refused EROFS',
      },
    ),
    program('proc-reopen-mapping', 'the same through the mapping of the file', ['capabilities', 'read_only_mount'], 'refused EPERM'),
    program('proc-root-link', 'leave through /proc/self/root and ..', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('proc-cwd-link', 'leave through /proc/self/cwd and ..', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('proc-cgroup-path', 'learn where in the host’s cgroups it is', ['cgroup'], 'absent', { restrictive: 'absent' }),
    program('proc-host-environment', 'find the host’s secret in the environment of a process', ['pid', 'user'], 'absent', {
      user: 'root',
      restrictive: 'absent',
    }),
    program('proc-host-command-line', 'find a process of the host by its command line', ['pid'], 'absent', { restrictive: 'absent' }),
    program('proc-host-process', 'open the directory of a process of the host', ['pid'], 'absent', { restrictive: 'absent' }),
    program('proc-host-process-root', 'enter the host through the root of one of its processes', ['pid', 'user'], 'absent', {
      user: 'root',
    }),
    program('sys-uevent-helper', 'have the host run a program at the next device event', ['minimal_root'], 'absent', {
      user: 'root',
      restrictive: 'absent',
    }),
    program('sys-release-agent', 'have the host run a program when a cgroup empties', ['minimal_root'], 'absent', {
      user: 'root',
      restrictive: 'absent',
    }),
    program('sys-firmware', 'read firmware tables', ['minimal_root'], 'absent'),
  ],
};

/** Not every kernel has every file. */
function whereHostHas(path: string, answer: string): string {
  return existsSync(path) ? answer : 'absent';
}
