#define _GNU_SOURCE
#include "oneshot.h"

#include "cgroup.h"
#include "command.h"
#include "launch.h"
#include "walls.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHER_FAILED 125

static const struct oneshot_options *options;
static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

__attribute__((noreturn)) static void fail(const struct failure *failure)
{
    char line[FAILURE_LINE_MAX];
    size_t length = format_failure(failure, line, sizeof line - 1);

    line[length++] = '\n';
    (void)write_all(STDERR_FILENO, line, length); /* Nobody else to tell. */
    _exit(LAUNCHER_FAILED);
}

__attribute__((noreturn)) static void fail_call(const char *stage, const char *call)
{
    struct failure failure = {.stage = stage, .call = call, .error = errno};
    fail(&failure);
}

static size_t read_to_end(int fd, char *buffer, size_t capacity, const char *what)
{
    size_t length = 0;

    for (ssize_t count; length < capacity; length += (size_t)count) {
        count = read(fd, buffer + length, capacity - length);
        if (count < 0 && errno == EINTR)
            count = 0;
        else if (count < 0)
            fail_call("spec", what);
        else if (count == 0)
            return length;
    }
    errno = E2BIG;
    fail_call("spec", what);
}

static int open_signals(void)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
        sigaddset(&mask, forwarded[i]);
    if (sigprocmask(SIG_SETMASK, &mask, NULL) != 0)
        fail_call("prepare", "sigprocmask");
    int fd = signalfd(-1, &mask, SFD_CLOEXEC);
    if (fd < 0)
        fail_call("prepare", "signalfd");
    return fd;
}

/* Waits for `child`, handing signals on to it; returns how it ended. Also reaps whoever else ends, which is pid 1's duty. */
static int wait_and_forward(int signals, pid_t child)
{
    struct signalfd_siginfo details;

    for (;;) {
        int status;
        if (read(signals, &details, sizeof details) != sizeof details)
            continue;
        if (details.ssi_signo != SIGCHLD) {
            kill(child, (int)details.ssi_signo);
            continue;
        }
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
            if (pid == child)
                return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

/* Of pid 1 too, which opens nothing any more. */
static void limit_descriptors(const struct spec *spec)
{
    struct limit limit = descriptor_limit(spec);
    struct rlimit now, own = {.rlim_cur = limit.soft, .rlim_max = limit.hard};

    if (getrlimit(RLIMIT_NOFILE, &now) != 0)
        give_up("limits", "getrlimit", NULL);
    own.rlim_max = own.rlim_max < now.rlim_max ? own.rlim_max : now.rlim_max;
    own.rlim_cur = own.rlim_cur < own.rlim_max ? own.rlim_cur : own.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &own) != 0)
        give_up("limits", "setrlimit", NULL);
}

/* pid 1, once its walls stand. */
static void run_inside(const struct spec *spec)
{
    int signals = open_signals(), failure[2];
    if (prepare_commands() != 0)
        give_up("guest", "prepare", NULL);
    int report[2];

    if (pipe2(failure, O_CLOEXEC) != 0)
        give_up("guest", "pipe2", NULL);
    limit_descriptors(spec);
    pid_t child = fork();
    if (child < 0)
        give_up("guest", "fork", NULL);
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        close(GUEST_FD); /* Before the directory is looked up: it may be named /proc/self/fd/4. */
        close(GUEST_CGROUP_FD);
        const char *stage = "cwd";
        if (options->directory == NULL || chdir(options->directory) == 0) {
            stage = "exec";
            if (close_clone3() == 0)
                execute(options->argv, options->environment);
        }
        report[0] = errno;
        report[1] = strcmp(stage, "exec") == 0;
        (void)write_all(failure[1], report, sizeof report);
        _exit(127);
    }
    close(failure[1]);
    if (read_all(failure[0], report, sizeof report) == 0) {
        errno = report[0];
        if (!report[1])
            give_up("cwd", "chdir", options->directory);
        struct failure line = {.stage = "exec", .call = "execve", .path = options->argv[0], .error = report[0]};
        char text[FAILURE_LINE_MAX];
        (void)send_frame(GUEST_FD, FRAME_FAILED, 0, text, (uint32_t)format_failure(&line, text, sizeof text));
        _exit(report[0] == ENOENT ? 127 : 126);
    }
    (void)send_frame(GUEST_FD, FRAME_READY, 0, NULL, 0); /* If the launcher is gone, so are we. */
    close(GUEST_FD);
    _exit(wait_and_forward(signals, child));
}

/* Passes on why nothing ran. Returns when the command did start. */
static void await_start(int connection)
{
    struct frame_header header;
    char line[FAILURE_LINE_MAX + 1];

    if (read_all(connection, &header, sizeof header) != 0 || header.type != FRAME_FAILED || header.length > FAILURE_LINE_MAX ||
        read_all(connection, line, header.length) != 0)
        return;
    line[header.length] = '\n';
    (void)write_all(STDERR_FILENO, line, header.length + 1);
}

void run_once(const struct oneshot_options *given)
{
    static char spec_text[REQUEST_BYTES_MAX];
    static char filter[FILTER_BYTES_MAX] __attribute__((aligned(8)));
    static struct spec spec;
    struct failure failure;
    struct launched launched;
    int connection[2];

    options = given;
    size_t length = read_to_end(given->spec_fd, spec_text, sizeof spec_text, "spec");
    if (!parse_spec(spec_text, length, &spec, &failure))
        fail(&failure);
    size_t filter_length = given->filter_fd < 0 ? 0 : read_to_end(given->filter_fd, filter, sizeof filter, "filter");
    errno = EINVAL;
    if ((filter_length == 0) != ((spec.without & WITHOUT_SECCOMP) != 0) || filter_length % sizeof(struct sock_filter) != 0)
        fail_call("spec", "filter");
    int signals = open_signals();
    if (!prepare_launches(&failure))
        fail(&failure);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection) != 0)
        fail_call("prepare", "socketpair");
    struct request_to_launch request = {.connection = connection[1], .spec_text = spec_text, .spec_length = length, .filter = filter, .filter_length = filter_length};
    struct workshop workshop = {.roots = given->roots, .next_slot = (uint32_t)getpid(), .keep_standard_streams = true, .become = run_inside};
    if (!make_blank(&workshop, &spec, filter, filter_length, &launched, &failure))
        fail(&failure);
    if (!order_sandbox(&launched, &spec, &request, &failure)) {
        discard_blank(&workshop, &launched, &spec);
        fail(&failure);
    }
    close(connection[1]);
    await_start(connection[0]);
    int code = wait_and_forward(signals, launched.pid);
    remove_cgroups(&workshop.roots, launched.slot, spec.cgroups, spec.cgroup_count);
    _exit(code);
}
