#define _GNU_SOURCE
#include "walls.h"

#include "system.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The only state: where a failure is reported, and the new root while it is being filled. */
static int report_fd = -1;
static int root_fd = -1;

void give_up(const char *stage, const char *call, const char *path)
{
    struct failure failure = {.stage = stage, .call = call, .path = path, .error = errno};
    char line[FAILURE_LINE_MAX];
    size_t length = format_failure(&failure, line, sizeof line);

    (void)send_frame(report_fd, FRAME_FAILED, 0, line, (uint32_t)length); /* If the host is gone too there is nobody to tell. */
    _exit(125);
}

int open_source(const char *path, unsigned flags)
{
    return open_tree(AT_FDCWD, path, TREE_CLONE | TREE_CLOEXEC | ((flags & FLAG_RECURSIVE) ? TREE_RECURSIVE : 0));
}

/* The id maps are written by the launcher; until then this process is nobody. */
static void wait_for_maps(const struct inheritance *inheritance)
{
    char byte;

    if (read_all(inheritance->go, &byte, 1) != 0)
        _exit(125); /* The launcher failed or died; it has told the host, or nobody is left to hear. */
}

static void join_cgroups(const struct spec *spec, const struct inheritance *inheritance)
{
    for (size_t i = 0; i < spec->cgroup_count; i++)
        if (write_all(inheritance->cgroup_procs[i], "0", 1) != 0)
            give_up("cgroup", "write", spec->cgroups[i]);
    /* After joining, so that the sandbox sees its own cgroup as the root of the tree. */
    if (!(spec->without & WITHOUT_CGROUP) && unshare(CLONE_NEWCGROUP) != 0)
        give_up("cgroup", "unshare", NULL);
}

static void become_init(const struct spec *spec, const struct inheritance *inheritance)
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
    if (!(spec->without & WITHOUT_PARENT_DEATH)) {
        /* After the change of ids, which clears it: without this a sandbox outlives its launcher. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
            give_up("identity", "prctl", "PR_SET_PDEATHSIG");
        struct pollfd launcher = {.fd = inheritance->launcher, .events = POLLIN};
        if (poll(&launcher, 1, 0) != 0) /* It died before the line above. */
            _exit(125);
    }
    /* The memory of the host's other programs is worth more than this one's. Inherited by every command. */
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        (void)write_all(score, "500", 3); /* A preference, not a wall. */
        close(score);
    }
}

