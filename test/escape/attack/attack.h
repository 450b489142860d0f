/*
 * Attempts to get out of a sandbox, or to touch what lies outside. Each does the real thing, with arguments that would work, or whose failure tells a wall
 * from a kernel that merely dislikes them; and each is harmless where it succeeds, because the suite also runs them with walls left out.
 *
 * An attempt ends by giving its answer, one line:
 *   refused EPERM      the kernel said no
 *   absent             what it reached for is not there
 *   succeeded …        it got through
 *   inconclusive …     it could not be tried; never the expected answer
 */
#ifndef WARREN_ATTACK_H
#define WARREN_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct attempt {
    const char *name;
    void (*run)(void);
};

/* Each theme's attempts end with a row without a name. */
extern const struct attempt device_attempts[], kernel_attempts[], limit_attempts[], mount_attempts[], network_attempts[], privilege_attempts[], proc_attempts[],
    process_attempts[], root_attempts[];

__attribute__((noreturn)) void refused(int error);
__attribute__((noreturn)) void refused_as(const char *how);
__attribute__((noreturn)) void absent(const char *why);
__attribute__((noreturn, format(printf, 1, 2))) void succeeded(const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2))) void inconclusive(const char *format, ...);

/* Negative: refused with errno. Else it succeeded. */
__attribute__((noreturn)) void judge(long result, const char *what);

/* The name of an error as in errno(3), for example "EPERM". */
const char *error_name(int error);

/* Opens, or answers: absent when there is no such path, else refused. */
int open_or_answer(const char *path, int flags);

/* What the host told us about its canaries through the environment. */
const char *told(const char *name);
long told_number(const char *name);

/* A new directory below /tmp, or a path in one; both are gone with the sandbox. */
const char *scratch_directory(void);
const char *scratch_path(const char *name);

/* Whether `path` can be opened and holds `needle`. */
bool file_holds(const char *path, const char *needle);

/* Writes and returns whether all of it was taken; errno says why not. */
bool write_text(const char *path, const char *text);

#endif
