/* /proc and /sys: the kernel's own controls, and other processes seen through their files. */
#define _GNU_SOURCE
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Writes back what it reads: a write that changes nothing even where it succeeds. */
static void write_back(const char *path)
{
    char value[256];
    int fd = open_or_answer(path, O_RDWR);
    ssize_t length = read(fd, value, sizeof value);

    if (length <= 0)
        inconclusive("read: %s", error_name(errno));
    if (lseek(fd, 0, SEEK_SET) != 0)
        inconclusive("lseek: %s", error_name(errno));
    judge(write(fd, value, (size_t)length), "written");
}

static void core_pattern(void)
{
    write_back("/proc/sys/kernel/core_pattern");
}

static void modprobe_path(void)
{
    write_back("/proc/sys/kernel/modprobe");
}

/* Belongs to the sandbox's own ipc namespace, so root inside may write it as far as its mode goes. */
static void shmmax(void)
{
    write_back("/proc/sys/kernel/shmmax");
}

static void ip_forward(void)
{
    write_back("/proc/sys/net/ipv4/ip_forward");
}

static void user_namespaces_max(void)
{
    write_back("/proc/sys/user/max_user_namespaces");
}

/* Opened, never written: a letter in it can end the machine. */
static void sysrq(void)
{
    open_or_answer("/proc/sysrq-trigger", O_WRONLY);
    succeeded("opened for writing");
}

static void irq_affinity(void)
{
    open_or_answer("/proc/irq/default_smp_affinity", O_WRONLY);
    succeeded("opened for writing");
}

static void binfmt_register(void)
{
    open_or_answer("/proc/sys/fs/binfmt_misc/register", O_WRONLY);
    succeeded("opened for writing");
}

/* A masked file has /dev/null in its place: as good as absent. */
static void read_kernel_file(const char *path)
{
    char byte;
    struct stat status;
    int fd = open_or_answer(path, O_RDONLY);

    if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3))
        absent(NULL);
    ssize_t length = read(fd, &byte, 1);
    if (length < 0)
        refused(errno);
    if (length == 0)
        refused_as("empty");
    succeeded("read");
}

static void kcore(void)
{
    read_kernel_file("/proc/kcore");
}

static void kallsyms(void)
{
    read_kernel_file("/proc/kallsyms");
}

static void interrupts(void)
{
    read_kernel_file("/proc/interrupts");
}

static void timer_list(void)
{
    read_kernel_file("/proc/timer_list");
}

static void keys(void)
{
    read_kernel_file("/proc/keys");
}

static void kmsg(void)
{
    read_kernel_file("/proc/kmsg");
}

static void kpageflags(void)
{
    read_kernel_file("/proc/kpageflags");
}

static void masked_directory(void)
{
    DIR *directory = opendir("/proc/acpi");
    int count = 0;

    if (directory == NULL && errno == ENOENT)
        absent(NULL);
    if (directory == NULL)
        refused(errno);
    while (readdir(directory) != NULL)
        count++;
    if (count <= 2)
        absent(NULL);
    succeeded("%d entries", count - 2);
}

/* ---- pid 1 through its files ---- */

static void init_memory(void)
{
    open_or_answer("/proc/1/mem", O_RDWR);
    succeeded("opened for writing");
}

static void init_environment(void)
{
    char byte;
    int fd = open_or_answer("/proc/1/environ", O_RDONLY);

    judge(read(fd, &byte, 1), "read");
}

static void init_descriptors(void)
{
    DIR *directory = opendir("/proc/1/fd");
    int count = 0;

    if (directory == NULL)
        refused(errno);
    while (readdir(directory) != NULL)
        count++;
    succeeded("%d descriptors", count - 2);
}

static void init_binary(void)
{
    open_or_answer("/proc/1/exe", O_RDONLY);
    succeeded("opened");
}

static void init_root(void)
{
    open_or_answer("/proc/1/root/etc", O_RDONLY | O_DIRECTORY);
    succeeded("opened");
}

static void init_namespace(void)
{
    open_or_answer("/proc/1/ns/user", O_RDONLY);
    succeeded("opened");
}

/* Files of a process that is not dumpable belong to the host's root, who is nobody in here; of one that is, to its user inside: root. */
static void init_owner(void)
{
    struct stat status;

    if (stat("/proc/1/fd", &status) != 0)
        refused(errno);
    if (status.st_uid == 65534)
        refused_as("nobody");
    succeeded("owner %u", status.st_uid);
}

/* ---- itself ---- */

static void uid_map(void)
{
    int fd = open_or_answer("/proc/self/uid_map", O_WRONLY);

    judge(write(fd, "0 0 1\n", 6), "written");
}

static void oom_score(void)
{
    int fd = open_or_answer("/proc/self/oom_score_adj", O_WRONLY);

    judge(write(fd, "-1000", 5), "written");
}

static void time_offsets(void)
{
    int fd = open_or_answer("/proc/self/timens_offsets", O_WRONLY);

    judge(write(fd, "monotonic 0 0\n", 14), "written");
}

/* Turns a descriptor for reading into one for writing by opening it again by name. */
static void reopen_descriptor(void)
{
    char path[64];
    int fd = open_or_answer(told("CANARY_MOUNTED_FILE"), O_RDONLY);

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    open_or_answer(path, O_WRONLY);
    succeeded("opened for writing");
}

