#include "spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *next, *end;
    struct spec *spec;
    bool base_ended;
};

/* The next value, or NULL at the end. */
static const char *take(struct reader *reader)
{
    if (reader->next >= reader->end)
        return NULL;
    const char *value = reader->next;
    reader->next += strlen(value) + 1;
    return value;
}

bool parse_number(const char *text, int base, uint64_t max, uint64_t *value)
{
    if (text == NULL || *text == '\0' || strlen(text) > 20)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (*c < '0' || *c >= '0' + base)
            return false;
    errno = 0;
    *value = strtoull(text, NULL, base);
    return errno == 0 && *value <= max;
}

static bool take_number(struct reader *reader, int base, uint64_t max, uint64_t *value)
{
    return parse_number(take(reader), base, max, value);
}

static bool take_u32(struct reader *reader, uint32_t *value)
{
    uint64_t wide;
    if (!take_number(reader, 10, UINT32_MAX - 1, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

struct limit descriptor_limit(const struct spec *spec)
{
    struct limit limit = {.resource = RLIMIT_NOFILE, .soft = RLIM_INFINITY, .hard = RLIM_INFINITY};

    for (size_t i = 0; i < spec->limit_count; i++)
        if (spec->limits[i].resource == RLIMIT_NOFILE)
            limit = spec->limits[i];
    return limit;
}

int resource_by_name(const char *name)
{
    static const struct {
        const char *name;
        int resource;
    } resources[] = {
        {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},     {"cpu", RLIMIT_CPU},     {"data", RLIMIT_DATA},
        {"fsize", RLIMIT_FSIZE},     {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
        {"stack", RLIMIT_STACK},     {"msgqueue", RLIMIT_MSGQUEUE}, {"sigpending", RLIMIT_SIGPENDING}, {"nice", RLIMIT_NICE},
        {"rtprio", RLIMIT_RTPRIO},
    };

    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
        if (strcmp(resources[i].name, name) == 0)
            return resources[i].resource;
    return -1;
}

/* A target is relative, has no empty, "." or ".." component, and fits. */
static bool is_target(const char *path)
{
    if (path == NULL || *path == '\0' || strlen(path) > 4000)
        return false;
    for (const char *component = path;;) {
        size_t length = strcspn(component, "/");
        if (length == 0 || length > 255 || (length == 1 && component[0] == '.') || (length == 2 && component[0] == '.' && component[1] == '.'))
            return false;
        if (component[length] == '\0')
            return true;
        component += length + 1;
    }
}

static bool is_absolute(const char *path)
{
    return path != NULL && path[0] == '/' && strlen(path) < 4000;
}

static bool parse_flags(const char *text, unsigned *flags)
{
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {
        {"ro", FLAG_READ_ONLY},     {"nosuid", FLAG_NOSUID},       {"nodev", FLAG_NODEV}, {"noexec", FLAG_NOEXEC},
        {"recursive", FLAG_RECURSIVE}, {"optional", FLAG_OPTIONAL}, {"idmap", FLAG_IDMAP}, {"outside", FLAG_OUTSIDE},
    };

    *flags = 0;
    if (text == NULL)
        return false;
    while (*text != '\0') {
        size_t length = strcspn(text, ","), i = 0;
        while (i < sizeof names / sizeof *names && (strlen(names[i].name) != length || strncmp(names[i].name, text, length) != 0))
            i++;
        if (i == sizeof names / sizeof *names)
            return false;
        *flags |= names[i].flag;
        text += length;
        if (*text == ',')
            text++;
    }
    return true;
}

static struct step *add_step(struct reader *reader, enum step_kind kind)
{
    if (reader->spec->step_count == STEPS_MAX)
        return NULL;
    struct step *step = &reader->spec->steps[reader->spec->step_count++];
    *step = (struct step){.kind = kind, .mount = -1, .layer_mount = -1};
    return step;
}

static bool read_bind(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_BIND);
    return step != NULL && is_absolute(step->source = take(reader)) && is_target(step->target = take(reader)) && parse_flags(take(reader), &step->flags);
}

static bool read_scratch(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_SCRATCH);
    uint64_t mode;
    if (step == NULL || !is_target(step->target = take(reader)) || !take_number(reader, 8, 01777, &mode) || !take_u32(reader, &step->uid) ||
        !take_u32(reader, &step->gid) || !parse_flags(take(reader), &step->flags))
        return false;
    step->mode = (mode_t)mode;
    return true;
}

static bool read_overlay(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_OVERLAY);
    return step != NULL && is_target(step->target = take(reader)) && is_absolute(step->source = take(reader)) && is_absolute(step->layer = take(reader)) &&
           parse_flags(take(reader), &step->flags);
}

static bool read_proc(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_PROC);
    return step != NULL && is_target(step->target = take(reader)) && (step->options = take(reader)) != NULL && parse_flags(take(reader), &step->flags);
}

