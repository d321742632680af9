/* What a program sees that knows tpp.h alone: numbers of codes and levels, versions, devices.
 * SPDX-License-Identifier: MIT */
#include "tpp.h"

/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

/* The library's own table is core/status.h: the same number must have the same meaning there. */
static void codes_mean_the_same_inside(void **state)
{
    (void)state;
    static const struct {
        tpp_status code;
        const char *fact;
    } codes[] = {{TPP_OK, "success"},
                 {TPP_EUSAGE, "is not valid"},
                 {TPP_ESHAPE, "shapes do not agree"},
                 {TPP_EIO, "read or written"},
                 {TPP_EFORMAT, "its format promises"},
                 {TPP_ENOMEM, "memory ran out"},
                 {TPP_EDEVICE, "no usable OpenCL device"},
                 {TPP_EDEVMEM, "device's memory"},
                 {TPP_EOPENCL, "an OpenCL call failed"},
                 {TPP_EKERNEL, "host and kernel disagree"},
                 {TPP_EUNSUPPORTED, "cannot do that"},
                 {TPP_EINTERNAL, "an invariant"}};
    enum { COUNT = sizeof(codes) / sizeof(codes[0]) };
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(codes[i].code, i);
        assert_non_null(strstr(tpp_status_text(codes[i].code), codes[i].fact));
    }
    assert_string_equal(tpp_status_text((tpp_status)COUNT), "unknown status");
    assert_string_equal(tpp_status_text((tpp_status)-1), "unknown status");
}

static void versions_are_those_of_the_header(void **state)
{
    (void)state;
    assert_int_equal(tpp_api_version(), TPP_API_VERSION);
    assert_string_equal(tpp_version(), TPP_PROJECT_VERSION);
}

/* ---- log ---- */

typedef struct heard {
    int lines, level;
    char module[32], text[512];
} heard;

static void hear(void *context, tpp_log_level level, const char *module, const char *text)
{
    heard *h = context;
    h->lines++;
    h->level = (int)level;
    (void)snprintf(h->module, sizeof h->module, "%s", module);
    (void)snprintf(h->text, sizeof h->text, "%s", text);
}

static void log_lines_up_to_the_level_reach_the_callback(void **state)
{
    (void)state;
    heard h = {0};
    tpp_device *device = NULL;
    tpp_log_set(TPP_LOG_INFO, hear, &h);
    assert_int_equal(tpp_device_open(&device, "auto"), TPP_OK);
    tpp_device_close(device);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.level, TPP_LOG_INFO);
    assert_string_equal(h.module, "device");
    assert_non_null(strstr(h.text, "driver"));

    tpp_log_set(TPP_LOG_WARN, hear, &h);
    assert_int_equal(tpp_device_open(&device, "auto"), TPP_OK);
    tpp_device_close(device);
    assert_int_equal(h.lines, 1);
    tpp_log_set(TPP_LOG_DEBUG, hear, &h);
    assert_int_equal(tpp_device_open(&device, "no such device"), TPP_EDEVICE);
    assert_int_equal(h.level, TPP_LOG_DEBUG);
    assert_non_null(strstr(h.text, "no such device"));
    tpp_log_set(TPP_LOG_WARN, NULL, NULL);
}

/* ---- devices ---- */

static void devices_are_listed_and_described(void **state)
{
    (void)state;
    int count = 0;
    assert_int_equal(tpp_devices_count(&count), TPP_OK);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char number[16];
        tpp_device_info listed = {sizeof(listed), 0, 0, 0, "", "", ""};
        tpp_device_info opened = {sizeof(opened), 0, 0, 0, "", "", ""};
        tpp_device *device = NULL;
        assert_int_equal(tpp_devices_get(i, &listed), TPP_OK);
        assert_true(listed.memory_bytes > 0 && listed.compute_units > 0);
        assert_true(listed.name[0] != '\0' && listed.platform[0] != '\0');
        assert_in_range(listed.type, TPP_DEVICE_OTHER, TPP_DEVICE_GPU);
        (void)snprintf(number, sizeof number, "%d", i);
        assert_int_equal(tpp_device_open(&device, number), TPP_OK);
        assert_int_equal(tpp_device_describe(device, &opened), TPP_OK);
        assert_memory_equal(&listed, &opened, sizeof(listed));
        tpp_device_close(device);
    }
    tpp_device_info info = {sizeof(info), 0, 0, 0, "", "", ""};
    assert_int_equal(tpp_devices_get(count, &info), TPP_EUSAGE);
    assert_int_equal(tpp_devices_get(-1, &info), TPP_EUSAGE);
    assert_string_equal(info.name, "");
}

/* A program that was built with an older header has smaller structs, one with a newer header
 * larger ones. */
static void structs_of_other_versions_are_filled_as_far_as_they_go(void **state)
{
    (void)state;
    struct {
        tpp_device_info info;
        char more[24];
    } later;
    memset(&later, 7, sizeof(later));
    later.info.size = sizeof(later);
    assert_int_equal(tpp_devices_get(0, &later.info), TPP_OK);
    assert_int_equal(later.info.size, sizeof(later));
    for (size_t i = 0; i < sizeof(later.more); i++) assert_int_equal(later.more[i], 0);

    tpp_device_info unset;
    memset(&unset, 0, sizeof(unset));
    assert_int_equal(tpp_devices_get(0, &unset), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "sizeof(tpp_device_info)"));
    assert_int_equal(tpp_devices_get(0, NULL), TPP_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_mean_the_same_inside),
        cmocka_unit_test(versions_are_those_of_the_header),
        cmocka_unit_test(log_lines_up_to_the_level_reach_the_callback),
        cmocka_unit_test(devices_are_listed_and_described),
        cmocka_unit_test(structs_of_other_versions_are_filled_as_far_as_they_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
