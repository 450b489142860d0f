#include "failure.h"

#include <errno.h>
#include <stdio.h>

#define NAMED(e) {e, #e}

const char *error_name(int error)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        NAMED(EPERM),   NAMED(ENOENT), NAMED(ESRCH),  NAMED(EINTR),        NAMED(EIO),       NAMED(ENXIO),   NAMED(E2BIG),      NAMED(ENOEXEC),
        NAMED(EBADF),   NAMED(ECHILD), NAMED(EAGAIN), NAMED(ENOMEM),       NAMED(EACCES),    NAMED(EFAULT),  NAMED(EBUSY),      NAMED(EEXIST),
        NAMED(EXDEV),   NAMED(ENODEV), NAMED(ENOTDIR), NAMED(EISDIR),      NAMED(EINVAL),    NAMED(ENFILE),  NAMED(EMFILE),     NAMED(ENOTTY),
        NAMED(ETXTBSY), NAMED(EFBIG),  NAMED(ENOSPC), NAMED(EROFS),        NAMED(EMLINK),    NAMED(EPIPE),   NAMED(ERANGE),     NAMED(ENAMETOOLONG),
        NAMED(ENOSYS),  NAMED(ENOTEMPTY), NAMED(ELOOP), NAMED(EOVERFLOW), NAMED(EUSERS),    NAMED(EMSGSIZE), NAMED(EOPNOTSUPP), NAMED(EADDRINUSE),
        NAMED(EPROTO),  NAMED(ESTALE), NAMED(EDQUOT), NAMED(ECANCELED),    NAMED(ETIMEDOUT), NAMED(ENOTSOCK), NAMED(ENOBUFS),
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == error)
            return names[i].name;
    return "E?";
}

/* Appends text as the inside of a JSON string, leaving room for `reserve` bytes after it. */
static size_t append_escaped(char *line, size_t at, size_t capacity, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text != '\0' && at + 8 < capacity; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            line[at++] = (char)byte;
            continue;
        }
        line[at++] = '\\';
        line[at++] = 'u';
        line[at++] = '0';
        line[at++] = '0';
        line[at++] = hex[byte >> 4];
        line[at++] = hex[byte & 15];
    }
    return at;
}

size_t format_failure(const struct failure *failure, char *line, size_t capacity)
{
    size_t at = (size_t)snprintf(line, capacity, "{\"stage\":\"%s\",\"call\":\"%s\",\"path\":\"", failure->stage, failure->call);

    at = append_escaped(line, at, capacity - 64, failure->path == NULL ? "" : failure->path);
    at += (size_t)snprintf(line + at, capacity - at, "\",\"errno\":%d,\"error\":\"%s\"}", failure->error, error_name(failure->error));
    return at;
}
