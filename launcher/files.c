#define _GNU_SOURCE
#include "files.h"

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
#include <unistd.h>

static char buffer[65536];

static int failed(struct operation_failure *failure, const char *call)
{
    failure->error = errno;
    snprintf(failure->call, sizeof failure->call, "%s", call);
    return -1;
}

static int read_file(const struct request *request, struct operation_failure *failure)
{
    struct stat status;
    uint64_t left = request->length;
    /* O_NONBLOCK: opening a fifo without a writer must not hang. */
    int fd = open(request->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return failed(failure, "open");
    if (fstat(fd, &status) != 0)
        return failed(failure, "fstat");
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return failed(failure, "open");
    }
    if (request->offset > 0 && lseek(fd, (off_t)request->offset, SEEK_SET) < 0)
        return failed(failure, "lseek");
    while (left > 0) {
        ssize_t count = read(fd, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(failure, "read");
        if (count == 0)
            return 0;
        if (write_all(STDOUT_FILENO, buffer, (size_t)count) != 0)
            return failed(failure, "write");
        left -= (uint64_t)count;
    }
    return 0;
}

static int copy_stdin(int fd, struct operation_failure *failure)
{
    for (;;) {
        ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed(failure, "read");
        if (count == 0)
            return 0;
        if (write_all(fd, buffer, (size_t)count) != 0)
            return failed(failure, "write");
    }
}

/* Splits a path into an opened parent and a last component. */
static int open_parent(const char *path, const char **name, struct operation_failure *failure)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);

    *name = slash == NULL ? path : slash + 1;
    if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0 || length >= sizeof parent) {
        errno = length >= sizeof parent ? ENAMETOOLONG : EISDIR;
        return failed(failure, "open");
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    int fd = open(slash == NULL ? "." : length == 0 ? "/" : parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? failed(failure, "open") : fd;
}

/* The half-written file of a filesystem without O_TMPFILE; an aborting SIGTERM takes it away. */
static int temporary_parent = -1;
static char temporary_name[32];

static void discard_temporary(int signal)
{
    (void)signal;
    unlinkat(temporary_parent, temporary_name, 0);
    _exit(0);
}

/* A file without a name vanishes with its process, so a killed write leaves nothing; where there is no such thing, a named one beside the target. */
static int open_temporary(int parent, struct operation_failure *failure)
{
    int fd = openat(parent, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    snprintf(temporary_name, sizeof temporary_name, ".warren-%ld", (long)getpid());
    temporary_parent = parent;
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd < 0 ? failed(failure, "open") : fd;
    struct sigaction action = {.sa_handler = discard_temporary};
    sigset_t terminate;
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigemptyset(&terminate) != 0 || sigaddset(&terminate, SIGTERM) != 0 ||
        sigprocmask(SIG_UNBLOCK, &terminate, NULL) != 0)
        return failed(failure, "sigaction");
    fd = openat(parent, temporary_name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
    return fd < 0 ? failed(failure, "open") : fd;
}

static int publish(int parent, const char *name, int fd, bool exclusive, struct operation_failure *failure)
{
    char self[40];
    struct stat status;

    if (fstat(fd, &status) != 0)
        return failed(failure, "fstat");
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (status.st_nlink == 0) {
        if (linkat(AT_FDCWD, self, parent, name, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        if (errno != EEXIST || exclusive)
            return failed(failure, "link");
        if (linkat(AT_FDCWD, self, parent, temporary_name, AT_SYMLINK_FOLLOW) != 0)
            return failed(failure, "link");
    } else if (exclusive) {
        if (linkat(parent, temporary_name, parent, name, 0) != 0) {
            failed(failure, "link");
            unlinkat(parent, temporary_name, 0);
            return -1;
        }
        return unlinkat(parent, temporary_name, 0);
    }
    if (renameat(parent, temporary_name, parent, name) != 0) {
        failed(failure, "rename");
        unlinkat(parent, temporary_name, 0);
        return -1;
    }
    return 0;
}

static int write_file(const struct request *request, const int *input_ended, struct operation_failure *failure)
{
    const char *name;

    if (request->append) {
        int fd = open(request->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_CREAT | (request->exclusive ? O_EXCL : 0), request->mode);
        return fd < 0 ? failed(failure, "open") : copy_stdin(fd, failure);
    }
    int parent = open_parent(request->path, &name, failure);
    if (parent < 0)
        return -1;
    int fd = open_temporary(parent, failure);
    if (fd < 0)
        return -1;
    if (copy_stdin(fd, failure) != 0) {
        unlinkat(parent, temporary_name, 0); /* Only there without O_TMPFILE. */
        return -1;
    }
    /* The descriptors of a dying pid 1 are closed before its children are killed: half a file would take the place of a whole one. */
    if (__atomic_load_n(input_ended, __ATOMIC_ACQUIRE) == 0) {
        unlinkat(parent, temporary_name, 0);
        errno = EPIPE;
        return failed(failure, "read");
    }
    if (fchmod(fd, request->mode) != 0)
        return failed(failure, "fchmod");
    return publish(parent, name, fd, request->exclusive, failure);
}

struct __attribute__((packed)) stat_record {
    uint16_t length;
    uint8_t kind, zero;
    uint32_t mode, uid, gid;
    uint64_t size;
    int64_t seconds;
    uint32_t nanoseconds;
    uint16_t name_length, target_length;
};

static uint8_t kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFCHR:
        return 'c';
    case S_IFBLK:
        return 'b';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    default:
        return 'f';
    }
}

static int write_record(int directory, const char *path, const char *name, int flags, struct operation_failure *failure)
{
    static char record[sizeof(struct stat_record) + NAME_MAX + PATH_MAX];
    struct stat status;
    ssize_t target = 0;

    if (fstatat(directory, path, &status, flags) != 0)
        return failed(failure, "stat");
    size_t name_length = strnlen(name, NAME_MAX);
    char *text = record + sizeof(struct stat_record);
    memcpy(text, name, name_length);
    if (S_ISLNK(status.st_mode) && (target = readlinkat(directory, path, text + name_length, PATH_MAX)) < 0)
        return failed(failure, "readlink");
    struct stat_record head = {
        .length = (uint16_t)(sizeof head + name_length + (size_t)target),
        .kind = kind_of(status.st_mode),
        .mode = status.st_mode & 07777u,
        .uid = status.st_uid,
        .gid = status.st_gid,
        .size = (uint64_t)status.st_size,
        .seconds = status.st_mtim.tv_sec,
        .nanoseconds = (uint32_t)status.st_mtim.tv_nsec,
        .name_length = (uint16_t)name_length,
        .target_length = (uint16_t)target,
    };
    memcpy(record, &head, sizeof head);
    return write_all(STDOUT_FILENO, record, head.length) != 0 ? failed(failure, "write") : 0;
}

static int list_directory(const struct request *request, struct operation_failure *failure)
{
    DIR *directory = opendir(request->path);

    if (directory == NULL)
        return failed(failure, "opendir");
    for (struct dirent *entry; errno = 0, (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (write_record(dirfd(directory), entry->d_name, entry->d_name, AT_SYMLINK_NOFOLLOW, failure) != 0 && failure->error != ENOENT)
            return -1; /* ENOENT: it went away meanwhile. */
    }
    return errno != 0 ? failed(failure, "readdir") : 0;
}

static int stat_path(const struct request *request, struct operation_failure *failure)
{
    const char *slash = strrchr(request->path, '/');
    const char *name = slash == NULL ? request->path : slash + 1;

    return write_record(AT_FDCWD, request->path, *name == '\0' || strcmp(name, "..") == 0 ? "." : name, request->follow ? 0 : AT_SYMLINK_NOFOLLOW, failure);
}

#define DEPTH_MAX 4096

/* Which directories lead to the current one: going up must lead to the same, or somebody has moved it to where nobody asked to remove anything. */
static struct directory_id {
    dev_t device;
    ino_t inode;
} above[DEPTH_MAX];

static bool identify(int directory, struct directory_id *id)
{
    struct stat status;

    if (fstat(directory, &status) != 0)
        return false;
    *id = (struct directory_id){.device = status.st_dev, .inode = status.st_ino};
    return true;
}

/* Removes what one directory holds, one entry at a time; a directory that is not empty is entered, an empty one left through "..". */
static int remove_tree(int parent, const char *name, struct operation_failure *failure)
{
    int current = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth = 0;

    while (current >= 0) {
        bool entered = false;
        DIR *directory = fdopendir(current);
        if (directory == NULL)
            return failed(failure, "opendir");
        for (struct dirent *entry; !entered && (entry = readdir(directory)) != NULL;) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || unlinkat(current, entry->d_name, 0) == 0 || errno == ENOENT)
                continue;
            if (errno != EISDIR && errno != EPERM)
                return failed(failure, "unlink");
            if (unlinkat(current, entry->d_name, AT_REMOVEDIR) == 0)
                continue;
            if (errno != ENOTEMPTY && errno != EEXIST)
                return failed(failure, "rmdir");
            int below = openat(current, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below < 0)
                return failed(failure, "open");
            errno = ELOOP;
            if (depth == DEPTH_MAX || !identify(current, &above[depth]))
                return failed(failure, "open");
            closedir(directory);
            current = below;
            entered = true;
            depth++;
        }
        if (entered)
            continue;
        if (depth-- == 0) {
            closedir(directory);
            return unlinkat(parent, name, AT_REMOVEDIR) != 0 ? failed(failure, "rmdir") : 0;
        }
        struct directory_id parent_id = {0};
        int up = openat(current, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        closedir(directory);
        if (up >= 0 && (!identify(up, &parent_id) || parent_id.device != above[depth].device || parent_id.inode != above[depth].inode)) {
            errno = ESTALE;
            return failed(failure, "open");
        }
        current = up;
    }
    return failed(failure, "open");
}

static int remove_path(const struct request *request, struct operation_failure *failure)
{
    const char *name;
    int parent = open_parent(request->path, &name, failure);

    if (parent < 0)
        return -1;
    if (unlinkat(parent, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return failed(failure, "unlink");
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return 0;
    if ((errno != ENOTEMPTY && errno != EEXIST) || !request->recursive)
        return failed(failure, "rmdir");
    return remove_tree(parent, name, failure);
}

static int make_directory(const struct request *request, struct operation_failure *failure)
{
    static char path[PATH_MAX];
    struct stat status;

    if (strlen(request->path) >= sizeof path) {
        errno = ENAMETOOLONG;
        return failed(failure, "mkdir");
    }
    snprintf(path, sizeof path, "%s", request->path);
    for (char *slash = strchr(path + 1, '/'); request->parents && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return failed(failure, "mkdir");
        *slash = '/';
    }
    if (mkdir(path, request->mode) == 0)
        return chmod(path, request->mode) != 0 ? failed(failure, "chmod") : 0;
    if (errno == EEXIST && request->parents && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    return failed(failure, "mkdir");
}

int do_file_operation(int type, const struct request *request, const int *input_ended, struct operation_failure *failure)
{
    switch (type) {
    case FRAME_READ:
        return read_file(request, failure);
    case FRAME_WRITE:
        return write_file(request, input_ended, failure);
    case FRAME_LIST:
        return list_directory(request, failure);
    case FRAME_STAT:
        return stat_path(request, failure);
    case FRAME_REMOVE:
        return remove_path(request, failure);
    default:
        return make_directory(request, failure);
    }
}
