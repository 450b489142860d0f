/** What is mounted decides what is reachable: nobody inside may change it. Tried as root inside, who would come closest. */
import { program, type Theme } from '../attempt.ts';

const WALLS = ['seccomp', 'capabilities', 'landlock'] as const;

export const MOUNTS: Theme = {
  name: 'mounts',
  attempts: [
    program('mount-tmpfs', 'mount a filesystem', WALLS, 'refused EPERM', { user: 'root', restrictive: 'refused EPERM' }),
    program('mount-tmpfs-as-agent', 'the same as the agent', WALLS, 'refused EPERM', {
      program: 'mount-tmpfs',
      restrictive: 'refused EPERM',
    }),
    program('mount-bind', 'mount a directory a second time', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-proc', 'mount a /proc without masks', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-sysfs', 'mount /sys', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-cgroup', 'mount a cgroup hierarchy for its release_agent', WALLS, 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('mount-cgroup2', 'mount the cgroups that hold its limits', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-binfmt', 'mount binfmt_misc to register an interpreter', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-overlay', 'mount an overlay over what is read-only', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-disk', 'mount the disk of the host', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-move', 'move a mount', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-uncover', 'take the cover off a masked file', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-remount', 'make /usr writable by mount(2)', WALLS, 'refused EPERM', { user: 'root', restrictive: 'refused EPERM' }),
    program('mount-fsopen', 'mount a filesystem by fsopen(2)', WALLS, 'refused EPERM', { user: 'root', restrictive: 'refused EPERM' }),
    program('mount-fspick', 'reconfigure a filesystem by fspick(2)', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-open-tree', 'take a copy of a tree by open_tree(2)', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-open-tree-attributes', 'take a writable copy by open_tree_attr(2)', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-move-mount', 'move a mount by move_mount(2)', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-set-attributes', 'make /usr writable by mount_setattr(2)', WALLS, 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('mount-list', 'list what is mounted by listmount(2)', ['seccomp'], 'refused ENOSYS'),
    program('mount-pivot-root', 'exchange the root', WALLS, 'refused EPERM', { user: 'root' }),
    program('mount-chroot', 'leave by a chroot in a chroot', ['seccomp', 'capabilities'], 'refused EPERM', {
      user: 'root',
      restrictive: 'refused EPERM',
    }),
    program('mount-join-namespace', 'join a mount namespace', ['seccomp', 'capabilities'], 'refused EPERM', { user: 'root' }),
    program('mount-in-user-namespace', 'mount with the capabilities of a new user namespace', ['seccomp', 'landlock'], 'refused EPERM', {
      restrictive: 'refused EPERM',
    }),
  ],
};
