/* Taking more than the share: each stops by itself a little above the limit, so that it ends also where there is none. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ul << 20)
#define HOG_BYTES (96 * MIB) /* Of a sandbox that has 64. */

static void touch(char *memory, size_t length)
{
    for (size_t at = 0; at < length; at += 4096)
        memory[at] = 1;
}

static void anonymous_memory(void)
{
    char *memory = mmap(NULL, HOG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        refused(errno);
    touch(memory, HOG_BYTES);
    succeeded("taken");
}

static void memory_file(void)
{
    int fd = memfd_create("hog", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)HOG_BYTES) != 0)
        refused(errno);
    char *memory = mmap(NULL, HOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        refused(errno);
    touch(memory, HOG_BYTES);
    succeeded("taken");
}

static void shared_memory(void)
{
    int id = shmget(IPC_PRIVATE, HOG_BYTES, IPC_CREAT | 0600);
    char *memory = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

    if (memory == (char *)-1)
        refused(errno);
    shmctl(id, IPC_RMID, NULL);
    touch(memory, HOG_BYTES);
    succeeded("taken");
}

static void fill(const char *path, size_t bytes)
{
    static char block[65536];
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        refused(errno);
    memset(block, 1, sizeof block);
    for (ssize_t count; bytes > 0; bytes -= (size_t)count) {
        count = write(fd, block, bytes < sizeof block ? bytes : sizeof block); /* What fits; the next one says why no more. */
        if (count <= 0) {
            int error = errno;
            unlink(path);
            refused(error);
        }
    }
    unlink(path);
    succeeded("filled");
}

/* Files in memory are memory. */
static void scratch_memory(void)
{
    fill("/tmp/hog", HOG_BYTES);
}

static void scratch_space(void)
{
    fill("/tmp/hog", 2 * MIB); /* Of one. */
}

static void home_space(void)
{
    fill("/home/agent/hog", 2 * MIB);
}

static void shm_space(void)
{
    fill("/dev/shm/hog", 2 * MIB);
}

static void run_space(void)
{
    fill("/run/hog", 5 * MIB); /* Of four, always. */
}

static void scratch_inodes(void)
{
    char path[64];
    const char *directory = scratch_directory();

    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "%s/%d", directory, i);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0)
            refused(errno);
        close(fd);
    }
    succeeded("2000 files");
}

/* A child for each place there is; they end with this process. */
static void processes(void)
{
    for (int i = 0; i < 200; i++) { /* Of a sandbox that may have 32. */
        pid_t pid = fork();
        if (pid < 0)
            refused(errno);
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                pause();
        }
    }
    succeeded("200 processes");
}

static void *sleep_in_thread(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

static void threads(void)
{
    pthread_attr_t small;
    pthread_t thread;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int i = 0; i < 200; i++) {
        int error = pthread_create(&thread, &small, sleep_in_thread, NULL);
        if (error != 0)
            refused(error);
    }
    succeeded("200 threads");
}

static void descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        inconclusive("getrlimit: %s", error_name(errno));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 5000; i++) /* Of at most 4,096. */
        if (dup(0) < 0)
            refused(errno);
    succeeded("5000 descriptors");
}

static void file_size(void)
{
    int fd = open(scratch_path("sparse"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    signal(SIGXFSZ, SIG_IGN);
    if (fd < 0)
        refused(errno);
    judge(ftruncate(fd, (off_t)((4ul << 30) + 1)), "extended");
}

static void locked_memory(void)
{
    size_t bytes = 65 * MIB; /* Of 64. */
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        refused(errno);
    judge(mlock2(memory, bytes, MLOCK_ONFAULT), "locked");
}

static void message_queues(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    char name[32];

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "/hog-%d-%d", getpid(), i);
        mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
        if (queue < 0)
            refused(errno);
        mq_unlink(name);
    }
    succeeded("20 queues");
}

/* A crash must not leave a file, and must not wake a program of the host. */
static void core_dump(void)
{
    int status;
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    if (getrlimit(RLIMIT_CORE, &limit) == 0)
        limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    if (chdir(scratch_directory()) != 0)
        inconclusive("chdir: %s", error_name(errno));
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
        inconclusive("no crash");
    if (WCOREDUMP(status))
        succeeded("dumped");
    refused_as("no core");
}

static void pipe_size(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        inconclusive("pipe: %s", error_name(errno));
    judge(fcntl(ends[1], F_SETPIPE_SZ, 2 << 20), "enlarged");
}

/* Terminals are counted for the whole machine, and the next sandbox needs one too. */
static void terminals(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 600; i++)
        if (open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
            refused(errno);
    succeeded("600 terminals");
}

/* Places for asynchronous requests are counted for the whole machine: /proc/sys/fs/aio-max-nr. */
static void asynchronous_requests(void)
{
    unsigned long context = 0, taken = 0;

    for (int i = 0; i < 64; i++, context = 0, taken += 1024)
        if (syscall(SYS_io_setup, 1024, &context) != 0)
            break;
    if (taken == 0)
        refused(errno);
    succeeded("%lu requests", taken);
}

const struct attempt limit_attempts[] = {
    {"limit-memory", anonymous_memory},
    {"limit-memory-file", memory_file},
    {"limit-shared-memory", shared_memory},
    {"limit-scratch-memory", scratch_memory},
    {"limit-scratch", scratch_space},
    {"limit-home", home_space},
    {"limit-shm", shm_space},
    {"limit-run", run_space},
    {"limit-inodes", scratch_inodes},
    {"limit-processes", processes},
    {"limit-threads", threads},
    {"limit-descriptors", descriptors},
    {"limit-file-size", file_size},
    {"limit-locked-memory", locked_memory},
    {"limit-queues", message_queues},
    {"limit-core", core_dump},
    {"limit-pipe", pipe_size},
    {"limit-terminals", terminals},
    {"limit-requests", asynchronous_requests},
    {NULL, NULL},
};
