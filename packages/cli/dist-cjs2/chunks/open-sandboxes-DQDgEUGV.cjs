const require_rolldown_runtime = require("./rolldown-runtime-DWds9c1V.cjs");
const require_fault = require("./fault-CoQDgz3e.cjs");
const require_profiles = require("./profiles-C9F3bXKV.cjs");
let node_child_process = require("node:child_process");
let node_path = require("node:path");
let node_fs = require("node:fs");
let node_os = require("node:os");
let node_crypto = {randomBytes(n){const b=Buffer.alloc(n);const d=require("fs").openSync("/dev/urandom","r");require("fs").readSync(d,b);require("fs").closeSync(d);return b}};
let node_assert = {default(){}};

let node_net = require("node:net");
let node_timers_promises = require("node:timers/promises");
let node_fs_promises = {};

// ../sandbox/src/seccomp/bpf.ts
const JUMP_IF_EQUAL = 21;
const JUMP_IF_AT_LEAST = 53;
/** Verdicts (linux/seccomp.h). The low half of RETURN_ERRNO is the error number, at most 4095. */
const RETURN_ALLOW = 2147418112;
const RETURN_ERRNO = 327680;
const RETURN_KILL_PROCESS = 2147483648;
/** Where `struct seccomp_data` keeps things. Both architectures are little-endian: the low half of an argument comes first. */
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
function argumentOffset(index) {
	return 16 + index * 8;
}
const INSTRUCTION_BYTES = 8;
function encode(program) {
	const bytes = new Uint8Array(program.length * 8);
	const view = new DataView(bytes.buffer);
	for (const [index, { code, jt, jf, k }] of program.entries()) {
		const at = index * 8;
		view.setUint16(at, code, true);
		view.setUint8(at + 2, jt);
		view.setUint8(at + 3, jf);
		view.setUint32(at + 4, k, true);
	}
	return bytes;
}

// ../sandbox/src/seccomp/assembler.ts
/** A conditional jump skips at most this many instructions. */
const REACH = 255;
/**
* Writes a program from its last instruction to its first. BPF jumps only forward, so whatever an instruction jumps to is already
* written when its turn comes: the distance is known, and where it is too far for eight bits a stepping stone goes right behind it.
*/
var Assembler = class {
	#reversed = [];
	/** The newest stepping stone to a label. */
	#stones = /* @__PURE__ */ new Map();
	finish() {
		return this.#reversed.toReversed();
	}
	returns(verdict) {
		return this.#put({
			code: 6,
			jt: 0,
			jf: 0,
			k: verdict
		});
	}
	/** Loads a word of seccomp_data, keeps the bits of `mask`, and goes on at `next`. */
	loads(offset, mask, next) {
		if (this.#distance(next) !== 0) this.#put({
			code: 5,
			jt: 0,
			jf: 0,
			k: this.#distance(next)
		});
		if (mask !== void 0) this.#put({
			code: 84,
			jt: 0,
			jf: 0,
			k: mask
		});
		return this.#put({
			code: 32,
			jt: 0,
			jf: 0,
			k: offset
		});
	}
	/** Compares the accumulator with `k` and goes on at one of two labels. */
	branches(code, k, onTrue, onFalse) {
		const near = this.#withinReach(onFalse, 1);
		const other = this.#withinReach(onTrue, 0);
		return this.#put({
			code,
			jt: this.#distance(other),
			jf: this.#distance(near),
			k
		});
	}
	#withinReach(label, spare) {
		const stone = this.#stones.get(label);
		for (const place of [label, stone]) if (place !== void 0 && this.#distance(place) + spare <= REACH) return place;
		const placed = this.#put({
			code: 5,
			jt: 0,
			jf: 0,
			k: this.#distance(label)
		});
		this.#stones.set(label, placed);
		return placed;
	}
	#put(instruction) {
		return this.#reversed.push(instruction);
	}
	/** How many instructions the next one written would skip to get to `label`. */
	#distance(label) {
		return this.#reversed.length - label;
	}
};

// ../sandbox/src/seccomp/decision.ts
/** Error numbers a filter answers with. Both architectures share them (asm-generic/errno*.h). */
const ERRNOS = {
	EPERM: 1,
	EINVAL: 22,
	ENOSYS: 38,
	EPROTONOSUPPORT: 93,
	EAFNOSUPPORT: 97
};

// ../sandbox/src/seccomp/profile.ts
/** What the profile answers for each call it names. */
function answersOf(profile) {
	const answers = /* @__PURE__ */ new Map();
	for (const { call, answer } of eachCall(profile.rules)) {
		(0, node_assert.default)(!answers.has(call), `Two rules name ${call}`);
		answers.set(call, answer);
	}
	for (const { call, answer } of eachCall(profile.tightened)) {
		(0, node_assert.default)(answers.has(call), `No rule allows ${call}, so it cannot be tightened`);
		answers.set(call, answer);
	}
	return answers;
}
function eachCall(rules) {
	return rules.flatMap((rule) => rule.calls.map((call) => ({
		call,
		answer: rule.answer
	})));
}

// ../sandbox/src/seccomp/guards.ts
/** NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME is not reachable from `clone`: its bit is part of the exit signal. */
const CLONE_NEW_FLAGS = 2114060288;
const CLONE_WITHOUT_NAMESPACES = {
	arg: 0,
	mask: CLONE_NEW_FLAGS,
	cases: [{
		is: [0],
		answer: "allow"
	}],
	otherwise: "EPERM"
};
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_TYPE_MASK = 15;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** Default, ICMP, TCP, UDP, ICMPv6, MPTCP. */
const INTERNET_PROTOCOLS = [
	0,
	1,
	6,
	17,
	58,
	262
];
/**
* Families are listed, not struck out: asking for an unknown one makes the kernel load its module. AF_VSOCK, AF_ALG, AF_PACKET and AF_KEY
* are not of this world at all; vsock is not even namespaced, so a network namespace does not hold it. The same goes for protocols (SCTP,
* L2TP, SMC) and for netlink, where ROUTE is what libc and `ip` need. Raw types need CAP_NET_RAW anyway; SOCK_PACKET on AF_INET is a
* packet socket by its old name. Each refusal is what a kernel without the feature answers, so programs fall back.
*/
const SOCKET_OF_KNOWN_FAMILIES = {
	arg: 0,
	cases: [
		{
			is: [AF_UNIX],
			answer: "allow"
		},
		{
			is: [AF_INET, AF_INET6],
			answer: {
				arg: 1,
				mask: SOCK_TYPE_MASK,
				cases: [{
					is: [SOCK_STREAM, SOCK_DGRAM],
					answer: {
						arg: 2,
						cases: [{
							is: INTERNET_PROTOCOLS,
							answer: "allow"
						}],
						otherwise: "EPROTONOSUPPORT"
					}
				}],
				otherwise: "EPERM"
			}
		},
		{
			is: [AF_NETLINK],
			answer: {
				arg: 2,
				cases: [{
					is: [NETLINK_ROUTE],
					answer: "allow"
				}],
				otherwise: "EPROTONOSUPPORT"
			}
		}
	],
	otherwise: "EAFNOSUPPORT"
};
/** For `socket` in the restrictive profile, and for `socketpair` everywhere: nobody pairs other families, but asking loads modules. */
const SOCKET_OF_AF_UNIX = {
	arg: 0,
	cases: [{
		is: [AF_UNIX],
		answer: "allow"
	}],
	otherwise: "EAFNOSUPPORT"
};
/** PER_LINUX, PER_LINUX32, both with UNAME26, and the query. So ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC and foreign systems are out. */
const PERSONALITIES = [
	0,
	8,
	131072,
	131080,
	4294967295
];
const PERSONALITY_OF_LINUX = {
	arg: 0,
	cases: [{
		is: PERSONALITIES,
		answer: "allow"
	}],
	otherwise: "EPERM"
};
const TIOCSTI = 21522;
const TIOCLINUX = 21532;
const TIOCSETD = 21539;
const IOCTL_WITHOUT_TERMINAL_TAKEOVER = {
	arg: 1,
	cases: [{
		is: [
			TIOCSTI,
			TIOCLINUX,
			TIOCSETD
		],
		answer: "EPERM"
	}],
	otherwise: "allow"
};
const SET_ID_BITS = 3072;
/** Refuses set-user-id and set-group-id bits in a `mode_t` argument. Also for directories: whether the path is one cannot be seen. */
function withoutSetIdBits(arg) {
	return {
		arg,
		mask: SET_ID_BITS,
		cases: [{
			is: [0],
			answer: "allow"
		}],
		otherwise: "EPERM"
	};
}
/** The mode counts only when something is made; without these flags the register holds whatever was left in it. */
function openWithoutSetIdBits(flagsArg, modeArg) {
	return {
		arg: flagsArg,
		mask: 4194368,
		cases: [{
			is: [0],
			answer: "allow"
		}],
		otherwise: withoutSetIdBits(modeArg)
	};
}
const S_IFMT = 61440;
const S_IFCHR = 8192;
const S_IFBLK = 24576;
/** Pipes, sockets and plain files. Device 0:0 is refused too: it is an overlay whiteout, and the kernel asks no capability for it. */
function mknodWithoutDevices(modeArg) {
	return {
		arg: modeArg,
		mask: S_IFMT,
		cases: [{
			is: [S_IFCHR, S_IFBLK],
			answer: "EPERM"
		}],
		otherwise: withoutSetIdBits(modeArg)
	};
}
const RENAME_WHITEOUT = 4;
/** A whiteout is a device node too. EINVAL is what a filesystem without the flag answers. */
const RENAME_WITHOUT_WHITEOUT = {
	arg: 4,
	mask: RENAME_WHITEOUT,
	cases: [{
		is: [0],
		answer: "allow"
	}],
	otherwise: "EINVAL"
};

// ../sandbox/src/seccomp/default-rules.ts
/**
* What programs in a sandbox may call: no more than Docker lets a container without capabilities call, less where nobody misses it.
*
* Not here although Docker allows it: ptrace and process_vm_* (nothing in here debugs, and what they reach is hard to bound), adjtimex and
* clock_adjtime (a pointer hides whether the clock is read or set), name_to_handle_at (its other half, open_by_handle_at, walks out of
* mounts), modify_ldt (for 16- and 32-bit code, which has no way in), fanotify_mark and process_mrelease (useless without capabilities
* or another's processes), and calls that no 64-bit kernel implements.
*/
const DEFAULT_RULES = [
	{
		why: "reading, writing and sizing what is already open",
		answer: "allow",
		calls: [
			"read",
			"write",
			"readv",
			"writev",
			"pread64",
			"pwrite64",
			"preadv",
			"pwritev",
			"preadv2",
			"pwritev2",
			"lseek",
			"close",
			"close_range",
			"dup",
			"dup2",
			"dup3",
			"fcntl",
			"flock",
			"fsync",
			"fdatasync",
			"sync",
			"syncfs",
			"sync_file_range",
			"fallocate",
			"fadvise64",
			"readahead",
			"ftruncate",
			"copy_file_range",
			"sendfile",
			"splice",
			"tee",
			"vmsplice",
			"pipe",
			"pipe2"
		]
	},
	{
		why: "looking at and changing the tree: mounts, owners and modes decide what is reachable",
		answer: "allow",
		calls: [
			"access",
			"faccessat",
			"faccessat2",
			"stat",
			"fstat",
			"lstat",
			"newfstatat",
			"statx",
			"statfs",
			"fstatfs",
			"getdents",
			"getdents64",
			"readlink",
			"readlinkat",
			"getcwd",
			"chdir",
			"fchdir",
			"truncate",
			"link",
			"linkat",
			"symlink",
			"symlinkat",
			"rename",
			"renameat",
			"unlink",
			"unlinkat",
			"rmdir",
			"chown",
			"fchown",
			"lchown",
			"fchownat",
			"umask",
			"utime",
			"utimes",
			"futimesat",
			"utimensat"
		]
	},
	{
		why: "extended attributes: cp -a and tar use them; setting file capabilities needs a capability, and no_new_privs mutes them",
		answer: "allow",
		calls: [
			"setxattr",
			"lsetxattr",
			"fsetxattr",
			"getxattr",
			"lgetxattr",
			"fgetxattr",
			"listxattr",
			"llistxattr",
			"flistxattr",
			"removexattr",
			"lremovexattr",
			"fremovexattr",
			"setxattrat",
			"getxattrat",
			"listxattrat",
			"removexattrat"
		]
	},
	{
		why: "opening files; a file made on the way carries no set-id bits",
		answer: openWithoutSetIdBits(1, 2),
		calls: ["open"]
	},
	{
		why: "as open",
		answer: openWithoutSetIdBits(2, 3),
		calls: ["openat"]
	},
	{
		why: "no set-id program is made inside: one left in a writable workspace would wait there for a user of the host",
		answer: withoutSetIdBits(1),
		calls: [
			"chmod",
			"fchmod",
			"creat",
			"mkdir"
		]
	},
	{
		why: "as chmod",
		answer: withoutSetIdBits(2),
		calls: [
			"fchmodat",
			"fchmodat2",
			"mkdirat"
		]
	},
	{
		why: "pipes and sockets, no devices",
		answer: mknodWithoutDevices(1),
		calls: ["mknod"]
	},
	{
		why: "as mknod",
		answer: mknodWithoutDevices(2),
		calls: ["mknodat"]
	},
	{
		why: "renaming without replacing, swapping; no whiteouts",
		answer: RENAME_WITHOUT_WHITEOUT,
		calls: ["renameat2"]
	},
	{
		why: "devices and terminals, but never typing for their owner",
		answer: IOCTL_WITHOUT_TERMINAL_TAKEOVER,
		calls: ["ioctl"]
	},
	{
		why: "memory of the process itself, executable too: V8 and other compilers write code",
		answer: "allow",
		calls: [
			"brk",
			"mmap",
			"munmap",
			"mremap",
			"mprotect",
			"madvise",
			"msync",
			"mincore",
			"mlock",
			"mlock2",
			"munlock",
			"mlockall",
			"munlockall",
			"remap_file_pages",
			"pkey_alloc",
			"pkey_free",
			"pkey_mprotect",
			"mseal",
			"map_shadow_stack",
			"memfd_create",
			"memfd_secret",
			"membarrier"
		]
	},
	{
		why: "starting, watching and ending processes and threads",
		answer: "allow",
		calls: [
			"fork",
			"vfork",
			"execve",
			"execveat",
			"exit",
			"exit_group",
			"wait4",
			"waitid",
			"kill",
			"tkill",
			"tgkill",
			"pidfd_open",
			"pidfd_send_signal",
			"getpid",
			"getppid",
			"gettid",
			"getpgid",
			"getpgrp",
			"setpgid",
			"getsid",
			"setsid",
			"prctl",
			"arch_prctl",
			"set_tid_address",
			"set_robust_list",
			"get_robust_list",
			"rseq",
			"restart_syscall"
		]
	},
	{
		why: "fork and threads as libc makes them, without new namespaces",
		answer: CLONE_WITHOUT_NAMESPACES,
		calls: ["clone"]
	},
	{
		why: "waiting for each other: locks and condition variables",
		answer: "allow",
		calls: [
			"futex",
			"futex_waitv",
			"futex_wake",
			"futex_wait",
			"futex_requeue"
		]
	},
	{
		why: "signals",
		answer: "allow",
		calls: [
			"rt_sigaction",
			"rt_sigprocmask",
			"rt_sigreturn",
			"rt_sigpending",
			"rt_sigsuspend",
			"rt_sigtimedwait",
			"rt_sigqueueinfo",
			"rt_tgsigqueueinfo",
			"sigaltstack",
			"pause",
			"alarm"
		]
	},
	{
		why: "event loops and watching files",
		answer: "allow",
		calls: [
			"poll",
			"ppoll",
			"select",
			"pselect6",
			"epoll_create",
			"epoll_create1",
			"epoll_ctl",
			"epoll_wait",
			"epoll_pwait",
			"epoll_pwait2",
			"eventfd",
			"eventfd2",
			"signalfd",
			"signalfd4",
			"timerfd_create",
			"timerfd_settime",
			"timerfd_gettime",
			"inotify_init",
			"inotify_init1",
			"inotify_add_watch",
			"inotify_rm_watch"
		]
	},
	{
		why: "reading clocks, sleeping, timers; setting a clock is not among them",
		answer: "allow",
		calls: [
			"time",
			"gettimeofday",
			"clock_gettime",
			"clock_getres",
			"clock_nanosleep",
			"nanosleep",
			"getitimer",
			"setitimer",
			"timer_create",
			"timer_settime",
			"timer_gettime",
			"timer_getoverrun",
			"timer_delete"
		]
	},
	{
		why: "users and capabilities: pid 1 becomes the user of a command with these; without capabilities they only give up",
		answer: "allow",
		calls: [
			"getuid",
			"geteuid",
			"getgid",
			"getegid",
			"getresuid",
			"getresgid",
			"getgroups",
			"setuid",
			"setgid",
			"setreuid",
			"setregid",
			"setresuid",
			"setresgid",
			"setfsuid",
			"setfsgid",
			"setgroups",
			"capget",
			"capset"
		]
	},
	{
		why: "limits, usage and facts about the system; hard limits only go down",
		answer: "allow",
		calls: [
			"getrlimit",
			"setrlimit",
			"prlimit64",
			"getrusage",
			"times",
			"sysinfo",
			"uname",
			"getcpu",
			"getrandom"
		]
	},
	{
		why: "scheduling within what the limits leave",
		answer: "allow",
		calls: [
			"sched_yield",
			"sched_getaffinity",
			"sched_setaffinity",
			"sched_getattr",
			"sched_setattr",
			"sched_getparam",
			"sched_setparam",
			"sched_getscheduler",
			"sched_setscheduler",
			"sched_get_priority_max",
			"sched_get_priority_min",
			"sched_rr_get_interval",
			"getpriority",
			"setpriority",
			"ioprio_get",
			"ioprio_set"
		]
	},
	{
		why: "sockets of families that namespaces hold",
		answer: SOCKET_OF_KNOWN_FAMILIES,
		calls: ["socket"]
	},
	{
		why: "pairs between processes",
		answer: SOCKET_OF_AF_UNIX,
		calls: ["socketpair"]
	},
	{
		why: "using a socket that `socket` gave out",
		answer: "allow",
		calls: [
			"connect",
			"bind",
			"listen",
			"accept",
			"accept4",
			"getsockname",
			"getpeername",
			"getsockopt",
			"setsockopt",
			"sendto",
			"recvfrom",
			"sendmsg",
			"recvmsg",
			"sendmmsg",
			"recvmmsg",
			"shutdown"
		]
	},
	{
		why: "System V and POSIX queues, semaphores and shared memory: PostgreSQL needs them, the ipc namespace holds them",
		answer: "allow",
		calls: [
			"shmget",
			"shmat",
			"shmdt",
			"shmctl",
			"semget",
			"semop",
			"semtimedop",
			"semctl",
			"msgget",
			"msgsnd",
			"msgrcv",
			"msgctl",
			"mq_open",
			"mq_unlink",
			"mq_timedsend",
			"mq_timedreceive",
			"mq_notify",
			"mq_getsetattr"
		]
	},
	{
		why: "the old asynchronous file interface, which databases use; its successor io_uring stays out, its bugs have been walls falling",
		answer: "allow",
		calls: [
			"io_setup",
			"io_destroy",
			"io_submit",
			"io_cancel",
			"io_getevents",
			"io_pgetevents"
		]
	},
	{
		why: "asking for and setting the plain Linux personality",
		answer: PERSONALITY_OF_LINUX,
		calls: ["personality"]
	},
	{
		why: "programs that wall themselves in further; filters and rulesets only add",
		answer: "allow",
		calls: [
			"seccomp",
			"landlock_create_ruleset",
			"landlock_add_rule",
			"landlock_restrict_self"
		]
	},
	{
		why: "written into a program by the kernel when the host traces it; the kernel lets it pass every filter since 6.14",
		answer: "allow",
		calls: ["uretprobe"]
	},
	{
		why: "its flags lie behind a pointer, where a filter cannot look for namespaces; without it libc falls back to clone",
		answer: "ENOSYS",
		calls: ["clone3"]
	},
	{
		why: "its mode lies behind a pointer, where a filter cannot look for set-id bits; without it callers fall back to openat",
		answer: "ENOSYS",
		calls: ["openat2"]
	},
	{
		why: "young code with an old equivalent: callers fall back to /proc/self/mountinfo",
		answer: "ENOSYS",
		calls: ["statmount", "listmount"]
	},
	{
		why: "tells who else has read a shared file; mincore serves those who own it",
		answer: "ENOSYS",
		calls: ["cachestat"]
	}
];

// ../sandbox/src/seccomp/restrictive-rules.ts
/** What the restrictive profile takes away from the default one. sh, git, python, node and gcc work without all of it. */
const RESTRICTIVE_RULES = [
	{
		why: "no network stack at all: nothing to listen on, no loopback service, no netlink parser in reach",
		answer: SOCKET_OF_AF_UNIX,
		calls: ["socket"]
	},
	{
		why: "objects that outlive their process, seen in no directory; pipes, sockets and mapped files do the same work",
		answer: "EPERM",
		calls: [
			"shmget",
			"shmat",
			"shmdt",
			"shmctl",
			"semget",
			"semop",
			"semtimedop",
			"semctl",
			"msgget",
			"msgsnd",
			"msgrcv",
			"msgctl",
			"mq_open",
			"mq_unlink",
			"mq_timedsend",
			"mq_timedreceive",
			"mq_notify",
			"mq_getsetattr"
		]
	},
	{
		why: "a large interface that only databases use",
		answer: "EPERM",
		calls: [
			"io_setup",
			"io_destroy",
			"io_submit",
			"io_cancel",
			"io_getevents",
			"io_pgetevents"
		]
	},
	{
		why: "the host decides who runs where and how urgently; choosing a core helps to listen to its neighbour",
		answer: "EPERM",
		calls: [
			"sched_setaffinity",
			"sched_setattr",
			"sched_setparam",
			"sched_setscheduler",
			"setpriority",
			"ioprio_set"
		]
	},
	{
		why: "flushes filesystems of the whole host, so that everybody waits; fsync of the own file remains",
		answer: "EPERM",
		calls: ["sync", "syncfs"]
	},
	{
		why: "nothing but plain Linux is run",
		answer: "EPERM",
		calls: ["personality"]
	},
	{
		why: "memory the host can neither move nor look at",
		answer: "EPERM",
		calls: ["memfd_secret"]
	},
	{
		why: "odd corners of memory management with a history of exploits; read, write and mmap do the same",
		answer: "EPERM",
		calls: ["vmsplice", "remap_file_pages"]
	}
];

// ../sandbox/src/seccomp/profiles.ts
const PROFILES = {
	default: {
		rules: DEFAULT_RULES,
		tightened: []
	},
	restrictive: {
		rules: DEFAULT_RULES,
		tightened: RESTRICTIVE_RULES
	}
};

