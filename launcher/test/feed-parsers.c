/* What holds of a spec or request that is accepted, whatever it was made from. */
#define _GNU_SOURCE
#include "harness.h"

#include "../failure.h"
#include "../request.h"
#include "../spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A buffer that ends with the sample: a byte read behind it is seen by the sanitizer. */
static char *exact_copy(const struct sample *sample)
{
    char *copy = malloc(sample->length > 0 ? sample->length : 1);

    demand(copy != NULL, "there is memory");
    memcpy(copy, sample->bytes, sample->length);
    return copy;
}

static void check_failure(const struct failure *failure)
{
    char line[FAILURE_LINE_MAX];
    size_t length = format_failure(failure, line, sizeof line);

    demand(length > 0 && length < sizeof line && line[0] == '{' && line[length - 1] == '}', "a failure is one line of JSON that fits");
    for (size_t i = 0; i < length; i++)
        demand(line[i] >= 0x20 && line[i] < 0x7f, "a failure is printable ASCII");
}

static void check_target(const char *target)
{
    char padded[4200];

    demand(target[0] != '\0' && strlen(target) <= 4000, "a target has a sensible length");
    snprintf(padded, sizeof padded, "/%s/", target);
    demand(strstr(padded, "/../") == NULL && strstr(padded, "/./") == NULL && strstr(padded, "//") == NULL, "a target leads nowhere else");
}

static void check_spec(const struct spec *spec)
{
    demand(spec->hostname != NULL && strlen(spec->hostname) <= 64 && spec->root_options != NULL, "what must be there is there");
    demand(spec->step_count <= STEPS_MAX && spec->base_step_count <= spec->step_count, "steps are counted");
    demand(spec->uid_map_count <= MAPS_MAX && spec->gid_map_count <= MAPS_MAX && spec->limit_count <= RLIMITS_MAX, "maps and limits are counted");
    demand(spec->cgroup_count <= CGROUPS_MAX && spec->cgroup_setting_count <= CGROUP_SETTINGS_MAX && spec->cgroup_report_count <= CGROUP_REPORTS_MAX &&
               spec->cgroup2 < CGROUPS_MAX && spec->landlock_rule_count <= LANDLOCK_MAX,
           "cgroups and rules are counted");
    demand((spec->without & WITHOUT_USER) || (spec->uid_map_count > 0 && spec->gid_map_count > 0), "a user namespace has maps");
    for (size_t i = 0; i < spec->step_count; i++) {
        const struct step *step = &spec->steps[i];
        check_target(step->target);
        demand((step->kind != STEP_BIND && step->kind != STEP_OVERLAY) || step->source[0] == '/', "sources are absolute");
        demand(step->mount == -1 && step->layer_mount == -1, "nothing is open yet");
        demand(!(step->flags & FLAG_IDMAP) || spec->idmap, "a mount that is mapped has a map");
        demand(i >= spec->base_step_count || !(step->flags & (FLAG_IDMAP | FLAG_OUTSIDE)), "what the launcher opens is no part of a base");
    }
    for (size_t i = 0; i < spec->limit_count; i++)
        demand(spec->limits[i].soft <= spec->limits[i].hard, "a soft limit is within the hard one");
    for (size_t i = 0; i < spec->cgroup_setting_count; i++) {
        check_target(spec->cgroup_settings[i].name);
        demand(strchr(spec->cgroup_settings[i].name, '/') == NULL && spec->cgroup_settings[i].root < CGROUPS_MAX, "a cgroup file is a name");
    }
    if (spec->lease_slots > 0)
        demand(spec->lease_first > 65535 && (uint64_t)spec->lease_first + (uint64_t)spec->lease_size * spec->lease_slots < UINT32_MAX, "leases are ids of nobody");
}

static bool parse(const struct sample *sample, char **copy, struct spec *spec, struct failure *failure)
{
    *copy = exact_copy(sample);
    size_t base = base_length(*copy, sample->length);
    demand(base <= sample->length, "a base is a part of the spec");
    return parse_spec(*copy, sample->length, spec, failure);
}

void tell_spec(struct sample *sample)
{
    static struct spec spec;
    struct failure failure;
    char line[FAILURE_LINE_MAX], *copy;

    if (parse(sample, &copy, &spec, &failure)) {
        check_spec(&spec);
        printf("ok steps %zu base %zu cgroups %zu limits %zu rules %zu without %u\n", spec.step_count, spec.base_step_count, spec.cgroup_count, spec.limit_count,
               spec.landlock_rule_count, spec.without);
    } else {
        line[format_failure(&failure, line, sizeof line)] = '\0';
        puts(line);
    }
    free(copy);
}

bool feed_spec(struct sample *sample)
{
    static struct spec spec;
    struct failure failure;
    char *copy;
    bool accepted = parse(sample, &copy, &spec, &failure);

    if (accepted)
        check_spec(&spec);
    else
        check_failure(&failure);
    free(copy);
    return accepted;
}

bool feed_request(struct sample *sample)
{
    static struct request request;
    const char *culprit;
    char *copy = exact_copy(sample);
    bool command = draw(2) == 0, accepted = parse_request(copy, sample->length, command, &request, &culprit);

    demand(culprit != NULL && strlen(culprit) <= sample->length + 8, "a refusal names something");
    if (accepted) {
        demand(request.limit_count <= RLIMITS_MAX && request.window > 0 && (request.mode & ~01777u) == 0 && (request.umask & ~0777u) == 0, "numbers are in their bounds");
        for (size_t i = 0; i < request.limit_count; i++)
            demand(request.limits[i].soft <= request.limits[i].hard, "a soft limit is within the hard one");
        size_t count = 0;
        while (command && request.argv[count] != NULL)
            demand(request.argv[count] >= copy && request.argv[count] < copy + sample->length && ++count <= ARGUMENTS_MAX, "arguments are of the request");
        demand(!command || count > 0, "a command has a name");
        demand(command || (request.path != NULL && *request.path != '\0'), "a file has a path");
    }
    free(copy);
    return accepted;
}
