/* tpp segment: what it leaves, in which form, and that it is the same however it is run.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nifti.h"
#include "io/safetensors.h"
#include "pictures.h"
#include "program.h"

#include <jansson.h>
#include <math.h>

static json_t *read_report(const char *name)
{
    json_error_t error;
    json_t *j = json_load_file(scratch(name), JSON_REJECT_DUPLICATES, &error);
    if (j == NULL) fail_msg("%s: %s", name, error.text);
    return j;
}

static const char *text_of(const json_t *j, const char *group, const char *key)
{
    return json_string_value(json_object_get(json_object_get(j, group), key));
}

static void a_folder_gives_masks_preview_and_report(void **state)
{
    (void)state;
    write_discs("frames", 5, 3);
    EXPECT_OK("tpp segment -i frames -o out -m model -p 'a bright disc' -p 'it is round'");
    assert_non_null(strstr(program_err, "synthetic"));
    assert_non_null(strstr(program_out, "this means nothing"));
    assert_null(strchr(program_err, '\r')); /* no bar: not a terminal */
    EXPECT_OK("ls out out/masks | tr '\\n' ' '");
    assert_string_equal(program_out, "out: frames.csv labels.ctbl labels.json labels.txt masks "
                                     "preview.png report.html report.json statistics.json  "
                                     "out/masks: 000.png 001.png 002.png 003.png 004.png ");
    tpp_image mask = {0};
    ASSERT_OK(tpp_png_read(&mask, scratch("out/masks/002.png")));
    assert_int_equal(mask.width, 40);
    assert_int_equal(mask.height, 30);
    assert_int_equal(mask.channels, 1);
    int64_t area = 0;
    for (int i = 0; i < 40 * 30; i++) {
        assert_true(mask.pixels[i] == 0 || mask.pixels[i] == 255);
        area += mask.pixels[i] == 255;
    }
    tpp_image_free(&mask);
    json_t *j = read_report("out/report.json");
    const json_t *frames = json_object_get(j, "frames");
    assert_true(json_is_true(json_object_get(j, "not_for_clinical_use")));
    assert_true(json_is_true(json_object_get(json_object_get(j, "model"), "synthetic_weights")));
    assert_int_equal(json_array_size(frames), 5);
    assert_int_equal(json_array_size(json_object_get(j, "prompts")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(frames, 2), "area_px")),
                     area);
    assert_string_equal(text_of(j, "input", "kind"), "pictures");
    assert_non_null(text_of(j, "device", "name"));
    EXPECT_OK("sha256sum model/weights.safetensors | cut -c1-64 | tr -d '\\n'");
    assert_string_equal(text_of(j, "model", "weights_sha256"), program_out);
    assert_int_equal(strlen(json_string_value(json_object_get(j, "key"))), 64);
    json_decref(j);
    remove_out();
}

static void a_volume_gives_labels_in_its_geometry(void **state)
{
    (void)state;
    write_ball("ct.nii", 24, 20, 6);
    EXPECT_OK("tpp segment -i ct.nii -o out -m model -p 'a ball'");
    assert_non_null(strstr(program_err, "abdomen"));
    EXPECT_OK("ls out | tr '\\n' ' '");
    assert_string_equal(program_out, "frames.csv labels.ctbl labels.json labels.txt preview.png "
                                     "report.html report.json seg.nii.gz statistics.json ");
    tpp_volume in = {0}, labels = {0};
    ASSERT_OK(tpp_nifti_read(&in, scratch("ct.nii"), NULL));
    ASSERT_OK(tpp_nifti_read(&labels, scratch("out/seg.nii.gz"), NULL));
    assert_memory_equal(in.dim, labels.dim, sizeof in.dim);
    assert_memory_equal(&in.affine, &labels.affine, sizeof in.affine);
    assert_string_equal(labels.datatype, "uint8");
    int64_t voxels = 0;
    for (int64_t i = 0; i < labels.voxel_count; i++) {
        assert_true(labels.voxels[i] == 0 || labels.voxels[i] == 1);
        voxels += labels.voxels[i] == 1;
    }
    json_t *j = read_report("out/report.json");
    const json_t *summary = json_object_get(j, "summary");
    assert_int_equal(json_integer_value(json_object_get(summary, "pixels")), voxels);
    const double ml = json_real_value(json_object_get(summary, "volume_ml"));
    assert_true(fabs(ml - (double)voxels * 2 * 3 * 5 / 1000) < 1e-6);
    json_decref(j);
    tpp_volume_free(&in);
    tpp_volume_free(&labels);
    remove_out();
}

