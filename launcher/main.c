/*
 * warren-launcher: builds the walls of Warren's sandboxes and is pid 1 inside them. It is told, it never decides: policy is in TypeScript, mechanism is
 * here. README.md lists what it can be told; serve.c is the mode the library uses.
 */
#define _GNU_SOURCE
#include "oneshot.h"
#include "serve.h"
#include "system.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define USAGE_CODE 125

__attribute__((noreturn)) static void usage(void)
{
    static const char text[] = "usage: warren-launcher serve --control-fd N [--cgroup-root DIRECTORY]... [--spares N]\n"
                               "       warren-launcher run --spec-fd N [--filter-fd N] [--cgroup-root DIRECTORY]... [--cwd DIRECTORY] [--env K=V]... -- COMMAND [ARGUMENT]...\n"
                               "       warren-launcher opaque < paths, NUL-separated\n"
                               "       warren-launcher version\n";
    (void)write_all(STDERR_FILENO, text, sizeof text - 1);
    _exit(USAGE_CODE);
}

static int parse_count(const char *text, long max)
{
    char *end;
    long value = text == NULL || *text == '\0' ? -1 : strtol(text, &end, 10);

    if (value < 0 || value > max || *end != '\0')
        usage();
    return (int)value;
}

static int parse_descriptor(const char *text)
{
    int value = parse_count(text, 1000000);

    if (fcntl(value, F_GETFD) < 0)
        usage();
    return value;
}

/*
 * Runs on from a sealed copy of this program in memory. What a sandbox could reach of its pid 1's binary, were every other wall down, is then nothing
 * that anybody else ever executes (CVE-2019-5736). If the kernel cannot, we go on as we are: pid 1 is not dumpable, so its /proc/1/exe is closed anyway.
 */
static void run_sealed(char **argv, char **environment)
{
    struct stat status;
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int copy = self < 0 || fstat(self, &status) != 0 || status.st_nlink == 0 ? -1 : memfd_create("warren-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (copy < 0)
        return;
    while (sendfile(copy, self, NULL, 1 << 20) > 0)
        ;
    struct stat copied;
    if (fstat(copy, &copied) == 0 && copied.st_size == status.st_size && fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
        (void)syscall(SYS_execveat, copy, "", argv, environment, AT_EMPTY_PATH);
    close(copy);
    close(self);
}

__attribute__((noreturn)) static void start_serving(int argc, char **argv, char **environment)
{
    static struct serve_options options = {.control = -1};

    run_sealed(argv, environment);
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--control-fd") == 0)
            options.control = parse_descriptor(argv[i + 1]);
        else if (strcmp(argv[i], "--cgroup-root") == 0 && options.roots.count < CGROUPS_MAX && argv[i + 1][0] == '/')
            options.roots.paths[options.roots.count++] = argv[i + 1];
        else if (strcmp(argv[i], "--spares") == 0)
            options.spares = parse_count(argv[i + 1], SPARES_MAX);
        else
            usage();
    }
    if (options.control < 0 || argc % 2 != 0 || fcntl(options.control, F_SETFD, FD_CLOEXEC) != 0)
        usage();
    options.arguments = argv[0];
    options.arguments_length = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
    serve(&options);
}

__attribute__((noreturn)) static void start_once(int argc, char **argv)
{
    static char *environment[1024];
    size_t count = 0;
    struct oneshot_options options = {.spec_fd = -1, .filter_fd = -1, .environment = environment};
    int i = 2;

    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        if (strcmp(argv[i], "--spec-fd") == 0)
            options.spec_fd = parse_descriptor(argv[i + 1]);
        else if (strcmp(argv[i], "--filter-fd") == 0)
            options.filter_fd = parse_descriptor(argv[i + 1]);
        else if (strcmp(argv[i], "--cgroup-root") == 0 && options.roots.count < CGROUPS_MAX && argv[i + 1][0] == '/')
            options.roots.paths[options.roots.count++] = argv[i + 1];
        else if (strcmp(argv[i], "--cwd") == 0)
            options.directory = argv[i + 1];
        else if (strcmp(argv[i], "--env") == 0 && count + 1 < sizeof environment / sizeof *environment)
            environment[count++] = argv[i + 1];
        else
            usage();
    }
    if (options.spec_fd < 0 || i + 1 >= argc || strcmp(argv[i], "--") != 0)
        usage();
    options.argv = argv + i + 1;
    run_once(&options);
}

/*
 * Says of each directory of an overlay layer whether it hides what lies below it: one 'y' or 'n' a path. Links are followed: the caller names
 * directories by /proc/PID/fd/N, which is a link to exactly the one it has open.
 */
__attribute__((noreturn)) static void tell_opaque(void)
{
    char *path = NULL, value[4];
    size_t capacity = 0;

    for (ssize_t length; (length = getdelim(&path, &capacity, '\0', stdin)) > 0;) {
        ssize_t size = getxattr(path, "user.overlay.opaque", value, sizeof value);
        putchar(size == 1 && value[0] == 'y' ? 'y' : 'n');
    }
    _exit(ferror(stdin) || fflush(stdout) != 0 ? USAGE_CODE : 0);
}

int main(int argc, char **argv, char **environment)
{
    const char *mode = argc > 1 ? argv[1] : "";

    /* Sandboxes, which are other users, pass through directories made here, whatever the caller keeps to itself. */
    umask(022);
    if (strcmp(mode, "serve") == 0)
        start_serving(argc, argv, environment);
    if (strcmp(mode, "run") == 0)
        start_once(argc, argv);
    if (strcmp(mode, "opaque") == 0 && argc == 2)
        tell_opaque();
    if (strcmp(mode, "version") == 0 && argc == 2) {
        puts("warren-launcher protocol " PROTOCOL_VERSION);
        return fflush(stdout) != 0 ? USAGE_CODE : 0;
    }
    usage();
}
