/* The table of tuned choices.
 * SPDX-License-Identifier: MIT */
#include "ops/tuning.h"

#include "cl/cl_internal.h"
#include "core/mem.h"

#include <stdio.h>
#include <string.h>

struct tpp_tuning {
    tpp_tuned *row;
    int count, capacity;
    char *source; /* NULL: none */
    bool replays;
};

/* Rounded up to three leading bits: steps of a quarter at most. */
static int64_t round_rows(int64_t n)
{
    int64_t unit = 1;
    while (n > 8 * unit) unit *= 2;
    return (n + unit - 1) / unit * unit;
}

void tpp_tuning_bucket(char out[TPP_BUCKET_BYTES], const tpp_call *c)
{
    const tpp_shape *shapes[3] = {&c->in[0].shape, &c->in[1].shape, &c->out[0].shape};
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < 3; i++) {
        if (shapes[i]->rank == 0) continue;
        const int64_t cols = tpp_shape_cols(shapes[i]),
                      rows = tpp_shape_count(shapes[i]) / (cols > 0 ? cols : 1);
        const int n = snprintf(out + used, TPP_BUCKET_BYTES - used, "%s%lldx%lld", i > 0 ? " " : "",
                               (long long)round_rows(rows), (long long)cols);
        if (n < 0 || (size_t)n >= TPP_BUCKET_BYTES - used) return;
        used += (size_t)n;
    }
}

tpp_status tpp_tuning_open(tpp_tuning **out)
{
    TPP_NEW(*out, 1);
    return TPP_OK;
}

void tpp_tuning_close(tpp_tuning *t)
{
    if (t == NULL) return;
    tpp_free(t->row);
    tpp_free(t->source);
    tpp_free(t);
}

static tpp_tuned *find(const tpp_tuning *t, const tpp_op *op, const char *bucket)
{
    for (int i = 0; i < t->count; i++)
        if (t->row[i].op == op && strcmp(t->row[i].bucket, bucket) == 0) return &t->row[i];
    return NULL;
}

tpp_status tpp_tuning_set(tpp_tuning *t, const tpp_tuned *row)
{
    tpp_tuned *known = find(t, row->op, row->bucket);
    if (known == NULL) {
        TPP_TRY(tpp_grow(&t->row, t->count, &t->capacity, sizeof(*t->row)));
        known = &t->row[t->count++];
    }
    *known = *row;
    return TPP_OK;
}

void tpp_tuning_drop(tpp_tuning *t, const tpp_op *op, const char *bucket)
{
    tpp_tuned *known = find(t, op, bucket);
    if (known == NULL) return;
    const size_t after = (size_t)(t->row + t->count - known - 1);
    memmove(known, known + 1, after * sizeof(*known));
    t->count--;
}

tpp_status tpp_tuning_copy(tpp_tuning **out, const tpp_tuning *t)
{
    tpp_tuning *copy = NULL;
    TPP_TRY(tpp_tuning_open(&copy));
    tpp_status s = t != NULL ? tpp_tuning_set_source(copy, tpp_tuning_source(t)) : TPP_OK;
    for (int i = 0; s == TPP_OK && t != NULL && i < t->count; i++)
        s = tpp_tuning_set(copy, &t->row[i]);
    copy->replays = t != NULL && t->replays;
    if (s == TPP_OK)
        *out = copy;
    else
        tpp_tuning_close(copy);
    return s;
}

tpp_status tpp_tuning_set_source(tpp_tuning *t, const char *path)
{
    char *copy = tpp_strdup(path);
    if (copy == NULL) return TPP_ENOMEM;
    tpp_free(t->source);
    t->source = copy;
    return TPP_OK;
}

const char *tpp_tuning_source(const tpp_tuning *t)
{
    return t->source != NULL ? t->source : "";
}

void tpp_tuning_set_replays(tpp_tuning *t, bool replays)
{
    t->replays = replays;
}

bool tpp_tuning_replays(const tpp_tuning *t)
{
    return t->replays;
}

const tpp_tuned *tpp_tuning_get(const tpp_tuning *t, const tpp_op *op, const char *bucket)
{
    return find(t, op, bucket);
}

const tpp_tuned *tpp_tuning_find(const tpp_tuning *t, const tpp_op *op, const tpp_call *c)
{
    char bucket[TPP_BUCKET_BYTES];
    tpp_tuning_bucket(bucket, c);
    return find(t, op, bucket);
}

const tpp_tuned *tpp_tuning_at(const tpp_tuning *t, int i)
{
    return i < t->count ? &t->row[i] : NULL;
}

static void close_any(void *tuning)
{
    tpp_tuning_close(tuning);
}

void tpp_tuning_attach(tpp_device *d, tpp_tuning *take)
{
    tpp_tuning_close(d->tuning);
    d->has_tuning = true;
    d->replays = take != NULL && take->replays;
    d->tuning = take;
    d->close_tuning = close_any;
}

bool tpp_device_has_tuning(const tpp_device *d)
{
    return d->has_tuning;
}

const tpp_tuning *tpp_device_tuning(const tpp_device *d)
{
    return d->tuning;
}
