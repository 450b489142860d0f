/*
 * Frames of the guest protocol (docs/guest-protocol.md): 12 bytes of header, then the payload. Both sides of this file are ours: the launcher
 * reads SPEC and FILTER, pid 1 reads the rest.
 */
#ifndef WARREN_WIRE_H
#define WARREN_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION "1"

enum frame_type {
    FRAME_SPEC = 0x01,
    FRAME_FILTER = 0x02,
    FRAME_EXEC = 0x10,
    FRAME_STDIN = 0x11,
    FRAME_SIGNAL = 0x12,
    FRAME_RESIZE = 0x13,
    FRAME_WINDOW = 0x14,
    FRAME_PING = 0x15,
    FRAME_ACCEPT = 0x16,
    FRAME_READ = 0x20,
    FRAME_WRITE = 0x21,
    FRAME_LIST = 0x22,
    FRAME_STAT = 0x23,
    FRAME_REMOVE = 0x24,
    FRAME_MKDIR = 0x25,
    FRAME_HELLO = 0x40,
    FRAME_DESTROY = 0x41,
    FRAME_GONE = 0x42,
    FRAME_REFUSED = 0x43,
    FRAME_PLACED = 0x45,
    FRAME_READY = 0x80,
    FRAME_FAILED = 0x81,
    FRAME_STDOUT = 0x90,
    FRAME_STDERR = 0x91,
    FRAME_STARTED = 0x92,
    FRAME_EXIT = 0x93,
    FRAME_CREDIT = 0x94,
    FRAME_PONG = 0x95,
};

#define HEADER_BYTES 12u
#define PAYLOAD_BYTES_MAX 65536u
#define REQUEST_BYTES_MAX 1048576u
#define FILTER_BYTES_MAX 32768u /* 4,096 instructions, the kernel's own limit */

struct frame_header {
    uint32_t length;
    uint8_t type;
    uint8_t zero[3];
    uint32_t channel;
};
_Static_assert(sizeof(struct frame_header) == HEADER_BYTES, "the header is packed by its layout");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are written as they lie in memory");

/* Reads or writes all of it, through EINTR and short counts. 0, or -1 with errno (end of file: EPIPE). */
int read_all(int fd, void *buffer, size_t length);
int write_all(int fd, const void *buffer, size_t length);

/* Sends one frame with one call. 0 or -1. */
int send_frame(int fd, uint8_t type, uint32_t channel, const void *payload, uint32_t length);

#endif
