/* Choosing devices, in this process and in others with other sets of OpenCL platforms.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cl/cl_internal.h"
#include "unit.h"

#include <ctype.h>
#include <unistd.h>

static char self[512]; /* this program */

/* Lists the devices of this process, for the parent to read. */
static int list_devices(void)
{
    tpp_caps *caps = NULL;
    int count = 0;
    cl_uint platforms = 0;
    if (clGetPlatformIDs(0, NULL, &platforms) != CL_SUCCESS) platforms = 0;
    if (tpp_device_list(&caps, &count) != TPP_OK) {
        (void)printf("failed: %s\n", tpp_error());
        return 0;
    }
    (void)printf("%u platforms\n", platforms);
    for (int i = 0; i < count; i++) (void)printf("%d %s\n", i, caps[i].platform);
    tpp_free(caps);
    return 0;
}

/* What this program prints when it lists devices with `environment` set. The leaks of drivers that
 * this loads are not ours. */
static void list_with(const char *environment, char *said, size_t size)
{
    char command[1024];
    (void)snprintf(command, sizeof(command), "ASAN_OPTIONS=detect_leaks=0 %s %s list", environment,
                   self);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    const size_t n = fread(said, 1, size - 1, f);
    said[n] = '\0';
    assert_int_equal(pclose(f), 0);
}

static void open_as(const char *spec, const tpp_caps *want)
{
    tpp_device *d = NULL;
    UNIT_OK(tpp_device_open(&d, spec));
    assert_string_equal(tpp_device_caps(d)->name, want->name);
    assert_string_equal(tpp_device_caps(d)->platform, want->platform);
    tpp_device_close(d);
}

static void devices_are_chosen_by_index(void **state)
{
    (void)state;
    tpp_caps *caps = NULL;
    int count = 0;
    UNIT_OK(tpp_device_list(&caps, &count));
    assert_true(count >= 1);
    for (int i = 0; i < count; i++) {
        char index[12];
        (void)snprintf(index, sizeof(index), "%d", i);
        open_as(index, &caps[i]);
    }
    tpp_free(caps);
}

static void devices_are_chosen_by_part_of_a_name(void **state)
{
    (void)state;
    tpp_caps *caps = NULL;
    int count = 0;
    char part[128];
    UNIT_OK(tpp_device_list(&caps, &count));
    const size_t n = strlen(caps[0].name);
    assert_true(n > 2);
    (void)snprintf(part, sizeof(part), "%.*s", (int)(n - 1), caps[0].name); /* not all of it */
    for (char *c = part; *c != '\0'; c++)
        *c = (char)(isupper((unsigned char)*c) ? tolower((unsigned char)*c)
                                               : toupper((unsigned char)*c));
    open_as(part, &caps[0]);
    open_as(caps[0].platform, &caps[0]);
    open_as(caps[0].version, &caps[0]); /* "OpenCL ..." is no part of a name */
    tpp_free(caps);
}

static void auto_takes_a_gpu_before_a_cpu(void **state)
{
    (void)state;
    tpp_caps *caps = NULL;
    int count = 0, want = -1;
    UNIT_OK(tpp_device_list(&caps, &count));
    for (int i = count - 1; i >= 0; i--)
        if (caps[i].is_cpu) want = i;
    for (int i = count - 1; i >= 0; i--)
        if (caps[i].is_gpu) want = i;
    if (want < 0) want = 0;
    open_as("auto", &caps[want]);
    open_as(NULL, &caps[want]);
    open_as("", &caps[want]);
    tpp_free(caps);
}

static void what_does_not_fit_is_told_what_there_is(void **state)
{
    (void)state;
    static const char *const specs[] = {"no such device", "-1", "64", "99999999999999999999"};
    tpp_caps *caps = NULL;
    int count = 0;
    UNIT_OK(tpp_device_list(&caps, &count));
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        tpp_device *d = NULL;
        UNIT_FAILS(tpp_device_open(&d, specs[i]), TPP_EDEVICE, specs[i]);
        assert_null(d);
        for (int j = 0; j < count; j++) assert_non_null(strstr(tpp_error(), caps[j].name));
    }
    tpp_free(caps);
}

