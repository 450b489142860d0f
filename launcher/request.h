/* What the host asks of pid 1: a command to run, or an operation on files. Parsed whole before anything is done. */
#ifndef WARREN_REQUEST_H
#define WARREN_REQUEST_H

#include "spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ARGUMENTS_MAX 32768
#define ENVIRONMENT_MAX 1024

struct request {
    char **argv;
    char **environment;
    const char *directory;
    bool has_user;
    uid_t uid;
    gid_t gid;
    bool pty;
    uint16_t rows, columns;
    struct limit limits[RLIMITS_MAX + 1]; /* one more than a request may hold, for pid 1 to add */
    size_t limit_count;
    bool has_stdin;
    bool end_tree; /* what the command leaves running ends with it */
    uint32_t window;
    mode_t umask;
    /* files */
    const char *path;
    mode_t mode;
    uint64_t offset, length;
    bool append, exclusive, follow, recursive, parents;
};

/* Parses flags (and, for `command`, argv after `--`). False: errno says why, *culprit names the flag. */
bool parse_request(char *text, size_t length, bool command, struct request *request, const char **culprit);

#endif
