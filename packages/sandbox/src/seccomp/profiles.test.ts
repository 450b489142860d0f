import assert from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, ERRNOS } from './decision.ts';
import { verdict } from './interpret.ts';
import { answersOf } from './profile.ts';
import { PROFILES } from './profiles.ts';
import { type Architecture, SYSCALLS, type SyscallName } from './syscalls.ts';
import { registersFor } from './test-support/arguments.ts';

const ARCHITECTURES = ['x86_64', 'aarch64'] as const;
const NAMES = ['default', 'restrictive'] as const;

describe('PROFILES', () => {
  // Pins. A red one asks: did you mean to open (or close) this? Then paste the new list.
  it('default always allows these calls', () => {
    expect(callsWhere((answer) => answer === 'allow')).toEqual(
      words(`
        accept accept4 access alarm arch_prctl bind brk capget capset chdir chown clock_getres clock_gettime clock_nanosleep close
        close_range connect copy_file_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd
        eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchown fchownat fcntl fdatasync fgetxattr
        flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake
        futimesat get_robust_list getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp
        getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday
        getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch 
        ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self
        lchown lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack
        membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
        mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat pause
        pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2
        pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr
        removexattrat rename renameat restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
        rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
        sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
        sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list set_tid_address
        setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt
        setuid setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 splice stat statfs statx symlink
        symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
        timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat uretprobe utime utimensat
        utimes vfork vmsplice wait4 waitid write writev
    `),
    );
  });

  it('default allows these calls for some arguments', () => {
    expect(callsWhere((answer) => typeof answer === 'object')).toEqual(
      words(`
        chmod clone creat fchmod fchmodat fchmodat2 ioctl mkdir mkdirat mknod mknodat open openat personality prlimit64 renameat2 socket socketpair
    `),
    );
  });

  it('restrictive takes these calls away, or narrows them', () => {
    const restrictive = answersOf(PROFILES.restrictive);
    expect(callsWhere((answer, name) => restrictive.get(name) !== answer)).toEqual(
      words(`
        ioprio_set memfd_secret mq_getsetattr mq_notify mq_open
        mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd personality remap_file_pages sched_setaffinity sched_setattr
        sched_setparam sched_setscheduler semctl semget semop semtimedop setpriority shmat shmctl shmdt shmget socket sync syncfs vmsplice
    `),
    );
  });

  it('gives a reason for every rule', () => {
    for (const rule of [...PROFILES.restrictive.rules, ...PROFILES.restrictive.tightened]) {
      expect(rule.why.length).toBeGreaterThan(6);
      expect(rule.calls.length).toBeGreaterThan(0);
    }
  });

  it.each(ARCHITECTURES)('restrictive allows nothing on %s that default refuses, and less', (architecture) => {
    const allows = (name: (typeof NAMES)[number], number: number, args: readonly bigint[]): boolean =>
      verdict(name, architecture, number, args).kind === 'allow';
    const registers = registersFor(PROFILES.default);
    let refusedOnlyThere = 0;
    for (let number = 0; number <= 600; number++) {
      for (const args of fc.sample(registers, { numRuns: 40, seed: number })) {
        if (allows('restrictive', number, args)) expect(allows('default', number, args), `${number} ${args}`).toBe(true);
        else if (allows('default', number, args)) refusedOnlyThere += 1;
      }
    }
    expect(refusedOnlyThere).toBeGreaterThan(38 * 30);
  });

  it('refuses a profile that names a call twice, or tightens what is not there', () => {
    const rule = { why: 'to fail', calls: ['read'], answer: 'allow' } as const;
    expect(() => answersOf({ rules: [rule, rule], tightened: [] })).toThrow('Two rules name read');
    expect(() => answersOf({ rules: [], tightened: [rule] })).toThrow('No rule allows read');
  });
});

const SIGCHLD = 17;
const CLONE_VM = 0x100;
const CLONE_VFORK = 0x4000;
const CLONE_NEWUSER = 0x10000000;
const O_CREAT = 0o100;
const O_TMPFILE = 0o20200000;
const RUBBISH_ABOVE = 0xdead_beef_0000_0000n;

/** Name, arguments, and the answer where the call exists. */
type Row = readonly [name: SyscallName, args: readonly (number | bigint)[], answer: 'allow' | keyof typeof ERRNOS];

