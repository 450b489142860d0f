/* `warren-launcher run`: one sandbox, one command, the caller's own standard streams. For shells and tests; the library uses `serve`. */
#ifndef WARREN_ONESHOT_H
#define WARREN_ONESHOT_H

#include "cgroup.h"

struct oneshot_options {
    int spec_fd;         /* the spec, NUL-separated, to its end */
    int filter_fd;       /* the seccomp filter, or -1 with `--without seccomp` */
    struct cgroup_roots roots; /* exist already; the sandbox's directories below them are removed at the end */
    const char *directory;
    char **environment;
    char **argv;
};

/* Exits as the command did: its code, 126 or 127 when it cannot be executed, 128+n for a signal, 125 for a wall that cannot be built. */
__attribute__((noreturn)) void run_once(const struct oneshot_options *options);

#endif
