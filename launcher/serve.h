/* `warren-launcher serve`: builds sandboxes on request and cleans up after each of them. */
#ifndef WARREN_SERVE_H
#define WARREN_SERVE_H

#define SPARES_MAX 64

#include "cgroup.h"

struct serve_options {
    int control;                              /* stream socket shared with the host */
    struct cgroup_roots roots; /* made at start, removed at the end with all below */
    int spares; /* blanks kept ready for the base asked for last */
    char *arguments; /* where they lie in memory, which is where /proc/PID/cmdline looks */
    size_t arguments_length;
};

__attribute__((noreturn)) void serve(const struct serve_options *options);

#endif
