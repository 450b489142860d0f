/* Changing what is mounted, through the old interface and the new one. Where a mount would be destructive, an argument is wrong in a way the kernel looks
 * at only after it has asked for permission. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not all libcs know these; the numbers are the same everywhere (asm-generic). */
#define CALL_OPEN_TREE 428
#define CALL_MOVE_MOUNT 429
#define CALL_FSOPEN 430
#define CALL_FSCONFIG 431
#define CALL_FSMOUNT 432
#define CALL_FSPICK 433
#define CALL_MOUNT_SETATTR 442
#define CALL_LISTMOUNT 458
#define CALL_OPEN_TREE_ATTR 467

#define CLONE_TREE 1u       /* OPEN_TREE_CLONE */
#define EMPTY_PATH 4u       /* MOVE_MOUNT_F_EMPTY_PATH */
#define CREATE_FILESYSTEM 6 /* FSCONFIG_CMD_CREATE */
#define READ_ONLY 1u        /* MOUNT_ATTR_RDONLY */

struct mount_attributes { /* struct mount_attr */
    uint64_t set, clear, propagation, userns_fd;
};

static void mount_here(const char *source, const char *type, unsigned long flags, const char *options)
{
    const char *place = scratch_directory();

    if (mount(source, place, type, flags, options) != 0)
        refused(errno);
    umount2(place, MNT_DETACH);
    succeeded("mounted");
}

static void mount_tmpfs(void)
{
    mount_here("none", "tmpfs", 0, NULL);
}

static void mount_bind(void)
{
    mount_here("/", NULL, MS_BIND, NULL);
}

/* A second /proc would come without masks. */
static void mount_proc(void)
{
    mount_here("proc", "proc", 0, NULL);
}

static void mount_sysfs(void)
{
    mount_here("sysfs", "sysfs", 0, NULL);
}

/* The way of CVE-2022-0492: a v1 hierarchy with a release_agent. */
static void mount_cgroup(void)
{
    mount_here("cgroup", "cgroup", 0, "memory");
}

static void mount_cgroup2(void)
{
    mount_here("cgroup2", "cgroup2", 0, NULL);
}

static void mount_binfmt(void)
{
    mount_here("binfmt_misc", "binfmt_misc", 0, NULL);
}

static void mount_overlay(void)
{
    mount_here("overlay", "overlay", 0, "lowerdir=/usr:/etc");
}

static void mount_disk(void)
{
    mount_here("/dev/vda", "ext4", MS_RDONLY, NULL);
}

/* Of a directory that is no mount: EINVAL once permission is given. */
static void mount_move(void)
{
    judge(mount(scratch_directory(), "/tmp", NULL, MS_MOVE, NULL), "moved");
}

/* Removes the cover of a masked file. */
static void uncover(void)
{
    judge(umount2("/proc/kallsyms", MNT_DETACH), "unmounted");
}

static void remount_writable(void)
{
    if (mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL) != 0)
        refused(errno);
    mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_RDONLY, NULL);
    succeeded("remounted");
}

static void fsopen_tmpfs(void)
{
    int context = (int)syscall(CALL_FSOPEN, "tmpfs", 0);

    if (context < 0 || syscall(CALL_FSCONFIG, context, CREATE_FILESYSTEM, NULL, NULL, 0) != 0)
        refused(errno);
    int made = (int)syscall(CALL_FSMOUNT, context, 0, 0);
    if (made < 0)
        refused(errno);
    judge(syscall(CALL_MOVE_MOUNT, made, "", AT_FDCWD, scratch_directory(), EMPTY_PATH), "mounted");
}

static void fspick_root(void)
{
    judge(syscall(CALL_FSPICK, AT_FDCWD, "/tmp", 0), "picked");
}

static void clone_tree(void)
{
    judge(syscall(CALL_OPEN_TREE, AT_FDCWD, "/usr", CLONE_TREE), "cloned");
}

static void clone_tree_with_attributes(void)
{
    struct mount_attributes attributes = {.clear = READ_ONLY};

    judge(syscall(CALL_OPEN_TREE_ATTR, AT_FDCWD, "/usr", CLONE_TREE, &attributes, sizeof attributes), "cloned");
}

/* From a directory that is no mount: EINVAL once permission is given. */
static void move_tree(void)
{
    judge(syscall(CALL_MOVE_MOUNT, AT_FDCWD, scratch_directory(), AT_FDCWD, "/tmp", 0), "moved");
}

static void set_attributes(void)
{
    struct mount_attributes attributes = {.clear = READ_ONLY};

    judge(syscall(CALL_MOUNT_SETATTR, AT_FDCWD, "/usr", 0, &attributes, sizeof attributes), "writable");
}

static void list_mounts(void)
{
    struct {
        uint32_t size, spare;
        uint64_t id, parameter, namespace_id;
    } request = {.size = 24, .id = UINT64_MAX}; /* LSMT_ROOT */
    uint64_t ids[64];

    judge(syscall(CALL_LISTMOUNT, &request, ids, sizeof ids / sizeof *ids, 0), "listed");
}

/* Onto a directory that is no mount: EINVAL once permission is given. */
static void pivot(void)
{
    const char *place = scratch_directory();

    judge(syscall(SYS_pivot_root, place, place), "pivoted");
}

/* The classic: a second chroot forgets the first while the working directory stays outside. */
static void chroot_twice(void)
{
    struct stat before, after;

    if (stat("/", &before) != 0 || chdir("/") != 0)
        inconclusive("stat: %s", error_name(errno));
    if (chroot(scratch_directory()) != 0)
        refused(errno);
    for (int i = 0; i < 64; i++)
        if (chdir("..") != 0)
            inconclusive("chdir: %s", error_name(errno));
    if (chroot(".") != 0 || stat("/", &after) != 0)
        refused(errno);
    if (before.st_dev == after.st_dev && before.st_ino == after.st_ino)
        refused_as("unmoved");
    succeeded("another root");
}

static void join_mount_namespace(void)
{
    int fd = open_or_answer("/proc/self/ns/mnt", O_RDONLY);

    judge(setns(fd, CLONE_NEWNS), "joined");
}

/* With the capabilities of a new user namespace. */
static void mount_in_user_namespace(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        refused(errno);
    judge(mount("none", "/tmp", "tmpfs", 0, NULL), "mounted");
}

const struct attempt mount_attempts[] = {
    {"mount-tmpfs", mount_tmpfs},
    {"mount-bind", mount_bind},
    {"mount-proc", mount_proc},
    {"mount-sysfs", mount_sysfs},
    {"mount-cgroup", mount_cgroup},
    {"mount-cgroup2", mount_cgroup2},
    {"mount-binfmt", mount_binfmt},
    {"mount-overlay", mount_overlay},
    {"mount-disk", mount_disk},
    {"mount-move", mount_move},
    {"mount-uncover", uncover},
    {"mount-remount", remount_writable},
    {"mount-fsopen", fsopen_tmpfs},
    {"mount-fspick", fspick_root},
    {"mount-open-tree", clone_tree},
    {"mount-open-tree-attributes", clone_tree_with_attributes},
    {"mount-move-mount", move_tree},
    {"mount-set-attributes", set_attributes},
    {"mount-list", list_mounts},
    {"mount-pivot-root", pivot},
    {"mount-chroot", chroot_twice},
    {"mount-join-namespace", join_mount_namespace},
    {"mount-in-user-namespace", mount_in_user_namespace},
    {NULL, NULL},
};