static void the_same_run_gives_the_same_bytes(void **state)
{
    (void)state;
    write_ball("ct.nii", 24, 20, 6);
    EXPECT_OK("tpp segment -q -i ct.nii -o out -m model -p 'a ball'");
    EXPECT_OK("tpp segment -q -i ct.nii -o out2 -m model -p 'a ball'");
    EXPECT_OK("diff -r out out2");
    EXPECT_OK("rm -rf out out2");
}

static void frames_ahead_do_not_change_masks(void **state)
{
    (void)state;
    write_discs("many", 10, 1);
    EXPECT_OK("tpp segment -q -i many -o out -m model -p 'a disc'");
    EXPECT_OK("tpp segment -q -i many -o out4 -m model -p 'a disc' --ahead 4");
    EXPECT_OK("diff -r out/masks out4/masks && diff out/preview.png out4/preview.png");
    EXPECT_OK("rm -rf out out4");
}

#define CLIP \
    " -s mode=clip -s prop.box=false -s prop.mask=false -s prop.query=false -s infer.clip=4"

/* Ten frames in clips of four: 0 to 3, 4 to 7, and the last reaches back: 6 to 9, of which 8 and 9
 * count. */
static void long_sequences_are_cut_into_clips(void **state)
{
    (void)state;
    write_discs("many", 10, 1);
    EXPECT_OK("tpp segment -q -i many -o out -m model -p 'a disc' -p 'round'" CLIP
              " --dump d.safetensors");
    EXPECT_OK("tpp segment -q -i many -o out1 -m model -p 'a disc' -p 'round'" CLIP);
    EXPECT_OK("diff -r out/masks out1/masks");
    EXPECT_OK("tpp segment -q -i many -o start -m model -p 'a disc' -p 'round' --frames 0:4" CLIP);
    EXPECT_OK("tpp segment -q -i many -o end -m model -p 'a disc' -p 'round' --frames 6:10" CLIP);
    EXPECT_OK("for i in 0 1 2 3; do cmp out/masks/00$i.png start/masks/00$i.png || exit 1; done");
    EXPECT_OK("for i in 8 9; do cmp out/masks/00$i.png end/masks/00$i.png || exit 1; done");
    EXPECT_OK("for d in out end; do tail -n 2 $d/frames.csv > $d.csv; done; cmp out.csv end.csv");
    json_t *j = read_report("out/report.json");
    const json_t *network = json_object_get(j, "network");
    assert_int_equal(json_integer_value(json_object_get(network, "clip")), 4);
    json_decref(j);
    tpp_safetensors *f = NULL;
    ASSERT_OK(tpp_safetensors_open(&f, scratch("d.safetensors")));
    for (int t = 1; t <= 10; t++) {
        char name[32];
        (void)snprintf(name, sizeof name, "frame%d.encoder", t);
        if (tpp_safetensors_find(f, name) == NULL) fail_msg("no %s", name);
    }
    assert_null(tpp_safetensors_find(f, "frame11.encoder"));
    tpp_safetensors_close(f);
    EXPECT_OK("rm -rf out out1 start end d.safetensors out.csv end.csv");
    EXPECT_FAILS(2, "its length (infer.clip) decides",
                 "tpp segment -q -i many -o no -m model -p 'a disc' --ahead 2" CLIP);
    EXPECT_FAILS(2, "mode clip carries nothing",
                 "tpp segment -q -i many -o no -m model -p 'a disc' -s mode=clip");
}

