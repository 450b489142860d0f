/*
 * Feeds the launcher's parsers, built with sanitizers: what they refuse, what they accept, and that nothing they are given breaks them.
 *
 *   harness parse                 says of each spec whether it is accepted
 *   harness specs SEED COUNT      mutates specs
 *   harness requests SEED COUNT   mutates what EXEC and the file requests carry
 *   harness frames SEED COUNT     mutates what the host sends to pid 1, cut into pieces at random
 *   harness arrivals SEED COUNT   mutates what arrives at the launcher's listener, cut into pieces at random
 *
 * Samples come on standard input, each as a 32-bit length and its bytes. Everything random comes from SEED. An invariant that does not hold aborts.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sample samples[SAMPLES_MAX];
static size_t sample_count;
static uint64_t state;

/* xorshift64*: good enough to mutate with, and the same everywhere. */
uint32_t draw(uint32_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 32) % below;
}

void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "harness: does not hold: %s\n", what);
    abort();
}

static void read_samples(void)
{
    uint32_t length;

    while (sample_count < SAMPLES_MAX && fread(&length, sizeof length, 1, stdin) == 1) {
        struct sample *sample = &samples[sample_count++];
        demand(length <= SAMPLE_BYTES_MAX && (sample->bytes = malloc(length + 1)) != NULL, "a sample has a sensible length");
        sample->length = length;
        demand(fread(sample->bytes, 1, length, stdin) == length, "a sample is whole");
    }
    demand(sample_count > 0, "there is a sample");
}

static const char *const dictionary[] = {
    "--hostname", "--lease", "--uid-map", "--gid-map", "--init", "--switch-users", "--idmap", "--root", "--read-only-root", "--bind", "--scratch",
    "--overlay", "--proc", "--devpts", "--symlink", "--file", "--mask", "--cover", "--cgroup", "--cgroup2", "--cgroup-set", "--cgroup-report", "--rlimit",
    "--landlock", "--base-end", "--without", "--env", "--cwd", "--path", "--uid", "--gid", "--pty", "--window", "--mode", "--umask", "--offset",
    "--length", "--stdin", "--end-tree", "--append", "--recursive", "--", "", "/", ".", "..", "../x", "/etc/passwd", "a/../b", "a//b", "usr", "ro,nosuid", "idmap", "outside",
    "optional,recursive", "read", "write", "device", "seccomp", "user", "nofile", "core", "0", "1", "-1", "65536", "4294967294", "4294967295", "4294967296",
    "18446744073709551615", "18446744073709551616", "99999999999999999999", "777", "1777", "8", " 1", "1 ", "0x1", "\xff\xfe", "%s%n",
};

static char *open_gap(struct sample *sample, size_t at, size_t length)
{
    if (sample->length + length > SAMPLE_BYTES_MAX)
        return NULL;
    memmove(sample->bytes + at + length, sample->bytes + at, sample->length - at);
    sample->length += length;
    return sample->bytes + at;
}

/* The beginning of the word (they end in NUL) around a place. */
static size_t word_at(const struct sample *sample, size_t at)
{
    while (at > 0 && sample->bytes[at - 1] != '\0')
        at--;
    return at;
}

static void mutate_once(struct sample *sample)
{
    size_t at = sample->length == 0 ? 0 : draw((uint32_t)sample->length);
    size_t word = word_at(sample, at), word_length = strnlen(sample->bytes + word, sample->length - word) + 1;
    const char *text = dictionary[draw(sizeof dictionary / sizeof *dictionary)];
    char *gap;

    if (word + word_length > sample->length)
        word_length = sample->length - word;
    switch (draw(9)) {
    case 0: /* a bit */
        if (sample->length > 0)
            sample->bytes[at] ^= (char)(1u << draw(8));
        return;
    case 1: /* a byte */
        if (sample->length > 0)
            sample->bytes[at] = (char)draw(256);
        return;
    case 2: /* the end is gone */
        sample->length = at;
        return;
    case 3: /* a word is gone */
        memmove(sample->bytes + word, sample->bytes + word + word_length, sample->length - word - word_length);
        sample->length -= word_length;
        return;
    case 4: /* a word twice */
        if ((gap = open_gap(sample, word, word_length)) != NULL)
            memmove(gap, gap + word_length, word_length);
        return;
    case 5: /* another word */
    case 6:
        if ((gap = open_gap(sample, word, strlen(text) + 1)) != NULL)
            memcpy(gap, text, strlen(text) + 1);
        return;
    case 7: /* in place of one */
        memmove(sample->bytes + word, sample->bytes + word + word_length, sample->length - word - word_length);
        sample->length -= word_length;
        if ((gap = open_gap(sample, word, strlen(text) + 1)) != NULL)
            memcpy(gap, text, strlen(text) + 1);
        return;
    default: /* a long one */
        word_length = draw(6000);
        if ((gap = open_gap(sample, word, word_length + 1)) != NULL) {
            memset(gap, 'a' + (int)draw(26), word_length);
            gap[word_length] = '\0';
        }
    }
}

static struct sample mutated(void)
{
    static char place[SAMPLE_BYTES_MAX];
    const struct sample *original = &samples[draw((uint32_t)sample_count)];
    struct sample sample = {.bytes = place, .length = original->length};

    memcpy(place, original->bytes, original->length);
    for (uint32_t i = draw(4); i > 0 || draw(8) == 0; i -= i > 0)
        mutate_once(&sample);
    return sample;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*feed)(struct sample *);
    } modes[] = {{"specs", feed_spec}, {"requests", feed_request}, {"frames", feed_frames}, {"arrivals", feed_arrival}};
    unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, accepted = 0;

    read_samples();
    if (argc == 2 && strcmp(argv[1], "parse") == 0) {
        for (size_t i = 0; i < sample_count; i++)
            tell_spec(&samples[i]);
        return 0;
    }
    demand(argc == 4, "usage: harness parse | harness specs|requests|frames|arrivals SEED COUNT");
    state = strtoull(argv[2], NULL, 10) * 2 + 1;
    for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++)
        for (unsigned long i = 0; i < count && strcmp(argv[1], modes[mode].name) == 0; i++) {
            struct sample sample = mutated();
            accepted += modes[mode].feed(&sample);
        }
    printf("%lu of %lu accepted\n", accepted, count);
    return 0;
}
