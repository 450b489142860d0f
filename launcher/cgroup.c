#define _GNU_SOURCE
#include "cgroup.h"

#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool failed(struct failure *failure, const char *call, const char *path)
{
    *failure = (struct failure){.stage = "cgroup", .call = call, .path = path, .error = errno};
    return false;
}

static int write_value(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = write_all(fd, value, strlen(value)), error = errno;
    close(fd);
    errno = error;
    return result;
}

bool make_cgroups(const struct spec *spec, int *procs, struct failure *failure)
{
    char path[PATH_MAX + 32];

    for (size_t i = 0; i < spec->cgroup_count; i++)
        if (mkdir(spec->cgroups[i], 0755) != 0)
            return failed(failure, "mkdir", spec->cgroups[i]);
    if (spec->cgroup2 != NULL && mkdir(spec->cgroup2, 0755) != 0)
        return failed(failure, "mkdir", spec->cgroup2);
    for (size_t i = 0; i < spec->cgroup_setting_count; i++)
        if (write_value(spec->cgroup_settings[i].file, spec->cgroup_settings[i].value) != 0)
            return failed(failure, "write", spec->cgroup_settings[i].file);
    for (size_t i = 0; i < spec->cgroup_count; i++) {
        snprintf(path, sizeof path, "%s/cgroup.procs", spec->cgroups[i]);
        if ((procs[i] = open(path, O_WRONLY | O_CLOEXEC)) < 0)
            return failed(failure, "open", spec->cgroups[i]);
    }
    return true;
}

bool delegate_cgroup(int directory, uid_t uid, gid_t gid, struct failure *failure)
{
    if (fchown(directory, uid, gid) != 0 || fchownat(directory, "cgroup.procs", uid, gid, 0) != 0)
        return failed(failure, "chown", "cgroup.procs");
    return true;
}

void thaw_cgroup(const char *path)
{
    char file[PATH_MAX + 32];

    snprintf(file, sizeof file, "%s/freezer.state", path);
    (void)write_value(file, "THAWED"); /* Not a freezer: nothing to thaw. v2 kills frozen processes as they are. */
}

bool remove_cgroup(const char *path)
{
    if (rmdir(path) == 0 || errno == ENOENT)
        return true;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (entries == NULL)
        return errno == ENOENT;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            (void)unlinkat(directory, entry->d_name, AT_REMOVEDIR); /* One level: commands get no cgroup of their own to nest in. */
    closedir(entries);
    return rmdir(path) == 0 || errno == ENOENT;
}

static void kill_members(const char *path)
{
    char file[PATH_MAX + 320], line[32];

    thaw_cgroup(path);
    snprintf(file, sizeof file, "%s/cgroup.kill", path);
    if (write_value(file, "1") == 0)
        return;
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    FILE *members = fopen(file, "re");
    while (members != NULL && fgets(line, sizeof line, members) != NULL) {
        pid_t pid = (pid_t)strtol(line, NULL, 10);
        if (pid > 1 && pid != getpid())
            kill(pid, SIGKILL);
    }
    if (members != NULL)
        fclose(members);
}

static bool purge_once(const char *path)
{
    char child[PATH_MAX + 260];
    DIR *entries = opendir(path);

    if (entries == NULL)
        return errno == ENOENT;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
            kill_members(child);
            (void)remove_cgroup(child); /* Tried again in the next round. */
        }
    closedir(entries);
    return remove_cgroup(path);
}

void purge_cgroup(const char *path, int timeout_ms)
{
    for (int waited = 0; !purge_once(path) && waited < timeout_ms; waited += 5)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}
