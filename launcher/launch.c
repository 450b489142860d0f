#define _GNU_SOURCE
#include "launch.h"

#include "cgroup.h"
#include "system.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int null_fd = -1, self_fd = -1;

static bool failed(struct failure *failure, const char *stage, const char *call, const char *path)
{
    *failure = (struct failure){.stage = stage, .call = call, .path = path, .error = errno};
    return false;
}

bool prepare_launches(struct failure *failure)
{
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return failed(failure, "prepare", "open", "/dev/null");
    self_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self_fd < 0)
        return failed(failure, "prepare", "pidfd_open", NULL);
    return true;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

/*
 * A range of ids belongs to whoever has bound the abstract socket of its number: exclusive among all launchers of this machine, given up by the kernel
 * when the holder dies, and leaving no file behind.
 */
static int lease_range(const struct spec *spec, uint32_t *base)
{
    static uint32_t next;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int lease = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (lease < 0)
        return -1;
    if (next == 0)
        next = (uint32_t)getpid() * 61u; /* Launchers start apart, so that they seldom ask for the same one. */
    for (uint32_t tries = 0; tries < spec->lease_slots; tries++) {
        uint32_t slot = next++ % spec->lease_slots;
        int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "warren-ids-%u", spec->lease_first + slot * spec->lease_size);
        if (bind(lease, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0) {
            *base = spec->lease_first + slot * spec->lease_size;
            return lease;
        }
        if (errno != EADDRINUSE)
            break;
    }
    int error = errno == EADDRINUSE ? EUSERS : errno;
    close(lease);
    errno = error;
    return -1;
}

static bool write_proc(pid_t pid, const char *file, const char *text, struct failure *failure)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : write_all(fd, text, strlen(text)), error = errno;
    close_if_open(fd);
    errno = error;
    return result == 0 || failed(failure, "identity", "write", file);
}

static bool write_map(pid_t pid, const char *file, const struct id_map *maps, size_t count, uint32_t base, struct failure *failure)
{
    char text[MAPS_MAX * 40];
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%u %u %u\n", maps[i].inside, base + maps[i].outside, maps[i].count);
    return write_proc(pid, file, text, failure);
}

/* newuidmap and newgidmap are setuid programs of the system that check /etc/subuid and /etc/subgid for us. */
static bool run_map_helper(const char *program, pid_t pid, const struct id_map *maps, size_t count, struct failure *failure)
{
    char numbers[1 + MAPS_MAX * 3][12];
    const char *argv[2 + MAPS_MAX * 3 + 1] = {program, numbers[0]};
    size_t at = 1;
    int status;

    snprintf(numbers[0], sizeof numbers[0], "%d", pid);
    for (size_t i = 0; i < count; i++) {
        const uint32_t values[3] = {maps[i].inside, maps[i].outside, maps[i].count};
        for (size_t j = 0; j < 3; j++, at++) {
            snprintf(numbers[at], sizeof numbers[at], "%u", values[j]);
            argv[at + 1] = numbers[at];
        }
    }
    pid_t helper = fork();
    if (helper == 0) {
        static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
        sigset_t none;
        if (sigemptyset(&none) == 0)
            sigprocmask(SIG_SETMASK, &none, NULL);
        execvpe(program, (char *const *)(uintptr_t)argv, environment);
        _exit(127);
    }
    if (helper < 0 || waitpid(helper, &status, 0) != helper)
        return failed(failure, "identity", "fork", program);
    errno = WIFEXITED(status) && WEXITSTATUS(status) == 127 ? ENOENT : EPERM;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || failed(failure, "identity", "exec", program);
}

static bool write_maps(const struct spec *spec, pid_t pid, uint32_t base, struct failure *failure)
{
    if (spec->without & WITHOUT_USER)
        return true;
    if (spec->map_helper)
        return run_map_helper("newuidmap", pid, spec->uid_maps, spec->uid_map_count, failure) &&
               run_map_helper("newgidmap", pid, spec->gid_maps, spec->gid_map_count, failure);
    /* A user may map its own group only after giving up the right to drop groups (user_namespaces(7)). */
    if (geteuid() != 0 && !write_proc(pid, "setgroups", "deny", failure))
        return false;
    return write_map(pid, "uid_map", spec->uid_maps, spec->uid_map_count, base, failure) &&
           write_map(pid, "gid_map", spec->gid_maps, spec->gid_map_count, base, failure);
}

static pid_t clone_with(uint64_t flags, int cgroup2)
{
    struct clone_arguments arguments = {.flags = flags, .exit_signal = SIGCHLD};

    if (cgroup2 >= 0) {
        arguments.flags |= CLONE_TO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup2;
    }
    return clone_process(&arguments);
}

