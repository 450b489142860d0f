/*
 * A failure names its stage, the call, the path and errno, in one line of JSON that a machine can read. In the launcher failures are values: one
 * sandbox that cannot be built is no reason to take the others down. In the child that becomes the sandbox they end the process: nothing runs
 * half-sandboxed.
 */
#ifndef WARREN_FAILURE_H
#define WARREN_FAILURE_H

#include <stddef.h>

struct failure {
    const char *stage;
    const char *call;
    const char *path; /* may be NULL */
    int error;        /* errno */
};

#define FAILURE_LINE_MAX 8192u

/* Writes the line without a newline; returns its length. Bytes of the path that are not printable ASCII come out as \u00XX. */
size_t format_failure(const struct failure *failure, char *line, size_t capacity);

/* Names an errno ("ENOENT"), or "E?" for one we do not know. */
const char *error_name(int error);

#endif
