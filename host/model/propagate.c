/* What goes from frame to frame.
 * SPDX-License-Identifier: MIT */
#include "model/propagate.h"

#include "model/blocks.h"

static const tpp_track no_track = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};

tpp_track tpp_first_track(tpp_graph *g, const tpp_model_dims *d)
{
    const int64_t q = d->config->model.num_queries, c = d->config->model.hidden;
    tpp_track track = no_track;
    const tpp_value embed = tpp_param(g, "query_embed.weight", TPP_SHAPE(q, c));
    track.qpos = tpp_reshape(g, embed, TPP_SHAPE(1, q, c));
    track.ref = tpp_linear(g, track.qpos, "transformer.reference_points", 2);
    return track;
}

/* ---- content ---- */

static bool starts_from_zeros(const struct tpp_model_config *c)
{
    return c->query.init == TPP_QUERY_INIT_ZEROS || c->text.ablate;
}

bool tpp_reads_sentence(const struct tpp_model_config *c, bool is_first)
{
    return !starts_from_zeros(c) && (is_first || !c->prop.query);
}

tpp_value tpp_initial_content(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                              const tpp_track *track)
{
    const int64_t b = tpp_shape_of(g, in->image.encoder).d[0];
    tpp_shape s = tpp_shape_of(g, track->qpos);
    s.d[0] = b;
    if (track->content != TPP_NONE && d->config->prop.query) return track->content;
    if (starts_from_zeros(d->config)) return tpp_zeros(g, s);
    const tpp_value content = tpp_gather_rows(g, in->sentence, in->image.prompt, (int)s.d[1]);
    return b == 1 ? content : tpp_reshape(g, content, s);
}

/* ---- which queries ---- */

/* Largest logit of each query: [1, Q, K] to [1, Q, 1]. There is no maximum over rows, so each
 * query's class is found and its logit fetched; sigmoid keeps the order and is left out. */
static tpp_value class_scores(tpp_graph *g, tpp_value logit)
{
    const tpp_shape s = tpp_shape_of(g, logit);
    tpp_value scores = TPP_NONE;
    if (tpp_graph_status(g) != TPP_OK || s.d[2] == 1) return logit;
    for (int64_t q = 0; q < s.d[1]; q++) {
        const tpp_value row = tpp_slice(g, logit, 1, q, 1);
        const tpp_value class = tpp_argmax(g, tpp_reshape(g, row, TPP_SHAPE(1, s.d[2])));
        const tpp_value one =
            tpp_gather_rows(g, tpp_reshape(g, row, TPP_SHAPE(1, s.d[2], 1)), class, 1);
        scores = q == 0 ? one : tpp_concat(g, 1, 2, (tpp_value[]){scores, one});
    }
    return scores;
}

tpp_value tpp_query_scores(tpp_graph *g, const tpp_model_dims *d, tpp_value logit)
{
    const tpp_shape s = tpp_shape_of(g, logit);
    if (d->config->mode == TPP_MODE_ONLINE || tpp_graph_status(g) != TPP_OK) return logit;
    const tpp_value p = tpp_activate(g, logit, TPP_ACT_SIGMOID);
    const tpp_shape frames = TPP_SHAPE(1, s.d[0], s.d[1] * s.d[2]);
    const tpp_value mean = tpp_mean_tokens(g, tpp_reshape(g, p, frames), TPP_NONE, 1);
    return tpp_reshape(g, mean, TPP_SHAPE(1, s.d[1], s.d[2]));
}

tpp_value tpp_best_query(tpp_graph *g, tpp_value logit)
{
    if (tpp_shape_of(g, logit).d[1] == 1) return tpp_every_row(g, 1); /* the only one */
    const tpp_value scores = class_scores(g, logit);
    const tpp_shape s = tpp_shape_of(g, scores);
    return tpp_argmax(g, tpp_reshape(g, scores, TPP_SHAPE(1, tpp_shape_count(&s))));
}

static tpp_value best_queries(tpp_graph *g, tpp_value logit, int k)
{
    const tpp_topk_attr attr = {.k = k};
    const tpp_value scores = class_scores(g, logit);
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "topk", &attr, 1, &scores, out);
    return out[0];
}

tpp_value tpp_pick_queries(tpp_graph *g, tpp_value x, tpp_value index)
{
    const tpp_shape s = tpp_shape_of(g, x);
    return s.d[1] == 1 ? x : tpp_gather_rows_of_each(g, x, index, (int)s.d[0]);
}

/* ---- state ---- */

/* LN(x + W2 relu(W1 x)); with prop.query_net=mlp3 one linear and ReLU more. */
static tpp_value track_embed(tpp_graph *g, const tpp_model_dims *d, tpp_value x, const char *p)
{
    const int64_t c = d->config->model.hidden;
    if (d->config->prop.query_net == TPP_QUERY_NET_LINEAR2)
        return tpp_norm(g, tpp_ffn_of(g, x, p, c), TPP_NAME("%s.norm", p));
    tpp_value y = tpp_activate(g, tpp_linear(g, x, TPP_NAME("%s.linear1", p), c), TPP_ACT_RELU);
    y = tpp_activate(g, tpp_linear(g, y, TPP_NAME("%s.linear2", p), c), TPP_ACT_RELU);
    y = tpp_add(g, x, tpp_linear(g, y, TPP_NAME("%s.linear3", p), c));
    return tpp_norm(g, y, TPP_NAME("%s.norm", p));
}

/* The best mask at the size of level 0. */
static tpp_value small_mask(tpp_graph *g, const tpp_model_dims *d, tpp_value mask)
{
    const tpp_map m = {.v = mask, .height = d->res[0].height, .width = d->res[0].width};
    const tpp_map_size *to = &d->level[0];
    return tpp_resample(g, m, to->height, to->width, TPP_RESAMPLE_BILINEAR).v;
}

/* A box becomes the next reference; without prop.box the query keeps the one it started with. */
static tpp_value next_reference(tpp_graph *g, const tpp_model_dims *d, const tpp_track *track,
                                tpp_value box, tpp_value order)
{
    const tpp_value ref = d->config->prop.box ? tpp_activate(g, tpp_pick_queries(g, box, order),
                                                             TPP_ACT_INVERSE_SIGMOID)
                                              : tpp_pick_queries(g, track->ref, order);
    return tpp_stop_gradient(g, ref);
}

/* Gradients (model.md 4.4): boxes and masks stop, content and qpos pass; memory keys and values
 * pass to their convolutions and stop before the features (memory.h). */
tpp_track tpp_next_track(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                         const tpp_track *track, const tpp_frame_outputs *out)
{
    const struct tpp_model_config *c = d->config;
    const int last = c->model.dec_layers - 1;
    if (!tpp_model_propagates(c)) return tpp_first_track(g, d);
    const tpp_value order = in->keep > 1 ? best_queries(g, out->logit[last], in->keep) : out->best;
    tpp_track next = no_track;
    next.ref = next_reference(g, d, track, out->box[last], order);
    next.qpos = tpp_pick_queries(g, track->qpos, order);
    if (c->prop.update_pos) next.qpos = track_embed(g, d, next.qpos, "track_pos_embed");
    if (c->prop.query)
        next.content = track_embed(g, d, tpp_pick_queries(g, out->hs[last], order), "track_embed");
    if (!c->prop.mask) return next;
    next.mask = tpp_stop_gradient(g, small_mask(g, d, out->best_mask));
    if (c->mem.source == TPP_MEM_SOURCE_PREV) {
        next.key = in->image.memory_key;
        next.value = in->image.memory_value;
    }
    return next;
}
