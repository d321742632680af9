/* Whole frames with and without new choices.
 * SPDX-License-Identifier: MIT */
#include "infer/tune_internal.h"

tpp_status tpp_tune_time_frames(tpp_trial *trial, double *ms)
{
    const tpp_trial_method method = {
        .frames = 3 * trial->batch, .repeat = 1, .one_by_one = trial->batch == 1};
    tpp_trial_result result = {0};
    TPP_TRY(tpp_trial_run(trial, &method, &result));
    *ms = tpp_tune_median(result.ms, result.count);
    tpp_trial_result_free(&result);
    return TPP_OK;
}

/* Opens a trial while the device has `table`, and leaves the device as it was. */
static tpp_status open_with(tpp_trial *trial, tpp_device *d, const tpp_tuning *table,
                            const struct tpp_model_config *config, const tpp_trial_options *o)
{
    tpp_tuning *now = NULL, *before = NULL;
    tpp_status s = TPP_OK;
    TPP_TRY_OR(done, s, tpp_tuning_copy(&before, tpp_device_tuning(d)));
    TPP_TRY_OR(done, s, tpp_tuning_copy(&now, table));
    tpp_tuning_attach(d, now);
    now = NULL;
    s = tpp_trial_open(trial, config, d, o);
    tpp_tuning_attach(d, before);
    before = NULL;
done:
    tpp_tuning_close(now);
    tpp_tuning_close(before);
    return s;
}

/* Faster is what wins both over all and within pairs, which a machine that changes its speed
 * meanwhile does not touch. */
static tpp_status run_in_turn(tpp_trial *trial, double *ms, bool *is_faster)
{
    double sample[2][TPP_TUNE_FRAME_SAMPLES], warm_up = 0;
    for (int r = -1; r < TPP_TUNE_FRAME_SAMPLES; r++)
        for (int k = 0; k < 2; k++) {
            const int which = (r + 1 + k) % 2; /* neither is always the first of a pair */
            TPP_TRY(tpp_tune_time_frames(&trial[which], r < 0 ? &warm_up : &sample[which][r]));
        }
    double ratio[TPP_TUNE_FRAME_SAMPLES];
    for (int r = 0; r < TPP_TUNE_FRAME_SAMPLES; r++) ratio[r] = sample[1][r] / sample[0][r];
    for (int k = 0; k < 2; k++) ms[k] = tpp_tune_median(sample[k], TPP_TUNE_FRAME_SAMPLES);
    *is_faster = ms[1] < ms[0] && tpp_tune_median(ratio, TPP_TUNE_FRAME_SAMPLES) < 1;
    return TPP_OK;
}

tpp_status tpp_tune_compare(tpp_tune *t, tpp_device *d, const struct tpp_model_config *config,
                            const tpp_trial_options *o)
{
    tpp_trial trial[2] = {{.store = NULL}, {.store = NULL}};
    double ms[2] = {0};
    bool is_faster = false;
    tpp_status s = open_with(&trial[0], d, tpp_device_tuning(d), config, o);
    if (s == TPP_OK) s = open_with(&trial[1], d, t->table, config, o);
    if (s == TPP_OK) s = run_in_turn(trial, ms, &is_faster);
    tpp_trial_close(&trial[0]);
    tpp_trial_close(&trial[1]);
    if (s != TPP_OK) return s;
    t->before_ms = ms[0];
    t->after_ms = ms[1];
    t->faster = is_faster;
    return TPP_OK;
}
