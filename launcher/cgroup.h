/* cgroups of a sandbox, from outside: made and limited as the spec says, removed with all that pid 1 made in them. */
#ifndef WARREN_CGROUP_H
#define WARREN_CGROUP_H

#include "spec.h"

/* The launcher's own directory in each hierarchy. A sandbox has one directory below each that its spec names, all called by one number, its slot. */
struct cgroup_roots {
    const char *paths[CGROUPS_MAX];
    unsigned count;
};

/*
 * Makes a directory for cgroups of sandboxes. A v2 cgroup gives its children only the controllers it names in cgroup.subtree_control, so what this one
 * was given it gives on; v1 knows no such thing. `shared`: it may be there already.
 */
bool make_cgroup_root(const char *path, bool shared, struct failure *failure);

/* What a new process joins its cgroups by. */
struct cgroup_entries {
    int tasks[CGROUPS_MAX]; /* v1: opened with our rights; the process writes "0" to each */
    size_t count;
    int cgroup2; /* v2: the directory to clone into, or -1 */
};

/*
 * Makes the directories, writes the settings, and opens what a process joins them by. A process that moves itself, by `tasks`, or is born inside costs
 * nothing; one that is moved by `cgroup.procs` waits 10 ms for an RCU grace period whenever nobody was moved just before. False: none is left.
 */
bool make_cgroups(const struct cgroup_roots *roots, uint32_t slot, const struct spec *spec, struct cgroup_entries *entries, struct failure *failure);

void close_entries(struct cgroup_entries *entries);

/* Gives the directory of the v2 one to `uid`, who can then make cgroups below. False: `failure` says why. */
bool give_cgroup2(const struct cgroup_roots *roots, uint32_t slot, const struct spec *spec, uid_t uid, gid_t gid, struct failure *failure);

/* Reads a file of a sandbox's cgroup as text, up to `room` - 1 bytes and NUL; returns the length with the NUL. */
size_t read_cgroup_file(const struct cgroup_roots *roots, uint32_t slot, const struct cgroup_file *file, char *place, size_t room);

/* Removes the directories of a slot and what is below them; kills what is still in there. */
void remove_cgroups(const struct cgroup_roots *roots, uint32_t slot, const unsigned *used, size_t count);

/* Undoes a pause, so that a killed process can end. Best effort. */
void thaw_cgroups(const struct cgroup_roots *roots, uint32_t slot, const unsigned *used, size_t count);

/* Kills what is left in `path` and below, and removes it all; waits up to `timeout_ms`. */
void purge_cgroup(const char *path, int timeout_ms);

#endif
