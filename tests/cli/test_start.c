/* tpp segment --start: from a frame in the middle to both ends, as a run from there forward and one
 * over the reversed sequence; several objects, overlaps and probability maps.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nifti.h"
#include "pictures.h"
#include "program.h"

#include <jansson.h>
#include <math.h>

enum { FRAMES = 7 };
#define SEGMENT "tpp segment -q -m model "
#define DISC    SEGMENT "-p 'a bright disc' -p 'round' "
#define TWO     SEGMENT "-P two.yaml "

/* Pictures "seq" that change more than the network forgets, "rev" backwards; objects in two.yaml,
 * and each alone. */
static int start_setup(void **state)
{
    char command[80];
    if (program_setup_in_memory(state) != 0) return -1;
    write_discs("seq", FRAMES, 1);
    for (int i = 0; i < FRAMES; i++) {
        (void)snprintf(command, sizeof command, "seq/%03d.png", i);
        write_disc(command, 40, 30, 1, 5 * i - 15);
        (void)snprintf(command, sizeof command, "mkdir -p rev && cp seq/%03d.png rev/%03d.png", i,
                       FRAMES - 1 - i);
        if (shell(command) != 0) return -1;
    }
    return shell("printf 'disc: a bright disc\\nrim: its dark rim\\n' > two.yaml; "
                 "head -n 1 two.yaml > disc.yaml; tail -n 1 two.yaml > rim.yaml");
}

static json_t *read_json(const char *name)
{
    json_error_t error;
    json_t *j = json_load_file(scratch(name), JSON_REJECT_DUPLICATES, &error);
    if (j == NULL) fail_msg("%s: %s", name, error.text);
    return j;
}

/* Where the search of target t began, by the report. */
static int start_of(const char *report, size_t t)
{
    json_t *j = read_json(report);
    const json_t *one = json_array_get(json_object_get(j, "targets"), t);
    const int start = (int)json_integer_value(json_object_get(one, "start_frame"));
    assert_true(json_is_integer(json_object_get(one, "start_frame")));
    json_decref(j);
    return start;
}

/* Frame i of out/masks is frame j of `folder`/masks, and so is what frames.csv says of it but the
 * number, the name and the time. */
static void expect_frame(int i, const char *folder, int j)
{
    EXPECT_OK(
        "cmp out/masks/%03d.png %s/masks/%03d.png && row() { grep \"^$2,\" $1/frames.csv | cut -d, "
        "-f3-14; } && test \"$(row out %d)\" = \"$(row %s %d)\" -a -n \"$(row out %d)\"",
        i, folder, j, i, folder, j, i);
}

/* Forward from `start` and back from it, by runs that begin there. */
static void expect_both_ways(int start, int first, int end)
{
    EXPECT_OK("rm -rf fore back; " DISC "-i seq -o fore --frames %d:%d", start, end);
    EXPECT_OK(DISC "-i rev -o back --frames %d:%d", FRAMES - 1 - start, FRAMES - first);
    for (int i = start; i < end; i++) expect_frame(i, "fore", i);
    for (int i = first; i <= start; i++) expect_frame(i, "back", FRAMES - 1 - i);
    EXPECT_OK("ls out/masks | wc -l && tail -n +2 out/frames.csv | wc -l");
    assert_int_equal(atoi(program_out), end - first);
    assert_int_equal(atoi(strchr(program_out, '\n')), end - first);
    assert_int_equal(start_of("out/report.json", 0), start);
}

static void from_a_frame_to_both_ends(void **state)
{
    (void)state;
    static const int starts[] = {3, 0, FRAMES - 1};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        EXPECT_OK("rm -rf out; " DISC "-i seq -o out --start %d", starts[i]);
        expect_both_ways(starts[i], 0, FRAMES);
    }
    /* It matters where a run begins, or nothing was shown. */
    EXPECT_OK(DISC "-i seq -o out2 && ! cmp -s out/frames.csv out2/frames.csv && "
                   "! diff -r out/masks out2/masks > diff.txt");
}

