#define _GNU_SOURCE
#include "walls.h"

#include "system.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The only state: where orders come from, where a failure is reported, and the new root while it is being filled. */
static int orders_fd = -1;
static int report_fd = -1;
static int root_fd = -1;

static int cgroup_fd = -1;                     /* the sandbox's own v2 cgroup */
static int descriptors[ORDER_DESCRIPTORS_MAX]; /* that came with the order: the guest connection, mounts */
static size_t descriptor_count;

/* Takes the head of an order and its descriptors. False when the launcher is gone, or has no use for us. */
static bool receive_order(struct order *order)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * ORDER_DESCRIPTORS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = order, .iov_len = sizeof *order};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t count;

    do
        count = recvmsg(orders_fd, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (count != (ssize_t)sizeof *order || header == NULL || header->cmsg_type != SCM_RIGHTS)
        return false;
    descriptor_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors, CMSG_DATA(header), descriptor_count * sizeof(int));
    report_fd = descriptors[0];
    return descriptor_count == order->descriptor_count && !(message.msg_flags & MSG_CTRUNC);
}

void give_up(const char *stage, const char *call, const char *path)
{
    struct failure failure = {.stage = stage, .call = call, .path = path, .error = errno};
    struct order order;
    char line[FAILURE_LINE_MAX];
    size_t length = format_failure(&failure, line, sizeof line);

    /* A blank has nobody to tell until somebody asks for it. */
    if (report_fd >= 0 || receive_order(&order))
        (void)send_frame(report_fd, FRAME_FAILED, 0, line, (uint32_t)length); /* If the host is gone too, nobody is left to hear. */
    _exit(125);
}

int open_source(const char *path, unsigned flags)
{
    /* The host named a path without links; one that is there now was put there since, by somebody who wants something else mounted. */
    int place = open_resolved(AT_FDCWD, path, O_PATH | O_CLOEXEC, RESOLVE_NO_LINKS | RESOLVE_NO_MAGIC);
    if (place < 0)
        return -1;
    int mount = open_tree(place, "", TREE_CLONE | TREE_CLOEXEC | TREE_EMPTY_PATH | ((flags & FLAG_RECURSIVE) ? TREE_RECURSIVE : 0)), error = errno;
    close(place);
    errno = error;
    return mount;
}

/* The id maps are written by the launcher; until then this process is nobody. */
static void wait_for_maps(void)
{
    char byte;

    if (read_all(orders_fd, &byte, 1) != 0)
        _exit(125); /* The launcher failed or died; it has told the host, or nobody is left to hear. */
}

/* Without this a sandbox outlives its launcher. Every change of ids clears it, also of the filesystem ids (prctl(2)), so it is said again after each. */
static void die_with_launcher(const struct spec *spec, const struct blank *blank)
{
    struct pollfd launcher = {.fd = blank->launcher, .events = POLLIN};

    if (spec->without & WITHOUT_PARENT_DEATH)
        return;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        give_up("identity", "prctl", "PR_SET_PDEATHSIG");
    if (poll(&launcher, 1, 0) != 0) /* It died before the line above. */
        _exit(125);
}

static void become_init(const struct spec *spec, const struct blank *blank)
{
    if (!(spec->without & WITHOUT_USER)) {
        /* A user who may not map groups may not clear them either (user_namespaces(7)); the groups then show as nogroup. */
        if (setgroups(0, NULL) != 0 && errno != EPERM)
            give_up("identity", "setgroups", NULL);
        if (setresgid(spec->init_gid, spec->init_gid, spec->init_gid) != 0)
            give_up("identity", "setresgid", NULL);
        if (setresuid(spec->init_uid, spec->init_uid, spec->init_uid) != 0)
            give_up("identity", "setresuid", NULL);
    }
    if (!(spec->without & WITHOUT_SESSION) && setsid() < 0)
        give_up("identity", "setsid", NULL);
    die_with_launcher(spec, blank);
    /* The memory of the host's other programs is worth more than this one's. Inherited by every command. */
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        (void)write_all(score, "500", 3); /* A preference, not a wall. */
        close(score);
    }
}

