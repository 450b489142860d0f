/*
 * attack NAME…               makes the attempts, each in a process of its own, and prints `NAME ANSWER` for each, in order
 * attack --direct NAME       makes one in this very process, so that what ends the attempt ends the command, and prints `ANSWER`
 * attack --list              prints the names there are
 * attack --swap ONE OTHER    exchanges two paths without end
 * attack --attribute P NAME  on the host: prints the extended attribute of a file, or the error
 * attack --canary KEY NAME   on the host: holds a System V segment, a semaphore and a POSIX queue that nobody inside may find, until its input ends
 */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ANSWER_MAX 512
#define DEADLINE_MS 10000

static int answer_fd = -1;

static const struct attempt *const themes[] = {
    device_attempts, kernel_attempts, limit_attempts, mount_attempts, network_attempts, privilege_attempts, proc_attempts, process_attempts, root_attempts,
};

/* ---- answers ---- */

__attribute__((noreturn, format(printf, 1, 0))) static void answer(const char *format, va_list values)
{
    char line[ANSWER_MAX];
    int length = vsnprintf(line, sizeof line, format, values);

    if (length >= (int)sizeof line)
        length = sizeof line - 1;
    for (int i = 0; i < length; i++)
        if (line[i] == '\n')
            line[i] = ' ';
    _exit(write(answer_fd, line, (size_t)length) == length ? 0 : 1);
}

__attribute__((noreturn, format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    answer(format, values);
}

void refused(int error)
{
    say("refused %s", error_name(error));
}

void refused_as(const char *how)
{
    say("refused %s", how);
}

void absent(const char *why)
{
    if (why == NULL)
        say("absent");
    say("absent %s", why);
}

void succeeded(const char *format, ...)
{
    char text[ANSWER_MAX];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    say("succeeded %s", text);
}

void inconclusive(const char *format, ...)
{
    char text[ANSWER_MAX];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    say("inconclusive %s", text);
}

void judge(long result, const char *what)
{
    if (result < 0)
        refused(errno);
    succeeded("%s", what);
}

const char *error_name(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
        {E2BIG, "E2BIG"},
        {EACCES, "EACCES"},
        {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
        {EAFNOSUPPORT, "EAFNOSUPPORT"},
        {EAGAIN, "EAGAIN"},
        {EBADF, "EBADF"},
        {EBUSY, "EBUSY"},
        {ECHILD, "ECHILD"},
        {ECONNREFUSED, "ECONNREFUSED"},
        {EDQUOT, "EDQUOT"},
        {EEXIST, "EEXIST"},
        {EFAULT, "EFAULT"},
        {EFBIG, "EFBIG"},
        {EHOSTUNREACH, "EHOSTUNREACH"},
        {EINVAL, "EINVAL"},
        {EIO, "EIO"},
        {EISDIR, "EISDIR"},
        {ELOOP, "ELOOP"},
        {EMFILE, "EMFILE"},
        {ENETUNREACH, "ENETUNREACH"},
        {ENFILE, "ENFILE"},
        {ENODATA, "ENODATA"},
        {ENODEV, "ENODEV"},
        {ENOENT, "ENOENT"},
        {ENOEXEC, "ENOEXEC"},
        {ENOMEM, "ENOMEM"},
        {ENOPKG, "ENOPKG"},
        {ENOPROTOOPT, "ENOPROTOOPT"},
        {ENOSPC, "ENOSPC"},
        {ENOSYS, "ENOSYS"},
        {ENOTBLK, "ENOTBLK"},
        {ENOTDIR, "ENOTDIR"},
        {ENOTTY, "ENOTTY"},
        {ENXIO, "ENXIO"},
        {EOPNOTSUPP, "EOPNOTSUPP"},
        {EOVERFLOW, "EOVERFLOW"},
        {EPERM, "EPERM"},
        {EPIPE, "EPIPE"},
        {EPROTONOSUPPORT, "EPROTONOSUPPORT"},
        {EROFS, "EROFS"},
        {ESRCH, "ESRCH"},
        {ESTALE, "ESTALE"},
        {ETXTBSY, "ETXTBSY"},
        {EUSERS, "EUSERS"},
        {EXDEV, "EXDEV"},
    };
    static char number[16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error)
            return names[i].name;
    snprintf(number, sizeof number, "E%d", error);
    return number;
}

/* ---- help for attempts ---- */

int open_or_answer(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        absent(NULL);
    if (fd < 0)
        refused(errno);
    return fd;
}

const char *told(const char *name)
{
    const char *value = getenv(name);

    if (value == NULL)
        inconclusive("%s is not in the environment", name);
    return value;
}

long told_number(const char *name)
{
    return strtol(told(name), NULL, 10);
}

const char *scratch_directory(void)
{
    static char path[] = "/tmp/attack-XXXXXX";
    static bool made;

    if (!made && mkdtemp(path) == NULL)
        inconclusive("mkdtemp: %s", error_name(errno));
    made = true;
    return path;
}

const char *scratch_path(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", scratch_directory(), name);
    return path;
}

bool file_holds(const char *path, const char *needle)
{
    static char content[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : read(fd, content, sizeof content);

    if (fd >= 0)
        close(fd);
    return length > 0 && memmem(content, (size_t)length, needle, strlen(needle)) != NULL;
}

bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = fd < 0 ? -1 : write(fd, text, strlen(text));
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return length == (ssize_t)strlen(text);
}

/* ---- running ---- */

static const struct attempt *find(const char *name)
{
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++)
        for (const struct attempt *attempt = themes[i]; attempt->name != NULL; attempt++)
            if (strcmp(attempt->name, name) == 0)
                return attempt;
    return NULL;
}