/* Sources first: the new root is staged over /tmp and would hide those that live there. */
static void open_sources(struct spec *spec)
{
    for (size_t i = 0; i < spec->step_count; i++) {
        struct step *step = &spec->steps[i];
        if (step->mount >= 0 || (step->kind != STEP_BIND && step->kind != STEP_OVERLAY))
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

/* Makes the directories that lead to a target. Links are never followed: what is mounted already may hold hostile ones. */
static void make_parents(const char *target)
{
    char path[4096];

    for (const char *slash = strchr(target, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - target);
        memcpy(path, target, length);
        path[length] = '\0';
        if (mkdirat(root_fd, path, 0755) != 0 && errno != EEXIST)
            give_up("mount", "mkdir", path);
    }
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
        make_parents(target);
        if (directory) {
            if (mkdirat(root_fd, target, 0755) != 0 && errno != EEXIST)
                give_up("mount", "mkdir", target);
        } else {
            int file = openat(root_fd, target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
            if (file < 0)
                give_up("mount", "open", target);
            close(file);
        }
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
 * The lower side and the layer are attached to two staging directories, under names that need no escaping in the options; the overlay keeps private
 * copies of both mounts, so the staging ones go away again. `userxattr`: the marks in the layer are user.overlay.*, the only ones allowed here.
 */
static void mount_overlay(const struct step *step)
{
    static const char lower[] = ".lower", layer[] = ".layer";

    attach(step->mount, 0, false, lower, step->source);
    attach(step->layer_mount, 0, false, layer, step->layer);
    int place = open_target(step->target, true);
    if (mkdirat(root_fd, ".overlay", 0755) != 0)
        give_up("mount", "mkdir", ".overlay");
    if (mount("overlay", ".overlay", "overlay", mount_flags_of(step->flags), "lowerdir=.lower,upperdir=.layer/upper,workdir=.layer/work,userxattr") != 0)
        give_up("mount", "overlay", step->layer);
    int merged = open_tree(root_fd, ".overlay", TREE_CLONE | TREE_CLOEXEC);
    if (merged < 0)
        give_up("mount", "open_tree", ".overlay");
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
    make_parents(step->target);
    int file = openat(root_fd, step->target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, step->mode);
    if (file < 0 || write_all(file, step->source, strlen(step->source)) != 0)
        give_up("mount", "write", step->target);
    close(file);
}

static void make_directory(const struct step *step)
{
    make_parents(step->target);
    if (mkdirat(root_fd, step->target, step->mode) != 0 && errno != EEXIST)
        give_up("mount", "mkdir", step->target);
    if (fchmodat(root_fd, step->target, step->mode, 0) != 0) /* mkdir obeys the umask. */
        give_up("mount", "chmod", step->target);
    if ((step->uid != 0 || step->gid != 0) && fchownat(root_fd, step->target, step->uid, step->gid, AT_SYMLINK_NOFOLLOW) != 0)
        give_up("mount", "chown", step->target);
}

/* Hides a file behind the new root's /dev/null (bound by an earlier step) and a directory behind an empty one; what is not there needs no mask. */
static void mask(const struct step *step)
{
    struct stat status;
    int place = find_target(step->target);

    if (place < 0 && errno == ENOENT)
        return;
    if (place < 0 || fstat(place, &status) != 0)
        give_up("mask", "open", step->target);
    bool directory = S_ISDIR(status.st_mode);
    int cover = open_tree(root_fd, directory ? ".empty" : "dev/null", TREE_CLONE | TREE_CLOEXEC);
    struct mount_attributes attributes = {.set = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC | (directory ? ATTRIBUTE_NODEV : 0)};
    if (cover < 0 || set_mount_attributes(cover, 0, &attributes) != 0)
        give_up("mask", "open_tree", step->target);
    if (move_mount_to(cover, place) != 0)
        give_up("mask", "move_mount", step->target);
    close(cover);
    close(place);
}

static void make_read_only(const struct step *step)
{
    struct mount_attributes attributes = {.set = ATTRIBUTE_READ_ONLY};
    int place = find_target(step->target);

    if (place < 0 && errno == ENOENT)
        return;
    if (place < 0)
        give_up("read_only", "open", step->target);
    int mount = open_tree(place, "", TREE_EMPTY_PATH | TREE_CLONE | TREE_CLOEXEC | TREE_RECURSIVE);
    if (mount < 0 || set_mount_attributes(mount, TREE_RECURSIVE, &attributes) != 0)
        give_up("read_only", "mount_setattr", step->target);
    if (move_mount_to(mount, place) != 0)
        give_up("read_only", "move_mount", step->target);
    close(mount);
    close(place);
}

static void take_step(const struct step *step)
{
    switch (step->kind) {
    case STEP_BIND:
        if (step->mount >= 0)
            attach(step->mount, step->flags, (step->flags & FLAG_RECURSIVE) != 0, step->target, step->source);
        return;
    case STEP_TMPFS:
        mount_on("tmpfs", step->target, mount_flags_of(step->flags), step->options);
        return;
    case STEP_OVERLAY:
        mount_overlay(step);
        return;
    case STEP_PROC:
        mount_on("proc", step->target, MS_NOSUID | MS_NODEV | MS_NOEXEC, step->options);
        return;
    case STEP_DEVPTS:
        mount_on("devpts", step->target, MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600");
        return;
    case STEP_SYMLINK:
        make_parents(step->target);
        if (symlinkat(step->source, root_fd, step->target) != 0)
            give_up("mount", "symlink", step->target);
        return;
    case STEP_DIRECTORY:
        make_directory(step);
        return;
    case STEP_FILE:
        write_file(step);
        return;
    case STEP_MASK:
        mask(step);
        return;
    case STEP_READ_ONLY:
        make_read_only(step);
        return;
    }
}

static void build_root(struct spec *spec)
{
    umask(022);
    open_sources(spec);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        give_up("mount", "make-private", "/");
    if (mount("warren", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, spec->root_options) != 0)
        give_up("mount", "tmpfs", "/");
    if (chdir("/tmp") != 0 || (root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        give_up("mount", "chdir", "/");
    if (mkdir(".empty", 0555) != 0)
        give_up("mount", "mkdir", ".empty");
    for (size_t i = 0; i < spec->step_count; i++)
        take_step(&spec->steps[i]);
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
    if (spec->cgroup2 != NULL) { /* pid 1 makes a cgroup per command. No command can name the place: it is mounted nowhere inside. */
        struct landlock_path_beneath_attr cgroup = {.allowed_access = LANDLOCK_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                                                      LANDLOCK_ACCESS_FS_REMOVE_DIR,
                                                    .parent_fd = GUEST_CGROUP_FD};
        if (syscall(CALL_LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH_BENEATH, &cgroup, 0) != 0)
            give_up("landlock", "landlock_add_rule", spec->cgroup2);
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
        if (beneath.parent_fd < 0)
            give_up("landlock", "open", rule->path);
        if (syscall(CALL_LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
            give_up("landlock", "landlock_add_rule", rule->path);
        close(beneath.parent_fd);
    }
    if (syscall(CALL_LANDLOCK_RESTRICT_SELF, rules, 0) != 0)
        give_up("landlock", "landlock_restrict_self", NULL);
    close(rules);
}

static void place_descriptors(const struct spec *spec, const struct inheritance *inheritance)
{
    /* The targets may hold descriptors that are still needed, so what must survive moves up first. */
    int connection = fcntl(inheritance->connection, F_DUPFD_CLOEXEC, 64);
    int cgroup2 = inheritance->cgroup2 >= 0 ? fcntl(inheritance->cgroup2, F_DUPFD_CLOEXEC, 64) : -1;

    if (connection < 0 || (inheritance->cgroup2 >= 0 && cgroup2 < 0))
        give_up("descriptors", "fcntl", NULL);
    if (!inheritance->keep_standard_streams)
        for (int fd = 0; fd <= 2; fd++)
            if (dup2(inheritance->null, fd) != fd)
                give_up("descriptors", "dup2", NULL);
    if (dup3(connection, GUEST_FD, O_CLOEXEC) != GUEST_FD || (cgroup2 >= 0 && dup3(cgroup2, GUEST_CGROUP_FD, O_CLOEXEC) != GUEST_CGROUP_FD))
        give_up("descriptors", "dup3", NULL);
    report_fd = GUEST_FD;
    if (!(spec->without & WITHOUT_CLOSE) && close_from(cgroup2 >= 0 ? GUEST_CGROUP_FD + 1 : GUEST_CGROUP_FD) != 0)
        give_up("descriptors", "close_range", NULL);
}

static void install_seccomp(const struct spec *spec, const struct inheritance *inheritance)
{
    struct sock_fprog program = {.len = inheritance->filter_length, .filter = (struct sock_filter *)(uintptr_t)inheritance->filter};

    if (spec->without & WITHOUT_SECCOMP)
        return;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        give_up("seccomp", "seccomp", NULL);
}

void raise_walls(struct spec *spec, const struct inheritance *inheritance)
{
    report_fd = inheritance->connection;
    wait_for_maps(inheritance);
    join_cgroups(spec, inheritance);
    become_init(spec, inheritance);
    build_root(spec); /* As pid 1 of the new pid namespace, so that /proc shows it. */
    leave_old_root(spec);
    name_host(spec);
    place_descriptors(spec, inheritance);
    apply_limits(spec);
    drop_capabilities(spec);
    if (!(spec->without & WITHOUT_NO_NEW_PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        give_up("privileges", "prctl", "PR_SET_NO_NEW_PRIVS"); /* Before landlock and seccomp, which need it. */
    /* Nobody inside may look into pid 1: not at its memory, its descriptors, nor at the binary behind /proc/1/exe. */
    if (!(spec->without & WITHOUT_UNDUMPABLE) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        give_up("privileges", "prctl", "PR_SET_DUMPABLE");
    install_landlock(spec);
    install_seccomp(spec, inheritance);
}
