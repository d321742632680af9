/* Kernel programs and the cache of their binaries: what makes an entry, what spoils it, who shares
 * it. The kernels are this test's own, in a folder that TPP_KERNEL_DIR names.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "cl/launch.h"
#include "cl/program.h"

#include <sys/stat.h>
#include <sys/wait.h>

static const char kernel_text[] = "#include \"shared.clh\"\n"
                                  "#ifndef SCALE\n"
                                  "#define SCALE 1\n"
                                  "#endif\n"
                                  "kernel void fill(global int *y, int n)\n"
                                  "{\n"
                                  "    const int i = (int)get_global_id(0);\n"
                                  "    if (i < n) y[i] = SCALE * shared(i);\n"
                                  "}\n";
static const char shared_text[] = "static int shared(int i) { return i + 1; }\n";
static char self[512];

static tpp_device *open_device(void)
{
    tpp_device *d = NULL;
    ASSERT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    return d;
}

/* Builds `fill` with `options` and returns its third number. */
static int third(tpp_device *d, const char *options)
{
    cl_int code = CL_SUCCESS, y[4] = {0};
    tpp_steps *s = NULL;
    cl_mem m = clCreateBuffer(d->context, CL_MEM_READ_WRITE, sizeof(y), NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    ASSERT_OK(tpp_steps_open(&s, d));
    ASSERT_OK(tpp_record(s, "fill", "fill", options, (tpp_grid){.global = {4}},
                         TPP_ARGS(TPP_ARG(m), TPP_ARG(4))));
    ASSERT_OK(tpp_steps_run(s));
    assert_int_equal(clEnqueueReadBuffer(d->compute, m, CL_TRUE, 0, sizeof(y), y, 0, NULL, NULL),
                     CL_SUCCESS);
    tpp_steps_close(s);
    (void)clReleaseMemObject(m);
    return y[2];
}

static int third_of_new_device(const char *options)
{
    tpp_device *d = open_device();
    const int y = third(d, options);
    tpp_device_close(d);
    return y;
}

/* A cache folder of the test's own, empty. */
static const char *new_cache(const char *name)
{
    const char *folder = scratch(name);
    assert_int_equal(setenv("TPP_CACHE_DIR", folder, 1), 0);
    tpp_device *d = open_device();
    const bool without = tpp_device_caps(d)->no_program_cache;
    tpp_device_close(d);
    if (without) skip();
    return folder;
}

/* The entries of a cache folder; the caller frees. */
static tpp_names entries(const char *folder)
{
    tpp_names names = {0};
    ASSERT_OK(tpp_path_list(&names, folder, NULL));
    for (size_t i = 0; i < names.count; i++)
        assert_true(tpp_path_has_suffix(names.name[i], ".clbin"));
    return names;
}

static size_t count_entries(const char *folder)
{
    tpp_names names = entries(folder);
    const size_t count = names.count;
    tpp_names_free(&names);
    return count;
}

static const char *only_entry(const char *folder)
{
    static char path[512];
    tpp_names names = entries(folder);
    assert_int_equal(names.count, 1);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, names.name[0]);
    tpp_names_free(&names);
    return path;
}

/* Changes when a file is written again: entries are renamed into place. */
static uint64_t identity(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_ino * 1000003u + (uint64_t)st.st_mtim.tv_nsec;
}

static void an_entry_is_written_and_used_again(void **state)
{
    (void)state;
    const char *cache = new_cache("cache-reuse");
    assert_int_equal(third_of_new_device(""), 3);
    const char *entry = only_entry(cache);
    const uint64_t first = identity(entry);
    assert_int_equal(third_of_new_device(""), 3);
    assert_true(identity(only_entry(cache)) == first);
}

static void a_device_builds_a_program_once(void **state)
{
    (void)state;
    const char *cache = new_cache("cache-once");
    tpp_device *d = open_device();
    assert_int_equal(third(d, "-DSCALE=2"), 6);
    assert_int_equal(unlink(only_entry(cache)), 0);
    assert_int_equal(third(d, "-DSCALE=2"), 6);
    assert_int_equal(count_entries(cache), 0);
    assert_int_equal(d->programs.count, 1);
    tpp_device_close(d);
}

