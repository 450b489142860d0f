/*
 * pid 1's reader of frames, with commands that are only pipes: nothing is started and nothing is killed. It may say that it leaves; it may not read or write
 * where it should not, nor lose count of its channels. A command without keeper and cgroup has no tree that tree.c could signal.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static jmp_buf left;
static struct {
    const char *bytes;
    size_t length;
} host; /* what it has still to send */
static int nowhere_fd = -1;

static int pretend_to_kill(pid_t pid, int signal)
{
    (void)pid;
    (void)signal;
    return 0;
}

__attribute__((noreturn)) static void pretend_to_leave(int code)
{
    longjmp(left, code + 1);
}

static ssize_t read_piece(int fd, void *buffer, size_t room)
{
    if (fd != nowhere_fd)
        return read(fd, buffer, room);
    size_t piece = host.length == 0 ? 0 : 1 + draw(draw(4) == 0 ? 20000 : 40);
    piece = piece < host.length ? piece : host.length;
    piece = piece < room ? piece : room;
    memcpy(buffer, host.bytes, piece);
    host.bytes += piece;
    host.length -= piece;
    return (ssize_t)piece;
}

/* A relay that listens nowhere: it always has something to say, and whoever comes through it is a socket pair. */
static int pretend_to_open(int family, int type, int protocol)
{
    (void)family;
    (void)type;
    (void)protocol;
    errno = EACCES;
    return draw(8) == 0 ? -1 : eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int pretend_to_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    (void)fd;
    (void)address;
    (void)length;
    return 0;
}

static int pretend_to_listen(int fd, int backlog)
{
    (void)fd;
    (void)backlog;
    return 0;
}

static int pretend_to_set(int fd, int level, int name, const void *value, socklen_t length)
{
    (void)fd;
    (void)level;
    (void)name;
    (void)value;
    (void)length;
    return 0;
}

static int accept_pair(int fd, struct sockaddr *address, socklen_t *length, int flags);

#define kill pretend_to_kill
#define socket pretend_to_open
#define bind pretend_to_bind
#define listen pretend_to_listen
#define setsockopt pretend_to_set
#define accept4 accept_pair
#define _exit pretend_to_leave
#define read read_piece
#include "../guest.c"
#undef kill
#undef socket
#undef bind
#undef listen
#undef setsockopt
#undef accept4
#undef _exit
#undef read

static struct command_report reports[CHANNELS_MAX + 1];
static int theirs[(CHANNELS_MAX + 1) * 3]; /* the commands' ends of the pipes */
static size_t their_count;

static int accept_pair(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    int ends[2];

    (void)fd;
    (void)address;
    (void)length;
    errno = draw(2) == 0 ? EAGAIN : EMFILE;
    if (draw(3) == 0 || their_count == sizeof theirs / sizeof *theirs || socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends) != 0)
        return -1;
    theirs[their_count++] = ends[1];
    return ends[0];
}

int prepare_commands(void)
{
    return 0;
}

void end_command_input(uint32_t number)
{
    reports[number].input_ended = 1;
}

const struct command_report *command_report(uint32_t number)
{
    return &reports[number];
}

static int open_end(int ours)
{
    int ends[2];

    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return -1;
    theirs[their_count++] = ends[1 - ours];
    return ends[ours];
}

int start_command(int type, uint32_t number, const struct request *request, bool switch_users, struct command *command, const char **stage, const char **call)
{
    (void)switch_users;
    demand(number > 0 && number <= CHANNELS_MAX && request->limit_count <= RLIMITS_MAX + 1, "a channel is one of those there are");
    if (their_count + 3 > sizeof theirs / sizeof *theirs || draw(8) == 0) {
        *stage = "fork";
        *call = "fork";
        errno = EAGAIN;
        return -1;
    }
    *command = (struct command){.pid = 2, .keeper = 0, .tree = 0, .input = -1, .output = open_end(0), .errors = -1};
    if (request->has_stdin || type == FRAME_WRITE)
        command->input = open_end(1);
    if (type == FRAME_EXEC && !request->pty)
        command->errors = open_end(0);
    if (command->output >= 0 && draw(2) == 0 && write(theirs[0], "some output", 11) < 0)
        errno = 0; /* It is full, or the other way round: fine too. */
    return 0;
}