describe.each(NAMES.flatMap((name) => ARCHITECTURES.map((architecture) => [name, architecture] as const)))(
  '%s on %s',
  (name, architecture) => {
    it('lets pid 1 of a sandbox do its work', () => {
      const plain =
        'fork vfork execve wait4 waitid epoll_create1 epoll_ctl epoll_wait epoll_pwait signalfd4 pipe2 dup dup2 dup3 fcntl setsid setpgid setresuid ' +
        'setresgid setgroups capset capget prctl kill mmap munmap mprotect brk unlinkat symlinkat getdents64 fstat newfstatat statx readlinkat ' +
        'fsync fdatasync setrlimit getrlimit sched_yield close close_range read write readv writev sendmsg recvmsg getrusage chdir ' +
        'fchdir umask exit_group rt_sigaction rt_sigprocmask clock_gettime timerfd_create timerfd_settime execveat pidfd_open ' +
        'pidfd_send_signal landlock_create_ruleset landlock_restrict_self seccomp ftruncate fchownat getrandom futex set_tid_address arch_prctl';
      const rows: Row[] = [
        ...plain.split(' ').map((call): Row => [call as SyscallName, [-1, -1, -1, -1, -1, -1], 'allow']), // Checked by `expectAnswers`.
        ['clone', [SIGCHLD], 'allow'],
        ['clone', [CLONE_VM | CLONE_VFORK | SIGCHLD], 'allow'],
        ['openat', [-100, 0, O_CREAT, 0o644], 'allow'],
        ['mkdirat', [-100, 0, 0o755], 'allow'],
        ['fchmod', [3, 0o644], 'allow'],
        ['renameat2', [-100, 0, -100, 0, 1], 'allow'],
        ['socketpair', [1, 1, 0, 0], 'allow'],
        ['prlimit64', [0, 7], 'allow'],
        ['prlimit64', [1, 7], 'EPERM'],
        ['ioctl', [0, 0x540e], 'allow'], // TIOCSCTTY
        ['ioctl', [0, 0x5414], 'allow'], // TIOCSWINSZ
        ['ioctl', [0, 0x40045431], 'allow'], // TIOCSPTLCK
        ['ioctl', [0, 0x80045430], 'allow'], // TIOCGPTN
        ['ioctl', [0, 0x5441], 'allow'], // TIOCGPTPEER
      ];
      expectAnswers(name, architecture, rows);
    });

    it('makes no namespaces', () => {
      expectAnswers(name, architecture, [
        ...[0x20000, 0x2000000, 0x4000000, 0x8000000, CLONE_NEWUSER, 0x20000000, 0x40000000].map(
          (flag): Row => ['clone', [flag | SIGCHLD], 'EPERM'],
        ),
        ['clone', [BigInt(CLONE_NEWUSER) | RUBBISH_ABOVE], 'EPERM'],
        ['clone', [BigInt(CLONE_VM) | RUBBISH_ABOVE], 'allow'],
        ['clone3', [0, 0], 'ENOSYS'],
        ['unshare', [CLONE_NEWUSER], 'EPERM'],
        ['setns', [0, 0], 'EPERM'],
      ]);
    });

    it('makes no set-id bits and no devices', () => {
      expectAnswers(name, architecture, [
        ...([0o4755, 0o2755, 0o6000] as const).flatMap((mode): Row[] => [
          ['chmod', [0, mode], 'EPERM'],
          ['fchmod', [0, mode], 'EPERM'],
          ['fchmodat', [-100, 0, mode], 'EPERM'],
          ['fchmodat2', [-100, 0, mode, 0], 'EPERM'],
          ['mkdir', [0, mode], 'EPERM'],
          ['mkdirat', [-100, 0, mode], 'EPERM'],
          ['creat', [0, mode], 'EPERM'],
          ['mknod', [0, 0o100000 | mode, 0], 'EPERM'],
          ['mknodat', [-100, 0, 0o100000 | mode, 0], 'EPERM'],
          ['open', [0, O_CREAT, mode], 'EPERM'],
          ['open', [0, O_TMPFILE, mode], 'EPERM'],
          ['open', [0, 0, mode], 'allow'],
          ['openat', [-100, 0, O_CREAT, mode], 'EPERM'],
          ['openat', [-100, 0, O_TMPFILE, mode], 'EPERM'],
          ['openat', [-100, 0, 0, mode], 'allow'],
        ]),
        ['chmod', [0, 0o1777], 'allow'],
        ['chmod', [0, BigInt(0o4755) | RUBBISH_ABOVE], 'EPERM'],
        ['openat2', [-100, 0, 0, 24], 'ENOSYS'],
        ['mknodat', [-100, 0, 0o010644, 0], 'allow'],
        ['mknodat', [-100, 0, 0o140644, 0], 'allow'],
        ['mknodat', [-100, 0, 0o020644, 0], 'EPERM'],
        ['mknodat', [-100, 0, 0o060644, 0x801], 'EPERM'],
        ['renameat2', [-100, 0, -100, 0, 4], 'EINVAL'],
        ['renameat2', [-100, 0, -100, 0, 2], 'allow'],
      ]);
    });

    it('opens sockets of known families only', () => {
      const internet = name === 'default' ? 'allow' : 'EAFNOSUPPORT';
      const orElse = (refusal: keyof typeof ERRNOS) => (name === 'default' ? refusal : 'EAFNOSUPPORT');
      expectAnswers(name, architecture, [
        ['socket', [1, 1, 0], 'allow'],
        ['socket', [1, 5 | 0o2000000, 0], 'allow'],
        ['socket', [2, 1, 6], internet],
        ['socket', [10, 2 | 0o4000, 17], internet],
        ['socket', [2, 1, 262], internet],
        ['socket', [BigInt(2) | RUBBISH_ABOVE, 1n | RUBBISH_ABOVE, RUBBISH_ABOVE], internet],
        ['socket', [2, 3, 1], orElse('EPERM')],
        ['socket', [2, 3 | 0o2000000, 255], orElse('EPERM')],
        ['socket', [2, 10, 0x300], orElse('EPERM')], // SOCK_PACKET, the old name of a packet socket
        ['socket', [2, 1, 132], orElse('EPROTONOSUPPORT')],
        ['socket', [16, 3, 0], internet],
        ['socket', [16, 3, 9], orElse('EPROTONOSUPPORT')],
        ...[0, 3, 15, 17, 29, 30, 38, 40, 43, 44, 45, -1].map((family): Row => ['socket', [family, 1, 0], 'EAFNOSUPPORT']),
        ['socketpair', [30, 1, 0, 0], 'EAFNOSUPPORT'],
      ]);
    });

    it('types into no terminal and changes no line discipline', () => {
      expectAnswers(name, architecture, [
        ['ioctl', [0, 0x5412], 'EPERM'],
        ['ioctl', [0, 0x541c], 'EPERM'],
        ['ioctl', [0, 0x5423], 'EPERM'],
        ['ioctl', [0, BigInt(0x5412) | RUBBISH_ABOVE], 'EPERM'], // CVE-2019-10063
        ['ioctl', [0, 0x5413], 'allow'],
      ]);
    });

    it('stays plain Linux', () => {
      const allowed = name === 'default' ? 'allow' : 'EPERM';
      expectAnswers(name, architecture, [
        ...[0, 8, 0x20000, 0x20008, 0xffffffff].map((persona): Row => ['personality', [persona], allowed]),
        ...[0x40000, 0x400000, 1, 0x20001].map((persona): Row => ['personality', [persona], 'EPERM']),
      ]);
    });

    it('refuses what reaches past the sandbox', () => {
      const refused =
        'ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise io_uring_setup io_uring_enter io_uring_register userfaultfd ' +
        'keyctl add_key request_key bpf perf_event_open mount umount2 pivot_root chroot unshare setns open_tree open_tree_attr move_mount fsopen ' +
        'fsconfig fsmount fspick mount_setattr open_by_handle_at name_to_handle_at kexec_load kexec_file_load init_module finit_module ' +
        'delete_module create_module get_kernel_syms query_module swapon swapoff reboot acct quotactl quotactl_fd syslog settimeofday ' +
        'clock_settime adjtimex clock_adjtime iopl ioperm modify_ldt vhangup fanotify_init fanotify_mark lookup_dcookie nfsservctl _sysctl uselib ' +
        'ustat sysfs move_pages migrate_pages mbind set_mempolicy get_mempolicy set_mempolicy_home_node sethostname setdomainname ' +
        'file_getattr file_setattr lsm_get_self_attr lsm_set_self_attr lsm_list_modules';
      expectAnswers(
        name,
        architecture,
        refused.split(' ').map((call): Row => [call as SyscallName, [0, 0, 0], 'EPERM']),
      ); // Checked by `expectAnswers`.
    });
  },
);

/** Compares answers where the call exists on the architecture; a name that exists on neither is a mistake of the test. */
function expectAnswers(name: (typeof NAMES)[number], architecture: Architecture, rows: readonly Row[]): void {
  for (const [call, args, answer] of rows) {
    assert(call in SYSCALLS.x86_64 || call in SYSCALLS.aarch64, `${call} is no system call`);
    const number = SYSCALLS[architecture][call];
    if (number === undefined) continue;
    const expected = answer === 'allow' ? { kind: 'allow' } : { kind: 'errno', errno: ERRNOS[answer] };
    expect(verdict(name, architecture, number, args), `${call}(${args.join(', ')})`).toEqual(expected);
  }
}

/** Names of the default profile, sorted. */
function callsWhere(isWanted: (answer: Decision, name: SyscallName) => boolean): string[] {
  return [...answersOf(PROFILES.default)].flatMap(([name, answer]) => (isWanted(answer, name) ? [name] : [])).toSorted();
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
