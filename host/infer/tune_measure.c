/* Judges candidates shape by shape, in a process that may die.
 * SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "infer/tune_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double default_limit_s = 30;
static const double wanted_gain = 0.03; /* of the default's time, to replace it */
static const double first_sight = 1.3;  /* times the best: not measured further */

typedef struct judge {
    const tpp_tune_options *o;
    double limit_s;
    tpp_tune_process process;
    tpp_tune_shape *shape; /* in hand */
    bool has_call;         /* the process holds its call */
    bool has_all;          /* and every candidate that is being measured */
} judge;

/* ---- the process ---- */

static tpp_status ask_ok(judge *j, const char *request, tpp_status otherwise, const char *what)
{
    if (tpp_tune_process_ask(&j->process, request, j->limit_s) &&
        strcmp(j->process.line, "ok") == 0)
        return TPP_OK;
    return TPP_FAIL(otherwise, "%s: %s", what, j->process.line);
}

static void print_call(tpp_str *to, const tpp_tune_shape *s)
{
    tpp_str_format(to, "call %s ", s->op->name);
    for (size_t i = 0; i < s->op->attr_size; i++) tpp_str_format(to, "%02x", s->attr[i]);
    if (s->op->attr_size == 0) tpp_str_format(to, "-");
    for (int i = 0; i < TPP_MAX_IN; i++) {
        tpp_str_format(to, s->in[i].rank == 0 ? " -" : " ");
        for (int k = 0; k < s->in[i].rank; k++)
            tpp_str_format(to, "%s%lld", k > 0 ? "," : "", (long long)s->in[i].d[k]);
    }
}

/* A process that holds the shape's call. TPP_EDEVICE: this call cannot be had, TPP_EIO: none. */
static tpp_status load(judge *j)
{
    if (j->process.pid == 0) {
        char request[TPP_TUNE_LINE];
        TPP_TRY(tpp_tune_process_start(&j->process, j->o->child));
        (void)snprintf(request, sizeof(request), "device %s",
                       j->o->device != NULL && j->o->device[0] != '\0' ? j->o->device : "-");
        TPP_TRY(ask_ok(j, request, TPP_EIO, "the process for candidates has no device"));
        j->has_call = false;
    }
    if (j->has_call) return TPP_OK;
    tpp_str request = {0};
    print_call(&request, j->shape);
    const tpp_status s =
        request.status == TPP_OK ? ask_ok(j, request.text, TPP_EDEVICE, "plain") : TPP_ENOMEM;
    tpp_str_free(&request);
    j->has_call = s == TPP_OK;
    return s;
}

static void refuse(tpp_tune_candidate *c, const char *why)
{
    c->state = TPP_TUNE_REFUSED;
    (void)snprintf(c->why, sizeof(c->why), "%.250s", why);
}

/* Asks about candidate i; false: it is refused, and the process may be gone. */
static bool ask(judge *j, int i, const char *request, const char *wanted, double *ms)
{
    tpp_tune_candidate *c = &j->shape->candidate[i];
    const size_t n = strlen(wanted);
    const bool answered = tpp_tune_process_ask(&j->process, request, j->limit_s);
    const char *line = j->process.line;
    if (!answered) j->has_all = false;
    if (answered && strncmp(line, wanted, n) == 0 && line[n] == ' ') {
        *ms = strtod(line + n, NULL);
        return true;
    }
    if (answered && strncmp(line, "slow ", 5) == 0) {
        c->state = TPP_TUNE_SLOW;
        c->ms = strtod(line + 5, NULL);
        return false;
    }
    refuse(c, line);
    return false;
}

static bool try_candidate(judge *j, int i)
{
    const tpp_tune_candidate *c = &j->shape->candidate[i];
    char request[TPP_TUNE_LINE];
    double ms = 0;
    (void)snprintf(request, sizeof(request), "try %d %s %d %d %d %d", i, c->algorithm->name,
                   c->params.n[0], c->params.n[1], c->params.n[2], c->params.n[3]);
    return ask(j, i, request, "right", &ms);
}

/* ---- timing ---- */

/* A new process knows none of those that were tried in the last one. */
static tpp_status reload(judge *j)
{
    while (!j->has_all) { /* each time with one fewer */
        TPP_TRY(load(j));
        j->has_all = true;
        for (int i = 0; i < j->shape->n && j->has_all; i++)
            if (j->shape->candidate[i].state == TPP_TUNE_MEASURED) (void)try_candidate(j, i);
    }
    return TPP_OK;
}

/* One more time of every candidate that `only` (NULL: each) lets pass. */
static tpp_status time_round(judge *j, const bool *only)
{
    for (int i = 0; i < j->shape->n; i++) {
        tpp_tune_candidate *c = &j->shape->candidate[i];
        char request[32];
        if (c->state != TPP_TUNE_MEASURED || (only != NULL && !only[i])) continue;
        TPP_TRY(reload(j));
        if (c->state != TPP_TUNE_MEASURED) continue;
        double ms = 0;
        (void)snprintf(request, sizeof(request), "time %d", i);
        if (ask(j, i, request, "ms", &ms) && c->samples < TPP_TUNE_SAMPLES)
            c->sample[c->samples++] = ms;
    }
    return TPP_OK;
}

