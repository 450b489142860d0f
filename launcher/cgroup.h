/* cgroups of a sandbox, from outside: made and limited as the spec says, removed with all that pid 1 made in them. */
#ifndef WARREN_CGROUP_H
#define WARREN_CGROUP_H

#include "spec.h"

/* Makes the directories, writes the settings, opens cgroup.procs of each v1 directory. False: `failure` says what. */
bool make_cgroups(const struct spec *spec, int *procs, struct failure *failure);

/* Lets the sandbox's pid 1 make a cgroup per command below its own. */
bool delegate_cgroup(int directory, uid_t uid, gid_t gid, struct failure *failure);

/* Removes one directory and what is below it. False while processes are in it. */
bool remove_cgroup(const char *path);

/* Undoes a pause, so that a killed process can end. Best effort. */
void thaw_cgroup(const char *path);

/* Kills what is left in `path` and below, and removes it all; waits up to `timeout_ms`. */
void purge_cgroup(const char *path, int timeout_ms);

#endif
