/*
 * Asks the kernel what a seccomp filter does, one call at a time.
 *
 *   verdict-probe --filter FILE               installs the bytes of FILE before each call
 *   verdict-probe --inherited                 is under the filter already (or under none)
 *   verdict-probe --filter FILE -- PROGRAM…   installs it and becomes PROGRAM
 *
 * Each line of standard input is `ENTRY NUMBER A0 A1 A2 A3 A4 A5`, where ENTRY is `native` or, on x86_64, `int80`. Each gets a process of
 * its own and one line of output, in order, `NUMBER VERDICT`:
 *
 *   ran         the call returned something
 *   errno N     it failed with N: the filter's own error when the filter was compiled with an errnoOffset, else also the kernel's
 *   waits       it was still waiting after a second, so it was let through
 *   ended       the process ended without returning and not by the filter: exit, or a wild rt_sigreturn
 *   killed      the filter killed the process
 *
 * The caller picks arguments that do no harm. Static, because it also runs inside a sandbox that may have no libc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 6, WAIT_SECONDS = 1, START_SECONDS = 20 };

/*
 * How far the child got, in memory that both see. New for each call: what a fork or clone under test leaves behind writes its own
 * result too, perhaps only when the next call is already under way.
 */
enum progress { STARTING, CALLING, RETURNED };

struct shared {
	_Atomic int progress;
	_Atomic long result;
};

struct call {
	int is_int80;
	unsigned long number;
	unsigned long args[ARGUMENTS];
};

__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("verdict-probe: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	_exit(125);
}

/* Inline, so that the child of a vfork does not return out of a frame that its parent still needs. */
static inline long native_call(unsigned long number, const unsigned long a[ARGUMENTS])
{
#if defined(__x86_64__)
	long result;
	register unsigned long r10 __asm__("r10") = a[3];
	register unsigned long r8 __asm__("r8") = a[4];
	register unsigned long r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "=a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2])
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register unsigned long x8 __asm__("x8") = number;
	register unsigned long x0 __asm__("x0") = a[0];
	register unsigned long x1 __asm__("x1") = a[1];
	register unsigned long x2 __asm__("x2") = a[2];
	register unsigned long x3 __asm__("x3") = a[3];
	register unsigned long x4 __asm__("x4") = a[4];
	register unsigned long x5 __asm__("x5") = a[5];

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return (long)x0;
#else
#error "no table for this architecture"
#endif
}

/* The 32-bit entry. The first three arguments are enough for any call we try. */
static inline long int80_call(unsigned long number, const unsigned long a[ARGUMENTS])
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2])
			 : "r8", "r9", "r10", "r11", "memory");
	return (int)result;
#else
	(void)number;
	(void)a;
	fail("int80 exists on x86_64 only");
#endif
}

static struct sock_fprog read_filter(const char *path)
{
	static struct sock_filter instructions[BPF_MAXINSNS];
	FILE *file = fopen(path, "re");
	size_t count;

	if (file == NULL)
		fail("cannot open %s: %s", path, strerror(errno));
	count = fread(instructions, sizeof *instructions, BPF_MAXINSNS, file);
	if (ferror(file) || !feof(file) || count == 0)
		fail("%s holds no filter, or one that is too long", path);
	fclose(file);
	return (struct sock_fprog){ .len = (unsigned short)count, .filter = instructions };
}

static void install(const struct sock_fprog *filter)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) != 0)
		fail("SECCOMP_SET_MODE_FILTER with %u instructions: %s", filter->len, strerror(errno));
}

__attribute__((noreturn))
static void try_call(const struct call *call, const struct sock_fprog *filter, struct shared *shared)
{
	static const unsigned long nothing[ARGUMENTS];

	/* Away from the caller's terminal, which a call that is let through by mistake could hang up. */
	setsid();
	if (filter != NULL)
		install(filter);
	shared->progress = CALLING;
	shared->result = call->is_int80 ? int80_call(call->number, call->args) : native_call(call->number, call->args);
	shared->progress = RETURNED;
	for (;;)
		native_call(SYS_exit_group, nothing);
}

/* Waits until the child has ended, but not for ever. SIGCHLD is blocked, so none is missed. Returns 0 if the child is still there. */
static int has_ended(pid_t child, int *status, int seconds)
{
	const struct timespec limit = { .tv_sec = seconds };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		if (waitpid(child, status, WNOHANG) == child)
			return 1;
		/* A signal of an earlier child, or of a grandchild left to us, costs another turn. */
		if (sigtimedwait(&chld, NULL, &limit) < 0 && errno == EAGAIN)
			return waitpid(child, status, WNOHANG) == child;
	}
}

static struct shared *new_shared(void)
{
	void *shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	return shared; /* All zero, so STARTING. */
}

static void report(const struct call *call, const struct sock_fprog *filter)
{
	struct shared *shared = new_shared();
	int status = 0;
	int ended;
	pid_t child = fork();

	if (child < 0)
		fail("fork: %s", strerror(errno));
	if (child == 0)
		try_call(call, filter, shared);

	ended = has_ended(child, &status, WAIT_SECONDS);
	if (!ended && shared->progress == STARTING)
		ended = has_ended(child, &status, START_SECONDS); /* A busy machine. */
	if (!ended) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	if (shared->progress == STARTING)
		fail("call %lu was never made", call->number);

	printf("%lu ", call->number);
	if (shared->progress == RETURNED && shared->result < 0 && shared->result >= -4095)
		printf("errno %ld\n", -shared->result);
	else if (shared->progress == RETURNED)
		puts("ran");
	else if (!ended)
		puts("waits");
	else
		puts(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "ended");
	munmap(shared, sizeof *shared);
}

static struct call parse_call(char *line)
{
	struct call call = { 0 };
	char *rest = line;
	const char *entry = strsep(&rest, " ");
	char *word = strsep(&rest, " ");

	call.is_int80 = strcmp(entry, "int80") == 0;
	if ((!call.is_int80 && strcmp(entry, "native") != 0) || word == NULL)
		fail("no call in a line that starts with \"%s\"", entry);
	call.number = strtoul(word, NULL, 0);
	for (int i = 0; i < ARGUMENTS && (word = strsep(&rest, " \n")) != NULL; i++)
		call.args[i] = strtoul(word, NULL, 0); /* Takes a minus, too: -1 is all bits. */
	return call;
}

int main(int argc, char **argv)
{
	static const struct rlimit no_core;
	struct sock_fprog filter = { 0 };
	sigset_t chld;
	char *line = NULL;
	size_t size = 0;

	if (argc >= 3 && strcmp(argv[1], "--filter") == 0)
		filter = read_filter(argv[2]);
	else if (argc != 2 || strcmp(argv[1], "--inherited") != 0)
		fail("usage: verdict-probe --filter FILE [-- PROGRAM...] | --inherited");
	setrlimit(RLIMIT_CORE, &no_core); /* A killed child would leave a core file. Failing that, it does. */

	if (argc > 4 && strcmp(argv[3], "--") == 0) {
		install(&filter);
		execvp(argv[4], argv + 4);
		fail("cannot run %s: %s", argv[4], strerror(errno));
	}

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0); /* Or a fork would carry a copy of what is not yet written. */
	while (getline(&line, &size, stdin) > 0) {
		const struct call call = parse_call(line);

		report(&call, filter.len > 0 ? &filter : NULL);
	}
	free(line);
	return 0;
}
