#define _GNU_SOURCE
#include "command.h"

#include "files.h"
#include "system.h"
#include "tree.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static struct command_report *reports; /* by channel number */

/*
 * pid 1's filter allows clone3, so that a command is born in its cgroup: moving it there waits for an RCU grace period. For everybody else it stays closed,
 * because a filter cannot look behind its pointer for namespaces; libc falls back to clone.
 */
static bool must_close_clone3;

static void look_at_clone3(void)
{
    bool is_open = syscall(CALL_CLONE3, NULL, 0) < 0 && (errno == EINVAL || errno == EFAULT);

    must_close_clone3 = is_open && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
}

int close_clone3(void)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL_CLONE3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    static const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    return must_close_clone3 ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) : 0;
}

/* As fork, with the child born in this cgroup (-1: in ours). Where clone3 is closed to pid 1 too, the child moves itself. */
static pid_t fork_into(int directory)
{
    struct clone_arguments arguments = {.flags = CLONE_TO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)directory};

    if (directory < 0)
        return fork();
    pid_t pid = clone_process(&arguments);
    if (pid >= 0 || errno == EAGAIN || errno == ENOMEM)
        return pid;
    pid = fork();
    if (pid != 0)
        return pid;
    int procs = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (procs < 0 || write_all(procs, "0", 1) != 0)
        _exit(125);
    close(procs);
    return 0;
}

