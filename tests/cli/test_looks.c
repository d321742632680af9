/* Commands that look without a device: inspect, info, clean-cache; and what programs read as JSON.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "pictures.h"
#include "program.h"

#include <jansson.h>

/* What the last run printed, as JSON with a newline behind it; the caller releases it. */
static json_t *read_json(void)
{
    json_error_t error;
    json_t *j = json_loads(program_out, 0, &error);
    if (j == NULL) fail_msg("%s: %s", error.text, program_out);
    assert_int_equal(program_out[strlen(program_out) - 1], '\n');
    return j;
}

/* "range.max" or "dims.1" of a document. */
static json_t *at(json_t *j, const char *path)
{
    char part[64];
    for (const char *p = path; *p != '\0'; p += p[0] == '.') {
        const size_t n = strcspn(p, ".");
        (void)snprintf(part, sizeof part, "%.*s", (int)n, p);
        j = json_is_array(j) ? json_array_get(j, strtoul(part, NULL, 10))
                             : json_object_get(j, part);
        if (j == NULL) fail_msg("no %s in %s", path, program_out);
        p += n;
    }
    return j;
}

static void expect_number(json_t *j, const char *path, double value)
{
    const double got = json_number_value(at(j, path));
    if (got != value) fail_msg("%s: wanted %g, got %g", path, value, got);
}

static void expect_text(json_t *j, const char *path, const char *value)
{
    const char *got = json_string_value(at(j, path));
    if (got == NULL || strcmp(got, value) != 0)
        fail_msg("%s: wanted %s, got %s", path, value, got != NULL ? got : "no text");
}

/* ---- inspect ---- */

/* 4 x 3 x 2 voxels of 2 x 3 x 5 mm with labels 0, 1 and 7. */
static void write_labels(const char *name, int times)
{
    maker m = make_default();
    uint8_t voxels[2 * 24 * 2] = {0};
    m.dim[0] = times > 1 ? 4 : 3;
    m.dim[4] = times;
    for (size_t i = 0; i < 24; i++) make_int(voxels + 2 * i, i < 5 ? 7 : i < 11, 2, false);
    make_file(name, &m, voxels, 48 * (size_t)times);
}

static void a_volume_is_described(void **state)
{
    (void)state;
    write_labels("labels.nii.gz", 1);
    EXPECT_OK("tpp inspect --json labels.nii.gz");
    json_t *j = read_json();
    expect_text(j, "kind", "volume");
    expect_text(j, "format", "NIfTI");
    expect_text(j, "datatype", "int16");
    expect_text(j, "orientation", "RAS");
    expect_text(j, "affine_source", "sform");
    expect_number(j, "dims.0", 4);
    expect_number(j, "dims.2", 2);
    expect_number(j, "time_points", 1);
    expect_number(j, "spacing_mm.1", 3);
    expect_number(j, "affine.1.3", 20);
    expect_number(j, "range.max", 7);
    expect_number(j, "labels.0", 13);
    expect_number(j, "labels.1", 6);
    expect_number(j, "labels.7", 5);
    assert_true(json_is_null(at(j, "modality")));
    assert_int_equal(json_array_size(at(j, "warnings")), 0);
    json_decref(j);
    EXPECT_OK("tpp inspect labels.nii.gz");
    assert_non_null(strstr(program_out, "\norientation       RAS\n"));
    assert_non_null(strstr(program_out, "0: 13, 1: 6, 7: 5\n"));
    assert_null(strstr(program_out, "warnings"));
    EXPECT_OK("tpp inspect --header --json labels.nii.gz");
    assert_null(strstr(program_out, "range"));
}

