/* Gradients of a graph: two frames of the real model unrolled with the state as a value, the
 * gradient flowing from frame 2 into frame 1 through the query content.
 *
 * Three computations must agree: central finite differences of the forward graph in float64, the
 * backward nodes in float64 (both by the references), and the planned graph on the device.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/synth.h"
#include "infer/weights.h"
#include "interpret.h"
#include "model/tpp_model.h"
#include "nn/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

enum { SIDE = 32, PROMPTS = 3, LENGTH = 5, WRT = 6 };

/* What gradients are asked of: a parameter of both frames' decoder, of the link between frames, of
 * the offsets that sampling moves by, and the sentence that frame 1 starts from. */
static const char *const wrt_names[WRT] = {
    "track_embed.linear1.weight",
    "transformer.decoder.layers.0.linear1.weight",
    "transformer.decoder.layers.0.cross_attn.sampling_offsets.weight",
    "transformer.decoder.layers.0.self_attn.in_proj_weight",
    "transformer.decoder.layers.0.norm3.bias",
    "frame1.sentence",
};

typedef struct clip {
    struct tpp_model_config config;
    tpp_model_dims dims;
    tpp_graph *graph;
    tpp_value output, seed; /* hs of frame 2 and what it is multiplied with */
    tpp_value wrt[WRT], grad[WRT];
} clip;

static void check(tpp_status s)
{
    if (s != TPP_OK) fail_msg("%s", tpp_error());
}

static void small_config(struct tpp_model_config *c)
{
    check(tpp_model_config_init(c));
    c->backbone.name = TPP_BACKBONE_TINY;
    c->model.hidden = c->model.mask_dim = 32;
    c->model.heads = 4;
    c->model.ffn = 64;
    c->model.enc_layers = c->model.dec_layers = 1;
    check(tpp_model_config_check(c));
}

/* An input "frameT.NAME". */
static tpp_value frame_input(tpp_graph *g, int t, const char *name, tpp_dtype type, tpp_shape shape)
{
    char full[64];
    (void)snprintf(full, sizeof(full), "frame%d.%s", t, name);
    return tpp_input(g, full, type, shape);
}

static tpp_frame_inputs frame_inputs(clip *c, int t)
{
    tpp_graph *g = c->graph;
    const tpp_model_dims *d = &c->dims;
    const int64_t hidden = c->config.model.hidden, hw0 = tpp_map_tokens(&d->level[0]);
    const tpp_shape memory = TPP_SHAPE(1, hw0, hidden);
    tpp_frame_inputs in = {.keep = 1};
    in.image.encoder = frame_input(g, t, "encoder", TPP_F32, TPP_SHAPE(1, d->tokens, hidden));
    in.image.mask_features =
        frame_input(g, t, "mask_features", TPP_F32,
                    TPP_SHAPE(1, tpp_map_tokens(&d->res[0]), c->config.model.mask_dim));
    in.image.prompt = frame_input(g, t, "prompt", TPP_I32, TPP_SHAPE(1));
    in.image.memory_key = frame_input(g, t, "memory_key", TPP_F32, memory);
    in.image.memory_value = frame_input(g, t, "memory_value", TPP_F32, memory);
    in.sentence = frame_input(g, 1, "sentence", TPP_F32, TPP_SHAPE(1, PROMPTS, hidden));
    in.res2 = TPP_NONE;
    return in;
}

/* `smooth`: only the query content is carried on. Boxes and masks are carried without gradient,
 * which finite differences know nothing of. */
static void open_clip(clip *c, bool smooth)
{
    memset(c, 0, sizeof(*c));
    small_config(&c->config);
    c->config.prop.box = c->config.prop.mask = !smooth;
    check(tpp_model_dims_set(&c->dims, &c->config, SIDE, SIDE, PROMPTS, LENGTH));
    check(tpp_graph_open(&c->graph));
    tpp_graph *g = c->graph;
    tpp_track track = tpp_first_track(g, &c->dims);
    tpp_frame_outputs out = {0};
    for (int t = 1; t <= 2; t++) {
        const tpp_frame_inputs in = frame_inputs(c, t);
        out = tpp_frame(g, &c->dims, &in, &track);
        track = out.next;
    }
    c->output = out.hs[0];
    c->seed = tpp_input(g, "seed", TPP_F32, tpp_shape_of(g, c->output));
    check(tpp_graph_status(g));
    for (int i = 0; i < WRT; i++) {
        char key[128];
        (void)snprintf(key, sizeof(key), "%s %s", i == WRT - 1 ? "input" : "param", wrt_names[i]);
        const tpp_table_entry *e = tpp_table_find(&g->leaves, key);
        if (e == NULL) fail_msg("the graph has no %s", key);
        c->wrt[i] = (tpp_value)e->value.number;
    }
    check(tpp_backward(g, c->output, c->seed, WRT, c->wrt, c->grad));
}

