/** Leaving the root by paths, handles, links and renames; writing to what may only be read. */
import { program, type Theme } from '../attempt.ts';

export const ROOT_DIRECTORY: Theme = {
  name: 'root directory',
  attempts: [
    program('root-host-file', 'open a file of the host by its path', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('root-dot-dot', 'walk up past the root', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('root-above-mount', 'walk up from a mounted directory to its parent on the host', ['pivot'], 'absent', {
      restrictive: 'absent',
    }),
    program('root-old-root', 'find the old root', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('root-old-root-file', 'open the host’s file below the old root', ['pivot'], 'absent'),
    program('root-inherited-descriptors', 'find a descriptor that was left open', ['close'], 'absent', { restrictive: 'absent' }),
    program('root-open-handle', 'open the root of a filesystem by handle ("Shocker")', ['seccomp', 'capabilities'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('root-name-handle', 'ask for the handle of a file', ['seccomp'], 'refused EPERM'),
    program('root-hard-link', 'give a setuid program another name', ['kernel', 'read_only_system'], 'refused EXDEV'),
    program('root-symlink', 'open a file of the host through a link', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('root-host-socket', 'find a socket of the host in the tree', ['pivot'], 'absent'),
    program('root-service-sockets', 'find the sockets of Docker, D-Bus and the like', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('root-host-secrets', 'find /etc/shadow, keys and logs of the host', ['minimal_root'], 'absent', {
      user: 'root',
      restrictive: 'absent',
    }),
    program('root-write-system', 'change a program of the host', ['user', 'read_only_system', 'landlock'], 'refused EACCES', {
      user: 'root',
      restrictive: 'refused EACCES',
    }),
    program('root-write-mount', 'write a file that everybody on the host may write', ['read_only_mount', 'landlock'], 'refused EROFS', {
      restrictive: 'refused EROFS',
    }),
    program('root-chmod-mount', 'change the mode of a mounted file', ['read_only_mount', 'user'], 'refused EROFS', { user: 'root' }),
    program('root-xattr-mount', 'set an attribute of a mounted file', ['read_only_mount'], 'refused EROFS', { user: 'root' }),
    program('root-map-mount', 'write through a shared mapping of a file opened for reading', ['kernel'], 'refused EACCES'),
    program('root-private-file', 'read a file of the host’s root that is nobody else’s', ['user'], 'refused EACCES', {
      user: 'root',
      restrictive: 'refused EACCES',
      needsRoot: true,
    }),
    program('root-write-root', 'create a file in the root', ['read_only_root', 'landlock'], 'refused EROFS', {
      user: 'root',
      restrictive: 'refused EROFS',
    }),
    program('root-write-passwd', 'change who is who', ['read_only_root', 'landlock'], 'refused EROFS', { user: 'root' }),
    program('root-plant-device-file', 'plant a file in /dev', ['read_only_root', 'landlock'], 'refused EROFS', { user: 'root' }),
    program(
      'root-setuid-program',
      'become root by a setuid program of the host',
      ['no_new_privileges', 'nosuid', 'user'],
      'refused unchanged',
      {
        restrictive: 'refused unchanged',
      },
    ),
    program('race-swap', 'reach the host through a directory that becomes a link', ['pivot'], 'absent', { restrictive: 'absent' }),
    program('race-rename', 'walk up while the directory is moved away', ['pivot', 'kernel'], 'absent'),
    program('kernel-dirty-pipe', 'write to a page of a read-only file (CVE-2022-0847)', ['kernel'], 'refused unchanged', {
      restrictive: 'refused unchanged',
    }),
    program(
      'kernel-dirty-cow',
      'write to a private mapping until it is shared (CVE-2016-5195)',
      ['read_only_proc', 'kernel'],
      'refused EROFS',
    ),
  ],
};