static double least(const tpp_tune_candidate *c)
{
    double ms = c->sample[0];
    for (int i = 1; i < c->samples; i++) ms = c->sample[i] < ms ? c->sample[i] : ms;
    return ms;
}

/* The default stays in, to be compared with. */
static void drop_slow(tpp_tune_shape *s)
{
    double best = 0;
    for (int i = 0; i < s->n; i++) {
        const tpp_tune_candidate *c = &s->candidate[i];
        if (c->state == TPP_TUNE_MEASURED && (best == 0 || least(c) < best)) best = least(c);
    }
    for (int i = 1; i < s->n; i++) {
        tpp_tune_candidate *c = &s->candidate[i];
        if (c->state != TPP_TUNE_MEASURED || least(c) <= first_sight * best) continue;
        c->state = TPP_TUNE_SLOW;
        c->ms = least(c);
    }
}

/* -1: none was measured. */
static int find_best(tpp_tune_shape *s)
{
    int best = -1;
    for (int i = 0; i < s->n; i++) {
        tpp_tune_candidate *c = &s->candidate[i];
        if (c->state != TPP_TUNE_MEASURED) continue;
        c->ms = tpp_samples_median(c->sample, c->samples);
        if (best < 0 || c->ms < s->candidate[best].ms) best = i;
    }
    return best;
}

static bool gains(const tpp_tune_shape *s, int i)
{
    return s->candidate[i].ms <= (1 - wanted_gain) * s->candidate[0].ms;
}

static bool is_right(const tpp_tune_shape *s, int i)
{
    return s->candidate[i].state == TPP_TUNE_MEASURED;
}

/* The fastest of many is lucky too: it meets the default again, and the new times count. */
static tpp_status duel(judge *j, int best)
{
    tpp_tune_shape *s = j->shape;
    bool only[TPP_TUNE_MAX_CANDIDATES] = {false};
    only[0] = only[best] = true;
    s->candidate[0].samples = s->candidate[best].samples = 0;
    for (int r = 0; r < TPP_TUNE_SAMPLES; r++) TPP_TRY(time_round(j, only));
    for (int i = 0; i < s->n; i++)
        if (only[i] && is_right(s, i))
            s->candidate[i].ms =
                tpp_samples_median(s->candidate[i].sample, s->candidate[i].samples);
    return TPP_OK;
}

static tpp_status choose(judge *j)
{
    enum { FIRST_ROUNDS = 2 };
    tpp_tune_shape *s = j->shape;
    for (int r = 0; r < TPP_TUNE_SAMPLES; r++) {
        if (r == FIRST_ROUNDS) drop_slow(s);
        TPP_TRY(time_round(j, NULL));
    }
    int best = find_best(s);
    if (best > 0 && is_right(s, 0) && gains(s, best)) TPP_TRY(duel(j, best));
    if (best < 0 || !is_right(s, best))
        return TPP_FAIL(TPP_EDEVICE, "no candidate could be measured");
    if (is_right(s, 0) && !gains(s, best)) best = 0;
    s->best = best;
    s->best_ms = s->candidate[best].ms;
    s->default_ms = s->candidate[0].ms; /* 0 where the default was refused */
    return TPP_OK;
}

static tpp_status judge_shape(judge *j)
{
    tpp_tune_shape *s = j->shape;
    j->has_call = false;
    j->has_all = true;
    for (int i = 0; i < s->n; i++) {
        TPP_TRY(load(j));
        if (try_candidate(j, i)) s->candidate[i].state = TPP_TUNE_MEASURED;
    }
    return choose(j);
}

/* ---- all shapes ---- */

/* Whatever goes wrong with a shape is that shape's: the defaults stay for it. */
tpp_status tpp_tune_measure(tpp_tune *t, const tpp_tune_options *o)
{
    judge j = {.o = o, .limit_s = o->limit_s > 0 ? o->limit_s : default_limit_s};
    const double start = tpp_clock_seconds();
    tpp_status s = TPP_OK;
    for (int i = 0; i < t->n && s == TPP_OK; i++) {
        tpp_tune_shape *shape = &t->shape[i];
        if (o->budget_s > 0 && tpp_clock_seconds() - start > o->budget_s) {
            t->left_out = t->n - i;
            break;
        }
        j.shape = shape;
        const tpp_status got = judge_shape(&j);
        if (got == TPP_OK)
            shape->done = true;
        else if (got == TPP_EDEVICE)
            (void)snprintf(shape->why, sizeof(shape->why), "%.250s", tpp_error());
        else
            s = got;
        if (o->told != NULL) o->told(o->context, shape, i + 1, t->n);
    }
    tpp_tune_process_end(&j.process);
    return s;
}
