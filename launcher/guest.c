#define _GNU_SOURCE
#include "guest.h"

#include "command.h"
#include "files.h"
#include "request.h"
#include "tree.h"
#include "walls.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * One loop, one thread. A channel is a command (or a file operation, which is a child process too) with up to three descriptors, or a connection that
 * somebody inside made to the relay: a port on loopback that leads to the host and, there, wherever the host likes. Frames to the host are gathered in
 * one buffer and written once per turn of the loop: a short command costs the host one wake-up.
 */

#define CREDIT_BYTES 65536u      /* stdin the host may send ahead */
#define CREDIT_STEP 16384u       /* given back in steps of at least this */
#define RELAY_BACKLOG 128             /* connections that wait for the host to ask for one; the kernel holds off the rest */
#define RELAY_BUFFER_BYTES 262144     /* of each connection and direction in the kernel, so that what is open bounds the memory */
#define OUTBOX_BYTES (2 * (PAYLOAD_BYTES_MAX + HEADER_BYTES))

struct stream {
    int fd;          /* read end; -1 once closed or handed to the lingering ones */
    uint32_t window; /* what the host still takes */
    bool watched;
    bool ended;      /* the end was sent */
    bool broken;     /* it ended by an error */
    uint32_t rest;   /* once the command has ended: what it may have written itself; the rest is somebody else's */
};

struct channel {
    bool open;
    uint8_t type;
    pid_t pid;
    pid_t keeper;  /* see command.h */
    uint32_t tree; /* see tree.h */
    bool ended;    /* EXIT was sent */
    bool doomed;   /* the tree was asked to end: what outlives the main process is killed */
    bool end_tree; /* the same, because EXEC asked for it; EXIT says how many those were */
    bool pty;
    bool connected;      /* of a connection: somebody has come */
    bool input_finished; /* of a connection: the host has said all */
    struct stream output[2];
    int input;            /* write end of stdin, or -1 */
    bool input_watched;
    bool input_closing;   /* end of input was asked for; close when the backlog is written */
    uint32_t credit;      /* what the host may still send */
    uint32_t consumed;    /* not yet given back */
    char *backlog;        /* stdin that did not fit into the pipe; CREDIT_BYTES long */
    uint32_t backlog_start, backlog_length;
};

enum source { SOURCE_HOST, SOURCE_SIGNALS, SOURCE_STDOUT, SOURCE_STDERR, SOURCE_STDIN, SOURCE_LINGERING, SOURCE_RELAY };

static struct guest guest;
static struct channel channels[CHANNELS_MAX + 1]; /* by number; 0 is not used */
static uint32_t channel_top;                      /* highest number ever opened */
static int poller = -1, signals = -1;
static int relay = -1; /* made when the host first asks for a connection, before it asks for any command */
static bool relay_watched;
static uint32_t awaiting[CHANNELS_MAX]; /* channels without a connection yet: a ring */
static size_t awaiting_first, awaiting_count;

static char inbox[HEADER_BYTES + REQUEST_BYTES_MAX];
static size_t inbox_length;
static char outbox[OUTBOX_BYTES];
static size_t outbox_length;
static bool outbox_urgent; /* something in it that should not wait for more */

__attribute__((noreturn)) static void leave(int code)
{
    _exit(code); /* The end of pid 1 is the end of every process in here. */
}

/* ---- to the host ---- */

static void flush(void)
{
    if (outbox_length > 0 && write_all(guest.connection, outbox, outbox_length) != 0)
        leave(0);
    outbox_length = 0;
    outbox_urgent = false;
}

/* Room for a frame of `length`; the caller fills the payload. */
static char *begin_frame(uint8_t type, uint32_t number, uint32_t length)
{
    struct frame_header header = {.length = length, .type = type, .channel = number};

    if (outbox_length + HEADER_BYTES + length > sizeof outbox)
        flush();
    memcpy(outbox + outbox_length, &header, sizeof header);
    return outbox + outbox_length + HEADER_BYTES;
}

static void emit(uint8_t type, uint32_t number, const void *payload, uint32_t length)
{
    char *place = begin_frame(type, number, length);

    if (length > 0)
        memcpy(place, payload, length);
    outbox_length += HEADER_BYTES + length;
    outbox_urgent |= type != FRAME_STARTED;
}