static void open_sources(struct spec *spec, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        struct step *step = &spec->steps[i];
        if ((step->flags & (FLAG_IDMAP | FLAG_OUTSIDE)) || (step->kind != STEP_BIND && step->kind != STEP_OVERLAY))
            continue; /* The launcher opened it, or there is nothing to open. */
        step->mount = open_source(step->source, step->flags);
        if (step->mount < 0 && !(errno == ENOENT && (step->flags & FLAG_OPTIONAL)))
            give_up("mount", "open_tree", step->source);
        if (step->kind == STEP_OVERLAY && (step->layer_mount = open_source(step->layer, 0)) < 0)
            give_up("mount", "open_tree", step->layer);
    }
}

static unsigned attributes_of(unsigned flags)
{
    return ((flags & FLAG_READ_ONLY) ? ATTRIBUTE_READ_ONLY : 0) | ((flags & FLAG_NOSUID) ? ATTRIBUTE_NOSUID : 0) | ((flags & FLAG_NODEV) ? ATTRIBUTE_NODEV : 0) |
           ((flags & FLAG_NOEXEC) ? ATTRIBUTE_NOEXEC : 0);
}

static unsigned long mount_flags_of(unsigned flags)
{
    return ((flags & FLAG_READ_ONLY) ? MS_RDONLY : 0) | ((flags & FLAG_NOSUID) ? MS_NOSUID : 0) | ((flags & FLAG_NODEV) ? MS_NODEV : 0) |
           ((flags & FLAG_NOEXEC) ? MS_NOEXEC : 0);
}

/*
 * Opens the directory that a target is in, made if it is not there, and says what the target is called in it. Step by step and never through a link: what
 * is mounted already may belong to somebody who is changing it.
 */
static int open_parent(const char *target, const char **name)
{
    char part[256];
    int directory = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);

    for (const char *slash; directory >= 0 && (slash = strchr(target, '/')) != NULL; target = slash + 1) {
        memcpy(part, target, (size_t)(slash - target)); /* is_target has seen to its length. */
        part[slash - target] = '\0';
        if (mkdirat(directory, part, 0755) != 0 && errno != EEXIST && errno != EROFS)
            give_up("mount", "mkdir", target);
        int next = open_resolved(directory, part, O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_IN_TREE | RESOLVE_NO_LINKS | RESOLVE_NO_MAGIC);
        close(directory);
        directory = next;
    }
    if (directory < 0)
        give_up("mount", "openat2", target);
    *name = target;
    return directory;
}

static int find_target(const char *target)
{
    return open_resolved(root_fd, target, O_PATH | O_CLOEXEC, RESOLVE_IN_TREE | RESOLVE_NO_LINKS | RESOLVE_NO_MAGIC);
}

/* Opens the target of a mount, made if it is not there. */
static int open_target(const char *target, bool directory)
{
    int fd = find_target(target);

    if (fd < 0 && errno == ENOENT) {
        const char *name;
        int parent = open_parent(target, &name);
        if (directory) {
            if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST)
                give_up("mount", "mkdir", target);
        } else {
            int file = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
            if (file < 0)
                give_up("mount", "open", target);
            close(file);
        }
        close(parent);
        fd = find_target(target);
    }
    if (fd < 0)
        give_up("mount", "openat2", target);
    return fd;
}

static void attach(int mount, unsigned flags, bool recursive, const char *target, const char *source)
{
    struct mount_attributes attributes = {.set = attributes_of(flags)};
    struct stat status;

    if (attributes.set != 0 && set_mount_attributes(mount, recursive ? TREE_RECURSIVE : 0, &attributes) != 0)
        give_up("mount", "mount_setattr", source);
    if (fstat(mount, &status) != 0)
        give_up("mount", "fstat", source);
    int place = open_target(target, S_ISDIR(status.st_mode));
    if (move_mount_to(mount, place) != 0)
        give_up("mount", "move_mount", target);
    close(place);
    close(mount);
}

