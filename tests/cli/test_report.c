/* The report.html that tpp segment itself leaves, in a browser (skipped without Chromium and its
 * driver): of a volume across each axis, of pictures, of a video; and of real ones where
 * ../shared/data/sample is there. TPP_TEST_PICTURES=PREFIX keeps screenshots.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/video.h"
#include "pictures.h"
#include "program.h"

/* What a run leaves in "out" as a reader sees it; skips without Chromium. */
static void drive(const char *name, int frames, const char *word, const char *sides, double aspect)
{
    const char *pictures = getenv("TPP_TEST_PICTURES");
    const int code = program("/usr/bin/python3 '%s/tests/cli/drive_run.py' out/report.html %d %s "
                             "%s %.4f %s%s",
                             TPP_SOURCE_DIR, frames, word, sides, aspect,
                             pictures != NULL ? pictures : "", pictures != NULL ? name : "");
    if (code == 77) {
        print_message("[  SKIPPED ] chromium and chromium-driver are not installed\n");
        skip();
    }
    if (code != 0) fail_msg("%s: %s", name, program_err);
}

/* Voxels of 2 x 3 x 5 mm. */
static void a_volume_across_every_axis(void **state)
{
    (void)state;
    write_ball("ball.nii", 40, 30, 8);
    EXPECT_OK("tpp segment -i ball.nii -o out -m model -p 'a ball'");
    drive("axial", 8, "slice", "RLAP", 80.0 / 90);
    EXPECT_OK("tpp segment --overwrite -i ball.nii -o out -m model -p 'a ball' --axis coronal");
    drive("coronal", 30, "slice", "RLSI", 80.0 / 40);
    EXPECT_OK("tpp segment --overwrite -i ball.nii -o out -m model -p 'a ball' --axis sagittal");
    drive("sagittal", 40, "slice", "APSI", 90.0 / 40);
    EXPECT_OK("tpp segment --overwrite -i ball.nii -o out -m model -p 'a ball' --axis time");
    drive("time", 8, "frame", "-", 80.0 / 90);
    remove_out();
}

static void pictures_by_their_names(void **state)
{
    (void)state;
    write_discs("frames", 5, 3);
    EXPECT_OK("tpp segment -i frames -o out -m model -p 'a bright disc'");
    EXPECT_OK("grep -Eq '\"weights_sha256\": *\"[0-9a-f]{64}\"' out/report.json");
    drive("pictures", 5, "00", "-", 40.0 / 30);
    remove_out();
}

#ifdef TPP_HAS_VIDEO
#include "../io/video_maker.h"

static void a_video_frame_by_frame(void **state)
{
    (void)state;
    const video_spec film = {.name = "film.mkv",
                             .codec = "ffv1",
                             .pixels = AV_PIX_FMT_BGR0,
                             .width = 64,
                             .height = 40,
                             .frames = 12,
                             .group = 1};
    if (make_video(&film) == NULL) skip();
    EXPECT_OK("tpp segment -i film.mkv -o out -m model -p 'a bright disc'");
    drive("video", 12, "frame", "-", 64.0 / 40);
    remove_out();
}
#endif

static void real_ones(void **state)
{
    (void)state;
    const char *folder = shared_or_skip("data/sample");
    EXPECT_OK("tpp segment -i %s/ct/sarcoma_STS_001_CT/image.nii.gz -o out -m model -p tumour",
              folder);
    drive("ct", 59, "slice", "RLAP", 198.0 / 202);
    remove_out();
    if (tpp_video_library() == NULL) return;
    EXPECT_OK("tpp segment -i %s/ultrasound/liver_sweep/liver_sweep.h264 -o out -m model "
              "-p 'the liver' --frames :20",
              folder);
    drive("sweep", 20, "frame", "-", 739.0 / 593);
    remove_out();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_volume_across_every_axis, start_clean),
        cmocka_unit_test_setup(pictures_by_their_names, start_clean),
#ifdef TPP_HAS_VIDEO
        cmocka_unit_test_setup(a_video_frame_by_frame, start_clean),
#endif
        cmocka_unit_test_setup(real_ones, start_clean),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
