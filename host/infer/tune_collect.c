/* What there is to tune in the plans of a session, and what could run it.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/tune_internal.h"
#include "nn/plan_choices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double least_share = 0.002; /* of a frame's time, to be worth a measurement */

/* ---- candidates ---- */

static bool add_candidate(tpp_tune_shape *s, const tpp_algorithm *a, const tpp_params *params)
{
    for (int i = 0; i < s->n; i++)
        if (s->candidate[i].algorithm == a &&
            memcmp(&s->candidate[i].params, params, sizeof(*params)) == 0)
            return true;
    if (s->n == TPP_TUNE_MAX_CANDIDATES) return false;
    s->candidate[s->n++] = (tpp_tune_candidate){.algorithm = a, .params = *params};
    return true;
}

/* An algorithm with each of its parameter sets. */
static void add_algorithm(tpp_tune_shape *s, const tpp_algorithm *a, const tpp_call *c,
                          const tpp_caps *caps)
{
    tpp_params params = {{0}};
    if (!tpp_algorithm_is_for(a, caps) || !tpp_algorithm_takes(s->op, a, c, caps)) return;
    if (a->variant == NULL) (void)add_candidate(s, a, &params);
    for (int i = 0; a->variant != NULL && a->variant(c, caps, i, &params); i++)
        if (!add_candidate(s, a, &params)) return;
}

static tpp_status list_candidates(tpp_tune_shape *s, const tpp_caps *caps,
                                  const tpp_tune_extra *extra)
{
    tpp_call c = {.attr = s->attr};
    tpp_shape out[TPP_MAX_OUT] = {0};
    TPP_TRY(s->op->infer(s->attr, s->in, out));
    for (int i = 0; i < TPP_MAX_IN; i++)
        c.in[i] = (tpp_operand){.shape = s->in[i], .type = (tpp_dtype)s->op->in_types[i]};
    for (int i = 0; i < TPP_MAX_OUT; i++)
        c.out[i] = (tpp_operand){.shape = out[i], .type = (tpp_dtype)s->op->out_types[i]};
    TPP_NEW(s->candidate, TPP_TUNE_MAX_CANDIDATES);
    const tpp_choice standard = tpp_op_choose(s->op, NULL, NULL, &c, caps);
    if (standard.algorithm == NULL) return TPP_OK;
    (void)add_candidate(s, standard.algorithm, &standard.params);
    for (const tpp_algorithm *a = s->op->algorithms; a->name != NULL; a++)
        add_algorithm(s, a, &c, caps);
    for (const tpp_tune_extra *e = extra; e != NULL && e->op != NULL; e++)
        if (e->op == s->op) add_algorithm(s, e->algorithm, &c, caps);
    return TPP_OK;
}

/* ---- shapes ---- */

static tpp_tune_shape *find_shape(const tpp_tune *t, const tpp_op *op, const char *bucket)
{
    for (int i = 0; i < t->n; i++)
        if (t->shape[i].op == op && strcmp(t->shape[i].bucket, bucket) == 0) return &t->shape[i];
    return NULL;
}

/* One node that takes `ms` of a frame. A norm of its result is left out: it is short, and a product
 * that does not take it may be the faster one all the same. */
static tpp_status take_node(tpp_tune *t, int *capacity, const tpp_plan_choice *c, double ms)
{
    char bucket[TPP_BUCKET_BYTES];
    tpp_shape in[TPP_MAX_IN];
    for (int i = 0; i < TPP_MAX_IN; i++) in[i] = c->call.in[i].shape;
    if (c->op->normable) in[TPP_NORM_GAMMA] = in[TPP_NORM_BETA] = (tpp_shape){0};
    t->frame_ms += ms;
    if (!tpp_tune_can_sample(c->op, in)) return TPP_OK;
    tpp_tuning_bucket(bucket, &c->call);
    tpp_tune_shape *s = find_shape(t, c->op, bucket);
    if (s == NULL) {
        TPP_TRY(tpp_grow(&t->shape, t->n, capacity, sizeof(*t->shape)));
        s = &t->shape[t->n++];
        *s = (tpp_tune_shape){.op = c->op};
        memcpy(s->bucket, bucket, sizeof(bucket));
    }
    s->ms += ms;
    if (ms < s->call_ms) return TPP_OK;
    s->call_ms = ms;
    memcpy(s->attr, c->call.attr, c->op->attr_size);
    memcpy(s->in, in, sizeof(in));
    return TPP_OK;
}

static tpp_status take_plan(tpp_tune *t, int *capacity, tpp_plan *p, double runs)
{
    enum { TIMES = 3 };
    double *ms = NULL;
    tpp_plan_choice c;
    tpp_status s = TPP_OK;
    TPP_NEW(ms, tpp_plan_nodes(p));
    for (int i = 0; i < TIMES && s == TPP_OK; i++) s = tpp_plan_profile(p, ms);
    for (int i = 0; s == TPP_OK && tpp_plan_choice_at(p, i, &c); i++)
        s = take_node(t, capacity, &c, ms[c.node] / TIMES * runs);
    tpp_free(ms);
    return s;
}

static int compare_time(const void *a, const void *b)
{
    const tpp_tune_shape *x = a, *y = b;
    return (x->ms < y->ms) - (x->ms > y->ms);
}

/* Drops what is not worth it, or has nothing to choose from. */
static void keep_worthwhile(tpp_tune *t, bool all)
{
    int kept = 0;
    for (int i = 0; i < t->n; i++) {
        t->shape[i].share = t->frame_ms > 0 ? t->shape[i].ms / t->frame_ms : 1;
        if ((!all && t->shape[i].share < least_share) || t->shape[i].n < 2)
            tpp_free(t->shape[i].candidate);
        else
            t->shape[kept++] = t->shape[i];
    }
    t->n = kept;
    if (kept > 1) qsort(t->shape, (size_t)kept, sizeof(*t->shape), compare_time);
}

tpp_status tpp_tune_collect(tpp_tune *t, tpp_session *session, const tpp_caps *caps,
                            const tpp_tune_options *o)
{
    tpp_plan *p = NULL;
    double runs = 0;
    int capacity = 0;
    for (int i = 0; (p = tpp_session_plan_at(session, i, &runs)) != NULL; i++)
        TPP_TRY(take_plan(t, &capacity, p, runs));
    for (int i = 0; i < t->n; i++) TPP_TRY(list_candidates(&t->shape[i], caps, o->extra));
    keep_worthwhile(t, o->all);
    return TPP_OK;
}