/* A new filesystem as a detached mount. `options` as mount(8) takes them: "size=4m,mode=0755". */
static int open_filesystem(const char *type, const char *options)
{
    char text[256], *rest = text;
    int context = (int)syscall(CALL_FSOPEN, type, FSOPEN_CLOSE_ON_EXEC);

    if (context < 0 || (size_t)snprintf(text, sizeof text, "%s", options) >= sizeof text)
        give_up("mount", "fsopen", type);
    for (char *option; (option = strsep(&rest, ",")) != NULL;) {
        char *value = strchr(option, '=');
        if (value != NULL)
            *value++ = '\0';
        if (*option != '\0' && syscall(CALL_FSCONFIG, context, value != NULL ? FSCONFIG_STRING : FSCONFIG_FLAG, option, value, 0) != 0)
            give_up("mount", "fsconfig", option);
    }
    if (syscall(CALL_FSCONFIG, context, FSCONFIG_CREATE, NULL, NULL, 0) != 0)
        give_up("mount", "fsconfig", type);
    int mount = (int)syscall(CALL_FSMOUNT, context, FSMOUNT_CLOSE_ON_EXEC, ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV);
    if (mount < 0)
        give_up("mount", "fsmount", type);
    close(context);
    return mount;
}

/* Mounts a new filesystem on a directory through the working directory, so that no path is looked up twice. */
static void mount_on(const char *type, const char *target, unsigned long flags, const char *options)
{
    int place = open_target(target, true);

    if (fchdir(place) != 0)
        give_up("mount", "fchdir", target);
    if (mount(type, ".", type, flags, options) != 0)
        give_up("mount", type, target);
    if (fchdir(root_fd) != 0)
        give_up("mount", "fchdir", "/");
    close(place);
}

/*
 * Who mounts an overlay is who works in its layer. On an id-mapped layer only the owner of the workspace is somebody: the directories that the kernel makes
 * there must be that owner's. Changing the filesystem ids takes some capabilities out of effect, so they are put back.
 */
static void act_as(uid_t uid, gid_t gid)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    setfsgid(gid);
    setfsuid(uid);
    if (syscall(SYS_capget, &header, data) != 0)
        give_up("mount", "capget", NULL);
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    if (syscall(SYS_capset, &header, data) != 0)
        give_up("mount", "capset", NULL);
}

/*
 * The lower side and the layer are attached to two staging directories, under names that need no escaping in the options; the overlay keeps private
 * copies of both mounts, so the staging ones go away again. `userxattr`: the marks in the layer are user.overlay.*, the only ones allowed here.
 */
static void mount_overlay(const struct spec *spec, const struct step *step)
{
    static const char lower[] = ".lower", layer[] = ".layer";

    attach(step->mount, 0, false, lower, step->source);
    attach(step->layer_mount, 0, false, layer, step->layer);
    int place = open_target(step->target, true);
    if (mkdirat(root_fd, ".overlay", 0755) != 0)
        give_up("mount", "mkdir", ".overlay");
    if (step->flags & FLAG_IDMAP)
        act_as(spec->idmap_inside_uid, spec->idmap_inside_gid);
    if (mount("overlay", ".overlay", "overlay", mount_flags_of(step->flags), "lowerdir=.lower,upperdir=.layer/upper,workdir=.layer/work,userxattr") != 0)
        give_up("mount", "overlay", step->layer);
    if (step->flags & FLAG_IDMAP)
        act_as(spec->init_uid, spec->init_gid);
    int merged = open_tree(root_fd, ".overlay", TREE_CLONE | TREE_CLOEXEC);
    if (merged < 0)
        give_up("mount", "open_tree", ".overlay");
    struct statvfs status;
    if (fstatvfs(merged, &status) != 0 || (status.f_flag & ST_RDONLY)) {
        /* The kernel falls back to this when it cannot write the layer; nobody asked for it. */
        errno = EROFS;
        give_up("mount", "overlay", step->layer);
    }
    if (move_mount_to(merged, place) != 0)
        give_up("mount", "move_mount", step->target);
    close(merged);
    close(place);
    static const char *const staged[] = {".overlay", ".layer", ".lower"};
    for (size_t i = 0; i < sizeof staged / sizeof *staged; i++)
        if (umount2(staged[i], MNT_DETACH) != 0 || unlinkat(root_fd, staged[i], AT_REMOVEDIR) != 0)
            give_up("mount", "umount", staged[i]);
}

static void write_file(const struct step *step)
{
    const char *name;
    int parent = open_parent(step->target, &name);
    int file = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, step->mode);
    if (file < 0 || write_all(file, step->source, strlen(step->source)) != 0)
        give_up("mount", "write", step->target);
    close(file);
    close(parent);
}

