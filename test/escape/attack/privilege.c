/* Getting privileges back: by ids, capabilities, user namespaces, set-id bits, other entries to the kernel. */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CALL_CLONE3 435
#define CALL_LANDLOCK_CREATE_RULESET 444
#define CALL_LANDLOCK_RESTRICT_SELF 446
#define CALL_FCHMODAT2 452
#define LAYERS_MAX 16 /* LANDLOCK_MAX_NUM_LAYERS: the kernel's */

/* ---- ids ---- */

static void become_root(void)
{
    judge(setresuid(0, 0, 0), "root");
}

static void become_root_group(void)
{
    judge(setresgid(0, 0, 0), "root");
}

static void add_group(void)
{
    gid_t groups[] = {0};

    judge(setgroups(1, groups), "added");
}

/* As root inside: root without capabilities is a name like any other. */
static void become_another(void)
{
    judge(setresuid(4321, 4321, 4321), "changed");
}

static void give_away(void)
{
    const char *path = scratch_path("file");

    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    judge(chown(path, 4321, 4321), "given");
}

/* The home of the agent has mode 0700. */
static void enter_home(void)
{
    open_or_answer("/home/agent", O_RDONLY | O_DIRECTORY);
    succeeded("entered");
}

static void change_network(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        inconclusive("lo: %s", error_name(errno));
    judge(ioctl(fd, SIOCSIFFLAGS, &request), "set"); /* To what they are. */
}

/* ---- capabilities ---- */

static void take_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = ~0u, .permitted = ~0u}, {.effective = ~0u, .permitted = ~0u}};

    judge(syscall(SYS_capset, &header, data), "taken");
}

static void raise_ambient(void)
{
    judge(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0), "raised");
}

static void loosen_securebits(void)
{
    judge(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), "set");
}

/* What is in no bounding set comes back by no exec. */
static void bounding_set(void)
{
    int found = 0;

    for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
        found += prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
    if (found == 0)
        refused_as("empty");
    succeeded("%d capabilities", found);
}

/* Root inside has just been executed: with a bounding set and without no_new_privs that makes it powerful. */
static void capabilities_by_exec(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};

    if (syscall(SYS_capget, &header, data) != 0)
        refused(errno);
    if (data[0].effective == 0 && data[1].effective == 0)
        refused_as("empty");
    succeeded("effective %08x", data[0].effective);
}

static void file_capabilities(void)
{
    struct {
        uint32_t magic, permitted, inheritable, permitted_high, inheritable_high;
    } value = {.magic = 0x02000000, .permitted = ~0u}; /* VFS_CAP_REVISION_2 */
    const char *path = scratch_path("file");

    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
    judge(setxattr(path, "security.capability", &value, sizeof value, 0), "set");
}

/* ---- namespaces ---- */

static void unshare_user(void)
{
    judge(unshare(CLONE_NEWUSER), "entered");
}

static void unshare_mounts(void)
{
    judge(unshare(CLONE_NEWNS), "entered");
}

static void unshare_cgroup(void)
{
    judge(unshare(CLONE_NEWCGROUP), "entered");
}

static void unshare_time(void)
{
    judge(unshare(0x80 /* CLONE_NEWTIME */), "entered");
}

static void clone_user(void)
{
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

    if (pid == 0)
        _exit(0);
    judge(pid, "made");
}

static void clone3_user(void)
{
    uint64_t arguments[8] = {[0] = CLONE_NEWUSER, [4] = SIGCHLD};
    long pid = syscall(CALL_CLONE3, arguments, sizeof arguments);

    if (pid == 0)
        _exit(0);
    judge(pid, "made");
}

static void join_user_namespace(void)
{
    int fd = open_or_answer("/proc/self/ns/user", O_RDONLY);

    judge(setns(fd, CLONE_NEWUSER), "joined"); /* EINVAL once permission is given: one is in it already. */
}

/* ---- set-id bits ---- */

static void chmod_setuid(void)
{
    const char *path = scratch_path("file");

    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
    judge(chmod(path, 04755), "set");
}

static void fchmodat2_setuid(void)
{
    const char *path = scratch_path("file");

    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
    judge(syscall(CALL_FCHMODAT2, AT_FDCWD, path, 04755, 0), "set");
}

static void create_setuid(void)
{
    judge(open(scratch_path("file"), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 04755), "made");
}

static void setgid_directory(void)
{
    judge(mkdir(scratch_path("directory"), 02755), "made");
}

static void mknod_setuid(void)
{
    judge(mknod(scratch_path("file"), S_IFREG | 04755, 0), "made");
}

/* Leaves a copy of this program with the bit at the path the host named; `privilege-effective-user` run from there tells whether it counts. */
static void plant_setuid(void)
{
    char buffer[65536];
    const char *path = told("PLANT_PATH");
    int from = open_or_answer("/proc/self/exe", O_RDONLY), to = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);

    if (to < 0)
        refused(errno);
    for (ssize_t count; (count = read(from, buffer, sizeof buffer)) > 0;)
        if (write(to, buffer, (size_t)count) != count)
            inconclusive("write: %s", error_name(errno));
    if (fchmod(to, 04755) != 0)
        refused(errno);
    succeeded("planted");
}

static void effective_user(void)
{
    if (geteuid() == getuid())
        refused_as("unchanged");
    succeeded("effective user %u", geteuid());
}

/* ---- the filter ---- */

static void filter_is_there(void)
{
    char line[128];
    int mode = -1;
    FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    if (mode == 2)
        refused_as("filtered");
    succeeded("mode %d", mode);
}

static void no_new_privileges_is_set(void)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        refused_as("set");
    succeeded("not set");
}