static void what_is_odd_about_a_volume_is_told(void **state)
{
    (void)state;
    maker m = make_default();
    uint8_t voxels[48] = {0};
    m.sform_code = 0; /* spacing alone */
    make_file("bare.nii", &m, voxels, sizeof voxels);
    EXPECT_OK("tpp inspect bare.nii");
    assert_non_null(strstr(program_out, "affine source     pixdim\n"));
    assert_non_null(strstr(program_out, "warnings          states no orientation"));
    write_labels("times.nii", 2);
    EXPECT_OK("tpp inspect --json times.nii bare.nii");
    json_t *j = read_json();
    expect_number(j, "0.time_points", 2);
    expect_text(j, "0.warnings.0", "values are those of time point 0");
    expect_text(j, "1.file", "bare.nii");
    json_decref(j);
}

static void pictures_are_described(void **state)
{
    (void)state;
    write_discs("pictures", 3, 3);
    EXPECT_OK("tpp inspect --json pictures");
    json_t *j = read_json();
    expect_text(j, "kind", "pictures");
    expect_number(j, "frames", 3);
    expect_number(j, "width", 40);
    expect_number(j, "height", 30);
    expect_number(j, "channels", 3);
    json_decref(j);
    EXPECT_OK("tpp inspect --json pictures/000.png");
    j = read_json();
    expect_text(j, "kind", "picture");
    expect_number(j, "range.max", 200);
    json_decref(j);
    write_disc("pictures/004.png", 41, 30, 1, 0);
    EXPECT_OK("tpp inspect pictures");
    assert_non_null(strstr(program_out, "not all of one size"));
}

static void what_cannot_be_inspected_is_named(void **state)
{
    (void)state;
    put_file("notes.txt", "notes\n", 6);
    EXPECT_FAILS(2, "a file or folder is wanted", "tpp inspect");
    EXPECT_FAILS(2, "nowhere.nii: there is no such file", "tpp inspect nowhere.nii");
    EXPECT_FAILS(2, "notes.txt: wanted a volume, a picture", "tpp inspect notes.txt");
    EXPECT_FAILS(2, "empty: the folder holds no volume and no picture",
                 "mkdir -p empty; tpp inspect empty");
    put_file("short.nii", "\x5C\x01\0\0", 4);
    EXPECT_FAILS(2, "short.nii", "tpp inspect --json short.nii");
    assert_string_equal(program_out, "");
}

/* ---- info ---- */

static void the_library_is_listed_and_quoted(void **state)
{
    (void)state;
    EXPECT_OK("tpp info");
    assert_non_null(strstr(program_out, "left_atrium       mri, us\n"));
    assert_non_null(strstr(program_out, "Apache-2.0"));
    assert_non_null(strstr(program_out, "not reviewed by a radiologist"));
    EXPECT_OK("tpp info 'left kidney' polyp");
    assert_non_null(strstr(program_out, "SNOMED CT: 64033007 (Left kidney)"));
    assert_non_null(strstr(program_out, "    simple   an endoscopy image of the polyp\n"));
    EXPECT_OK("tpp info --names | wc -l");
    assert_int_equal(atoi(program_out), 20);
    EXPECT_FAILS(2, "did you mean liver?", "tpp info livr");
    EXPECT_FAILS(2, "nowhere.yaml", "tpp info --library nowhere.yaml");
    EXPECT_FAILS(2, "not both", "tpp info liver --model model");
}

static void info_is_json_too(void **state)
{
    (void)state;
    EXPECT_OK("tpp info --json");
    json_t *j = read_json();
    assert_int_equal(json_array_size(at(j, "prompt_library.structures")), 20);
    expect_text(j, "prompt_library.structures.0.key", "left_atrium");
    expect_number(j, "prompt_library.structures.0.rgb.0", 184);
    assert_true(json_array_size(at(j, "libraries")) >= 8);
    json_decref(j);
    EXPECT_OK("tpp info --json liver");
    j = read_json();
    expect_text(j, "structures.0.views.0.simple", "a CT of the liver");
    assert_non_null(json_string_value(at(j, "structures.0.views.0.prompts.shape")));
    json_decref(j);
}

