/* Paths, folders, whole files, and files that appear whole or not at all.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void paths_join_with_one_slash(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"a/b", "c.png", "a/b/c.png"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *joined = tpp_path_join(cases[i][0], cases[i][1]);
        assert_string_equal(joined, cases[i][2]);
        tpp_free(joined);
    }
    tpp_alloc_fail_after(0);
    char *none = tpp_path_join("a", "b");
    tpp_alloc_fail_after(-1);
    assert_null(none);
}

static void names_are_taken_apart(void **state)
{
    (void)state;
    assert_string_equal(tpp_path_base("/a/b.nii.gz"), "b.nii.gz");
    assert_string_equal(tpp_path_base("b"), "b");
    assert_string_equal(tpp_path_base("a/"), "");
    assert_true(tpp_path_has_suffix("IMAGE.NII.GZ", ".nii.gz"));
    assert_true(tpp_path_has_suffix(".png", ".png"));
    assert_false(tpp_path_has_suffix("png", ".png"));
    assert_false(tpp_path_has_suffix("a.png.tmp", ".png"));
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    const char *deep = scratch("one/two//three/");
    ASSERT_OK(tpp_path_make_folder(deep));
    assert_true(tpp_path_is_folder(deep));
    ASSERT_OK(tpp_path_make_folder(deep));
    ASSERT_OK(tpp_path_make_folder("/"));
    const char *file = put_file("plain", "x", 1);
    assert_false(tpp_path_is_folder(file));
    assert_true(tpp_path_exists(file));
    ASSERT_FAILS(tpp_path_make_folder(file), TPP_EIO, "plain", "cannot make the folder");
    ASSERT_FAILS(tpp_path_make_folder(scratch("plain/below")), TPP_EIO, "plain", "cannot make");
    ASSERT_FAILS(tpp_path_make_folder(""), TPP_EIO, "", "cannot make the folder");
}

static void lists_are_sorted_files_of_a_suffix(void **state)
{
    (void)state;
    tpp_names names = {0};
    ASSERT_OK(tpp_path_make_folder(scratch("list/sub.png")));
    static const char *const files[] = {"list/b.png", "list/a10.PNG", "list/a2.png",
                                        "list/.hidden.png", "list/note.txt"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) (void)put_file(files[i], "", 0);
    ASSERT_OK(tpp_path_list(&names, scratch("list"), ".png"));
    assert_int_equal(names.count, 3);
    assert_string_equal(names.name[0], "a2.png");
    assert_string_equal(names.name[1], "a10.PNG");
    assert_string_equal(names.name[2], "b.png");
    tpp_names_free(&names);
    tpp_names_free(&names);
    ASSERT_OK(tpp_path_list(&names, scratch("list"), NULL));
    assert_int_equal(names.count, 4);
    tpp_names_free(&names);
    ASSERT_FAILS(tpp_path_list(&names, scratch("nowhere"), NULL), TPP_EIO, "nowhere",
                 "cannot read the folder");
}

static void lists_survive_any_failed_allocation(void **state)
{
    (void)state;
    ASSERT_OK(tpp_path_make_folder(scratch("many")));
    for (int i = 0; i < 70; i++) { /* more than the list's first capacity */
        char name[32];
        (void)snprintf(name, sizeof(name), "many/%03d.png", i);
        (void)put_file(name, "", 0);
    }
    tpp_names names = {0};
    int64_t n = 0;
    for (;; n++) {
        tpp_alloc_fail_after(n);
        const tpp_status s = tpp_path_list(&names, scratch("many"), NULL);
        tpp_alloc_fail_after(-1);
        if (s == TPP_OK) break;
        assert_int_equal(s, TPP_ENOMEM);
        assert_null(names.name);
    }
    assert_true(n > 140);
    assert_int_equal(names.count, 70);
    assert_string_equal(names.name[69], "069.png");
    tpp_names_free(&names);
}