static void capabilities_are_usable(void **state)
{
    (void)state;
    tpp_device *d = NULL;
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    const tpp_caps *c = tpp_device_caps(d);
    assert_true(c->name[0] != '\0' && c->platform[0] != '\0' && c->driver[0] != '\0');
    assert_true(c->vector_width == 4 || c->vector_width == 8 || c->vector_width == 16);
    assert_true(c->max_alloc > 0 && c->max_alloc <= c->global_mem);
    assert_true(c->max_group >= 1 && c->compute_units >= 1);
    assert_int_equal(c->base_align % 128, 0);
    assert_true(c->base_align >= 128);
    tpp_device_close(d);
    tpp_device_close(NULL);
}

static void the_vector_width_can_be_forced(void **state)
{
    (void)state;
    static const int widths[] = {8, 16};
    for (int i = 0; i < 2; i++) {
        char text[4];
        tpp_device *d = NULL;
        (void)snprintf(text, sizeof(text), "%d", widths[i]);
        assert_int_equal(setenv("TPP_VECTOR_WIDTH", text, 1), 0);
        UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
        assert_int_equal(tpp_device_caps(d)->vector_width, widths[i]);
        tpp_device_close(d);
    }
    assert_int_equal(unsetenv("TPP_VECTOR_WIDTH"), 0);
}

static void memory_can_be_lowered_but_not_raised(void **state)
{
    (void)state;
    static const char *const ignored[] = {"", "-3", "many", "10MB", "99999999999999999999"};
    tpp_caps *whole = NULL, *less = NULL;
    int count = 0;
    UNIT_OK(tpp_device_list(&whole, &count));
    assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", "7", 1), 0);
    UNIT_OK(tpp_device_list(&less, &count));
    assert_int_equal(less[0].global_mem, 7000000);
    assert_int_equal(less[0].max_alloc, 7000000);
    tpp_free(less);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", ignored[i], 1), 0);
        UNIT_OK(tpp_device_list(&less, &count));
        assert_true(less[0].global_mem == whole[0].global_mem);
        assert_true(less[0].max_alloc == whole[0].max_alloc);
        tpp_free(less);
    }
    assert_int_equal(unsetenv("TPP_DEVICE_MEMORY_MB"), 0);
    tpp_free(whole);
}

#define LIMITS "group=64,local=16384,alloc=67108864,subgroups=0,half=0,commands=0"

static tpp_caps *list_limited(const char *limits)
{
    tpp_caps *caps = NULL;
    int count = 0;
    assert_int_equal(setenv("TPP_LIMITS", limits, 1), 0);
    UNIT_OK(tpp_device_list(&caps, &count));
    assert_int_equal(unsetenv("TPP_LIMITS"), 0);
    return caps;
}

static void limits_lower_what_is_told(void **state)
{
    (void)state;
    tpp_caps *c = list_limited(LIMITS);
    assert_int_equal(c->max_group, 64);
    assert_int_equal(c->local_mem, 16384);
    assert_int_equal(c->max_alloc, 67108864);
    assert_true(!c->sub_groups && !c->half && !c->command_buffers);
    assert_true(c->no_clblast); /* it asks the driver */
    tpp_free(c);
    c = list_limited("memory=1000000");
    assert_int_equal(c->global_mem, 1000000);
    assert_int_equal(c->max_alloc, 1000000);
    tpp_free(c);
}

static void limits_raise_nothing(void **state)
{
    (void)state;
    tpp_caps *whole = list_limited("");
    tpp_caps *more = list_limited("group=999999999,local=99999999999,alloc=999999999999999999,"
                                  "memory=999999999999999999,subgroups=1,half=1,commands=1");
    assert_memory_equal(whole, more, sizeof(*whole));
    tpp_free(more);
    tpp_free(whole);
}