static void a_models_card_is_shown(void **state)
{
    (void)state;
    EXPECT_OK("tpp info --model model --json && tpp weights verify model --json > verified.json && "
              "sha256sum model/weights.safetensors >&2");
    json_t *j = read_json();
    expect_text(j, "backbone", "tiny");
    expect_number(j, "config.model.hidden", 32);
    assert_true(json_is_true(at(j, "synthetic")));
    assert_true(json_number_value(at(j, "parameters")) > 10000);
    program_err[64] = '\0';
    expect_text(j, "sha256", program_err);
    assert_true(json_is_null(at(j, "licence")));
    json_decref(j);
    EXPECT_OK("cp -r model licensed && echo '- Licence: CC0-1.0' >> licensed/MODEL_CARD.md && "
              "tpp info --model licensed");
    assert_non_null(strstr(program_out, "licence      CC0-1.0\n"));
    assert_non_null(strstr(program_out, "Its masks mean nothing")); /* the card itself */
    EXPECT_FAILS(2, "nowhere", "tpp info --model nowhere");
}

/* An installed copy, wherever it lies, finds what was installed with it. */
static void files_are_found_around_the_program(void **state)
{
    (void)state;
    EXPECT_OK("mkdir -p p/bin p/share/tpp/configs && cp '%s' p/bin/tpp && "
              "sed 's/an MRI of the left atrium/a moved copy/' '%s/configs/prompts.yaml' > "
              "p/share/tpp/configs/prompts.yaml && p/bin/tpp info 'left atrium'",
              TPP_PROGRAM, TPP_SOURCE_DIR);
    assert_non_null(strstr(program_out, "a moved copy"));
    EXPECT_OK("mkdir -p home/configs && sed 's/an MRI of the left atrium/my own/' "
              "'%s/configs/prompts.yaml' > home/configs/prompts.yaml && "
              "TPP_HOME=home p/bin/tpp info 'left atrium' && rm -rf p home",
              TPP_SOURCE_DIR);
    assert_non_null(strstr(program_out, "my own"));
}

/* ---- clean-cache ---- */

#define ENTRY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.clbin"

static void the_cache_loses_what_the_program_made_and_nothing_else(void **state)
{
    (void)state;
    EXPECT_OK("mkdir -p cache/kept && cd cache && printf 12345 > " ENTRY " && printf 123 > " ENTRY
              ".tmp.999999999.0 && printf 1 > " ENTRY ".tmp.%ld.0 && printf 1 > " ENTRY
              "x && printf 1 > 0" ENTRY " && printf 1 > notes && printf 1 > kept/" ENTRY,
              (long)getpid());
    EXPECT_OK("TPP_CACHE_DIR=cache tpp clean-cache --dry-run --json");
    json_t *j = read_json();
    expect_number(j, "files", 2);
    expect_number(j, "bytes", 8);
    assert_true(json_is_false(at(j, "removed")));
    json_decref(j);
    EXPECT_OK("ls cache/" ENTRY "; TPP_CACHE_DIR=cache tpp clean-cache");
    assert_non_null(strstr(program_out, "removed 2 compiled kernels, 8 bytes; "));
    EXPECT_OK("test ! -e cache/" ENTRY " && test ! -e cache/" ENTRY ".tmp.999999999.0");
    EXPECT_OK("ls cache/notes cache/kept/" ENTRY " cache/" ENTRY "x cache/0" ENTRY " cache/" ENTRY
              ".tmp.%ld.0", /* of this process, which is alive */
              (long)getpid());
    EXPECT_OK("TPP_CACHE_DIR=cache tpp clean-cache -q");
    assert_string_equal(program_out, "");
}

/* What the real cache holds has the names that are looked for. */
static void real_entries_are_recognised(void **state)
{
    (void)state;
    EXPECT_OK("export TPP_CACHE_DIR=real; tpp bench --size 32x32 --frames 3 " MICRO_SET
              " > /dev/null && ls real | wc -l >&2 && tpp clean-cache --json");
    json_t *j = read_json();
    const double made = strtod(program_err, NULL);
    if (made == 0) { /* a runtime whose binaries cannot be kept */
        json_decref(j);
        skip();
    }
    expect_number(j, "files", made);
    json_decref(j);
    EXPECT_OK("ls -A real");
    assert_string_equal(program_out, "");
}

