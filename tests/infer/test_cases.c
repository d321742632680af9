/* Cases of a run: what files, folders, patterns and lists mean, and the names they get.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"
#include "folder.h"
#include "infer/cases.h"

/* A NIfTI header by its mark: enough to be taken for a volume. */
static void put(const char *name)
{
    char bytes[352] = {0}, path[256];
    (void)snprintf(path, sizeof path, "%s", in_folder(name));
    char *slash = strrchr(path, '/');
    *slash = '\0';
    UNIT_OK(tpp_path_make_folder(path));
    *slash = '/';
    memcpy(bytes, (const char[]){92, 1, 0, 0}, 4);
    memcpy(bytes + 344, "n+1", 4);
    UNIT_OK(tpp_file_write(path, bytes, sizeof bytes));
}

static void put_text(const char *name, const char *text)
{
    UNIT_OK(tpp_file_write(in_folder(name), text, strlen(text)));
}

static void expect(const tpp_cases *c, const char *const *names, size_t n)
{
    assert_int_equal(c->count, n);
    for (size_t i = 0; i < n; i++) assert_string_equal(c->item[i].name, names[i]);
}

static void one_file_is_no_cohort(void **state)
{
    (void)state;
    tpp_cases c = {0};
    put("one/brain.v2.nii");
    UNIT_OK(tpp_cases_add(&c, in_folder("one/brain.v2.nii")));
    UNIT_OK(tpp_cases_name(&c));
    expect(&c, (const char *const[]){"brain.v2"}, 1);
    assert_false(c.is_cohort);
    tpp_cases_free(&c);
    tpp_cases_free(&c);
}

static void folders_hold_cases_or_are_one(void **state)
{
    (void)state;
    tpp_cases c = {0};
    put("many/b.nii");
    put("many/case10.nii");
    put("many/case9.nii");
    put("many/notes.txt.nii"); /* by its content and name a volume */
    UNIT_OK(tpp_path_make_folder(in_folder("many/frames")));
    put_text("many/frames/1.png", "not looked into");
    put_text("many/readme.txt", "no case");
    put_text("many/.hidden.nii", "no case");
    UNIT_OK(tpp_cases_add(&c, in_folder("many")));
    UNIT_OK(tpp_cases_name(&c));
    expect(&c, (const char *const[]){"b", "case9", "case10", "frames", "notes.txt"}, 5);
    assert_true(c.is_cohort);
    tpp_cases_free(&c);

    UNIT_OK(tpp_cases_add(&c, in_folder("many/frames")));
    UNIT_OK(tpp_cases_name(&c));
    expect(&c, (const char *const[]){"frames"}, 1);
    assert_false(c.is_cohort);
    tpp_cases_free(&c);
}

static void patterns_are_expanded_and_names_told_apart(void **state)
{
    (void)state;
    tpp_cases c = {0};
    put("p/s1/a/image.nii");
    put("p/s1/b/image.nii");
    put("p/s2/a/image.nii");
    put("p/s2/a/other one.nii");
    UNIT_OK(tpp_cases_add(&c, in_folder("p/*/*/*.nii")));
    UNIT_OK(tpp_cases_name(&c));
    expect(&c, (const char *const[]){"b_image", "other_one", "s1_a_image", "s2_a_image"}, 4);
    tpp_cases_free(&c);
    UNIT_FAILS(tpp_cases_add(&c, in_folder("p/*/x*.nii")), TPP_EUSAGE, "nothing fits");
    tpp_cases_free(&c);
}

static void lists_name_their_cases(void **state)
{
    (void)state;
    tpp_cases c = {0};
    put("l/x.nii");
    put_text("l/list.csv", "case,input,age\nfirst,x.nii,60\n,/data/y.nii,61\n");
    UNIT_OK(tpp_cases_add(&c, in_folder("l/list.csv")));
    UNIT_OK(tpp_cases_name(&c));
    expect(&c, (const char *const[]){"first", "y"}, 2);
    assert_string_equal(c.item[0].input, in_folder("l/x.nii"));
    assert_string_equal(c.item[1].input, "/data/y.nii");
    assert_true(c.is_cohort);
    tpp_cases_free(&c);
}