static bool read_target_only(struct reader *reader, enum step_kind kind)
{
    struct step *step = add_step(reader, kind);
    return step != NULL && is_target(step->target = take(reader));
}

static bool read_symlink(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_SYMLINK);
    return step != NULL && (step->source = take(reader)) != NULL && is_target(step->target = take(reader));
}

static bool read_cover(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_COVER);
    return step != NULL && is_target(step->source = take(reader)) && is_target(step->target = take(reader));
}

static bool read_file(struct reader *reader)
{
    struct step *step = add_step(reader, STEP_FILE);
    uint64_t mode;
    if (step == NULL || !is_target(step->target = take(reader)) || !take_number(reader, 8, 0777, &mode) || (step->source = take(reader)) == NULL)
        return false;
    step->mode = (mode_t)mode;
    return true;
}

static bool read_map(struct reader *reader, struct id_map *maps, size_t *count)
{
    if (*count == MAPS_MAX)
        return false;
    struct id_map *map = &maps[(*count)++];
    return take_u32(reader, &map->inside) && take_u32(reader, &map->outside) && take_u32(reader, &map->count) && map->count > 0;
}

static bool take_root(struct reader *reader, unsigned *root)
{
    uint64_t number;
    if (!take_number(reader, 10, CGROUPS_MAX - 1, &number))
        return false;
    *root = (unsigned)number;
    return true;
}

/* A file of a cgroup, by its name alone. */
static bool read_cgroup_file(struct reader *reader, struct cgroup_file *file, bool has_value)
{
    return take_root(reader, &file->root) && is_target(file->name = take(reader)) && strchr(file->name, '/') == NULL &&
           (!has_value || (file->value = take(reader)) != NULL);
}

static bool read_rlimit(struct reader *reader)
{
    if (reader->spec->limit_count == RLIMITS_MAX)
        return false;
    struct limit *limit = &reader->spec->limits[reader->spec->limit_count++];
    const char *name = take(reader);
    uint64_t soft, hard;
    if (name == NULL || (limit->resource = resource_by_name(name)) < 0 || !take_number(reader, 10, UINT64_MAX, &soft) || !take_number(reader, 10, UINT64_MAX, &hard) || soft > hard)
        return false;
    limit->soft = (rlim_t)soft;
    limit->hard = (rlim_t)hard;
    return true;
}

static bool read_landlock(struct reader *reader)
{
    if (reader->spec->landlock_rule_count == LANDLOCK_MAX)
        return false;
    struct landlock_rule *rule = &reader->spec->landlock_rules[reader->spec->landlock_rule_count++];
    const char *access;
    if (!is_absolute(rule->path = take(reader)) || (access = take(reader)) == NULL)
        return false;
    if (strcmp(access, "read") == 0)
        rule->access = ACCESS_READ;
    else if (strcmp(access, "write") == 0)
        rule->access = ACCESS_WRITE;
    else if (strcmp(access, "device") == 0)
        rule->access = ACCESS_DEVICE;
    else
        return false;
    return true;
}

static bool read_without(struct reader *reader)
{
    static const char *const names[] = {"user",         "pid",      "net",        "ipc",   "uts",   "cgroup",       "seccomp", "no_new_privileges",
                                        "capabilities", "landlock", "undumpable", "pivot", "close", "parent_death", "session"};
    const char *name = take(reader);

    for (unsigned i = 0; name != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            reader->spec->without |= 1u << i;
            return true;
        }
    return false;
}

/* A blank that was built ahead knows nothing else of what follows its base. */
static bool may_follow_base(const char *flag)
{
    static const char *const flags[] = {"--read-only-root", "--idmap", "--bind", "--scratch", "--overlay", "--proc", "--devpts",
                                        "--symlink", "--file", "--mask", "--cover", "--rlimit", "--landlock"};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i], flag) == 0)
            return true;
    return false;
}

static bool end_base(struct reader *reader)
{
    struct spec *spec = reader->spec;

    for (size_t i = 0; i < spec->step_count; i++)
        if (spec->steps[i].flags & (FLAG_IDMAP | FLAG_OUTSIDE))
            return false; /* What the launcher opens comes with the order. */
    spec->base_step_count = spec->step_count;
    spec->has_rest = reader->next < reader->end;
    return reader->base_ended = true;
}

