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

static bool pass_controllers_on(const char *path, struct failure *failure)
{
    static const char *const controllers[] = {"cpu", "memory", "pids"}; /* Those that limits are made of; each costs every sandbox a little. */
    char file[PATH_MAX + 32], given[256], word[16];

    snprintf(file, sizeof file, "%s/cgroup.controllers", path);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || failed(failure, "open", path); /* v1 has no such file. */
    ssize_t length = read(fd, given + 1, sizeof given - 2);
    close(fd);
    if (length < 0)
        return failed(failure, "read", path);
    given[0] = ' '; /* The list is "cpu memory pids\n": between two separators each word is found whole. */
    given[length + 1] = '\0';
    for (char *end = strchr(given, '\n'); end != NULL; end = strchr(end, '\n'))
        *end = ' ';
    snprintf(file, sizeof file, "%s/cgroup.subtree_control", path);
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) {
        snprintf(word, sizeof word, " %s ", controllers[i]);
        if (strstr(given, word) == NULL)
            continue;
        snprintf(word, sizeof word, "+%s", controllers[i]);
        if (write_value(file, word) != 0)
            return failed(failure, "write", path);
    }
    return true;
}

bool make_cgroup_root(const char *path, bool shared, struct failure *failure)
{
    if (mkdir(path, 0755) != 0 && !(shared && errno == EEXIST))
        return failed(failure, "mkdir", path);
    return pass_controllers_on(path, failure);
}


/* "" for a root that the launcher was not given: nothing can be made there. */
static const char *path_of(const struct cgroup_roots *roots, unsigned root, uint32_t slot, const char *file, char *place, size_t room)
{
    place[0] = '\0';
    if (root < roots->count)
        snprintf(place, room, "%s/%u%s%s", roots->paths[root], slot, *file == '\0' ? "" : "/", file);
    return place;
}

static bool make_and_set(const struct cgroup_roots *roots, uint32_t slot, const struct spec *spec, struct cgroup_entries *entries, struct failure *failure)
{
    static char path[PATH_MAX + 320]; /* The failure points to it. */

    for (size_t i = 0; i < spec->cgroup_count; i++)
        if (mkdir(path_of(roots, spec->cgroups[i], slot, "", path, sizeof path), 0755) != 0)
            return failed(failure, "mkdir", path);
    for (size_t i = 0; i < spec->cgroup_setting_count; i++) {
        const struct cgroup_file *setting = &spec->cgroup_settings[i];
        if (write_value(path_of(roots, setting->root, slot, setting->name, path, sizeof path), setting->value) != 0)
            return failed(failure, "write", path);
    }
    for (size_t i = 0; i < spec->cgroup_count; i++) {
        bool is_v2 = (int)spec->cgroups[i] == spec->cgroup2;
        int fd = open(path_of(roots, spec->cgroups[i], slot, is_v2 ? "" : "tasks", path, sizeof path), is_v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            return failed(failure, "open", path);
        if (is_v2)
            entries->cgroup2 = fd;
        else
            entries->tasks[entries->count++] = fd;
    }
    return true;
}

bool make_cgroups(const struct cgroup_roots *roots, uint32_t slot, const struct spec *spec, struct cgroup_entries *entries, struct failure *failure)
{
    *entries = (struct cgroup_entries){.cgroup2 = -1};
    bool made = make_and_set(roots, slot, spec, entries, failure);

    if (!made) {
        close_entries(entries);
        remove_cgroups(roots, slot, spec->cgroups, spec->cgroup_count);
    }
    return made;
}

void close_entries(struct cgroup_entries *entries)
{
    while (entries->count > 0)
        close(entries->tasks[--entries->count]);
    if (entries->cgroup2 >= 0)
        close(entries->cgroup2);
    entries->cgroup2 = -1;
}

bool give_cgroup2(const struct cgroup_roots *roots, uint32_t slot, const struct spec *spec, uid_t uid, gid_t gid, struct failure *failure)
{
    static char path[PATH_MAX + 320];

    if (uid == geteuid())
        return true; /* It is theirs already. */
    if (chown(path_of(roots, (unsigned)spec->cgroup2, slot, "", path, sizeof path), uid, gid) != 0 ||
        chown(path_of(roots, (unsigned)spec->cgroup2, slot, "cgroup.procs", path, sizeof path), uid, gid) != 0)
        return failed(failure, "chown", path);
    return true;
}

size_t read_cgroup_file(const struct cgroup_roots *roots, uint32_t slot, const struct cgroup_file *file, char *place, size_t room)
{
    char path[PATH_MAX + 320];
    int fd = open(path_of(roots, file->root, slot, file->name, path, sizeof path), O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, place, room - 1);

    if (fd >= 0)
        close(fd);
    size_t length = count < 0 ? 0 : (size_t)count;
    place[length] = '\0';
    return length + 1;
}

static void thaw_cgroup(const char *path)
{
    char file[PATH_MAX + 400];

    snprintf(file, sizeof file, "%s/freezer.state", path);
    (void)write_value(file, "THAWED"); /* Not a freezer: nothing to thaw. v2 kills frozen processes as they are. */
}

void thaw_cgroups(const struct cgroup_roots *roots, uint32_t slot, const unsigned *used, size_t count)
{
    char path[PATH_MAX + 320];

    for (size_t i = 0; i < count; i++)
        if (strstr(path_of(roots, used[i], slot, "", path, sizeof path), "freezer") != NULL)
            thaw_cgroup(path);
}

static bool remove_cgroup(const char *path)
{
    if (rmdir(path) == 0 || errno == ENOENT)
        return true;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (entries == NULL)
        return errno == ENOENT;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            (void)unlinkat(directory, entry->d_name, AT_REMOVEDIR); /* One level: those of the commands, who can make none themselves. */
    closedir(entries);
    return rmdir(path) == 0 || errno == ENOENT;
}

void remove_cgroups(const struct cgroup_roots *roots, uint32_t slot, const unsigned *used, size_t count)
{
    char path[PATH_MAX + 320];

    for (size_t i = 0; i < count; i++)
        if (*path_of(roots, used[i], slot, "", path, sizeof path) != '\0' && !remove_cgroup(path))
            purge_cgroup(path, 100);
}

static void kill_members(const char *path)
{
    char file[PATH_MAX + 400], line[32];

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