static void emit_exit(uint32_t number, uint8_t kind, bool core, uint16_t leftovers, int32_t value, const struct rusage *usage, const char *text, size_t text_length)
{
    struct __attribute__((packed)) {
        uint8_t kind, core;
        uint16_t leftovers;
        int32_t value;
        uint64_t user, system, memory;
        char text[512];
    } message = {.kind = kind, .core = core, .leftovers = leftovers, .value = value};

    if (usage != NULL) {
        message.user = (uint64_t)usage->ru_utime.tv_sec * 1000000u + (uint64_t)usage->ru_utime.tv_usec;
        message.system = (uint64_t)usage->ru_stime.tv_sec * 1000000u + (uint64_t)usage->ru_stime.tv_usec;
        message.memory = (uint64_t)usage->ru_maxrss * 1024u;
    }
    if (text_length > sizeof message.text)
        text_length = sizeof message.text;
    memcpy(message.text, text, text_length);
    emit(FRAME_EXIT, number, &message, (uint32_t)(sizeof message - sizeof message.text + text_length));
}

/* "stage NUL call NUL path" */
static void emit_failed(uint32_t number, int error, const char *stage, const char *call, const char *path)
{
    char text[512];
    int length = snprintf(text, sizeof text, "%s%c%s%c%s", stage, 0, call, 0, path);

    emit_exit(number, 2, false, 0, error, NULL, text, length < 0 ? 0 : (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

/* ---- watching descriptors ---- */

static uint64_t tag(enum source source, uint32_t number)
{
    return (uint64_t)source << 32 | number;
}

static void watch(int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
        leave(1);
}

static void unwatch(int fd)
{
    (void)epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL); /* Only called for watched ones. */
}

/* ---- output ---- */

static void end_stream(uint32_t number, int which)
{
    emit(which == 0 ? FRAME_STDOUT : FRAME_STDERR, number, NULL, 0);
    channels[number].output[which].ended = true;
}

static void close_stream(struct stream *stream)
{
    if (stream->watched)
        unwatch(stream->fd);
    close(stream->fd);
    stream->fd = -1;
    stream->watched = false;
}

/* The command has ended and its pipe is empty, but a process it left behind still holds the other end: keep reading, for nobody. */
static void let_linger(struct stream *stream)
{
    if (stream->watched)
        unwatch(stream->fd);
    watch(stream->fd, EPOLLIN, tag(SOURCE_LINGERING, (uint32_t)stream->fd));
    stream->fd = -1;
    stream->watched = false;
}

static char nowhere[PAYLOAD_BYTES_MAX];

/* What is in the pipe when the command ends was written by it or before; a flood from what it left behind would never end. */
static void measure_rest(const struct channel *channel, struct stream *stream)
{
    int bytes;

    stream->rest = UINT32_MAX; /* A terminal: what was written last may still be on its way through the kernel. */
    if (!channel->pty && stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &bytes) == 0 && bytes >= 0)
        stream->rest = (uint32_t)bytes;
}

static void pump_output(uint32_t number, int which)
{
    struct channel *channel = &channels[number];
    struct stream *stream = &channel->output[which];

    for (int turns = 0; turns < 4 && stream->fd >= 0; turns++) { /* A flood from one command must not starve the others. */
        bool spent = channel->ended && stream->rest == 0;
        if (stream->window == 0 && !spent) {
            if (stream->watched)
                unwatch(stream->fd); /* Not by an empty event mask: a hang-up would still spin the loop. */
            stream->watched = false;
            return;
        }
        uint32_t room = stream->window < PAYLOAD_BYTES_MAX && !spent ? stream->window : PAYLOAD_BYTES_MAX;
        if (channel->ended && !spent && stream->rest < room)
            room = stream->rest;
        char *place = spent ? nowhere : begin_frame(which == 0 ? FRAME_STDOUT : FRAME_STDERR, number, room);
        ssize_t count = read(stream->fd, place, room);
        if (count < 0 && errno == EINTR)
            continue;
        if (count > 0 && !spent) {
            begin_frame(which == 0 ? FRAME_STDOUT : FRAME_STDERR, number, (uint32_t)count); /* Same place, true length. */
            outbox_length += HEADER_BYTES + (size_t)count;
            outbox_urgent = true;
            stream->window -= (uint32_t)count;
            if (channel->ended)
                stream->rest -= (uint32_t)count;
            if ((uint32_t)count < room && !channel->ended)
                return;
            continue;
        }
        if (count > 0 || (count < 0 && errno == EAGAIN)) {
            if (!channel->ended)
                return;
            end_stream(number, which);
            let_linger(stream);
            return;
        }
        stream->broken = count < 0;
        end_stream(number, which); /* End of file, or EIO: the last holder of a terminal is gone. */
        close_stream(stream);
    }
}

static void discard_lingering(int fd)
{
    ssize_t count = read(fd, nowhere, sizeof nowhere);

    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        unwatch(fd);
        close(fd);
    }
}