int prepare_commands(void)
{
    look_at_clone3();
    /* Pages appear as channels are used; a command that has executed no longer has them. */
    void *memory = mmap(NULL, sizeof *reports * (CHANNELS_MAX + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return -1;
    reports = memory;
    return 0;
}

void end_command_input(uint32_t number)
{
    __atomic_store_n(&reports[number].input_ended, 1, __ATOMIC_RELEASE);
}

const struct command_report *command_report(uint32_t number)
{
    return &reports[number];
}

/* Both ends of what a child gets: ours and its. */
struct plumbing {
    int child[3]; /* 0, 1, 2 of the child, or -1 to keep /dev/null */
    int ours[3];
};

static void close_all(int *fds, int count)
{
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int open_pipe(struct plumbing *plumbing, int which)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    plumbing->child[which] = which == 0 ? ends[0] : ends[1];
    plumbing->ours[which] = which == 0 ? ends[1] : ends[0];
    return fcntl(plumbing->ours[which], F_SETFL, O_NONBLOCK); /* Ours only: commands expect a pipe that waits. */
}

/* A terminal pair. It belongs to the user of the command: pid 1 takes that user's filesystem identity while it makes it. */
static int open_terminal(struct plumbing *plumbing, const struct request *request, bool switch_users)
{
    struct winsize size = {.ws_row = request->rows, .ws_col = request->columns};
    int unlock = 0;
    bool foreign = request->has_user && switch_users;

    if (foreign) {
        setfsgid(request->gid);
        setfsuid(request->uid);
    }
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (foreign) {
        setfsuid(geteuid());
        setfsgid(getegid());
        /* Both are lost with any change of ids (prctl(2)). If the launcher died just now, the guest connection's end tells. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
            return -1;
    }
    if (master < 0)
        return -1;
    plumbing->ours[1] = master;
    if (ioctl(master, TIOCSPTLCK, &unlock) != 0 || ioctl(master, TIOCSWINSZ, &size) != 0)
        return -1;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return -1;
    plumbing->child[0] = slave;
    plumbing->child[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
    plumbing->child[2] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
    /* Its own number, because reading and writing are watched apart. */
    plumbing->ours[0] = fcntl(master, F_DUPFD_CLOEXEC, 0);
    return plumbing->child[1] < 0 || plumbing->child[2] < 0 || plumbing->ours[0] < 0 ? -1 : 0;
}

static int open_plumbing(int type, const struct request *request, bool switch_users, struct plumbing *plumbing)
{
    *plumbing = (struct plumbing){.child = {-1, -1, -1}, .ours = {-1, -1, -1}};
    int failed = request->pty                  ? open_terminal(plumbing, request, switch_users)
                 : open_pipe(plumbing, 1) != 0 ? -1
                 : (type == FRAME_WRITE || request->has_stdin) && open_pipe(plumbing, 0) != 0 ? -1
                 : type == FRAME_EXEC          ? open_pipe(plumbing, 2)
                                               : 0;
    if (failed != 0) {
        int error = errno;
        close_all(plumbing->child, 3);
        close_all(plumbing->ours, 3);
        errno = error;
    }
    return failed;
}

/* ---- in the child ---- */

__attribute__((noreturn)) static void report_failure(struct command_report *report, const char *stage, const char *call, const char *path)
{
    report->error = errno;
    snprintf(report->stage, sizeof report->stage, "%s", stage);
    snprintf(report->call, sizeof report->call, "%s", call);
    snprintf(report->path, sizeof report->path, "%s", path);
    report->failed = 1;
    _exit(127);
}

static void take_streams(const struct plumbing *plumbing, bool pty, struct command_report *report)
{
    if (setsid() < 0)
        report_failure(report, "session", "setsid", "");
    if (pty && ioctl(plumbing->child[0], TIOCSCTTY, 0) != 0)
        report_failure(report, "session", "ioctl", "TIOCSCTTY");
    for (int fd = 0; fd < 3; fd++)
        if (plumbing->child[fd] >= 0 && dup2(plumbing->child[fd], fd) != fd)
            report_failure(report, "session", "dup2", "");
}

static void reset_signals(void)
{
    sigset_t none;

    signal(SIGPIPE, SIG_DFL);
    if (sigemptyset(&none) == 0)
        sigprocmask(SIG_SETMASK, &none, NULL);
}

static void apply_limits(const struct request *request, struct command_report *report)
{
    for (size_t i = 0; i < request->limit_count; i++) {
        struct rlimit now, limit = {.rlim_cur = request->limits[i].soft, .rlim_max = request->limits[i].hard};
        if (getrlimit(request->limits[i].resource, &now) != 0)
            report_failure(report, "limits", "getrlimit", "");
        if (limit.rlim_max > now.rlim_max) /* The sandbox's limit is the upper bound. */
            limit.rlim_max = now.rlim_max;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        if (setrlimit(request->limits[i].resource, &limit) != 0)
            report_failure(report, "limits", "setrlimit", "");
    }
}

/* After this the process is the command's user and holds no capability at all. */
static void become_user(const struct request *request, bool switch_users, struct command_report *report)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};

    if (request->has_user && switch_users &&
        (setgroups(0, NULL) != 0 || setresgid(request->gid, request->gid, request->gid) != 0 || setresuid(request->uid, request->uid, request->uid) != 0))
        report_failure(report, "identity", "setresuid", "");
    if (request->has_user && !switch_users && (request->uid != getuid() || request->gid != getgid())) {
        errno = EPERM;
        report_failure(report, "identity", "setresuid", "");
    }
    if (switch_users && syscall(SYS_capset, &header, none) != 0)
        report_failure(report, "identity", "capset", "");
}

void execute(char **argv, char **environment)
{
    static char path[4096 + 256];
    const char *list = "/usr/local/bin:/usr/bin:/bin";
    int worst = ENOENT;

    if (strchr(argv[0], '/') != NULL) {
        execve(argv[0], argv, environment);
        return;
    }
    for (char **entry = environment; *entry != NULL; entry++)
        if (strncmp(*entry, "PATH=", 5) == 0)
            list = *entry + 5;
    for (size_t length; argv[0][0] != '\0' && *list != '\0'; list += length + (list[length] == ':')) {
        length = strcspn(list, ":");
        if (length == 0 || (size_t)snprintf(path, sizeof path, "%.*s/%s", (int)length, list, argv[0]) >= sizeof path)
            continue;
        execve(path, argv, environment);
        if (errno != ENOENT && errno != ENOTDIR)
            worst = errno; /* Found, but it will not start: worth more than "not found" in a later directory. */
        if (errno == E2BIG || errno == ENOMEM)
            break;
    }
    errno = worst;
}

__attribute__((noreturn)) static void run_child(int type, const struct request *request, const struct plumbing *plumbing, bool switch_users,
                                                struct command_report *report)
{
    take_streams(plumbing, request->pty, report);
    /*
     * Before any path of the request is looked up, not only by execve: /proc/self/fd/4 would lead from here into the host's cgroup tree (CVE-2024-21626),
     * and a file operation would hold the writing end of its own stdin.
     */
    if (close_from(3) != 0)
        report_failure(report, "descriptors", "close_range", "");
    reset_signals();
    umask(request->umask);
    apply_limits(request, report);
    if (close_clone3() != 0)
        report_failure(report, "seccomp", "seccomp", "clone3");
    become_user(request, switch_users, report);
    if (type != FRAME_EXEC) {
        struct operation_failure failure;
        if (do_file_operation(type, request, &report->input_ended, &failure) != 0) {
            errno = failure.error;
            report_failure(report, "file", failure.call, request->path);
        }
        _exit(0);
    }
    if (request->directory != NULL && chdir(request->directory) != 0)
        report_failure(report, "cwd", "chdir", request->directory);
    execute(request->argv, request->environment);
    report_failure(report, "exec", "execve", request->argv[0]);
}

/*
 * Where there is no cgroup to hold a tree together, a keeper does: orphans become its children, not pid 1's. It passes on how the command ended, stays
 * until the last of them is gone, and remains pid 1's own user so that they cannot end it.
 */
static void keep_tree(struct command_report *report, int announce)
{
    struct rusage usage;
    uint64_t all = ~(uint64_t)0;
    int status;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        report_failure(report, "session", "prctl", "PR_SET_CHILD_SUBREAPER");
    pid_t command = fork();
    if (command < 0)
        report_failure(report, "fork", "fork", "");
    if (command == 0)
        return;
    /* With a single id the command is the same user. What it can still send is answered in guest.c (SIGKILL) and tree.c (SIGSTOP). */
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all); /* Also those that a C library keeps for itself. */
    if (write_all(announce, &command, sizeof command) != 0)
        _exit(125);
    close_from(3);
    for (pid_t pid; (pid = wait4(-1, &status, 0, &usage)) > 0 || errno == EINTR;)
        if (pid == command) {
            command = 0; /* Its number may come back, and what has it then is an orphan like others. */
            report->status = status;
            report->usage = usage;
            __atomic_store_n(&report->done, 1, __ATOMIC_RELEASE);
            kill(1, SIGUSR1);
        }
    _exit(0);
}

