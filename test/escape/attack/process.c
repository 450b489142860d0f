/* Other processes: the host's, and pid 1. Signal 0 asks for the permission alone; limits and priorities are set to what they are. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALL_PIDFD_SEND_SIGNAL 424
#define CALL_PIDFD_OPEN 434
#define CALL_PIDFD_GETFD 438
#define CALL_PROCESS_MADVISE 440

static bool is_canary(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    return file_holds(path, "warren-escape-canary");
}

static void signal_host(void)
{
    pid_t pid = (pid_t)told_number("CANARY_PID");

    if (kill(pid, 0) != 0)
        refused(errno);
    if (!is_canary(pid))
        absent("another process of that number");
    succeeded("allowed");
}

static void pidfd_host(void)
{
    pid_t pid = (pid_t)told_number("CANARY_PID");

    if (syscall(CALL_PIDFD_OPEN, pid, 0) < 0)
        refused(errno);
    if (!is_canary(pid))
        absent("another process of that number");
    succeeded("opened");
}

static void limits_of_host(void)
{
    struct rlimit limit;

    judge(prlimit((pid_t)told_number("CANARY_PID"), RLIMIT_NOFILE, NULL, &limit), "read");
}

/* Only where pid 1 is the sandbox's: with the pid namespace left out it would be the host's. */
static bool is_ours(void)
{
    return file_holds("/proc/1/comm", "warren-init");
}

static void signal_init(void)
{
    judge(kill(1, 0), "allowed");
}

/* For root inside the kernel accepts signals to pid 1 of a pid namespace and drops them. Whether it lived is for the host to say. */
static void kill_init(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGSTOP, SIGSEGV, SIGKILL};

    if (!is_ours())
        inconclusive("pid 1 is not ours");
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (kill(1, signals[i]) != 0)
            refused(errno);
    succeeded("sent");
}

static void queue_signal_to_init(void)
{
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};

    judge(syscall(SYS_rt_sigqueueinfo, 1, 0, &info), "allowed");
}

static void pidfd_signal_init(void)
{
    int fd = (int)syscall(CALL_PIDFD_OPEN, 1, 0);

    if (fd < 0)
        refused(errno);
    judge(syscall(CALL_PIDFD_SEND_SIGNAL, fd, 0, NULL, 0), "allowed");
}

static void trace_init(void)
{
    judge(ptrace(PTRACE_SEIZE, 1, NULL, NULL), "seized");
}

static void trace_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    long result = ptrace(PTRACE_ATTACH, pid, NULL, NULL);
    int error = errno;
    kill(pid, SIGKILL);
    errno = error;
    judge(result, "attached");
}

static void be_traced(void)
{
    judge(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "allowed");
}

static void read_init(void)
{
    char byte;
    struct iovec here = {.iov_base = &byte, .iov_len = 1}, there = {.iov_base = (void *)(uintptr_t)0x400000, .iov_len = 1};

    judge(process_vm_readv(1, &here, 1, &there, 1, 0), "read");
}

static void write_init(void)
{
    char byte = 0;
    struct iovec here = {.iov_base = &byte, .iov_len = 0}, there = {.iov_base = (void *)(uintptr_t)0x400000, .iov_len = 0};

    judge(process_vm_writev(1, &here, 1, &there, 1, 0), "written");
}

static void take_descriptor(void)
{
    int fd = (int)syscall(CALL_PIDFD_OPEN, 1, 0);

    if (fd < 0)
        refused(errno);
    judge(syscall(CALL_PIDFD_GETFD, fd, 3, 0), "taken");
}

static void compare_descriptors(void)
{
    judge(syscall(SYS_kcmp, 1, getpid(), 1 /* KCMP_VM */, 0, 0), "compared");
}

static void advise_init(void)
{
    struct iovec range = {.iov_base = (void *)(uintptr_t)0x400000, .iov_len = 4096};
    int fd = (int)syscall(CALL_PIDFD_OPEN, 1, 0);

    if (fd < 0)
        refused(errno);
    judge(syscall(CALL_PROCESS_MADVISE, fd, &range, 1, 20 /* MADV_COLD */, 0), "advised");
}

