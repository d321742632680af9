/* The small files of a run: labels, frames.csv, statistics.json, report.json.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"
#include "infer/frames_csv.h"
#include "infer/labels_file.h"
#include "infer/report.h"
#include "io/png.h"
#include "report_case.h"

#include <signal.h>
#include <sys/resource.h>

static tpp_out_folder out;

static int open_out(void **state)
{
    (void)state;
    return tpp_out_folder_open(&out, in_folder("out"), true) == TPP_OK ? 0 : -1;
}

static int discard_out(void **state)
{
    (void)state;
    tpp_out_folder_discard(&out);
    return 0;
}

static char *text_of(const char *name)
{
    char *path = tpp_path_join(out.staging, name), *text = NULL;
    size_t size = 0;
    UNIT_OK(tpp_file_read(&text, &size, path, 1 << 20));
    tpp_free(path);
    return text;
}

static json_t *json_of(const char *name)
{
    char *text = text_of(name);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    tpp_free(text);
    return j;
}

static void assert_text(const char *name, const char *want)
{
    char *text = text_of(name);
    assert_string_equal(text, want);
    tpp_free(text);
}

/* ---- labels ---- */

static void labels_for_people_and_viewers(void **state)
{
    (void)state;
    UNIT_OK(tpp_labels_write(&case_targets, &out));
    assert_text("labels.txt", "# ITK-SnAP Label Description File\n"
                              "# IDX   R   G   B   A  VIS MSH  LABEL\n"
                              "    0     0    0    0        0  0  0    \"Clear Label\"\n"
                              "    1   255  196    0        1  1  1    \"left kidney\"\n"
                              "    2     0  214  255        1  1  1    \"lesion 'A' <b>\"\n"
                              "    3   255   90  200        1  1  1    \"nothing\"\n");
    assert_text("labels.ctbl",
                "# Color table file labels.ctbl\n# 4 values\n0 background 0 0 0 0\n"
                "1 left_kidney 255 196 0 255\n2 lesion 0 214 255 255\n3 nothing 255 90 200 255\n");
    json_t *j = json_of("labels.json");
    const json_t *one = json_object_get(j, "1"), *snomed = json_object_get(one, "snomed");
    assert_int_equal(json_object_size(j), 3);
    assert_string_equal(json_string_value(json_object_get(one, "title")), "left kidney");
    assert_string_equal(json_string_value(json_object_get(snomed, "type")), "18639004");
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "prompt"), 1)),
                        case_prompts[0][1]);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(one, "rgb"), 1)), 196);
    assert_true(json_is_null(json_object_get(json_object_get(j, "2"), "snomed")));
    json_decref(j);
}

/* ---- frames.csv ---- */

static tpp_status write_csv(bool has_times, int rows)
{
    tpp_frames_csv csv = {.targets = &case_targets,
                          .height = 100,
                          .width = 200,
                          .pixel_mm2 = has_times ? 0 : 0.25,
                          .has_times = has_times};
    const tpp_found found = {.score = 0.5f,
                             .box = {0.5f, 0.5f, 0.5f, 0.25f},
                             .present = true,
                             .best = 3,
                             .prompt = 0,
                             .area_px = 10,
                             .ms = 12.5};
    tpp_status s = tpp_frames_csv_open(&csv, &out);
    for (int i = 0; i < rows && s == TPP_OK; i++)
        tpp_frames_csv_row(&csv, 7, "a \"b\", c", 0, &found);
    if (s == TPP_OK) s = tpp_frames_csv_finish(&csv);
    tpp_frames_csv_close(&csv);
    return s;
}

static const char csv_head[] = "frame,name,target,score,present,area_px,area_mm2,box_x0,box_y0,"
                               "box_x1,box_y1,prompt,prompt_text,best,ms\r\n";

static void rows_are_quoted_and_in_pixels(void **state)
{
    (void)state;
    tpp_str want = {0};
    UNIT_OK(write_csv(false, 1));
    tpp_str_format(&want,
                   "%s7,\"a \"\"b\"\", c\",left_kidney,0.500000,1,10,2.500,50.00,37.50,150.00,"
                   "62.50,0,\"the \"\"left\"\" kidney, </script><img src=x onerror=alert(1)> & "
                   "more\",3,\r\n",
                   csv_head);
    assert_text("frames.csv", want.text);
    tpp_str_free(&want);
}