static void one_slice_and_one_pixel_are_input(void **state)
{
    (void)state;
    write_ball("slice.nii", 24, 20, 1);
    EXPECT_OK("tpp segment -q -i slice.nii -o out -m model -p 'a ball'");
    assert_true(file_is_there("out/seg.nii.gz"));
    remove_out();
    write_disc("pixel.png", 1, 1, 1, 0);
    EXPECT_OK("tpp segment -q -i pixel.png -o out -m model -p 'a dot'");
    tpp_image mask = {0};
    ASSERT_OK(tpp_png_read(&mask, scratch("out/masks/pixel.png")));
    assert_int_equal(mask.width * mask.height, 1);
    tpp_image_free(&mask);
    remove_out();
}

static void a_long_thin_picture_is_input(void **state)
{
    (void)state;
    write_disc("thin.png", 700, 2, 1, 0);
    EXPECT_OK("tpp segment -q -i thin.png -o out -m model -p 'a line'");
    remove_out();
}

static void nan_voxels_are_counted(void **state)
{
    (void)state;
    maker m = make_default();
    m.datatype = 16; /* float32 */
    m.bitpix = 32;
    uint8_t voxels[4 * 24] = {0};
    for (size_t i = 0; i < 24; i++) make_real(voxels + 4 * i, i < 3 ? (double)NAN : 5.0, 4, false);
    make_file("nan.nii", &m, voxels, sizeof voxels);
    EXPECT_OK("tpp segment -q -i nan.nii -o out -m model -p 'a ball'");
    assert_non_null(strstr(program_err, "3 of 24 voxels are NaN or infinite"));
    json_t *j = read_report("out/report.json");
    bool found = false;
    size_t i = 0;
    const json_t *w = NULL;
    json_array_foreach(json_object_get(j, "warnings"), i, w)
    {
        found = found || strstr(json_string_value(w), "3 of 24 voxels") != NULL;
    }
    assert_true(found);
    json_decref(j);
    remove_out();
}

static void a_long_prompt_is_cut_with_a_warning(void **state)
{
    (void)state;
    write_disc("one.png", 40, 30, 1, 0);
    EXPECT_OK("tpp segment -q -i one.png -o out -m model -p \"$(yes round | head -600)\"");
    assert_non_null(strstr(program_err, "warning"));
    assert_non_null(strstr(program_err, "cut"));
    json_t *j = read_report("out/report.json");
    const json_t *p = json_array_get(json_object_get(j, "prompts"), 0);
    assert_true(json_is_true(json_object_get(p, "cut")));
    assert_int_equal(json_integer_value(json_object_get(p, "tokens")), 512);
    json_decref(j);
    remove_out();
}

static void threshold_and_set_reach_the_model(void **state)
{
    (void)state;
    write_discs("pair", 2, 1);
    EXPECT_OK("tpp segment -q -i pair -o out -m model -p 'a disc' -t 0");
    EXPECT_OK("grep -c ',1,1200,' out/frames.csv"); /* every pixel of every frame */
    assert_string_equal(program_out, "2\n");
    remove_out();
    EXPECT_OK("tpp segment -q -i pair -o out -m model -p 'a disc' --set infer.min_score=1");
    EXPECT_OK("grep -c ',0,0,' out/frames.csv");
    assert_string_equal(program_out, "2\n");
    remove_out();
}