static void of_some_frames_alone(void **state)
{
    (void)state;
    EXPECT_OK(DISC "-i seq -o out --frames 1:6 --start 4");
    expect_both_ways(4, 1, 6);
    remove_out();
    EXPECT_FAILS(2, "--start 6: seq has frames 1 to 5 in --frames",
                 DISC "-i seq -o out --frames 1:6 --start 6");
    EXPECT_FAILS(2, "--start 7: seq has frames 0 to 6", DISC "-i seq -o out --start 7");
    EXPECT_FAILS(2, "--start wants a frame's number or auto", DISC "-i seq -o out --start -1");
}

static void encoding_ahead_changes_nothing(void **state)
{
    (void)state;
    EXPECT_OK(TWO "-i seq -o out --start auto && " TWO "-i seq -o out2 --start auto --ahead 4 && "
                  "diff -r out/masks out2/masks && cmp out/frames.csv out2/frames.csv");
}

/* The frame whose score is the highest of those looked at alone. */
static void from_the_surest_frame(void **state)
{
    (void)state;
    char best[80] = "", command[80];
    for (int i = 0; i < FRAMES; i++) {
        EXPECT_OK("rm -rf out; " DISC
                  "-i seq/%03d.png -o out && tail -n 1 out/frames.csv | cut -d, -f4",
                  i);
        (void)snprintf(command, sizeof command, "%.20s", program_out);
        if (strcmp(command, best) > 0) (void)snprintf(best, sizeof best, "%s", command);
    }
    EXPECT_OK("rm -rf out; " DISC "-i seq -o out --start auto");
    const int start = start_of("out/report.json", 0);
    expect_both_ways(start, 0, FRAMES);
    EXPECT_OK("grep '^%d,' out/frames.csv | cut -d, -f4", start);
    assert_string_equal(program_out, best);
}

static void objects_do_not_see_each_other(void **state)
{
    (void)state;
    static const char *const options[] = {"", "--start 2", "--start auto",
                                          "--start auto --frames 2:7"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        EXPECT_OK("rm -rf out; " TWO "-i seq -o out %s", options[i]);
        for (int t = 0; t < 2; t++) {
            const char *name = t == 0 ? "disc" : "rim";
            EXPECT_OK("rm -rf out2; " SEGMENT "-P %s.yaml -i seq -o out2 %s && "
                      "diff -r out/masks/%s out2/masks && grep ',%s,' out/frames.csv > a.csv && "
                      "tail -n +2 out2/frames.csv | cmp - a.csv",
                      name, options[i], name, name);
            assert_int_equal(start_of("out/report.json", (size_t)t),
                             start_of("out2/report.json", 0));
        }
    }
}

/* ---- labels of several objects ---- */

static double score_of(const json_t *report, int64_t frame, size_t target)
{
    const json_t *f = json_array_get(json_object_get(report, "frames"), (size_t)frame);
    const json_t *t = json_array_get(json_object_get(f, "targets"), target);
    assert_true(json_is_real(json_object_get(t, "score")));
    return json_real_value(json_object_get(t, "score"));
}

/* With a low threshold they overlap: each pixel of both is the surer one's of its frame. */
static void where_objects_overlap_the_surer_has_the_pixel(void **state)
{
    (void)state;
    tpp_volume all = {0}, one[2] = {{0}};
    int64_t both = 0;
    write_ball("ct.nii", 40, 30, 4);
    EXPECT_OK(TWO "-i ct.nii -o out -t 0.3 && " TWO "-i ct.nii -o out2 -t 0.3 --multilabel");
    ASSERT_OK(tpp_nifti_read(&one[0], scratch("out/disc.nii.gz"), NULL));
    ASSERT_OK(tpp_nifti_read(&one[1], scratch("out/rim.nii.gz"), NULL));
    ASSERT_OK(tpp_nifti_read(&all, scratch("out2/seg.nii.gz"), NULL));
    json_t *report = read_json("out2/report.json");
    for (int64_t i = 0; i < all.voxel_count; i++) {
        const bool in[] = {one[0].voxels[i] > 0, one[1].voxels[i] > 0};
        const int64_t frame = i / ((int64_t)40 * 30); /* axial: in file order, maybe upside down */
        const int surer = score_of(report, frame, 1) > score_of(report, frame, 0);
        const int want = in[0] && in[1] ? surer + 1 : in[0] ? 1 : in[1] ? 2 : 0;
        both += in[0] && in[1];
        assert_int_equal((int)all.voxels[i], want);
    }
    assert_true(both > 0 && both < all.voxel_count);
    json_decref(report);
    tpp_volume_free(&all);
    for (int t = 0; t < 2; t++) tpp_volume_free(&one[t]);
}