static bool read_flag(struct reader *reader, const char *flag)
{
    struct spec *spec = reader->spec;

    if (reader->base_ended && !may_follow_base(flag))
        return false;
    if (strcmp(flag, "--base-end") == 0)
        return end_base(reader);
    if (strcmp(flag, "--hostname") == 0)
        return (spec->hostname = take(reader)) != NULL && strlen(spec->hostname) <= 64;
    if (strcmp(flag, "--lease") == 0)
        return take_u32(reader, &spec->lease_first) && take_u32(reader, &spec->lease_size) && take_u32(reader, &spec->lease_slots) && spec->lease_slots > 0 &&
               spec->lease_slots <= 65536 && spec->lease_first > 65535 && (uint64_t)spec->lease_first + (uint64_t)spec->lease_size * spec->lease_slots < UINT32_MAX;
    if (strcmp(flag, "--map-helper") == 0)
        return spec->map_helper = true;
    if (strcmp(flag, "--uid-map") == 0)
        return read_map(reader, spec->uid_maps, &spec->uid_map_count);
    if (strcmp(flag, "--gid-map") == 0)
        return read_map(reader, spec->gid_maps, &spec->gid_map_count);
    if (strcmp(flag, "--init") == 0)
        return take_u32(reader, &spec->init_uid) && take_u32(reader, &spec->init_gid);
    if (strcmp(flag, "--switch-users") == 0)
        return spec->switch_users = true;
    if (strcmp(flag, "--idmap") == 0)
        return (spec->idmap = true) && take_u32(reader, &spec->idmap_disk_uid) && take_u32(reader, &spec->idmap_disk_gid) &&
               take_u32(reader, &spec->idmap_inside_uid) && take_u32(reader, &spec->idmap_inside_gid);
    if (strcmp(flag, "--root") == 0)
        return (spec->root_options = take(reader)) != NULL;
    if (strcmp(flag, "--read-only-root") == 0)
        return spec->read_only_root = true;
    if (strcmp(flag, "--bind") == 0)
        return read_bind(reader);
    if (strcmp(flag, "--scratch") == 0)
        return read_scratch(reader);
    if (strcmp(flag, "--overlay") == 0)
        return read_overlay(reader);
    if (strcmp(flag, "--proc") == 0)
        return read_proc(reader);
    if (strcmp(flag, "--devpts") == 0)
        return read_target_only(reader, STEP_DEVPTS);
    if (strcmp(flag, "--symlink") == 0)
        return read_symlink(reader);
    if (strcmp(flag, "--file") == 0)
        return read_file(reader);
    if (strcmp(flag, "--mask") == 0)
        return read_target_only(reader, STEP_MASK);
    if (strcmp(flag, "--cover") == 0)
        return read_cover(reader);
    if (strcmp(flag, "--cgroup") == 0)
        return spec->cgroup_count < CGROUPS_MAX && take_root(reader, &spec->cgroups[spec->cgroup_count++]);
    if (strcmp(flag, "--cgroup2") == 0)
        return spec->cgroup2 < 0 && spec->cgroup_count < CGROUPS_MAX && take_root(reader, &spec->cgroups[spec->cgroup_count]) &&
               (spec->cgroup2 = (int)spec->cgroups[spec->cgroup_count++]) >= 0;
    if (strcmp(flag, "--cgroup-set") == 0)
        return spec->cgroup_setting_count < CGROUP_SETTINGS_MAX && read_cgroup_file(reader, &spec->cgroup_settings[spec->cgroup_setting_count++], true);
    if (strcmp(flag, "--cgroup-report") == 0)
        return spec->cgroup_report_count < CGROUP_REPORTS_MAX && read_cgroup_file(reader, &spec->cgroup_reports[spec->cgroup_report_count++], false);
    if (strcmp(flag, "--rlimit") == 0)
        return read_rlimit(reader);
    if (strcmp(flag, "--landlock") == 0)
        return read_landlock(reader);
    if (strcmp(flag, "--without") == 0)
        return read_without(reader);
    return false;
}

/* What must be there whatever else is: a forgotten flag may not mean a missing wall. */
static const char *missing_part(const struct spec *spec)
{
    if (spec->hostname == NULL)
        return "--hostname";
    if (spec->root_options == NULL)
        return "--root";
    if (!(spec->without & WITHOUT_USER) && (spec->uid_map_count == 0 || spec->gid_map_count == 0))
        return "--uid-map, --gid-map";
    for (size_t i = 0; i < spec->step_count; i++)
        if ((spec->steps[i].flags & FLAG_IDMAP) && !spec->idmap)
            return "--idmap";
    return NULL;
}

size_t base_length(const char *text, size_t length)
{
    static const char flag[] = "--base-end";

    for (size_t at = 0; at < length; at += strnlen(text + at, length - at) + 1)
        if (length - at >= sizeof flag && memcmp(text + at, flag, sizeof flag) == 0)
            return at + sizeof flag;
    return 0;
}

bool is_base_only(const struct spec *spec)
{
    return !spec->has_rest;
}

bool parse_spec(const char *text, size_t length, struct spec *spec, struct failure *failure)
{
    struct reader reader = {.next = text, .end = text + length, .spec = spec};

    *spec = (struct spec){.cgroup2 = -1, .has_rest = true};
    *failure = (struct failure){.stage = "spec", .call = "parse", .error = EINVAL};
    if (length == 0 || text[length - 1] != '\0') {
        failure->path = "unterminated";
        return false;
    }
    for (const char *flag; (flag = take(&reader)) != NULL;)
        if (!read_flag(&reader, flag)) {
            failure->path = flag;
            return false;
        }
    failure->path = missing_part(spec);
    return failure->path == NULL;
}
