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

static tpp_tuned row_of(const tpp_tune_shape *s)
{
    const tpp_tune_candidate *best = &s->candidate[s->best];
    tpp_tuned row = {.op = s->op,
                     .algorithm = best->algorithm,
                     .params = best->params,
                     .ms = s->best_ms,
                     .default_ms = s->default_ms};
    memcpy(row.bucket, s->bucket, sizeof(row.bucket));
    return row;
}

/* Will frames run the shape by something else than with `before`? */
static bool is_new(const tpp_tune_shape *s, const tpp_tuning *before)
{
    const tpp_tuned *had = tpp_tuning_get(before, s->op, s->bucket), row = row_of(s);
    if (s->best == 0) return had != NULL;
    return had == NULL || !is_same(had, &row);
}

/* What was there before with the choices that were not given up; one that is the default again goes
 * out of the table. */
static tpp_status make_table(tpp_tune *t, const tpp_tuning *before)
{
    tpp_tuning_close(t->table);
    t->table = NULL;
    t->replaced = t->changed = 0;
    TPP_TRY(tpp_tuning_copy(&t->table, before));
    for (int i = 0; i < t->n; i++) {
        const tpp_tune_shape *s = &t->shape[i];
        if (!s->done || s->given_up) continue;
        t->changed += is_new(s, before);
        if (s->best == 0) {
            tpp_tuning_drop(t->table, s->op, s->bucket);
            continue;
        }
        const tpp_tuned row = row_of(s);
        t->replaced++;
        TPP_TRY(tpp_tuning_set(t->table, &row));
    }
    return TPP_OK;
}

/* Share of the default's time; all of it where the default is wrong. */
static double gain_of(const tpp_tune_shape *s)
{
    if (s->best == 0) return 0;
    return s->default_ms > 0 ? 1 - s->best_ms / s->default_ms : 1;
}

/* Small gains are the ones that a call by itself shows and a frame, with other data in the caches,
 * may not. */
static void give_up_poorer_half(tpp_tune *t, const tpp_tuning *before)
{
    for (t->given_up = 0; t->given_up < t->changed / 2; t->given_up++) {
        tpp_tune_shape *poorest = NULL;
        for (int i = 0; i < t->n; i++) {
            tpp_tune_shape *s = &t->shape[i];
            if (!s->done || s->given_up || !is_new(s, before)) continue;
            if (poorest == NULL || gain_of(s) < gain_of(poorest)) poorest = s;
        }
        if (poorest == NULL) return;
        poorest->given_up = true;
    }
}

static tpp_status decide(tpp_tune *t, tpp_device *d, const tpp_tuning *before,
                         const struct tpp_model_config *config, const tpp_trial_options *trial)
{
    TPP_TRY(make_table(t, before));
    if (t->changed == 0) return TPP_OK;
    TPP_TRY(tpp_tune_compare(t, d, config, trial));
    if (t->faster || t->changed == 1) return TPP_OK;
    give_up_poorer_half(t, before);
    TPP_TRY(make_table(t, before));
    return tpp_tune_compare(t, d, config, trial);
}

/* Of the table that is to be kept. */
static tpp_status try_replay(tpp_tune *t, tpp_device *d, const tpp_tuning *before,
                             const struct tpp_model_config *config, const tpp_trial_options *trial)
{
    if (!t->faster) {
        tpp_tuning_close(t->table);
        t->table = NULL;
        TPP_TRY(tpp_tuning_copy(&t->table, before));
    }
    TPP_TRY(tpp_tune_replay(t, d, config, trial));
    t->replays_changed = t->replays != tpp_tuning_replays(before);
    return TPP_OK;
}

tpp_status tpp_tune_run(tpp_tune *t, tpp_device *d, const struct tpp_model_config *config,
                        const tpp_trial_options *trial, const tpp_tune_options *options)
{
    *t = (tpp_tune){0};
    TPP_TRY(collect(t, d, config, trial, options));
    TPP_TRY(tpp_tune_measure(t, options));
    tpp_tuning *before = NULL;
    TPP_TRY(tpp_tuning_copy(&before, tpp_device_tuning(d)));
    tpp_status s = decide(t, d, before, config, trial);
    if (s == TPP_OK && options->command_buffers) s = try_replay(t, d, before, config, trial);
    tpp_tuning_close(before);
    return s;
}