/* A user namespace that says "owner on disk is this user inside", for idmapped mounts. It lives as long as its descriptor. */
static int open_idmap(const struct spec *spec, uint32_t base, struct failure *failure)
{
    char path[64];
    struct id_map uid = {.inside = spec->idmap_disk_uid, .outside = spec->idmap_inside_uid, .count = 1};
    struct id_map gid = {.inside = spec->idmap_disk_gid, .outside = spec->idmap_inside_gid, .count = 1};
    pid_t holder = clone_with(CLONE_NEWUSER, -1);

    if (holder == 0) {
        struct pollfd launcher = {.fd = self_fd, .events = POLLIN};
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || poll(&launcher, 1, 0) != 0)
            _exit(125); /* The launcher has died before it could be told to take us along. */
        close_from(0);
        for (;;)
            pause();
    }
    if (holder < 0) {
        failed(failure, "idmap", "clone3", NULL);
        return -1;
    }
    int fd = -1;
    if (write_map(holder, "uid_map", &uid, 1, base, failure) && write_map(holder, "gid_map", &gid, 1, base, failure)) {
        snprintf(path, sizeof path, "/proc/%d/ns/user", holder);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            failed(failure, "idmap", "open", "ns/user");
    }
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    return fd;
}

static int open_outside(const struct step *step, const char *path, int idmap, struct failure *failure)
{
    struct mount_attributes attributes = {.set = ATTRIBUTE_IDMAP, .userns_fd = (uint64_t)idmap};
    int mount = open_source(path, step->flags);

    if (mount < 0) {
        failed(failure, "mount", "open_tree", path);
        return -1;
    }
    if ((step->flags & FLAG_IDMAP) && set_mount_attributes(mount, (step->flags & FLAG_RECURSIVE) ? TREE_RECURSIVE : 0, &attributes) != 0) {
        failed(failure, "idmap", "mount_setattr", path);
        close(mount);
        return -1;
    }
    return mount;
}

/* Opens, with the launcher's rights, the mounts that the child could not reach or may not map. */
static bool open_outside_mounts(struct spec *spec, uint32_t base, struct failure *failure)
{
    int idmap = -1;
    bool opened = !spec->idmap || (idmap = open_idmap(spec, base, failure)) >= 0;

    for (size_t i = spec->base_step_count; opened && i < spec->step_count; i++) {
        struct step *step = &spec->steps[i];
        if (!(step->flags & (FLAG_IDMAP | FLAG_OUTSIDE)))
            continue;
        opened = (step->mount = open_outside(step, step->source, idmap, failure)) >= 0;
        if (opened && step->kind == STEP_OVERLAY)
            opened = (step->layer_mount = open_outside(step, step->layer, idmap, failure)) >= 0;
    }
    close_if_open(idmap);
    return opened;
}

static void close_outside_mounts(struct spec *spec)
{
    for (size_t i = 0; i < spec->step_count; i++) {
        close_if_open(spec->steps[i].mount);
        close_if_open(spec->steps[i].layer_mount);
        spec->steps[i].mount = spec->steps[i].layer_mount = -1;
    }
}

static uint64_t namespaces_of(const struct spec *spec)
{
    /* Not the cgroup namespace: the child enters it once it is in its cgroups (walls.c). */
    return CLONE_NEWNS | ((spec->without & WITHOUT_USER) ? 0 : CLONE_NEWUSER) | ((spec->without & WITHOUT_PID) ? 0 : CLONE_NEWPID) |
           ((spec->without & WITHOUT_NET) ? 0 : CLONE_NEWNET) | ((spec->without & WITHOUT_IPC) ? 0 : CLONE_NEWIPC) |
           ((spec->without & WITHOUT_UTS) ? 0 : CLONE_NEWUTS);
}

/* A blank lives for hours perhaps: it must not hold other sandboxes' connections and leases, nor what tells that the launcher is gone. */
static void keep_only(int first, int second, int third)
{
    unsigned kept[3] = {(unsigned)first, (unsigned)second, (unsigned)third}, from = STDERR_FILENO + 1;

    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 2; i++)
            if (kept[i] > kept[i + 1]) {
                unsigned swap = kept[i];
                kept[i] = kept[i + 1];
                kept[i + 1] = swap;
            }
    for (int i = 0; i < 3; from = kept[i++] + 1)
        if (kept[i] > from)
            (void)close_descriptors(from, kept[i] - 1); /* Only fails for a range that is none. */
    (void)close_descriptors(from, ~0u);
}

/* Runs in the new process. */
__attribute__((noreturn)) static void become_sandbox(const struct workshop *workshop, struct spec *spec, struct blank *blank, const struct cgroup_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        if (write_all(entries->tasks[i], "0", 1) != 0)
            blank->join_error = errno;
    if (!(spec->without & WITHOUT_CLOSE))
        keep_only(blank->orders, blank->launcher, blank->null);
    raise_walls(spec, blank);
    workshop->become(spec);
    _exit(125);
}

