/** The network: services of the host, the outside, and socket families that a network namespace does not hold. */
import { program, type Theme } from '../attempt.ts';

const NO_FAMILY = { restrictive: 'refused EAFNOSUPPORT' } as const;

export const NETWORK: Theme = {
  name: 'network',
  attempts: [
    program('network-raw', 'send raw IP', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root', ...NO_FAMILY }),
    program('network-raw6', 'send raw IPv6', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('network-packet', 'listen to all packets', ['seccomp', 'capabilities', 'net'], 'refused EAFNOSUPPORT', {
      user: 'root',
      ...NO_FAMILY,
    }),
    program('network-old-packet', 'the same by the name of 1996', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('network-vsock', 'talk to the machine below (AF_VSOCK is in no namespace)', ['seccomp'], 'refused EAFNOSUPPORT', NO_FAMILY),
    program('network-crypto', 'use the crypto of the kernel', ['seccomp'], 'refused EAFNOSUPPORT', NO_FAMILY),
    program('network-module-family', 'have the kernel load the module of a socket family', ['seccomp'], 'refused EAFNOSUPPORT', NO_FAMILY),
    program('network-express-data', 'reach past the stack to the driver', ['seccomp', 'capabilities'], 'refused EAFNOSUPPORT', {
      user: 'root',
    }),
    program('network-module-protocol', 'have the kernel load the module of a protocol', ['seccomp'], 'refused EPROTONOSUPPORT', NO_FAMILY),
    program('network-pair-family', 'load a module by socketpair(2)', ['seccomp'], 'refused EAFNOSUPPORT', NO_FAMILY),
    program('netlink-audit', 'talk to the audit of the kernel', ['seccomp'], 'refused EPROTONOSUPPORT', NO_FAMILY),
    program('netlink-netfilter', 'talk to the packet filter, a rich parser', ['seccomp'], 'refused EPROTONOSUPPORT', NO_FAMILY),
    program('netlink-diag', 'list sockets', ['seccomp', 'net'], 'refused EPROTONOSUPPORT'),
    program('netlink-uevent', 'hear of devices', ['seccomp', 'net'], 'refused EPROTONOSUPPORT'),
    program('netlink-route', 'change an interface as root inside', ['capabilities', 'no_new_privileges'], 'refused EPERM', {
      user: 'root',
    }),
    program('network-mark', 'mark packets to be routed elsewhere', ['capabilities'], 'refused EPERM', { user: 'root' }),
    program('network-force-buffer', 'take more kernel memory for a socket than is allowed', ['capabilities', 'user'], 'refused EPERM', {
      user: 'root',
    }),
    program('network-host-loopback', 'reach a service on the host’s 127.0.0.1', ['net'], 'refused ECONNREFUSED', NO_FAMILY),
    program('network-host-loopback6', 'reach a service on the host’s ::1', ['net'], 'refused ECONNREFUSED', NO_FAMILY),
    program('network-host-address', 'reach a service on an address of the host', ['net'], 'refused ENETUNREACH', NO_FAMILY),
    program('network-outside', 'reach the outside', ['net'], 'refused ENETUNREACH', NO_FAMILY),
    program('network-metadata', 'reach the metadata service of a cloud', ['net'], 'refused ENETUNREACH', NO_FAMILY),
    program('network-outside-udp', 'send a datagram to the outside', ['net'], 'refused ENETUNREACH', NO_FAMILY),
    program('network-multicast', 'announce itself to the neighbours', ['net'], 'refused ENETUNREACH', NO_FAMILY),
    program('network-abstract', 'reach an abstract socket of the host', ['net', 'landlock'], 'refused ECONNREFUSED', {
      restrictive: 'refused ECONNREFUSED',
    }),
    program('network-launcher', 'reach the launcher', ['net', 'landlock'], 'refused ECONNREFUSED', { restrictive: 'refused ECONNREFUSED' }),
    program('network-lease-name', 'occupy the name by which a range of ids is leased', ['net'], 'absent a namespace of its own', {
      restrictive: 'absent a namespace of its own',
    }),
    program('network-path-socket', 'reach a socket of the host by its path', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('network-join', 'join a network namespace', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
  ],
};