/* ---- probabilities ---- */

/* In the volume's own geometry, on the same side of the threshold as the mask. */
static void masks_are_where_probabilities_exceed_the_threshold(void **state)
{
    (void)state;
    static const double thresholds[] = {0.5, 0.35};
    write_ball("ct.nii", 40, 30, 4);
    for (size_t k = 0; k < 2; k++) {
        tpp_volume p = {0}, mask = {0};
        int64_t inside = 0;
        EXPECT_OK("rm -rf out; " DISC "-i ct.nii -o out --probabilities --start 2 -t %g",
                  thresholds[k]);
        ASSERT_OK(tpp_nifti_read(&p, scratch("out/probability.nii.gz"), NULL));
        ASSERT_OK(tpp_nifti_read(&mask, scratch("out/seg.nii.gz"), NULL));
        assert_string_equal(p.datatype, "float32");
        assert_memory_equal(&p.affine, &mask.affine, sizeof p.affine);
        assert_int_equal(p.voxel_count, mask.voxel_count);
        for (int64_t i = 0; i < p.voxel_count; i++) {
            assert_true(p.voxels[i] >= 0 && p.voxels[i] <= 1);
            inside += mask.voxels[i] > 0;
            /* nearer than a float's last digits both sides are right */
            if (fabs((double)p.voxels[i] - thresholds[k]) < 1e-6) continue;
            assert_int_equal(mask.voxels[i] > 0, (double)p.voxels[i] > thresholds[k]);
        }
        assert_true(inside > 0 && inside < p.voxel_count);
        tpp_volume_free(&p);
        tpp_volume_free(&mask);
    }
}

static void pictures_have_probabilities_of_8_bits(void **state)
{
    (void)state;
    EXPECT_OK(TWO "-i seq -o out --probabilities --start auto --frames 2:4 && "
                  "find out/probabilities -type f | sort | tr '\\n' ' '");
    assert_string_equal(program_out,
                        "out/probabilities/disc/002.png out/probabilities/disc/003.png "
                        "out/probabilities/rim/002.png out/probabilities/rim/003.png ");
    tpp_image p = {0}, mask = {0};
    ASSERT_OK(tpp_png_read(&p, scratch("out/probabilities/rim/003.png")));
    ASSERT_OK(tpp_png_read(&mask, scratch("out/masks/rim/003.png")));
    for (int i = 0; i < 40 * 30; i++)
        if (p.pixels[i] != 127 && p.pixels[i] != 128)
            assert_int_equal(mask.pixels[i] == 255, p.pixels[i] > 127);
    tpp_image_free(&p);
    tpp_image_free(&mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(from_a_frame_to_both_ends, start_clean),
        cmocka_unit_test_setup(of_some_frames_alone, start_clean),
        cmocka_unit_test_setup(encoding_ahead_changes_nothing, start_clean),
        cmocka_unit_test_setup(from_the_surest_frame, start_clean),
        cmocka_unit_test_setup(objects_do_not_see_each_other, start_clean),
        cmocka_unit_test_setup(where_objects_overlap_the_surer_has_the_pixel, start_clean),
        cmocka_unit_test_setup(masks_are_where_probabilities_exceed_the_threshold, start_clean),
        cmocka_unit_test_setup(pictures_have_probabilities_of_8_bits, start_clean),
    };
    return cmocka_run_group_tests(tests, start_setup, scratch_teardown);
}
