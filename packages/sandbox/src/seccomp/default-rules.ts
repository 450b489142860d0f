/**
 * What programs in a sandbox may call: no more than Docker lets a container without capabilities call, less where nobody misses it.
 *
 * Not here although Docker allows it: ptrace and process_vm_* (nothing in here debugs, and what they reach is hard to bound), adjtimex and
 * clock_adjtime (a pointer hides whether the clock is read or set), name_to_handle_at (its other half, open_by_handle_at, walks out of
 * mounts), modify_ldt (for 16- and 32-bit code, which has no way in), fanotify_mark and process_mrelease (useless without capabilities
 * or another's processes), and calls that no 64-bit kernel implements.
 */
import * as guard from './guards.ts';
import type { Rule } from './profile.ts';

// biome-ignore format: a list of names is read as a paragraph
export const DEFAULT_RULES: readonly Rule[] = [
  {
    why: 'reading, writing and sizing what is already open',
    answer: 'allow',
    calls: [
      'read', 'write', 'readv', 'writev', 'pread64', 'pwrite64', 'preadv', 'pwritev', 'preadv2', 'pwritev2', 'lseek', 'close',
      'close_range', 'dup', 'dup2', 'dup3', 'fcntl', 'flock', 'fsync', 'fdatasync', 'sync', 'syncfs', 'sync_file_range',
      'fallocate', 'fadvise64', 'readahead', 'ftruncate', 'copy_file_range', 'sendfile', 'splice', 'tee', 'vmsplice', 'pipe',
      'pipe2',
    ],
  },
  {
    why: 'looking at and changing the tree: mounts, owners and modes decide what is reachable',
    answer: 'allow',
    calls: [
      'access', 'faccessat', 'faccessat2', 'stat', 'fstat', 'lstat', 'newfstatat', 'statx', 'statfs', 'fstatfs', 'getdents',
      'getdents64', 'readlink', 'readlinkat', 'getcwd', 'chdir', 'fchdir', 'truncate', 'link', 'linkat', 'symlink', 'symlinkat',
      'rename', 'renameat', 'unlink', 'unlinkat', 'rmdir', 'chown', 'fchown', 'lchown', 'fchownat', 'umask', 'utime', 'utimes',
      'futimesat', 'utimensat',
    ],
  },
  {
    why: 'extended attributes: cp -a and tar use them; setting file capabilities needs a capability, and no_new_privs mutes them',
    answer: 'allow',
    calls: [
      'setxattr', 'lsetxattr', 'fsetxattr', 'getxattr', 'lgetxattr', 'fgetxattr', 'listxattr', 'llistxattr', 'flistxattr',
      'removexattr', 'lremovexattr', 'fremovexattr', 'setxattrat', 'getxattrat', 'listxattrat', 'removexattrat',
    ],
  },
  { why: 'opening files; a file made on the way carries no set-id bits', answer: guard.openWithoutSetIdBits(1, 2), calls: ['open'] },
  { why: 'as open', answer: guard.openWithoutSetIdBits(2, 3), calls: ['openat'] },
  {
    why: 'no set-id program is made inside: one left in a writable workspace would wait there for a user of the host',
    answer: guard.withoutSetIdBits(1),
    calls: ['chmod', 'fchmod', 'creat', 'mkdir'],
  },
  { why: 'as chmod', answer: guard.withoutSetIdBits(2), calls: ['fchmodat', 'fchmodat2', 'mkdirat'] },
  { why: 'pipes and sockets, no devices', answer: guard.mknodWithoutDevices(1), calls: ['mknod'] },
  { why: 'as mknod', answer: guard.mknodWithoutDevices(2), calls: ['mknodat'] },
  { why: 'renaming without replacing, swapping; no whiteouts', answer: guard.RENAME_WITHOUT_WHITEOUT, calls: ['renameat2'] },
  { why: 'devices and terminals, but never typing for their owner', answer: guard.IOCTL_WITHOUT_TERMINAL_TAKEOVER, calls: ['ioctl'] },
  {
    why: 'memory of the process itself, executable too: V8 and other compilers write code',
    answer: 'allow',
    calls: [
      'brk', 'mmap', 'munmap', 'mremap', 'mprotect', 'madvise', 'msync', 'mincore', 'mlock', 'mlock2', 'munlock', 'mlockall',
      'munlockall', 'remap_file_pages', 'pkey_alloc', 'pkey_free', 'pkey_mprotect', 'mseal', 'map_shadow_stack', 'memfd_create',
      'memfd_secret', 'membarrier',
    ],
  },
  {
    why: 'starting, watching and ending processes and threads',
    answer: 'allow',
    calls: [
      'fork', 'vfork', 'execve', 'execveat', 'exit', 'exit_group', 'wait4', 'waitid', 'kill', 'tkill', 'tgkill', 'pidfd_open',
      'pidfd_send_signal', 'getpid', 'getppid', 'gettid', 'getpgid', 'getpgrp', 'setpgid', 'getsid', 'setsid', 'prctl',
      'arch_prctl', 'set_tid_address', 'set_robust_list', 'get_robust_list', 'rseq', 'restart_syscall',
    ],
  },
  { why: 'fork and threads as libc makes them, without new namespaces', answer: guard.CLONE_WITHOUT_NAMESPACES, calls: ['clone'] },
  {
    why: 'waiting for each other: locks and condition variables',
    answer: 'allow',
    calls: ['futex', 'futex_waitv', 'futex_wake', 'futex_wait', 'futex_requeue'],
  },
  {
    why: 'signals',
    answer: 'allow',
    calls: [
      'rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'rt_sigpending', 'rt_sigsuspend', 'rt_sigtimedwait', 'rt_sigqueueinfo',
      'rt_tgsigqueueinfo', 'sigaltstack', 'pause', 'alarm',
    ],
  },
  {
    why: 'event loops and watching files',
    answer: 'allow',
    calls: [
      'poll', 'ppoll', 'select', 'pselect6', 'epoll_create', 'epoll_create1', 'epoll_ctl', 'epoll_wait', 'epoll_pwait',
      'epoll_pwait2', 'eventfd', 'eventfd2', 'signalfd', 'signalfd4', 'timerfd_create', 'timerfd_settime', 'timerfd_gettime',
      'inotify_init', 'inotify_init1', 'inotify_add_watch', 'inotify_rm_watch',
    ],
  },
  {
    why: 'reading clocks, sleeping, timers; setting a clock is not among them',
    answer: 'allow',
    calls: [
      'time', 'gettimeofday', 'clock_gettime', 'clock_getres', 'clock_nanosleep', 'nanosleep', 'getitimer', 'setitimer',
      'timer_create', 'timer_settime', 'timer_gettime', 'timer_getoverrun', 'timer_delete',
    ],
  },
  {
    why: 'users and capabilities: pid 1 becomes the user of a command with these; without capabilities they only give up',
    answer: 'allow',
    calls: [
      'getuid', 'geteuid', 'getgid', 'getegid', 'getresuid', 'getresgid', 'getgroups', 'setuid', 'setgid', 'setreuid', 'setregid',
      'setresuid', 'setresgid', 'setfsuid', 'setfsgid', 'setgroups', 'capget', 'capset',
    ],
  },
  {
    why: 'limits, usage and facts about the system; hard limits only go down',
    answer: 'allow',
    calls: ['getrlimit', 'setrlimit', 'getrusage', 'times', 'sysinfo', 'uname', 'getcpu', 'getrandom'],
  },
  { why: 'limits of the caller; those of pid 1 are not a command to change', answer: guard.LIMITS_OF_ITSELF, calls: ['prlimit64'] },
  {
    why: 'scheduling within what the limits leave',
    answer: 'allow',
    calls: [
      'sched_yield', 'sched_getaffinity', 'sched_setaffinity', 'sched_getattr', 'sched_setattr', 'sched_getparam',
      'sched_setparam', 'sched_getscheduler', 'sched_setscheduler', 'sched_get_priority_max', 'sched_get_priority_min',
      'sched_rr_get_interval', 'getpriority', 'setpriority', 'ioprio_get', 'ioprio_set',
    ],
  },
  { why: 'sockets of families that namespaces hold', answer: guard.SOCKET_OF_KNOWN_FAMILIES, calls: ['socket'] },
  { why: 'pairs between processes', answer: guard.SOCKET_OF_AF_UNIX, calls: ['socketpair'] },
  {
    why: 'using a socket that `socket` gave out',
    answer: 'allow',
    calls: [
      'connect', 'bind', 'listen', 'accept', 'accept4', 'getsockname', 'getpeername', 'getsockopt', 'setsockopt', 'sendto',
      'recvfrom', 'sendmsg', 'recvmsg', 'sendmmsg', 'recvmmsg', 'shutdown',
    ],
  },
  {
    why: 'System V and POSIX queues, semaphores and shared memory: PostgreSQL needs them, the ipc namespace holds them',
    answer: 'allow',
    calls: [
      'shmget', 'shmat', 'shmdt', 'shmctl', 'semget', 'semop', 'semtimedop', 'semctl', 'msgget', 'msgsnd', 'msgrcv', 'msgctl',
      'mq_open', 'mq_unlink', 'mq_timedsend', 'mq_timedreceive', 'mq_notify', 'mq_getsetattr',
    ],
  },
  { why: 'asking for and setting the plain Linux personality', answer: guard.PERSONALITY_OF_LINUX, calls: ['personality'] },
  {
    why: 'programs that wall themselves in further; filters and rulesets only add',
    answer: 'allow',
    calls: ['seccomp', 'landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self'],
  },
  {
    why: 'written into a program by the kernel when the host traces it; the kernel lets it pass every filter since 6.14',
    answer: 'allow',
    calls: ['uretprobe'],
  },
  {
    why: 'its flags lie behind a pointer, where a filter cannot look for namespaces; without it libc falls back to clone',
    answer: 'ENOSYS',
    calls: ['clone3'],
  },
  {
    why: 'its mode lies behind a pointer, where a filter cannot look for set-id bits; without it callers fall back to openat',
    answer: 'ENOSYS',
    calls: ['openat2'],
  },
  {
    why: 'young code with an old equivalent: callers fall back to /proc/self/mountinfo',
    answer: 'ENOSYS',
    calls: ['statmount', 'listmount'],
  },
  {
    why: 'requests are counted for the whole machine (fs.aio-max-nr), so one sandbox could take them all; callers fall back to threads',
    answer: 'ENOSYS',
    calls: ['io_setup', 'io_destroy', 'io_submit', 'io_cancel', 'io_getevents', 'io_pgetevents'],
  },
  { why: 'tells who else has read a shared file; mincore serves those who own it', answer: 'ENOSYS', calls: ['cachestat'] },
];
