/* Devices and terminals. */
#define _GNU_SOURCE
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

static void make_node(mode_t type, unsigned major_number, unsigned minor_number)
{
    const char *path = scratch_path("node");

    if (mknod(path, type | 0600, makedev(major_number, minor_number)) != 0)
        refused(errno);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* Never read. */
    int error = errno;
    unlink(path);
    if (fd < 0)
        refused_as(error == EACCES ? "made, not opened" : error_name(error));
    succeeded("made and opened");
}

static void node_of_zero(void)
{
    make_node(S_IFCHR, 1, 5);
}

static void node_of_memory(void)
{
    make_node(S_IFCHR, 1, 1);
}

static void node_of_disk(void)
{
    make_node(S_IFBLK, 254, 0);
}

static void node_of_whiteout(void)
{
    judge(mknod(scratch_path("whiteout"), S_IFCHR | 0600, makedev(0, 0)), "made");
}

/* A device node that somebody on the host left in a mounted directory. */
static void node_in_mount(void)
{
    open_or_answer(told("CANARY_DEVICE"), O_RDONLY);
    succeeded("opened");
}

static void only_harmless_devices(void)
{
    static const char *const known[] = {".", "..", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"};
    struct dirent *entry;
    DIR *directory = opendir("/dev");

    if (directory == NULL)
        refused(errno);
    while ((entry = readdir(directory)) != NULL) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= strcmp(known[i], entry->d_name) == 0;
        if (!found)
            succeeded("%s", entry->d_name);
    }
    absent(NULL);
}

static void open_device(const char *path)
{
    open_or_answer(path, O_RDWR);
    succeeded("opened");
}

static void disk(void)
{
    open_device("/dev/vda");
}

static void memory(void)
{
    open_device("/dev/mem");
}

static void virtual_machines(void)
{
    open_device("/dev/kvm");
}

static void kernel_log(void)
{
    open_device("/dev/kmsg");
}

static void tunnel(void)
{
    open_device("/dev/net/tun");
}

static void user_filesystems(void)
{
    open_device("/dev/fuse");
}

static void fault_handler(void)
{
    open_device("/dev/userfaultfd");
}

static void console(void)
{
    open_device("/dev/console");
}

/* What a command without a terminal may not reach: somebody's. */
static void controlling_terminal(void)
{
    open_device("/dev/tty");
}

static void host_terminals(void)
{
    struct dirent *entry;
    DIR *directory = opendir("/dev/pts");

    if (directory == NULL)
        refused(errno);
    while ((entry = readdir(directory)) != NULL)
        if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name))
            succeeded("/dev/pts/%s", entry->d_name);
    absent(NULL);
}

/* The device nodes are the host's own, so their modes and times are too. */
static void change_device_mode(void)
{
    judge(chmod("/dev/null", 0666), "changed"); /* To what it is. */
}

static void touch_device(void)
{
    judge(utimensat(AT_FDCWD, "/dev/null", NULL, 0), "touched");
}

static void replace_device(void)
{
    judge(unlink("/dev/null"), "removed");
}

static void feed_entropy(void)
{
    int none = 0, fd = open_or_answer("/dev/random", O_RDWR);

    judge(ioctl(fd, RNDADDTOENTCNT, &none), "added");
}

/* ---- terminals ---- */

/* A terminal of its own: what the filter refuses here it refuses on the one a person sits at. */
static int own_terminal(void)
{
    int unlock = 0, master = open_or_answer("/dev/ptmx", O_RDWR);

    if (ioctl(master, TIOCSPTLCK, &unlock) != 0)
        inconclusive("TIOCSPTLCK: %s", error_name(errno));
    int slave = ioctl(master, 0x5441 /* TIOCGPTPEER */, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        inconclusive("TIOCGPTPEER: %s", error_name(errno));
    return slave;
}

static void type_into_terminal(void)
{
    char letter = 'x';
    int terminal = own_terminal();

    if (fork() != 0) { /* Only who leads no process group may lead a session. */
        pause();
        return;
    }
    if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) != 0)
        inconclusive("TIOCSCTTY: %s", error_name(errno));
    judge(ioctl(terminal, TIOCSTI, &letter), "typed");
}

/* On the terminal the host gave the command. */
static void type_into_given_terminal(void)
{
    char letter = 'x';

    if (!isatty(0))
        inconclusive("no terminal");
    judge(ioctl(0, TIOCSTI, &letter), "typed");
}

static void paste_into_console(void)
{
    char subcode = 3; /* TIOCL_PASTESEL */

    judge(ioctl(own_terminal(), TIOCLINUX, &subcode), "pasted");
}

static void line_discipline(void)
{
    int discipline = 0; /* N_TTY: the one it has. */

    judge(ioctl(own_terminal(), TIOCSETD, &discipline), "set");
}

static void console_output(void)
{
    judge(ioctl(own_terminal(), TIOCCONS), "redirected");
}

const struct attempt device_attempts[] = {
    {"device-make-zero", node_of_zero},
    {"device-make-memory", node_of_memory},
    {"device-make-disk", node_of_disk},
    {"device-make-whiteout", node_of_whiteout},
    {"device-in-mount", node_in_mount},
    {"device-list", only_harmless_devices},
    {"device-disk", disk},
    {"device-memory", memory},
    {"device-kvm", virtual_machines},
    {"device-kernel-log", kernel_log},
    {"device-tunnel", tunnel},
    {"device-fuse", user_filesystems},
    {"device-userfaultfd", fault_handler},
    {"device-console", console},
    {"device-controlling-terminal", controlling_terminal},
    {"device-host-terminals", host_terminals},
    {"device-chmod", change_device_mode},
    {"device-touch", touch_device},
    {"device-replace", replace_device},
    {"device-entropy", feed_entropy},
    {"terminal-type", type_into_terminal},
    {"terminal-type-given", type_into_given_terminal},
    {"terminal-paste", paste_into_console},
    {"terminal-discipline", line_discipline},
    {"terminal-console", console_output},
    {NULL, NULL},
};
