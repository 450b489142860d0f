/* The network: the host's services, the outside, and families that namespaces do not hold. */
#define _GNU_SOURCE
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket that has answered is closed again at once. */
static void open_socket(int family, int type, int protocol)
{
    judge(socket(family, type | SOCK_CLOEXEC, protocol), "opened");
}

static void raw_ip(void)
{
    open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static void raw_ip6(void)
{
    open_socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
}

static void packet(void)
{
    open_socket(AF_PACKET, SOCK_RAW, 0);
}

/* A packet socket by its name of 1996. */
static void old_packet(void)
{
    open_socket(AF_INET, 10 /* SOCK_PACKET */, 0);
}

/* Not namespaced: reaches the machine below this one. */
static void vsock(void)
{
    open_socket(40 /* AF_VSOCK */, SOCK_STREAM, 0);
}

static void crypto(void)
{
    open_socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0);
}

/* The kernel loads the module of a family that is asked for. */
static void module_family(void)
{
    open_socket(30 /* AF_TIPC */, SOCK_STREAM, 0);
}

static void express_data(void)
{
    open_socket(44 /* AF_XDP */, SOCK_RAW, 0);
}

static void module_protocol(void)
{
    open_socket(AF_INET, SOCK_STREAM, 132 /* IPPROTO_SCTP */);
}

static void pair_family(void)
{
    int ends[2];

    judge(socketpair(30 /* AF_TIPC */, SOCK_STREAM, 0, ends), "opened");
}

static void netlink_audit(void)
{
    open_socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static void netlink_netfilter(void)
{
    open_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

/* Lists the sockets of the namespace, and so of the host if it is the host's. */
static void netlink_diag(void)
{
    open_socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
}

static void netlink_uevent(void)
{
    open_socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
}

/* Sets a property of lo to what it is, as root inside. */
static void netlink_route(void)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .link = {.ifi_index = 1},
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[512];
    } reply;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        refused(errno);
    if (send(fd, &request, sizeof request, 0) < 0 || recv(fd, &reply, sizeof reply, 0) < (ssize_t)(sizeof reply.header + sizeof(int)))
        inconclusive("netlink: %s", error_name(errno));
    if (reply.error.error != 0)
        refused(-reply.error.error);
    succeeded("changed");
}

static void mark_packets(void)
{
    int mark = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        refused(errno);
    judge(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark), "marked");
}

/* Kernel memory beyond what is allowed to everybody. */
static void force_buffer(void)
{
    int bytes = 1 << 20, ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        refused(errno);
    judge(setsockopt(ends[0], SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes), "forced");
}

/* ---- reaching somebody ---- */

static void connect_tcp(const char *address, uint16_t port)
{
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(port)};
    int error = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t length = sizeof error;

    if (fd < 0)
        refused(errno);
    inet_pton(AF_INET, address, &target.sin_addr);
    if (connect(fd, (const struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS)
        refused(errno);
    struct pollfd answer = {.fd = fd, .events = POLLOUT};
    if (poll(&answer, 1, 3000) == 0)
        succeeded("on its way"); /* It left the sandbox, or nothing would have to be waited for. */
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error != 0)
        refused(error);
    succeeded("connected");
}

static void host_loopback(void)
{
    connect_tcp("127.0.0.1", (uint16_t)told_number("CANARY_PORT"));
}

static void host_loopback6(void)
{
    struct sockaddr_in6 target = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)told_number("CANARY_PORT")), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        refused(errno);
    judge(connect(fd, (const struct sockaddr *)&target, sizeof target), "connected");
}

static void host_address(void)
{
    const char *address = told("HOST_ADDRESS");

    connect_tcp(address, (uint16_t)told_number("CANARY_PORT"));
}

/* Connecting a datagram socket looks for a route and sends nothing: where there is one, that is enough to know. */
static int open_routed(const char *address, uint16_t port, struct sockaddr_in *target)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    *target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &target->sin_addr);
    if (fd < 0)
        refused(errno);
    if (connect(fd, (const struct sockaddr *)target, sizeof *target) == 0)
        succeeded("a way there");
    return fd;
}

static void reach(const char *address, uint16_t port)
{
    struct sockaddr_in target;

    close(open_routed(address, port, &target));
    connect_tcp(address, port);
}

static void outside(void)
{
    reach("198.51.100.1", 443); /* TEST-NET-2: nobody lives there (RFC 5737). */
}

static void metadata_service(void)
{
    reach("169.254.169.254", 80);
}

static void send_datagram(const char *address, uint16_t port)
{
    struct sockaddr_in target;
    int fd = open_routed(address, port, &target);

    judge(sendto(fd, "x", 1, 0, (const struct sockaddr *)&target, sizeof target), "sent");
}

static void outside_udp(void)
{
    send_datagram("198.51.100.1", 53);
}

static void multicast(void)
{
    send_datagram("224.0.0.251", 5353);
}

static socklen_t abstract_address(struct sockaddr_un *address, const char *name)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length > sizeof address->sun_path - 1)
        length = sizeof address->sun_path - 1;
    memcpy(address->sun_path + 1, name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static void connect_abstract(const char *name)
{
    struct sockaddr_un address;
    socklen_t length = abstract_address(&address, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        refused(errno);
    judge(connect(fd, (const struct sockaddr *)&address, length), "connected");
}

static void host_abstract(void)
{
    connect_abstract(told("CANARY_ABSTRACT"));
}

static void launcher_socket(void)
{
    connect_abstract(told("LAUNCHER_SOCKET"));
}

/* The name by which a launcher holds a range of ids. Taken by somebody else, that range could not be leased. */
static void take_lease_name(void)
{
    struct sockaddr_un address;
    socklen_t length = abstract_address(&address, told("LEASE_NAME"));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        refused(errno);
    if (bind(fd, (const struct sockaddr *)&address, length) == 0)
        absent("a namespace of its own"); /* The launcher has it there, so this is another "there". */
    succeeded("the same namespace (%s)", error_name(errno));
}

static void host_path_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        refused(errno);
    strncpy(address.sun_path, told("CANARY_SOCKET"), sizeof address.sun_path - 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        succeeded("connected");
    if (errno == ENOENT)
        absent(NULL);
    refused(errno);
}

static void join_network(void)
{
    int fd = open_or_answer("/proc/self/ns/net", O_RDONLY);

    judge(setns(fd, CLONE_NEWNET), "joined");
}

const struct attempt network_attempts[] = {
    {"network-raw", raw_ip},
    {"network-raw6", raw_ip6},
    {"network-packet", packet},
    {"network-old-packet", old_packet},
    {"network-vsock", vsock},
    {"network-crypto", crypto},
    {"network-module-family", module_family},
    {"network-express-data", express_data},
    {"network-module-protocol", module_protocol},
    {"network-pair-family", pair_family},
    {"netlink-audit", netlink_audit},
    {"netlink-netfilter", netlink_netfilter},
    {"netlink-diag", netlink_diag},
    {"netlink-uevent", netlink_uevent},
    {"netlink-route", netlink_route},
    {"network-mark", mark_packets},
    {"network-force-buffer", force_buffer},
    {"network-host-loopback", host_loopback},
    {"network-host-loopback6", host_loopback6},
    {"network-host-address", host_address},
    {"network-outside", outside},
    {"network-metadata", metadata_service},
    {"network-outside-udp", outside_udp},
    {"network-multicast", multicast},
    {"network-abstract", host_abstract},
    {"network-launcher", launcher_socket},
    {"network-lease-name", take_lease_name},
    {"network-path-socket", host_path_socket},
    {"network-join", join_network},
    {NULL, NULL},
};