/* A writable place on the new root's own tmpfs. A mount of its own, because the root's becomes read-only. */
static void make_scratch(const struct step *step)
{
    const char *name;
    int parent = open_parent(step->target, &name);
    if (mkdirat(parent, name, step->mode) != 0 && errno != EEXIST)
        give_up("mount", "mkdir", step->target);
    if (fchmodat(parent, name, step->mode, 0) != 0) /* mkdir obeys the umask. */
        give_up("mount", "chmod", step->target);
    if ((step->uid != 0 || step->gid != 0) && fchownat(parent, name, step->uid, step->gid, AT_SYMLINK_NOFOLLOW) != 0)
        give_up("mount", "chown", step->target);
    int mount = open_tree(parent, name, TREE_CLONE | TREE_CLOEXEC);
    close(parent);
    if (mount < 0)
        give_up("mount", "open_tree", step->target);
    attach(mount, step->flags, false, step->target, step->target);
}

static void make_link(const struct step *step)
{
    const char *name;
    int parent = open_parent(step->target, &name);

    if (symlinkat(step->source, parent, name) != 0)
        give_up("mount", "symlink", step->target);
    close(parent);
}

/* Something of the new root is seen at another place of it, too: read-only, in front of what is there. */
static void put_in_front(const char *stage, int cover, unsigned long long attributes, int place, const char *target)
{
    struct mount_attributes set = {.set = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC | attributes};

    if (cover < 0 || set_mount_attributes(cover, 0, &set) != 0)
        give_up(stage, "open_tree", target);
    if (move_mount_to(cover, place) != 0)
        give_up(stage, "move_mount", target);
    close(cover);
    close(place);
}

/* -1: nothing is there. */
static int find_covered(const char *stage, const char *target, struct stat *status)
{
    int place = find_target(target);

    if (place < 0 && (errno == ENOENT || errno == ENOTDIR))
        return -1;
    if (place < 0 || fstat(place, status) != 0)
        give_up(stage, "open", target);
    return place;
}

/* Hides a file behind the new root's /dev/null (bound by an earlier step) and a directory behind an empty one; what is not there needs no mask. */
static void mask(const struct step *step)
{
    struct stat status;
    int place = find_covered("mask", step->target, &status);

    if (place < 0)
        return;
    bool directory = S_ISDIR(status.st_mode);
    int cover = open_tree(root_fd, directory ? ".empty" : "dev/null", TREE_CLONE | TREE_CLOEXEC);
    put_in_front("mask", cover, directory ? ATTRIBUTE_NODEV : 0, place, step->target);
}

/* Shows a file that an earlier step wrote in the place of one of the machine's. */
static void cover(const struct step *step)
{
    struct stat status;
    int place = find_covered("cover", step->target, &status);

    if (place < 0)
        return;
    put_in_front("cover", open_tree(root_fd, step->source, TREE_CLONE | TREE_CLOEXEC), ATTRIBUTE_NODEV, place, step->target);
}

static void take_step(const struct spec *spec, const struct step *step)
{
    switch (step->kind) {
    case STEP_BIND:
        if (step->mount >= 0)
            attach(step->mount, step->flags, (step->flags & FLAG_RECURSIVE) != 0, step->target, step->source);
        return;
    case STEP_SCRATCH:
        make_scratch(step);
        return;
    case STEP_OVERLAY:
        mount_overlay(spec, step);
        return;
    case STEP_PROC:
        mount_on("proc", step->target, MS_NOSUID | MS_NODEV | MS_NOEXEC | mount_flags_of(step->flags), step->options);
        return;
    case STEP_DEVPTS: /* `max`: terminals are counted for the whole machine, and one sandbox could take them all. */
        mount_on("devpts", step->target, MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600,max=64");
        return;
    case STEP_SYMLINK:
        make_link(step);
        return;
    case STEP_FILE:
        write_file(step);
        return;
    case STEP_MASK:
        mask(step);
        return;
    case STEP_COVER:
        cover(step);
        return;
    }
}

static void take_steps(struct spec *spec, size_t first, size_t last)
{
    open_sources(spec, first, last);
    for (size_t i = first; i < last; i++)
        take_step(spec, &spec->steps[i]);
}

/*
 * The new root is mounted on top of the old one. Paths that begin with a slash still lead into the old one, which stays whole until it is left: sources
 * may be anywhere in it.
 */
static void make_root(const struct spec *spec)
{
    umask(022);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        give_up("mount", "make-private", "/");
    root_fd = open_filesystem("tmpfs", spec->root_options);
    int place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0 || move_mount_to(root_fd, place) != 0 || fchdir(root_fd) != 0)
        give_up("mount", "move_mount", "/");
    close(place);
    if (mkdir(".empty", 0555) != 0)
        give_up("mount", "mkdir", ".empty");
}

