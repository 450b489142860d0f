#define _GNU_SOURCE
#include "tree.h"

#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASED_MAX 4096
#define PROCESSES_MAX 32768
#define ROUNDS_MAX 1000

static int cgroup = -1;
static uint32_t next_handle = 1;
static uint32_t released[RELEASED_MAX];
static size_t released_count;
static bool has_news;          /* something was released, or a process has ended: one of them may be empty now */
static struct tree_entry next; /* for the next command; handle 0: none */

void note_end(void)
{
    has_news = true;
}

int prepare_trees(int directory)
{
    cgroup = directory;
    return 0;
}

static int open_member(uint32_t handle, const char *file, int flags)
{
    char path[48];

    snprintf(path, sizeof path, "e%u/%s", handle, file);
    return openat(cgroup, path, flags | O_CLOEXEC);
}

static int remove_group(uint32_t handle)
{
    char name[16];

    snprintf(name, sizeof name, "e%u", handle);
    return unlinkat(cgroup, name, AT_REMOVEDIR);
}

static int make_entry(struct tree_entry *entry)
{
    char name[16];

    if (cgroup < 0)
        return -1;
    entry->handle = next_handle++; /* Never reused: a cgroup that was killed once kills whatever is cloned into it. */
    snprintf(name, sizeof name, "e%u", entry->handle);
    if (mkdirat(cgroup, name, 0755) != 0)
        return -1;
    entry->directory = open_member(entry->handle, "", O_RDONLY | O_DIRECTORY);
    if (entry->directory >= 0)
        return 0;
    (void)remove_group(entry->handle); /* The launcher removes what stays. */
    return -1;
}

int open_tree_entry(struct tree_entry *entry)
{
    if (next.handle == 0)
        return make_entry(entry);
    *entry = next;
    next.handle = 0;
    return 0;
}

void release_tree(uint32_t handle)
{
    if (handle != 0 && released_count < RELEASED_MAX) /* More than that: the launcher removes them in the end. */
        released[released_count++] = handle;
    has_news = true;
}

void tidy_trees(void)
{
    size_t kept = 0;

    if (next.handle == 0 && cgroup >= 0 && make_entry(&next) != 0)
        next.handle = 0;
    if (!has_news)
        return;
    has_news = false;
    for (size_t i = 0; i < released_count; i++)
        if (remove_group(released[i]) != 0 && errno == EBUSY)
            released[kept++] = released[i];
    released_count = kept;
}

/* `command`: the main process, which may be on its way into the cgroup still, or 0. */
static void kill_members(uint32_t handle, pid_t command, int signal)
{
    char line[32];
    int fd = open_member(handle, "cgroup.procs", O_RDONLY);
    FILE *members = fd < 0 ? NULL : fdopen(fd, "r");

    if (members == NULL)
        return;
    while (fgets(line, sizeof line, members) != NULL) {
        pid_t pid = (pid_t)strtol(line, NULL, 10);
        if (pid > 1)
            kill(pid, signal);
        if (pid == command)
            command = 0;
    }
    fclose(members);
    if (command > 1)
        kill(command, signal);
}

static void signal_cgroup(uint32_t handle, pid_t command, int signal)
{
    if (signal == SIGKILL) {
        if (command > 1)
            kill(command, SIGKILL); /* First: until it has joined it is alone, and after this it joins no more or is killed with the rest. */
        int fd = open_member(handle, "cgroup.kill", O_WRONLY);
        int failed = fd < 0 ? -1 : write_all(fd, "1", 1);
        if (fd >= 0)
            close(fd);
        if (failed == 0)
            return;
    }
    kill_members(handle, command, signal);
}

static size_t count_members(uint32_t handle)
{
    char line[32];
    int fd = open_member(handle, "cgroup.procs", O_RDONLY);
    FILE *members = fd < 0 ? NULL : fdopen(fd, "r");
    size_t count = 0;

    if (members == NULL)
        return 0;
    while (fgets(line, sizeof line, members) != NULL)
        count++;
    fclose(members);
    return count;
}

/* ---- without cgroups ---- */