bool make_blank(struct workshop *workshop, struct spec *spec, const char *filter, size_t filter_length, struct launched *blank, struct failure *failure)
{
    static char cgroup2_path[4096];
    int orders[2];

    *blank = (struct launched){.lease = -1, .orders = -1, .slot = ++workshop->next_slot};
    if (spec->lease_slots > 0 && (blank->lease = lease_range(spec, &blank->base)) < 0)
        return failed(failure, "identity", "bind", "range of ids");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, orders) != 0) {
        close_if_open(blank->lease);
        return failed(failure, "prepare", "socketpair", NULL);
    }
    if (spec->cgroup2 >= 0 && (unsigned)spec->cgroup2 < workshop->roots.count)
        snprintf(cgroup2_path, sizeof cgroup2_path, "%s/%u", workshop->roots.paths[spec->cgroup2], blank->slot);
    struct blank inside_blank = {
        .orders = orders[1],
        .launcher = self_fd,
        .null = null_fd,
        .cgroup2_path = spec->cgroup2 >= 0 ? cgroup2_path : NULL,
        .filter = filter,
        .filter_length = filter_length,
        .keep_standard_streams = workshop->keep_standard_streams,
    };
    struct cgroup_entries entries;
    uid_t owner = spec->lease_slots == 0 ? geteuid() : blank->base + spec->init_uid;

    blank->orders = orders[0];
    bool made = make_cgroups(&workshop->roots, blank->slot, spec, &entries, failure) &&
                (spec->cgroup2 < 0 || give_cgroup2(&workshop->roots, blank->slot, spec, owner, blank->base + spec->init_gid, failure));
    if (made) {
        blank->pid = clone_with(namespaces_of(spec), entries.cgroup2);
        if (blank->pid == 0)
            become_sandbox(workshop, spec, &inside_blank, &entries);
        made = blank->pid > 0 || failed(failure, "namespaces", "clone3", NULL);
    }
    close_entries(&entries);
    close(orders[1]);
    made = made && write_maps(spec, blank->pid, blank->base, failure) && (write_all(blank->orders, "g", 1) == 0 || failed(failure, "prepare", "write", NULL));
    if (!made)
        discard_blank(workshop, blank, spec);
    return made;
}

void discard_blank(const struct workshop *workshop, struct launched *blank, const struct spec *spec)
{
    if (blank->pid > 0) {
        kill(blank->pid, SIGKILL);
        waitpid(blank->pid, NULL, 0);
    }
    remove_cgroups(&workshop->roots, blank->slot, spec->cgroups, spec->cgroup_count);
    close_if_open(blank->orders);
    close_if_open(blank->lease);
    *blank = (struct launched){.lease = -1, .orders = -1};
}

/* The head of the order with its descriptors in one message, then the texts. */
static bool send_order(const struct launched *blank, const struct spec *spec, const struct request_to_launch *request, struct failure *failure)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * ORDER_DESCRIPTORS_MAX)];
        struct cmsghdr align;
    } control = {0};
    int fds[ORDER_DESCRIPTORS_MAX];
    uint32_t count = 0;

    fds[count++] = request->connection;
    for (size_t i = spec->base_step_count; i < spec->step_count; i++) {
        if (count + 2 > ORDER_DESCRIPTORS_MAX) {
            errno = E2BIG;
            return failed(failure, "mount", "sendmsg", "too many mounts");
        }
        if (spec->steps[i].mount >= 0)
            fds[count++] = spec->steps[i].mount;
        if (spec->steps[i].layer_mount >= 0)
            fds[count++] = spec->steps[i].layer_mount;
    }
    bool is_whole = is_base_only(spec); /* Then the blank has it all already. */
    struct order order = {
        .spec_length = is_whole ? 0 : (uint32_t)request->spec_length,
        .filter_length = is_whole ? 0 : (uint32_t)request->filter_length,
        .descriptor_count = count,
    };
    struct iovec part = {.iov_base = &order, .iov_len = sizeof order};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * count)};
    struct cmsghdr *header = &control.align; /* The first, and the only one. */
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    if (sendmsg(blank->orders, &message, MSG_NOSIGNAL) != (ssize_t)sizeof order || write_all(blank->orders, request->spec_text, order.spec_length) != 0 ||
        write_all(blank->orders, request->filter, order.filter_length) != 0)
        return failed(failure, "prepare", "sendmsg", NULL);
    return true;
}

bool order_sandbox(struct launched *blank, struct spec *spec, const struct request_to_launch *request, struct failure *failure)
{
    bool ordered = open_outside_mounts(spec, blank->base, failure) && send_order(blank, spec, request, failure);

    close_outside_mounts(spec);
    close_if_open(blank->orders);
    blank->orders = -1;
    return ordered;
}