// ../sandbox/src/seccomp/tables/aarch64.ts
/** The calls of aarch64 below 424 (asm-generic/unistd.h as a 64-bit architecture takes it). 244 to 259 and 295 to 423 are unused. */
const AARCH64 = {
	io_setup: 0,
	io_destroy: 1,
	io_submit: 2,
	io_cancel: 3,
	io_getevents: 4,
	setxattr: 5,
	lsetxattr: 6,
	fsetxattr: 7,
	getxattr: 8,
	lgetxattr: 9,
	fgetxattr: 10,
	listxattr: 11,
	llistxattr: 12,
	flistxattr: 13,
	removexattr: 14,
	lremovexattr: 15,
	fremovexattr: 16,
	getcwd: 17,
	lookup_dcookie: 18,
	eventfd2: 19,
	epoll_create1: 20,
	epoll_ctl: 21,
	epoll_pwait: 22,
	dup: 23,
	dup3: 24,
	fcntl: 25,
	inotify_init1: 26,
	inotify_add_watch: 27,
	inotify_rm_watch: 28,
	ioctl: 29,
	ioprio_set: 30,
	ioprio_get: 31,
	flock: 32,
	mknodat: 33,
	mkdirat: 34,
	unlinkat: 35,
	symlinkat: 36,
	linkat: 37,
	renameat: 38,
	umount2: 39,
	mount: 40,
	pivot_root: 41,
	nfsservctl: 42,
	statfs: 43,
	fstatfs: 44,
	truncate: 45,
	ftruncate: 46,
	fallocate: 47,
	faccessat: 48,
	chdir: 49,
	fchdir: 50,
	chroot: 51,
	fchmod: 52,
	fchmodat: 53,
	fchownat: 54,
	fchown: 55,
	openat: 56,
	close: 57,
	vhangup: 58,
	pipe2: 59,
	quotactl: 60,
	getdents64: 61,
	lseek: 62,
	read: 63,
	write: 64,
	readv: 65,
	writev: 66,
	pread64: 67,
	pwrite64: 68,
	preadv: 69,
	pwritev: 70,
	sendfile: 71,
	pselect6: 72,
	ppoll: 73,
	signalfd4: 74,
	vmsplice: 75,
	splice: 76,
	tee: 77,
	readlinkat: 78,
	newfstatat: 79,
	fstat: 80,
	sync: 81,
	fsync: 82,
	fdatasync: 83,
	sync_file_range: 84,
	timerfd_create: 85,
	timerfd_settime: 86,
	timerfd_gettime: 87,
	utimensat: 88,
	acct: 89,
	capget: 90,
	capset: 91,
	personality: 92,
	exit: 93,
	exit_group: 94,
	waitid: 95,
	set_tid_address: 96,
	unshare: 97,
	futex: 98,
	set_robust_list: 99,
	get_robust_list: 100,
	nanosleep: 101,
	getitimer: 102,
	setitimer: 103,
	kexec_load: 104,
	init_module: 105,
	delete_module: 106,
	timer_create: 107,
	timer_gettime: 108,
	timer_getoverrun: 109,
	timer_settime: 110,
	timer_delete: 111,
	clock_settime: 112,
	clock_gettime: 113,
	clock_getres: 114,
	clock_nanosleep: 115,
	syslog: 116,
	ptrace: 117,
	sched_setparam: 118,
	sched_setscheduler: 119,
	sched_getscheduler: 120,
	sched_getparam: 121,
	sched_setaffinity: 122,
	sched_getaffinity: 123,
	sched_yield: 124,
	sched_get_priority_max: 125,
	sched_get_priority_min: 126,
	sched_rr_get_interval: 127,
	restart_syscall: 128,
	kill: 129,
	tkill: 130,
	tgkill: 131,
	sigaltstack: 132,
	rt_sigsuspend: 133,
	rt_sigaction: 134,
	rt_sigprocmask: 135,
	rt_sigpending: 136,
	rt_sigtimedwait: 137,
	rt_sigqueueinfo: 138,
	rt_sigreturn: 139,
	setpriority: 140,
	getpriority: 141,
	reboot: 142,
	setregid: 143,
	setgid: 144,
	setreuid: 145,
	setuid: 146,
	setresuid: 147,
	getresuid: 148,
	setresgid: 149,
	getresgid: 150,
	setfsuid: 151,
	setfsgid: 152,
	times: 153,
	setpgid: 154,
	getpgid: 155,
	getsid: 156,
	setsid: 157,
	getgroups: 158,
	setgroups: 159,
	uname: 160,
	sethostname: 161,
	setdomainname: 162,
	getrlimit: 163,
	setrlimit: 164,
	getrusage: 165,
	umask: 166,
	prctl: 167,
	getcpu: 168,
	gettimeofday: 169,
	settimeofday: 170,
	adjtimex: 171,
	getpid: 172,
	getppid: 173,
	getuid: 174,
	geteuid: 175,
	getgid: 176,
	getegid: 177,
	gettid: 178,
	sysinfo: 179,
	mq_open: 180,
	mq_unlink: 181,
	mq_timedsend: 182,
	mq_timedreceive: 183,
	mq_notify: 184,
	mq_getsetattr: 185,
	msgget: 186,
	msgctl: 187,
	msgrcv: 188,
	msgsnd: 189,
	semget: 190,
	semctl: 191,
	semtimedop: 192,
	semop: 193,
	shmget: 194,
	shmctl: 195,
	shmat: 196,
	shmdt: 197,
	socket: 198,
	socketpair: 199,
	bind: 200,
	listen: 201,
	accept: 202,
	connect: 203,
	getsockname: 204,
	getpeername: 205,
	sendto: 206,
	recvfrom: 207,
	setsockopt: 208,
	getsockopt: 209,
	shutdown: 210,
	sendmsg: 211,
	recvmsg: 212,
	readahead: 213,
	brk: 214,
	munmap: 215,
	mremap: 216,
	add_key: 217,
	request_key: 218,
	keyctl: 219,
	clone: 220,
	execve: 221,
	mmap: 222,
	fadvise64: 223,
	swapon: 224,
	swapoff: 225,
	mprotect: 226,
	msync: 227,
	mlock: 228,
	munlock: 229,
	mlockall: 230,
	munlockall: 231,
	mincore: 232,
	madvise: 233,
	remap_file_pages: 234,
	mbind: 235,
	get_mempolicy: 236,
	set_mempolicy: 237,
	migrate_pages: 238,
	move_pages: 239,
	rt_tgsigqueueinfo: 240,
	perf_event_open: 241,
	accept4: 242,
	recvmmsg: 243,
	wait4: 260,
	prlimit64: 261,
	fanotify_init: 262,
	fanotify_mark: 263,
	name_to_handle_at: 264,
	open_by_handle_at: 265,
	clock_adjtime: 266,
	syncfs: 267,
	setns: 268,
	sendmmsg: 269,
	process_vm_readv: 270,
	process_vm_writev: 271,
	kcmp: 272,
	finit_module: 273,
	sched_setattr: 274,
	sched_getattr: 275,
	renameat2: 276,
	seccomp: 277,
	getrandom: 278,
	memfd_create: 279,
	bpf: 280,
	execveat: 281,
	userfaultfd: 282,
	membarrier: 283,
	mlock2: 284,
	copy_file_range: 285,
	preadv2: 286,
	pwritev2: 287,
	pkey_mprotect: 288,
	pkey_alloc: 289,
	pkey_free: 290,
	statx: 291,
	io_pgetevents: 292,
	rseq: 293,
	kexec_file_load: 294
};

// ../sandbox/src/seccomp/tables/shared.ts
/** From 424 on every architecture counts alike. Through kernel 6.18; what comes later is unknown here, and so answered with ENOSYS. */
const SHARED = {
	pidfd_send_signal: 424,
	io_uring_setup: 425,
	io_uring_enter: 426,
	io_uring_register: 427,
	open_tree: 428,
	move_mount: 429,
	fsopen: 430,
	fsconfig: 431,
	fsmount: 432,
	fspick: 433,
	pidfd_open: 434,
	clone3: 435,
	close_range: 436,
	openat2: 437,
	pidfd_getfd: 438,
	faccessat2: 439,
	process_madvise: 440,
	epoll_pwait2: 441,
	mount_setattr: 442,
	quotactl_fd: 443,
	landlock_create_ruleset: 444,
	landlock_add_rule: 445,
	landlock_restrict_self: 446,
	memfd_secret: 447,
	process_mrelease: 448,
	futex_waitv: 449,
	set_mempolicy_home_node: 450,
	cachestat: 451,
	fchmodat2: 452,
	map_shadow_stack: 453,
	futex_wake: 454,
	futex_wait: 455,
	futex_requeue: 456,
	statmount: 457,
	listmount: 458,
	lsm_get_self_attr: 459,
	lsm_set_self_attr: 460,
	lsm_list_modules: 461,
	mseal: 462,
	setxattrat: 463,
	getxattrat: 464,
	listxattrat: 465,
	removexattrat: 466,
	open_tree_attr: 467,
	file_getattr: 468,
	file_setattr: 469
};

// ../sandbox/src/seccomp/tables/x86-64.ts
/** The calls of x86_64 below 424 (arch/x86/entry/syscalls/syscall_64.tbl). 337 to 423 are unused; 512 to 547 belong to x32 only. */
const X86_64 = {
	read: 0,
	write: 1,
	open: 2,
	close: 3,
	stat: 4,
	fstat: 5,
	lstat: 6,
	poll: 7,
	lseek: 8,
	mmap: 9,
	mprotect: 10,
	munmap: 11,
	brk: 12,
	rt_sigaction: 13,
	rt_sigprocmask: 14,
	rt_sigreturn: 15,
	ioctl: 16,
	pread64: 17,
	pwrite64: 18,
	readv: 19,
	writev: 20,
	access: 21,
	pipe: 22,
	select: 23,
	sched_yield: 24,
	mremap: 25,
	msync: 26,
	mincore: 27,
	madvise: 28,
	shmget: 29,
	shmat: 30,
	shmctl: 31,
	dup: 32,
	dup2: 33,
	pause: 34,
	nanosleep: 35,
	getitimer: 36,
	alarm: 37,
	setitimer: 38,
	getpid: 39,
	sendfile: 40,
	socket: 41,
	connect: 42,
	accept: 43,
	sendto: 44,
	recvfrom: 45,
	sendmsg: 46,
	recvmsg: 47,
	shutdown: 48,
	bind: 49,
	listen: 50,
	getsockname: 51,
	getpeername: 52,
	socketpair: 53,
	setsockopt: 54,
	getsockopt: 55,
	clone: 56,
	fork: 57,
	vfork: 58,
	execve: 59,
	exit: 60,
	wait4: 61,
	kill: 62,
	uname: 63,
	semget: 64,
	semop: 65,
	semctl: 66,
	shmdt: 67,
	msgget: 68,
	msgsnd: 69,
	msgrcv: 70,
	msgctl: 71,
	fcntl: 72,
	flock: 73,
	fsync: 74,
	fdatasync: 75,
	truncate: 76,
	ftruncate: 77,
	getdents: 78,
	getcwd: 79,
	chdir: 80,
	fchdir: 81,
	rename: 82,
	mkdir: 83,
	rmdir: 84,
	creat: 85,
	link: 86,
	unlink: 87,
	symlink: 88,
	readlink: 89,
	chmod: 90,
	fchmod: 91,
	chown: 92,
	fchown: 93,
	lchown: 94,
	umask: 95,
	gettimeofday: 96,
	getrlimit: 97,
	getrusage: 98,
	sysinfo: 99,
	times: 100,
	ptrace: 101,
	getuid: 102,
	syslog: 103,
	getgid: 104,
	setuid: 105,
	setgid: 106,
	geteuid: 107,
	getegid: 108,
	setpgid: 109,
	getppid: 110,
	getpgrp: 111,
	setsid: 112,
	setreuid: 113,
	setregid: 114,
	getgroups: 115,
	setgroups: 116,
	setresuid: 117,
	getresuid: 118,
	setresgid: 119,
	getresgid: 120,
	getpgid: 121,
	setfsuid: 122,
	setfsgid: 123,
	getsid: 124,
	capget: 125,
	capset: 126,
	rt_sigpending: 127,
	rt_sigtimedwait: 128,
	rt_sigqueueinfo: 129,
	rt_sigsuspend: 130,
	sigaltstack: 131,
	utime: 132,
	mknod: 133,
	uselib: 134,
	personality: 135,
	ustat: 136,
	statfs: 137,
	fstatfs: 138,
	sysfs: 139,
	getpriority: 140,
	setpriority: 141,
	sched_setparam: 142,
	sched_getparam: 143,
	sched_setscheduler: 144,
	sched_getscheduler: 145,
	sched_get_priority_max: 146,
	sched_get_priority_min: 147,
	sched_rr_get_interval: 148,
	mlock: 149,
	munlock: 150,
	mlockall: 151,
	munlockall: 152,
	vhangup: 153,
	modify_ldt: 154,
	pivot_root: 155,
	_sysctl: 156,
	prctl: 157,
	arch_prctl: 158,
	adjtimex: 159,
	setrlimit: 160,
	chroot: 161,
	sync: 162,
	acct: 163,
	settimeofday: 164,
	mount: 165,
	umount2: 166,
	swapon: 167,
	swapoff: 168,
	reboot: 169,
	sethostname: 170,
	setdomainname: 171,
	iopl: 172,
	ioperm: 173,
	create_module: 174,
	init_module: 175,
	delete_module: 176,
	get_kernel_syms: 177,
	query_module: 178,
	quotactl: 179,
	nfsservctl: 180,
	getpmsg: 181,
	putpmsg: 182,
	afs_syscall: 183,
	tuxcall: 184,
	security: 185,
	gettid: 186,
	readahead: 187,
	setxattr: 188,
	lsetxattr: 189,
	fsetxattr: 190,
	getxattr: 191,
	lgetxattr: 192,
	fgetxattr: 193,
	listxattr: 194,
	llistxattr: 195,
	flistxattr: 196,
	removexattr: 197,
	lremovexattr: 198,
	fremovexattr: 199,
	tkill: 200,
	time: 201,
	futex: 202,
	sched_setaffinity: 203,
	sched_getaffinity: 204,
	set_thread_area: 205,
	io_setup: 206,
	io_destroy: 207,
	io_getevents: 208,
	io_submit: 209,
	io_cancel: 210,
	get_thread_area: 211,
	lookup_dcookie: 212,
	epoll_create: 213,
	epoll_ctl_old: 214,
	epoll_wait_old: 215,
	remap_file_pages: 216,
	getdents64: 217,
	set_tid_address: 218,
	restart_syscall: 219,
	semtimedop: 220,
	fadvise64: 221,
	timer_create: 222,
	timer_settime: 223,
	timer_gettime: 224,
	timer_getoverrun: 225,
	timer_delete: 226,
	clock_settime: 227,
	clock_gettime: 228,
	clock_getres: 229,
	clock_nanosleep: 230,
	exit_group: 231,
	epoll_wait: 232,
	epoll_ctl: 233,
	tgkill: 234,
	utimes: 235,
	vserver: 236,
	mbind: 237,
	set_mempolicy: 238,
	get_mempolicy: 239,
	mq_open: 240,
	mq_unlink: 241,
	mq_timedsend: 242,
	mq_timedreceive: 243,
	mq_notify: 244,
	mq_getsetattr: 245,
	kexec_load: 246,
	waitid: 247,
	add_key: 248,
	request_key: 249,
	keyctl: 250,
	ioprio_set: 251,
	ioprio_get: 252,
	inotify_init: 253,
	inotify_add_watch: 254,
	inotify_rm_watch: 255,
	migrate_pages: 256,
	openat: 257,
	mkdirat: 258,
	mknodat: 259,
	fchownat: 260,
	futimesat: 261,
	newfstatat: 262,
	unlinkat: 263,
	renameat: 264,
	linkat: 265,
	symlinkat: 266,
	readlinkat: 267,
	fchmodat: 268,
	faccessat: 269,
	pselect6: 270,
	ppoll: 271,
	unshare: 272,
	set_robust_list: 273,
	get_robust_list: 274,
	splice: 275,
	tee: 276,
	sync_file_range: 277,
	vmsplice: 278,
	move_pages: 279,
	utimensat: 280,
	epoll_pwait: 281,
	signalfd: 282,
	timerfd_create: 283,
	eventfd: 284,
	fallocate: 285,
	timerfd_settime: 286,
	timerfd_gettime: 287,
	accept4: 288,
	signalfd4: 289,
	eventfd2: 290,
	epoll_create1: 291,
	dup3: 292,
	pipe2: 293,
	inotify_init1: 294,
	preadv: 295,
	pwritev: 296,
	rt_tgsigqueueinfo: 297,
	perf_event_open: 298,
	recvmmsg: 299,
	fanotify_init: 300,
	fanotify_mark: 301,
	prlimit64: 302,
	name_to_handle_at: 303,
	open_by_handle_at: 304,
	clock_adjtime: 305,
	syncfs: 306,
	sendmmsg: 307,
	setns: 308,
	getcpu: 309,
	process_vm_readv: 310,
	process_vm_writev: 311,
	kcmp: 312,
	finit_module: 313,
	sched_setattr: 314,
	sched_getattr: 315,
	renameat2: 316,
	seccomp: 317,
	getrandom: 318,
	memfd_create: 319,
	kexec_file_load: 320,
	bpf: 321,
	execveat: 322,
	userfaultfd: 323,
	membarrier: 324,
	mlock2: 325,
	copy_file_range: 326,
	preadv2: 327,
	pwritev2: 328,
	pkey_mprotect: 329,
	pkey_alloc: 330,
	pkey_free: 331,
	statx: 332,
	io_pgetevents: 333,
	rseq: 334,
	uretprobe: 335,
	uprobe: 336
};

// ../sandbox/src/seccomp/syscalls.ts
/** What a call's number is. A name missing here does not exist on that architecture (aarch64 has no `open`, for one). */
const SYSCALLS = {
	x86_64: {
		...X86_64,
		...SHARED
	},
	aarch64: {
		...AARCH64,
		...SHARED
	}
};
/** AUDIT_ARCH_* of linux/audit.h, as `seccomp_data.arch` carries it. `int 0x80` on x86_64 comes as a third one, AUDIT_ARCH_I386. */
const AUDIT_ARCHITECTURES = {
	x86_64: 3221225534,
	aarch64: 3221225655
};
/** The architecture that a Node `process.arch` stands for, or undefined where Warren has no table. */
function architectureOf(nodeArchitecture) {
	if (nodeArchitecture === "x64") return "x86_64";
	return nodeArchitecture === "arm64" ? "aarch64" : void 0;
}

// ../sandbox/src/seccomp/compile.ts
const compiled = /* @__PURE__ */ new Map();
/** The filter as the launcher takes it: an array of `struct sock_filter`. The result is shared; whoever changes it changes it for all. */
function compileFilter(name, architecture) {
	const key = `${name} ${architecture}`;
	const known = compiled.get(key);
	if (known !== void 0) return known;
	const bytes = encode(compileProfile(PROFILES[name], architecture));
	compiled.set(key, bytes);
	return bytes;
}
/**
* Compiles a profile: a check of the architecture, a balanced search for the range the number lies in, then the answer.
*
* A call made by another architecture's entry (`int 0x80` on x86_64) has other numbers, so it kills: nothing in here is built for it, and
* an error would invite it to try again. For the plain calls the kernel works out once per filter that they are always allowed and then
* does not run the program at all (since 5.11), which it can do because nothing but LOAD, AND, jumps and RETURN leads to them.
*/
function compileProfile(profile, architecture, options = {}) {
	const program = new Assembler();
	const answers = new AnswerWriter(program, options.errnoOffset ?? 0);
	const search = writeSearch(program, rangesOf(answersOf(profile), architecture).map(({ first, answer }) => ({
		first,
		label: answers.write(answer)
	})));
	const dispatch = program.loads(0, void 0, search);
	const check = program.branches(21, AUDIT_ARCHITECTURES[architecture], dispatch, answers.write("kill"));
	program.loads(4, void 0, check);
	return program.finish();
}
/** Cuts the numbers from 0 to 2^32 into ranges with one answer each. */
function rangesOf(answers, architecture) {
	const table = Object.entries(SYSCALLS[architecture]);
	const ranges = [{
		first: 0,
		answer: "ENOSYS"
	}];
	for (const [name, number] of table.toSorted(([, a], [, b]) => a - b)) ranges.push({
		first: number,
		answer: answers.get(name) ?? "EPERM"
	}, {
		first: number + 1,
		answer: "ENOSYS"
	});
	if (architecture === "x86_64") ranges.push({
		first: 1073741824,
		answer: "kill"
	}, {
		first: 2147483648,
		answer: "ENOSYS"
	});
	return merged(ranges);
}
function merged(ranges) {
	const notEmpty = ranges.filter((range, index) => ranges[index + 1]?.first !== range.first);
	return notEmpty.filter((range, index) => keyOf(notEmpty[index - 1]?.answer) !== keyOf(range.answer));
}
function keyOf(answer) {
	return JSON.stringify(answer);
}
function writeSearch(program, ranges) {
	const middle = ranges[ranges.length >> 1];
	if (middle === void 0) throw new RangeError("There is no range to search");
	if (ranges.length === 1) return middle.label;
	const above = writeSearch(program, ranges.slice(ranges.length >> 1));
	const below = writeSearch(program, ranges.slice(0, ranges.length >> 1));
	return program.branches(53, middle.first, above, below);
}
/** Writes each answer once, however many calls share it. */
var AnswerWriter = class {
	#written = /* @__PURE__ */ new Map();
	#program;
	#errnoOffset;
	constructor(program, errnoOffset) {
		this.#program = program;
		this.#errnoOffset = errnoOffset;
	}
	write(answer) {
		const key = JSON.stringify(answer);
		const known = this.#written.get(key);
		if (known !== void 0) return known;
		const label = typeof answer === "object" ? this.#writeQuestion(answer) : this.#program.returns(this.#verdict(answer));
		this.#written.set(key, label);
		return label;
	}
	#verdict(answer) {
		if (answer === "allow") return RETURN_ALLOW;
		if (answer === "kill") return RETURN_KILL_PROCESS;
		return RETURN_ERRNO | ERRNOS[answer] + this.#errnoOffset;
	}
	#writeQuestion(question) {
		const comparisons = question.cases.flatMap(({ is, answer }) => is.map((value) => ({
			value,
			label: this.write(answer)
		})));
		let next = this.write(question.otherwise);
		for (const { value, label } of comparisons.toReversed()) next = this.#program.branches(21, value, label, next);
		return this.#program.loads(argumentOffset(question.arg), question.mask, next);
	}
};