/* Leaves: parameters by the synthetic rule, inputs uniform; one element of one leaf moved. */
typedef struct moved {
    tpp_value leaf;
    int64_t element;
    double by;
    const tpp_graph *graph;
} moved;

static void fill_leaf(void *context, const tpp_value_info *leaf, double *out)
{
    const moved *m = context;
    const int64_t n = tpp_shape_count(&leaf->shape);
    uint64_t seed = 3;
    if (leaf->kind == TPP_VALUE_PARAM) {
        float *values = tpp_calloc((size_t)n, sizeof(*values));
        assert_non_null(values);
        check(tpp_synth_source(&seed, leaf->name, &leaf->shape, values));
        for (int64_t i = 0; i < n; i++) out[i] = values[i];
        tpp_free(values);
    } else {
        const uint64_t key = tpp_synth_key(leaf->name, seed);
        for (int64_t i = 0; i < n; i++)
            out[i] = leaf->type == TPP_I32 ? 1.0 : (float)tpp_synth_value(key, (uint64_t)i);
    }
    if (m->leaf >= 0 && leaf == &m->graph->value[m->leaf]) out[m->element] += m->by;
}

static double dot_with_seed(const clip *c, double **e)
{
    const tpp_shape s = tpp_shape_of(c->graph, c->output);
    const double *y = interpret_get(c->graph, e, c->output);
    const double *w = interpret_get(c->graph, e, c->seed);
    double sum = 0;
    for (int64_t i = 0; i < tpp_shape_count(&s); i++) sum += y[i] * w[i];
    return sum;
}

static double moved_output(const clip *c, tpp_value leaf, int64_t element, double by)
{
    double **e = NULL;
    moved m = {.leaf = leaf, .element = element, .by = by, .graph = c->graph};
    e = interpret(c->graph, fill_leaf, &m);
    const double y = dot_with_seed(c, e);
    interpret_free(c->graph, e);
    return y;
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    enum { TRIES = 12 };
    const double step = 1e-6;
    clip c;
    double **e = NULL;
    open_clip(&c, true);
    moved none = {.leaf = -1, .graph = c.graph};
    e = interpret(c.graph, fill_leaf, &none);
    for (int i = 0; i < WRT; i++) {
        assert_true(c.grad[i] != TPP_NONE);
        const tpp_shape shape = tpp_shape_of(c.graph, c.wrt[i]);
        const int64_t n = tpp_shape_count(&shape);
        const double *got = interpret_get(c.graph, e, c.grad[i]);
        double largest = 0;
        for (int64_t j = 0; j < n; j++) largest = fmax(largest, fabs(got[j]));
        assert_true(largest > 1e-6); /* the gradient does flow */
        for (int64_t k = 0; k < TRIES; k++) {
            const int64_t j = k * n / TRIES + k * 7 % (n / TRIES);
            const double want =
                (moved_output(&c, c.wrt[i], j, step) - moved_output(&c, c.wrt[i], j, -step)) /
                (2 * step);
            if (fabs(got[j] - want) > 1e-5 * largest)
                fail_msg("%s[%lld]: backward %.9g, finite differences %.9g, largest %.3g",
                         wrt_names[i], (long long)j, got[j], want, largest);
        }
    }
    interpret_free(c.graph, e);
    tpp_graph_close(c.graph);
}

