/* System calls that the libcs we build with do not wrap (or wrap differently). Numbers from 403 up are the same on every architecture. */
#ifndef WARREN_SYSTEM_H
#define WARREN_SYSTEM_H

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct clone_arguments { /* struct clone_args, linux/sched.h */
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

struct mount_attributes { /* struct mount_attr, linux/mount.h */
    uint64_t set, clear, propagation, userns_fd;
};

struct open_how_arguments { /* struct open_how, linux/openat2.h */
    uint64_t flags, mode, resolve;
};

#define CALL_OPEN_TREE 428
#define CALL_MOVE_MOUNT 429
#define CALL_FSOPEN 430
#define CALL_FSCONFIG 431
#define CALL_FSMOUNT 432
#define CALL_CLONE3 435
#define CALL_CLOSE_RANGE 436
#define CALL_OPENAT2 437
#define CALL_EPOLL_PWAIT2 441
#define CALL_MOUNT_SETATTR 442
#define CALL_LANDLOCK_CREATE_RULESET 444
#define CALL_LANDLOCK_ADD_RULE 445
#define CALL_LANDLOCK_RESTRICT_SELF 446

#define TREE_CLONE 1u
#define TREE_RECURSIVE 0x8000u /* AT_RECURSIVE */
#define TREE_CLOEXEC 02000000u
#define TREE_EMPTY_PATH 0x1000u /* AT_EMPTY_PATH */
#define FSOPEN_CLOSE_ON_EXEC 1u
#define FSMOUNT_CLOSE_ON_EXEC 1u
#define FSCONFIG_FLAG 0u
#define FSCONFIG_STRING 1u
#define FSCONFIG_CREATE 6u
#define MOVE_FROM_EMPTY 0x04u
#define MOVE_TO_EMPTY 0x40u
#define ATTRIBUTE_READ_ONLY 0x01u
#define ATTRIBUTE_NOSUID 0x02u
#define ATTRIBUTE_NODEV 0x04u
#define ATTRIBUTE_NOEXEC 0x08u
#define ATTRIBUTE_IDMAP 0x100000u
#define RESOLVE_NO_MAGIC 0x02u
#define RESOLVE_NO_LINKS 0x04u
#define RESOLVE_IN_TREE 0x08u /* RESOLVE_BENEATH */

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#define CLONE_TO_CGROUP 0x200000000ULL /* CLONE_INTO_CGROUP */

static inline int open_tree(int directory, const char *path, unsigned flags)
{
    return (int)syscall(CALL_OPEN_TREE, directory, path, flags);
}

static inline int move_mount_to(int mount, int target)
{
    return (int)syscall(CALL_MOVE_MOUNT, mount, "", target, "", MOVE_FROM_EMPTY | MOVE_TO_EMPTY);
}

static inline int set_mount_attributes(int mount, unsigned flags, const struct mount_attributes *attributes)
{
    return (int)syscall(CALL_MOUNT_SETATTR, mount, "", TREE_EMPTY_PATH | flags, attributes, sizeof *attributes);
}

static inline pid_t clone_process(const struct clone_arguments *arguments)
{
    return (pid_t)syscall(CALL_CLONE3, arguments, sizeof *arguments);
}

static inline int open_resolved(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how_arguments how = {.flags = flags, .resolve = resolve};
    return (int)syscall(CALL_OPENAT2, directory, path, &how, sizeof how);
}

static inline int close_descriptors(unsigned first, unsigned last)
{
    return (int)syscall(CALL_CLOSE_RANGE, first, last, 0u);
}

static inline int close_from(unsigned first)
{
    return close_descriptors(first, ~0u);
}

#endif
