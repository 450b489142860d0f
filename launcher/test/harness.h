#ifndef WARREN_TEST_HARNESS_H
#define WARREN_TEST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MAX 256
#define SAMPLE_BYTES_MAX 262144u

struct sample {
    char *bytes;
    size_t length;
};

/* A number from 0 to below `below`. */
uint32_t draw(uint32_t below);

/* Aborts when it does not hold. */
void demand(bool holds, const char *what);

/* One line: "ok" with counts, or the failure. */
void tell_spec(struct sample *sample);

/* Each gives a parser one sample; true: it was accepted. May write to the sample. */
bool feed_spec(struct sample *sample);
bool feed_request(struct sample *sample);
bool feed_frames(struct sample *sample);
bool feed_arrival(struct sample *sample);

#endif