static void times_and_unknown_spacing(void **state)
{
    (void)state;
    UNIT_OK(write_csv(true, 1));
    char *text = text_of("frames.csv");
    assert_non_null(strstr(text, ",1,10,,50.00,"));
    assert_non_null(strstr(text, ",3,12.500\r\n"));
    tpp_free(text);
}

/* ---- report.json ---- */

static tpp_frames input;
static tpp_model_folder model;
static tpp_found found[3 * 2];

/* Two pictures of 6 x 4, and a model without a file of weights. */
static void make_run(tpp_report *r)
{
    static const tpp_caps caps = {.name = "a device"};
    static const tpp_report_prompt prompts[] = {{0, "abc", 5, 5}, {1, "a spot", 512, 600}};
    static const int64_t start[] = {1, 0, 0};
    uint8_t pixels[24] = {1, 2, 3};
    const tpp_image image = {.width = 6, .height = 4, .channels = 1, .pixels = pixels};
    UNIT_OK(tpp_path_make_folder(in_folder("frames")));
    UNIT_OK(tpp_png_write(in_folder("frames/a.png"), &image));
    UNIT_OK(tpp_png_write(in_folder("frames/b.png"), &image));
    if (input.path == NULL) UNIT_OK(tpp_frames_open(&input, in_folder("frames"), NULL));
    static char path[] = "no/\xff/model";
    model = (tpp_model_folder){.path = path, .config = micro_config(), .is_synthetic = true};
    found[1] = (tpp_found){.score = 0.75f, .present = true, .area_px = 9, .best = 2, .prompt = 1};
    found[2] = (tpp_found){.score = 0.25f};
    *r = (tpp_report){
        .version = "9.9",
        .device = &caps,
        .model = &model,
        .input = &input,
        .info = {.arena_bytes = 1000, .own_bytes = 200, .store_bytes = 30, .ring_bytes = 4},
        .ahead = 1,
        .start = start,
        .multilabel = true,
        .key = "the key",
        .targets = &case_targets,
        .prompts = prompts,
        .n_prompts = 2,
        .found = found,
        .statistics = "statistics.json"};
}

static tpp_status write_report(const tpp_report *r)
{
    json_t *j = NULL;
    TPP_TRY(tpp_report_json(r, &j));
    const tpp_status s = tpp_report_write(j, &out);
    json_decref(j);
    return s;
}

static const json_t *get(const json_t *j, const char *group, const char *key)
{
    return json_object_get(json_object_get(j, group), key);
}

static void put_text(const char *name, const char *text)
{
    char *path = NULL;
    UNIT_OK(tpp_out_folder_file(&out, &path, name));
    UNIT_OK(tpp_file_write(path, text, strlen(text)));
    tpp_free(path);
}

static const char hash_of_abc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void report_names_every_output_with_its_hash(void **state)
{
    (void)state;
    tpp_report r;
    make_run(&r);
    put_text("seg.nii.gz", "abc");
    put_text("masks/z/1.png", "");
    put_text("masks/a.png", "abc");
    UNIT_OK(write_report(&r));
    json_t *j = json_of("report.json");
    const json_t *all = json_object_get(j, "outputs");
    static const char *const names[] = {"masks/a.png", "masks/z/1.png", "seg.nii.gz"};
    assert_int_equal(json_array_size(all), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *one = json_array_get(all, i);
        assert_string_equal(json_string_value(json_object_get(one, "path")), names[i]);
        assert_int_equal(
            strcmp(json_string_value(json_object_get(one, "sha256")), hash_of_abc) == 0, i != 1);
    }
    json_decref(j);
}