static void options_make_another_entry(void **state)
{
    (void)state;
    const char *cache = new_cache("cache-options");
    assert_int_equal(third_of_new_device("-DSCALE=2"), 6);
    assert_int_equal(third_of_new_device("-DSCALE=5"), 15);
    assert_int_equal(count_entries(cache), 2);
    assert_int_equal(third_of_new_device("-DSCALE=2"), 6);
    assert_int_equal(third_of_new_device("-DSCALE=5"), 15);
    assert_int_equal(count_entries(cache), 2);
}

static void an_included_file_makes_another_entry(void **state)
{
    (void)state;
    static const char other[] = "static int shared(int i) { return i + 10; }\n";
    const char *cache = new_cache("cache-include");
    assert_int_equal(third_of_new_device(""), 3);
    (void)put_file("shared.clh", other, sizeof(other) - 1);
    assert_int_equal(third_of_new_device(""), 12);
    assert_int_equal(count_entries(cache), 2);
    (void)put_file("shared.clh", shared_text, sizeof(shared_text) - 1);
    assert_int_equal(third_of_new_device(""), 3);
    assert_int_equal(count_entries(cache), 2);
}

/* `bytes` of `size` stand in the entry's place; the program is right, the entry whole again. */
static void assert_rebuilt(const char *cache, const uint8_t *bytes, size_t size,
                           const uint8_t *good)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s", only_entry(cache));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    const uint64_t spoiled = identity(path);
    assert_int_equal(third_of_new_device(""), 3);
    assert_true(identity(only_entry(cache)) != spoiled);
    size_t now_size = 0;
    uint8_t *now = get_file(path, &now_size);
    assert_true(now_size > 64 && memcmp(now, good, 32) == 0);
    tpp_free(now);
}

static void spoiled_entries_are_rebuilt_in_silence(void **state)
{
    (void)state;
    size_t size = 0;
    const char *cache = new_cache("cache-spoiled");
    assert_int_equal(third_of_new_device(""), 3);
    uint8_t *good = get_file(only_entry(cache), &size);
    const size_t cuts[] = {0, 1, 32, 64, 65, size / 2, size - 1};
    const size_t flips[] = {0, 31, 40, 64, 100, size / 2, size - 1};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
        assert_rebuilt(cache, good, cuts[i], good);
    for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
        good[flips[i]] ^= 0x40;
        uint8_t *bad = tpp_calloc(size, 1);
        assert_non_null(bad);
        memcpy(bad, good, size);
        good[flips[i]] ^= 0x40;
        assert_rebuilt(cache, bad, size, good);
        tpp_free(bad);
    }
    tpp_free(good);
}

static void a_folder_that_cannot_be_written_is_no_error(void **state)
{
    (void)state;
    assert_int_equal(setenv("TPP_CACHE_DIR", put_file("no_folder", "", 0), 1), 0);
    assert_int_equal(third_of_new_device(""), 3);
    assert_int_equal(setenv("TPP_CACHE_DIR", "/proc/nowhere", 1), 0);
    assert_int_equal(third_of_new_device(""), 3);
    const char *cache = new_cache("cache-blocked"); /* a folder stands where the entry would */
    assert_int_equal(third_of_new_device(""), 3);
    char path[512];
    (void)snprintf(path, sizeof(path), "%s", only_entry(cache));
    assert_int_equal(unlink(path), 0);
    ASSERT_OK(tpp_path_make_folder(path));
    assert_int_equal(third_of_new_device(""), 3);
    assert_true(tpp_path_is_folder(path));
}

static void processes_may_build_at_once(void **state)
{
    (void)state;
    char command[2048];
    const char *cache = new_cache("cache-shared");
    (void)snprintf(command, sizeof(command),
                   "%s build & a=$!; %s build & b=$!; %s build; c=$?; "
                   "wait $a && wait $b && exit $c",
                   self, self, self);
    const int status = system(command);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    const uint64_t made = identity(only_entry(cache));
    assert_int_equal(third_of_new_device(""), 3);
    assert_true(identity(only_entry(cache)) == made);
}

