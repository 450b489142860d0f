/*
 * What to build, as the host tells it: flags, NUL-separated, each with its fixed number of values (README.md lists them). Everything is parsed and
 * checked before anything is done. The spec points into the buffer it was parsed from.
 *
 * The part before `--base-end` (identity, the system, devices, scratch, limits) is the same for many sandboxes and says nothing of their users: it can be
 * built ahead. The rest (mounts of somebody's directories) is known only when somebody asks.
 */
#ifndef WARREN_SPEC_H
#define WARREN_SPEC_H

#include "failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define STEPS_MAX 256
#define MAPS_MAX 8
#define CGROUPS_MAX 8
#define CGROUP_SETTINGS_MAX 32
#define CGROUP_REPORTS_MAX 16
#define RLIMITS_MAX 16
#define LANDLOCK_MAX 96

/* Walls that a test may leave out, by name, to show that something notices. */
enum wall {
    WITHOUT_USER = 1 << 0,
    WITHOUT_PID = 1 << 1,
    WITHOUT_NET = 1 << 2,
    WITHOUT_IPC = 1 << 3,
    WITHOUT_UTS = 1 << 4,
    WITHOUT_CGROUP = 1 << 5,
    WITHOUT_SECCOMP = 1 << 6,
    WITHOUT_NO_NEW_PRIVILEGES = 1 << 7,
    WITHOUT_CAPABILITIES = 1 << 8,
    WITHOUT_LANDLOCK = 1 << 9,
    WITHOUT_UNDUMPABLE = 1 << 10,
    WITHOUT_PIVOT = 1 << 11,
    WITHOUT_CLOSE = 1 << 12,
    WITHOUT_PARENT_DEATH = 1 << 13,
    WITHOUT_SESSION = 1 << 14,
};

enum step_kind { STEP_BIND, STEP_SCRATCH, STEP_OVERLAY, STEP_PROC, STEP_DEVPTS, STEP_SYMLINK, STEP_FILE, STEP_MASK, STEP_COVER };

enum step_flag {
    FLAG_READ_ONLY = 1 << 0,
    FLAG_NOSUID = 1 << 1,
    FLAG_NODEV = 1 << 2,
    FLAG_NOEXEC = 1 << 3,
    FLAG_RECURSIVE = 1 << 4,
    FLAG_OPTIONAL = 1 << 5, /* a source that does not exist is skipped */
    FLAG_IDMAP = 1 << 6,    /* owner on disk and owner inside as `--idmap` says; implies outside */
    FLAG_OUTSIDE = 1 << 7,  /* opened by the launcher, which may reach what the child may not */
};

struct step {
    enum step_kind kind;
    unsigned flags;
    const char *source;  /* bind: path; symlink: what it points to; overlay: lower; file: content; cover: inside the new root, as target is */
    const char *target;  /* inside the new root, without a leading slash */
    const char *options; /* proc: mount options */
    const char *layer;   /* overlay: the directory that holds `upper` and `work` */
    mode_t mode;         /* scratch, file */
    uid_t uid;           /* scratch */
    gid_t gid;
    int mount;       /* opened source, or -1 */
    int layer_mount; /* overlay: opened layer, or -1 */
};

struct id_map {
    uint32_t inside, outside, count;
};

struct cgroup_file {
    unsigned root; /* which hierarchy, see struct cgroup_roots */
    const char *name, *value;
};

struct limit {
    int resource;
    rlim_t soft, hard;
};

struct landlock_rule {
    const char *path;
    enum { ACCESS_READ, ACCESS_WRITE, ACCESS_DEVICE } access;
};

struct spec {
    const char *hostname;
    unsigned without;

    /* Identities. With a lease the outside ids are offsets into the leased range. */
    uint32_t lease_first, lease_size, lease_slots;
    bool map_helper; /* newuidmap and newgidmap write the maps */
    struct id_map uid_maps[MAPS_MAX], gid_maps[MAPS_MAX];
    size_t uid_map_count, gid_map_count;
    uid_t init_uid; /* who pid 1 is inside */
    gid_t init_gid;
    bool switch_users; /* pid 1 keeps what it needs to start commands as other users inside */
    bool idmap;
    uid_t idmap_disk_uid, idmap_inside_uid;
    gid_t idmap_disk_gid, idmap_inside_gid;

    struct step steps[STEPS_MAX];
    size_t step_count;
    bool has_rest;          /* something came after `--base-end` */
    size_t base_step_count; /* the first of them; the same for every sandbox with the same base */
    const char *root_options; /* of the tmpfs that is the new root */
    bool read_only_root;

    unsigned cgroups[CGROUPS_MAX]; /* one directory in each of these hierarchies */
    size_t cgroup_count;
    int cgroup2; /* the v2 one of them, given to pid 1 for a cgroup per command; -1: none */
    struct cgroup_file cgroup_settings[CGROUP_SETTINGS_MAX];
    size_t cgroup_setting_count;
    struct cgroup_file cgroup_reports[CGROUP_REPORTS_MAX];
    size_t cgroup_report_count;

    struct limit limits[RLIMITS_MAX];
    size_t limit_count;
    struct landlock_rule landlock_rules[LANDLOCK_MAX];
    size_t landlock_rule_count;
};

/* Parses `length` bytes that end in NUL. False: `failure` says which flag and why (path holds the offending text). */
bool parse_spec(const char *text, size_t length, struct spec *spec, struct failure *failure);

/* Bytes up to and with `--base-end`: what sandboxes can have in common. 0 when the flag is not there. */
size_t base_length(const char *text, size_t length);

/* Whether the base is all there is: such a sandbox can be finished before anybody asks for it. */
bool is_base_only(const struct spec *spec);

/* Open files of each command; without a limit in the spec there is none. */
struct limit descriptor_limit(const struct spec *spec);

/* RLIMIT_* for a name such as "nofile", or -1. */
int resource_by_name(const char *name);

/* Parses a decimal or, with base 8, octal number with nothing around it. */
bool parse_number(const char *text, int base, uint64_t max, uint64_t *value);

#endif
