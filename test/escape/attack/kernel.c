/* Calls that concern the whole machine. Arguments are such that the kernel does nothing even where it lets the call through. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define CALL_IO_URING_SETUP 425
#define CALL_FANOTIFY_INIT SYS_fanotify_init
#define CALL_LSM_LIST_MODULES 461
#define CALL_CACHESTAT 451

static void bpf_program(void)
{
    struct bpf_insn program[] = {{.code = 0xb7}, {.code = 0x95}}; /* r0 = 0; exit */
    union bpf_attr attributes = {
        .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uint64_t)(uintptr_t)program, .license = (uint64_t)(uintptr_t) "GPL"};

    judge(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes), "loaded");
}

static void bpf_map(void)
{
    union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

    judge(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), "made");
}

static void perf_event(void)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1, .exclude_hv = 1, .disabled = 1};

    judge(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0), "opened");
}

/* The whole machine, not only this process. */
static void perf_event_machine(void)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_CPU_CLOCK, .disabled = 1};

    judge(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0), "opened");
}

static void user_fault(void)
{
    judge(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */), "opened");
}

static void io_uring(void)
{
    char parameters[120] = {0}; /* struct io_uring_params */

    judge(syscall(CALL_IO_URING_SETUP, 1, parameters), "opened");
}

static void kexec(void)
{
    judge(syscall(SYS_kexec_load, 0, 17 /* more segments than there may be: EINVAL */, NULL, 0xffffUL << 48), "loaded");
}

static void kexec_file(void)
{
    judge(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 0xff00UL /* no such flags: EINVAL */), "loaded");
}

static void module(void)
{
    judge(syscall(SYS_init_module, "warren", 6UL, ""), "loaded"); /* ENOEXEC: not a module. */
}

static void module_file(void)
{
    judge(syscall(SYS_finit_module, open_or_answer("/usr/bin/env", O_RDONLY), "", ~0), "loaded"); /* EINVAL: no such flags. */
}

static void module_removal(void)
{
    judge(syscall(SYS_delete_module, "warren_no_such_module", O_NONBLOCK), "removed");
}

/* ---- time and names ---- */

static void set_time_of_day(void)
{
    struct timezone zone = {.tz_minuteswest = 15 * 60 + 1}; /* More than there may be: EINVAL once permission is given. */

    judge(syscall(SYS_settimeofday, NULL, &zone), "set");
}

static void set_clock(void)
{
    struct timespec never = {.tv_sec = 0, .tv_nsec = 2000000000}; /* Looked at after the permission? Before: see the expectation. */
    struct timespec now;

    (void)never;
    clock_gettime(CLOCK_REALTIME, &now);
    judge(syscall(SYS_clock_settime, CLOCK_REALTIME, &now), "set"); /* To what it is. */
}

static void adjust_clock(void)
{
    struct timex change = {.modes = ADJ_TICK, .tick = 0}; /* Out of range: EINVAL once permission is given. */

    judge(syscall(SYS_adjtimex, &change), "adjusted");
}

static void host_name(void)
{
    struct utsname names;

    if (uname(&names) != 0)
        inconclusive("uname: %s", error_name(errno));
    judge(sethostname(names.nodename, strlen(names.nodename)), "set"); /* To what it is. */
}

static void read_host_name(void)
{
    struct utsname names;

    if (uname(&names) != 0)
        refused(errno);
    if (strcmp(names.nodename, told("HOST_NAME")) == 0)
        succeeded("%s", names.nodename);
    absent(NULL);
}

static void domain_name(void)
{
    struct utsname names;

    if (uname(&names) != 0)
        inconclusive("uname: %s", error_name(errno));
    judge(setdomainname(names.domainname, strlen(names.domainname)), "set"); /* To what it is. */
}

/* ---- the machine ---- */

static void restart(void)
{
    judge(syscall(SYS_reboot, 0, 0, 0, NULL), "restarted"); /* Not the magic numbers: EINVAL once permission is given. */
}

static void swap_on(void)
{
    judge(syscall(SYS_swapon, "/warren-no-such-file", 0), "on");
}

static void swap_off(void)
{
    judge(syscall(SYS_swapoff, "/warren-no-such-file"), "off");
}

static void accounting(void)
{
    judge(syscall(SYS_acct, "/warren-no-such-file"), "on");
}

static void read_log(void)
{
    char buffer[256];

    judge(syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, buffer, sizeof buffer), "read");
}

static void quota(void)
{
    judge(syscall(SYS_quotactl, (int)((0x800001u << 8) | 0) /* Q_SYNC */, NULL, 0, NULL), "synced");
}

static void hang_up(void)
{
    judge(syscall(SYS_vhangup), "hung up");
}

static void watch_everything(void)
{
    judge(syscall(CALL_FANOTIFY_INIT, 4 /* FAN_CLASS_CONTENT */, O_RDONLY), "watching");
}

static void page_cache(void)
{
    struct {
        uint64_t offset, length;
    } range = {0, 4096};
    uint64_t statistics[5];
    int fd = open_or_answer("/usr/bin/env", O_RDONLY);

    judge(syscall(CALL_CACHESTAT, fd, &range, statistics, 0), "told");
}

static void security_modules(void)
{
    uint64_t ids[16];
    uint32_t size = sizeof ids;

    judge(syscall(CALL_LSM_LIST_MODULES, ids, &size, 0), "listed");
}

static void memory_policy(void)
{
    judge(syscall(SYS_migrate_pages, 1, 0, NULL, NULL), "moved");
}

const struct attempt kernel_attempts[] = {
    {"kernel-bpf-program", bpf_program},
    {"kernel-bpf-map", bpf_map},
    {"kernel-perf", perf_event},
    {"kernel-perf-machine", perf_event_machine},
    {"kernel-userfaultfd", user_fault},
    {"kernel-io-uring", io_uring},
    {"kernel-kexec", kexec},
    {"kernel-kexec-file", kexec_file},
    {"kernel-module", module},
    {"kernel-module-file", module_file},
    {"kernel-module-removal", module_removal},
    {"kernel-time-of-day", set_time_of_day},
    {"kernel-clock", set_clock},
    {"kernel-adjust-clock", adjust_clock},
    {"kernel-host-name", host_name},
    {"kernel-read-host-name", read_host_name},
    {"kernel-domain-name", domain_name},
    {"kernel-restart", restart},
    {"kernel-swap-on", swap_on},
    {"kernel-swap-off", swap_off},
    {"kernel-accounting", accounting},
    {"kernel-log", read_log},
    {"kernel-quota", quota},
    {"kernel-hang-up", hang_up},
    {"kernel-fanotify", watch_everything},
    {"kernel-page-cache", page_cache},
    {"kernel-security-modules", security_modules},
    {"kernel-memory-policy", memory_policy},
    {NULL, NULL},
};
