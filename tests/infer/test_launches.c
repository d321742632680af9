/* How many launches a frame is: of `tile` on this device, and as it is planned for a GPU.
 * SPDX-License-Identifier: MIT */
#include "cl/cl_internal.h"
#include "config/model_config.h"
#include "infer/trial.h"
#include "unit.h"

/* Of a frame after the first of R50 at 360x640. */
static int launches(tpp_device *d, const char *algorithm)
{
    struct tpp_model_config config;
    tpp_trial trial = {0};
    const tpp_trial_options options = {
        .height = 360, .width = 640, .tokens = 28, .ahead = 1, .frames = 1, .algorithm = algorithm};
    UNIT_OK(tpp_model_config_read(&config, TPP_SOURCE_DIR "/configs/r50.yaml", NULL, 0));
    UNIT_OK(tpp_trial_open(&trial, &config, d, &options));
    const int count = tpp_session_info_of(trial.session).launches;
    tpp_trial_close(&trial);
    print_message("%d launches\n", count);
    return count;
}

static void tile_takes_at_most_250(void **state)
{
    assert_in_range(launches(*state, "tile"), 100, 250);
}

/* 60 compute units leave many products too few tiles. */
static void a_gpu_takes_at_most_250(void **state)
{
    tpp_device *d = *state;
    d->caps.is_gpu = true;
    d->caps.is_cpu = false;
    d->caps.compute_units = 60;
    d->caps.max_group = 256;
    d->caps.local_mem = 65536;
    d->caps.vector_width = 4;
    assert_in_range(launches(d, NULL), 100, 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tile_takes_at_most_250),
        cmocka_unit_test(a_gpu_takes_at_most_250),
    };
    return cmocka_run_group_tests(tests, unit_open_device, unit_close_device);
}