static struct process {
    pid_t pid, parent;
    bool inside, stopped; /* stopped when it was listed */
    bool dead;            /* not reaped yet, which its parent may put off */
} processes[PROCESSES_MAX];
static size_t process_count;

static bool read_status(int proc, const char *pid, struct process *process)
{
    char path[32], line[512];

    snprintf(path, sizeof path, "%.16s/stat", pid);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, line, sizeof line - 1);
    close(fd);
    if (length <= 0)
        return false;
    line[length] = '\0';
    char *after_name = strrchr(line, ')'); /* The name may hold anything, also brackets. */
    if (after_name == NULL || strlen(after_name) < 5)
        return false;
    process->dead = after_name[2] == 'Z' || after_name[2] == 'X';
    process->stopped = process->dead || after_name[2] == 'T';
    process->parent = (pid_t)strtol(after_name + 4, NULL, 10);
    return true;
}

static void list_processes(void)
{
    DIR *proc = opendir("/proc");

    process_count = 0;
    if (proc == NULL)
        return;
    for (struct dirent *entry; process_count < PROCESSES_MAX && (entry = readdir(proc)) != NULL;) {
        struct process *process = &processes[process_count];
        *process = (struct process){.pid = (pid_t)strtol(entry->d_name, NULL, 10)};
        if (process->pid > 1 && read_status(dirfd(proc), entry->d_name, process))
            process_count++;
    }
    closedir(proc);
}

static void mark_descendants(pid_t keeper)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < process_count; i++) {
            bool inside = processes[i].parent == keeper;
            for (size_t j = 0; j < process_count && !inside; j++)
                inside = processes[j].inside && processes[j].pid == processes[i].parent;
            changed |= inside && !processes[i].inside;
            processes[i].inside |= inside;
        }
    }
}

/* Signals all of them once; says how many live, and whether all were stopped already when they were listed. */
static size_t signal_listed(pid_t keeper, int signal, bool *all_stopped)
{
    size_t inside = 0;

    list_processes();
    mark_descendants(keeper);
    *all_stopped = true;
    for (size_t i = 0; i < process_count; i++)
        if (processes[i].inside && !processes[i].dead) {
            inside++;
            *all_stopped &= processes[i].stopped;
            kill(processes[i].pid, signal);
        }
    return inside;
}

/*
 * Stopped processes cannot fork and still hold their place under the limit of processes, so stopping until everybody who is listed was stopped already
 * comes to an end also for a fork bomb; killing at once would free places for new ones. Then they are killed, and looked for again: orphans stay below
 * the keeper, so nobody gets away by being born in between. Returns how many there were.
 */
static size_t kill_descendants(pid_t keeper)
{
    bool all_stopped = false;
    size_t count = 0;

    for (int round = 0; round < ROUNDS_MAX; round++) {
        for (int stops = 0; stops < ROUNDS_MAX && signal_listed(keeper, SIGSTOP, &all_stopped) > 0 && !all_stopped; stops++)
            ;
        size_t inside = signal_listed(keeper, SIGKILL, &all_stopped);
        if (inside == 0)
            break;
        count = inside > count ? inside : count;
    }
    kill(keeper, SIGCONT); /* Somebody of the same user may have stopped it, and it has to say how they ended. */
    return count;
}

static void signal_descendants(pid_t keeper, int signal)
{
    bool all_stopped;

    if (signal == SIGKILL)
        (void)kill_descendants(keeper);
    else
        (void)signal_listed(keeper, signal, &all_stopped);
}

void signal_tree(uint32_t handle, pid_t keeper, pid_t command, int signal)
{
    if (handle != 0)
        signal_cgroup(handle, command, signal);
    else if (keeper > 1)
        signal_descendants(keeper, signal);
}

size_t end_tree(uint32_t handle, pid_t keeper)
{
    if (handle == 0)
        return keeper > 1 ? kill_descendants(keeper) : 0;
    size_t count = count_members(handle);
    signal_cgroup(handle, 0, SIGKILL); /* Also when nobody was listed: a chain of forks may have passed the list by. */
    return count;
}
