/* Plans of a session: sizes, the graph of each, and which frame graphs a sequence needs.
 * SPDX-License-Identifier: MIT */
#include "infer/session.h"
#include "infer/session_internal.h"
#include "ops/resize_plan.h"

#include <math.h>
#include <stdio.h>

/* ---- sizes ---- */

static int at_least(double size)
{
    return size < TPP_MIN_SIDE ? TPP_MIN_SIDE : (int)size;
}

void tpp_net_size(const struct tpp_model_config *config, int height, int width, int *net_height,
                  int *net_width)
{
    const double shorter = height < width ? height : width,
                 longer = height < width ? width : height;
    double side = config->infer.short_side;
    if (config->infer.max > 0 && longer / shorter * side > config->infer.max)
        side = nearbyint(config->infer.max * shorter / longer); /* ties to even, as the source */
    const double other = floor(side * longer / shorter);
    *net_height = at_least(height < width ? side : height == width ? side : other);
    *net_width = at_least(height < width ? other : side);
    if (config->infer.max > 0 && *net_height > config->infer.max) *net_height = config->infer.max;
    if (config->infer.max > 0 && *net_width > config->infer.max) *net_width = config->infer.max;
}

tpp_frame_spec tpp_session_spec(const tpp_session *s, int64_t t, int before)
{
    const bool first = t == 1 || !tpp_model_propagates(s->config);
    const int queries =
        first ? s->config->model.num_queries : tpp_model_config_queries(s->config, (int)t, before);
    tpp_frame_spec spec = {.queries = first ? 0 : queries,
                           .all_masks = s->options.dump,
                           .frames = tpp_session_frames(s)};
    spec.keep = tpp_model_config_queries(s->config, (int)t + 1, queries);
    return spec;
}

/* ---- plans ---- */

typedef tpp_status graph_builder(tpp_graph *g, const tpp_session *s, const void *spec);

static tpp_status open_plan(tpp_plan **out, tpp_session *s, const char *name, graph_builder *build,
                            const void *spec)
{
    tpp_graph *g = NULL;
    const tpp_plan_options options = {
        .name = name, .algorithm = s->options.algorithm, .keep_marks = s->options.dump};
    TPP_TRY(tpp_graph_open(&g));
    tpp_status status = build(g, s, spec);
    if (status == TPP_OK) status = tpp_plan_open(out, g, s->store, &options);
    tpp_graph_close(g);
    if (status == TPP_ESHAPE && s->options.clip > 1) /* kernels index up to 2^31 */
        return TPP_FAIL(TPP_EDEVMEM,
                        "%d frames of %dx%d together are too much for any device (%s): take "
                        "smaller frames (infer.short, infer.max) or shorter clips (infer.clip)",
                        s->options.clip, s->dims.height, s->dims.width, tpp_error());
    return status;
}

static tpp_status build_text(tpp_graph *g, const tpp_session *s, const void *spec)
{
    (void)spec;
    return tpp_build_text(g, &s->dims);
}

static tpp_status build_backbone(tpp_graph *g, const tpp_session *s, const void *spec)
{
    (void)spec;
    return tpp_build_backbone(g, &s->dims, s->batch);
}

static tpp_status build_encode(tpp_graph *g, const tpp_session *s, const void *spec)
{
    (void)spec;
    return tpp_build_encode(g, &s->dims, s->batch);
}

/* One pass of the resize over the middle axis of `x` [outer, n, inner]. */
static tpp_value resize_axis(tpp_graph *g, tpp_value x, int64_t outer, int64_t inner,
                             const tpp_resize_plan *r)
{
    char key[96];
    const tpp_resize_axis_attr attr = {.outer = outer,
                                       .n = r->n,
                                       .inner = inner,
                                       .m = r->m,
                                       .taps = r->taps,
                                       .out = TPP_SHAPE(outer, r->m, inner)};
    (void)snprintf(key, sizeof(key), "resize bounds %lld to %lld", (long long)r->n,
                   (long long)r->m);
    const tpp_value bounds = tpp_constant(g, key, TPP_I32, TPP_SHAPE(r->m, 2), r->bounds);
    (void)snprintf(key, sizeof(key), "resize weights %lld to %lld", (long long)r->n,
                   (long long)r->m);
    const tpp_value weights = tpp_constant(g, key, TPP_I32, TPP_SHAPE(r->m, r->taps), r->weights);
    tpp_value y = TPP_NONE;
    const tpp_value in[] = {tpp_reshape(g, x, TPP_SHAPE(outer, r->n, inner)), bounds, weights};
    (void)tpp_node(g, "resize_axis", &attr, 3, in, &y);
    return y;
}

