#define _GNU_SOURCE
#include "serve.h"

#include "cgroup.h"
#include "guest.h"
#include "launch.h"
#include "system.h"
#include "walls.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * One loop: the control connection, the listener, connections whose SPEC and FILTER are still arriving, and children that end. Building a sandbox is
 * done by the child itself (walls.c), so the loop is busy only for the clone and the id maps, and the next one can start meanwhile. When there is nothing
 * else to do it makes blanks for the base that was asked for last: the next sandbox of that kind is then half there. A blank is used once or not at all.
 */

#define REPORT_BYTES_MAX 4096u
#define SPARE_PATIENCE_NS 300000

/* A connection before its sandbox exists. */
struct arrival {
    int fd;
    uint32_t id;
    struct frame_header header;
    size_t got; /* of the header, then of the payload */
    bool in_payload;
    char *spec;
    uint32_t spec_length;
    char *filter;
    uint32_t filter_length;
};

struct sandbox {
    struct sandbox *next;
    uint32_t id;
    pid_t pid;
    int lease;
    int status;
    struct rusage usage;
    char *spec_text;      /* what the strings below point into */
    uint32_t slot;
    unsigned cgroups[CGROUPS_MAX];
    size_t cgroup_count;
    struct cgroup_file reports[CGROUP_REPORTS_MAX];
    size_t report_count;
};

static const struct serve_options *options;
static int poller = -1, listener = -1, signals = -1;
static int reserve = -1; /* a descriptor to spare, for the moment when there are no others */
static struct sandbox *sandboxes;

static struct launched spares[SPARES_MAX];
static int spare_count;
static int spare_target; /* 0 until a base is known, and after a blank could not be made */
static char *spare_base; /* what the spares were made of */
static size_t spare_base_length;
static struct spec spare_spec; /* points into spare_base */
static char *spare_filter;     /* of a base that is all there is; its spares are finished */
static size_t spare_filter_length;
static struct workshop workshop;

__attribute__((noreturn)) static void fail(const char *stage, const char *call, const char *path)
{
    struct failure failure = {.stage = stage, .call = call, .path = path, .error = errno};
    char line[FAILURE_LINE_MAX];
    size_t length = format_failure(&failure, line, sizeof line - 1);

    line[length++] = '\n';
    (void)write_all(STDERR_FILENO, line, length); /* Nobody else to tell. */
    _exit(125);
}

static void watch(int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("serve", "epoll_ctl", NULL);
}

/* ---- the end ---- */

static void remove_roots(int timeout_ms)
{
    for (unsigned i = 0; i < options->roots.count; i++) {
        purge_cgroup(options->roots.paths[i], timeout_ms);
        /* The directory shared by all launchers goes with the last of them. */
        char parent[PATH_MAX];
        snprintf(parent, sizeof parent, "%s", options->roots.paths[i]);
        char *slash = strrchr(parent, '/');
        if (slash != NULL && slash != parent) {
            *slash = '\0';
            (void)rmdir(parent);
        }
    }
}

static void discard_spare(void)
{
    discard_blank(&workshop, &spares[--spare_count], &spare_spec);
}

