/*
 * File operations for the host, done inside the walls by a process of their own, as the user they were asked for: stdout is where bytes go, stdin where
 * they come from. A link, a `..` or a mount can lead nowhere that a command could not go.
 */
#ifndef WARREN_FILES_H
#define WARREN_FILES_H

#include "request.h"

struct operation_failure {
    int error;
    char call[24];
};

/* Does the operation of a frame type; 0, or -1 with `failure` filled in. `input_ended`, which others set, says whether what stdin had was all of it. */
int do_file_operation(int type, const struct request *request, const int *input_ended, struct operation_failure *failure);

#endif