static void report_says_what_ran_and_what_was_found(void **state)
{
    (void)state;
    tpp_report r;
    make_run(&r);
    r.weights_sha256 = hash_of_abc;
    UNIT_OK(write_report(&r));
    json_t *j = json_of("report.json");
    const json_t *prompt = json_array_get(json_object_get(j, "prompts"), 0);
    const json_t *targets = json_object_get(j, "targets");
    const json_t *frame = json_array_get(json_object_get(j, "frames"), 1);
    const json_t *first = json_array_get(json_object_get(frame, "targets"), 0);
    assert_true(json_is_true(json_object_get(j, "not_for_clinical_use")));
    assert_string_equal(json_string_value(get(j, "model", "weights_sha256")), hash_of_abc);
    assert_string_equal(json_string_value(get(j, "model", "path")), "no/?/model");
    assert_string_equal(json_string_value(json_object_get(prompt, "sha256")), hash_of_abc);
    assert_string_equal(json_string_value(json_object_get(prompt, "target")), "left_kidney");
    assert_int_equal(json_integer_value(get(j, "memory", "peak_device_bytes")), 1234);
    const json_t *kidney = json_array_get(json_object_get(j, "targets"), 0);
    assert_int_equal(json_integer_value(json_object_get(kidney, "start_frame")), 1);
    assert_true(json_is_true(get(j, "run", "multilabel")));
    assert_string_equal(json_string_value(json_object_get(j, "key")), "the key");
    assert_null(get(j, "run", "time_ms"));
    assert_true(json_is_real(get(j, "thresholds", "mask")));
    assert_string_equal(json_string_value(json_object_get(j, "statistics")), "statistics.json");
    assert_int_equal(json_array_size(targets), 3);
    assert_true(json_is_true(json_object_get(json_array_get(targets, 0), "found")));
    const json_t *second = json_array_get(targets, 1);
    assert_true(json_is_false(json_object_get(second, "found")));
    assert_true(json_real_value(json_object_get(second, "highest_score")) == 0.25);
    assert_string_equal(json_string_value(json_object_get(frame, "name")), "b.png");
    assert_int_equal(json_integer_value(json_object_get(first, "area_px")), 9);
    assert_int_equal(json_integer_value(get(j, "summary", "pixels")), 9);
    json_decref(j);
}

static void times_stand_in_it_only_when_given(void **state)
{
    (void)state;
    tpp_report r;
    make_run(&r);
    UNIT_OK(write_report(&r));
    char *one = text_of("report.json");
    tpp_out_folder_discard(&out);
    UNIT_OK(tpp_out_folder_open(&out, in_folder("other"), false));
    UNIT_OK(write_report(&r));
    assert_text("report.json", one); /* the same bytes in another folder */
    const tpp_report_time times[] = {{"frames", 12.5}};
    r.times = times;
    r.n_times = 1;
    UNIT_OK(write_report(&r));
    json_t *j = json_of("report.json");
    assert_true(json_real_value(json_object_get(get(j, "run", "time_ms"), "frames")) == 12.5);
    json_decref(j);
    tpp_free(one);
}

/* ---- failures ---- */

static tpp_report failing;

static tpp_status write_failing(void)
{
    return write_report(&failing);
}

static tpp_status write_labels(void)
{
    return tpp_labels_write(&case_targets, &out);
}

static tpp_status write_long_csv(void)
{
    return write_csv(false, 200);
}

static tpp_status (*const writers[])(void) = {write_failing, write_labels, write_long_csv};

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    make_run(&failing);
    for (size_t k = 0; k < sizeof writers / sizeof *writers; k++) {
        tpp_status s = TPP_ENOMEM;
        int n = 0;
        for (; s != TPP_OK && n < 20000; n += k == 0 ? 7 : 1) {
            tpp_alloc_fail_after(n);
            s = writers[k]();
            tpp_alloc_fail_after(-1);
            if (s != TPP_OK) assert_int_equal(s, TPP_ENOMEM);
        }
        assert_int_equal(s, TPP_OK);
        assert_true(n > 2);
    }
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"report.json: cannot write", "labels.json: cannot write",
                                        "frames.csv: cannot write"};
    struct rlimit limit;
    make_run(&failing);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (size_t k = 0; k < sizeof writers / sizeof *writers; k++) {
        limit.rlim_cur = 300;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        const tpp_status s = writers[k]();
        limit.rlim_cur = limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        UNIT_FAILS(s, TPP_EIO, names[k]);
    }
    tpp_names left = {0};
    UNIT_OK(tpp_out_folder_list(&out, &left));
    assert_int_equal(left.count, 0);
    tpp_names_free(&left);
}

static int end(void **state)
{
    tpp_frames_close(&input);
    return folder_teardown(state);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_out, discard_out)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(labels_for_people_and_viewers),
        IN_FOLDER(rows_are_quoted_and_in_pixels),
        IN_FOLDER(times_and_unknown_spacing),
        IN_FOLDER(report_names_every_output_with_its_hash),
        IN_FOLDER(report_says_what_ran_and_what_was_found),
        IN_FOLDER(times_stand_in_it_only_when_given),
        IN_FOLDER(memory_may_end_anywhere),
        IN_FOLDER(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, folder_setup, end);
}
