#include "request.h"

#include <errno.h>
#include <string.h>

#define WINDOW_DEFAULT 262144u

static char *arguments[ARGUMENTS_MAX + 1];
static char *environment[ENVIRONMENT_MAX + 1];

struct cursor {
    char *next, *end;
};

static char *take(struct cursor *cursor)
{
    if (cursor->next >= cursor->end)
        return NULL;
    char *value = cursor->next;
    cursor->next += strlen(value) + 1;
    return value;
}

static bool take_number(struct cursor *cursor, int base, uint64_t max, uint64_t *value)
{
    return parse_number(take(cursor), base, max, value);
}

static bool take_limit(struct cursor *cursor, struct request *request)
{
    if (request->limit_count == RLIMITS_MAX)
        return false;
    struct limit *limit = &request->limits[request->limit_count++];
    const char *name = take(cursor);
    uint64_t soft, hard;
    if (name == NULL || (limit->resource = resource_by_name(name)) < 0 || !take_number(cursor, 10, UINT64_MAX, &soft) || !take_number(cursor, 10, UINT64_MAX, &hard) || soft > hard)
        return false;
    limit->soft = (rlim_t)soft;
    limit->hard = (rlim_t)hard;
    return true;
}

static bool take_switch(const char *flag, struct request *request)
{
    const struct {
        const char *name;
        bool *value;
    } switches[] = {
        {"--stdin", &request->has_stdin}, {"--append", &request->append},       {"--exclusive", &request->exclusive},
        {"--follow", &request->follow},   {"--recursive", &request->recursive}, {"--parents", &request->parents},
        {"--end-tree", &request->end_tree},
    };

    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (strcmp(switches[i].name, flag) == 0)
            return *switches[i].value = true;
    return false;
}

static bool take_flag(struct cursor *cursor, const char *flag, struct request *request, size_t *environment_count)
{
    uint64_t number, second;

    if (strcmp(flag, "--env") == 0) {
        if (*environment_count == ENVIRONMENT_MAX)
            return false;
        return (environment[(*environment_count)++] = take(cursor)) != NULL;
    }
    if (strcmp(flag, "--cwd") == 0)
        return (request->directory = take(cursor)) != NULL;
    if (strcmp(flag, "--path") == 0)
        return (request->path = take(cursor)) != NULL && *request->path != '\0';
    if (strcmp(flag, "--rlimit") == 0)
        return take_limit(cursor, request);
    if (strcmp(flag, "--uid") == 0 || strcmp(flag, "--gid") == 0) {
        if (!take_number(cursor, 10, UINT32_MAX - 1, &number))
            return false;
        *(flag[2] == 'u' ? &request->uid : &request->gid) = (uint32_t)number;
        return request->has_user = true;
    }
    if (strcmp(flag, "--pty") == 0) {
        if (!take_number(cursor, 10, UINT16_MAX, &number) || !take_number(cursor, 10, UINT16_MAX, &second))
            return false;
        request->rows = (uint16_t)number;
        request->columns = (uint16_t)second;
        return request->pty = true;
    }
    if (strcmp(flag, "--window") == 0 && take_number(cursor, 10, UINT32_MAX, &number))
        return (request->window = (uint32_t)number) > 0;
    if (strcmp(flag, "--mode") == 0 && take_number(cursor, 8, 01777, &number)) {
        request->mode = (mode_t)number;
        return true;
    }
    if (strcmp(flag, "--umask") == 0 && take_number(cursor, 8, 0777, &number)) {
        request->umask = (mode_t)number;
        return true;
    }
    if (strcmp(flag, "--offset") == 0)
        return take_number(cursor, 10, INT64_MAX, &request->offset);
    if (strcmp(flag, "--length") == 0)
        return take_number(cursor, 10, INT64_MAX, &request->length);
    return take_switch(flag, request);
}

bool parse_request(char *text, size_t length, bool command, struct request *request, const char **culprit)
{
    struct cursor cursor = {.next = text, .end = text + length};
    size_t environment_count = 0, argument_count = 0;

    *request = (struct request){.argv = arguments, .environment = environment, .window = WINDOW_DEFAULT, .umask = 022, .mode = 0644, .length = UINT64_MAX};
    *culprit = "request";
    errno = EINVAL;
    if (length == 0 || text[length - 1] != '\0')
        return false;
    for (char *flag; (flag = take(&cursor)) != NULL;) {
        if (command && strcmp(flag, "--") == 0)
            break;
        *culprit = flag;
        if (!take_flag(&cursor, flag, request, &environment_count))
            return false;
    }
    *culprit = "argv";
    for (char *argument; command && (argument = take(&cursor)) != NULL;) {
        if (argument_count == ARGUMENTS_MAX) {
            errno = E2BIG;
            return false;
        }
        arguments[argument_count++] = argument;
    }
    arguments[argument_count] = NULL;
    environment[environment_count] = NULL;
    return command ? argument_count > 0 : request->path != NULL;
}
