/* Runs a golden model and hands over its tensors: through a session, or the text graph alone.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "infer/golden.h"
#include "infer/session.h"
#include "infer/weights.h"
#include "model/position.h"
#include "model/tpp_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 128, RGB = 3 };

/* ---- prompts ---- */

typedef struct prompts {
    int32_t ids[TPP_GOLDEN_MAX_PROMPTS][TPP_GOLDEN_MAX_TOKENS];
    tpp_prompt list[TPP_GOLDEN_MAX_PROMPTS];
    int longest;
} prompts;

static tpp_status make_prompts(prompts **out, const tpp_golden *g)
{
    prompts *p = NULL;
    TPP_NEW(p, 1);
    for (int i = 0; i < g->n_prompts; i++) {
        tpp_golden_prompt(p->ids[i], g, i);
        p->list[i] = (tpp_prompt){p->ids[i], g->length[i]};
        if (g->length[i] > p->longest) p->longest = g->length[i];
    }
    *out = p;
    return TPP_OK;
}

/* ---- the whole model ---- */

typedef struct forwarding {
    tpp_traced_sink *sink;
    void *context;
    int frame; /* from 1; 0: the text encoder's tensors, whose names are whole */
} forwarding;

static tpp_status forward_dump(void *context, const tpp_dumped *t)
{
    const forwarding *f = context;
    char name[NAME_SIZE];
    if (f->frame > 0)
        (void)snprintf(name, sizeof(name), "frame%d.%s", f->frame, t->name);
    else
        (void)snprintf(name, sizeof(name), "%s", t->name);
    const tpp_traced traced = {name, t->values, t->shape};
    return f->sink(f->context, &traced);
}

/* What the host was told, as the tensors of the same names: the indices in both forms count, and
 * the score, which only files of clips hold. */
static tpp_status forward_record(const forwarding *f, const tpp_frame_result *r)
{
    char name[NAME_SIZE];
    const double best = r->best, prompt = r->prompt, score = (double)r->score;
    (void)snprintf(name, sizeof(name), "frame%d.score", f->frame);
    const tpp_traced c = {name, &score, TPP_SHAPE(1)};
    TPP_TRY(f->sink(f->context, &c));
    (void)snprintf(name, sizeof(name), "frame%d.best", f->frame);
    const tpp_traced a = {name, &best, TPP_SHAPE(1)};
    TPP_TRY(f->sink(f->context, &a));
    (void)snprintf(name, sizeof(name), "frame%d.prompt", f->frame);
    const tpp_traced b = {name, &prompt, TPP_SHAPE(1)};
    return f->sink(f->context, &b);
}

static tpp_status take_frame(tpp_session *s, forwarding *f)
{
    tpp_frame_result result;
    TPP_TRY(tpp_session_take(s, &result));
    TPP_TRY(forward_record(f, &result));
    return tpp_session_dump(s, false, forward_dump, f);
}

/* One by one, or all of them as one clip. */
static tpp_status run_frames(tpp_session *s, const tpp_golden *g, forwarding *f)
{
    const int clip = tpp_model_config_clip(&g->config, g->frames), step = clip > 0 ? clip : 1;
    float *image = NULL;
    tpp_status status = TPP_OK;
    TPP_NEW(image, (int64_t)g->height * g->width * RGB);
    for (int t = 0; t < g->frames; t += step) {
        for (int i = 0; i < step; i++) {
            tpp_golden_image(image, g, t + i);
            TPP_TRY_OR(done, status, tpp_session_push(s, image));
        }
        for (int i = 0; i < step; i++) {
            f->frame = t + i + 1;
            TPP_TRY_OR(done, status, take_frame(s, f));
        }
    }
done:
    tpp_free(image);
    return status;
}

static tpp_status run_model(const tpp_golden *g, tpp_store *store, const prompts *p,
                            const char *algorithm, forwarding *f)
{
    const tpp_session_options options = {.height = g->height,
                                         .width = g->width,
                                         .channels = RGB,
                                         .net_height = g->height,
                                         .net_width = g->width,
                                         .normalized = true,
                                         .clip = tpp_model_config_clip(&g->config, g->frames),
                                         .dump = true,
                                         .algorithm = algorithm};
    tpp_session *session = NULL;
    TPP_TRY(tpp_session_open(&session, &g->config, store, p->list, g->n_prompts, &options));
    tpp_status s = tpp_session_dump(session, true, forward_dump, f);
    if (s == TPP_OK) s = run_frames(session, g, f);
    tpp_session_close(session);
    return s;
}

/* ---- the text encoder alone ---- */

typedef struct text_run {
    tpp_graph *graph;
    tpp_plan *plan;
    tpp_buffer *arena;
} text_run;

static tpp_status fill(const tpp_plan *plan, const char *name, const void *values, size_t bytes)
{
    tpp_shape shape;
    tpp_dtype type = TPP_F32;
    tpp_buffer *b = tpp_plan_buffer(plan, name, &shape, &type);
    if (b == NULL) return TPP_OK; /* this configuration has no such input */
    if ((size_t)tpp_shape_count(&shape) * tpp_dtype_size(type) != bytes)
        return TPP_FAIL(TPP_EINTERNAL, "text input %s is %s, got %zu bytes", name,
                        tpp_shape_text(&shape), bytes);
    return tpp_buffer_write(b, 0, values, bytes);
}

