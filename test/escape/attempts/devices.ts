/** Devices and terminals. */
import { host, program, type Theme } from '../attempt.ts';

const PTY = { rows: 24, columns: 80 } as const;

export const DEVICES: Theme = {
  name: 'devices and terminals',
  attempts: [
    program('device-make-zero', 'make a harmless device', ['seccomp', 'landlock', 'user', 'nodev'], 'refused EPERM', { user: 'root' }),
    program('device-make-memory', 'make the device of all memory', ['seccomp', 'landlock', 'user', 'nodev'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('device-make-disk', 'make the device of the host’s disk', ['seccomp', 'landlock', 'user', 'nodev'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('device-make-whiteout', 'make device 0:0, for which the kernel asks no capability', ['seccomp', 'landlock'], 'refused EPERM', {
      restrictive: 'refused EPERM',
    }),
    program('device-in-mount', 'open a device that somebody left in a mounted directory', ['read_only_mount'], 'refused EACCES', {
      restrictive: 'refused EACCES',
      needsRoot: true,
    }),
    program('device-list', 'find a device that does more than give bytes', ['minimal_root'], 'absent', { restrictive: 'absent' }),
    program('device-disk', 'open the disk of the host', ['minimal_root'], 'absent', { user: 'root', restrictive: 'absent' }),
    program('device-memory', 'open the memory of the host', ['minimal_root'], 'absent', { user: 'root' }),
    program('device-kvm', 'start a virtual machine', ['minimal_root'], 'absent'),
    program('device-kernel-log', 'write to the log of the kernel', ['minimal_root'], 'absent', { user: 'root' }),
    program('device-tunnel', 'make a network interface', ['minimal_root'], 'absent', { user: 'root' }),
    program('device-fuse', 'serve a filesystem to the kernel', ['minimal_root'], 'absent'),
    program('device-userfaultfd', 'handle page faults through the device', ['minimal_root'], 'absent'),
    program('device-console', 'write to the console', ['minimal_root'], 'absent', { user: 'root' }),
    program('device-controlling-terminal', 'open the terminal somebody sits at', ['session', 'kernel'], 'refused ENXIO', {
      restrictive: 'refused ENXIO',
    }),
    program('device-host-terminals', 'find terminals of the host', ['new_terminals'], 'absent', { restrictive: 'absent' }),
    program('device-chmod', 'change the mode of the host’s /dev/null', ['read_only_mount', 'user'], 'refused EROFS', { user: 'root' }),
    program('device-touch', 'set the times of the host’s /dev/null', ['read_only_mount'], 'refused EROFS'),
    program('device-replace', 'put something else in the place of /dev/null', ['read_only_root', 'landlock'], 'refused EROFS', {
      user: 'root',
    }),
    program('device-entropy', 'pretend entropy', ['capabilities', 'user'], 'refused EPERM', { user: 'root' }),
    program('terminal-type', 'type into a terminal (TIOCSTI)', ['seccomp'], 'refused EPERM', { restrictive: 'refused EPERM' }),
    program('terminal-paste', 'paste into a console (TIOCLINUX)', ['seccomp'], 'refused EPERM'),
    program('terminal-discipline', 'attach a line discipline, and load its module', ['seccomp'], 'refused EPERM'),
    program('terminal-console', 'take over the output of the console', ['capabilities', 'user'], 'refused EPERM', { user: 'root' }),
    host(
      'terminal-type-given',
      'type into the terminal the host gave to the command',
      ['seccomp'],
      'refused EPERM',
      async (arena, profile) => {
        await using sandbox = await arena.start({ profile });
        const answers = await arena.attack(sandbox, ['terminal-type-given'], { pty: PTY });
        return answers.get('terminal-type-given') ?? '';
      },
      { restrictive: 'refused EPERM' },
    ),
  ],
};
