/*
 * The floor under every sandbox: what the kernel takes when nothing is asked of it but new namespaces of all seven kinds, id maps and a program.
 * One turn for each line on stdin, its nanoseconds as one line on stdout; so that it can take turns with what it is compared to.
 *
 *     seq 100 | floor
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "/bin/true"
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

__attribute__((noreturn)) static void fail(const char *call)
{
    fprintf(stderr, "floor: %s: %s\n", call, strerror(errno));
    exit(1);
}

static void write_proc(pid_t pid, const char *file, const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        fail(path);
    close(fd);
}

static void write_maps(pid_t pid)
{
    char line[32];

    if (geteuid() != 0)
        write_proc(pid, "setgroups", "deny"); /* A user may map its own group only then (user_namespaces(7)). */
    snprintf(line, sizeof line, "0 %u 1\n", geteuid());
    write_proc(pid, "uid_map", line);
    snprintf(line, sizeof line, "0 %u 1\n", getegid());
    write_proc(pid, "gid_map", line);
}

__attribute__((noreturn)) static void be_child(int go)
{
    static char *const argv[] = {(char *)(uintptr_t)PROGRAM, NULL}, *const environment[] = {NULL};
    char byte;

    if (read(go, &byte, 1) == 1)
        execve(PROGRAM, argv, environment);
    _exit(127);
}

static void take_turn(void)
{
    struct clone_args arguments = {.flags = NAMESPACES, .exit_signal = SIGCHLD};
    int go[2], status;

    if (pipe2(go, O_CLOEXEC) != 0)
        fail("pipe2");
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0)
        fail("clone3");
    if (pid == 0)
        be_child(go[0]);
    write_maps(pid);
    if (write(go[1], "g", 1) != 1)
        fail("write");
    close(go[0]);
    close(go[1]);
    if (waitpid(pid, &status, 0) != pid)
        fail("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "floor: %s ended with status %d\n", PROGRAM, status);
        exit(1);
    }
}

static int64_t nanoseconds_now(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        fail("clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(void)
{
    char line[32];

    while (fgets(line, sizeof line, stdin) != NULL) {
        int64_t before = nanoseconds_now();
        take_turn();
        printf("%lld\n", (long long)(nanoseconds_now() - before));
        if (fflush(stdout) != 0)
            fail("write");
    }
    return 0;
}
