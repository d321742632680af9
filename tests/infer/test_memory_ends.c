/* When host memory ends, at whichever allocation, opening fails with TPP_ENOMEM or succeeds, and
 * nothing is lost (which the sanitizer build sees).
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "folder.h"
#include "infer/frames.h"
#include "infer/golden.h"
#include "infer/model_folder.h"
#include "io/nifti.h"
#include "mask_writer.h"

typedef tpp_status opener(void);

static tpp_status open_golden(void)
{
    tpp_golden g = {0};
    const tpp_status s =
        tpp_golden_read(&g, TPP_SOURCE_DIR "/tests/golden/forward_micro.safetensors");
    tpp_golden_free(&g);
    return s;
}

static tpp_status open_builtin(void)
{
    tpp_golden g = {0};
    const tpp_status s = tpp_golden_builtin(&g);
    tpp_golden_free(&g);
    return s;
}

static tpp_status open_model(void)
{
    tpp_model_folder m = {0};
    const tpp_status s = tpp_model_folder_open(&m, in_folder("model"), NULL, 0);
    tpp_model_folder_close(&m);
    return s;
}

static tpp_status open_volume(void)
{
    tpp_frames f = {0};
    mask_writer w = {0};
    tpp_status s = tpp_frames_open(&f, in_folder("v.nii.gz"), NULL);
    if (s == TPP_OK) s = writer_open(&w, &f);
    if (s == TPP_OK) s = writer_write(&w, in_folder("masks"));
    writer_close(&w);
    tpp_frames_close(&f);
    return s;
}

static struct tpp_model_config made_config; /* read before memory ends */

static tpp_status make_model(void)
{
    return tpp_model_folder_synth(in_folder("made"), &made_config, 1,
                                  TPP_SOURCE_DIR "/weights/vocab", true);
}

/* Fails allocation 0, step, 2 step, ... until the call succeeds. */
static void fail_each(opener *open, int step)
{
    tpp_status s = TPP_ENOMEM;
    int n = 0;
    for (; s != TPP_OK && n < 200000; n += step) {
        tpp_alloc_fail_after(n);
        s = open();
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK && s != TPP_ENOMEM)
            fail_msg("allocation %d fails: %d, %s", n, (int)s, tpp_error());
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > step); /* it did allocate */
}

static void golden_files(void **state)
{
    (void)state;
    fail_each(open_golden, 1);
    fail_each(open_builtin, 1);
}

static void volumes(void **state)
{
    (void)state;
    uint8_t labels[5 * 4 * 3] = {1};
    tpp_volume v = {.dim = {5, 4, 3, 1}, .spacing_mm = {1, 1, 1}};
    for (int i = 0; i < 4; i++) v.affine.m[i][i] = 1;
    UNIT_OK(tpp_nifti_write_labels(in_folder("v.nii.gz"), &v, labels));
    fail_each(open_volume, 1);
}

/* Thousands of allocations each, most in recording graphs: a sample of them. */
static void model_folders(void **state)
{
    (void)state;
    made_config = micro_config();
    UNIT_OK(tpp_model_folder_synth(in_folder("model"), &made_config, 1,
                                   TPP_SOURCE_DIR "/weights/vocab", false));
    fail_each(open_model, 97);
    fail_each(make_model, 197);
    UNIT_OK(open_model());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files),
        cmocka_unit_test(volumes),
        cmocka_unit_test(model_folders),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