static void move_pages_of_init(void)
{
    judge(syscall(SYS_move_pages, 1, 0, NULL, NULL, NULL, 0), "moved");
}

static void robust_list_of_init(void)
{
    void *head;
    size_t length;

    judge(syscall(SYS_get_robust_list, 1, &head, &length), "read");
}

static void slow_init(void)
{
    errno = 0;
    int now = getpriority(PRIO_PROCESS, 1);

    if (errno != 0)
        refused(errno);
    judge(setpriority(PRIO_PROCESS, 1, now), "set");
}

static void place_init(void)
{
    cpu_set_t set;

    if (sched_getaffinity(1, sizeof set, &set) != 0)
        refused(errno);
    judge(sched_setaffinity(1, sizeof set, &set), "set");
}

static void limit_init(void)
{
    struct rlimit limit;

    judge(prlimit(1, RLIMIT_NOFILE, NULL, &limit), "read");
}

/* ---- urgency ---- */

static void negative_nice(void)
{
    judge(setpriority(PRIO_PROCESS, 0, -5), "set");
}

static void real_time(void)
{
    struct sched_param parameter = {.sched_priority = 1};

    judge(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &parameter), "set");
}

static void deadline_scheduling(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = 48, .policy = 6 /* SCHED_DEADLINE */, .runtime = 1000000, .deadline = 10000000, .period = 10000000};

    judge(syscall(SYS_sched_setattr, 0, &attributes, 0), "set");
}

static void real_time_io(void)
{
    judge(syscall(SYS_ioprio_set, 1, 0, 1 << 13 /* IOPRIO_CLASS_RT */), "set");
}

static void session_of_init(void)
{
    pid_t session = getsid(1);

    if (session < 0)
        refused(errno);
    if (session == 1)
        refused_as("its own");
    succeeded("session %d", session);
}

/* ---- System V and POSIX objects of the host ---- */

static void host_shared_memory(void)
{
    int id = shmget((key_t)told_number("CANARY_IPC_KEY"), 0, 0);

    if (id < 0 && errno == ENOENT)
        absent(NULL);
    judge(id, "found");
}

static void host_semaphore(void)
{
    int id = semget((key_t)told_number("CANARY_IPC_KEY"), 0, 0);

    if (id < 0 && errno == ENOENT)
        absent(NULL);
    judge(id, "found");
}

static void host_queue(void)
{
    mqd_t queue = mq_open(told("CANARY_QUEUE"), O_RDWR);

    if (queue < 0 && errno == ENOENT)
        absent(NULL);
    judge(queue, "opened");
}

const struct attempt process_attempts[] = {
    {"process-signal-host", signal_host},
    {"process-pidfd-host", pidfd_host},
    {"process-limits-of-host", limits_of_host},
    {"process-signal-init", signal_init},
    {"process-kill-init", kill_init},
    {"process-queue-signal-to-init", queue_signal_to_init},
    {"process-pidfd-signal-init", pidfd_signal_init},
    {"process-trace-init", trace_init},
    {"process-trace-child", trace_child},
    {"process-be-traced", be_traced},
    {"process-read-init", read_init},
    {"process-write-init", write_init},
    {"process-take-descriptor", take_descriptor},
    {"process-compare", compare_descriptors},
    {"process-advise-init", advise_init},
    {"process-move-pages", move_pages_of_init},
    {"process-robust-list", robust_list_of_init},
    {"process-slow-init", slow_init},
    {"process-place-init", place_init},
    {"process-limit-init", limit_init},
    {"process-negative-nice", negative_nice},
    {"process-real-time", real_time},
    {"process-deadline", deadline_scheduling},
    {"process-real-time-io", real_time_io},
    {"process-session", session_of_init},
    {"ipc-shared-memory", host_shared_memory},
    {"ipc-semaphore", host_semaphore},
    {"ipc-queue", host_queue},
    {NULL, NULL},
};