static void leave_old_root(const struct spec *spec)
{
    if (spec->without & WITHOUT_PIVOT) { /* Tests: the old root stays reachable. */
        if (mkdirat(root_fd, ".old", 0755) != 0 || syscall(SYS_pivot_root, ".", ".old") != 0 || chdir("/") != 0)
            give_up("root", "pivot_root", NULL);
    } else if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
        give_up("root", "pivot_root", NULL);
    }
    close(root_fd);
    if (!spec->read_only_root)
        return;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct mount_attributes attributes = {.set = ATTRIBUTE_READ_ONLY};
    if (root < 0 || set_mount_attributes(root, 0, &attributes) != 0)
        give_up("root", "mount_setattr", "/");
    close(root);
}

static void name_host(const struct spec *spec)
{
    if (!(spec->without & WITHOUT_UTS) && sethostname(spec->hostname, strlen(spec->hostname)) != 0)
        give_up("hostname", "sethostname", spec->hostname);
}

static void raise_loopback(const struct spec *spec)
{
    if (spec->without & WITHOUT_NET)
        return;
    struct ifreq request = {.ifr_name = "lo"};
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_flags = IFF_UP;
    if (control < 0 || ioctl(control, SIOCSIFFLAGS, &request) != 0)
        give_up("network", "ioctl", "lo");
    close(control);
}

static void apply_limits(const struct spec *spec)
{
    for (size_t i = 0; i < spec->limit_count; i++) {
        if (spec->limits[i].resource == RLIMIT_NOFILE)
            continue; /* Each command's own, set when it starts: pid 1 needs a few for every command there is. */
        struct rlimit now, limit = {.rlim_cur = spec->limits[i].soft, .rlim_max = spec->limits[i].hard};
        if (getrlimit(spec->limits[i].resource, &now) != 0)
            give_up("limits", "getrlimit", NULL);
        /* The launcher's own hard limit is an upper bound: no user may raise it, and no sandbox needs to. */
        if (limit.rlim_max > now.rlim_max)
            limit.rlim_max = now.rlim_max;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        if (setrlimit(spec->limits[i].resource, &limit) != 0)
            give_up("limits", "setrlimit", NULL);
    }
}

/* pid 1 keeps, at most, what it takes to start a command as another user inside and to end it; commands never have any (see guest.c). */
static void drop_capabilities(const struct spec *spec)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};

    if (spec->without & WITHOUT_CAPABILITIES)
        return;
    int capability = 0;
    while (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
        capability++;
    if (errno != EINVAL || capability <= CAP_LAST_CAP) /* EINVAL: past the last one this kernel has; it may have more than our headers know. */
        give_up("capabilities", "prctl", "PR_CAPBSET_DROP");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        give_up("capabilities", "prctl", "PR_CAP_AMBIENT");
    if (spec->switch_users)
        data[0].permitted = data[0].effective = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_KILL;
    if (syscall(SYS_capset, &header, data) != 0)
        give_up("capabilities", "capset", NULL);
}

#define LANDLOCK_READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LANDLOCK_WRITE_1                                                                                                                                \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                       \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define LANDLOCK_MAKE_DEVICES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define LANDLOCK_REFER (1ULL << 13)     /* ABI 2 */
#define LANDLOCK_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define LANDLOCK_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define LANDLOCK_SCOPES 3ULL            /* ABI 6: abstract unix sockets, signals */

struct landlock_ruleset { /* struct landlock_ruleset_attr as of ABI 6 */
    uint64_t fs, net, scoped;
};