/* ---- input ---- */

static void close_input(struct channel *channel)
{
    if (channel->input < 0)
        return;
    if (channel->input_watched)
        unwatch(channel->input);
    close(channel->input);
    channel->input = -1;
    channel->input_watched = false;
    channel->backlog_length = 0;
}

static void give_back_credit(uint32_t number, uint32_t bytes)
{
    struct channel *channel = &channels[number];

    channel->consumed += bytes;
    if (channel->consumed < CREDIT_STEP)
        return;
    emit(FRAME_CREDIT, number, &channel->consumed, 4);
    channel->credit += channel->consumed;
    channel->consumed = 0;
}

/* Writes what fits. Returns how much was taken; a command that has closed its stdin takes everything, for nobody. */
static uint32_t write_input(struct channel *channel, const char *bytes, uint32_t length)
{
    uint32_t taken = 0;

    while (taken < length && channel->input >= 0) {
        ssize_t count = write(channel->input, bytes + taken, length - taken);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return taken;
        if (count < 0) {
            close_input(channel);
            break;
        }
        taken += (uint32_t)count;
    }
    return channel->input < 0 ? length : taken;
}

static void finish_input(struct channel *channel)
{
    static const char end_of_transmission = 4;

    if (channel->input < 0)
        return;
    if (channel->type == FRAME_ACCEPT) {
        (void)shutdown(channel->input, SHUT_WR); /* Fails when the other side is gone, which reading tells. */
        channel->input_finished = true;
        close_input(channel);
        return;
    }
    if (!channel->pty) {
        end_command_input((uint32_t)(channel - channels));
        close_input(channel);
        return;
    }
    (void)write(channel->input, &end_of_transmission, 1); /* A terminal has no end of file but this key; a full one is not waiting for it. */
    channel->input_closing = false;
}

static void pump_backlog(uint32_t number)
{
    struct channel *channel = &channels[number];
    uint32_t taken = write_input(channel, channel->backlog + channel->backlog_start, channel->backlog_length);

    if (channel->input >= 0) {
        channel->backlog_start += taken;
        channel->backlog_length -= taken;
    }
    give_back_credit(number, taken);
    if (channel->backlog_length > 0)
        return;
    if (channel->input_watched)
        unwatch(channel->input);
    channel->input_watched = false;
    if (channel->input_closing)
        finish_input(channel);
}

static void signal_command_tree(const struct channel *channel, int signal)
{
    signal_tree(channel->tree, channel->keeper, channel->ended ? 0 : channel->pid, signal);
}

