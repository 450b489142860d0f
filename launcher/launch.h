/*
 * Makes the processes that become sandboxes. In two steps, so that the first can be taken ahead of time: a blank has its namespaces, its ids and all that
 * sandboxes of one base have in common, and has never been anybody's; an order makes it a sandbox.
 */
#ifndef WARREN_LAUNCH_H
#define WARREN_LAUNCH_H

#include "cgroup.h"
#include "spec.h"
#include "walls.h"

/* What pid 1 does once the walls stand. Does not return. */
typedef void inside(const struct spec *spec);

struct launched {
    pid_t pid;
    int lease;     /* holds the range of ids while it is open, or -1 */
    uint32_t base; /* first id outside */
    uint32_t slot; /* name of its cgroups */
    int orders;    /* our end of the socket pair; -1 once ordered */
};

/* What every blank of a launcher is made with. */
struct workshop {
    struct cgroup_roots roots;
    uint32_t next_slot;
    bool keep_standard_streams; /* one-shot mode */
    inside *become;
};

struct request_to_launch {
    int connection; /* the guest connection; the caller closes its own copy */
    const char *spec_text;
    size_t spec_length;
    const char *filter;
    size_t filter_length;
};

/* Opens what every launch needs (/dev/null, our own pidfd). */
bool prepare_launches(struct failure *failure);

/* Starts a process for the base of `spec`, in its cgroups. False: `failure` says why; nothing is left. */
bool make_blank(struct workshop *workshop, struct spec *spec, const char *filter, size_t filter_length, struct launched *blank, struct failure *failure);

/* Makes a blank the sandbox of `spec`. False: `failure` says why; the blank is still there for `discard_blank`. */
bool order_sandbox(struct launched *blank, struct spec *spec, const struct request_to_launch *request, struct failure *failure);

/* Ends a blank that nobody wants, reaps it and removes its cgroups. */
void discard_blank(const struct workshop *workshop, struct launched *blank, const struct spec *spec);

#endif
