/** Getting privileges back: ids, capabilities, user namespaces, set-id bits, keys, and ways around the filter. */
import { program, type Theme } from '../attempt.ts';

export const PRIVILEGES: Theme = {
  name: 'privileges',
  attempts: [
    program('privilege-become-root', 'become root inside', ['capabilities'], 'refused EPERM', {
      restrictive: 'refused EPERM',
      unprivileged: 'refused EINVAL',
    }),
    program('privilege-become-root-group', 'join the group of root', ['capabilities'], 'refused EPERM', { unprivileged: 'refused EINVAL' }),
    program('privilege-add-group', 'add a group', ['capabilities'], 'refused EPERM', { user: 'root' }),
    program('privilege-become-another', 'as root inside, become somebody else', ['capabilities', 'no_new_privileges'], 'refused EPERM', {
      user: 'root',
      unprivileged: 'refused EINVAL',
    }),
    program('privilege-give-away', 'as root inside, give a file away', ['capabilities', 'no_new_privileges'], 'refused EPERM', {
      user: 'root',
      unprivileged: 'refused EINVAL',
    }),
    program(
      'privilege-enter-home',
      'as root inside, ignore the mode of a directory',
      ['capabilities', 'no_new_privileges'],
      'refused EACCES',
      { user: 'root', needsRoot: true },
    ),
    program('privilege-change-network', 'as root inside, configure an interface', ['capabilities', 'no_new_privileges'], 'refused EPERM', {
      user: 'root',
    }),
    program('privilege-take-capabilities', 'set its own capabilities', ['capabilities'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('privilege-raise-ambient', 'raise an ambient capability', ['capabilities'], 'refused EPERM', { user: 'root' }),
    program('privilege-loosen-securebits', 'loosen the rules for capabilities', ['capabilities'], 'refused EPERM', { user: 'root' }),
    program('privilege-bounding-set', 'find a capability in the bounding set', ['capabilities'], 'refused empty', {
      restrictive: 'refused empty',
    }),
    program(
      'privilege-capabilities-by-exec',
      'as root inside, have an exec give capabilities',
      ['no_new_privileges', 'capabilities'],
      'refused empty',
      {
        user: 'root',
        restrictive: 'refused empty',
      },
    ),
    program('privilege-file-capabilities', 'give a file capabilities', ['capabilities', 'no_new_privileges', 'nosuid'], 'refused EPERM', {
      user: 'root',
    }),
    program('namespace-unshare-user', 'get all capabilities in a new user namespace', ['seccomp'], 'refused EPERM', {
      restrictive: 'refused EPERM',
    }),
    program('namespace-clone-user', 'the same by clone(2)', ['seccomp'], 'refused EPERM', { restrictive: 'refused EPERM' }),
    program('namespace-clone3-user', 'the same by clone3(2), whose flags no filter sees', ['seccomp'], 'refused ENOSYS', {
      restrictive: 'refused ENOSYS',
    }),
    program('namespace-join-user', 'join a user namespace', ['seccomp'], 'refused EPERM'),
    program('namespace-unshare-mounts', 'get a mount namespace of its own', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('namespace-unshare-cgroup', 'get a cgroup namespace of its own (CVE-2022-0492)', ['seccomp', 'capabilities'], 'refused EPERM', {
      user: 'root',
    }),
    program('namespace-unshare-time', 'get a time namespace of its own', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('setid-chmod', 'make a setuid program by chmod(2)', ['seccomp'], 'refused EPERM', { restrictive: 'refused EPERM' }),
    program('setid-fchmodat2', 'the same by fchmodat2(2)', ['seccomp'], 'refused EPERM'),
    program('setid-create', 'create a file that is setuid', ['seccomp'], 'refused EPERM', { restrictive: 'refused EPERM' }),
    program('setid-mknod', 'the same by mknod(2)', ['seccomp'], 'refused EPERM'),
    program('setid-directory', 'make a directory that hands on its group', ['seccomp'], 'refused EPERM'),
    program('filter-is-there', 'run without a filter', ['seccomp'], 'refused filtered', { restrictive: 'refused filtered' }),
    program('filter-no-new-privileges', 'run without no_new_privs', ['no_new_privileges'], 'refused set', { restrictive: 'refused set' }),
    program('filter-clear-no-new-privileges', 'clear no_new_privs', ['kernel'], 'refused EINVAL'),
    program('filter-disable', 'switch the filter off', ['kernel'], 'refused EINVAL'),
    program('filter-loosen', 'allow by a second filter what the first refuses', ['seccomp', 'kernel'], 'refused EPERM'),
    program('filter-continue', 'have a supervisor of its own let a refused call continue', ['seccomp', 'kernel'], 'refused EPERM'),
    program('filter-int80', 'call by the 32-bit entry', ['seccomp'], 'refused SIGSYS', {
      restrictive: 'refused SIGSYS',
      architecture: 'x64',
    }),
    program('filter-x32', 'call by the x32 numbers', ['seccomp'], 'refused SIGSYS', { restrictive: 'refused SIGSYS', architecture: 'x64' }),
    program('landlock-layers', 'be confined by no ruleset', ['landlock'], 'refused confined', { restrictive: 'refused confined' }),
    program('limit-raise', 'raise a hard limit', ['capabilities', 'user'], 'refused EPERM', { user: 'root', restrictive: 'refused EPERM' }),
    program('keys-session', 'join a keyring', ['seccomp'], 'refused EPERM', { restrictive: 'refused EPERM' }),
    program('keys-add', 'add a key', ['seccomp'], 'refused EPERM'),
    program('keys-request', 'have the host’s root look for a key', ['seccomp'], 'refused EPERM'),
  ],
};
