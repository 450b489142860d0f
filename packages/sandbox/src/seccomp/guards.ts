/** The calls that are allowed for some arguments only. Values are the same on x86_64 and aarch64. */
import type { Decision } from './decision.ts';

/** NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME is not reachable from `clone`: its bit is part of the exit signal. */
const CLONE_NEW_FLAGS = 0x7e020000;
export const CLONE_WITHOUT_NAMESPACES: Decision = {
  arg: 0,
  mask: CLONE_NEW_FLAGS,
  cases: [{ is: [0], answer: 'allow' }],
  otherwise: 'EPERM',
};

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_TYPE_MASK = 0xf; // The rest is SOCK_CLOEXEC and SOCK_NONBLOCK.
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** Default, ICMP, TCP, UDP, ICMPv6, MPTCP. */
const INTERNET_PROTOCOLS = [0, 1, 6, 17, 58, 262];

/**
 * Families are listed, not struck out: asking for an unknown one makes the kernel load its module. AF_VSOCK, AF_ALG, AF_PACKET and AF_KEY
 * are not of this world at all; vsock is not even namespaced, so a network namespace does not hold it. The same goes for protocols (SCTP,
 * L2TP, SMC) and for netlink, where ROUTE is what libc and `ip` need. Raw types need CAP_NET_RAW anyway; SOCK_PACKET on AF_INET is a
 * packet socket by its old name. Each refusal is what a kernel without the feature answers, so programs fall back.
 */
export const SOCKET_OF_KNOWN_FAMILIES: Decision = {
  arg: 0,
  cases: [
    { is: [AF_UNIX], answer: 'allow' },
    {
      is: [AF_INET, AF_INET6],
      answer: {
        arg: 1,
        mask: SOCK_TYPE_MASK,
        cases: [
          {
            is: [SOCK_STREAM, SOCK_DGRAM],
            answer: { arg: 2, cases: [{ is: INTERNET_PROTOCOLS, answer: 'allow' }], otherwise: 'EPROTONOSUPPORT' },
          },
        ],
        otherwise: 'EPERM',
      },
    },
    { is: [AF_NETLINK], answer: { arg: 2, cases: [{ is: [NETLINK_ROUTE], answer: 'allow' }], otherwise: 'EPROTONOSUPPORT' } },
  ],
  otherwise: 'EAFNOSUPPORT',
};

/** For `socket` in the restrictive profile, and for `socketpair` everywhere: nobody pairs other families, but asking loads modules. */
export const SOCKET_OF_AF_UNIX: Decision = { arg: 0, cases: [{ is: [AF_UNIX], answer: 'allow' }], otherwise: 'EAFNOSUPPORT' };

/** Of the caller itself. The kernel compares users only: another pid could be pid 1, which has the same user where there is one id. */
export const LIMITS_OF_ITSELF: Decision = { arg: 0, cases: [{ is: [0], answer: 'allow' }], otherwise: 'EPERM' };

/** PER_LINUX, PER_LINUX32, both with UNAME26, and the query. So ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC and foreign systems are out. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];
export const PERSONALITY_OF_LINUX: Decision = { arg: 0, cases: [{ is: PERSONALITIES, answer: 'allow' }], otherwise: 'EPERM' };

const TIOCSTI = 0x5412; // Types into the terminal, as if its owner had.
const TIOCLINUX = 0x541c; // Pastes the selection of a virtual console: the same by another name.
const TIOCSETD = 0x5423; // Attaches a line discipline, and loads its module.
export const IOCTL_WITHOUT_TERMINAL_TAKEOVER: Decision = {
  arg: 1,
  cases: [{ is: [TIOCSTI, TIOCLINUX, TIOCSETD], answer: 'EPERM' }],
  otherwise: 'allow',
};

const SET_ID_BITS = 0o6000;
/** Refuses set-user-id and set-group-id bits in a `mode_t` argument. Also for directories: whether the path is one cannot be seen. */
export function withoutSetIdBits(arg: 1 | 2 | 3): Decision {
  return { arg, mask: SET_ID_BITS, cases: [{ is: [0], answer: 'allow' }], otherwise: 'EPERM' };
}

const O_CREAT = 0o100;
const O_TMPFILE_BIT = 0o20000000; // O_TMPFILE without O_DIRECTORY, whose value differs between architectures.
/** The mode counts only when something is made; without these flags the register holds whatever was left in it. */
export function openWithoutSetIdBits(flagsArg: 1 | 2, modeArg: 2 | 3): Decision {
  return { arg: flagsArg, mask: O_CREAT | O_TMPFILE_BIT, cases: [{ is: [0], answer: 'allow' }], otherwise: withoutSetIdBits(modeArg) };
}

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
/** Pipes, sockets and plain files. Device 0:0 is refused too: it is an overlay whiteout, and the kernel asks no capability for it. */
export function mknodWithoutDevices(modeArg: 1 | 2): Decision {
  return { arg: modeArg, mask: S_IFMT, cases: [{ is: [S_IFCHR, S_IFBLK], answer: 'EPERM' }], otherwise: withoutSetIdBits(modeArg) };
}

const RENAME_WHITEOUT = 4;
/** A whiteout is a device node too. EINVAL is what a filesystem without the flag answers. */
export const RENAME_WITHOUT_WHITEOUT: Decision = {
  arg: 4,
  mask: RENAME_WHITEOUT,
  cases: [{ is: [0], answer: 'allow' }],
  otherwise: 'EINVAL',
};