static void bad_input_is_named(void **state)
{
    (void)state;
    tpp_cases c = {0};
    UNIT_OK(tpp_path_make_folder(in_folder("empty")));
    UNIT_FAILS(tpp_cases_add(&c, in_folder("empty")), TPP_EUSAGE, "is empty");
    UNIT_OK(tpp_path_make_folder(in_folder("texts")));
    put_text("texts/a.txt", "");
    UNIT_FAILS(tpp_cases_add(&c, in_folder("texts")), TPP_EUSAGE, "holds no DICOM");
    UNIT_OK(tpp_path_make_folder(in_folder("texts/below")));
    UNIT_FAILS(tpp_cases_add(&c, in_folder("texts")), TPP_EUSAGE, "*/*.nii.gz");
    put_text("no_column.csv", "file\nx\n");
    UNIT_FAILS(tpp_cases_add(&c, in_folder("no_column.csv")), TPP_EFORMAT, "\"input\"");
    put_text("no_row.csv", "input\n");
    UNIT_FAILS(tpp_cases_add(&c, in_folder("no_row.csv")), TPP_EUSAGE, "no case");
    put_text("empty_field.csv", "input,case\n,x\n");
    UNIT_FAILS(tpp_cases_add(&c, in_folder("empty_field.csv")), TPP_EFORMAT, ":2: the input");
    tpp_cases_free(&c);

    put_text("up.csv", "input,case\nx,../../etc\n");
    UNIT_OK(tpp_cases_add(&c, in_folder("up.csv")));
    UNIT_FAILS(tpp_cases_name(&c), TPP_EUSAGE, "../../etc");
    tpp_cases_free(&c);
    put_text("twice.csv", "input,case\nx,a\ny,a\n");
    UNIT_OK(tpp_cases_add(&c, in_folder("twice.csv")));
    UNIT_FAILS(tpp_cases_name(&c), TPP_EUSAGE, "two cases are called a");
    tpp_cases_free(&c);
    UNIT_OK(tpp_cases_add(&c, "x.nii"));
    UNIT_OK(tpp_cases_add(&c, "x.nii"));
    UNIT_FAILS(tpp_cases_name(&c), TPP_EUSAGE, "given twice");
    tpp_cases_free(&c);
}

static void names_keep_clear_of_the_runs_own_files(void **state)
{
    (void)state;
    tpp_cases c = {0};
    char name[256];
    put("own/report.json.nii");
    put("own/a.tmp.12.nii");
    put("own/a.failed.json.nii");
    UNIT_OK(tpp_cases_add(&c, in_folder("own")));
    UNIT_OK(tpp_cases_name(&c));
    expect(&c, (const char *const[]){"a_failed_json", "a_tmp_12", "report_json"}, 3);
    tpp_cases_free(&c);
    static const char *const given[] = {"report.json", "a.failed.json", "a.tmp.1"};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        (void)snprintf(name, sizeof name, "input,case\nx,%s\n", given[i]);
        put_text("own.csv", name);
        UNIT_OK(tpp_cases_add(&c, in_folder("own.csv")));
        UNIT_FAILS(tpp_cases_name(&c), TPP_EUSAGE, given[i]);
        tpp_cases_free(&c);
    }
    memset(name, 'n', sizeof name);
    (void)snprintf(name + 201, sizeof name - 201, ".nii");
    UNIT_OK(tpp_cases_add(&c, name));
    UNIT_FAILS(tpp_cases_name(&c), TPP_EUSAGE, "201 characters");
    tpp_cases_free(&c);
    UNIT_OK(tpp_cases_add(&c, name + 1));
    UNIT_OK(tpp_cases_name(&c));
    tpp_cases_free(&c);
}

static void paths_are_compared_without_detours(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"x.nii", "./x.nii"}, {"a/x.nii", "a//x.nii"}, {"/a/x", "//a/./x/"}, {"../x", ".././x"}};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        tpp_cases c = {0};
        UNIT_OK(tpp_cases_add(&c, same[i][0]));
        UNIT_OK(tpp_cases_add(&c, same[i][1]));
        UNIT_FAILS(tpp_cases_name(&c), TPP_EUSAGE, "given twice");
        tpp_cases_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_is_no_cohort),
        cmocka_unit_test(folders_hold_cases_or_are_one),
        cmocka_unit_test(patterns_are_expanded_and_names_told_apart),
        cmocka_unit_test(lists_name_their_cases),
        cmocka_unit_test(bad_input_is_named),
        cmocka_unit_test(names_keep_clear_of_the_runs_own_files),
        cmocka_unit_test(paths_are_compared_without_detours),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