static void limits_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } wrong[] = {{"groups=64", "no limit is called \"groups\""},
                 {"group=64,", "no limit is called \"\""},
                 {"group", "group wants a whole number above 0, not \"\""},
                 {"group=", "group wants a whole number"},
                 {"group=-64", "group wants a whole number above 0, not \"-64\""},
                 {"local=16k", "local wants a whole number above 0, not \"16k\""},
                 {"local=0", "local wants a whole number above 0"},
                 {"alloc=9999999999999999999", "alloc wants a whole number"},
                 {"half=2", "half wants 0 or 1, not \"2\""},
                 {"half=no", "half wants 0 or 1"},
                 {"group=64,group=32", "group is given twice"}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        tpp_device *d = NULL;
        assert_int_equal(setenv("TPP_LIMITS", wrong[i].text, 1), 0);
        UNIT_FAILS(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")), TPP_EUSAGE, wrong[i].why);
        assert_null(d);
    }
    assert_int_equal(unsetenv("TPP_LIMITS"), 0);
}

static void opening_survives_any_failed_allocation(void **state)
{
    (void)state;
    for (int64_t n = 0;; n++) {
        tpp_device *d = NULL;
        tpp_alloc_fail_after(n);
        const tpp_status s = tpp_device_open(&d, getenv("TPP_TEST_DEVICE"));
        tpp_alloc_fail_after(-1);
        tpp_device_close(d);
        if (s == TPP_OK) {
            assert_true(n >= 2);
            break;
        }
        assert_int_equal(s, TPP_ENOMEM);
        assert_null(d);
    }
}

static void without_a_platform_the_message_says_what_to_install(void **state)
{
    (void)state;
    char folder[] = "/tmp/tpp-icd-XXXXXX", environment[64], said[4096];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(environment, sizeof(environment), "OCL_ICD_VENDORS=%s/", folder);
    list_with(environment, said, sizeof(said));
    assert_int_equal(rmdir(folder), 0);
    assert_non_null(strstr(said, "failed: no OpenCL platform was found"));
    assert_non_null(strstr(said, "pocl-opencl-icd"));
}

/* Mesa's OpenCL without a supported GPU is such a platform. */
static void a_platform_without_a_device_is_passed_over(void **state)
{
    (void)state;
    char said[8192];
    if (access("/etc/OpenCL/vendors/mesa.icd", R_OK) != 0) skip();
    list_with("OCL_ICD_VENDORS=/etc/OpenCL/vendors/mesa.icd", said, sizeof(said));
    if (strstr(said, "none has a device") == NULL) skip(); /* a machine with such a GPU */
    list_with("OCL_ICD_VENDORS=/etc/OpenCL/vendors/", said, sizeof(said));
    assert_null(strstr(said, "failed"));
    assert_true(strtol(said, NULL, 10) >= 2);
    assert_null(strstr(said, "Clover"));
    assert_non_null(strstr(said, "\n0 "));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) return list_devices();
    (void)snprintf(self, sizeof(self), "%s", argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_chosen_by_index),
        cmocka_unit_test(devices_are_chosen_by_part_of_a_name),
        cmocka_unit_test(auto_takes_a_gpu_before_a_cpu),
        cmocka_unit_test(what_does_not_fit_is_told_what_there_is),
        cmocka_unit_test(capabilities_are_usable),
        cmocka_unit_test(the_vector_width_can_be_forced),
        cmocka_unit_test(memory_can_be_lowered_but_not_raised),
        cmocka_unit_test(limits_lower_what_is_told),
        cmocka_unit_test(limits_raise_nothing),
        cmocka_unit_test(limits_that_are_none_are_refused),
        cmocka_unit_test(opening_survives_any_failed_allocation),
        cmocka_unit_test(without_a_platform_the_message_says_what_to_install),
        cmocka_unit_test(a_platform_without_a_device_is_passed_over),
    };
    return cmocka_run_group_tests_name("cl.device", tests, NULL, NULL);
}