// ../sandbox/src/backends/namespace/cgroup-layout.ts
/** Where this process may make cgroups, in the v1 hierarchies and in the v2 one. Reads /proc only; decides nothing about limits. */
function readCgroupLayout(readText = (path) => (0, node_fs.readFileSync)(path, "utf8"), isWritable = mayMakeChildren) {
	const mounts = parseMounts(readText("/proc/self/mountinfo"));
	const memberships = parseMemberships(readText("/proc/self/cgroup"));
	const controllers = {};
	for (const controller of [
		"memory",
		"cpu",
		"pids",
		"freezer"
	]) {
		const mount = mounts.find((candidate) => candidate.version === 1 && candidate.options.includes(controller));
		const path = mount === void 0 ? void 0 : ownDirectory(mount, memberships.get(controller) ?? "/");
		if (path !== void 0 && isWritable(path)) controllers[controller] = {
			version: 1,
			path
		};
	}
	const unifiedMount = mounts.find((candidate) => candidate.version === 2);
	const unified = unifiedMount === void 0 ? void 0 : findUnified(ownDirectory(unifiedMount, memberships.get("") ?? "/"), unifiedMount.point, isWritable);
	if (unified !== void 0) {
		const available = readWords(readText, `${unified}/cgroup.subtree_control`);
		for (const controller of [
			"memory",
			"cpu",
			"pids"
		]) if (controllers[controller] === void 0 && available.includes(controller)) controllers[controller] = {
			version: 2,
			path: unified
		};
	}
	return {
		controllers,
		unified
	};
}
/**
* The nearest ancestor of our own v2 cgroup that may hold sandboxes. A cgroup with processes cannot give controllers to its children (the
* "no internal processes" rule of cgroups(7)), so a parent that already does is better than our own.
*/
function findUnified(own, mountPoint, isWritable) {
	let fallback;
	for (let path = own; path.startsWith(mountPoint); path = path.slice(0, path.lastIndexOf("/"))) {
		if (!isWritable(path)) break;
		const type = readWords(readFile, `${path}/cgroup.type`).join(" ");
		if (type !== "" && type !== "domain") continue;
		fallback ??= path;
		if (type === "" || readWords(readFile, `${path}/cgroup.procs`).length === 0) enableControllers(path);
		if (readWords(readFile, `${path}/cgroup.subtree_control`).includes("memory")) return path;
	}
	return fallback;
}
/** Asks for each one by one: a kernel that lacks one should still give the others. */
function enableControllers(path) {
	const enabled = readWords(readFile, `${path}/cgroup.subtree_control`);
	for (const controller of readWords(readFile, `${path}/cgroup.controllers`)) {
		if (![
			"memory",
			"cpu",
			"pids"
		].includes(controller) || enabled.includes(controller)) continue;
		try {
			(0, node_fs.writeFileSync)(`${path}/cgroup.subtree_control`, `+${controller}`);
		} catch {}
	}
}
function readFile(path) {
	return (0, node_fs.readFileSync)(path, "utf8");
}
function mayMakeChildren(path) {
	try {
		(0, node_fs.accessSync)(path, node_fs.constants.W_OK | node_fs.constants.X_OK);
		(0, node_fs.accessSync)(`${path}/cgroup.procs`, node_fs.constants.W_OK);
		return true;
	} catch {
		return false;
	}
}
function readWords(readText, path) {
	try {
		return readText(path).split(/\s+/).filter((word) => word !== "");
	} catch {
		return [];
	}
}
/** Lines of mountinfo(5): id parent major:minor root point options … - type source superOptions. */
function parseMounts(text) {
	const mounts = [];
	for (const line of text.split("\n")) {
		const [before, after] = line.split(" - ");
		const [, , , root, point] = before?.split(" ") ?? [];
		const [type, , options] = after?.split(" ") ?? [];
		if (type !== "cgroup" && type !== "cgroup2" || root === void 0 || point === void 0) continue;
		mounts.push({
			root,
			point: unescapeOctal(point),
			version: type === "cgroup2" ? 2 : 1,
			options: options?.split(",") ?? []
		});
	}
	return mounts;
}
function unescapeOctal(text) {
	return text.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
/** Lines `id:controllers:path`; the v2 hierarchy has no controllers. */
function parseMemberships(text) {
	const memberships = /* @__PURE__ */ new Map();
	for (const line of text.split("\n")) {
		const [, controllers, ...path] = line.split(":");
		for (const controller of controllers?.split(",") ?? []) memberships.set(controller, path.join(":"));
	}
	return memberships;
}
function ownDirectory(mount, membership) {
	const inside = mount.root === "/" ? membership : membership.startsWith(`${mount.root}/`) ? membership.slice(mount.root.length) : "/";
	return inside === "/" ? mount.point : mount.point + inside;
}

// ../sandbox/src/backends/namespace/cgroup-plan.ts
/** Which cgroups a sandbox gets, what is written into them, and where their counters are. Pure; the launcher makes and removes them. */
const CPU_PERIOD_US = 1e5;
function rootsOf(layout, token) {
	const root = (path) => `${path}/warren/${token}`;
	const controllers = {};
	for (const [name, base] of Object.entries(layout.controllers)) {
		if (name === "freezer" && layout.unified !== void 0) continue;
		controllers[name] = {
			version: base.version,
			path: root(base.path)
		};
	}
	return {
		controllers,
		unified: layout.unified === void 0 ? void 0 : root(layout.unified)
	};
}
/** Every directory of `roots`, once. */
function rootPaths(roots) {
	const paths = Object.values(roots.controllers).map((root) => root.path);
	return [...new Set(roots.unified === void 0 ? paths : [...paths, roots.unified])];
}
function planCgroups(roots, limits, hasMemsw) {
	const paths = rootPaths(roots);
	const hierarchies = [];
	const settings = [];
	const { memory, pids, cpu, freezer } = roots.controllers;
	const unified = roots.unified === void 0 ? void 0 : paths.indexOf(roots.unified);
	const use = (root) => {
		if (root?.version === 1) hierarchies.push(paths.indexOf(root.path));
		return root;
	};
	const set = (root, file, value) => {
		settings.push({
			hierarchy: paths.indexOf(root.path),
			file,
			value: String(value)
		});
	};
	const memoryRoot = limits.memoryBytes === null ? void 0 : use(memory);
	const pidsRoot = limits.pids === null ? void 0 : use(pids);
	const cpuRoot = limits.cpus === null ? void 0 : use(cpu);
	const freezerRoot = use(freezer);
	if (memoryRoot !== void 0 && limits.memoryBytes !== null) {
		set(memoryRoot, memoryRoot.version === 1 ? "memory.limit_in_bytes" : "memory.max", limits.memoryBytes);
		if (hasMemsw) {
			if (memoryRoot.version === 1) set(memoryRoot, "memory.memsw.limit_in_bytes", limits.memoryBytes);
			else set(memoryRoot, "memory.swap.max", 0);
		}
	}
	if (pidsRoot !== void 0 && limits.pids !== null) set(pidsRoot, "pids.max", limits.pids + 1);
	if (cpuRoot !== void 0 && limits.cpus !== null) {
		const quota = Math.max(1e3, Math.round(limits.cpus * CPU_PERIOD_US));
		if (cpuRoot.version === 1) set(cpuRoot, "cpu.cfs_quota_us", quota);
		else set(cpuRoot, "cpu.max", `${quota} ${CPU_PERIOD_US}`);
	}
	return {
		hierarchies,
		unified,
		settings,
		reports: memoryRoot === void 0 ? [] : [{
			hierarchy: paths.indexOf(memoryRoot.path),
			file: oomFileName(memoryRoot.version)
		}],
		countersOf: (slot) => ({
			memory: memoryRoot === void 0 ? void 0 : {
				version: memoryRoot.version,
				path: `${memoryRoot.path}/${slot}`
			},
			pids: pidsRoot === void 0 ? void 0 : `${pidsRoot.path}/${slot}`,
			cpu: cpuRoot === void 0 ? void 0 : {
				version: cpuRoot.version,
				path: `${cpuRoot.path}/${slot}`
			},
			unified: roots.unified === void 0 ? void 0 : `${roots.unified}/${slot}`,
			freezer: freezerOf(roots.unified === void 0 ? void 0 : `${roots.unified}/${slot}`, freezerRoot === void 0 ? void 0 : `${freezerRoot.path}/${slot}`)
		})
	};
}
function freezerOf(unified, v1) {
	if (unified !== void 0) return {
		file: `${unified}/cgroup.freeze`,
		frozen: "1",
		thawed: "0",
		state: `${unified}/cgroup.events`
	};
	if (v1 !== void 0) return {
		file: `${v1}/freezer.state`,
		frozen: "FROZEN",
		thawed: "THAWED",
		state: `${v1}/freezer.state`
	};
}
/** How often limits of the sandbox were hit so far: OOM kills, refused forks. */
function readLimitCounts(counters) {
	const counts = {};
	if (counters.memory !== void 0) counts.memory = readField(oomFile(counters.memory), "oom_kill") ?? 0;
	if (counters.pids !== void 0) counts.pids = readField(`${counters.pids}/pids.events`, "max") ?? 0;
	return counts;
}
function oomFileName(version) {
	return version === 1 ? "memory.oom_control" : "memory.events";
}
function oomFile(memory) {
	return `${memory.path}/${oomFileName(memory.version)}`;
}
function readStats(counters) {
	const { memory, pids, cpu, unified } = counters;
	const cpuUs = unified === void 0 ? void 0 : readField(`${unified}/cpu.stat`, "usage_usec");
	const throttled = cpu === void 0 ? void 0 : cpu.version === 1 ? scaled(readField(`${cpu.path}/cpu.stat`, "throttled_time"), 1e-6) : scaled(readField(`${cpu.path}/cpu.stat`, "throttled_usec"), .001);
	return {
		memoryBytes: memory === void 0 ? void 0 : readNumber(`${memory.path}/${memory.version === 1 ? "memory.usage_in_bytes" : "memory.current"}`),
		memoryBytesMax: memory === void 0 ? void 0 : readNumber(`${memory.path}/${memory.version === 1 ? "memory.max_usage_in_bytes" : "memory.peak"}`),
		cpuMs: scaled(cpuUs, .001),
		pids: pids === void 0 ? void 0 : readNumber(`${pids}/pids.current`),
		oomKills: memory === void 0 ? void 0 : readField(oomFile(memory), "oom_kill"),
		pidsDenied: pids === void 0 ? void 0 : readField(`${pids}/pids.events`, "max"),
		cpuThrottledMs: throttled
	};
}
function scaled(value, factor) {
	return value === void 0 ? void 0 : value * factor;
}
function readText(path) {
	try {
		return (0, node_fs.readFileSync)(path, "utf8");
	} catch {
		return;
	}
}
function readNumber(path) {
	const value = Number.parseInt(readText(path) ?? "", 10);
	return Number.isNaN(value) ? void 0 : value;
}
/** The number after `name ` in a file of such lines. */
function readField(path, name) {
	for (const line of readText(path)?.split("\n") ?? []) if (line.startsWith(name) && line[name.length] === " ") return Number.parseInt(line.slice(name.length + 1), 10);
}

// ../sandbox/src/backends/namespace/host-facts.ts
/** What of this host the walls depend on, read once. The plan of a sandbox is a pure function of its spec and these facts. */
const SYSTEM_FILES = [
	"alternatives",
	"ssl",
	"ca-certificates",
	"pki",
	"crypto-policies",
	"ld.so.cache",
	"localtime",
	"services",
	"protocols",
	"mime.types",
	"fonts",
	"os-release"
];
function readSystemFiles() {
	const files = [];
	for (const name of SYSTEM_FILES) {
		const source = canonical(`/etc/${name}`);
		if (source !== void 0) files.push({
			name,
			source
		});
	}
	return files;
}
function canonical(path) {
	try {
		return (0, node_fs.realpathSync)(path);
	} catch {
		return;
	}
}
/** What a process has no business with: kernel memory and logs, keys, timers and interrupts (side channels), firmware tables. */
const MASKED_PROC_FILES = [
	"acpi",
	"interrupts",
	"kallsyms",
	"kcore",
	"key-users",
	"keys",
	"kmsg",
	"kpagecgroup",
	"kpagecount",
	"kpageflags",
	"latency_stats",
	"sched_debug",
	"scsi",
	"softirqs",
	"timer_list",
	"timer_stats",
	"vmallocinfo"
];
/** What only the host's root may read needs no mask: nobody inside is the host's root. */
function isReadableByOthers(path) {
	return (((0, node_fs.statSync)(path, { throwIfNoEntry: false })?.mode ?? 0) & 4) !== 0;
}
function readHostFacts(cgroups, landlock, identities = "automatic") {
	const uid = process.geteuid?.() ?? 0;
	return {
		uid,
		gid: process.getegid?.() ?? 0,
		home: canonical((0, node_os.homedir)()) ?? "/",
		cgroups,
		rootEntries: readRootEntries(),
		systemFiles: readSystemFiles(),
		maskedProcFiles: MASKED_PROC_FILES.filter((name) => isReadableByOthers(`/proc/${name}`)),
		subordinate: uid !== 0 && identities === "subordinate" ? readSubordinate(uid) : void 0,
		landlock
	};
}
function capabilitiesOf(facts) {
	const { controllers, unified } = facts.cgroups;
	const versions = new Set(Object.values(controllers).map((base) => base.version));
	if (unified !== void 0) versions.add(2);
	return {
		backend: "namespace",
		users: facts.uid === 0 || facts.subordinate !== void 0 ? "range" : "single",
		memory: controllers.memory === void 0 ? "none" : "cgroup",
		cpus: controllers.cpu === void 0 ? "none" : "cgroup",
		pids: controllers.pids === void 0 ? "rlimit" : "cgroup",
		fileBytes: "rlimit",
		openFiles: "rlimit",
		diskBytes: "polled",
		pause: unified === void 0 && controllers.freezer === void 0 ? "signals" : "cgroup",
		killTree: unified === void 0 ? "subreaper" : "cgroup",
		landlock: facts.landlock,
		cgroupVersion: versions.size === 2 ? "hybrid" : versions.has(2) ? 2 : versions.has(1) ? 1 : "none"
	};
}
function readRootEntries() {
	const entries = [];
	for (const name of [
		"bin",
		"sbin",
		"lib",
		"lib32",
		"lib64",
		"libx32"
	]) try {
		entries.push({
			name,
			link: (0, node_fs.readlinkSync)(`/${name}`)
		});
	} catch {
		if ((0, node_fs.statSync)(`/${name}`, { throwIfNoEntry: false })?.isDirectory() === true) entries.push({
			name,
			link: void 0
		});
	}
	return entries;
}
function readSubordinate(uid) {
	const uids = readRange("/etc/subuid", uid);
	const gids = readRange("/etc/subgid", uid);
	return uids === void 0 || gids === void 0 ? void 0 : {
		uids,
		gids
	};
}
/** The first range of at least 65,536 ids of this user, by number or by name: `name:first:count` (subuid(5)). */
function readRange(path, uid, readText = (file) => (0, node_fs.readFileSync)(file, "utf8")) {
	try {
		const name = readText("/etc/passwd").split("\n").map((line) => line.split(":")).find((fields) => fields[2] === String(uid))?.[0];
		for (const line of readText(path).split("\n")) {
			const [owner, first, count] = line.split(":");
			if ((owner === String(uid) || name !== void 0 && owner === name) && Number(count) >= 65536) return {
				first: Number(first),
				count: Number(count)
			};
		}
	} catch {}
}

// ../sandbox/src/signals.ts
/** Signal numbers of Linux on x86_64 and aarch64 (signal(7)). */
const SIGNALS = {
	SIGHUP: 1,
	SIGINT: 2,
	SIGQUIT: 3,
	SIGILL: 4,
	SIGTRAP: 5,
	SIGABRT: 6,
	SIGBUS: 7,
	SIGFPE: 8,
	SIGKILL: 9,
	SIGUSR1: 10,
	SIGSEGV: 11,
	SIGUSR2: 12,
	SIGPIPE: 13,
	SIGALRM: 14,
	SIGTERM: 15,
	SIGSTKFLT: 16,
	SIGCHLD: 17,
	SIGCONT: 18,
	SIGSTOP: 19,
	SIGTSTP: 20,
	SIGTTIN: 21,
	SIGTTOU: 22,
	SIGURG: 23,
	SIGXCPU: 24,
	SIGXFSZ: 25,
	SIGVTALRM: 26,
	SIGPROF: 27,
	SIGWINCH: 28,
	SIGIO: 29,
	SIGPWR: 30,
	SIGSYS: 31
};

// ../sandbox/src/guest/chunk-queue.ts
/** A queue of bytes. Small pieces are copied together, so that what it holds stays close to what it counts, however finely a guest cuts. */
/** From this size on a piece is kept as the view it is: it is at least a quarter of the socket chunk it keeps alive. */
const VIEW_BYTES_MIN = 16384;
const TAIL_BYTES = 16384;
var ChunkQueue = class {
	#chunks = [];
	/** Of the first chunk that is still there. */
	#head = 0;
	/** The last chunk, when it has room: its first `#tailUsed` bytes are filled. It is not in `#chunks`. */
	#tail;
	#tailUsed = 0;
	#bytes = 0;
	get bytes() {
		return this.#bytes;
	}
	/** Takes over large pieces and copies small ones. */
	push(piece) {
		const wasEmpty = this.#bytes === 0;
		this.#bytes += piece.length;
		if (piece.length >= VIEW_BYTES_MIN) {
			this.#closeTail();
			this.#chunks.push(piece);
			return;
		}
		if (wasEmpty) {
			this.#chunks.push(new Uint8Array(piece));
			return;
		}
		if (this.#tail === void 0 || this.#tailUsed + piece.length > this.#tail.length) {
			this.#closeTail();
			this.#tail = new Uint8Array(TAIL_BYTES);
		}
		this.#tail.set(piece, this.#tailUsed);
		this.#tailUsed += piece.length;
	}
	/** The oldest bytes, which are the caller's now; `undefined` when it is empty. */
	shift() {
		if (this.#head === this.#chunks.length) this.#closeTail();
		const chunk = this.#chunks[this.#head];
		if (chunk === void 0) return void 0;
		this.#chunks[this.#head++] = EMPTY$2;
		if (this.#head === this.#chunks.length || this.#head === HEAD_MAX) {
			this.#chunks = this.#chunks.slice(this.#head);
			this.#head = 0;
		}
		this.#bytes -= chunk.length;
		return chunk;
	}
	/** Everything in one array, leaving the queue empty. */
	takeAll() {
		const first = this.shift() ?? EMPTY$2;
		if (this.#bytes === 0) return first;
		const all = new Uint8Array(first.length + this.#bytes);
		let at = 0;
		for (let chunk = first; chunk !== void 0; chunk = this.shift()) {
			all.set(chunk, at);
			at += chunk.length;
		}
		return all;
	}
	/** Drops everything and says how much it was. */
	clear() {
		const bytes = this.#bytes;
		this.#chunks = [];
		this.#head = 0;
		this.#tail = void 0;
		this.#tailUsed = 0;
		this.#bytes = 0;
		return bytes;
	}
	#closeTail() {
		if (this.#tail === void 0) return;
		this.#chunks.push(this.#tail.subarray(0, this.#tailUsed));
		this.#tail = void 0;
		this.#tailUsed = 0;
	}
};
const EMPTY$2 = /* @__PURE__ */ new Uint8Array(0);
const HEAD_MAX = 64;

// ../sandbox/src/guest/collected-output.ts
const DONE$1 = Promise.resolve();
var CollectedOutput = class {
	stdout = new Collector(this);
	stderr = new Collector(this);
	#failure;
	#waiting;
	/** Rejects when the sandbox is lost before both have ended. */
	whenEnded() {
		if (this.#failure !== void 0) return Promise.reject(this.#failure);
		if (this.stdout.isEnded && this.stderr.isEnded) return DONE$1;
		this.#waiting ??= Promise.withResolvers();
		return this.#waiting.promise;
	}
	collectorEnded(failure) {
		if (failure !== void 0) {
			this.#failure ??= failure;
			this.#waiting?.reject(failure);
		} else if (this.stdout.isEnded && this.stderr.isEnded) this.#waiting?.resolve();
	}
};
var Collector = class {
	#owner;
	#queue = new ChunkQueue();
	#isEnded = false;
	constructor(owner) {
		this.#owner = owner;
	}
	get isEnded() {
		return this.#isEnded;
	}
	push(bytes) {
		if (!this.#isEnded) this.#queue.push(bytes);
		return bytes.length;
	}
	end() {
		if (this.#isEnded) return;
		this.#isEnded = true;
		this.#owner.collectorEnded(void 0);
	}
	fail(fault) {
		if (this.#isEnded) return;
		this.#isEnded = true;
		this.#owner.collectorEnded(fault);
	}
	/** What has come; it is empty after that. */
	take() {
		return this.#queue.takeAll();
	}
};

// ../sandbox/src/guest/command-options.ts
/** From what the caller of `exec` asks and what the backend gives as defaults to one checked request. */
const KILL_GRACE_MS = 2e3;
/** The longest a timer of Node can wait; above, it fires at once. */
const TIMER_MS_MAX = 2147483647;
/** Throws `invalid_argument`, naming the option. What stands in argv and env is checked when the request is encoded. */
function commandOptions(defaults, argv, options) {
	const { stdin, timeoutMs, killGraceMs, outputBytesMax, limits } = options;
	checkNumber(timeoutMs, "timeoutMs", 1, TIMER_MS_MAX);
	checkNumber(killGraceMs, "killGraceMs", 0, TIMER_MS_MAX);
	checkInteger(outputBytesMax, "outputBytesMax", 0);
	return {
		request: {
			argv,
			env: options.env === void 0 ? defaults.env : {
				...defaults.env,
				...options.env
			},
			cwd: options.cwd ?? defaults.cwd,
			user: options.user ?? defaults.user,
			pty: options.pty,
			rlimits: limits === void 0 ? void 0 : rlimits(limits, defaults.limits),
			hasStdin: stdin !== void 0,
			umask: defaults.umask
		},
		source: stdin === "pipe" ? void 0 : stdin,
		timeoutMs,
		killGraceMs: killGraceMs ?? KILL_GRACE_MS,
		outputBytesMax,
		signal: options.signal,
		limits,
		sandboxLimits: defaults.limits,
		readLimitCounts: defaults.readLimitCounts
	};
}
function rlimits(limits, sandbox) {
	const list = [];
	const { cpuSeconds, fileBytes, openFiles, addressBytes } = limits;
	checkInteger(cpuSeconds, "limits.cpuSeconds", 1);
	checkInteger(fileBytes, "limits.fileBytes", 0, sandbox.fileBytes);
	checkInteger(openFiles, "limits.openFiles", 1, sandbox.openFiles);
	checkInteger(addressBytes, "limits.addressBytes", 1);
	if (cpuSeconds !== void 0) list.push({
		name: "cpu",
		soft: cpuSeconds,
		hard: cpuSeconds + 1
	});
	if (fileBytes !== void 0) list.push({
		name: "fsize",
		soft: fileBytes,
		hard: fileBytes
	});
	if (openFiles !== void 0) list.push({
		name: "nofile",
		soft: openFiles,
		hard: openFiles
	});
	if (addressBytes !== void 0) list.push({
		name: "as",
		soft: addressBytes,
		hard: addressBytes
	});
	return list;
}
function checkInteger(value, name, min, max) {
	if (value !== void 0 && !Number.isSafeInteger(value)) throw refuse$1(name, value, "an integer");
	checkNumber(value, name, min, max ?? Number.MAX_SAFE_INTEGER);
}
function checkNumber(value, name, min, max) {
	if (value !== void 0 && !(value >= min && value <= max)) throw refuse$1(name, value, `from ${min} to ${max}`);
}
function refuse$1(name, value, what) {
	return new require_fault.Fault("invalid_argument", `Cannot run the command: ${name} is ${value}, it must be ${what}`);
}

// ../sandbox/src/guest/frame-types.ts
const PAYLOAD_BYTES_MAX = 65536;
/** SPEC, EXEC and the file requests may be this long; only the host sends those. */
const REQUEST_BYTES_MAX = 1048576;
/** Channels open at once; also the highest number the host picks. */
const CHANNELS_MAX = 1024;
const WINDOW_BYTES = 262144;
const STDIN_CREDIT_BYTES = 65536;
const PING_BYTES_MAX = 64;
/** Fixed part of EXIT and of GONE. */
const USAGE_MESSAGE_BYTES = 32;
const FRAME = {
	SPEC: 1,
	FILTER: 2,
	EXEC: 16,
	STDIN: 17,
	SIGNAL: 18,
	RESIZE: 19,
	WINDOW: 20,
	PING: 21,
	READ: 32,
	WRITE: 33,
	LIST: 34,
	STAT: 35,
	REMOVE: 36,
	MKDIR: 37,
	HELLO: 64,
	DESTROY: 65,
	GONE: 66,
	REFUSED: 67,
	PLACED: 69,
	READY: 128,
	FAILED: 129,
	STDOUT: 144,
	STDERR: 145,
	STARTED: 146,
	EXIT: 147,
	CREDIT: 148,
	PONG: 149
};
/** What one side may send: smallest and largest payload by type. */
var FrameRules = class {
	/** How an error names the sender. */
	sender;
	/** Pairs of smallest and largest payload; -1 as the largest: this type may not come from here. */
	#bounds = (/* @__PURE__ */ new Int32Array(512)).fill(-1);
	constructor(sender, rules) {
		this.sender = sender;
		for (const [type, bytesMin, bytesMax] of rules) {
			this.#bounds[type * 2] = bytesMin;
			this.#bounds[type * 2 + 1] = bytesMax;
		}
	}
	has(type) {
		return this.bytesMax(type) >= 0;
	}
	bytesMin(type) {
		return this.#bounds[type * 2] ?? -1;
	}
	bytesMax(type) {
		return this.#bounds[type * 2 + 1] ?? -1;
	}
};
const FROM_GUEST = new FrameRules("guest", [
	[
		FRAME.READY,
		0,
		0
	],
	[
		FRAME.FAILED,
		1,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.STDOUT,
		0,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.STDERR,
		0,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.STARTED,
		4,
		4
	],
	[
		FRAME.EXIT,
		32,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.CREDIT,
		4,
		4
	],
	[
		FRAME.PONG,
		0,
		64
	]
]);
const FROM_LAUNCHER = new FrameRules("launcher", [
	[
		FRAME.HELLO,
		1,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.GONE,
		0,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.REFUSED,
		1,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.PLACED,
		4,
		4
	]
]);
/** Everything the host sends; the fakes of the tests read it. */
const FROM_HOST = new FrameRules("host", [
	[
		FRAME.SPEC,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.FILTER,
		0,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.EXEC,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.STDIN,
		0,
		PAYLOAD_BYTES_MAX
	],
	[
		FRAME.SIGNAL,
		2,
		2
	],
	[
		FRAME.RESIZE,
		4,
		4
	],
	[
		FRAME.WINDOW,
		8,
		8
	],
	[
		FRAME.PING,
		0,
		64
	],
	[
		FRAME.READ,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.WRITE,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.LIST,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.STAT,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.REMOVE,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.MKDIR,
		1,
		REQUEST_BYTES_MAX
	],
	[
		FRAME.DESTROY,
		0,
		0
	]
]);

// ../sandbox/src/guest/frame.ts
/**
* Frames: 12 bytes of header (payload length, type, three zero bytes, channel), then the payload. One encoder, one incremental decoder.
*
* Ownership: a payload the decoder hands out is a view of the chunk it came in, or a buffer of its own when it came in pieces. It is never
* written again, as long as chunks are not reused by whoever pushes them: sockets of Node give a fresh buffer with every read unless
* they are opened with `onread`, so here they may not be. Whoever keeps a small view for long keeps its whole chunk alive with it.
*/
const EMPTY$1 = Buffer.alloc(0);
/** A frame in one buffer, ready to be written. */
function encodeFrame(type, channel, payload = EMPTY$1) {
	const frame = allocateFrame(type, channel, payload.length);
	frame.set(payload, 12);
	return frame;
}
/** A frame whose payload (`length` bytes from HEADER_BYTES on) the caller fills before it writes it. */
function allocateFrame(type, channel, length) {
	const frame = Buffer.allocUnsafe(12 + length);
	frame.writeUInt32LE(length, 0);
	frame.writeUInt32LE(type, 4);
	frame.writeUInt32LE(channel, 8);
	return frame;
}
/** Gives an encoded frame its channel. */
function setChannel(frame, channel) {
	frame.writeUInt32LE(channel, 8);
}
/** Cuts a byte stream into frames, however it is chunked. Holds at most one payload that has not come whole, and checks its length before it does. */
var FrameDecoder = class {
	#rules;
	#receiver;
	#header = Buffer.alloc(12);
	#headerBytes = 0;
	#type = 0;
	#channel = 0;
	#payload;
	#payloadBytes = 0;
	#isStopped = false;
	constructor(rules, receiver) {
		this.#rules = rules;
		this.#receiver = receiver;
	}
	/** Takes the next bytes of the stream. Throws `protocol_error` when they cannot be frames, and whatever the receiver throws. */
	push(chunk) {
		if (this.#isStopped) return;
		try {
			this.#decode(chunk);
		} catch (error) {
			this.#isStopped = true;
			throw error;
		}
	}
	/** Ignores everything from now on, also the rest of a chunk that is being decoded. */
	stop() {
		this.#isStopped = true;
		this.#payload = void 0;
	}
	#decode(chunk) {
		const end = chunk.length;
		let at = 0;
		while (at < end && !this.#isStopped) {
			if (this.#payload === void 0) {
				let length;
				if (this.#headerBytes === 0 && end - at >= 12) {
					length = this.#readHeader(chunk, at);
					at += 12;
				} else {
					const taken = Math.min(12 - this.#headerBytes, end - at);
					chunk.copy(this.#header, this.#headerBytes, at, at + taken);
					this.#headerBytes += taken;
					at += taken;
					if (this.#headerBytes < 12) return;
					this.#headerBytes = 0;
					length = this.#readHeader(this.#header, 0);
				}
				if (end - at >= length) {
					at += length;
					this.#receiver.receiveFrame(this.#type, this.#channel, length === 0 ? EMPTY$1 : chunk.subarray(at - length, at));
					continue;
				}
				this.#payload = Buffer.allocUnsafeSlow(length);
				this.#payloadBytes = 0;
			}
			const payload = this.#payload;
			const taken = Math.min(payload.length - this.#payloadBytes, end - at);
			chunk.copy(payload, this.#payloadBytes, at, at + taken);
			this.#payloadBytes += taken;
			at += taken;
			if (this.#payloadBytes === payload.length) {
				this.#payload = void 0;
				this.#receiver.receiveFrame(this.#type, this.#channel, payload);
			}
		}
	}
	/** Checks a header before anything is allocated by what it says. */
	#readHeader(bytes, at) {
		const length = bytes.readUInt32LE(at);
		const typeAndPadding = bytes.readUInt32LE(at + 4);
		const rules = this.#rules;
		if (typeAndPadding > 255) throw malformed$3(rules, "the padding of a frame is not zero");
		if (!rules.has(typeAndPadding)) throw malformed$3(rules, `it sent a frame of the type 0x${typeAndPadding.toString(16)}`);
		if (length < rules.bytesMin(typeAndPadding) || length > rules.bytesMax(typeAndPadding)) throw malformed$3(rules, `a frame of the type 0x${typeAndPadding.toString(16)} has a payload of ${length} bytes`);
		this.#type = typeAndPadding;
		this.#channel = bytes.readUInt32LE(at + 8);
		return length;
	}
};
function malformed$3(rules, what) {
	return new require_fault.Fault("protocol_error", `Cannot understand the ${rules.sender}: ${what}`);
}

// ../sandbox/src/guest/request-text.ts
/** The text of a request: flags and values, each followed by NUL. */
const UID_MAX = 4294967294;
/** Collects a request. Values are checked as they come: every refusal names what it is about. */
var RequestText = class {
	#action;
	#text = "";
	/** `action` completes "Cannot …" in the faults. */
	constructor(action) {
		this.#action = action;
	}
	/** A flag of ours without a value, or something that needs no check. */
	add(word) {
		this.#text += `${word}\0`;
		return this;
	}
	addFlag(flag, value) {
		this.#text += `${flag}\0${value}\0`;
		return this;
	}
	/** Text of the caller's. Throws `invalid_argument` when it cannot travel: NUL would end it, a lone surrogate has no UTF-8. */
	addText(text, what, index) {
		if (typeof text !== "string") throw this.refuse(`${name(what, index)} is not a string`);
		if (text.includes("\0")) throw this.refuse(`${name(what, index)} contains a NUL character`);
		if (!text.isWellFormed()) throw this.refuse(`${name(what, index)} contains half of a surrogate pair`);
		this.#text += `${text}\0`;
		return this;
	}
	addUser(user) {
		if (user === void 0) return this;
		return this.addFlag("--uid", this.checkInteger(user.uid, "user.uid", 0, UID_MAX)).addFlag("--gid", this.checkInteger(user.gid, "user.gid", 0, UID_MAX));
	}
	/** Throws `invalid_argument` unless `value` is an integer within the bounds. */
	checkInteger(value, what, min, max) {
		if (!Number.isInteger(value) || value < min || value > max) throw this.refuse(`${what} is ${value}, it must be an integer from ${min} to ${max}`);
		return value;
	}
	refuse(why) {
		return new require_fault.Fault("invalid_argument", `Cannot ${this.#action}: ${why}`);
	}
	/** The frame, still without its channel. Throws `too_large`. */
	encode(type) {
		const bytes = this.#text.length > 1048576 ? this.#text.length : Buffer.byteLength(this.#text);
		if (bytes > 1048576) throw new require_fault.Fault("too_large", `Cannot ${this.#action}: its arguments and options take ${bytes} bytes or more, the limit is ${REQUEST_BYTES_MAX}`, { details: {
			bytes,
			bytesMax: REQUEST_BYTES_MAX
		} });
		const frame = allocateFrame(type, 0, bytes);
		frame.write(this.#text, 12);
		return frame;
	}
};
function name(what, index) {
	return index === void 0 ? what : `${what}[${index}]`;
}

// ../sandbox/src/guest/exec-request.ts
/** EXEC: what to run, where, as whom, under which limits. */
const ARGUMENTS_MAX = 32768;
const ENVIRONMENT_ENTRIES_MAX = 1024;
/** A window is a u32; nobody needs more than this to keep a pipe full. */
const WINDOW_BYTES_MAX = 67108864;
const ACTION = "run the command";
/** The frame of an EXEC, still without its channel. Throws `invalid_argument` (naming the argument or option) and `too_large`. */
function encodeExec(request) {
	const text = new RequestText(ACTION);
	if (request.cwd !== void 0) text.add("--cwd").addText(request.cwd, "cwd");
	if (request.env !== void 0) addEnvironment(text, request.env);
	text.addUser(request.user);
	if (request.pty !== void 0) {
		const { rows, columns } = request.pty;
		text.addFlag("--pty", `${text.checkInteger(rows, "pty.rows", 1, 65535)}\0${text.checkInteger(columns, "pty.columns", 1, 65535)}`);
	}
	for (const { name, soft, hard } of request.rlimits ?? []) text.addFlag("--rlimit", `${name}\0${soft}\0${hard}`);
	if (request.hasStdin === true) text.add("--stdin");
	if (request.windowBytes !== void 0 && request.windowBytes !== 262144) text.addFlag("--window", text.checkInteger(request.windowBytes, "windowBytes", 1, WINDOW_BYTES_MAX));
	if (request.umask !== void 0) text.addFlag("--umask", text.checkInteger(request.umask, "umask", 0, 511).toString(8));
	text.add("--");
	addArguments(text, request.argv);
	return text.encode(FRAME.EXEC);
}
function addArguments(text, argv) {
	if (argv.length === 0) throw text.refuse("argv is empty, it must name a program");
	if (argv.length > 32768) throw tooMany("argv", argv.length, ARGUMENTS_MAX);
	for (let index = 0; index < argv.length; index++) text.addText(argv[index], "argv", index);
}
function addEnvironment(text, env) {
	let count = 0;
	for (const name in env) {
		const value = env[name];
		if (value === void 0) continue;
		if (name === "" || name.includes("=")) throw text.refuse(`env has an entry with the name ${JSON.stringify(name)}`);
		if (++count > 1024) throw tooMany("env", Object.keys(env).length, ENVIRONMENT_ENTRIES_MAX);
		if (typeof value !== "string") throw text.refuse(`env[${JSON.stringify(name)}] is not a string`);
		text.add("--env").addText(`${name}=${value}`, `env[${JSON.stringify(name)}]`);
	}
}
function tooMany(what, count, countMax) {
	return new require_fault.Fault("too_large", `Cannot ${ACTION}: ${what} has ${count} entries, the limit is ${countMax}`, { details: {
		count,
		countMax
	} });
}

// ../sandbox/src/guest/errno.ts
/** Numbers of errors on Linux (asm-generic/errno-base.h and errno.h: x86_64 and aarch64 share them). */
const NAMES = " EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP  ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT  EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON".split(" ");
/** The name of an errno (`ENOENT`), or `errno 999` for one Linux does not have. */
function errnoName(errno) {
	return NAMES[errno] || `errno ${errno}`;
}

// ../sandbox/src/guest/exit-of.ts
const SIGNAL_NAMES = new Map(Object.entries(SIGNALS).map(([name, number]) => [number, name]));
function exitOf(raw, context) {
	if (raw.kind === "failed") return notStarted(raw);
	const usage = toUsage(raw.usage, context.wallMs);
	const stop = context.stop ?? (raw.kind === "signalled" ? limitBehind(raw.signal, raw.usage, context) : void 0);
	if (stop !== void 0) return {
		kind: "stopped",
		...stop,
		usage,
		limitsHit: withLimit(context.countersRisen, stop.by)
	};
	const limitsHit = context.countersRisen;
	if (raw.kind === "exited") return {
		kind: "exited",
		code: raw.code,
		usage,
		limitsHit
	};
	const signal = SIGNAL_NAMES.get(raw.signal);
	return signal === void 0 ? {
		kind: "exited",
		code: 128 + raw.signal,
		usage,
		limitsHit
	} : {
		kind: "signalled",
		signal,
		usage,
		limitsHit
	};
}
/** The exit of a command whose sandbox was ended while it ran: the kernel's figures went with it. */
function exitWithoutAnswer(stop, wallMs) {
	const usage = {
		userCpuMs: 0,
		systemCpuMs: 0,
		wallMs,
		memoryBytesMax: 0
	};
	return {
		kind: "stopped",
		by: stop.by,
		detail: stop.detail,
		usage,
		limitsHit: withLimit([], stop.by)
	};
}
/** The limit that must have sent this signal, if one did. */
function limitBehind(signal, usage, context) {
	const { cpuSeconds, fileBytes, memoryBytes } = context;
	const cpu = cpuSeconds === void 0 || cpuSeconds === null ? void 0 : {
		by: "cpu",
		detail: `it used its ${cpuSeconds} s of processor time`
	};
	switch (signal) {
		case SIGNALS.SIGXCPU: return cpu;
		case SIGNALS.SIGXFSZ: return fileBytes === void 0 || fileBytes === null ? void 0 : {
			by: "file_size",
			detail: `it wrote past ${fileBytes} bytes, the largest file allowed`
		};
		case SIGNALS.SIGKILL:
			if (context.isKilled) return void 0;
			if (context.countersRisen.includes("memory")) return {
				by: "memory",
				detail: `the kernel killed it because the sandbox used up its ${memoryBytes ?? "available"} bytes of memory`
			};
			return usage.userMicros + usage.systemMicros >= (cpuSeconds ?? Number.POSITIVE_INFINITY) * 1e6 ? cpu : void 0;
		default: return;
	}
}
function notStarted(raw) {
	const { stage, call, path } = raw;
	const errno = errnoName(raw.errno);
	return {
		kind: "not_started",
		code: stage !== "exec" ? 125 : errno === "ENOENT" ? 127 : 126,
		stage,
		call,
		path,
		errno
	};
}
function toUsage(raw, wallMs) {
	return {
		userCpuMs: raw.userMicros / 1e3,
		systemCpuMs: raw.systemMicros / 1e3,
		wallMs,
		memoryBytesMax: raw.rssBytesMax
	};
}
function withLimit(limits, by) {
	return by === "caller" || by === "destroyed" || limits.includes(by) ? limits : [...limits, by];
}

// ../sandbox/src/guest/source-feed.ts
/** Feeds what a caller gave as content into the stdin of a channel, no faster than it is taken, and ends it. */
var SourceFeed = class {
	#input;
	#onError;
	#iterator;
	#isStopped = false;
	/** `onError` gets what the source throws, once; nothing is fed after it. */
	constructor(source, input, onError) {
		this.#input = input;
		this.#onError = onError;
		if (typeof source === "string" || source instanceof Uint8Array) {
			input.write(typeof source === "string" ? Buffer.from(source) : source);
			input.close();
		} else this.#feed(source);
	}
	/** Nobody reads any more: releases the source, also one that is waiting for its next bytes if it can be. */
	stop() {
		if (this.#isStopped) return;
		this.#isStopped = true;
		release(this.#iterator);
	}
	async #feed(source) {
		try {
			this.#iterator = source[Symbol.asyncIterator]();
			for (;;) {
				const { done, value } = await this.#iterator.next();
				if (this.#isStopped) return;
				if (done === true) break;
				if (!(value instanceof Uint8Array)) {
					release(this.#iterator);
					throw new require_fault.Fault("invalid_argument", "Cannot feed stdin: the source gave something that is not bytes");
				}
				if (!await isTaken(this.#input.write(value))) {
					this.stop();
					return;
				}
			}
			this.#input.close();
		} catch (error) {
			if (this.#isStopped) return;
			this.#isStopped = true;
			this.#onError(error);
		}
	}
};
/** False when the reader is gone, which is no fault of the source. */
async function isTaken(write) {
	try {
		await write;
		return true;
	} catch {
		return false;
	}
}
function release(iterator) {
	try {
		iterator?.return?.()?.then(void 0, () => {});
	} catch {}
}

// ../sandbox/src/guest/command-run.ts
/**
* One command from its request to its exit: feeds its stdin, passes its output on, and stops it when its time, its output or its caller's
* patience is over. Whatever the reason, the first one is what the exit says.
*/
const UNKNOWN = {};
var CommandRun = class {
	/** Rejects with `sandbox_gone` or `protocol_error`, or with what the source of its stdin threw. */
	exit;
	/** Rejects when the command never started. */
	pid;
	#options;
	#sinks;
	#settleExit;
	#settlePid;
	#channel;
	#source;
	#startedAt = 0;
	#countsBefore = UNKNOWN;
	#outputBytes = 0;
	#isOutputCut = false;
	#timer;
	#stop;
	#sourceError;
	#hasExited = false;
	constructor(options, sinks) {
		this.#options = options;
		this.#sinks = sinks;
		this.#settleExit = Promise.withResolvers();
		this.#settlePid = Promise.withResolvers();
		this.exit = this.#settleExit.promise;
		this.pid = this.#settlePid.promise;
		this.exit.catch(ignore);
		this.pid.catch(ignore);
	}
	/** Sends the request, with as much of its stdin as there is credit for, in one write. Throws what `encodeExec` and `GuestClient.open` throw. */
	start(client) {
		const { request, source, timeoutMs, signal } = this.#options;
		const frame = encodeExec(request);
		this.#startedAt = performance.now();
		if (signal?.aborted === true) {
			this.#refuseStart();
			return;
		}
		this.#countsBefore = this.#readCounts();
		const traits = {
			isCommand: true,
			hasStdout: true,
			hasStderr: !(request.pty !== void 0),
			hasStdin: request.hasStdin === true,
			windowBytes: request.windowBytes
		};
		if (source === void 0) this.#channel = client.open(frame, traits, this);
		else {
			client.cork();
			try {
				this.#channel = client.open(frame, traits, this);
				const input = this.#channel.input;
				if (input !== void 0) this.#source = new SourceFeed(source, input, (error) => this.#failSource(error));
			} finally {
				client.uncork();
			}
		}
		if (timeoutMs !== void 0) this.#timer = setTimeout(reachDeadline, timeoutMs, this);
		signal?.addEventListener("abort", this, { once: true });
	}
	get channel() {
		return this.#channel;
	}
	/** Stops it for this reason, unless there is one already: politely when `graceMs` is given, then surely. */
	stop(reason, graceMs) {
		if (this.#hasExited) return;
		this.#stop ??= reason;
		clearTimeout(this.#timer);
		if (graceMs === void 0) this.#kill();
		else {
			this.#channel?.signal(SIGNALS.SIGTERM, "tree");
			this.#timer = setTimeout(killNow, graceMs, this);
		}
	}
	reachDeadline() {
		const { timeoutMs, killGraceMs } = this.#options;
		this.stop({
			by: "deadline",
			detail: `it ran longer than its ${timeoutMs} ms`
		}, killGraceMs);
	}
	killNow() {
		this.#kill();
	}
	/** The abort signal fired. */
	handleEvent() {
		this.stop({
			by: "caller",
			detail: "the caller stopped it"
		});
	}
	consumed(stream, bytes) {
		this.#channel?.grant(stream, bytes);
	}
	started(pid) {
		this.#settlePid.resolve(pid);
	}
	output(stream, bytes) {
		const max = this.#options.outputBytesMax;
		this.#outputBytes += bytes.length;
		const excess = max === void 0 ? 0 : Math.min(bytes.length, this.#outputBytes - max);
		const consumed = excess <= 0 ? this.#sinks[stream].push(bytes) : this.#cutOutput(stream, bytes, excess);
		if (consumed > 0) this.#channel?.grant(stream, consumed);
	}
	outputEnded(stream) {
		this.#sinks[stream].end();
	}
	exited(raw) {
		const wallMs = performance.now() - this.#startedAt;
		this.#finish();
		if (raw.kind === "failed") this.#settlePid.reject(new require_fault.Fault("not_found", "Cannot say the pid of the command: it did not start"));
		if (this.#sourceError !== void 0) {
			this.#settleExit.reject(this.#sourceError.error);
			return;
		}
		const before = this.#countsBefore;
		const after = this.#readCounts();
		if (before instanceof Promise || after instanceof Promise) Promise.all([before, after]).then(([first, second]) => this.#settle(raw, wallMs, risen(first, second)), () => this.#settle(raw, wallMs, []));
		else this.#settle(raw, wallMs, risen(before, after));
	}
	lost(fault, ended) {
		for (const sink of [this.#sinks.stdout, this.#sinks.stderr]) if (ended === void 0) sink.fail(fault);
		else sink.end();
		this.#settlePid.reject(fault);
		if (this.#hasExited) return;
		this.#finish();
		if (ended === void 0) this.#settleExit.reject(fault);
		else this.#settleExit.resolve(exitWithoutAnswer(ended, performance.now() - this.#startedAt));
	}
	#refuseStart() {
		this.#hasExited = true;
		this.#settlePid.reject(new require_fault.Fault("aborted", "Cannot say the pid of the command: its caller stopped it before it started"));
		this.#settleExit.resolve(exitWithoutAnswer({
			by: "caller",
			detail: "the caller stopped it before it started"
		}, 0));
		this.#sinks.stdout.end();
		this.#sinks.stderr.end();
	}
	/** The sinks get exactly what the limit allows and then their end; whatever else comes is thrown away. */
	#cutOutput(stream, bytes, excess) {
		if (this.#isOutputCut) return bytes.length;
		this.#isOutputCut = true;
		const kept = bytes.length - excess;
		const consumed = kept > 0 ? this.#sinks[stream].push(bytes.subarray(0, kept)) : 0;
		this.#sinks.stdout.end();
		this.#sinks.stderr.end();
		this.stop({
			by: "output",
			detail: `its output exceeded ${this.#options.outputBytesMax} bytes`
		});
		return consumed + excess;
	}
	#failSource(error) {
		this.#sourceError = { error };
		this.#kill();
	}
	#kill() {
		this.#channel?.signal(SIGNALS.SIGKILL, "tree");
	}
	#finish() {
		this.#hasExited = true;
		clearTimeout(this.#timer);
		this.#options.signal?.removeEventListener("abort", this);
		this.#source?.stop();
	}
	#settle(raw, wallMs, countersRisen) {
		const { limits, sandboxLimits } = this.#options;
		this.#settleExit.resolve(exitOf(raw, {
			wallMs,
			stop: this.#stop,
			isKilled: this.#channel?.isKilled === true,
			countersRisen,
			cpuSeconds: limits?.cpuSeconds,
			fileBytes: limits?.fileBytes ?? sandboxLimits?.fileBytes,
			memoryBytes: sandboxLimits?.memoryBytes
		}));
	}
	#readCounts() {
		const read = this.#options.readLimitCounts;
		if (read === void 0) return UNKNOWN;
		try {
			const counts = read();
			if (counts instanceof Promise) counts.catch(ignore);
			return counts;
		} catch {
			return UNKNOWN;
		}
	}
};
function reachDeadline(run) {
	run.reachDeadline();
}
function killNow(run) {
	run.killNow();
}
function ignore() {}
function risen(before, after) {
	if (after === UNKNOWN || before === UNKNOWN) return NONE;
	return Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
}
const NONE = [];

// ../sandbox/src/guest/input-feed.ts
/** Stdin of one channel: what the guest has credit for goes out, the rest waits with its writer. */
/** More credit than a u32 can say makes no sense; a guest that sums up to it is broken or lies. */
const CREDIT_MAX = 4294967295;
const DONE = Promise.resolve();
var InputFeed = class {
	#port;
	#credit = STDIN_CREDIT_BYTES;
	#pending = [];
	#state = "open";
	/** Why nothing is taken any more. */
	#stopped;
	constructor(port) {
		this.#port = port;
	}
	/**
	* Sends bytes; resolves when all of them are within the credit, so when the guest has room. They may not change before. Rejects when
	* the reader is gone (`conflict`) or the sandbox is; a caller that does not care may drop the promise.
	*/
	write(bytes) {
		if (this.#stopped !== void 0) return quietly(Promise.reject(this.#stopped));
		if (this.#state !== "open") return quietly(Promise.reject(new require_fault.Fault("conflict", "Cannot write to stdin: it is closed")));
		if (bytes.length === 0) return DONE;
		const sent = this.#pending.length === 0 ? this.#send(bytes, 0) : 0;
		if (sent === bytes.length) return DONE;
		return quietly(new Promise((resolve, reject) => {
			this.#pending.push({
				bytes,
				sent,
				resolve,
				reject
			});
		}));
	}
	/** Ends the input after what has been written. Idempotent. */
	close() {
		if (this.#state !== "open") return;
		this.#state = "ending";
		this.pump();
	}
	/** Nobody reads any more: what waits is rejected, what comes is refused. */
	stop(reason) {
		if (this.#stopped !== void 0) return;
		this.#stopped = reason;
		const pending = this.#pending;
		this.#pending = [];
		for (const { reject } of pending) reject(reason);
	}
	/** Throws `protocol_error` when the credit grows beyond all reason. */
	receiveCredit(bytes) {
		this.#credit += bytes;
		if (this.#credit > CREDIT_MAX) throw new require_fault.Fault("protocol_error", `Cannot understand the guest: it has room for ${this.#credit} bytes of stdin`);
		this.pump();
	}
	/** Sends what has become possible. */
	pump() {
		while (this.#stopped === void 0) {
			const next = this.#pending[0];
			if (next === void 0) {
				if (this.#state === "ending") {
					this.#state = "ended";
					this.#port.sendInput(EMPTY);
				}
				return;
			}
			next.sent = this.#send(next.bytes, next.sent);
			if (next.sent < next.bytes.length) return;
			this.#pending.shift();
			next.resolve();
		}
	}
	/** Sends what credit and connection allow and says how far it came. */
	#send(bytes, from) {
		let at = from;
		while (at < bytes.length && this.#credit > 0 && this.#port.hasRoomForInput()) {
			const count = Math.min(bytes.length - at, this.#credit, PAYLOAD_BYTES_MAX);
			this.#credit -= count;
			this.#port.sendInput(bytes.subarray(at, at + count));
			at += count;
		}
		return at;
	}
};
const EMPTY = /* @__PURE__ */ new Uint8Array(0);
/** A rejection that nobody waits for is no defect of the program. */
function quietly(promise) {
	promise.catch(() => {});
	return promise;
}

// ../sandbox/src/guest/output-stream.ts
/** An output of a command, or the content of a file, as a stream that its consumer pulls. */
const END = {
	done: true,
	value: void 0
};
/**
* Consumed at most once. What nobody has read waits here, never more than the window. Ending the iteration early throws the rest away as
* it comes, so that whoever writes it is not stuck.
*/
var OutputStream = class {
	/** Set by the owner before anything is pushed. */
	owner;
	#name;
	#queue = new ChunkQueue();
	#waiters = [];
	#state = "open";
	#failure;
	#isTaken = false;
	constructor(name) {
		this.#name = name;
	}
	/** Throws `invalid_argument` the second time. */
	[Symbol.asyncIterator]() {
		if (this.#isTaken) throw new require_fault.Fault("invalid_argument", `Cannot read ${this.#name}: it is being read or has been read already`);
		this.#isTaken = true;
		return {
			next: () => this.#next(),
			return: () => this.#return()
		};
	}
	push(bytes) {
		if (this.#state !== "open") return bytes.length;
		const waiter = this.#waiters.shift();
		if (waiter !== void 0) {
			waiter.resolve({
				done: false,
				value: bytes
			});
			return bytes.length;
		}
		this.#queue.push(bytes);
		return 0;
	}
	end() {
		if (this.#state !== "open") return;
		this.#state = "ended";
		for (const { resolve } of this.#waiters) resolve(END);
		this.#waiters = [];
	}
	/** What is queued can still be read; then the reader gets the fault, once. */
	fail(fault) {
		if (this.#state !== "open") return;
		this.#state = "ended";
		const [first, ...others] = this.#waiters;
		this.#waiters = [];
		if (first === void 0) this.#failure = fault;
		else first.reject(fault);
		for (const { resolve } of others) resolve(END);
	}
	#next() {
		const chunk = this.#queue.shift();
		if (chunk !== void 0) {
			this.owner?.consumed(this.#name, chunk.length);
			return Promise.resolve({
				done: false,
				value: chunk
			});
		}
		if (this.#failure !== void 0) {
			const failure = this.#failure;
			this.#failure = void 0;
			return Promise.reject(failure);
		}
		if (this.#state !== "open") return Promise.resolve(END);
		return new Promise((resolve, reject) => {
			this.#waiters.push({
				resolve,
				reject
			});
		});
	}
	#return() {
		this.end();
		this.#state = "discarding";
		this.#failure = void 0;
		const bytes = this.#queue.clear();
		if (bytes > 0) this.owner?.consumed(this.#name, bytes);
		return Promise.resolve(END);
	}
};

// ../sandbox/src/guest/execution.ts
/** `exec` and `run` of the contract. */
/** What `run` collects when the caller sets no limit. */
const RUN_OUTPUT_BYTES_MAX = 16777216;
const TREE_SIGNALS = [
	"SIGKILL",
	"SIGSTOP",
	"SIGCONT",
	"SIGTERM"
];
/** Starts a command. Throws `invalid_argument`, `too_large`, `busy`, or what ended the sandbox. */
function startExecution(client, defaults, argv, options = {}) {
	return new GuestExecution(client, defaults, argv, options);
}
/** Runs a command to its end. Rejects with what `startExecution` throws and `Execution.exit` rejects with. */
async function runCommand(client, defaults, argv, options = {}) {
	const output = new CollectedOutput();
	const { outputBytesMax = RUN_OUTPUT_BYTES_MAX } = options;
	const run = new CommandRun(commandOptions(defaults, argv, {
		...options,
		outputBytesMax
	}), output);
	run.start(client);
	const exit = await run.exit;
	await output.whenEnded();
	return {
		exit,
		stdout: output.stdout.take(),
		stderr: output.stderr.take()
	};
}
var GuestExecution = class {
	stdout;
	stderr;
	exit;
	pid;
	#run;
	#hasPipe;
	constructor(client, defaults, argv, options) {
		const stdout = new OutputStream("stdout");
		const stderr = new OutputStream("stderr");
		this.#hasPipe = options.stdin === "pipe";
		this.#run = new CommandRun(commandOptions(defaults, argv, options), {
			stdout,
			stderr
		});
		stdout.owner = this.#run;
		stderr.owner = this.#run;
		this.#run.start(client);
		this.stdout = stdout;
		this.stderr = stderr;
		this.exit = this.#run.exit;
		this.pid = this.#run.pid;
	}
	write(bytes) {
		if (!this.#hasPipe) return Promise.reject(new require_fault.Fault("invalid_argument", "Cannot write to stdin: the command was not started with stdin: 'pipe'"));
		if (!(bytes instanceof Uint8Array)) return Promise.reject(new require_fault.Fault("invalid_argument", "Cannot write to stdin: this is not bytes"));
		const input = this.#run.channel?.input;
		if (input !== void 0) return input.write(bytes);
		return quietly(Promise.reject(new require_fault.Fault("conflict", "Cannot write to stdin: the command was stopped before it started")));
	}
	closeStdin() {
		if (this.#hasPipe) this.#run.channel?.input?.close();
	}
	kill(signal, scope = "process") {
		const number = SIGNALS[signal];
		if (number === void 0) throw new require_fault.Fault("invalid_argument", `Cannot send the signal ${JSON.stringify(signal)}: there is none of this name`);
		if (scope !== "process" && scope !== "group" && scope !== "tree") throw new require_fault.Fault("invalid_argument", `Cannot send a signal to ${JSON.stringify(scope)}: the scopes are process, group and tree`);
		if (scope === "tree" && !TREE_SIGNALS.includes(signal)) throw new require_fault.Fault("invalid_argument", `Cannot send ${signal} to the whole tree: only ${TREE_SIGNALS.join(", ")} reach it`);
		this.#run.channel?.signal(number, scope);
	}
	resize(size) {
		for (const value of [size.rows, size.columns]) if (!Number.isInteger(value) || value < 1 || value > 65535) throw new require_fault.Fault("invalid_argument", `Cannot resize the terminal to ${size.rows} rows and ${size.columns} columns`);
		this.#run.channel?.resize(size.rows, size.columns);
	}
};

// ../sandbox/src/guest/file-fault.ts
/** What a failed file operation means to its caller. */
const MEANINGS = {
	ENOENT: {
		code: "not_found",
		reason: "it does not exist"
	},
	EACCES: {
		code: "permission_denied",
		reason: "permission denied"
	},
	EPERM: {
		code: "permission_denied",
		reason: "the operation is not permitted"
	},
	EROFS: {
		code: "permission_denied",
		reason: "the filesystem is read-only"
	},
	EEXIST: {
		code: "already_exists",
		reason: "it exists already"
	},
	ENOSPC: {
		code: "storage_full",
		reason: "no space is left"
	},
	EDQUOT: {
		code: "storage_full",
		reason: "the quota is used up"
	},
	ENOTDIR: {
		code: "invalid_argument",
		reason: "a part of the path is not a directory"
	},
	EISDIR: {
		code: "invalid_argument",
		reason: "it is a directory"
	},
	ELOOP: {
		code: "invalid_argument",
		reason: "too many symbolic links"
	},
	ENAMETOOLONG: {
		code: "invalid_argument",
		reason: "the path is too long"
	},
	EINVAL: {
		code: "invalid_argument",
		reason: "it is not of a kind this works on"
	},
	ENOTEMPTY: {
		code: "invalid_argument",
		reason: "the directory is not empty"
	},
	ENXIO: {
		code: "invalid_argument",
		reason: "it is not of a kind this works on"
	},
	EBUSY: {
		code: "busy",
		reason: "something else uses it"
	},
	ETXTBSY: {
		code: "busy",
		reason: "a program runs from it"
	},
	EAGAIN: {
		code: "busy",
		reason: "a limit of the sandbox is reached"
	},
	ENOMEM: {
		code: "busy",
		reason: "the memory of the sandbox is used up"
	},
	EFBIG: {
		code: "too_large",
		reason: "it would exceed the largest file allowed"
	}
};
/** `action` is as in `fileAction`; `path` is the one the caller gave, not what the guest says. */
function fileFault(action, path, failure) {
	const errno = errnoName(failure.errno);
	const meaning = MEANINGS[errno] ?? {
		code: "internal",
		reason: "it failed"
	};
	const { call, stage } = failure;
	return new require_fault.Fault(meaning.code, `Cannot ${action}: ${meaning.reason} (${call} ${errno})`, { details: {
		path,
		call,
		errno,
		stage
	} });
}

// ../sandbox/src/guest/file-request.ts
/** READ, WRITE, LIST, STAT, REMOVE and MKDIR. */
/** Permission bits and the sticky bit; the guest does not set set-user-id bits. */
const MODE_MAX = 1023;
/** "Cannot …" in the faults of each operation. */
const ACTIONS = {
	read: "read",
	write: "write",
	list: "list",
	stat: "look at",
	remove: "remove",
	mkdir: "make the directory"
};
const PATH_QUOTED_MAX = 200;
/** What a fault about this request says it could not do: `write "/a/b"`. */
function fileAction(request) {
	const { path } = request;
	return `${ACTIONS[request.kind]} ${JSON.stringify(path.length > PATH_QUOTED_MAX ? `${path.slice(0, PATH_QUOTED_MAX)}…` : path)}`;
}
/** The frame of a file request, still without its channel. Throws `invalid_argument` and `too_large`. */
function encodeFileRequest(request, user) {
	const text = new RequestText(fileAction(request));
	if (request.path === "") throw text.refuse("the path is empty");
	text.add("--path").addText(request.path, "the path").addUser(user);
	switch (request.kind) {
		case "read":
			if (request.offset !== void 0) text.addFlag("--offset", text.checkInteger(request.offset, "offset", 0, Number.MAX_SAFE_INTEGER));
			if (request.length !== void 0) text.addFlag("--length", text.checkInteger(request.length, "length", 0, Number.MAX_SAFE_INTEGER));
			return text.encode(FRAME.READ);
		case "write":
			addMode(text, request.mode);
			if (request.append === true) text.add("--append");
			if (request.exclusive === true) text.add("--exclusive");
			return text.encode(FRAME.WRITE);
		case "list": return text.encode(FRAME.LIST);
		case "stat":
			if (request.follow === true) text.add("--follow");
			return text.encode(FRAME.STAT);
		case "remove":
			if (request.recursive === true) text.add("--recursive");
			return text.encode(FRAME.REMOVE);
		case "mkdir":
			addMode(text, request.mode);
			if (request.parents === true) text.add("--parents");
			return text.encode(FRAME.MKDIR);
		default: return request;
	}
}
function addMode(text, mode) {
	text.addFlag("--mode", text.checkInteger(mode, "mode", 0, MODE_MAX).toString(8));
}

// ../sandbox/src/guest/file-operation.ts
/** One operation on the files of a sandbox, from its request to its end. */
/** Operations that change nothing: their caller need not wait until they have really stopped. */
const READING = /* @__PURE__ */ new Set([
	"read",
	"list",
	"stat"
]);
/**
* Started by its constructor, which throws `invalid_argument`, `too_large`, `busy`, `aborted`, or what ended the sandbox.
* Abort stops it: one that reads rejects at once, one that changes files when it has really stopped, so that nothing changes after that.
*/
var FileOperation = class {
	/** Settles when it has ended and all it had to say has come. Rejects with what went wrong. */
	done;
	#request;
	#options;
	#settleDone;
	#channel;
	#source;
	#exit;
	#isOutputEnded = false;
	/** Why it was stopped; this is then what `done` rejects with. */
	#stopped;
	constructor(client, request, options) {
		this.#request = request;
		this.#options = options;
		this.#settleDone = Promise.withResolvers();
		this.done = this.#settleDone.promise;
		this.done.catch(() => {});
		const frame = encodeFileRequest(request, options.user);
		if (options.signal?.aborted === true) throw this.#aborted();
		const traits = {
			isCommand: false,
			hasStdout: READING.has(request.kind),
			hasStderr: false,
			hasStdin: request.kind === "write"
		};
		client.cork();
		try {
			this.#channel = client.open(frame, traits, this);
			const { input } = this.#channel;
			if (options.source !== void 0 && input !== void 0) this.#source = new SourceFeed(options.source, input, (error) => this.stop(error));
		} finally {
			client.uncork();
		}
		options.signal?.addEventListener("abort", this, { once: true });
	}
	/** Ends it early, for this reason. */
	stop(error) {
		if (this.#exit !== void 0 || this.#stopped !== void 0) return;
		this.#stopped = { error };
		this.#channel.signal(SIGNALS.SIGTERM, "process");
	}
	/** The abort signal fired. */
	handleEvent() {
		const fault = this.#aborted();
		this.stop(fault);
		if (!READING.has(this.#request.kind)) return;
		this.#options.sink?.fail(fault);
		this.#settleDone.reject(fault);
	}
	consumed(stream, bytes) {
		this.#channel.grant(stream, bytes);
	}
	started() {}
	output(stream, bytes) {
		const { sink } = this.#options;
		const consumed = sink === void 0 || this.#stopped !== void 0 ? bytes.length : sink.push(bytes);
		if (consumed > 0) this.#channel.grant(stream, consumed);
	}
	outputEnded(stream) {
		if (stream === "stderr") return;
		this.#isOutputEnded = true;
		this.#settle();
	}
	exited(exit) {
		this.#exit = exit;
		this.#source?.stop();
		this.#options.signal?.removeEventListener("abort", this);
		this.#settle();
	}
	lost(fault) {
		this.#source?.stop();
		this.#options.signal?.removeEventListener("abort", this);
		this.#options.sink?.fail(fault);
		this.#settleDone.reject(fault);
	}
	#settle() {
		if (this.#exit === void 0 || !this.#isOutputEnded) return;
		const problem = this.#problem(this.#exit);
		if (problem === void 0) {
			this.#options.sink?.end();
			this.#settleDone.resolve();
		} else {
			this.#options.sink?.fail(problem.fault);
			this.#settleDone.reject(problem.error);
		}
	}
	#problem(exit) {
		if (exit.kind === "exited" && exit.code === 0) return void 0;
		if (this.#stopped !== void 0) {
			const { error } = this.#stopped;
			return {
				fault: error instanceof require_fault.Fault ? error : this.#aborted(),
				error
			};
		}
		const action = fileAction(this.#request);
		const fault = exit.kind === "failed" ? fileFault(action, this.#request.path, exit) : new require_fault.Fault("internal", `Cannot ${action}: the process that does it ended with ${exit.kind === "exited" ? `code ${exit.code}` : `signal ${exit.signal}`}`);
		return {
			fault,
			error: fault
		};
	}
	#aborted() {
		return new require_fault.Fault("aborted", `Cannot ${fileAction(this.#request)}: the caller stopped it`, { cause: this.#options.signal?.reason });
	}
};

// ../sandbox/src/guest/exit-message.ts
/** EXIT: how a command or a file operation ended, and what it used. */
const SIGNAL_MAX = 64;
const ERRNO_MAX = 4095;
/** Stages and calls go into messages that people read. */
const WORD = /^[\w .:()-]{0,64}$/;
/** Throws `protocol_error` for anything the protocol does not allow. */
function decodeExit(payload) {
	if (payload.length < 32) throw malformed$2("it is too short");
	const kind = payload.readUInt8(0);
	const core = payload.readUInt8(1);
	const value = payload.readInt32LE(4);
	if (payload.readUInt16LE(2) !== 0) throw malformed$2("its padding is not zero");
	if (core > (kind === 1 ? 1 : 0)) throw malformed$2(`it says ${core} about a core dump`);
	if (kind !== 2 && payload.length !== 32) throw malformed$2(`it has ${payload.length} bytes`);
	const usage = decodeUsage(payload, 8);
	switch (kind) {
		case 0:
			if (value < 0 || value > 255) throw malformed$2(`its exit code is ${value}`);
			return {
				kind: "exited",
				code: value,
				usage
			};
		case 1:
			if (value < 1 || value > SIGNAL_MAX) throw malformed$2(`its signal is ${value}`);
			return {
				kind: "signalled",
				signal: value,
				isCoreDumped: core === 1,
				usage
			};
		case 2: {
			if (value < 1 || value > ERRNO_MAX) throw malformed$2(`its errno is ${value}`);
			const parts = payload.toString("utf8", 32).split("\0", 4);
			const [stage, call, path] = parts;
			if (parts.length !== 3 || stage === void 0 || call === void 0 || path === void 0) throw malformed$2("it does not name a stage, a call and a path");
			if (!WORD.test(stage) || !WORD.test(call)) throw malformed$2("its stage or its call is not a word");
			return {
				kind: "failed",
				stage,
				call,
				path,
				errno: value,
				usage
			};
		}
		default: throw malformed$2(`its kind is ${kind}`);
	}
}
/** Three u64: user and system time in microseconds, largest resident set. */
function decodeUsage(payload, at) {
	return {
		userMicros: readU64(payload, at),
		systemMicros: readU64(payload, at + 8),
		rssBytesMax: readU64(payload, at + 16)
	};
}
/** As a number: exact up to 2^53, which no honest value here exceeds, and close above. */
function readU64(bytes, at) {
	return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 4294967296;
}
function malformed$2(what) {
	return new require_fault.Fault("protocol_error", `Cannot understand how something in the sandbox ended: ${what}`);
}

// ../sandbox/src/guest/stat-record.ts
/** Stat records: what LIST and STAT answer with, one after the other in the byte stream of stdout. */
/** Bytes before the name. */
const RECORD_HEAD_BYTES = 40;
const PERMISSIONS_MAX = 4095;
const KINDS = {
	f: "file",
	d: "directory",
	l: "symlink",
	c: "character_device",
	b: "block_device",
	p: "fifo",
	s: "socket"
};
/**
* Reads records however the stream is cut. Names come from the guest: one that could not be the name of a directory entry is a
* `protocol_error`, so that joining it to a path of the host would lead nowhere else. Bytes that are not UTF-8 become U+FFFD.
*/
var StatRecordDecoder = class {
	#onEntry;
	/** `any`: the answer to STAT may call the entry "." when the path has no last component. */
	#names;
	/** The beginning of a record whose rest has not come. */
	#rest;
	constructor(names, onEntry) {
		this.#names = names;
		this.#onEntry = onEntry;
	}
	push(bytes) {
		const input = this.#rest === void 0 ? bytes : Buffer.concat([this.#rest, bytes]);
		this.#rest = void 0;
		let at = 0;
		while (at < input.length) {
			const available = input.length - at;
			const length = available < 2 ? void 0 : input.readUInt16LE(at);
			if (length !== void 0 && length < 40) throw malformed$1(`a record of ${length} bytes`);
			if (length === void 0 || available < length) {
				this.#rest = Buffer.from(input.subarray(at));
				return;
			}
			this.#onEntry(decodeRecord(input.subarray(at, at + length), this.#names));
			at += length;
		}
	}
	/** At the end of the stream. */
	end() {
		if (this.#rest !== void 0) throw malformed$1("the last record is cut off");
	}
};
function decodeRecord(record, names) {
	const kind = KINDS[String.fromCharCode(record.readUInt8(2))];
	const mode = record.readUInt32LE(4);
	const nanoseconds = record.readUInt32LE(32);
	const nameBytes = record.readUInt16LE(36);
	const targetBytes = record.readUInt16LE(38);
	if (kind === void 0) throw malformed$1(`a file of the kind ${record.readUInt8(2)}`);
	if (record.readUInt8(3) !== 0) throw malformed$1("a record with padding that is not zero");
	if (mode > PERMISSIONS_MAX) throw malformed$1(`the mode 0${mode.toString(8)}`);
	if (nanoseconds > 999999999) throw malformed$1(`a time with ${nanoseconds} nanoseconds`);
	if (40 + nameBytes + targetBytes !== record.length) throw malformed$1(`a record of ${record.length} bytes with a name of ${nameBytes} and a target of ${targetBytes}`);
	if (targetBytes > 0 && kind !== "symlink") throw malformed$1(`a ${kind} with a link target`);
	const name = record.toString("utf8", 40, 40 + nameBytes);
	const target = record.toString("utf8", 40 + nameBytes);
	if (name.includes("\0") || name.includes("/") || names === "entry" && (name === "" || name === "." || name === "..")) throw malformed$1(`an entry with the name ${JSON.stringify(name.slice(0, 100))}`);
	if (target.includes("\0")) throw malformed$1("a link target with a NUL character");
	return {
		name,
		kind,
		mode,
		uid: record.readUInt32LE(8),
		gid: record.readUInt32LE(12),
		size: readU64(record, 16),
		mtimeMs: (record.readUInt32LE(24) + record.readInt32LE(28) * 4294967296) * 1e3 + nanoseconds / 1e6,
		...kind === "symlink" ? { target } : {}
	};
}
function malformed$1(what) {
	return new require_fault.Fault("protocol_error", `Cannot understand what the sandbox says about a file: ${what}`);
}

// ../sandbox/src/guest/files.ts
/** The file operations of the contract. Each runs in a process of its own behind the walls, so no link of the guest leads the host anywhere. */
/** What `list` holds at most: a hostile guest could go on for ever. */
const LIST_ENTRIES_MAX = 25e4;
const LIST_BYTES_MAX = 67108864;
const FILE_MODE = 420;
const DIRECTORY_MODE = 493;
/**
* Relative paths start at the default directory of commands. Every method throws `invalid_argument`, `not_found`, `permission_denied`,
* `already_exists`, `storage_full`, `too_large` and `busy` for what the guest answers, `aborted`, and what ended the sandbox.
*/
var GuestFiles = class {
	#client;
	#defaults;
	constructor(client, defaults) {
		this.#client = client;
		this.#defaults = defaults;
	}
	/** Starts when it is iterated, each time anew. Ending the iteration early stops the read. */
	readFile(path, options = {}) {
		const request = {
			kind: "read",
			path: this.#resolve(path),
			offset: options.offset,
			length: options.length
		};
		return { [Symbol.asyncIterator]: () => this.#read(request, options) };
	}
	async writeFile(path, content, options = {}) {
		const { mode = FILE_MODE, append, exclusive } = options;
		if (typeof content !== "string" && !(content instanceof Uint8Array) && typeof content?.[Symbol.asyncIterator] !== "function") throw new require_fault.Fault("invalid_argument", `Cannot write ${JSON.stringify(path)}: the content is neither bytes, text nor a stream of bytes`);
		await this.#start({
			kind: "write",
			path: this.#resolve(path),
			mode,
			append,
			exclusive
		}, options, void 0, content).done;
	}
	/** Unsorted. Throws `too_large` for a directory of more than 250,000 entries. */
	async list(path, options = {}) {
		const request = {
			kind: "list",
			path: this.#resolve(path)
		};
		const entries = [];
		const decoder = new StatRecordDecoder("entry", (entry) => entries.push(entry));
		let bytes = 0;
		const operation = this.#start(request, options, {
			push: (chunk) => {
				bytes += chunk.length;
				decoder.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
				if (entries.length > 25e4 || bytes > 67108864) operation.stop(listTooLarge(request));
				return chunk.length;
			},
			end: () => decoder.end(),
			fail: () => {}
		});
		await operation.done;
		return entries;
	}
	/** Of a link itself, unless `follow`. The name is the last component of the path. */
	async stat(path, options = {}) {
		const request = {
			kind: "stat",
			path: this.#resolve(path),
			follow: options.follow
		};
		let found;
		const decoder = new StatRecordDecoder("any", (entry) => {
			if (found !== void 0) throw new require_fault.Fault("protocol_error", "Cannot understand what the sandbox says about a file: it says it twice");
			found = entry;
		});
		await this.#start(request, options, {
			push: (chunk) => {
				decoder.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
				return chunk.length;
			},
			end: () => {
				decoder.end();
				if (found === void 0) throw new require_fault.Fault("protocol_error", "Cannot understand what the sandbox says about a file: it says nothing");
			},
			fail: () => {}
		}).done;
		const entry = found;
		if (entry === void 0) throw new Error("the sink let a stat without a record pass");
		return {
			...entry,
			name: node_path.posix.basename(request.path) || "/"
		};
	}
	async remove(path, options = {}) {
		await this.#start({
			kind: "remove",
			path: this.#resolve(path),
			recursive: options.recursive
		}, options).done;
	}
	async mkdir(path, options = {}) {
		const { mode = DIRECTORY_MODE, parents } = options;
		await this.#start({
			kind: "mkdir",
			path: this.#resolve(path),
			mode,
			parents
		}, options).done;
	}
	async *#read(request, options) {
		const stream = new OutputStream("stdout");
		const operation = this.#start(request, options, stream);
		stream.owner = operation;
		try {
			yield* stream;
			await operation.done;
		} finally {
			operation.stop(new require_fault.Fault("aborted", `Cannot ${fileAction(request)}: the reader stopped`));
		}
		return void 0;
	}
	#start(request, options, sink, source) {
		return new FileOperation(this.#client, request, {
			user: options.user ?? this.#defaults.user,
			sink,
			source,
			signal: options.signal
		});
	}
	#resolve(path) {
		if (typeof path !== "string" || path === "") throw new require_fault.Fault("invalid_argument", "Cannot use an empty path");
		return path.startsWith("/") ? path : `${this.#defaults.cwd}/${path}`;
	}
};
function listTooLarge(request) {
	const message = `Cannot ${fileAction(request)}: it has more than ${LIST_ENTRIES_MAX} entries or ${LIST_BYTES_MAX} bytes of names`;
	return new require_fault.Fault("too_large", message, { details: {
		entriesMax: LIST_ENTRIES_MAX,
		bytesMax: LIST_BYTES_MAX
	} });
}

// ../sandbox/src/guest/guest.ts
/**
* The inside of a running sandbox, as the contract offers it: commands and files over one guest connection. A backend makes the connection,
* hands it over, and adds what only it knows (walls, limits, the end).
*/
var Guest = class {
	client;
	#defaults;
	#files;
	constructor(client, defaults) {
		this.client = client;
		this.#defaults = defaults;
		this.#files = new GuestFiles(client, defaults);
	}
	exec(argv, options) {
		return startExecution(this.client, this.#defaults, argv, options);
	}
	run(argv, options) {
		return runCommand(this.client, this.#defaults, argv, options);
	}
	readFile(path, options) {
		return this.#files.readFile(path, options);
	}
	writeFile(path, content, options) {
		return this.#files.writeFile(path, content, options);
	}
	list(path, options) {
		return this.#files.list(path, options);
	}
	stat(path, options) {
		return this.#files.stat(path, options);
	}
	remove(path, options) {
		return this.#files.remove(path, options);
	}
	mkdir(path, options) {
		return this.#files.mkdir(path, options);
	}
	/** Sends a signal to the main process of every running command. */
	signal(signal) {
		const number = SIGNALS[signal];
		if (number === void 0) throw new require_fault.Fault("invalid_argument", `Cannot send the signal ${JSON.stringify(signal)}: there is none of this name`);
		this.client.signalCommands(number);
	}
	/**
	* Hangs up because the owner ends the sandbox: running commands exit as stopped for this reason, with their output cut off; file
	* operations throw `sandbox_gone`. Idempotent.
	*/
	end(stop) {
		this.client.destroy(new require_fault.Fault("sandbox_gone", `Cannot go on in the sandbox: ${stop.detail}`), stop);
	}
};

// ../sandbox/src/backends/namespace/explain-failure.ts
const WALLS = {
	prepare: "launcher",
	serve: "launcher",
	janitor: "launcher",
	spec: "launcher",
	guest: "launcher",
	descriptors: "descriptors",
	identity: "user namespace",
	namespaces: "namespaces",
	idmap: "id-mapped mounts",
	cgroup: "cgroups",
	mount: "file system",
	mask: "file system",
	read_only: "file system",
	root: "file system",
	hostname: "uts namespace",
	network: "network namespace",
	limits: "rlimits",
	capabilities: "capabilities",
	privileges: "no new privileges",
	landlock: "landlock",
	seccomp: "seccomp"
};
const explainFailure = ({ stage, call, error }) => {
	return {
		wall: WALLS[stage] ?? stage,
		fix: fixFor(stage, call, error)
	};
};
function fixFor(stage, call, error) {
	if (stage === "namespaces" && (error === "EPERM" || error === "EACCES")) return "allow user namespaces for this user; warren doctor names the setting";
	if (stage === "namespaces" && error === "ENOSPC") return "sysctl user.max_user_namespaces=15000";
	if (stage === "identity" && call === "exec") return "apt-get install uidmap, and a line for this user in /etc/subuid and /etc/subgid";
	if (stage === "identity" && error === "EUSERS") return "end some sandboxes: all 4096 ranges of ids are in use";
	if (stage === "idmap") return "keep the directory on a file system that can map ids (ext4, xfs, btrfs, tmpfs), or run as its owner instead of root";
	if (stage === "mount" && call === "proc") return "inside a container, give it an unmasked /proc (docker run --security-opt systempaths=unconfined)";
	if (stage === "mount" && call === "overlay") return "keep the state directory on a file system that overlays can write to (ext4, xfs, btrfs, tmpfs): WARREN_STATE=…";
	if (error === "ENOMEM" || error === "EMFILE" || error === "ENFILE") return "end some sandboxes, or raise the limit of open files (ulimit -n)";
	return "warren doctor";
}

// ../sandbox/src/guest/control-messages.ts
/** What travels between the host and its launcher on the control connection. */
const PROTOCOL_VERSION = "1";
/** Throws `protocol_error`. */
function decodeHello(payload) {
	const [version, socketName, landlock] = payload.toString("utf8").split("\0");
	if (version !== "1") throw malformed(`it speaks version ${JSON.stringify(version?.slice(0, 20))} of the protocol, this library speaks "${"1"}"`);
	if (socketName === void 0 || socketName === "") throw malformed("it does not name its socket");
	return {
		socketName,
		landlock: Number.parseInt(landlock ?? "0", 10) || 0
	};
}
/** `undefined`: the launcher did not know this sandbox (any more). Throws `protocol_error`. */
function decodeGone(payload) {
	if (payload.length === 0) return void 0;
	const how = payload[0];
	if (payload.length < 32 || how !== 0 && how !== 1) throw malformed("it does not say how a sandbox ended");
	const reports = payload.toString("utf8", 32).split("\0");
	reports.pop();
	return {
		kind: how === 0 ? "exited" : "signalled",
		value: payload.readInt32LE(4),
		usage: decodeUsage(payload, 8),
		reports
	};
}
function malformed(what) {
	return new require_fault.Fault("protocol_error", `Cannot understand the launcher: ${what}`);
}

// ../sandbox/src/guest/channel.ts
/**
* One channel: a command or a file operation on a guest connection. Here the rules of the protocol are held: what may come when, and how
* much. Everything a guest sends that breaks them is a `protocol_error`, thrown to the client, which then gives up the whole connection.
*/
const SCOPES = {
	process: 0,
	group: 1,
	tree: 2
};
const STREAMS = {
	stdout: 1,
	stderr: 2
};
const SIGKILL = 9;
var Output = class {
	/** Bytes the guest may still send. */
	allowance;
	/** Bytes that have been read and not yet granted again. */
	ungranted = 0;
	isEnded = false;
	constructor(windowBytes) {
		this.allowance = windowBytes;
	}
};
var Channel = class {
	number;
	traits;
	/** Stdin; there is none unless the traits say so. */
	input;
	#carrier;
	#listener;
	#windowBytes;
	#stdout;
	#stderr;
	#isStarted = false;
	#hasExited = false;
	#isLost = false;
	#isKilled = false;
	constructor(number, carrier, traits, listener) {
		this.number = number;
		this.traits = traits;
		this.#carrier = carrier;
		this.#listener = listener;
		this.#windowBytes = traits.windowBytes ?? 262144;
		this.#stdout = new Output(this.#windowBytes);
		this.#stderr = new Output(this.#windowBytes);
		this.input = traits.hasStdin ? new InputFeed(this) : void 0;
	}
	/** Whether the main process may still be there. */
	get isRunning() {
		return !this.#hasExited && !this.#isLost;
	}
	/** Whether the host sent it a SIGKILL. */
	get isKilled() {
		return this.#isKilled;
	}
	/** Does nothing when it has ended: there may be something else on this number by the time the frame arrives. */
	signal(signal, scope) {
		if (!this.isRunning) return;
		if (signal === SIGKILL) this.#isKilled = true;
		const frame = allocateFrame(FRAME.SIGNAL, this.number, 2);
		frame[12] = signal;
		frame[12 + 1] = SCOPES[scope];
		this.#carrier.send(frame);
	}
	resize(rows, columns) {
		if (!this.isRunning) return;
		const frame = allocateFrame(FRAME.RESIZE, this.number, 4);
		frame.writeUInt16LE(rows, 12);
		frame.writeUInt16LE(columns, 12 + 2);
		this.#carrier.send(frame);
	}
	/** Gives bytes that have been read back to the guest's window, in portions of at least half of it. */
	grant(stream, bytes) {
		const output = stream === "stdout" ? this.#stdout : this.#stderr;
		output.ungranted += bytes;
		this.#sendGrant(stream, output);
	}
	/** The connection has room again. */
	resume() {
		this.#sendGrant("stdout", this.#stdout);
		this.#sendGrant("stderr", this.#stderr);
		this.input?.pump();
	}
	sendInput(bytes) {
		this.#carrier.send(encodeFrame(FRAME.STDIN, this.number, bytes));
	}
	hasRoomForInput() {
		if (!this.#carrier.isFull()) return true;
		this.#carrier.resumeLater(this);
		return false;
	}
	receiveOutput(stream, bytes) {
		const output = stream === "stdout" ? this.#stdout : this.#stderr;
		if (output.isEnded) throw this.#violated(`it sent ${stream} after its end`);
		if (bytes.length === 0) {
			output.isEnded = true;
			this.#listener.outputEnded(stream);
			this.#closeWhenDone();
			return;
		}
		if (!(stream === "stdout" ? this.traits.hasStdout : this.traits.hasStderr)) throw this.#violated(`it sent ${stream} where there is none`);
		if (this.traits.isCommand && !this.#isStarted) throw this.#violated(`it sent ${stream} before the command has started`);
		if (bytes.length > output.allowance) throw this.#violated(`it sent ${bytes.length} bytes of ${stream} with ${output.allowance} left in the window`);
		output.allowance -= bytes.length;
		this.#listener.output(stream, bytes);
	}
	receiveStarted(pid) {
		if (!this.traits.isCommand) throw this.#violated("it says that a file operation has started");
		if (this.#isStarted) throw this.#violated("it says twice that the command has started");
		if (this.#hasExited) throw this.#violated("it says that the command has started after it has ended");
		if (pid === 0 || pid > PID_MAX) throw this.#violated(`it says that the command has the pid ${pid}`);
		this.#isStarted = true;
		this.#listener.started(pid);
	}
	receiveExit(payload) {
		const exit = decodeExit(payload);
		if (this.#hasExited) throw this.#violated("it says twice how it ended");
		if (this.traits.isCommand && !this.#isStarted && exit.kind !== "failed") throw this.#violated("it says that the command ended before it has started");
		this.#hasExited = true;
		this.input?.stop(new require_fault.Fault("conflict", "Cannot write to stdin: the command has ended"));
		this.#listener.exited(exit);
		this.#closeWhenDone();
	}
	receiveCredit(bytes) {
		if (this.input === void 0) throw this.#violated("it asks for stdin where there is none");
		this.input.receiveCredit(bytes);
	}
	lose(fault, ended) {
		this.#isLost = true;
		this.input?.stop(fault);
		this.#listener.lost(fault, ended);
	}
	#sendGrant(stream, output) {
		const bytes = output.ungranted;
		if (bytes * 2 < this.#windowBytes || bytes === 0 || output.isEnded || this.#isLost) return;
		if (this.#carrier.isFull()) {
			this.#carrier.resumeLater(this);
			return;
		}
		output.ungranted = 0;
		output.allowance += bytes;
		const frame = allocateFrame(FRAME.WINDOW, this.number, 8);
		frame.writeUInt32LE(STREAMS[stream], 12);
		frame.writeUInt32LE(bytes, 12 + 4);
		this.#carrier.send(frame);
	}
	#closeWhenDone() {
		if (this.#hasExited && this.#stdout.isEnded && this.#stderr.isEnded) this.#carrier.channelClosed(this);
	}
	#violated(what) {
		return new require_fault.Fault("protocol_error", `Cannot understand the guest on channel ${this.number}: ${what}`);
	}
};
/** `PID_MAX_LIMIT` of 64-bit Linux. */
const PID_MAX = 4194304;

// ../sandbox/src/guest/start-failure.ts
/** FAILED and REFUSED: why a sandbox did not start, as one line of JSON. */
const WORD_MAX = 100;
const PATH_MAX = 4096;
/** Throws `protocol_error` when it is not what the protocol says. */
function decodeStartFailure(payload) {
	let value;
	try {
		value = JSON.parse(payload.toString("utf8"));
	} catch (cause) {
		throw new require_fault.Fault("protocol_error", "Cannot understand why the sandbox did not start: the answer is not JSON", { cause });
	}
	const { stage, call, path, errno } = typeof value === "object" && value !== null ? { ...value } : {};
	const text = (part, lengthMax) => part === void 0 || part === null ? "" : typeof part === "string" && part.length <= lengthMax ? part : void 0;
	const parts = {
		stage: text(stage, WORD_MAX),
		call: text(call, WORD_MAX),
		path: text(path, PATH_MAX)
	};
	if (!parts.stage || parts.call === void 0 || parts.path === void 0 || !Number.isInteger(errno)) throw new require_fault.Fault("protocol_error", "Cannot understand why the sandbox did not start: the answer does not name a stage, a call, a path and an errno");
	const number = errno;
	return {
		stage: parts.stage,
		call: parts.call,
		path: parts.path,
		errno: number,
		error: errnoName(number)
	};
}
/** The fault a failed start throws. */
function startFault(failure, explain) {
	const { stage, call, path, error } = failure;
	const { wall, fix } = explain?.(failure) ?? { wall: stage };
	const where = [call, path === "" ? "" : JSON.stringify(path)].filter((part) => part !== "").join(" ");
	return new require_fault.Fault("wall_unavailable", `Cannot start a sandbox: ${wall} is not available (${stage}: ${where}: ${error})`, { details: {
		wall,
		stage,
		call,
		path,
		errno: error,
		fix
	} });
}

// ../sandbox/src/guest/guest-client.ts
/** Requests that may lie in the connection because the guest does not read, before more are refused. */
const UNSENT_BYTES_MAX = 8388608;
const PINGS_MAX = 64;
var GuestClient = class {
	/** Settles when every wall stands; rejects with `wall_unavailable`, or with what ended the connection before. */
	ready;
	/** Resolves when the connection is over, with what every open channel was told. Never rejects. */
	closed;
	#connection;
	#explain;
	#decoder;
	/** By number; it grows as numbers are used, because most sandboxes need few. */
	#channels = [void 0];
	/** Numbers that were used and are free again; the next new one is `#numbersUsed + 1`. */
	#freeNumbers = [];
	#numbersUsed = 0;
	#waiting = /* @__PURE__ */ new Set();
	#pings = [];
	#pingsSent = 0;
	#state = "starting";
	#reason;
	#settleReady;
	#settleClosed;
	/** Takes over a connection on which the guest has yet to say READY. Requests may be sent before it has. */
	constructor(connection, options = {}) {
		this.#connection = connection;
		this.#explain = options.explain;
		this.#decoder = new FrameDecoder(FROM_GUEST, this);
		this.#settleReady = Promise.withResolvers();
		this.#settleClosed = Promise.withResolvers();
		this.ready = this.#settleReady.promise;
		this.ready.catch(() => {});
		this.closed = this.#settleClosed.promise;
		connection.on("data", (chunk) => this.#receive(chunk));
		connection.on("drain", () => this.#resume());
		connection.on("end", () => this.#hangUp(void 0));
		connection.on("close", () => this.#hangUp(void 0));
		connection.on("error", (error) => this.#hangUp(error));
	}
	/** Channels that are open. */
	get channelsOpen() {
		return this.#numbersUsed - this.#freeNumbers.length;
	}
	get isClosed() {
		return this.#state === "closed";
	}
	/**
	* Sends a request (made by `encodeExec` or `encodeFileRequest`) on a new channel. The listener is told what comes of it.
	* Throws `busy` when 1,024 channels are open or the guest does not read, and what ended the connection when it is over.
	*/
	open(request, traits, listener) {
		if (this.#reason !== void 0) throw again(this.#reason);
		if (this.#connection.writableLength > UNSENT_BYTES_MAX) throw new require_fault.Fault("busy", `Cannot ask the sandbox for more: it has not read ${this.#connection.writableLength} bytes of earlier requests`);
		const number = this.#freeNumbers.pop() ?? ++this.#numbersUsed;
		if (number > 1024) {
			this.#numbersUsed = CHANNELS_MAX;
			throw new require_fault.Fault("busy", `Cannot ask the sandbox for more: ${CHANNELS_MAX} commands and file operations are open, the limit is ${CHANNELS_MAX}`);
		}
		const channel = new Channel(number, this, traits, listener);
		this.#channels[number] = channel;
		setChannel(request, number);
		this.#connection.write(request);
		return channel;
	}
	/** What is sent between `cork` and `uncork` goes out in one write. */
	cork() {
		this.#connection.cork();
	}
	uncork() {
		this.#connection.uncork();
	}
	/** Resolves when pid 1 has answered. Throws `busy`, or what ended the connection. */
	ping() {
		if (this.#reason !== void 0) return Promise.reject(again(this.#reason));
		if (this.#pings.length === PINGS_MAX) return Promise.reject(new require_fault.Fault("busy", `Cannot ping the sandbox: it has not answered ${PINGS_MAX} pings`));
		const bytes = Buffer.alloc(8);
		bytes.writeDoubleLE(++this.#pingsSent);
		this.#connection.write(encodeFrame(FRAME.PING, 0, bytes));
		return new Promise((resolve, reject) => {
			this.#pings.push({
				bytes,
				resolve,
				reject
			});
		});
	}
	/** Sends a signal to the main process of every running command. */
	signalCommands(signal) {
		for (const channel of this.#channels) if (channel?.traits.isCommand) channel.signal(signal, "process");
	}
	/** Sends a signal to every process in the sandbox but pid 1, whoever started it. */
	signalEverything(signal) {
		this.send(encodeFrame(FRAME.SIGNAL, 0, Buffer.from([signal, 0])));
	}
	/**
	* Closes the connection, which ends pid 1. Everything open is told `reason`; with `ended`, commands say in their exit who ended them
	* instead of rejecting. Idempotent: the first reason stays.
	*/
	destroy(reason, ended) {
		if (this.#state === "closed") return;
		this.#state = "closed";
		this.#reason = reason;
		this.#decoder.stop();
		this.#connection.destroy();
		this.#waiting.clear();
		const pings = this.#pings;
		this.#pings = [];
		for (const channel of this.#channels) channel?.lose(reason, ended);
		this.#channels.fill(void 0);
		for (const { reject } of pings) reject(reason);
		this.#settleReady.reject(reason);
		this.#settleClosed.resolve(reason);
	}
	send(frame) {
		if (this.#state !== "closed") this.#connection.write(frame);
	}
	isFull() {
		return this.#connection.writableNeedDrain;
	}
	resumeLater(channel) {
		this.#waiting.add(channel);
	}
	channelClosed(channel) {
		this.#channels[channel.number] = void 0;
		this.#freeNumbers.push(channel.number);
		this.#waiting.delete(channel);
	}
	receiveFrame(type, channel, payload) {
		if (this.#state !== "ready") {
			this.#receiveStart(type, channel, payload);
			return;
		}
		switch (type) {
			case FRAME.STDOUT:
				this.#channel(channel).receiveOutput("stdout", payload);
				break;
			case FRAME.STDERR:
				this.#channel(channel).receiveOutput("stderr", payload);
				break;
			case FRAME.STARTED:
				this.#channel(channel).receiveStarted(payload.readUInt32LE(0));
				break;
			case FRAME.EXIT:
				this.#channel(channel).receiveExit(payload);
				break;
			case FRAME.CREDIT:
				this.#channel(channel).receiveCredit(payload.readUInt32LE(0));
				break;
			case FRAME.PONG:
				this.#receivePong(channel, payload);
				break;
			default: throw new require_fault.Fault("protocol_error", "Cannot understand the guest: it says again whether it is ready");
		}
	}
	#receive(chunk) {
		try {
			this.#decoder.push(chunk);
		} catch (error) {
			this.destroy(error instanceof require_fault.Fault ? error : new require_fault.Fault("internal", "Cannot go on with the sandbox: the host failed on its answer", { cause: error }));
		}
	}
	#receiveStart(type, channel, payload) {
		if (channel !== 0) throw new require_fault.Fault("protocol_error", `Cannot understand the guest: it sent a frame on channel ${channel} before it is ready`);
		if (type === FRAME.READY) {
			this.#state = "ready";
			this.#settleReady.resolve();
		} else if (type === FRAME.FAILED) this.destroy(startFault(decodeStartFailure(payload), this.#explain));
		else throw new require_fault.Fault("protocol_error", `Cannot understand the guest: it sent a frame of the type 0x${type.toString(16)} before it is ready`);
	}
	#receivePong(channel, payload) {
		const ping = this.#pings.shift();
		if (channel !== 0 || ping === void 0 || !ping.bytes.equals(payload)) throw new require_fault.Fault("protocol_error", "Cannot understand the guest: it answers a ping that was not sent");
		ping.resolve();
	}
	#channel(number) {
		const channel = this.#channels[number];
		if (channel === void 0) throw new require_fault.Fault("protocol_error", `Cannot understand the guest: channel ${number} is not open`);
		return channel;
	}
	#resume() {
		if (this.#state === "closed") return;
		const waiting = [...this.#waiting];
		this.#waiting.clear();
		for (const channel of waiting) channel.resume();
	}
	#hangUp(cause) {
		if (this.#state === "closed") return;
		const while_ = this.#state === "starting" ? "before it was ready" : "before everything was done";
		this.destroy(new require_fault.Fault("sandbox_gone", `Cannot reach the sandbox: its connection closed ${while_}`, ...cause === void 0 ? [] : [{ cause }]));
	}
};
/** The same fault for a later caller, with a stack of its own. */
function again(reason) {
	return new require_fault.Fault(reason.code, reason.message, {
		details: reason.details,
		cause: reason
	});
}

// ../sandbox/src/backends/namespace/launcher-process.ts
/**
* The launcher as a process: started once, asked for sandboxes over one connection each, told over the control connection which to end, and telling
* there which are gone. When it dies, all its sandboxes die with it (the kernel sees to that) and the next start begins a new one.
*/
const STDERR_BYTES_MAX = 16384;
var LauncherProcess = class {
	hello;
	#options;
	#process;
	#control;
	#decoder;
	#settleHello;
	#exited;
	#sandboxes = /* @__PURE__ */ new Map();
	#lastId = 0;
	#stderr = "";
	#end;
	constructor(options) {
		this.#options = options;
		this.#settleHello = Promise.withResolvers();
		this.hello = this.#settleHello.promise;
		this.hello.catch(() => {});
		this.#process = (0, node_child_process.spawn)(options.path, [
			"serve",
			"--control-fd",
			"3",
			...options.flags
		], {
			stdio: [
				"ignore",
				"ignore",
				"pipe",
				"pipe"
			],
			env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
			cwd: "/"
		});
		this.#control = this.#process.stdio[3];
		this.#decoder = new FrameDecoder(FROM_LAUNCHER, this);
		this.#exited = new Promise((resolve) => this.#process.once("close", () => resolve()));
		this.#process.once("error", (error) => this.#lose(error));
		this.#process.once("exit", (code, signal) => this.#lose(void 0, signal ?? `exit code ${code}`));
		this.#process.stderr?.on("data", (chunk) => {
			this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(0, STDERR_BYTES_MAX);
		});
		this.#control.on("data", (chunk) => this.#receive(chunk));
		this.#control.on("error", (error) => this.#lose(error));
		this.#keepAlive(true);
	}
	/** It is gone, or was disposed: start another. */
	get isLost() {
		return this.#end !== void 0;
	}
	/** A number for the next sandbox, never given twice by this launcher. */
	nextId() {
		return ++this.#lastId;
	}
	/**
	* Builds a sandbox and resolves when its walls stand. Throws `wall_unavailable`, `sandbox_gone` when the launcher dies meanwhile, and the
	* reason of `signal`; nothing is left then.
	*/
	async launch(id, spec, filter, signal) {
		const { socketName } = await this.hello;
		signal?.throwIfAborted();
		if (this.#end !== void 0) throw this.#end;
		const connection = (0, node_net.createConnection)({ path: `\0${socketName}` });
		const client = new GuestClient(connection, { explain: this.#options.explain });
		const { promise: gone, resolve: settleGone } = Promise.withResolvers();
		const refused = Promise.withResolvers();
		const placed = Promise.withResolvers();
		this.#sandboxes.set(id, {
			place: placed.resolve,
			settleGone,
			refuse: refused.reject
		});
		this.#keepAlive(true);
		connection.write(Buffer.concat([encodeFrame(FRAME.SPEC, id, Buffer.from(`${spec.join("\0")}\0`)), encodeFrame(FRAME.FILTER, id, filter)]));
		const destroy = () => {
			if (this.#end === void 0 && this.#sandboxes.has(id)) this.#control.write(encodeFrame(FRAME.DESTROY, id));
		};
		const abandon = () => refused.reject(signal?.reason);
		signal?.addEventListener("abort", abandon, { once: true });
		try {
			refused.promise.catch(() => {});
			await Promise.race([client.ready.catch((error) => this.#betterReason(error, refused.promise)), refused.promise]);
			return {
				client,
				gone,
				destroy,
				slot: await Promise.race([placed.promise, refused.promise])
			};
		} catch (error) {
			client.destroy(new require_fault.Fault("sandbox_gone", "Cannot reach the sandbox: it did not start"));
			destroy();
			await gone;
			throw error;
		} finally {
			signal?.removeEventListener("abort", abandon);
		}
	}
	/** Ends the launcher and with it every sandbox; resolves when it has cleaned up and left. Idempotent. */
	async [Symbol.asyncDispose]() {
		this.#end ??= new require_fault.Fault("sandbox_gone", "Cannot reach the launcher: it was closed");
		this.#keepAlive(true);
		this.#control.destroy();
		await this.#exited;
	}
	receiveFrame(type, channel, payload) {
		if (type === FRAME.HELLO) {
			this.#settleHello.resolve(decodeHello(payload));
			if (this.#sandboxes.size === 0) this.#keepAlive(false);
			return;
		}
		if (type === FRAME.REFUSED) {
			this.#sandboxes.get(channel)?.refuse(startFault(decodeStartFailure(payload), this.#options.explain));
			this.#forget(channel, void 0);
			return;
		}
		if (type === FRAME.PLACED) {
			this.#sandboxes.get(channel)?.place(payload.readUInt32LE(0));
			return;
		}
		this.#forget(channel, decodeGone(payload));
	}
	#receive(chunk) {
		try {
			this.#decoder.push(chunk);
		} catch (error) {
			this.#lose(error);
			this.#control.destroy();
		}
	}
	#forget(id, message) {
		this.#sandboxes.get(id)?.settleGone(message);
		this.#sandboxes.delete(id);
		if (this.#sandboxes.size === 0) this.#keepAlive(false);
	}
	/** A connection that closes before READY says little; the launcher's own word, which is on its way, says why. */
	async #betterReason(error, refused) {
		if (!(error instanceof require_fault.Fault) || error.code !== "sandbox_gone" || this.#end !== void 0) throw error;
		const later = Promise.withResolvers();
		const timer = setTimeout(() => later.reject(error), 1e3);
		try {
			return await Promise.race([refused, later.promise]);
		} finally {
			clearTimeout(timer);
		}
	}
	#lose(cause, how) {
		const fault = launcherFault(this.#stderr.trim(), how, cause, this.#options);
		this.#end ??= fault;
		this.#settleHello.reject(fault);
		for (const { settleGone, refuse } of this.#sandboxes.values()) {
			refuse(fault);
			settleGone(void 0);
		}
		this.#sandboxes.clear();
	}
	/** The launcher keeps the host process alive only while there is something to wait for. */
	#keepAlive(isNeeded) {
		if (isNeeded) this.#process.ref();
		else this.#process.unref();
		for (const pipe of [this.#control, this.#process.stderr]) {
			if (pipe.destroyed) continue;
			if (isNeeded) pipe.ref();
			else pipe.unref();
		}
	}
};
function launcherFault(said, how, cause, options) {
	const line = said.split("\n").find((candidate) => candidate.startsWith("{"));
	if (line !== void 0) try {
		return startFault(decodeStartFailure(Buffer.from(line)), options.explain);
	} catch {}
	const code = cause instanceof Error && "code" in cause ? String(cause.code) : void 0;
	if (code === "ENOENT" || code === "EACCES" || code === "ENOEXEC") return new require_fault.Fault("wall_unavailable", `Cannot start sandboxes: ${options.path} cannot be executed (${code})`, {
		details: {
			wall: "launcher",
			stage: "prepare",
			call: "spawn",
			path: options.path,
			errno: code,
			fix: "npm run setup"
		},
		cause
	});
	const words = [how, said === "" ? void 0 : said].filter((word) => word !== void 0).join(": ");
	return new require_fault.Fault("sandbox_gone", `Cannot reach the launcher: it ended${words === "" ? "" : ` (${words})`}`, { cause });
}

// ../sandbox/src/backends/namespace/layer-directories.ts
/** The two directories of a layer. What the sandbox writes is there, owned as the workspace's own files are. */
/** Makes `upper` and `work` where they are missing. The root of an overlay shows the owner and mode of `upper`, so those are the workspace's. */
function prepareLayer(directory, layer, facts) {
	const workspace = (0, node_fs.statSync)(directory);
	for (const name of ["upper", "work"]) {
		const path = (0, node_path.join)(layer, name);
		const isNew = mkdirIfMissing(path);
		if (!isNew && !(0, node_fs.lstatSync)(path).isDirectory()) throw new require_fault.Fault("invalid_argument", `Cannot start a sandbox: ${JSON.stringify(path)} is not a directory`);
		if (facts.uid === 0) (0, node_fs.chownSync)(path, workspace.uid, workspace.gid);
		if (isNew && name === "upper") (0, node_fs.chmodSync)(path, workspace.mode & 4095);
	}
}
function mkdirIfMissing(path) {
	try {
		(0, node_fs.mkdirSync)(path, { mode: 448 });
		return true;
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
		if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) throw new require_fault.Fault("storage_full", `Cannot start a sandbox: there is no room for the layer ${JSON.stringify(path)}`, { cause: error });
		throw error;
	}
}

// ../sandbox/src/backends/namespace/disk-watch.ts
const LOOK_EVERY_MS = 200;
/** A look may take at most this share of the time. */
const SHARE = .05;
/** Calls `exceed` once, with the size, when the files below `directory` take more than `bytesMax` on disk. */
function watchDisk(directory, bytesMax, exceed) {
	let timer;
	let isDisposed = false;
	const look = async () => {
		const startedAt = performance.now();
		const bytes = await diskUsage(directory, bytesMax, () => isDisposed);
		if (isDisposed) return;
		if (bytes > bytesMax) exceed(bytes);
		else schedule(Math.max(LOOK_EVERY_MS, (performance.now() - startedAt) / SHARE));
	};
	const schedule = (afterMs) => {
		timer = setTimeout(() => void look(), afterMs);
		timer.unref();
	};
	schedule(LOOK_EVERY_MS);
	return { [Symbol.dispose]() {
		isDisposed = true;
		clearTimeout(timer);
	} };
}
/** Bytes on disk of everything below, or more than `bytesMax` as soon as that is certain. What vanishes meanwhile counts as nothing. */
async function diskUsage(directory, bytesMax, isCancelled) {
	let bytes = 0;
	const waiting = [directory];
	for (let path = waiting.pop(); path !== void 0 && bytes <= bytesMax && !isCancelled(); path = waiting.pop()) for (const entry of await entriesOf(path)) {
		const child = (0, node_path.join)(path, entry.name);
		if (entry.isDirectory()) waiting.push(child);
		bytes += await (0, node_fs_promises.lstat)(child).then((status) => status.blocks * 512, () => 0);
	}
	return bytes;
}
async function entriesOf(path) {
	try {
		return await (0, node_fs_promises.readdir)(path, { withFileTypes: true });
	} catch {
		return [];
	}
}

// ../sandbox/src/backends/namespace/namespace-sandbox.ts
/** One sandbox of the namespace backend: the guest inside, and what only the host knows of it: limits, cgroups, the end. */
const FREEZE_POLLS_MAX = 500;
var NamespaceSandbox = class {
	id;
	spec;
	gone;
	#parts;
	#timers = [];
	#ending;
	#isPaused = false;
	constructor(parts) {
		this.#parts = parts;
		this.id = parts.id;
		this.spec = parts.spec;
		this.gone = parts.gone.then(({ usage }) => {
			for (const timer of this.#timers) timer[Symbol.dispose]();
			return {
				reason: this.#ending ?? "lost",
				usage
			};
		});
		this.#startTimers();
	}
	exec(argv, options) {
		return this.#parts.guest.exec(argv, options);
	}
	run(argv, options) {
		return this.#parts.guest.run(argv, options);
	}
	readFile(path, options) {
		return this.#parts.guest.readFile(path, options);
	}
	writeFile(path, content, options) {
		return this.#parts.guest.writeFile(path, content, options);
	}
	list(path, options) {
		return this.#parts.guest.list(path, options);
	}
	stat(path, options) {
		return this.#parts.guest.stat(path, options);
	}
	remove(path, options) {
		return this.#parts.guest.remove(path, options);
	}
	mkdir(path, options) {
		return this.#parts.guest.mkdir(path, options);
	}
	async stats() {
		return readStats(this.#parts.counters);
	}
	async pause() {
		await this.#freeze(true);
	}
	async resume() {
		await this.#freeze(false);
	}
	signal(signal) {
		this.#parts.guest.signal(signal);
	}
	async [Symbol.asyncDispose]() {
		this.#end("destroyed", {
			by: "destroyed",
			detail: "the sandbox was destroyed"
		});
		await this.gone;
	}
	/** Ends it for this reason; the first one counts. */
	#end(reason, stop) {
		if (this.#ending !== void 0) return;
		this.#ending = reason;
		this.#parts.guest.end(stop);
		this.#parts.destroy();
	}
	#startTimers() {
		const { wallMs, diskBytes } = this.spec.limits;
		const { workspace } = this.spec;
		if (wallMs !== null) {
			const timer = setTimeout(() => this.#end("deadline", {
				by: "deadline",
				detail: `the sandbox lived longer than its ${wallMs} ms`
			}), wallMs);
			timer.unref();
			this.#timers.push({ [Symbol.dispose]: () => clearTimeout(timer) });
		}
		if (diskBytes !== null && workspace?.kind === "overlay") {
			const exceed = (bytes) => this.#end("disk", {
				by: "disk",
				detail: `the workspace's layer grew to ${bytes} bytes, the limit is ${diskBytes}`
			});
			this.#timers.push(watchDisk(`${workspace.layer}/upper`, diskBytes, exceed));
		}
	}
	/** Resolves when the kernel says so. */
	async #freeze(isPaused) {
		const { freezer } = this.#parts.counters;
		if (this.#ending !== void 0) throw new require_fault.Fault("sandbox_gone", `Cannot ${isPaused ? "pause" : "resume"} the sandbox: it is gone`);
		if (this.#isPaused === isPaused) return;
		if (freezer === void 0) {
			this.#parts.guest.client.signalEverything(isPaused ? SIGNALS.SIGSTOP : SIGNALS.SIGCONT);
			this.#isPaused = isPaused;
			return;
		}
		(0, node_fs.writeFileSync)(freezer.file, isPaused ? freezer.frozen : freezer.thawed);
		this.#isPaused = isPaused;
		const expected = freezer.file.endsWith("freezer.state") ? isPaused ? "FROZEN" : "THAWED" : `frozen ${isPaused ? 1 : 0}`;
		for (let poll = 0; poll < FREEZE_POLLS_MAX; poll++) {
			if ((0, node_fs.readFileSync)(freezer.state, "utf8").includes(expected)) return;
			await (0, node_timers_promises.setTimeout)(2);
		}
		throw new require_fault.Fault("internal", `Cannot ${isPaused ? "pause" : "resume"} the sandbox: the kernel has not confirmed it within ${FREEZE_POLLS_MAX * 2} ms`);
	}
};

// ../sandbox/src/backends/namespace/plan.ts
/**
* From a resolved spec and the facts of this host to the flags that tell the launcher what to build (launcher/README.md). Pure: the same input
* gives the same walls, and a test can read them.
*/
/** Who commands run as inside. Not 0: nothing a command does needs the name of root. */
const AGENT = {
	uid: 1e3,
	gid: 1e3
};
const AGENT_HOME = "/home/agent";
const WORKSPACE = "/workspace";
/**
* Ranges of ids for sandboxes started by root: 4,096 ranges of 65,536 from 0x70000000 up, above what distributions give to users, to containers of
* systemd-nspawn (below 0x6fffffff) and below 2^31, where programs get the sign wrong (systemd's UIDS-GIDS document).
*/
const LEASE = [
	"--lease",
	String(1879048192),
	"65536",
	"4096"
];
/** Walls a test may leave out to show that something notices. Never reachable from a spec. */
const REMOVABLE_WALLS = [
	"user",
	"pid",
	"net",
	"ipc",
	"uts",
	"cgroup",
	"seccomp",
	"no_new_privileges",
	"capabilities",
	"landlock",
	"undumpable",
	"pivot",
	"close",
	"parent_death",
	"session",
	"nosuid",
	"nodev",
	"read_only_system",
	"masks",
	"read_only_proc",
	"cgroup_limits",
	"rlimits",
	"scratch_limits"
];
const LAUNCHER_WALLS = new Set(REMOVABLE_WALLS.slice(0, 15));
/**
* The flags up to `--base-end` are the same for every sandbox of one profile and size: the launcher builds those ahead. What names a sandbox or its
* caller's files comes after.
*/
function planWalls(input) {
	const { without } = input;
	return [
		...[...without ?? []].filter((wall) => LAUNCHER_WALLS.has(wall)).flatMap((wall) => ["--without", wall]),
		"--hostname",
		input.spec.hostname,
		...identityFlags(input),
		"--root",
		rootOptions(input),
		...systemFlags(input),
		...deviceFlags(),
		...scratchFlags(input),
		...procFlags(input),
		"--read-only-root",
		...without?.has("cgroup_limits") === true ? [] : cgroupFlags(input.cgroups),
		...without?.has("rlimits") === true ? [] : rlimitFlags(input),
		...landlockFlags(),
		"--base-end",
		...idmapFlags(input),
		...homeFlags(input),
		...workspaceFlags(input),
		...mountFlags(input)
	];
}
function identityFlags({ facts }) {
	if (facts.uid === 0) return [
		...LEASE,
		"--uid-map",
		"0",
		"0",
		"65536",
		"--gid-map",
		"0",
		"0",
		"65536",
		"--init",
		"0",
		"0",
		"--switch-users"
	];
	if (facts.subordinate === void 0) {
		const { uid, gid } = AGENT;
		return [
			"--uid-map",
			`${uid}`,
			`${facts.uid}`,
			"1",
			"--gid-map",
			`${gid}`,
			`${facts.gid}`,
			"1",
			"--init",
			`${uid}`,
			`${gid}`
		];
	}
	const map = (flag, agent, caller, first) => [
		flag,
		"0",
		`${first}`,
		`${agent}`,
		flag,
		`${agent}`,
		`${caller}`,
		"1",
		flag,
		`${agent + 1}`,
		`${first + agent}`,
		`${65535 - agent}`
	];
	const { uids, gids } = facts.subordinate;
	return [
		"--map-helper",
		...map("--uid-map", AGENT.uid, facts.uid, uids.first),
		...map("--gid-map", AGENT.gid, facts.gid, gids.first),
		"--init",
		"0",
		"0",
		"--switch-users"
	];
}
/** As root: the owner of the workspace on disk is the agent inside, and what the agent makes belongs to that owner. */
function idmapFlags({ facts, spec, profile }) {
	if (facts.uid !== 0) return [];
	const source = spec.workspace?.directory ?? spec.mounts.find((mount) => mount.writable)?.source ?? (profile.showsHome ? facts.home : void 0);
	if (source === void 0) return [];
	const owner = (0, node_fs.statSync)(source);
	return [
		"--idmap",
		`${owner.uid}`,
		`${owner.gid}`,
		`${AGENT.uid}`,
		`${AGENT.gid}`
	];
}
/** Mounts of the host the child may not reach itself are opened by the launcher, which as root may. */
function outside(facts) {
	return facts.uid === 0 ? ",outside" : "";
}
function idmapped(facts) {
	return facts.uid === 0 ? ",idmap" : "";
}
function mountOptions({ without }, ...options) {
	return options.filter((option) => without?.has(option) !== true).join(",");
}
function systemFlags(input) {
	const { facts, without, spec } = input;
	const readOnly = without?.has("read_only_system") === true ? [] : ["ro"];
	const options = mountOptions(input, ...readOnly, "nosuid", "nodev", "recursive");
	const flags = [
		"--bind",
		"/usr",
		"usr",
		options
	];
	for (const { name, link } of facts.rootEntries) if (link === void 0) flags.push("--bind", `/${name}`, name, options);
	else flags.push("--symlink", link, name);
	for (const { name, source } of facts.systemFiles) flags.push("--bind", source, `etc/${name}`, mountOptions(input, ...readOnly, "nosuid", "nodev", "noexec"));
	return [
		...flags,
		"--file",
		"etc/passwd",
		"644",
		PASSWD,
		"--file",
		"etc/group",
		"644",
		GROUP,
		"--file",
		"etc/hosts",
		"644",
		`127.0.0.1 localhost ${spec.hostname}\n::1 localhost\n`,
		"--file",
		"etc/hostname",
		"644",
		`${spec.hostname}\n`,
		"--file",
		"etc/nsswitch.conf",
		"644",
		"passwd: files\ngroup: files\nhosts: files dns\n",
		"--file",
		"etc/resolv.conf",
		"644",
		"# No network but loopback.\n",
		"--file",
		"etc/gitconfig",
		"644",
		`[safe]\n\tdirectory = ${WORKSPACE}\n`
	];
}
const PASSWD = `root:x:0:0:root:/:/bin/sh\nagent:x:${AGENT.uid}:${AGENT.gid}:agent:${AGENT_HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`;
const GROUP = `root:x:0:\nagent:x:${AGENT.gid}:\nnogroup:x:65534:\n`;
function deviceFlags() {
	const flags = [];
	for (const name of [
		"null",
		"zero",
		"full",
		"random",
		"urandom",
		"tty"
	]) flags.push("--bind", `/dev/${name}`, `dev/${name}`, "nosuid,noexec");
	return [
		...flags,
		"--devpts",
		"dev/pts",
		"--symlink",
		"pts/ptmx",
		"dev/ptmx",
		"--symlink",
		"/proc/self/fd",
		"dev/fd",
		"--symlink",
		"/proc/self/fd/0",
		"dev/stdin",
		"--symlink",
		"/proc/self/fd/1",
		"dev/stdout",
		"--symlink",
		"/proc/self/fd/2",
		"dev/stderr"
	];
}
/** The root and all scratch places are one tmpfs: its size bounds them together. */
function rootOptions({ spec, without }) {
	const bytes = without?.has("scratch_limits") === true ? null : spec.limits.scratchBytes;
	return bytes === null ? "size=0,nr_inodes=0,mode=0755" : `size=${bytes},nr_inodes=${inodesFor(bytes)},mode=0755`;
}
function scratchFlags(input) {
	const executable = mountOptions(input, "nosuid", "nodev", ...input.profile.isScratchExecutable ? [] : ["noexec"]);
	const data = mountOptions(input, "nosuid", "nodev", "noexec");
	const agent = [`${AGENT.uid}`, `${AGENT.gid}`];
	return [
		...[
			"--scratch",
			"tmp",
			"1777",
			"0",
			"0",
			executable
		],
		...[
			"--scratch",
			AGENT_HOME.slice(1),
			"700",
			...agent,
			executable
		],
		...[
			"--scratch",
			"dev/shm",
			"1777",
			"0",
			"0",
			data
		],
		...[
			"--scratch",
			"run",
			"755",
			...agent,
			data
		],
		...[
			"--symlink",
			"/tmp",
			"var/tmp"
		],
		...[
			"--symlink",
			"/run",
			"var/run"
		]
	];
}
/** A tmpfs file costs kernel memory of its own, so their number is bounded with their bytes: one for each 4 KiB, up to a million. */
function inodesFor(bytes) {
	return Math.max(256, Math.min(1048576, Math.floor(bytes / 4096)));
}
function procFlags({ profile, facts, without }) {
	const access = without?.has("read_only_proc") === true ? "" : "ro";
	if (profile.isProcMinimal) return [
		"--proc",
		"proc",
		"subset=pid",
		access
	];
	return [
		"--proc",
		"proc",
		"",
		access,
		...without?.has("masks") === true ? [] : facts.maskedProcFiles.flatMap((name) => ["--mask", `proc/${name}`])
	];
}
function homeFlags(input) {
	const { facts, profile } = input;
	if (!profile.showsHome) return [];
	const flags = [
		"--bind",
		facts.home,
		"home/user",
		`ro,nosuid,nodev${idmapped(facts)}`
	];
	for (const path of require_profiles.CREDENTIAL_PATHS) flags.push("--mask", `home/user/${path}`);
	return flags;
}
function workspaceFlags({ spec, facts }) {
	const { workspace } = spec;
	const target = WORKSPACE.slice(1);
	switch (workspace?.kind) {
		case void 0: return [];
		case "overlay": return [
			"--overlay",
			target,
			workspace.directory,
			workspace.layer,
			`nosuid,nodev${idmapped(facts)}`,
			"--landlock",
			WORKSPACE,
			"write"
		];
		case "writable": return [
			"--bind",
			workspace.directory,
			target,
			`nosuid,nodev${idmapped(facts)}`,
			"--landlock",
			WORKSPACE,
			"write"
		];
		case "read_only": return [
			"--bind",
			workspace.directory,
			target,
			`ro,nosuid,nodev${idmapped(facts)}`
		];
	}
}
function mountFlags({ spec, facts }) {
	return spec.mounts.flatMap(({ source, target, writable }) => writable ? [
		"--bind",
		source,
		target.slice(1),
		`nosuid,nodev${idmapped(facts)}`,
		"--landlock",
		target,
		"write"
	] : [
		"--bind",
		source,
		target.slice(1),
		`ro,nosuid,nodev${outside(facts)}`
	]);
}
function cgroupFlags(plan) {
	const flags = [];
	for (const hierarchy of plan.hierarchies) flags.push("--cgroup", `${hierarchy}`);
	if (plan.unified !== void 0) flags.push("--cgroup2", `${plan.unified}`);
	for (const { hierarchy, file, value } of plan.settings) flags.push("--cgroup-set", `${hierarchy}`, file, value);
	for (const { hierarchy, file } of plan.reports) flags.push("--cgroup-report", `${hierarchy}`, file);
	return flags;
}
function rlimitFlags({ spec }) {
	const { openFiles, fileBytes, pids } = spec.limits;
	const flags = [
		"--rlimit",
		"core",
		"0",
		"0",
		"--rlimit",
		"memlock",
		"67108864",
		"67108864",
		"--rlimit",
		"msgqueue",
		"819200",
		"819200"
	];
	if (openFiles !== null) flags.push("--rlimit", "nofile", `${Math.min(1024, openFiles)}`, `${openFiles}`);
	if (fileBytes !== null) flags.push("--rlimit", "fsize", `${fileBytes}`, `${fileBytes}`);
	if (pids !== null) flags.push("--rlimit", "nproc", `${pids + 1}`, `${pids + 1}`);
	return flags;
}
function landlockFlags() {
	const flags = [
		"--landlock",
		"/",
		"read",
		"--landlock",
		"/dev",
		"device",
		"--landlock",
		"/proc",
		"device"
	];
	for (const path of [
		"/tmp",
		AGENT_HOME,
		"/dev/shm",
		"/run"
	]) flags.push("--landlock", path, "write");
	return flags;
}

// ../sandbox/src/backends/namespace/resolve-spec.ts
/**
* From what a caller asks for to exactly what is built: profile, defaults and checks, in one place. Nothing later looks at the caller's spec again.
* A limit the host cannot enforce is refused when it was asked for by name; a profile's own is left out then, and the capability report says so.
*/
const LIMIT_MAX = {
	memoryBytes: 2 ** 46,
	cpus: 4096,
	pids: 4194304,
	fileBytes: 2 ** 53 - 1,
	openFiles: 1048576,
	diskBytes: 2 ** 53 - 1,
	scratchBytes: 2 ** 46,
	wallMs: 2 ** 31 - 1
};
const LIMIT_MIN = {
	memoryBytes: 1048576,
	cpus: .01,
	pids: 2,
	fileBytes: 1,
	openFiles: 8,
	diskBytes: 1,
	scratchBytes: 4096,
	wallMs: 1
};
const ENVIRONMENT_MAX = 512;
const MOUNTS_MAX = 64;
/** Where a mount of the caller would hide or open what the walls stand on. */
const RESERVED_TARGETS = [
	"/",
	"/proc",
	"/dev",
	"/sys",
	"/etc",
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/.empty",
	"/.old",
	"/.lower",
	"/.layer",
	"/.overlay"
];
/** Throws `invalid_argument` (naming the field), `not_found`, `permission_denied` and `limit_unavailable`. */
function resolveSpec(given, capabilities, environment) {
	if (typeof given !== "object" || given === null) throw refuse("the spec is not an object");
	const known = [
		"profile",
		"limits",
		"workspace",
		"mounts",
		"env",
		"hostname",
		"network"
	];
	for (const key of Object.keys(given)) if (!known.includes(key)) throw refuse(`the spec has an unknown field ${JSON.stringify(key)}`);
	const profileName = given.profile ?? "moderate";
	if (!Object.hasOwn(require_profiles.PROFILES, profileName)) throw refuse(`profile is ${JSON.stringify(profileName)}, it must be permissive, moderate or restrictive`);
	const profile = require_profiles.PROFILES[profileName];
	if (given.network !== void 0 && given.network !== "loopback") throw new require_fault.Fault("unsupported", `Cannot start a sandbox with the network ${JSON.stringify(given.network)}: only "loopback" exists`);
	return {
		profile,
		spec: {
			profile: profileName,
			limits: resolveLimits(given.limits ?? {}, profile, capabilities),
			workspace: resolveWorkspace(given.workspace),
			mounts: resolveMounts(given.mounts ?? []),
			env: {
				...passedEnvironment(profile, environment),
				...checkEnvironment(given.env ?? {})
			},
			hostname: checkHostname(given.hostname ?? "warren"),
			network: "loopback",
			seccomp: profile.seccomp
		}
	};
}
function resolveLimits(given, profile, capabilities) {
	const resolved = { ...profile.limits };
	for (const [name, value] of Object.entries(given)) {
		if (!Object.hasOwn(LIMIT_MAX, name)) throw refuse(`limits has an unknown field ${JSON.stringify(name)}`);
		if (value === void 0) continue;
		const key = name;
		if (value !== null) {
			checkLimit(key, value);
			refuseUnenforceable(key, capabilities);
		}
		resolved[name] = value;
	}
	if (capabilities.memory === "none") resolved["memoryBytes"] = null;
	if (capabilities.cpus === "none") resolved["cpus"] = null;
	if (capabilities.pids === "none") resolved["pids"] = null;
	return resolved;
}
function checkLimit(name, value) {
	const min = LIMIT_MIN[name];
	const max = LIMIT_MAX[name];
	if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max || name !== "cpus" && !Number.isInteger(value)) throw refuse(`limits.${name} is ${JSON.stringify(value)}, it must be ${name === "cpus" ? "a number" : "an integer"} from ${min} to ${max}, or null for none`);
}
function refuseUnenforceable(name, capabilities) {
	if (name === "memoryBytes" && capabilities.memory === "none" || name === "cpus" && capabilities.cpus === "none" || name === "pids" && capabilities.pids === "none") throw new require_fault.Fault("limit_unavailable", `Cannot start a sandbox with limits.${name}: there is no cgroup controller this user may use. See: warren doctor`, { details: {
		limit: name,
		fix: "systemd-run --user --scope -p Delegate=yes warren …"
	} });
}
function resolveWorkspace(given) {
	if (given === void 0) return void 0;
	const directory = checkDirectory(given.directory, "workspace.directory");
	switch (given.kind) {
		case "overlay": {
			const layer = checkDirectory(given.layer, "workspace.layer");
			if (isInside(layer, directory)) throw refuse(`workspace.layer ${JSON.stringify(layer)} lies inside workspace.directory ${JSON.stringify(directory)}`);
			return {
				kind: "overlay",
				directory,
				layer
			};
		}
		case "writable":
		case "read_only": return {
			kind: given.kind,
			directory
		};
		default: throw refuse(`workspace.kind is ${JSON.stringify(given.kind)}, it must be overlay, writable or read_only`);
	}
}
function isInside(path, directory) {
	return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
/** Canonical, so that what was checked is what is mounted. */
function checkDirectory(path, field) {
	const text = checkPath(path, field);
	let canonical;
	try {
		canonical = (0, node_fs.realpathSync)(text);
		if (!(0, node_fs.statSync)(canonical).isDirectory()) throw refuse(`${field} ${JSON.stringify(text)} is not a directory`);
	} catch (error) {
		throw pathFault(error, field, text);
	}
	return canonical;
}
function pathFault(error, field, path) {
	const code = error instanceof Error && "code" in error ? error.code : void 0;
	const where = `${field} ${JSON.stringify(path)}`;
	if (code === "ENOENT") return new require_fault.Fault("not_found", `Cannot start a sandbox: ${where} does not exist`);
	if (code === "EACCES" || code === "EPERM") return new require_fault.Fault("permission_denied", `Cannot start a sandbox: ${where} may not be entered by this user`);
	if (code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG") return refuse(`${where} is not a directory (${String(code)})`);
	return error;
}
function checkPath(path, field) {
	if (typeof path !== "string" || path === "") throw refuse(`${field} is not a path`);
	if (path.includes("\0")) throw refuse(`${field} holds a NUL`);
	if (path.length > 3900) throw refuse(`${field} is ${path.length} characters long, the limit is 3900`);
	return path;
}
function resolveMounts(given) {
	if (!Array.isArray(given)) throw refuse("mounts is not a list");
	if (given.length > MOUNTS_MAX) throw refuse(`mounts has ${given.length} entries, the limit is ${MOUNTS_MAX}`);
	return given.map((mount, index) => {
		const field = `mounts[${index}]`;
		const source = checkPath(mount.source, `${field}.source`);
		let canonical;
		try {
			canonical = (0, node_fs.realpathSync)(source);
		} catch (error) {
			throw pathFault(error, `${field}.source`, source);
		}
		return {
			source: canonical,
			target: checkTarget(mount.target, `${field}.target`),
			writable: mount.writable === true
		};
	});
}
function checkTarget(path, field) {
	const text = checkPath(path, field).replace(/\/+$/, "");
	const parts = text.split("/").slice(1);
	if (!text.startsWith("/") || parts.length === 0 || parts.some((part) => part === "" || part === "." || part === ".." || Buffer.byteLength(part) > 255)) throw refuse(`${field} is ${JSON.stringify(path)}, it must be an absolute path without empty, "." or ".." parts`);
	const top = `/${parts[0]}`;
	if (RESERVED_TARGETS.includes(text) || RESERVED_TARGETS.includes(top) && top !== "/usr" && top !== "/etc" || text === "/workspace") throw refuse(`${field} is ${JSON.stringify(text)}, which the sandbox needs for itself`);
	return text;
}
function checkEnvironment(given) {
	const entries = Object.entries(given);
	if (entries.length > ENVIRONMENT_MAX) throw refuse(`env has ${entries.length} entries, the limit is ${ENVIRONMENT_MAX}`);
	for (const [name, value] of entries) {
		if (name === "" || name.includes("=") || name.includes("\0")) throw refuse(`env has an entry with the name ${JSON.stringify(name)}`);
		if (typeof value !== "string" || value.includes("\0")) throw refuse(`env[${JSON.stringify(name)}] is not text without NUL`);
	}
	return Object.fromEntries(entries);
}
function passedEnvironment(profile, environment) {
	const passed = {};
	if (!profile.passesEnvironment) return passed;
	for (const name of [
		"PATH",
		"LANG",
		"LC_ALL",
		"TERM",
		"USER"
	]) {
		const value = environment[name];
		if (value !== void 0) passed[name] = value;
	}
	return passed;
}
function checkHostname(name) {
	if (typeof name !== "string" || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name)) throw refuse(`hostname is ${JSON.stringify(name)}, it must be 1 to 63 letters, digits and inner hyphens`);
	return name;
}
function refuse(what) {
	return new require_fault.Fault("invalid_argument", `Cannot start a sandbox: ${what}`);
}

// ../sandbox/src/backends/namespace/namespace-sandboxes.ts
/** The namespace backend: plans walls, has the launcher build them, and hands out the sandboxes. */
const NO_FILTER = /* @__PURE__ */ new Uint8Array(0);
var NamespaceSandboxes = class {
	capabilities;
	#parts;
	#hasMemsw;
	#launcher;
	#isDisposed = false;
	constructor(parts) {
		this.#parts = parts;
		this.#launcher = parts.launcher;
		this.capabilities = capabilitiesOf(parts.facts);
		this.#hasMemsw = hasSwapLimit(parts.launcher.roots);
	}
	async start(given, signal) {
		signal?.throwIfAborted();
		const { spec, profile } = resolveSpec(given, this.capabilities, process.env);
		const { facts, without, filterOf } = this.#parts;
		if (spec.workspace?.kind === "overlay") prepareLayer(spec.workspace.directory, spec.workspace.layer, facts);
		const startedAt = performance.now();
		const { process: launcher, roots } = this.#openLauncher();
		const id = launcher.nextId();
		const cgroups = planCgroups(roots, spec.limits, this.#hasMemsw);
		const flags = planWalls({
			spec,
			profile,
			facts,
			cgroups,
			without
		});
		const filter = without?.has("seccomp") === true ? NO_FILTER : filterOf(spec.seccomp, architecture());
		const launched = await launcher.launch(id, flags, filter, signal);
		const counters = cgroups.countersOf(launched.slot);
		const guest = new Guest(launched.client, {
			cwd: spec.workspace === void 0 ? AGENT_HOME : WORKSPACE,
			env: {
				...BASE_ENVIRONMENT,
				...spec.env
			},
			user: AGENT,
			limits: spec.limits,
			readLimitCounts: () => readLimitCounts(counters)
		});
		const gone = launched.gone.then((message) => ({ usage: usageOf(message?.usage, performance.now() - startedAt) }));
		return new NamespaceSandbox({
			id: `${process.pid}-${id}`,
			spec,
			guest,
			counters,
			gone,
			destroy: launched.destroy
		});
	}
	async [Symbol.asyncDispose]() {
		this.#isDisposed = true;
		await this.#launcher.process[Symbol.asyncDispose]();
	}
	/** The running one, or a new one after it died. */
	#openLauncher() {
		if (this.#isDisposed) throw new require_fault.Fault("sandbox_gone", "Cannot start a sandbox: the backend is closed");
		if (this.#launcher.process.isLost) this.#launcher = this.#parts.openLauncher();
		return this.#launcher;
	}
};
function startLauncher(path, roots, spares) {
	return new LauncherProcess({
		path,
		flags: [
			"--spares",
			String(spares),
			...rootPaths(roots).flatMap((root) => ["--cgroup-root", root])
		],
		explain: explainFailure
	});
}
const BASE_ENVIRONMENT = {
	PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	HOME: AGENT_HOME,
	USER: "agent",
	LOGNAME: "agent",
	SHELL: "/bin/sh",
	LANG: "C.UTF-8"
};
function usageOf(usage, wallMs) {
	if (usage === void 0) return void 0;
	return {
		userCpuMs: usage.userMicros / 1e3,
		systemCpuMs: usage.systemMicros / 1e3,
		wallMs,
		memoryBytesMax: usage.rssBytesMax
	};
}
function architecture() {
	const known = architectureOf(process.arch);
	if (known !== void 0) return known;
	throw new require_fault.Fault("wall_unavailable", `Cannot start a sandbox: there is no seccomp filter for ${process.arch}`, { details: {
		wall: "seccomp",
		stage: "seccomp",
		fix: "use a machine with x86_64 or aarch64"
	} });
}
/** Kernels without swap accounting have no such file; there swap is not counted. */
function hasSwapLimit(roots) {
	const { memory } = roots.controllers;
	if (memory === void 0) return false;
	return (0, node_fs.existsSync)(`${memory.path}/${memory.version === 1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max"}`);
}

// ../sandbox/src/backends/namespace/open-sandboxes.ts
/** Opens the namespace backend: reads the host, plans the cgroups, starts the launcher. Start reading at `openSandboxes`. */
/** Opens the namespace backend. The caller owns the result; disposing it destroys every sandbox. Throws `wall_unavailable` when there is no launcher. */
function openSandboxes(options = {}) {
	return openWith(options, {});
}
async function openWith(options, testing) {
	const launcherPath = options.launcher ?? findLauncher();
	const spares = checkSpares(options.spares ?? 2);
	const layout = cgroupsLeft(readCgroupLayout(), testing.cgroups);
	const openLauncher = () => {
		const roots = rootsOf(layout, `${process.pid}-${(0, node_crypto.randomBytes)(6).toString("hex")}`);
		return {
			process: startLauncher(launcherPath, roots, spares),
			roots
		};
	};
	const launcher = openLauncher();
	const { landlock } = await launcher.process.hello;
	const facts = readHostFacts(layout, landlock, options.identities);
	const without = testing.without === void 0 ? void 0 : new Set(testing.without);
	return new NamespaceSandboxes({
		launcher,
		openLauncher,
		facts,
		without,
		filterOf: testing.filter ?? compileFilter
	});
}
function cgroupsLeft(layout, left) {
	if (left === void 0) return layout;
	const controllers = Object.entries(layout.controllers).filter(([, base]) => left === "v1" && base.version === 1);
	return {
		controllers: Object.fromEntries(controllers),
		unified: void 0
	};
}
function checkSpares(count) {
	if (Number.isInteger(count) && count >= 0 && count <= 64) return count;
	throw new require_fault.Fault("invalid_argument", `Cannot open sandboxes: spares is ${count}, it must be an integer from 0 to 64`);
}
/** Beside this package in a release, in `build/` of a checkout; never relative to the working directory, which others may own. */
function findLauncher(environment = process.env) {
	const named = environment["WARREN_LAUNCHER"];
	if (named !== void 0 && named !== "") return named;
	const places = ["build/warren-launcher", `prebuilds/linux-${process.arch}/warren-launcher`];
	for (let directory = __dirname; directory !== (0, node_path.dirname)(directory); directory = (0, node_path.dirname)(directory)) for (const place of places) if ((0, node_fs.existsSync)((0, node_path.join)(directory, place))) return (0, node_path.join)(directory, place);
	throw new require_fault.Fault("wall_unavailable", "Cannot start sandboxes: warren-launcher is not built", { details: {
		wall: "launcher",
		stage: "prepare",
		fix: "npm run setup"
	} });
}

Object.defineProperty(exports, "SIGNALS", {
  enumerable: true,
  get: function () {
    return SIGNALS;
  }
});
Object.defineProperty(exports, "findLauncher", {
  enumerable: true,
  get: function () {
    return findLauncher;
  }
});
Object.defineProperty(exports, "openSandboxes", {
  enumerable: true,
  get: function () {
    return openSandboxes;
  }
});