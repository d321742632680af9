/* Keys of cases: what changes results changes the key, and nothing else does; results count as done
 * when they are all there as they were written.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"
#include "folder.h"
#include "infer/case_key.h"
#include "infer/model_folder.h"

static char *sentences[] = {"a bright disc", "round"};
static tpp_target target = {.name = "disc", .title = "disc", .prompt = sentences, .n_prompts = 2};
static const tpp_targets targets = {&target, 1};
static char model[192];

static int make_model(void **state)
{
    const struct tpp_model_config config = micro_config();
    if (folder_setup(state) != 0) return -1;
    (void)snprintf(model, sizeof model, "%s", in_folder("model"));
    UNIT_OK(tpp_model_folder_synth(model, &config, 1, TPP_SOURCE_DIR "/weights/vocab", false));
    return 0;
}

static tpp_segment_options usual_options(void)
{
    return (tpp_segment_options){.model = model, .targets = &targets, .ahead = 1, .version = "1"};
}

static tpp_sha256 hash_of(const tpp_segment_options *o)
{
    tpp_segmenter *s = NULL;
    tpp_sha256 hash = {""};
    UNIT_OK(tpp_segmenter_open(&s, o));
    UNIT_OK(tpp_hash_settings(&hash, s));
    tpp_segmenter_close(s);
    assert_int_equal(strlen(hash.hex), 64);
    return hash;
}

static void what_changes_results_changes_the_key(void **state)
{
    (void)state;
    const char *const set[] = {"infer.threshold=0.25"};
    tpp_segment_options o[10];
    tpp_sha256 hash[10];
    enum { N = sizeof o / sizeof o[0] };
    for (int i = 0; i < N; i++) o[i] = usual_options();
    o[1].overrides = set;
    o[1].n_overrides = 1;
    o[2].frames.range = "0:1";
    o[3].frames.window = "lung";
    o[4].frames.axis = TPP_AXIS_SAGITTAL;
    o[5].frames.has_time = true; /* time 0 is not "none" */
    o[6].start.kind = TPP_START_AUTO;
    o[7].start.kind = TPP_START_FRAME;
    o[8].multilabel = true;
    o[9].probabilities = true;
    for (int i = 0; i < N; i++) {
        hash[i] = hash_of(&o[i]);
        for (int k = 0; k < i; k++)
            if (strcmp(hash[i].hex, hash[k].hex) == 0) fail_msg("options %d and %d", i, k);
    }
    sentences[1] = "rounded";
    assert_string_not_equal(hash_of(&o[0]).hex, hash[0].hex);
    sentences[1] = "round";
    target.title = "the disc";
    assert_string_not_equal(hash_of(&o[0]).hex, hash[0].hex);
    target.title = "disc";
    o[0].ahead = 4;
    o[0].overwrite = true;
    assert_string_equal(hash_of(&o[0]).hex, hash[0].hex);
}

static void put(const char *name, const char *text)
{
    UNIT_OK(tpp_file_write(in_folder(name), text, strlen(text)));
}

static tpp_segmenter *opened; /* of the test in hand */

static tpp_sha256 key_of(const char *input)
{
    tpp_sha256 key = {""};
    UNIT_OK(tpp_case_key(&key, opened, in_folder(input)));
    return key;
}

static void inputs_are_their_names_and_bytes(void **state)
{
    (void)state;
    const tpp_segment_options o = usual_options();
    UNIT_OK(tpp_segmenter_open(&opened, &o));
    UNIT_OK(tpp_path_make_folder(in_folder("in")));
    put("in/1.png", "one");
    put("in/2.png", "two");
    const tpp_sha256 first = key_of("in");
    assert_string_equal(key_of("in").hex, first.hex);
    put("in/2.png", "tvo");
    assert_string_not_equal(key_of("in").hex, first.hex);
    put("in/2.png", "two");
    assert_string_equal(key_of("in").hex, first.hex);
    put("in/3.png", "");
    assert_string_not_equal(key_of("in").hex, first.hex);
    put("a.mhd", "ElementDataFile = a.raw\n");
    put("a.raw", "voxels");
    const tpp_sha256 header = key_of("a.mhd");
    put("a.raw", "Voxels");
    assert_string_not_equal(key_of("a.mhd").hex, header.hex);
    tpp_sha256 key = {"as before"};
    UNIT_FAILS(tpp_case_key(&key, opened, in_folder("nowhere")), TPP_EIO, "nowhere");
    assert_string_equal(key.hex, "as before");
    tpp_segmenter_close(opened);
}

static void expect_done(bool wanted, const char *key)
{
    tpp_sha256 hash = {""};
    bool done = !wanted;
    (void)snprintf(hash.hex, sizeof hash.hex, "%s", key);
    UNIT_OK(tpp_case_is_done(&done, in_folder("out"), &hash));
    assert_true(done == wanted);
}

static void done_is_what_is_all_there(void **state)
{
    (void)state;
    /* SHA-256 of "abc" */
    static const char report[] =
        "{\"key\": \"k\", \"outputs\": [{\"path\": \"masks/1.png\", \"sha256\": "
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}]}";
    expect_done(false, "k");
    UNIT_OK(tpp_path_make_folder(in_folder("out/masks")));
    put("out/masks/1.png", "abc");
    expect_done(false, "k");
    put("out/report.json", report);
    expect_done(true, "k");
    expect_done(false, "other");
    put("out/masks/1.png", "abd");
    expect_done(false, "k");
    assert_int_equal(unlink(in_folder("out/masks/1.png")), 0);
    expect_done(false, "k");
    put("out/masks/1.png", "abc");
    expect_done(true, "k");
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"key\": \"k\"}",
        "{\"key\": \"k\", \"outputs\": []}",
        "{\"key\": \"k\", \"outputs\": [{\"path\": \"masks/1.png\"}]}",
        "{\"key\": \"k\", \"outputs\": [1]}"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        put("out/report.json", damaged[i]);
        expect_done(false, "k");
    }
    assert_int_equal(unlink(in_folder("out/report.json")), 0);
    UNIT_OK(tpp_path_make_folder(in_folder("out/report.json")));
    expect_done(false, "k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_results_changes_the_key),
        cmocka_unit_test(inputs_are_their_names_and_bytes),
        cmocka_unit_test(done_is_what_is_all_there),
    };
    return cmocka_run_group_tests(tests, make_model, folder_teardown);
}
