/* What the tests of the engine share: cmocka with what it wants before it, looks at statuses and
 * messages, the device under test.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_UNIT_H
#define TPP_TESTS_UNIT_H

/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "cl/device.h"
#include "core/mem.h"
#include "core/status.h"

#define UNIT_OK(expr)                                                                     \
    do {                                                                                  \
        const tpp_status ok_ = (expr);                                                    \
        if (ok_ != TPP_OK) fail_msg("wanted success, got %d: %s", (int)ok_, tpp_error()); \
    } while (0)

/* The call fails with this status, and its message holds `fact`. */
#define UNIT_FAILS(expr, status, fact)                                                             \
    do {                                                                                           \
        const tpp_status got_ = (expr);                                                            \
        if (got_ != (status) || strstr(tpp_error(), (fact)) == NULL)                               \
            fail_msg("wanted status %d with \"%s\", got %d: %s", (int)(status), (fact), (int)got_, \
                     tpp_error());                                                                 \
    } while (0)

/* For cmocka_run_group_tests: *state is the device that TPP_TEST_DEVICE names. */
static inline int unit_open_device(void **state)
{
    if (tpp_device_open((tpp_device **)state, getenv("TPP_TEST_DEVICE")) == TPP_OK) return 0;
    print_error("%s\n", tpp_error());
    return -1;
}

static inline int unit_close_device(void **state)
{
    tpp_device_close(*state);
    return 0;
}

#endif