static void clear_no_new_privileges(void)
{
    judge(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), "cleared");
}

static void disable_filter(void)
{
    judge(prctl(PR_SET_SECCOMP, 0 /* SECCOMP_MODE_DISABLED */, 0, 0, 0), "disabled");
}

/* A second filter that allows everything does not loosen the first. */
static void loosen_filter(void)
{
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 1, .filter = allow};

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        inconclusive("seccomp: %s", error_name(errno));
    judge(unshare(CLONE_NEWUSER), "entered");
}

/* A supervisor of its own that lets every call continue does not outrank the first filter either. */
static void continue_by_notification(void)
{
    struct sock_filter ask[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof ask / sizeof *ask, .filter = ask};
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);

    if (listener < 0)
        inconclusive("seccomp: %s", error_name(errno));
    pid_t supervisor = fork();
    if (supervisor == 0) {
        struct seccomp_notif notice = {0};
        struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) == 0) {
            answer.id = notice.id;
            ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
        }
        _exit(0);
    }
    long result = unshare(CLONE_NEWUSER);
    int error = errno;
    kill(supervisor, SIGKILL);
    errno = error;
    judge(result, "entered");
}

#ifdef __x86_64__
static void by_int80(void)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L /* getpid */) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0)
        refused((int)-result);
    succeeded("answered %ld", result);
}

static void by_x32(void)
{
    judge(syscall(0x40000000 + SYS_getpid), "answered");
}

static void port_access(void)
{
    judge(syscall(SYS_iopl, 3), "given");
}

static void descriptor_table(void)
{
    judge(syscall(SYS_modify_ldt, 0, NULL, 0), "read");
}
#endif

static void personality_without_randomness(void)
{
    judge(syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */), "set");
}

static void move_program_break(void)
{
    judge(prctl(PR_SET_MM, PR_SET_MM_START_BRK, 0x10000, 0, 0), "set");
}

/* Rulesets stack up to 16; the sandbox's own leaves room for one less. */
static void landlock_layers(void)
{
    struct {
        uint64_t fs, net, scoped;
    } rules = {.fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK};
    int ruleset = (int)syscall(CALL_LANDLOCK_CREATE_RULESET, &rules, 8, 0), layers = 0;

    if (ruleset < 0)
        inconclusive("landlock: %s", error_name(errno));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    while (layers <= LAYERS_MAX && syscall(CALL_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
        layers++;
    if (layers == LAYERS_MAX)
        succeeded("no layer before ours");
    if (layers < LAYERS_MAX && errno == E2BIG)
        refused_as("confined");
    inconclusive("%d layers: %s", layers, error_name(errno));
}

/* ---- limits ---- */

static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        inconclusive("getrlimit: %s", error_name(errno));
    limit.rlim_max++;
    judge(setrlimit(RLIMIT_NOFILE, &limit), "raised");
}

/* ---- keys ---- */

static void session_keyring(void)
{
    judge(syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL, 0, 0, 0), "joined");
}

static void add_key(void)
{
    judge(syscall(SYS_add_key, "user", "warren-escape", "x", 1, -3 /* KEY_SPEC_SESSION_KEYRING */), "added");
}

/* What is not found is asked for by a program the kernel starts on the host as root. */
static void request_key(void)
{
    judge(syscall(SYS_request_key, "user", "warren-escape-no-such-key", NULL, 0), "found");
}

const struct attempt privilege_attempts[] = {
    {"privilege-become-root", become_root},
    {"privilege-become-root-group", become_root_group},
    {"privilege-add-group", add_group},
    {"privilege-become-another", become_another},
    {"privilege-give-away", give_away},
    {"privilege-enter-home", enter_home},
    {"privilege-change-network", change_network},
    {"privilege-take-capabilities", take_capabilities},
    {"privilege-raise-ambient", raise_ambient},
    {"privilege-loosen-securebits", loosen_securebits},
    {"privilege-bounding-set", bounding_set},
    {"privilege-capabilities-by-exec", capabilities_by_exec},
    {"privilege-file-capabilities", file_capabilities},
    {"namespace-unshare-user", unshare_user},
    {"namespace-unshare-mounts", unshare_mounts},
    {"namespace-unshare-cgroup", unshare_cgroup},
    {"namespace-unshare-time", unshare_time},
    {"namespace-clone-user", clone_user},
    {"namespace-clone3-user", clone3_user},
    {"namespace-join-user", join_user_namespace},
    {"setid-chmod", chmod_setuid},
    {"setid-fchmodat2", fchmodat2_setuid},
    {"setid-create", create_setuid},
    {"setid-directory", setgid_directory},
    {"setid-mknod", mknod_setuid},
    {"setid-plant", plant_setuid},
    {"setid-effective-user", effective_user},
    {"filter-is-there", filter_is_there},
    {"filter-no-new-privileges", no_new_privileges_is_set},
    {"filter-clear-no-new-privileges", clear_no_new_privileges},
    {"filter-disable", disable_filter},
    {"filter-loosen", loosen_filter},
    {"filter-continue", continue_by_notification},
#ifdef __x86_64__
    {"filter-int80", by_int80},
    {"filter-x32", by_x32},
    {"kernel-ports", port_access},
    {"kernel-descriptor-table", descriptor_table},
#endif
    {"kernel-personality", personality_without_randomness},
    {"kernel-program-break", move_program_break},
    {"landlock-layers", landlock_layers},
    {"limit-raise", raise_limit},
    {"keys-session", session_keyring},
    {"keys-add", add_key},
    {"keys-request", request_key},
    {NULL, NULL},
};