static const char *signal_name(int status)
{
    switch (WTERMSIG(status)) {
    case SIGSYS:
        return "SIGSYS";
    case SIGXFSZ:
        return "SIGXFSZ";
    case SIGKILL:
        return "SIGKILL";
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    default:
        return "signal";
    }
}

static void make(const struct attempt *attempt)
{
    char line[ANSWER_MAX] = "";
    int ends[2], status = 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        printf("%s inconclusive pipe2 %s\n", attempt->name, error_name(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        close(ends[0]);
        answer_fd = fcntl(ends[1], F_DUPFD_CLOEXEC, 600); /* Out of the way of attempts that look at descriptors. */
        close(ends[1]);
        attempt->run();
        inconclusive("no answer");
    }
    close(ends[1]);
    struct pollfd arrival = {.fd = ends[0], .events = POLLIN};
    ssize_t length = pid > 0 && poll(&arrival, 1, DEADLINE_MS) > 0 ? read(ends[0], line, sizeof line - 1) : -2;
    close(ends[0]);
    if (pid > 0) {
        if (length != 0) { /* It has answered, or will not. Else it has died, and how is the answer. */
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (pid < 0)
        printf("%s inconclusive fork %s\n", attempt->name, error_name(errno));
    else if (length == -2)
        printf("%s inconclusive no answer in time\n", attempt->name);
    else if (length <= 0 && WIFSIGNALED(status))
        printf("%s refused %s\n", attempt->name, signal_name(status));
    else
        printf("%s %s\n", attempt->name, length > 0 ? line : "inconclusive nothing said");
}

static void list(void)
{
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++)
        for (const struct attempt *attempt = themes[i]; attempt->name != NULL; attempt++)
            puts(attempt->name);
}

static int be_canary(key_t key, const char *queue_name)
{
    char byte;
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 16};

    umask(0); /* Only the walls are to stand in the way. */
    int memory = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0666), semaphore = semget(key, 1, IPC_CREAT | IPC_EXCL | 0666);
    mqd_t queue = mq_open(queue_name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666, &attributes);
    if (memory < 0 || semaphore < 0 || queue < 0)
        printf("failed %s\n", error_name(errno));
    else
        puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    shmctl(memory, IPC_RMID, NULL);
    semctl(semaphore, 0, IPC_RMID);
    mq_unlink(queue_name);
    return 0;
}

static int print_attribute(const char *path, const char *name)
{
    char value[256];
    ssize_t length = lgetxattr(path, name, value, sizeof value);

    if (length < 0)
        puts(error_name(errno));
    else
        printf("%.*s\n", (int)length, value);
    return 0;
}

__attribute__((noreturn)) static void make_directly(const char *name)
{
    const struct attempt *attempt = find(name);

    answer_fd = STDOUT_FILENO;
    if (attempt == NULL)
        inconclusive("no such attempt");
    attempt->run();
    inconclusive("no answer");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--canary") == 0)
        return be_canary((key_t)strtol(argv[2], NULL, 10), argv[3]);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--direct") == 0)
        make_directly(argv[2]);
    while (argc == 4 && strcmp(argv[1], "--swap") == 0)
        syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], 2); /* RENAME_EXCHANGE; there may be nothing to exchange just now. */
    if (argc == 4 && strcmp(argv[1], "--attribute") == 0)
        return print_attribute(argv[2], argv[3]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        const struct attempt *attempt = find(argv[i]);
        if (attempt == NULL)
            printf("%s inconclusive no such attempt\n", argv[i]);
        else
            make(attempt);
    }
    return 0;
}
