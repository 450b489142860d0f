/*
 * The walls, built from inside: runs in the new process, in its new namespaces, before anything of the guest does. Every function either succeeds or
 * ends the process with a FAILED frame on the guest connection.
 */
#ifndef WARREN_WALLS_H
#define WARREN_WALLS_H

#include "spec.h"

#include <linux/filter.h>

/* Descriptors of the new process after `raise_walls`. All others are closed. */
#define GUEST_FD 3         /* the guest connection */
#define GUEST_CGROUP_FD 4  /* directory of the sandbox's v2 cgroup, when there is one */

/* What the launcher hands to the child. */
struct inheritance {
    int connection;    /* becomes GUEST_FD */
    int cgroup2;       /* directory, or -1 */
    int go;            /* read end: one byte when the id maps are written */
    int launcher;      /* pidfd of the launcher */
    int null;          /* /dev/null */
    int cgroup_procs[CGROUPS_MAX]; /* opened for writing by the launcher, whose rights count */
    const struct sock_filter *filter;
    unsigned short filter_length;
    bool keep_standard_streams; /* one-shot mode: 0, 1 and 2 are the command's */
};

/* Opens the source of a bind step, or of an overlay's lower side, as a detached mount. Also used by the launcher for idmapped steps. -1 with errno. */
int open_source(const char *path, unsigned flags);

/* Builds everything the spec says and returns inside. */
void raise_walls(struct spec *spec, const struct inheritance *inheritance);

/* Landlock's ABI version on this kernel; 0 without it. */
int landlock_version(void);

/* Ends the process with a FAILED frame (errno is the reason). */
__attribute__((noreturn)) void give_up(const char *stage, const char *call, const char *path);

#endif