static void what_does_not_build_says_the_first_error(void **state)
{
    (void)state;
    static const char bad[] = "kernel void bad(global int *y)\n{\n    y[0] = undeclared_name;\n}\n";
    tpp_device *d = open_device();
    cl_kernel k = NULL;
    (void)put_file("bad.cl", bad, sizeof(bad) - 1);
    ASSERT_FAILS(tpp_kernel_open(&k, d, "bad", "bad", "-DX=1"), TPP_EOPENCL, "bad.cl",
                 "does not build");
    assert_non_null(strstr(tpp_error(), "-DX=1"));
    assert_non_null(strstr(tpp_error(), "undeclared_name"));
    ASSERT_FAILS(tpp_kernel_open(&k, d, "fill", "no_such_kernel", ""), TPP_EOPENCL,
                 "no_such_kernel", "CL_INVALID_KERNEL_NAME");
    ASSERT_FAILS(tpp_kernel_open(&k, d, "missing", "k", ""), TPP_EIO, "missing.cl", "cannot open");
    assert_null(k);
    tpp_device_close(d);
}

static void files_that_include_each_other_are_refused(void **state)
{
    (void)state;
    static const char ring[] = "#include \"ring.cl\"\n";
    tpp_device *d = open_device();
    cl_kernel k = NULL;
    (void)put_file("ring.cl", ring, sizeof(ring) - 1);
    ASSERT_FAILS(tpp_kernel_open(&k, d, "ring", "k", ""), TPP_EINTERNAL, "ring.cl", "too deeply");
    tpp_device_close(d);
}

static void building_survives_any_failed_allocation(void **state)
{
    (void)state;
    (void)new_cache("cache-memory");
    tpp_device *d = open_device();
    for (int64_t n = 0;; n++) {
        cl_kernel k = NULL;
        tpp_alloc_fail_after(n);
        const tpp_status s = tpp_kernel_open(&k, d, "fill", "fill", "-DSCALE=3");
        tpp_alloc_fail_after(-1);
        if (s == TPP_OK) {
            assert_true(n > 3);
            (void)clReleaseKernel(k);
            break;
        }
        assert_int_equal(s, TPP_ENOMEM);
        assert_null(k);
    }
    assert_int_equal(third(d, "-DSCALE=3"), 9);
    tpp_device_close(d);
}

static int setup(void **state)
{
    if (scratch_setup(state) != 0) return -1;
    (void)put_file("fill.cl", kernel_text, sizeof(kernel_text) - 1);
    (void)put_file("shared.clh", shared_text, sizeof(shared_text) - 1);
    return setenv("TPP_KERNEL_DIR", scratch_folder, 1);
}

/* In a child of processes_may_build_at_once: environment and kernels are the parent's. */
static int build_as_child(void)
{
    tpp_device *d = NULL;
    cl_kernel k = NULL;
    if (tpp_device_open(&d, getenv("TPP_TEST_DEVICE")) != TPP_OK) return 2;
    const tpp_status s = tpp_kernel_open(&k, d, "fill", "fill", "");
    if (k != NULL) (void)clReleaseKernel(k);
    tpp_device_close(d);
    return s == TPP_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "build") == 0) return build_as_child();
    (void)snprintf(self, sizeof(self), "%s", argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_written_and_used_again),
        cmocka_unit_test(a_device_builds_a_program_once),
        cmocka_unit_test(options_make_another_entry),
        cmocka_unit_test(an_included_file_makes_another_entry),
        cmocka_unit_test(spoiled_entries_are_rebuilt_in_silence),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_no_error),
        cmocka_unit_test(processes_may_build_at_once),
        cmocka_unit_test(what_does_not_build_says_the_first_error),
        cmocka_unit_test(files_that_include_each_other_are_refused),
        cmocka_unit_test(building_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("cl.program", tests, setup, scratch_teardown);
}