/* The same through the mapping of the file. */
static void reopen_mapping(void)
{
    char path[96];
    int fd = open_or_answer(told("CANARY_MOUNTED_FILE"), O_RDONLY);
    char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        inconclusive("mmap: %s", error_name(errno));
    snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)map, (unsigned long)map + 4096);
    open_or_answer(path, O_WRONLY);
    succeeded("opened for writing");
}

static void root_link(void)
{
    char path[512];

    snprintf(path, sizeof path, "/proc/self/root/../../../../..%s", told("CANARY_FILE"));
    open_or_answer(path, O_RDONLY);
    succeeded("opened");
}

static void working_directory_link(void)
{
    char path[512];

    if (chdir("/") != 0)
        inconclusive("chdir: %s", error_name(errno));
    snprintf(path, sizeof path, "/proc/self/cwd/../../../../..%s", told("CANARY_FILE"));
    open_or_answer(path, O_RDONLY);
    succeeded("opened");
}

/* Where on the host this is would be the first thing to know. */
static void cgroup_path(void)
{
    char line[1024];
    FILE *file = fopen("/proc/self/cgroup", "re");

    if (file == NULL)
        refused(errno);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *path = strrchr(line, ':');
        if (path != NULL && strcmp(path, ":/\n") != 0 && strncmp(path, ":/e", 3) != 0) /* Its own group of commands may show. */
            succeeded("%s", path + 1);
    }
    absent(NULL);
}

/* ---- the host's processes ---- */

static bool is_number(const char *text)
{
    return strspn(text, "0123456789") == strlen(text);
}

static void search_processes(const char *file, const char *needle)
{
    char path[300];
    struct dirent *entry;
    DIR *directory = opendir("/proc");

    if (directory == NULL)
        refused(errno);
    while ((entry = readdir(directory)) != NULL) {
        snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, file);
        if (is_number(entry->d_name) && file_holds(path, needle))
            succeeded("found in %s", path);
    }
    absent(NULL);
}

static void host_environment(void)
{
    search_processes("environ", "WARREN_ESCAPE_SECRET=");
}

static void host_command_line(void)
{
    search_processes("cmdline", "warren-escape-canary");
}

static void host_process_directory(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld", told_number("CANARY_PID"));
    open_or_answer(path, O_RDONLY | O_DIRECTORY);
    if (strlen(path) > 0 && access(path, F_OK) == 0) {
        snprintf(path, sizeof path, "/proc/%ld/cmdline", told_number("CANARY_PID"));
        if (!file_holds(path, "warren-escape-canary"))
            absent("another process of that number");
    }
    succeeded("opened");
}

static void host_process_root(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/cmdline", told_number("CANARY_PID"));
    if (!file_holds(path, "warren-escape-canary"))
        absent(NULL);
    snprintf(path, sizeof path, "/proc/%ld/root/etc", told_number("CANARY_PID"));
    open_or_answer(path, O_RDONLY | O_DIRECTORY);
    succeeded("opened");
}

/* ---- /sys ---- */

static void uevent_helper(void)
{
    open_or_answer("/sys/kernel/uevent_helper", O_WRONLY);
    succeeded("opened for writing");
}

static void release_agent(void)
{
    static const char *const paths[] = {"/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/pids/release_agent", "/sys/fs/cgroup/release_agent"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], F_OK) == 0) {
            open_or_answer(paths[i], O_WRONLY);
            succeeded("opened for writing");
        }
    absent(NULL);
}

static void firmware(void)
{
    open_or_answer("/sys/firmware", O_RDONLY | O_DIRECTORY);
    succeeded("opened");
}

const struct attempt proc_attempts[] = {
    {"proc-core-pattern", core_pattern},
    {"proc-modprobe", modprobe_path},
    {"proc-shmmax", shmmax},
    {"proc-ip-forward", ip_forward},
    {"proc-user-namespaces-max", user_namespaces_max},
    {"proc-sysrq", sysrq},
    {"proc-irq", irq_affinity},
    {"proc-binfmt", binfmt_register},
    {"proc-kcore", kcore},
    {"proc-kallsyms", kallsyms},
    {"proc-interrupts", interrupts},
    {"proc-timer-list", timer_list},
    {"proc-keys", keys},
    {"proc-kmsg", kmsg},
    {"proc-kpageflags", kpageflags},
    {"proc-acpi", masked_directory},
    {"proc-init-memory", init_memory},
    {"proc-init-environment", init_environment},
    {"proc-init-descriptors", init_descriptors},
    {"proc-init-binary", init_binary},
    {"proc-init-root", init_root},
    {"proc-init-namespace", init_namespace},
    {"proc-init-owner", init_owner},
    {"proc-uid-map", uid_map},
    {"proc-oom-score", oom_score},
    {"proc-time-offsets", time_offsets},
    {"proc-reopen-descriptor", reopen_descriptor},
    {"proc-reopen-mapping", reopen_mapping},
    {"proc-root-link", root_link},
    {"proc-cwd-link", working_directory_link},
    {"proc-cgroup-path", cgroup_path},
    {"proc-host-environment", host_environment},
    {"proc-host-command-line", host_command_line},
    {"proc-host-process", host_process_directory},
    {"proc-host-process-root", host_process_root},
    {"sys-uevent-helper", uevent_helper},
    {"sys-release-agent", release_agent},
    {"sys-firmware", firmware},
    {NULL, NULL},
};