static void dump_holds_the_tensors_of_every_frame(void **state)
{
    (void)state;
    write_discs("pair", 2, 1);
    EXPECT_OK("tpp segment -q -i pair -o out -m model -p 'a disc' --dump d.safetensors");
    tpp_safetensors *f = NULL;
    ASSERT_OK(tpp_safetensors_open(&f, scratch("d.safetensors")));
    static const char *const names[] = {"text.words",   "frame1.res2", "frame1.encoder",
                                        "frame1.box0",  "frame2.mask", "frame2.memory_read",
                                        "frame2.logit0"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (tpp_safetensors_find(f, names[i]) == NULL) fail_msg("no %s", names[i]);
    const tpp_safetensors_tensor *t = tpp_safetensors_find(f, "frame1.res2");
    assert_int_equal(t->rank, 3); /* [C, h, w] */
    assert_int_equal(t->dims[0], 64);
    assert_int_equal(t->type, TPP_SAFETENSORS_F32);
    tpp_safetensors_close(f);
    EXPECT_OK("rm -rf out d.safetensors");
}

static void overwrite_replaces_results(void **state)
{
    (void)state;
    write_discs("three", 3, 1);
    EXPECT_OK("tpp segment -q -i three -o out -m model -p 'a disc'");
    assert_int_equal(program("tpp segment -q -i three -o out -m model -p 'a disc'"), 2);
    assert_non_null(strstr(program_err, "--overwrite"));
    EXPECT_OK("rm three/002.png && tpp segment -q -i three -o out -m model -p 'a disc' "
              "--overwrite && ls out/masks | tr '\\n' ' '");
    assert_string_equal(program_out, "000.png 001.png ");
    remove_out();
}

static void some_frames_alone(void **state)
{
    (void)state;
    write_discs("five", 5, 1);
    EXPECT_OK("tpp segment -q -i five -o out -m model -p 'a disc' --frames 2:4 && ls out/masks | "
              "tr '\\n' ' ' && cut -d, -f1,2 out/frames.csv | tr -d '\\r' | tr '\\n' ' '");
    assert_string_equal(program_out, "002.png 003.png frame,name 2,\"002.png\" 3,\"003.png\" ");
    json_t *j = read_report("out/report.json");
    const json_t *input = json_object_get(j, "input");
    assert_int_equal(json_integer_value(json_object_get(input, "first_frame")), 2);
    assert_int_equal(json_integer_value(json_object_get(input, "frames")), 2);
    json_decref(j);
    remove_out();
    EXPECT_FAILS(2, "--frames", "tpp segment -q -i five -o out -m model -p x --frames 4:6");
}

/* The run is stopped by a signal between two frames. */
static void a_signal_leaves_nothing(void **state)
{
    (void)state;
    write_discs("long", 60, 1);
    const int code = program("'" TPP_PROGRAM "' segment -q -i long -o out -m model -p 'a disc' "
                             "-s infer.short=256 -s infer.max=0 & p=$!; "
                             "while ! ls -d out.tmp.* >/dev/null 2>&1; do "
                             "kill -0 $p || break; sleep 0.05; done; kill -TERM $p; wait $p");
    if (code != 128 + 15) fail_msg("exit code %d: %s", code, program_err);
    assert_non_null(strstr(program_err, "stopped after"));
    assert_nothing_left();
}

/* Real pictures, where they lie. */
static void real_sequences_go_through(void **state)
{
    (void)state;
    static const char *const names[] = {"endoscopy/vocalfolds_seq1/img",
                                        "ct/sarcoma_STS_001_CT/image.nii.gz",
                                        "mr/hippocampus/images/hippocampus_001.nii.gz"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "data/sample/%s", names[i]);
        EXPECT_OK("tpp segment -q -i '%s' -o out -m model -p 'the object'", shared_or_skip(path));
        assert_true(file_is_there("out/preview.png"));
        remove_out();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_folder_gives_masks_preview_and_report, start_clean),
        cmocka_unit_test_setup(a_volume_gives_labels_in_its_geometry, start_clean),
        cmocka_unit_test_setup(the_same_run_gives_the_same_bytes, start_clean),
        cmocka_unit_test_setup(frames_ahead_do_not_change_masks, start_clean),
        cmocka_unit_test_setup(long_sequences_are_cut_into_clips, start_clean),
        cmocka_unit_test_setup(one_slice_and_one_pixel_are_input, start_clean),
        cmocka_unit_test_setup(a_long_thin_picture_is_input, start_clean),
        cmocka_unit_test_setup(nan_voxels_are_counted, start_clean),
        cmocka_unit_test_setup(a_long_prompt_is_cut_with_a_warning, start_clean),
        cmocka_unit_test_setup(threshold_and_set_reach_the_model, start_clean),
        cmocka_unit_test_setup(dump_holds_the_tensors_of_every_frame, start_clean),
        cmocka_unit_test_setup(overwrite_replaces_results, start_clean),
        cmocka_unit_test_setup(some_frames_alone, start_clean),
        cmocka_unit_test_setup(a_signal_leaves_nothing, start_clean),
        cmocka_unit_test_setup(real_sequences_go_through, start_clean),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