/* The host is gone, or wants us to be: kill, reap, remove, leave. */
__attribute__((noreturn)) static void shut_down(void)
{
    close(listener);
    while (spare_count > 0)
        discard_spare();
    for (struct sandbox *sandbox = sandboxes; sandbox != NULL; sandbox = sandbox->next) {
        kill(sandbox->pid, SIGKILL);
        thaw_cgroups(&options->roots, sandbox->slot, sandbox->cgroups, sandbox->cgroup_count);
    }
    for (struct sandbox *sandbox = sandboxes; sandbox != NULL; sandbox = sandbox->next)
        while (waitpid(sandbox->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    remove_roots(2000);
    _exit(0);
}

/*
 * If the launcher itself is killed, its sandboxes die with it (PR_SET_PDEATHSIG), but their cgroups would stay. This process waits for that and removes
 * them. It sleeps in a read until the write end of the pipe, which only the launcher holds, is gone.
 */
static void start_janitor(void)
{
    int life[2];
    char byte;

    if ((int)options->roots.count == 0)
        return;
    if (pipe2(life, O_CLOEXEC) != 0)
        fail("janitor", "pipe2", NULL);
    pid_t pid = fork();
    if (pid < 0)
        fail("janitor", "fork", NULL);
    if (pid > 0) {
        close(life[0]); /* life[1] stays open as long as we live. */
        return;
    }
    prctl(PR_SET_NAME, "warren-janitor", 0, 0, 0);
    dup2(life[0], STDIN_FILENO);
    close_from(1);
    (void)read(STDIN_FILENO, &byte, 1);
    remove_roots(10000);
    _exit(0);
}

/* ---- sandboxes ---- */

static void refuse(uint32_t id, const struct failure *failure)
{
    char line[FAILURE_LINE_MAX];
    size_t length = format_failure(failure, line, sizeof line);

    if (send_frame(options->control, FRAME_REFUSED, id, line, (uint32_t)length) != 0)
        shut_down();
}

/* Everything of the sandbox has ended: remove its cgroups and tell the host. */
static void bury(const struct sandbox *sandbox)
{
    static struct {
        uint8_t how, zero[3];
        int32_t value;
        uint64_t user, system, memory;
        char reports[PAYLOAD_BYTES_MAX - 32];
    } gone;
    size_t length = 0;

    for (size_t i = 0; i < sandbox->report_count && length + REPORT_BYTES_MAX <= sizeof gone.reports; i++)
        length += read_cgroup_file(&options->roots, sandbox->slot, &sandbox->reports[i], gone.reports + length, REPORT_BYTES_MAX);
    remove_cgroups(&options->roots, sandbox->slot, sandbox->cgroups, sandbox->cgroup_count);
    gone.how = WIFSIGNALED(sandbox->status);
    gone.value = WIFSIGNALED(sandbox->status) ? WTERMSIG(sandbox->status) : WEXITSTATUS(sandbox->status);
    gone.user = (uint64_t)sandbox->usage.ru_utime.tv_sec * 1000000u + (uint64_t)sandbox->usage.ru_utime.tv_usec;
    gone.system = (uint64_t)sandbox->usage.ru_stime.tv_sec * 1000000u + (uint64_t)sandbox->usage.ru_stime.tv_usec;
    gone.memory = (uint64_t)sandbox->usage.ru_maxrss * 1024u;
    if (send_frame(options->control, FRAME_GONE, sandbox->id, &gone, (uint32_t)(offsetof(__typeof__(gone), reports) + length)) != 0)
        shut_down();
}

static void destroy(uint32_t id)
{
    for (struct sandbox *sandbox = sandboxes; sandbox != NULL; sandbox = sandbox->next)
        if (sandbox->id == id) {
            kill(sandbox->pid, SIGKILL);
            thaw_cgroups(&options->roots, sandbox->slot, sandbox->cgroups, sandbox->cgroup_count);
            return;
        }
    if (send_frame(options->control, FRAME_GONE, id, NULL, 0) != 0)
        shut_down();
}

static bool forget_spare(pid_t pid)
{
    for (int i = 0; i < spare_count; i++)
        if (spares[i].pid == pid) {
            remove_cgroups(&options->roots, spares[i].slot, spare_spec.cgroups, spare_spec.cgroup_count);
            close(spares[i].orders);
            close(spares[i].lease);
            spares[i] = spares[--spare_count];
            return true;
        }
    return false;
}

static void forget_sandbox(pid_t pid, int status, const struct rusage *usage)
{
    struct sandbox **link = &sandboxes;

    while (*link != NULL && (*link)->pid != pid)
        link = &(*link)->next;
    if (*link == NULL)
        return; /* The janitor. */
    struct sandbox *sandbox = *link;
    sandbox->status = status;
    sandbox->usage = *usage;
    bury(sandbox);
    *link = sandbox->next;
    close(sandbox->lease);
    free(sandbox->spec_text);
    free(sandbox);
}

static void reap(void)
{
    struct signalfd_siginfo details[16];
    ssize_t count;
    struct rusage usage;
    int status;

    while ((count = read(signals, details, sizeof details)) > 0)
        for (size_t i = 0; i < (size_t)count / sizeof details[0]; i++)
            if (details[i].ssi_signo == SIGTERM)
                shut_down();
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        if (!forget_spare(pid))
            forget_sandbox(pid, status, &usage);
}

/* pid 1, once its walls stand. */
static void serve_inside(const struct spec *spec)
{
    (void)prctl(PR_SET_NAME, "warren-init", 0, 0, 0);
    memset(options->arguments, 0, options->arguments_length); /* They name places of the host, and anybody inside may read them. */
    struct guest guest = {
        .connection = GUEST_FD,
        .cgroup2 = spec->cgroup2 >= 0 ? GUEST_CGROUP_FD : -1,
        .descriptors = descriptor_limit(spec),
        .switch_users = spec->switch_users,
    };
    serve_guest(&guest);
}

static struct sandbox *remember(struct arrival *arrival, const struct spec *spec, const struct launched *launched)
{
    struct sandbox *sandbox = calloc(1, sizeof *sandbox);

    if (sandbox == NULL)
        return NULL;
    *sandbox = (struct sandbox){.next = sandboxes, .id = arrival->id, .pid = launched->pid, .lease = launched->lease, .spec_text = arrival->spec};
    sandbox->slot = launched->slot;
    for (size_t i = 0; i < spec->cgroup_count; i++)
        sandbox->cgroups[sandbox->cgroup_count++] = spec->cgroups[i];
    for (size_t i = 0; i < spec->cgroup_report_count; i++)
        sandbox->reports[sandbox->report_count++] = spec->cgroup_reports[i];
    arrival->spec = NULL;
    return sandboxes = sandbox;
}

static bool fits_spares(const struct arrival *arrival)
{
    size_t length = base_length(arrival->spec, arrival->spec_length);
    bool is_whole = length == arrival->spec_length;

    return length != 0 && length == spare_base_length && memcmp(arrival->spec, spare_base, length) == 0 && is_whole == is_base_only(&spare_spec) &&
           (!is_whole || (arrival->filter_length == spare_filter_length && memcmp(arrival->filter, spare_filter, spare_filter_length) == 0));
}

/* Spares are for the base asked for last: whoever asks next most likely asks for the same. */
static void keep_spares_of(const struct arrival *arrival)
{
    struct failure failure;
    size_t length = base_length(arrival->spec, arrival->spec_length);

    if (options->spares == 0 || length == 0)
        return;
    if (!fits_spares(arrival)) {
        while (spare_count > 0)
            discard_spare();
        spare_base_length = 0;
        spare_target = 0;
        char *base = realloc(spare_base, length), *filter = realloc(spare_filter, arrival->filter_length + 1);
        spare_base = base != NULL ? base : spare_base;
        spare_filter = filter != NULL ? filter : spare_filter;
        if (base == NULL || filter == NULL)
            return; /* No memory, no spares. */
        memcpy(spare_base, arrival->spec, length);
        memcpy(spare_filter, arrival->filter, arrival->filter_length);
        spare_filter_length = arrival->filter_length;
        if (!parse_spec(spare_base, length, &spare_spec, &failure))
            return; /* A base that is nothing by itself. */
        spare_spec.has_rest = length != arrival->spec_length;
        spare_base_length = length;
    }
    spare_target = options->spares;
}

static void make_spare(void)
{
    struct failure failure;

    if (make_blank(&workshop, &spare_spec, spare_filter, spare_filter_length, &spares[spare_count], &failure))
        spare_count++;
    else
        spare_target = 0; /* Whoever asks next is told why. */
}

static bool take_spare(const struct arrival *arrival, struct launched *blank)
{
    if (spare_count == 0 || !fits_spares(arrival))
        return false;
    *blank = spares[0]; /* The oldest: the others may still be building. */
    memmove(spares, spares + 1, sizeof *spares * (size_t)--spare_count);
    return true;
}

/* A blank and its order. A spare that has died meanwhile is replaced by a new one. */
static bool launch(const struct arrival *arrival, struct spec *spec, struct launched *launched, struct failure *failure)
{
    struct request_to_launch request = {
        .connection = arrival->fd,
        .spec_text = arrival->spec,
        .spec_length = arrival->spec_length,
        .filter = arrival->filter,
        .filter_length = arrival->filter_length,
    };

    for (bool is_spare = true; is_spare;) {
        is_spare = take_spare(arrival, launched);
        if (!is_spare && !make_blank(&workshop, spec, arrival->filter, arrival->filter_length, launched, failure))
            return false;
        if (order_sandbox(launched, spec, &request, failure))
            return true;
        bool has_died = is_spare && (failure->error == EPIPE || failure->error == ECONNRESET || failure->error == ESRCH);
        discard_blank(&workshop, launched, spec);
        if (!has_died)
            return false;
    }
    return false;
}

static void build(struct arrival *arrival)
{
    static struct spec spec;
    struct failure failure;
    struct launched launched;

    if (!parse_spec(arrival->spec, arrival->spec_length, &spec, &failure)) {
        refuse(arrival->id, &failure);
        return;
    }
    if ((arrival->filter_length == 0) != ((spec.without & WITHOUT_SECCOMP) != 0) || arrival->filter_length % sizeof(struct sock_filter) != 0) {
        failure = (struct failure){.stage = "spec", .call = "filter", .error = EINVAL};
        refuse(arrival->id, &failure);
        return;
    }
    if (!launch(arrival, &spec, &launched, &failure)) {
        refuse(arrival->id, &failure);
        return;
    }
    if (send_frame(options->control, FRAME_PLACED, arrival->id, &launched.slot, sizeof launched.slot) != 0)
        shut_down();
    keep_spares_of(arrival);
    if (remember(arrival, &spec, &launched) == NULL) {
        errno = ENOMEM;
        fail("serve", "calloc", NULL); /* It would be a sandbox that nobody cleans up after; all of them die with us instead. */
    }
}

/* ---- arrivals ---- */

static void drop(struct arrival *arrival)
{
    (void)epoll_ctl(poller, EPOLL_CTL_DEL, arrival->fd, NULL); /* Closing is not enough: pid 1 may hold it too. Always watched. */
    close(arrival->fd);
    free(arrival->spec);
    free(arrival->filter);
    free(arrival);
}

/* Exactly the two frames are read, not a byte more: what follows is for pid 1. 1: complete, 0: more to come, -1: not our protocol. */
static int receive(struct arrival *arrival)
{
    for (;;) {
        bool first = arrival->spec == NULL || (arrival->in_payload && arrival->header.type == FRAME_SPEC);
        char *place = !arrival->in_payload ? (char *)&arrival->header : first ? arrival->spec : arrival->filter;
        size_t wanted = !arrival->in_payload ? sizeof arrival->header : arrival->header.length;
        while (arrival->got < wanted) {
            ssize_t count = recv(arrival->fd, place + arrival->got, wanted - arrival->got, MSG_DONTWAIT);
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0 && errno == EAGAIN)
                return 0;
            if (count <= 0)
                return -1;
            arrival->got += (size_t)count;
        }
        arrival->got = 0;
        if (arrival->in_payload) {
            arrival->in_payload = false;
            if (!first)
                return 1;
            continue;
        }
        uint32_t length = arrival->header.length;
        if (arrival->header.type != (first ? FRAME_SPEC : FRAME_FILTER) || length > (first ? REQUEST_BYTES_MAX : FILTER_BYTES_MAX) || arrival->header.channel == 0)
            return -1;
        char *payload = malloc(length + 1); /* Never an empty one, and room for the terminator below. */
        if (payload == NULL)
            return -1;
        payload[length] = '\0';
        if (!first && arrival->header.channel != arrival->id) {
            free(payload);
            return -1;
        }
        arrival->in_payload = true;
        arrival->id = arrival->header.channel;
        if (first) {
            arrival->spec = payload;
            arrival->spec_length = length;
        } else {
            arrival->filter = payload;
            arrival->filter_length = length;
        }
    }
}

static void welcome(struct arrival *arrival)
{
    int progress = receive(arrival);

    if (progress == 0)
        return;
    if (progress > 0)
        build(arrival);
    drop(arrival);
}

static void accept_arrival(void)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        /* Turned away at once, with the descriptor kept for this: left waiting, it would wake us again and again. */
        close(reserve);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return;
    }
    if (fd < 0)
        return;
    struct arrival *arrival = NULL;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == getuid())
        arrival = calloc(1, sizeof *arrival);
    if (arrival == NULL) {
        close(fd);
        return;
    }
    arrival->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = arrival};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) { /* No room for one more is that one's trouble only. */
        close(fd);
        free(arrival);
        return;
    }
    welcome(arrival); /* Usually all of it is there already. */
}