/* The tables that go with the prompts: ids, positions, valid lengths, sine codes, packed rows. */
static tpp_status fill_text(const tpp_plan *plan, const tpp_model_dims *d, const prompts *p)
{
    const int64_t words = (int64_t)d->prompts * d->length;
    const int c = d->config->model.hidden;
    int32_t *ids = NULL, *places = NULL, *packed = NULL, valid[TPP_GOLDEN_MAX_PROMPTS];
    float *sine = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW_OR(done, s, ids, words);
    TPP_NEW_OR(done, s, places, words);
    TPP_NEW_OR(done, s, packed, words);
    TPP_NEW_OR(done, s, sine, words * c);
    for (int i = 0; i < d->prompts; i++) {
        const int64_t row = (int64_t)i * d->length;
        valid[i] = p->list[i].count;
        for (int j = 0; j < d->length; j++) ids[row + j] = j < valid[i] ? p->ids[i][j] : 1;
        tpp_text_places(places + row, valid[i], d->length);
        tpp_sine1d(sine + row * c, valid[i], d->length, c);
    }
    (void)tpp_text_pack(packed, valid, d->prompts, d->length);
    TPP_TRY_OR(done, s, fill(plan, "ids", ids, (size_t)words * 4));
    TPP_TRY_OR(done, s, fill(plan, "places", places, (size_t)words * 4));
    TPP_TRY_OR(done, s, fill(plan, "valid", valid, (size_t)d->prompts * 4));
    TPP_TRY_OR(done, s, fill(plan, "word_pos", sine, (size_t)(words * c) * 4));
    s = fill(plan, "packed", packed, (size_t)words * 4);
done:
    tpp_free(sine);
    tpp_free(packed);
    tpp_free(places);
    tpp_free(ids);
    return s;
}

static tpp_status forward_result(const forwarding *f, const tpp_plan_result *r)
{
    const int64_t n = tpp_shape_count(&r->shape);
    float *values = NULL;
    double *wide = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW_OR(done, s, values, n);
    TPP_NEW_OR(done, s, wide, n);
    TPP_TRY_OR(done, s, tpp_buffer_read(r->buffer, 0, values, (size_t)n * sizeof(float)));
    for (int64_t i = 0; i < n; i++) wide[i] = (double)values[i];
    const tpp_traced traced = {r->name, wide, r->shape};
    s = f->sink(f->context, &traced);
done:
    tpp_free(wide);
    tpp_free(values);
    return s;
}

static tpp_status forward_results(const tpp_plan *plan, const forwarding *f)
{
    tpp_plan_result r;
    for (int i = 0; tpp_plan_result_at(plan, i, &r); i++)
        if (r.is_mark && r.type == TPP_F32) TPP_TRY(forward_result(f, &r));
    return TPP_OK;
}

static tpp_status run_text_plan(text_run *t, const tpp_model_dims *d, tpp_store *store,
                                const prompts *p, const char *algorithm)
{
    const tpp_plan_options options = {.name = "text", .algorithm = algorithm, .keep_marks = true};
    TPP_TRY(tpp_graph_open(&t->graph));
    TPP_TRY(tpp_build_text(t->graph, d));
    TPP_TRY(tpp_plan_open(&t->plan, t->graph, store, &options));
    TPP_TRY(tpp_buffer_open_for(&t->arena, tpp_store_device(store), tpp_plan_arena_bytes(t->plan),
                                "plan text: activations"));
    TPP_TRY(tpp_plan_record(t->plan, t->arena));
    TPP_TRY(fill_text(t->plan, d, p));
    TPP_TRY(tpp_plan_run(t->plan));
    return tpp_device_finish(tpp_store_device(store));
}

static tpp_status run_text(const tpp_golden *g, tpp_store *store, const prompts *p,
                           const char *algorithm, const forwarding *f)
{
    tpp_model_dims d;
    text_run t = {0};
    TPP_TRY(tpp_model_dims_set(&d, &g->config, g->height, g->width, g->n_prompts, p->longest));
    tpp_status s = run_text_plan(&t, &d, store, p, algorithm);
    if (s == TPP_OK) s = forward_results(t.plan, f);
    tpp_plan_close(t.plan);
    tpp_buffer_close(t.arena);
    tpp_graph_close(t.graph);
    return s;
}

tpp_status tpp_golden_run(const tpp_golden *g, tpp_device *device, const char *algorithm,
                          tpp_traced_sink *sink, void *context)
{
    uint64_t seed = g->seed;
    tpp_store *store = NULL;
    prompts *p = NULL;
    forwarding f = {sink, context, 0};
    tpp_status s = TPP_OK;
    TPP_TRY_OR(done, s, make_prompts(&p, g));
    TPP_TRY_OR(done, s, tpp_store_open(&store, device, tpp_synth_source, &seed));
    s = g->text_only ? run_text(g, store, p, algorithm, &f) : run_model(g, store, p, algorithm, &f);
done:
    tpp_store_close(store);
    tpp_free(p);
    return s;
}