int landlock_version(void)
{
    long version = syscall(CALL_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

/* A second wall behind the mounts: what is not listed is not there to be written, whatever the mount says; devices can be made nowhere. */
static void install_landlock(const struct spec *spec)
{
    if ((spec->without & WITHOUT_LANDLOCK) || spec->landlock_rule_count == 0)
        return;
    int version = landlock_version();
    if (version < 1)
        return; /* This kernel has none; the host knows and reports it. */
    struct landlock_ruleset ruleset = {
        .fs = LANDLOCK_READ | LANDLOCK_WRITE_1 | LANDLOCK_MAKE_DEVICES | (version >= 2 ? LANDLOCK_REFER : 0) | (version >= 3 ? LANDLOCK_TRUNCATE : 0) |
              (version >= 5 ? LANDLOCK_IOCTL_DEV : 0),
        .scoped = version >= 6 ? LANDLOCK_SCOPES : 0,
    };
    size_t size = version >= 6 ? sizeof ruleset : version >= 4 ? 16 : 8;
    int rules = (int)syscall(CALL_LANDLOCK_CREATE_RULESET, &ruleset, size, 0);
    if (rules < 0)
        give_up("landlock", "landlock_create_ruleset", NULL);
    if (cgroup_fd >= 0) { /* pid 1 makes a cgroup per command. No command can name the place: it is mounted nowhere inside. */
        struct landlock_path_beneath_attr cgroup = {.allowed_access = LANDLOCK_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                                                      LANDLOCK_ACCESS_FS_REMOVE_DIR,
                                                    .parent_fd = cgroup_fd};
        if (syscall(CALL_LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH_BENEATH, &cgroup, 0) != 0)
            give_up("landlock", "landlock_add_rule", "cgroup");
    }
    for (size_t i = 0; i < spec->landlock_rule_count; i++) {
        const struct landlock_rule *rule = &spec->landlock_rules[i];
        struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_READ};
        if (rule->access == ACCESS_WRITE)
            beneath.allowed_access |= LANDLOCK_WRITE_1 | LANDLOCK_REFER | LANDLOCK_TRUNCATE;
        if (rule->access == ACCESS_DEVICE)
            beneath.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV;
        beneath.allowed_access &= ruleset.fs;
        beneath.parent_fd = open(rule->path, O_PATH | O_CLOEXEC);
        struct stat status;
        if (beneath.parent_fd < 0 || fstat(beneath.parent_fd, &status) != 0)
            give_up("landlock", "open", rule->path);
        if (!S_ISDIR(status.st_mode))
            beneath.allowed_access &= LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV;
        if (syscall(CALL_LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
            give_up("landlock", "landlock_add_rule", rule->path);
        close(beneath.parent_fd);
    }
    if (syscall(CALL_LANDLOCK_RESTRICT_SELF, rules, 0) != 0)
        give_up("landlock", "landlock_restrict_self", NULL);
    close(rules);
}

/* Moves a descriptor to where it belongs; -1 stays. */
static int move_descriptor(int fd, int place)
{
    if (fd < 0 || fd == place)
        return fd;
    if (dup3(fd, place, O_CLOEXEC) != place)
        give_up("descriptors", "dup3", NULL);
    return place;
}

static int lift_descriptor(int fd)
{
    int lifted = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 512);

    if (fd >= 0 && lifted < 0)
        give_up("descriptors", "fcntl", NULL);
    return lifted;
}

/* Nothing stays open but the guest connection, the cgroup and, until an order has come, the orders. */
static void place_descriptors(const struct spec *spec)
{
    /* The places may hold descriptors that are still needed, so what must survive moves up first. */
    report_fd = lift_descriptor(report_fd);
    cgroup_fd = lift_descriptor(cgroup_fd);
    orders_fd = lift_descriptor(orders_fd);
    close(GUEST_FD);
    close(GUEST_CGROUP_FD);
    report_fd = move_descriptor(report_fd, GUEST_FD);
    cgroup_fd = move_descriptor(cgroup_fd, GUEST_CGROUP_FD);
    orders_fd = move_descriptor(orders_fd, ORDERS_FD);
    if (!(spec->without & WITHOUT_CLOSE) && close_from(ORDERS_FD + 1) != 0)
        give_up("descriptors", "close_range", NULL);
}

static void leave_standard_streams(const struct blank *blank)
{
    for (int fd = 0; fd <= 2 && !blank->keep_standard_streams; fd++)
        if (dup2(blank->null, fd) != fd)
            give_up("descriptors", "dup2", NULL);
}

static void install_seccomp(const struct spec *spec, const char *filter, size_t length)
{
    struct sock_fprog program = {.len = (unsigned short)(length / sizeof(struct sock_filter)), .filter = (struct sock_filter *)(uintptr_t)filter};

    if (spec->without & WITHOUT_SECCOMP)
        return;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        give_up("seccomp", "seccomp", NULL);
}

static void enter_cgroup(const struct spec *spec, const struct blank *blank)
{
    errno = blank->join_error;
    if (errno != 0)
        give_up("cgroup", "write", "tasks");
    if (blank->cgroup2_path != NULL && (cgroup_fd = open(blank->cgroup2_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        give_up("cgroup", "open", blank->cgroup2_path);
    /* We are in them, so the sandbox sees its own cgroup as the root of the tree. */
    if (!(spec->without & WITHOUT_CGROUP) && unshare(CLONE_NEWCGROUP) != 0)
        give_up("cgroup", "unshare", NULL);
}

/* What sandboxes of one base have in common. */
static void raise_base(struct spec *spec, const struct blank *blank)
{
    wait_for_maps();
    become_init(spec, blank);
    enter_cgroup(spec, blank);
    leave_standard_streams(blank);
    make_root(spec);
    take_steps(spec, 0, spec->base_step_count);
    name_host(spec);
    raise_loopback(spec);
}

/* From here on nothing can be opened, mounted or gained any more. */
static void seal(const struct spec *spec, const struct blank *blank, const char *filter, size_t filter_length)
{
    leave_old_root(spec);
    die_with_launcher(spec, blank); /* An overlay may have changed the filesystem ids. */
    place_descriptors(spec);
    apply_limits(spec);
    drop_capabilities(spec);
    if (!(spec->without & WITHOUT_NO_NEW_PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        give_up("privileges", "prctl", "PR_SET_NO_NEW_PRIVS"); /* Before landlock and seccomp, which need it. */
    /* Nobody inside may look into pid 1: not at its memory, its descriptors, nor at the binary behind /proc/1/exe. */
    if (!(spec->without & WITHOUT_UNDUMPABLE) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        give_up("privileges", "prctl", "PR_SET_DUMPABLE");
    install_landlock(spec);
    install_seccomp(spec, filter, filter_length);
}

/* The mounts that the launcher opened came behind the connection, in the order of the steps. */
static void assign_mounts(struct spec *spec)
{
    size_t next = 1;

    for (size_t i = spec->base_step_count; i < spec->step_count; i++) {
        struct step *step = &spec->steps[i];
        if (!(step->flags & (FLAG_IDMAP | FLAG_OUTSIDE)))
            continue;
        int *places[] = {&step->mount, step->kind == STEP_OVERLAY ? &step->layer_mount : NULL};
        for (size_t j = 0; j < 2 && places[j] != NULL; j++) {
            errno = EBADF;
            if (next >= descriptor_count)
                give_up("mount", "recvmsg", step->source);
            *places[j] = descriptors[next++];
        }
    }
}

static void raise_rest(struct spec *spec, const struct blank *blank, const struct order *order)
{
    static char text[REQUEST_BYTES_MAX], filter[FILTER_BYTES_MAX] __attribute__((aligned(8)));
    struct failure failure;

    if (order->spec_length > sizeof text || order->filter_length > sizeof filter || read_all(orders_fd, text, order->spec_length) != 0 ||
        read_all(orders_fd, filter, order->filter_length) != 0)
        give_up("spec", "read", NULL);
    if (!parse_spec(text, order->spec_length, spec, &failure)) { /* The launcher has parsed the same text. */
        errno = failure.error;
        give_up(failure.stage, failure.call, failure.path);
    }
    assign_mounts(spec);
    take_steps(spec, spec->base_step_count, spec->step_count);
    seal(spec, blank, filter, order->filter_length);
}

void raise_walls(struct spec *spec, const struct blank *blank)
{
    bool is_whole = is_base_only(spec);
    struct order order;

    orders_fd = blank->orders;
    raise_base(spec, blank); /* As pid 1 of the new pid namespace, so that /proc shows it. */
    if (is_whole)
        seal(spec, blank, blank->filter, blank->filter_length);
    if (!receive_order(&order))
        _exit(0); /* Nobody wanted it. */
    if (is_whole)
        report_fd = move_descriptor(descriptors[0], GUEST_FD);
    else
        raise_rest(spec, blank, &order);
    close(orders_fd);
}