/* Both passes, in Pillow's order; one that changes nothing is left out. */
static tpp_value resize_image(tpp_graph *g, const tpp_session *s, tpp_value x,
                              const tpp_resize_plan *across, const tpp_resize_plan *down)
{
    const int64_t batch = s->batch, channels = s->options.channels;
    const bool down_first = tpp_resize_rows_first(down->n, across->n, down->m, across->m);
    for (int pass = 0; pass < 2; pass++) {
        if ((pass == 0) == down_first) {
            const int64_t width = pass == 0 ? across->n : across->m;
            if (down->n != down->m) x = resize_axis(g, x, batch, width * channels, down);
        } else {
            const int64_t height = pass == 0 ? down->n : down->m;
            if (across->n != across->m) x = resize_axis(g, x, batch * height, channels, across);
        }
    }
    return x;
}

/* Bytes [B, height, width, channels] to the network's normalised input [B, H*W, 3]. */
static tpp_status build_image(tpp_graph *g, const tpp_session *s, const void *spec)
{
    (void)spec;
    const tpp_session_options *o = &s->options;
    const int64_t batch = s->batch, channels = o->channels;
    tpp_resize_plan across = {0}, down = {0};
    TPP_TRY(tpp_resize_plan_make(&across, o->width, s->dims.width));
    tpp_status status = tpp_resize_plan_make(&down, o->height, s->dims.height);
    if (status == TPP_OK) {
        tpp_normalize_attr attr = {0};
        for (int i = 0; i < 3; i++) {
            attr.mean[i] = (float)s->config->image.mean[i];
            attr.std[i] = (float)s->config->image.std[i];
        }
        tpp_value x =
            tpp_input(g, "pixels", TPP_U8, TPP_SHAPE(batch * o->height * o->width, channels));
        x = resize_image(g, s, x, &across, &down);
        const int64_t pixels = (int64_t)s->dims.height * s->dims.width;
        x = tpp_reshape(g, x, TPP_SHAPE(batch * pixels, channels));
        tpp_value y = TPP_NONE;
        (void)tpp_node(g, "normalize_image", &attr, 1, &x, &y);
        tpp_output(g, "image", tpp_reshape(g, y, TPP_SHAPE(batch, pixels, 3)));
        status = tpp_graph_status(g);
    }
    tpp_resize_plan_free(&across);
    tpp_resize_plan_free(&down);
    return status;
}

/* The frame graph, and behind it the masks in the size of the input. */
static tpp_status build_frame(tpp_graph *g, const tpp_session *s, const void *spec)
{
    TPP_TRY(tpp_build_frame(g, &s->dims, spec));
    const tpp_resize_mask_attr attr = {.height = s->dims.res[0].height,
                                       .width = s->dims.res[0].width,
                                       .out_height = s->options.height,
                                       .out_width = s->options.width,
                                       .threshold = s->logit_threshold};
    const tpp_value logits = tpp_graph_named(g, "best_mask");
    tpp_value mask = TPP_NONE;
    (void)tpp_node(g, "resize_mask", &attr, 1, &logits, &mask);
    tpp_output(g, "mask_pixels", mask);
    if (s->options.probabilities) {
        const tpp_map map = {.v = logits, .height = attr.height, .width = attr.width};
        tpp_output(g, "mask_logits",
                   tpp_resample(g, map, attr.out_height, attr.out_width, TPP_RESAMPLE_BILINEAR).v);
    }
    return tpp_graph_status(g);
}

static tpp_status open_frame_plans(tpp_session *s)
{
    /* Beyond the list of prop.topk its last number repeats, so that the plans do too. */
    const int last = s->config->prop.topk.count + 2;
    int queries = 0;
    for (int t = 1; t <= last; t++) {
        const tpp_frame_spec spec = tpp_session_spec(s, t, queries);
        queries = spec.queries > 0 ? spec.queries : s->config->model.num_queries;
        bool known = false;
        for (int i = 0; i < s->n_frames; i++)
            known = known || (s->frame[i].spec.queries == spec.queries &&
                              s->frame[i].spec.keep == spec.keep);
        if (known) continue;
        if (s->n_frames == TPP_MAX_FRAME_PLANS)
            return TPP_FAIL(TPP_EUNSUPPORTED, "prop.topk asks for more than %d different frames",
                            TPP_MAX_FRAME_PLANS);
        tpp_frame_plan *f = &s->frame[s->n_frames];
        f->spec = spec;
        const char *name = s->options.clip > 0 ? "clip" : spec.queries == 0 ? "first" : "next";
        TPP_TRY(open_plan(&f->plan, s, name, build_frame, &spec));
        s->n_frames++;
    }
    return TPP_OK;
}

tpp_status tpp_session_open_plans(tpp_session *s)
{
    TPP_TRY(open_plan(&s->text, s, "text", build_text, NULL));
    if (s->options.images == NULL) {
        if (!s->options.normalized) TPP_TRY(open_plan(&s->image, s, "image", build_image, NULL));
        TPP_TRY(open_plan(&s->backbone, s, "backbone", build_backbone, NULL));
    }
    TPP_TRY(open_plan(&s->encode, s, "encode", build_encode, NULL));
    return open_frame_plans(s);
}