/* Without the content that is carried on, track_embed gets no gradient and frame 1 none either. */
static void gradient_flows_through_the_query_content_only(void **state)
{
    (void)state;
    clip c;
    memset(&c, 0, sizeof(c));
    small_config(&c.config);
    c.config.prop.query = false;
    check(tpp_model_dims_set(&c.dims, &c.config, SIDE, SIDE, PROMPTS, LENGTH));
    check(tpp_graph_open(&c.graph));
    tpp_track track = tpp_first_track(c.graph, &c.dims);
    tpp_frame_outputs first = {0}, out = {0};
    for (int t = 1; t <= 2; t++) {
        const tpp_frame_inputs in = frame_inputs(&c, t);
        out = tpp_frame(c.graph, &c.dims, &in, &track);
        track = out.next;
        if (t == 1) first = out;
    }
    const tpp_value seed = tpp_input(c.graph, "seed", TPP_F32, tpp_shape_of(c.graph, out.hs[0]));
    tpp_value grad = 0;
    check(tpp_backward(c.graph, out.hs[0], seed, 1, &first.hs[0], &grad));
    assert_int_equal(grad, TPP_NONE);
    tpp_graph_close(c.graph);
}

static tpp_status source(void *context, const char *name, const tpp_shape *shape, float *out)
{
    return tpp_synth_source(context, name, shape, out);
}

/* Every input of the plan as the float64 run had it. */
static void upload_inputs(const clip *c, double **e, const tpp_plan *p)
{
    for (int v = 0; v < c->graph->n_values; v++) {
        const tpp_value_info *info = &c->graph->value[v];
        tpp_buffer *b =
            info->kind == TPP_VALUE_INPUT ? tpp_plan_buffer(p, info->name, NULL, NULL) : NULL;
        if (b == NULL) continue;
        const int64_t n = tpp_shape_count(&info->shape);
        float *values = tpp_calloc((size_t)n, sizeof(*values));
        assert_non_null(values);
        for (int64_t i = 0; i < n; i++)
            if (info->type == TPP_I32)
                ((int32_t *)(void *)values)[i] = (int32_t)e[v][i];
            else
                values[i] = (float)e[v][i];
        check(tpp_buffer_write(b, 0, values, (size_t)n * sizeof(*values)));
        tpp_free(values);
    }
}

static void the_planned_clip_agrees_with_the_reference(void **state)
{
    (void)state;
    uint64_t seed = 3;
    clip c;
    double **e = NULL;
    tpp_device *d = NULL;
    tpp_store *store = NULL;
    tpp_plan *p = NULL;
    tpp_buffer *arena = NULL;
    open_clip(&c, false);
    moved none = {.leaf = -1, .graph = c.graph};
    e = interpret(c.graph, fill_leaf, &none);
    for (int i = 0; i < WRT; i++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "grad.%s", wrt_names[i]);
        tpp_output(c.graph, name, c.grad[i]);
    }
    check(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    check(tpp_store_open(&store, d, source, &seed));
    const tpp_plan_options options = {.name = "clip"};
    check(tpp_plan_open(&p, c.graph, store, &options));
    check(tpp_buffer_open(&arena, d, tpp_plan_arena_bytes(p)));
    check(tpp_plan_record(p, arena));
    upload_inputs(&c, e, p);
    check(tpp_plan_run(p));
    for (int i = 0; i < WRT; i++) {
        tpp_plan_result r = {0};
        assert_true(tpp_plan_result_at(p, i, &r));
        const int64_t n = tpp_shape_count(&r.shape);
        const double *want = interpret_get(c.graph, e, c.grad[i]);
        float *got = tpp_calloc((size_t)n, sizeof(*got));
        assert_non_null(got);
        check(tpp_buffer_read(r.buffer, 0, got, (size_t)n * sizeof(*got)));
        double off = 0, norm = 0; /* the reference's measure: 1e-3 in the 2-norm */
        for (int64_t j = 0; j < n; j++) {
            off += (got[j] - want[j]) * (got[j] - want[j]);
            norm += want[j] * want[j];
        }
        if (!(sqrt(off) <= 1e-4 * sqrt(norm)))
            fail_msg("%s: off by %.3g of its norm %.3g", r.name, sqrt(off / norm), sqrt(norm));
        tpp_free(got);
    }
    tpp_plan_close(p);
    tpp_buffer_close(arena);
    tpp_store_close(store);
    tpp_device_close(d);
    interpret_free(c.graph, e);
    tpp_graph_close(c.graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(gradient_flows_through_the_query_content_only),
        cmocka_unit_test(the_planned_clip_agrees_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
