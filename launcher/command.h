/* Starting a command or a file operation as a child of pid 1, and how that child tells why it could not become what was asked for. */
#ifndef WARREN_COMMAND_H
#define WARREN_COMMAND_H

#include "request.h"

#include <sys/resource.h>

#define CHANNELS_MAX 1024u

struct command {
    pid_t pid;                 /* the command's */
    pid_t keeper;              /* its subreaper, which is what pid 1 waits for; 0 without one */
    uint32_t tree;             /* handle for tree.h */
    int input, output, errors; /* our ends, non-blocking, or -1 */
};

/* In memory shared with the child until it executes; one per channel. */
struct command_report {
    int failed, error; /* the child could not become the command, or the file operation failed */
    char stage[12], call[24], path[256];
    int input_ended; /* the host said that its input is whole; without it an end of stdin is that of pid 1 */
    int done, status; /* under a subreaper: the command has ended so */
    struct rusage usage;
};

int prepare_commands(void);
const struct command_report *command_report(uint32_t number);

/* Before its stdin is closed: that was all of it. */
void end_command_input(uint32_t number);

/* 0, or -1 with errno, *stage and *call. */
int start_command(int type, uint32_t number, const struct request *request, bool switch_users, struct command *command, const char **stage, const char **call);

/* In a child, before it executes: takes away what only pid 1's filter allows. 0, or -1 with errno. */
int close_clone3(void);

/* In a child: replaces the process by argv, found through PATH of `environment`. Returns on failure with errno. */
void execute(char **argv, char **environment);

#endif