/* ---- JSON of the others ---- */

static void other_commands_speak_json(void **state)
{
    (void)state;
    EXPECT_OK("tpp weights inspect model --json");
    json_t *j = read_json();
    expect_text(j, "metadata.synthetic", "seed 3");
    assert_true(json_number_value(at(j, "tensors.0.bytes")) > 0);
    json_decref(j);
    EXPECT_OK("tpp weights verify model --json");
    j = read_json();
    expect_number(j, "vocabulary", 2000);
    json_decref(j);
    EXPECT_OK("tpp weights verify model -q && tpp config check -q '%s/configs/tiny.yaml'",
              TPP_SOURCE_DIR);
    assert_string_equal(program_out, "");
    EXPECT_OK("tpp config dump --json --set prop.topk=[4,2] --set infer.short=123");
    j = read_json();
    expect_number(j, "prop.topk.1", 2);
    expect_number(j, "infer.short", 123);
    expect_text(j, "backbone.name", "resnet50");
    assert_int_equal(json_array_size(at(j, "image.mean")), 3);
    assert_true(json_is_boolean(at(j, "prop.mask")));
    json_decref(j);
    put_file("bad.yaml", "model:\n  hiden: 256\n", 20);
    EXPECT_FAILS(2, "bad.yaml:2",
                 "tpp config check --json bad.yaml '" TPP_SOURCE_DIR "/configs/tiny.yaml'");
    j = read_json();
    assert_true(json_is_false(at(j, "0.ok")));
    assert_true(json_is_true(at(j, "1.ok")));
    assert_true(json_is_null(at(j, "1.error")));
    json_decref(j);
    EXPECT_OK("tpp selftest --json --golden '%s/tests/golden/forward_micro.safetensors'",
              TPP_SOURCE_DIR);
    j = read_json();
    expect_number(j, "passed", 53);
    expect_number(j, "failed", 0);
    expect_text(j, "models.0.name", "forward_micro.safetensors");
    assert_true(json_is_null(at(j, "ops")));
    json_decref(j);
}

static void segment_tells_progress_as_asked(void **state)
{
    (void)state;
    write_discs("three", 3, 1);
    EXPECT_OK("tpp segment -q -i three -o out -m model -p x --progress json");
    int frames = 0, ends = 0;
    for (char *l = strtok(program_err, "\n"); l != NULL; l = strtok(NULL, "\n")) {
        json_error_t error;
        json_t *j = json_loads(l, 0, &error);
        if (j == NULL) fail_msg("%s: %s", error.text, l);
        const char *event = json_string_value(at(j, "event"));
        frames += strcmp(event, "frame") == 0 && json_integer_value(at(j, "total")) == 3;
        ends += strcmp(event, "end") == 0 && json_is_true(at(j, "ok"));
        json_decref(j);
    }
    assert_int_equal(frames, 3);
    assert_int_equal(ends, 1);
    remove_out();
    EXPECT_OK("tpp segment -q -i three -o out -m model -p x --progress plain");
    assert_non_null(strstr(program_err, "tpp: frame 3 of 3, 0:00 left\n"));
    remove_out();
    EXPECT_FAILS(2, "did you mean plain?",
                 "tpp segment -i three -o out -m model -p x --progress plian");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_volume_is_described),
        cmocka_unit_test(what_is_odd_about_a_volume_is_told),
        cmocka_unit_test(pictures_are_described),
        cmocka_unit_test(what_cannot_be_inspected_is_named),
        cmocka_unit_test(the_library_is_listed_and_quoted),
        cmocka_unit_test(info_is_json_too),
        cmocka_unit_test(a_models_card_is_shown),
        cmocka_unit_test(files_are_found_around_the_program),
        cmocka_unit_test(the_cache_loses_what_the_program_made_and_nothing_else),
        cmocka_unit_test(real_entries_are_recognised),
        cmocka_unit_test(other_commands_speak_json),
        cmocka_unit_test(segment_tells_progress_as_asked),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
