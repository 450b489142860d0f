/* `warren-launcher serve`: builds sandboxes on request and cleans up after each of them. */
#ifndef WARREN_SERVE_H
#define WARREN_SERVE_H

#define CGROUP_ROOTS_MAX 8

struct serve_options {
    int control;                              /* stream socket shared with the host */
    const char *cgroup_roots[CGROUP_ROOTS_MAX]; /* made at start, removed at the end with all below */
    int cgroup_root_count;
};

__attribute__((noreturn)) void serve(const struct serve_options *options);

#endif
