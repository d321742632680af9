/* What the tests of io/ share: a folder that goes away, files from bytes, and looks at failures.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_IO_SCRATCH_H
#define TPP_TESTS_IO_SCRATCH_H

/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
/* clang-format on */

#include "core/mem.h"
#include "core/path.h"
#include "core/status.h"

static char scratch_folder[64];

/* For cmocka_run_group_tests: makes the folder, removes it. */
static inline int scratch_setup(void **state)
{
    (void)state;
    (void)snprintf(scratch_folder, sizeof scratch_folder, "/tmp/tpp-io-XXXXXX");
    return mkdtemp(scratch_folder) == NULL ? -1 : 0;
}

static inline int scratch_teardown(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", scratch_folder);
    return system(command);
}

/* Path of `name` in the folder; eight results stay valid at a time. */
static inline const char *scratch(const char *name)
{
    static char paths[8][192];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

static inline const char *put_file(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* Whole file; the caller frees with tpp_free. */
static inline uint8_t *get_file(const char *path, size_t *size)
{
    char *bytes = NULL;
    assert_int_equal(tpp_file_read(&bytes, size, path, (size_t)1 << 30), TPP_OK);
    return (uint8_t *)bytes;
}

/* A failure has its status, and its message names the file and the fact. */
#define ASSERT_FAILS(expr, status, path, fact)                                                   \
    do {                                                                                         \
        const tpp_status got_ = (expr);                                                          \
        if (got_ != (status) || strstr(tpp_error(), (fact)) == NULL ||                           \
            strstr(tpp_error(), tpp_path_base(path)) == NULL)                                    \
            fail_msg("wanted status %d with \"%s\" about %s, got %d: %s", (int)(status), (fact), \
                     (path), (int)got_, tpp_error());                                            \
    } while (0)

#define ASSERT_OK(expr)                                                                   \
    do {                                                                                  \
        const tpp_status ok_ = (expr);                                                    \
        if (ok_ != TPP_OK) fail_msg("wanted success, got %d: %s", (int)ok_, tpp_error()); \
    } while (0)

/* Path of a file of the shared data, or a skipped test when it is not there. */
static inline const char *shared_or_skip(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/../shared/%s", TPP_SOURCE_DIR, name);
    if (tpp_path_exists(path)) return path;
    print_message("[  SKIPPED ] %s is absent\n", path);
    skip();
    return NULL;
}

/* Fails when a writer has left its temporary file behind. */
static inline void assert_no_temporary(void)
{
    char command[160];
    (void)snprintf(command, sizeof command, "ls -A %s | grep -q '[.]tmp[.]'", scratch_folder);
    assert_int_not_equal(system(command), 0);
}

/* xorshift64: the same sequence in every run. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
