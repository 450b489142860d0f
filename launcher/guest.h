/*
 * pid 1 of a sandbox: reaps, serves the guest protocol on one descriptor, runs many commands at once. Start reading at `serve_guest`.
 */
#ifndef WARREN_GUEST_H
#define WARREN_GUEST_H

#include "spec.h"

#include <stdbool.h>

struct guest {
    int connection;    /* GUEST_FD */
    int cgroup2;       /* directory of the sandbox's own v2 cgroup, or -1: commands then get a subreaper each */
    struct limit descriptors; /* open files of each command; pid 1 itself needs some for every command there is */
    bool switch_users; /* commands may run as other users; pid 1 keeps three capabilities for it */
};

/* Serves until the host hangs up. Never returns. */
__attribute__((noreturn)) void serve_guest(const struct guest *guest);

#endif
