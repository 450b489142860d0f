import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verdict } from './interpret.ts';
import { answersOf } from './profile.ts';
import { PROFILES } from './profiles.ts';
import { SYSCALLS, type SyscallName } from './syscalls.ts';
import { registersFor } from './test-support/arguments.ts';
import { nameOf } from './test-support/naive.ts';

/**
 * What Docker's default profile (moby/profiles seccomp 0.2.3, August 2026) lets a container without any capability call on a kernel since
 * 4.8, whatever the arguments. Names that neither x86_64 nor aarch64 has are left out.
 */
const DOCKER_ALLOWS = `
  accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_adjtime clock_getres
  clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
  epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
  fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork
  fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat get_robust_list
  get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid
  getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid
  getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
  io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr
  link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack membarrier
  memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify
  mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
  name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
  pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 ptrace
  pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr
  removexattrat rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
  rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list
  set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid
  setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair
  splice stat statfs statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
  timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink
  unlinkat uretprobe utime utimensat utimes vfork vmsplice wait4 waitid write writev
`;

/** What it allows for some arguments. The upper half of a register is ignored here; Docker compares all of it, which only refuses more. */
const DOCKER_ALLOWS_IF: Partial<Record<SyscallName, (args: readonly bigint[]) => boolean>> = {
  socket: ([family = 0n]) => ![38n, 40n].includes(BigInt.asUintN(32, family)),
  personality: ([persona = 0n]) => [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn].includes(BigInt.asUintN(32, persona)),
  clone: ([flags = 0n]) => (flags & 0x7e020000n) === 0n,
};

const always = new Set(words(DOCKER_ALLOWS));

function dockerAllows(name: SyscallName, args: readonly bigint[]): boolean {
  return always.has(name) || DOCKER_ALLOWS_IF[name]?.(args) === true;
}

describe('the default profile', () => {
  it.each(['x86_64', 'aarch64'] as const)('allows nothing on %s that Docker refuses', (architecture) => {
    const registers = registersFor(PROFILES.default);
    for (let number = 0; number <= 600; number++) {
      const name = nameOf(architecture, number);
      const isAllowed = (args: readonly bigint[]): boolean => verdict('default', architecture, number, args).kind === 'allow';
      for (const args of fc.sample(registers, { numRuns: 40, seed: number })) {
        if (isAllowed(args)) expect(name !== undefined && dockerAllows(name, args), `${name} ${args}`).toBe(true);
      }
    }
  });

  it('refuses a known list of what Docker allows', () => {
    const answers = answersOf(PROFILES.default);
    const names = [...always].filter((name) => Object.values(SYSCALLS).some((table) => name in table)) as SyscallName[]; // Filtered by what they are.
    const refused = names.filter((name) => typeof (answers.get(name) ?? 'EPERM') === 'string' && answers.get(name) !== 'allow');
    const asked = names.filter((name) => typeof answers.get(name) === 'object');
    expect({ refused, asked }).toEqual({
      refused: words(`
        adjtimex cachestat clock_adjtime epoll_ctl_old epoll_wait_old fanotify_mark get_thread_area io_cancel io_destroy io_getevents
        io_pgetevents io_setup io_submit listmount modify_ldt name_to_handle_at openat2 process_mrelease process_vm_readv process_vm_writev ptrace set_thread_area statmount
      `),
      asked: words('chmod creat fchmod fchmodat fchmodat2 ioctl mkdir mkdirat mknod mknodat open openat prlimit64 renameat2 socketpair'),
    });
  });

  it('answers clone3 as Docker does, so that libc falls back', () => {
    expect(verdict('default', 'x86_64', 435)).toEqual({ kind: 'errno', errno: 38 });
  });
});

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
