/* Whole frames launch by launch and as command buffers.
 * SPDX-License-Identifier: MIT */
#include "cl/cl_internal.h"
#include "infer/golden.h"
#include "infer/tune_internal.h"

/* By so much frames must be faster, as a candidate for a shape must. */
static const double least_gain = 0.03;

/* The golden model inside the program, run as command buffers. */
static tpp_status is_right(tpp_device *d, bool *right)
{
    tpp_golden g = {0};
    tpp_golden_report r = {0};
    tpp_tuning *before = NULL, *replays = NULL;
    tpp_status s = TPP_OK;
    TPP_TRY_OR(done, s, tpp_golden_builtin(&g));
    TPP_TRY_OR(done, s, tpp_golden_report_init(&r, &g));
    TPP_TRY_OR(done, s, tpp_tuning_copy(&before, tpp_device_tuning(d)));
    TPP_TRY_OR(done, s, tpp_tuning_open(&replays));
    tpp_tuning_set_replays(replays, true);
    tpp_tuning_attach(d, replays);
    s = tpp_golden_run(&g, d, NULL, tpp_golden_sink, &r);
    *right = s == TPP_OK && d->replays; /* which the first failure takes away */
    tpp_tuning_attach(d, before);
    before = NULL;
    tpp_golden_report_finish(&r);
    *right = *right && r.failed == 0;
done:
    tpp_tuning_close(before);
    tpp_golden_report_free(&r);
    tpp_golden_free(&g);
    return s;
}

static tpp_status copy_as(tpp_tuning **out, const tpp_tuning *t, bool replays)
{
    TPP_TRY(tpp_tuning_copy(out, t));
    tpp_tuning_set_replays(*out, replays);
    return TPP_OK;
}

tpp_status tpp_tune_replay(tpp_tune *t, tpp_device *d, const struct tpp_model_config *config,
                           const tpp_trial_options *o)
{
    tpp_tuning *table[2] = {NULL, NULL};
    double ms[2] = {0};
    bool is_faster = false;
    tpp_status s = TPP_OK;
    if (!tpp_device_caps(d)->command_buffers) return TPP_OK;
    TPP_TRY_OR(done, s, copy_as(&table[0], t->table, false));
    TPP_TRY_OR(done, s, copy_as(&table[1], t->table, true));
    t->replays_tried = true;
    TPP_TRY_OR(done, s, is_right(d, &t->replays_right));
    if (t->replays_right)
        TPP_TRY_OR(
            done, s,
            tpp_tune_contest(d, config, o, (const tpp_tuning *const *)table, ms, &is_faster));
    t->launches_ms = ms[0];
    t->replays_ms = ms[1];
    t->replays = is_faster && ms[1] < (1 - least_gain) * ms[0];
    tpp_tuning_set_replays(t->table, t->replays);
done:
    tpp_tuning_close(table[0]);
    tpp_tuning_close(table[1]);
    return s;
}