static bool add_to_backlog(struct channel *channel, const char *bytes, uint32_t length)
{
    if (channel->backlog == NULL) {
        void *memory = mmap(NULL, CREDIT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return false;
        channel->backlog = memory;
    }
    if (channel->backlog_start > 0) {
        memmove(channel->backlog, channel->backlog + channel->backlog_start, channel->backlog_length);
        channel->backlog_start = 0;
    }
    memcpy(channel->backlog + channel->backlog_length, bytes, length);
    channel->backlog_length += length;
    return true;
}

static void take_input(uint32_t number, const char *bytes, uint32_t length)
{
    struct channel *channel = &channels[number];

    if (length > channel->credit)
        leave(1);
    if (length == 0) {
        if (channel->backlog_length > 0)
            channel->input_closing = true;
        else
            finish_input(channel);
        return;
    }
    channel->credit -= length;
    uint32_t taken = channel->backlog_length > 0 ? 0 : write_input(channel, bytes, length);
    if (taken < length && !add_to_backlog(channel, bytes + taken, length - taken)) {
        if (channel->type == FRAME_ACCEPT)
            close_input(channel); /* No memory for its input: it cannot go on. */
        else
            signal_command_tree(channel, SIGKILL);
    } else if (taken < length && !channel->input_watched) {
        watch(channel->input, EPOLLOUT, tag(SOURCE_STDIN, number));
        channel->input_watched = true;
    }
    give_back_credit(number, taken);
}

/* ---- channels ---- */

static void close_if_done(uint32_t number)
{
    struct channel *channel = &channels[number];

    if (!channel->ended || !channel->output[0].ended || !channel->output[1].ended)
        return;
    close_input(channel);
    if (channel->backlog != NULL)
        munmap(channel->backlog, CREDIT_BYTES);
    if (channel->type != FRAME_ACCEPT)
        release_tree(channel->tree);
    *channel = (struct channel){0};
}

static void open_stream(uint32_t number, int which, int fd, uint32_t window)
{
    channels[number].output[which] = (struct stream){.fd = fd, .window = window};
    if (fd < 0) {
        end_stream(number, which);
        return;
    }
    watch(fd, EPOLLIN, tag(which == 0 ? SOURCE_STDOUT : SOURCE_STDERR, number));
    channels[number].output[which].watched = true;
}

/* ---- connections from inside ---- */

static void end_connection(uint32_t number, int error)
{
    struct channel *channel = &channels[number];

    if (channel->output[0].fd >= 0)
        close_stream(&channel->output[0]);
    if (!channel->output[0].ended)
        end_stream(number, 0);
    close_input(channel);
    channel->ended = true;
    if (error != 0)
        emit_failed(number, error, "connection", "relay", "");
    else
        emit_exit(number, 0, false, 0, 0, NULL, "", 0);
    close_if_done(number);
}

/* It is over when both sides have said all, or when one of them is gone. */
static void settle_connection(uint32_t number)
{
    struct channel *channel = &channels[number];

    if (!channel->open || channel->type != FRAME_ACCEPT || !channel->connected || channel->ended)
        return;
    if (channel->output[0].broken || (channel->input < 0 && !channel->input_finished))
        end_connection(number, ECONNRESET);
    else if (channel->input < 0 && channel->output[0].ended)
        end_connection(number, 0);
}

/* Whoever made it sees it break, rather than end. */
static void reset_connection(uint32_t number)
{
    static const struct linger at_once = {.l_onoff = 1};
    struct channel *channel = &channels[number];

    if (!channel->connected || channel->ended)
        return;
    (void)setsockopt(channel->input >= 0 ? channel->input : channel->output[0].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* Else it just ends. */
    end_connection(number, ECONNRESET);
}

static void stop_listening(void)
{
    if (relay_watched)
        unwatch(relay);
    relay_watched = false;
}

static void take_connections(void)
{
    while (awaiting_count > 0) {
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof peer;
        int fd = accept4(relay, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && errno == EAGAIN)
            return;
        int input = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0); /* Each way is watched by itself. */
        if (input < 0) {
            if (fd >= 0)
                close(fd);
            break; /* No descriptors: until the host asks again, which it does when one of its connections has ended. */
        }
        uint32_t number = awaiting[awaiting_first], port = ntohs(peer.sin_port);
        awaiting_first = (awaiting_first + 1) % CHANNELS_MAX;
        awaiting_count--;
        channels[number].connected = true;
        channels[number].input = input;
        emit(FRAME_STARTED, number, &port, 4);
        open_stream(number, 0, fd, channels[number].output[0].window);
    }
    stop_listening();
}

static int open_relay(uint16_t port)
{
    static const int on = 1, bytes = RELAY_BUFFER_BYTES;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    /* What it accepts inherits all of this. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(fd, RELAY_BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void await_connection(uint32_t number, const char *payload)
{
    uint16_t port;
    uint32_t window;

    if (number == 0 || number > CHANNELS_MAX || channels[number].open)
        leave(1);
    memcpy(&port, payload, sizeof port);
    memcpy(&window, payload + 4, sizeof window);
    channels[number] = (struct channel){
        .open = true, .type = FRAME_ACCEPT, .input = -1, .credit = CREDIT_BYTES, .output = {{.fd = -1, .window = window}, {.fd = -1}}};
    if (number > channel_top)
        channel_top = number;
    end_stream(number, 1);
    if (relay < 0 && (relay = open_relay(port)) < 0) {
        end_connection(number, errno);
        return;
    }
    awaiting[(awaiting_first + awaiting_count++) % CHANNELS_MAX] = number;
    if (!relay_watched)
        watch(relay, EPOLLIN, tag(SOURCE_RELAY, 0));
    relay_watched = true;
}

static void finish(uint32_t number, int status, const struct rusage *usage)
{
    struct channel *channel = &channels[number];
    const struct command_report *report = command_report(number);
    uint16_t leftovers = 0;

    channel->ended = true;
    if ((channel->doomed || channel->end_tree) && channel->type == FRAME_EXEC) {
        size_t count = end_tree(channel->tree, channel->keeper);
        leftovers = !channel->end_tree ? 0 : count < UINT16_MAX ? (uint16_t)count : UINT16_MAX;
    }
    if (report->failed)
        emit_failed(number, report->error, report->stage, report->call, report->path);
    else if (WIFSIGNALED(status))
        emit_exit(number, 1, WCOREDUMP(status) != 0, leftovers, WTERMSIG(status), usage, "", 0);
    else
        emit_exit(number, 0, false, leftovers, WEXITSTATUS(status), usage, "", 0);
    for (int which = 0; which < 2; which++)
        if (!channel->output[which].ended) {
            measure_rest(channel, &channel->output[which]);
            pump_output(number, which);
        }
    close_if_done(number);
}

/* The sandbox's limit of open files is each command's. */
static void bound_descriptors(struct request *request)
{
    const struct limit *bound = &guest.descriptors;
    bool found = false;

    for (size_t i = 0; i < request->limit_count; i++)
        if (request->limits[i].resource == RLIMIT_NOFILE) {
            struct limit *limit = &request->limits[i];
            limit->hard = limit->hard < bound->hard ? limit->hard : bound->hard;
            limit->soft = limit->soft < limit->hard ? limit->soft : limit->hard;
            found = true;
        }
    if (!found)
        request->limits[request->limit_count++] = *bound; /* There is a place for it. */
}

static void start(uint8_t type, uint32_t number, char *text, uint32_t length)
{
    struct request request;
    struct command command;
    const char *culprit;

    if (number == 0 || number > CHANNELS_MAX || channels[number].open)
        leave(1); /* Cannot be answered without confusing two commands. */
    struct channel *channel = &channels[number];
    *channel = (struct channel){.open = true, .type = type, .input = -1, .credit = CREDIT_BYTES, .output = {{.fd = -1}, {.fd = -1}}};
    if (number > channel_top)
        channel_top = number;
    const char *stage = "request", *call = "parse";
    if (!parse_request(text, length, type == FRAME_EXEC, &request, &culprit) ||
        (culprit = "", bound_descriptors(&request), start_command(type, number, &request, guest.switch_users, &command, &stage, &call)) != 0) {
        emit_failed(number, errno, stage, call, culprit);
        channel->ended = true;
        end_stream(number, 0);
        end_stream(number, 1);
        close_if_done(number);
        return;
    }
    channel->pid = command.pid;
    channel->keeper = command.keeper;
    channel->tree = command.tree;
    channel->pty = request.pty;
    channel->end_tree = request.end_tree;
    channel->input = command.input;
    if (type == FRAME_EXEC) {
        uint32_t pid = (uint32_t)command.pid;
        emit(FRAME_STARTED, number, &pid, 4);
    }
    open_stream(number, 0, command.output, request.window);
    open_stream(number, 1, command.errors, request.window);
}

static void send_signal(uint32_t number, uint8_t signal, uint8_t scope)
{
    struct channel *channel = &channels[number];

    if (channel->type == FRAME_ACCEPT) {
        reset_connection(number);
        return;
    }
    if (channel->type != FRAME_EXEC) {
        /* A file operation: its process is ours and tidies up after a write on SIGTERM. A command of the same user may have stopped it. */
        if (!channel->ended) {
            kill(channel->pid, channel->type == FRAME_WRITE && !channel->doomed ? SIGTERM : SIGKILL);
            kill(channel->pid, SIGCONT);
            channel->doomed = true;
        }
        return;
    }
    channel->doomed |= scope == 2 && signal == SIGTERM;
    if (scope == 2)
        signal_command_tree(channel, signal);
    else if (!channel->ended && (scope != 1 || kill(-channel->pid, signal) != 0)) /* It may not lead its group yet. */
        kill(channel->pid, signal); /* ESRCH: it has just ended. */
}

static void resize(uint32_t number, const char *payload)
{
    uint16_t size[2];

    memcpy(size, payload, sizeof size);
    struct winsize window = {.ws_row = size[0], .ws_col = size[1]};
    if (channels[number].pty && channels[number].output[0].fd >= 0)
        (void)ioctl(channels[number].output[0].fd, TIOCSWINSZ, &window); /* Fails only when the terminal is gone. */
}

static void widen(uint32_t number, const char *payload)
{
    int which = payload[0] == 2;
    struct stream *stream = &channels[number].output[which];
    uint32_t bytes;

    memcpy(&bytes, payload + 4, sizeof bytes);
    if (bytes > UINT32_MAX - stream->window)
        leave(1);
    stream->window += bytes;
    if (stream->fd < 0 || stream->watched || stream->window == 0)
        return;
    watch(stream->fd, EPOLLIN, tag(which == 0 ? SOURCE_STDOUT : SOURCE_STDERR, number));
    stream->watched = true;
    if (channels[number].ended) { /* An empty pipe would wake nobody, and the end is still owed. */
        pump_output(number, which);
        close_if_done(number);
    }
}

/* ---- from the host ---- */

static void dispatch(const struct frame_header *header, char *payload)
{
    uint32_t number = header->channel, length = header->length;

    if (header->type == FRAME_EXEC || (header->type >= FRAME_READ && header->type <= FRAME_MKDIR)) {
        start(header->type, number, payload, length);
        return;
    }
    if (header->type == FRAME_ACCEPT && length == 8) {
        await_connection(number, payload);
        return;
    }
    if (header->type == FRAME_PING && length <= 64) {
        emit(FRAME_PONG, number, payload, length);
        return;
    }
    if (header->type == FRAME_SIGNAL && number == 0 && length == 2) {
        kill(-1, payload[0]); /* Everybody but pid 1; ESRCH: nobody is there. */
        return;
    }
    if (number == 0 || number > CHANNELS_MAX)
        leave(1);
    if (!channels[number].open)
        return; /* It closed while this was on its way. */
    if (header->type == FRAME_STDIN && length <= PAYLOAD_BYTES_MAX) {
        take_input(number, payload, length);
        settle_connection(number);
    } else if (header->type == FRAME_SIGNAL && length == 2)
        send_signal(number, (uint8_t)payload[0], (uint8_t)payload[1]);
    else if (header->type == FRAME_RESIZE && length == 4)
        resize(number, payload);
    else if (header->type == FRAME_WINDOW && length == 8)
        widen(number, payload);
    else
        leave(1);
}

static void read_host(void)
{
    ssize_t count = read(guest.connection, inbox + inbox_length, sizeof inbox - inbox_length);
    size_t used = 0;

    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0)
        leave(0);
    inbox_length += (size_t)count;
    while (inbox_length - used >= HEADER_BYTES) {
        struct frame_header header;
        memcpy(&header, inbox + used, sizeof header);
        if (header.length > REQUEST_BYTES_MAX)
            leave(1);
        if (inbox_length - used < HEADER_BYTES + header.length)
            break;
        dispatch(&header, inbox + used + HEADER_BYTES);
        used += HEADER_BYTES + header.length;
    }
    inbox_length -= used;
    if (inbox_length > 0 && used > 0)
        memmove(inbox, inbox + used, inbox_length);
    if (used > 65536 && inbox_length == 0)
        (void)madvise(inbox, sizeof inbox, MADV_DONTNEED); /* An idle sandbox holds no memory for the big request it once had. */
}

/* ---- children ---- */

static uint32_t channel_of(pid_t pid)
{
    for (uint32_t number = 1; number <= channel_top; number++)
        if (channels[number].open && !channels[number].ended && (channels[number].keeper != 0 ? channels[number].keeper : channels[number].pid) == pid)
            return number;
    return 0;
}

/* Commands under a subreaper report through shared memory, and their keeper lives on for the orphans. */
static void finish_reported(void)
{
    for (uint32_t number = 1; number <= channel_top; number++)
        if (channels[number].open && channels[number].type != FRAME_ACCEPT && !channels[number].ended &&
            __atomic_load_n(&command_report(number)->done, __ATOMIC_ACQUIRE))
            finish(number, command_report(number)->status, &command_report(number)->usage);
}

static void finish_child(uint32_t number, int status, const struct rusage *usage)
{
    const struct command_report *report = command_report(number);

    if (channels[number].keeper == 0 || report->failed)
        finish(number, status, usage);
    else if (report->done) /* Since `finish_reported` looked. */
        finish(number, report->status, &report->usage);
    else
        leave(1); /* A command of the same user killed its keeper, and nobody can say any more which processes are its own. */
}

static void reap(void)
{
    struct signalfd_siginfo details[16];
    struct rusage usage;
    int status;

    while (read(signals, details, sizeof details) > 0)
        ;
    finish_reported();
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
        uint32_t number = channel_of(pid);
        if (number != 0)
            finish_child(number, status, &usage);
    }
    note_end();
}