static void files_are_read_whole_up_to_a_limit(void **state)
{
    (void)state;
    size_t size = 0;
    char *bytes = NULL;
    const char *path = put_file("abc", "a\0c", 3);
    ASSERT_OK(tpp_file_read(&bytes, &size, path, 3));
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "a\0c", 4); /* a NUL follows */
    tpp_free(bytes);
    bytes = NULL;
    size = 99;
    ASSERT_FAILS(tpp_file_read(&bytes, &size, path, 2), TPP_EIO, "abc", "at most 2");
    ASSERT_FAILS(tpp_file_read(&bytes, &size, scratch("gone"), 9), TPP_EIO, "gone", "cannot open");
    ASSERT_FAILS(tpp_file_read(&bytes, &size, scratch_folder, 9), TPP_EIO, scratch_folder,
                 "not a regular file");
    tpp_alloc_fail_after(0);
    assert_int_equal(tpp_file_read(&bytes, &size, path, 3), TPP_ENOMEM);
    tpp_alloc_fail_after(-1);
    assert_null(bytes);
    assert_int_equal(size, 99);
    ASSERT_OK(tpp_file_read(&bytes, &size, put_file("empty", "", 0), 9));
    assert_int_equal(size, 0);
    tpp_free(bytes);
}

/* Nobody writes into it: opening it the plain way would wait for ever. */
static void a_pipe_is_refused_without_waiting(void **state)
{
    (void)state;
    size_t size = 0;
    char *bytes = NULL;
    const char *pipe = scratch("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    ASSERT_FAILS(tpp_file_read(&bytes, &size, pipe, 9), TPP_EIO, "pipe", "not a regular file");
}

static void assert_content(const char *path, const char *text)
{
    size_t size = 0;
    char *bytes = NULL;
    ASSERT_OK(tpp_file_read(&bytes, &size, path, 1000));
    assert_string_equal(bytes, text);
    tpp_free(bytes);
}

static void a_file_appears_at_commit(void **state)
{
    (void)state;
    tpp_out_file f = {0};
    const char *path = scratch("out.txt");
    ASSERT_OK(tpp_out_open(&f, path));
    (void)fputs("first", f.stream);
    assert_false(tpp_path_exists(path));
    ASSERT_OK(tpp_out_commit(&f));
    assert_null(f.stream);
    assert_content(path, "first");
    ASSERT_OK(tpp_out_open(&f, path));
    (void)fputs("second", f.stream);
    assert_content(path, "first");
    tpp_out_discard(&f);
    tpp_out_discard(&f);
    assert_content(path, "first");
    ASSERT_OK(tpp_file_write(path, "third", 5));
    assert_content(path, "third");
    assert_no_temporary();
}

static void two_writers_of_one_path_do_not_mix(void **state)
{
    (void)state;
    tpp_out_file a = {0}, b = {0};
    const char *path = scratch("shared.txt");
    ASSERT_OK(tpp_out_open(&a, path));
    ASSERT_OK(tpp_out_open(&b, path));
    (void)fputs("of a", a.stream);
    (void)fputs("of b, which is longer", b.stream);
    ASSERT_OK(tpp_out_commit(&b));
    ASSERT_OK(tpp_out_commit(&a));
    assert_content(path, "of a");
    assert_no_temporary();
}

static void what_is_no_file_is_not_replaced(void **state)
{
    (void)state;
    tpp_out_file f = {0};
    ASSERT_FAILS(tpp_out_open(&f, "/dev/null"), TPP_EIO, "/dev/null", "not a regular file");
    ASSERT_FAILS(tpp_out_open(&f, scratch_folder), TPP_EIO, scratch_folder, "not a regular file");
    ASSERT_FAILS(tpp_out_open(&f, scratch("nowhere/out")), TPP_EIO, "out", "cannot write");
    assert_null(f.stream);
    assert_null(f.temporary);
    tpp_out_discard(&f);
}

/* A link of the temporary's name must not lead the bytes elsewhere. */
static void a_planted_link_is_not_followed(void **state)
{
    (void)state;
    const char *victim = put_file("victim", "untouched", 9), *path = scratch("linked");
    tpp_out_file probe = {0};
    ASSERT_OK(tpp_out_open(&probe, path));
    unsigned next = (unsigned)strtoul(strrchr(probe.temporary, '.') + 1, NULL, 10) + 1;
    tpp_out_discard(&probe);
    char planted[256];
    (void)snprintf(planted, sizeof(planted), "%s.tmp.%ld.%u", path, (long)getpid(), next);
    assert_int_equal(symlink(victim, planted), 0);
    ASSERT_OK(tpp_file_write(path, "new", 3));
    assert_content(path, "new");
    assert_content(victim, "untouched");
    assert_no_temporary();
}

static void a_full_device_leaves_nothing(void **state)
{
    (void)state;
    const char *path = put_file("full.txt", "old", 3);
    const int full = open("/dev/full", O_WRONLY);
    if (full < 0) skip();
    tpp_out_file f = {0};
    ASSERT_OK(tpp_out_open(&f, path));
    assert_true(dup2(full, fileno(f.stream)) >= 0); /* from here on the disk is full */
    (void)close(full);
    (void)fputs("lost", f.stream);
    ASSERT_FAILS(tpp_out_commit(&f), TPP_EIO, path, "No space left");
    assert_null(f.stream);
    assert_no_temporary();
    assert_content(path, "old");
}

static void a_limit_on_files_leaves_nothing(void **state)
{
    (void)state;
    static const char bytes[100000];
    struct rlimit limit;
    const char *path = put_file("limited", "old", 3);
    (void)signal(SIGXFSZ, SIG_IGN); /* so that write() fails instead */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 5000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const tpp_status at_once = tpp_file_write(path, bytes, sizeof(bytes)), /* fails in fwrite */
        fitting = tpp_file_write(scratch("fits"), bytes, 4000);
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(at_once, TPP_EIO);
    assert_int_equal(fitting, TPP_OK);
    assert_no_temporary();
    assert_content(path, "old");
}

static void opening_survives_failed_allocations(void **state)
{
    (void)state;
    int64_t n = 0;
    for (;; n++) {
        tpp_out_file f = {0};
        tpp_alloc_fail_after(n);
        const tpp_status s = tpp_out_open(&f, scratch("tight"));
        tpp_alloc_fail_after(-1);
        tpp_out_discard(&f);
        if (s == TPP_OK) break;
        assert_int_equal(s, TPP_ENOMEM);
        assert_no_temporary();
    }
    assert_int_equal(n, 2);
    assert_no_temporary();
    assert_false(tpp_path_exists(scratch("tight")));
}

static void assert_cache_folder(const char *wanted)
{
    char *folder = tpp_path_cache_folder();
    if (wanted == NULL) {
        assert_null(folder);
    } else {
        assert_non_null(folder);
        assert_string_equal(folder, wanted);
        assert_true(tpp_path_is_folder(folder));
    }
    tpp_free(folder);
}

static void the_cache_folder_follows_the_environment(void **state)
{
    (void)state;
    char *home = tpp_strdup(getenv("HOME") != NULL ? getenv("HOME") : "");
    assert_non_null(home);
    assert_int_equal(setenv("TPP_CACHE_DIR", scratch("cache/own"), 1), 0);
    assert_int_equal(setenv("XDG_CACHE_HOME", scratch("xdg"), 1), 0);
    assert_int_equal(setenv("HOME", scratch("home"), 1), 0);
    assert_cache_folder(scratch("cache/own"));
    assert_false(tpp_path_exists(scratch("xdg")));
    assert_int_equal(setenv("TPP_CACHE_DIR", "", 1), 0); /* as if it were not set */
    assert_cache_folder(scratch("xdg/tpp"));
    assert_int_equal(setenv("XDG_CACHE_HOME", "relative", 1), 0); /* its standard forbids that */
    assert_cache_folder(scratch("home/.cache/tpp"));
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_cache_folder(scratch("home/.cache/tpp"));
    assert_int_equal(unsetenv("HOME"), 0);
    assert_cache_folder(NULL);
    assert_int_equal(setenv("TPP_CACHE_DIR", put_file("no_folder", "", 0), 1), 0);
    assert_cache_folder(NULL);
    assert_int_equal(unsetenv("TPP_CACHE_DIR"), 0);
    assert_int_equal(setenv("HOME", home, 1), 0);
    tpp_free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_join_with_one_slash),
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(folders_are_made_with_their_parents),
        cmocka_unit_test(lists_are_sorted_files_of_a_suffix),
        cmocka_unit_test(lists_survive_any_failed_allocation),
        cmocka_unit_test(files_are_read_whole_up_to_a_limit),
        cmocka_unit_test(a_pipe_is_refused_without_waiting),
        cmocka_unit_test(a_file_appears_at_commit),
        cmocka_unit_test(two_writers_of_one_path_do_not_mix),
        cmocka_unit_test(what_is_no_file_is_not_replaced),
        cmocka_unit_test(a_planted_link_is_not_followed),
        cmocka_unit_test(a_full_device_leaves_nothing),
        cmocka_unit_test(a_limit_on_files_leaves_nothing),
        cmocka_unit_test(opening_survives_failed_allocations),
        cmocka_unit_test(the_cache_folder_follows_the_environment),
    };
    return cmocka_run_group_tests_name("core.path", tests, scratch_setup, scratch_teardown);
}