/* ---- control ---- */

static void read_control(void)
{
    static char buffer[4096];
    static size_t got;
    ssize_t count = read(options->control, buffer + got, sizeof buffer - got);

    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0)
        shut_down();
    got += (size_t)count;
    size_t used = 0;
    for (; got - used >= HEADER_BYTES; used += HEADER_BYTES) {
        struct frame_header header;
        memcpy(&header, buffer + used, sizeof header);
        if (header.type != FRAME_DESTROY || header.length != 0)
            shut_down();
        destroy(header.channel);
    }
    memmove(buffer, buffer + used, got - used);
    got -= used;
}

/* ---- start ---- */

static void open_listener(void)
{
    unsigned char random[16];
    char hello[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int at = snprintf(hello, sizeof hello, "%s", PROTOCOL_VERSION) + 1;
    int name = at;

    if (getrandom(random, sizeof random, 0) != sizeof random)
        fail("serve", "getrandom", NULL);
    at += snprintf(hello + at, sizeof hello - (size_t)at, "warren-launcher-%d-", getpid());
    for (size_t i = 0; i < sizeof random; i++)
        at += snprintf(hello + at, sizeof hello - (size_t)at, "%02x", random[i]);
    memcpy(address.sun_path + 1, hello + name, (size_t)(at - name));
    int end = at + 1;
    end += snprintf(hello + end, sizeof hello - (size_t)end, "%d", landlock_version());
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)(at - name))) != 0 ||
        listen(listener, 4096) != 0)
        fail("serve", "listen", NULL);
    if (send_frame(options->control, FRAME_HELLO, 0, hello, (uint32_t)end) != 0)
        fail("serve", "write", "control connection");
}

