/*
 * The walls, built from inside: runs in the new process, in its new namespaces, before anything of the guest does. Every function either succeeds or
 * ends the process with a FAILED frame on the guest connection.
 */
#ifndef WARREN_WALLS_H
#define WARREN_WALLS_H

#include "spec.h"


/* Descriptors of the new process after `raise_walls`. All others are closed. */
#define GUEST_FD 3         /* the guest connection */
#define GUEST_CGROUP_FD 4  /* directory of the sandbox's v2 cgroup, when there is one */

#define ORDERS_FD 5 /* closed before the guest is served */

/*
 * What the launcher tells a blank, a process that has its namespaces and ids but is nobody's sandbox yet: an order. It comes over a socket pair, with the
 * descriptors the order needs: the guest connection, then the mounts that only the launcher may open, in the order of the steps. If the spec is more than
 * its base, spec and filter follow.
 */
#define ORDER_DESCRIPTORS_MAX 200

struct order {
    uint32_t spec_length, filter_length, descriptor_count;
};

struct blank {
    int orders;               /* our end of the socket pair */
    int launcher;             /* pidfd of the launcher */
    int null;                 /* /dev/null */
    int join_error;           /* errno of what kept it out of its cgroups, or 0 */
    const char *cgroup2_path; /* the sandbox's own v2 cgroup, or NULL */
    const char *filter;       /* for a spec that is its base only: the blank is finished before the order comes */
    size_t filter_length;
    bool keep_standard_streams; /* one-shot mode: 0, 1 and 2 are the command's */
};

/* Opens the source of a bind step, or of an overlay's lower side, as a detached mount. Also used by the launcher. -1 with errno. */
int open_source(const char *path, unsigned flags);

/*
 * In the new process: builds what the base of `spec` says, waits for an order, builds the rest, and returns. The walls stand then. `spec` is overwritten
 * with the one that was ordered.
 */
void raise_walls(struct spec *spec, const struct blank *blank);

/* Landlock's ABI version on this kernel; 0 without it. */
int landlock_version(void);

/* Ends the process with a FAILED frame (errno is the reason). */
__attribute__((noreturn)) void give_up(const char *stage, const char *call, const char *path);

#endif
