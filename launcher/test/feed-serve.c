/* The launcher's reader of what arrives at its listener. It takes the two frames it knows and not a byte more: what follows is for pid 1. */
#define _GNU_SOURCE
#include "harness.h"

#include "../serve.c"

bool prepare_launches(struct failure *failure)
{
    (void)failure;
    return false;
}

bool make_blank(struct workshop *own, struct spec *spec, const char *filter, size_t filter_length, struct launched *blank, struct failure *failure)
{
    (void)own;
    (void)spec;
    (void)filter;
    (void)filter_length;
    (void)blank;
    (void)failure;
    return false;
}

bool order_sandbox(struct launched *blank, struct spec *spec, const struct request_to_launch *request, struct failure *failure)
{
    (void)blank;
    (void)spec;
    (void)request;
    (void)failure;
    return false;
}

void discard_blank(const struct workshop *own, struct launched *blank, const struct spec *spec)
{
    (void)own;
    (void)blank;
    (void)spec;
}

int landlock_version(void)
{
    return 0;
}

/* How many bytes the two frames take; 0 when they are not what the protocol says. */
static size_t expected_length(const struct sample *sample)
{
    static const uint32_t most[] = {REQUEST_BYTES_MAX, FILTER_BYTES_MAX};
    static const uint8_t types[] = {FRAME_SPEC, FRAME_FILTER};
    struct frame_header header;
    uint32_t channel = 0;
    size_t at = 0;

    for (size_t i = 0; i < 2; i++) {
        if (sample->length - at < HEADER_BYTES)
            return 0;
        memcpy(&header, sample->bytes + at, sizeof header);
        at += HEADER_BYTES;
        if (header.type != types[i] || header.length > most[i] || header.channel == 0 || (i > 0 && header.channel != channel) || sample->length - at < header.length)
            return 0;
        channel = header.channel;
        at += header.length;
    }
    return at;
}

bool feed_arrival(struct sample *sample)
{
    struct arrival *arrival = calloc(1, sizeof *arrival);
    int connection[2], progress = 0;
    size_t sent = 0, rest = 0;
    char byte[4096];

    demand(arrival != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection) == 0, "there is a connection");
    arrival->fd = connection[0];
    while (sent < sample->length && progress == 0) {
        size_t piece = 1 + draw(draw(4) == 0 ? 20000 : 40);
        piece = piece < sample->length - sent ? piece : sample->length - sent;
        demand(write(connection[1], sample->bytes + sent, piece) == (ssize_t)piece, "a connection takes a piece");
        sent += piece;
        progress = receive(arrival);
    }
    size_t expected = expected_length(sample);
    demand((progress == 1) == (expected > 0), "an arrival is complete when both frames are");
    for (ssize_t count; (count = recv(connection[0], byte, sizeof byte, MSG_DONTWAIT)) > 0;)
        rest += (size_t)count;
    demand(progress != 1 || sent - rest == expected, "nothing is taken that is for pid 1");
    close(connection[0]);
    close(connection[1]);
    free(arrival->spec);
    free(arrival->filter);
    free(arrival);
    return progress == 1;
}