static void open_signals(void)
{
    sigset_t mask;

    signal(SIGPIPE, SIG_IGN);
    if (sigemptyset(&mask) != 0 || sigaddset(&mask, SIGCHLD) != 0 || sigaddset(&mask, SIGTERM) != 0 || sigaddset(&mask, SIGINT) != 0 ||
        sigaddset(&mask, SIGHUP) != 0 || sigprocmask(SIG_SETMASK, &mask, NULL) != 0 || (signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        fail("serve", "signalfd", NULL);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* Fewer sandboxes at once is all that follows. */
    }
}

static void make_root(const char *root)
{
    struct failure failure;
    char parent[PATH_MAX];

    snprintf(parent, sizeof parent, "%s", root);
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        *slash = '\0';
    for (int tries = 0; tries < 100; tries++) {
        if ((parent[0] == '\0' || make_cgroup_root(parent, true, &failure)) && make_cgroup_root(root, false, &failure))
            return;
        if (failure.error != ENOENT && failure.error != ENODEV)
            break; /* Else the last of the other launchers has just left and taken the shared directory along. */
    }
    errno = failure.error;
    fail(failure.stage, failure.call, failure.path);
}

static void make_roots(void)
{
    for (unsigned i = 0; i < options->roots.count; i++)
        make_root(options->roots.paths[i]);
}

void serve(const struct serve_options *serve_options)
{
    static char control_mark, signal_mark, listener_mark;
    struct epoll_event events[64];
    struct failure failure;

    options = serve_options;
    workshop = (struct workshop){.roots = options->roots, .become = serve_inside};
    (void)prctl(PR_SET_NAME, "warren-launcher", 0, 0, 0); /* Not the number of the descriptor it was executed from. */
    (void)setsid(); /* Ctrl-C of the terminal is for the host to hand on. Fails when we lead a group already. */
    open_signals();
    raise_descriptor_limit();
    start_janitor();
    make_roots();
    if (!prepare_launches(&failure)) {
        errno = failure.error;
        fail(failure.stage, failure.call, failure.path);
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("serve", "epoll_create1", NULL);
    reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    open_listener();
    watch(options->control, &control_mark);
    watch(signals, &signal_mark);
    watch(listener, &listener_mark);
    for (;;) {
        /* Not at once: a sandbox that has just been ordered should come first. */
        static const struct timespec patience = {.tv_nsec = SPARE_PATIENCE_NS};
        bool lacks_spares = spare_count < spare_target;
        int count = (int)syscall(CALL_EPOLL_PWAIT2, poller, events, sizeof events / sizeof *events, lacks_spares ? &patience : NULL, NULL, 0);
        if (count == 0 && lacks_spares)
            make_spare();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &control_mark)
                read_control();
            else if (events[i].data.ptr == &signal_mark)
                reap();
            else if (events[i].data.ptr == &listener_mark)
                accept_arrival();
            else
                welcome(events[i].data.ptr);
        }
    }
}