/* ---- in pid 1 ---- */

int start_command(int type, uint32_t number, const struct request *request, bool switch_users, struct command *command, const char **stage, const char **call)
{
    struct plumbing plumbing;
    struct command_report *report = &reports[number];

    *stage = "pipes";
    *call = request->pty ? "ptmx" : "pipe2";
    if (open_plumbing(type, request, switch_users, &plumbing) != 0)
        return -1;
    report->failed = report->done = report->input_ended = 0;
    *stage = "fork";
    *call = "fork";
    struct tree_entry entry;
    int announce[2] = {-1, -1};
    bool kept = type == FRAME_EXEC && open_tree_entry(&entry) != 0;
    if (type != FRAME_EXEC || kept)
        entry = (struct tree_entry){.handle = 0, .directory = -1};
    pid_t pid = kept && pipe2(announce, O_CLOEXEC) != 0 ? -1 : fork_into(entry.directory), keeper = 0;
    if (pid == 0) {
        if (kept)
            keep_tree(report, announce[1]);
        run_child(type, request, &plumbing, switch_users, report);
    }
    int error = errno;
    close_all(plumbing.child, 3);
    if (entry.directory >= 0)
        close(entry.directory);
    if (announce[1] >= 0)
        close(announce[1]);
    if (pid > 0 && kept) {
        keeper = pid;
        if (read_all(announce[0], &pid, sizeof pid) != 0)
            pid = keeper; /* It failed before there was a command; the report says why. */
    }
    if (announce[0] >= 0)
        close(announce[0]);
    if (pid < 0) {
        close_all(plumbing.ours, 3);
        release_tree(entry.handle);
        errno = error;
        return -1;
    }
    *command = (struct command){.pid = pid, .keeper = keeper, .tree = entry.handle, .input = plumbing.ours[0], .output = plumbing.ours[1], .errors = plumbing.ours[2]};
    return 0;
}
