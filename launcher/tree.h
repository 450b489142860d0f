/*
 * The tree of a command: every process that descends from it, also one that forked twice and left its session. Held together by a v2 cgroup per command
 * where the launcher gave us a directory, else by a subreaper (command.c) and the ancestry in /proc.
 */
#ifndef WARREN_TREE_H
#define WARREN_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tree_entry {
    uint32_t handle; /* not 0 */
    int directory;   /* to clone the command into */
};

/* `cgroup2`: directory of the sandbox's own cgroup, or -1. */
int prepare_trees(int cgroup2);

/* Makes a cgroup for one command. -1: there are none, use a subreaper. */
int open_tree_entry(struct tree_entry *entry);

/* Signals all of it: by cgroup, or (handle 0) all descendants of `keeper`. `command`: its main process, or 0 once that has ended. SIGKILL cannot be outrun. */
void signal_tree(uint32_t handle, pid_t keeper, pid_t command, int signal);

/* As SIGKILL to all of it once its main process has ended. Returns how many had outlived that; among forks of that very moment some may not be counted. */
size_t end_tree(uint32_t handle, pid_t keeper);

/* Gives the cgroup up; it goes away some time after its last process. */
void release_tree(uint32_t handle);

/* A process has ended. */
void note_end(void);

/* For idle moments: removes released cgroups that have become empty, and makes the one for the next command. */
void tidy_trees(void);

#endif
