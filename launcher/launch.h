/* Makes the process that becomes a sandbox: identities, cgroups, namespaces, and the mounts only the launcher may open. */
#ifndef WARREN_LAUNCH_H
#define WARREN_LAUNCH_H

#include "spec.h"
#include "walls.h"

struct launch {
    int connection;                  /* goes to pid 1; the caller closes its own copy */
    const struct sock_filter *filter;
    unsigned short filter_length;
    bool keep_standard_streams;
    void (*inside)(const struct spec *spec); /* what pid 1 does once the walls stand; does not return */
};

struct launched {
    pid_t pid;
    int lease; /* holds the range of ids while it is open, or -1 */
};

/* Opens what every launch needs (/dev/null, our own pidfd). */
bool prepare_launches(struct failure *failure);

/* False: `failure` says why; nothing is left. */
bool launch_sandbox(struct spec *spec, const struct launch *launch, struct launched *launched, struct failure *failure);

#endif