static void turn(const struct epoll_event *event)
{
    uint32_t number = (uint32_t)event->data.u64;

    switch ((enum source)(event->data.u64 >> 32)) {
    case SOURCE_HOST:
        read_host();
        return;
    case SOURCE_SIGNALS:
        reap();
        return;
    case SOURCE_STDOUT:
    case SOURCE_STDERR: {
        int which = (event->data.u64 >> 32) == SOURCE_STDERR;
        if (channels[number].open && channels[number].output[which].fd >= 0 && channels[number].output[which].watched) {
            pump_output(number, which);
            close_if_done(number);
            settle_connection(number);
        }
        return;
    }
    case SOURCE_STDIN:
        if (channels[number].open && channels[number].input_watched) {
            pump_backlog(number);
            settle_connection(number);
        }
        return;
    case SOURCE_LINGERING:
        discard_lingering((int)number);
        return;
    case SOURCE_RELAY:
        take_connections();
        return;
    }
}

static int block_signals(void)
{
    sigset_t mask;

    signal(SIGPIPE, SIG_IGN);
    if (sigemptyset(&mask) != 0 || sigaddset(&mask, SIGCHLD) != 0 || sigaddset(&mask, SIGUSR1) != 0 || sigprocmask(SIG_SETMASK, &mask, NULL) != 0)
        return -1;
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

void serve_guest(const struct guest *configuration)
{
    struct epoll_event events[32];

    guest = *configuration;
    signals = block_signals();
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (signals < 0 || poller < 0 || prepare_commands() != 0 || prepare_trees(guest.cgroup2) != 0)
        give_up("guest", "prepare", NULL);
    watch(guest.connection, EPOLLIN, tag(SOURCE_HOST, 0));
    watch(signals, EPOLLIN, tag(SOURCE_SIGNALS, 0));
    emit(FRAME_READY, 0, NULL, 0);
    for (;;) {
        if (outbox_urgent)
            flush();
        tidy_trees();
        /* What is left may wait a moment for company: mostly the word that a command has started, soon followed by how it ended. */
        int count = epoll_wait(poller, events, sizeof events / sizeof *events, outbox_length > 0 ? 1 : -1);
        if (count == 0)
            flush();
        for (int i = 0; i < count; i++)
            turn(&events[i]);
    }
}
