/* Tuning from the plans of a configuration to a table that makes its frames faster.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/tune_internal.h"

#include <string.h>

void tpp_tune_free(tpp_tune *t)
{
    for (int i = 0; i < t->n; i++) tpp_free(t->shape[i].candidate);
    tpp_free(t->shape);
    tpp_tuning_close(t->table);
    *t = (tpp_tune){0};
}

/* The shapes of a frame, as they are planned without any table. */
static tpp_status collect(tpp_tune *t, tpp_device *d, const struct tpp_model_config *config,
                          const tpp_trial_options *o, const tpp_tune_options *options)
{
    tpp_trial trial = {0};
    double ms = 0;
    tpp_tuning *before = NULL;
    TPP_TRY(tpp_tuning_copy(&before, tpp_device_tuning(d)));
    tpp_tuning_attach(d, NULL);
    tpp_status s = tpp_trial_open(&trial, config, d, o);
    tpp_tuning_attach(d, before);
    if (s == TPP_OK) s = tpp_tune_time_frames(&trial, &ms);
    if (s == TPP_OK) s = tpp_tune_collect(t, trial.session, tpp_device_caps(d), options);
    tpp_trial_close(&trial);
    return s;
}

static bool is_same(const tpp_tuned *a, const tpp_tuned *b)
{
    return a->algorithm == b->algorithm && memcmp(&a->params, &b->params, sizeof(a->params)) == 0;
}

/* Puts the choice for a shape into the table; one that is the default again goes out of it. */
static tpp_status take_choice(tpp_tune *t, const tpp_tune_shape *s)
{
    const tpp_tune_candidate *best = &s->candidate[s->best];
    const tpp_tuned *before = tpp_tuning_get(t->table, s->op, s->bucket);
    tpp_tuned row = {.op = s->op,
                     .algorithm = best->algorithm,
                     .params = best->params,
                     .ms = s->best_ms,
                     .default_ms = s->default_ms};
    memcpy(row.bucket, s->bucket, sizeof(row.bucket));
    if (s->best == 0) {
        t->changed += before != NULL;
        tpp_tuning_drop(t->table, s->op, s->bucket);
        return TPP_OK;
    }
    t->changed += before == NULL || !is_same(before, &row);
    t->replaced++;
    return tpp_tuning_set(t->table, &row);
}

tpp_status tpp_tune_run(tpp_tune *t, tpp_device *d, const struct tpp_model_config *config,
                        const tpp_trial_options *trial, const tpp_tune_options *options)
{
    *t = (tpp_tune){0};
    TPP_TRY(collect(t, d, config, trial, options));
    TPP_TRY(tpp_tune_measure(t, options));
    TPP_TRY(tpp_tuning_copy(&t->table, tpp_device_tuning(d)));
    for (int i = 0; i < t->n; i++)
        if (t->shape[i].done) TPP_TRY(take_choice(t, &t->shape[i]));
    return t->changed > 0 ? tpp_tune_compare(t, d, config, trial) : TPP_OK;
}