void give_up(const char *stage, const char *call, const char *path)
{
    (void)stage;
    (void)call;
    (void)path;
    pretend_to_leave(125);
}

static void check_channels(void)
{
    size_t awaited = 0;

    demand(inbox_length <= sizeof inbox && outbox_length <= sizeof outbox, "buffers hold what they hold");
    for (uint32_t number = 1; number <= CHANNELS_MAX; number++) {
        const struct channel *channel = &channels[number];
        demand(number <= channel_top || !channel->open, "the highest number is known");
        demand(channel->credit <= CREDIT_BYTES && channel->backlog_start + channel->backlog_length <= CREDIT_BYTES, "stdin stays within its credit");
        demand(channel->backlog_length == 0 || channel->backlog != NULL, "a backlog has a place");
        awaited += channel->open && channel->type == FRAME_ACCEPT && !channel->connected;
    }
    demand(awaited == awaiting_count, "every connection that is awaited is in the ring once");
}

/* Some commands end, some write, some read: whatever the host sends meets all of it. */
static void let_time_pass(void)
{
    struct epoll_event events[8];
    struct rusage usage = {0};
    char taken[4096];

    if (their_count > 0 && draw(2) == 0 && read(theirs[draw((uint32_t)their_count)], taken, sizeof taken) < 0)
        errno = 0; /* Empty, or the writing end. */
    if (their_count > 0 && draw(4) == 0 && write(theirs[draw((uint32_t)their_count)], taken, draw(sizeof taken)) < 0)
        errno = 0;
    for (uint32_t number = 1; number <= channel_top; number++)
        if (channels[number].open && channels[number].type != FRAME_ACCEPT && !channels[number].ended && draw(4) == 0)
            finish(number, (int)draw(2) * 256, &usage);
    int count = epoll_wait(poller, events, 8, 0);
    for (int i = 0; i < count; i++)
        if ((events[i].data.u64 >> 32) != SOURCE_HOST)
            turn(&events[i]);
    flush();
}

static void reset(void)
{
    for (size_t i = 0; i < their_count; i++)
        close(theirs[i]);
    their_count = 0;
    for (uint32_t number = 1; number <= channel_top; number++) {
        struct channel *channel = &channels[number];
        for (int which = 0; which < 2; which++)
            if (channel->open && channel->output[which].fd >= 0)
                close(channel->output[which].fd);
        if (channel->open && channel->input >= 0)
            close(channel->input);
        if (channel->backlog != NULL)
            munmap(channel->backlog, CREDIT_BYTES);
        *channel = (struct channel){0};
    }
    if (poller >= 0)
        close(poller);
    (void)syscall(SYS_close_range, 64, ~0u, 0); /* What lingers. */
    if (relay >= 0)
        close(relay);
    relay = -1;
    relay_watched = false;
    awaiting_first = awaiting_count = 0;
    channel_top = 0;
    inbox_length = outbox_length = 0;
    poller = epoll_create1(EPOLL_CLOEXEC);
    demand(poller >= 0, "there is an epoll");
}

bool feed_frames(struct sample *sample)
{
    if (nowhere_fd < 0)
        demand((nowhere_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0, "there is /dev/null");
    signal(SIGPIPE, SIG_IGN); /* As for pid 1: who comes through the relay may go at any time. */
    reset();
    guest = (struct guest){.connection = nowhere_fd, .cgroup2 = -1, .descriptors = {.resource = RLIMIT_NOFILE, .soft = 64, .hard = 64}};
    host.bytes = sample->bytes;
    host.length = sample->length;
    if (setjmp(left) != 0)
        return false;
    while (host.length > 0) {
        read_host();
        let_time_pass();
        check_channels();
    }
    return true;
}
