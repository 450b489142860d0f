#include "wire.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

int read_all(int fd, void *buffer, size_t length)
{
    char *next = buffer;

    while (length > 0) {
        ssize_t count = read(fd, next, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0)
            errno = EPIPE;
        if (count <= 0)
            return -1;
        next += count;
        length -= (size_t)count;
    }
    return 0;
}

int write_all(int fd, const void *buffer, size_t length)
{
    const char *next = buffer;

    while (length > 0) {
        ssize_t count = write(fd, next, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        next += count;
        length -= (size_t)count;
    }
    return 0;
}

int send_frame(int fd, uint8_t type, uint32_t channel, const void *payload, uint32_t length)
{
    struct frame_header header = {.length = length, .type = type, .channel = channel};
    struct iovec parts[2] = {
        {.iov_base = &header, .iov_len = sizeof header},
        {.iov_base = (void *)(uintptr_t)payload, .iov_len = length},
    };
    ssize_t count;

    do
        count = writev(fd, parts, length > 0 ? 2 : 1);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -1;
    if ((size_t)count < sizeof header) {
        if (write_all(fd, (const char *)&header + count, sizeof header - (size_t)count) != 0)
            return -1;
        count = (ssize_t)sizeof header;
    }
    return write_all(fd, (const char *)payload + ((size_t)count - sizeof header), length - ((size_t)count - sizeof header));
}
