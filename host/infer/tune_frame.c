/* Whole frames with and without new choices.
 * SPDX-License-Identifier: MIT */
#include "infer/tune_internal.h"

tpp_status tpp_tune_time_frames(tpp_trial *trial, double *ms)
{
    const tpp_trial_method method = {
        .frames = 3 * trial->batch, .repeat = 1, .one_by_one = trial->batch == 1};
    tpp_trial_result result = {0};
    TPP_TRY(tpp_trial_run(trial, &method, &result));
    *ms = tpp_samples_median(result.ms, result.count);
    tpp_trial_result_free(&result);
    return TPP_OK;
}

/* Frames without [0] and with [1] the new choices. */
typedef struct contest {
    tpp_device *device;
    const struct tpp_model_config *config;
    const tpp_trial_options *options;
    const tpp_tuning *table[2];
    tpp_trial trial[2]; /* open while its store is not NULL */
    bool one_by_one;    /* the device has no room for both: each is opened for its turn */
} contest;

/* Opens a trial while the device has its table, and leaves the device as it was. */
static tpp_status open_side(contest *c, int k)
{
    tpp_tuning *now = NULL, *before = NULL;
    tpp_status s = TPP_OK;
    if (c->trial[k].store != NULL) return TPP_OK;
    TPP_TRY_OR(done, s, tpp_tuning_copy(&before, tpp_device_tuning(c->device)));
    TPP_TRY_OR(done, s, tpp_tuning_copy(&now, c->table[k]));
    tpp_tuning_attach(c->device, now);
    now = NULL;
    s = tpp_trial_open(&c->trial[k], c->config, c->device, c->options);
    tpp_tuning_attach(c->device, before);
    before = NULL;
done:
    tpp_tuning_close(now);
    tpp_tuning_close(before);
    return s;
}

static void close_sides(contest *c)
{
    tpp_trial_close(&c->trial[0]);
    tpp_trial_close(&c->trial[1]);
}

static tpp_status open_both(contest *c)
{
    tpp_status s = open_side(c, 0);
    if (s != TPP_OK) return s;
    s = open_side(c, 1);
    if (s != TPP_EDEVMEM) return s;
    c->one_by_one = true;
    close_sides(c);
    return TPP_OK;
}

static tpp_status take_turn(contest *c, int k, double *ms)
{
    TPP_TRY(open_side(c, k));
    TPP_TRY(tpp_tune_time_frames(&c->trial[k], ms));
    if (c->one_by_one) close_sides(c);
    return TPP_OK;
}

/* Faster is what wins both over all and within pairs, which a machine that changes its speed
 * meanwhile does not touch. */
static tpp_status run_in_turn(contest *c, double *ms, bool *is_faster)
{
    double sample[2][TPP_TUNE_FRAME_SAMPLES], ratio[TPP_TUNE_FRAME_SAMPLES], warm_up = 0;
    TPP_TRY(open_both(c));
    for (int r = -1; r < TPP_TUNE_FRAME_SAMPLES; r++)
        for (int k = 0; k < 2; k++) {
            const int which = (r + 1 + k) % 2; /* neither is always the first of a pair */
            TPP_TRY(take_turn(c, which, r < 0 ? &warm_up : &sample[which][r]));
        }
    for (int r = 0; r < TPP_TUNE_FRAME_SAMPLES; r++) ratio[r] = sample[1][r] / sample[0][r];
    for (int k = 0; k < 2; k++) ms[k] = tpp_samples_median(sample[k], TPP_TUNE_FRAME_SAMPLES);
    *is_faster = ms[1] < ms[0] && tpp_samples_median(ratio, TPP_TUNE_FRAME_SAMPLES) < 1;
    return TPP_OK;
}

tpp_status tpp_tune_contest(tpp_device *d, const struct tpp_model_config *config,
                            const tpp_trial_options *o, const tpp_tuning *const *table, double *ms,
                            bool *is_faster)
{
    contest c = {.device = d, .config = config, .options = o, .table = {table[0], table[1]}};
    const tpp_status s = run_in_turn(&c, ms, is_faster);
    close_sides(&c);
    return s;
}

tpp_status tpp_tune_compare(tpp_tune *t, tpp_device *d, const struct tpp_model_config *config,
                            const tpp_trial_options *o)
{
    double ms[2] = {0};
    bool is_faster = false;
    tpp_tuning *before = NULL;
    TPP_TRY(tpp_tuning_copy(&before, tpp_device_tuning(d)));
    const tpp_status s =
        tpp_tune_contest(d, config, o, (const tpp_tuning *[]){before, t->table}, ms, &is_faster);
    tpp_tuning_close(before);
    if (s != TPP_OK) return s;
    t->before_ms = ms[0];
    t->after_ms = ms[1];
    t->faster = is_faster;
    return TPP_OK;
}
