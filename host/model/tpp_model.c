/* Assembly of the model: image encoding, one frame, and the five graphs of inference.
 * SPDX-License-Identifier: MIT */
#include "model/tpp_model.h"

#include "model/backbone.h"
#include "model/blocks.h"
#include "model/deform.h"
#include "model/fusion.h"
#include "model/mask_head.h"
#include "model/memory.h"
#include "model/pixel_decoder.h"
#include "model/propagate.h"

enum { GROUPS = 32 };

void tpp_backbone(tpp_graph *g, const tpp_model_dims *d, tpp_value image, tpp_map res[TPP_STAGES])
{
    const tpp_map x = {.v = image, .height = d->height, .width = d->width};
    tpp_backbone_resnet(g, tpp_backbone_resnet_find(d->config->backbone.name), x, res);
    for (int i = 0; i < TPP_STAGES; i++)
        tpp_mark(g, res[i].height, res[i].width, res[i].v, "res%d", i + 2);
}

/* ---- encoding an image ---- */

/* Level l at width C: 1x1 on stages 8, 16 and 32; the fourth is a strided 3x3 on the last stage. */
static tpp_value project_level(tpp_graph *g, const tpp_model_dims *d, const tpp_map res[TPP_STAGES],
                               int l)
{
    const int c = d->config->model.hidden;
    const bool extra = l + 1 >= TPP_STAGES;
    const tpp_conv same = {.cout = c, .kernel = 1, .stride = 1, .bias = true};
    const tpp_conv down = {.cout = c, .kernel = 3, .stride = 2, .pad = 1, .bias = true};
    const tpp_map x = tpp_conv2d(g, res[extra ? TPP_STAGES - 1 : l + 1],
                                 TPP_NAME("input_proj.%d.0", l), extra ? down : same);
    return tpp_groupnorm(g, x.v, TPP_NAME("input_proj.%d.1", l), GROUPS, TPP_ACT_NONE);
}

tpp_encoding tpp_encode(tpp_graph *g, const tpp_model_dims *d, const tpp_map res[TPP_STAGES],
                        const tpp_text *text)
{
    tpp_value level[TPP_MAX_LEVELS];
    tpp_encoding out = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    for (int l = 0; l < d->levels; l++) level[l] = project_level(g, d, res, l);
    const tpp_value x = tpp_concat(g, 1, d->levels, level);
    const tpp_fused fused = tpp_fusion(g, d, x, text);
    for (int l = 0; l < d->levels; l++) {
        tpp_mark(g, 0, 0, fused.weight[l], "prompt_weight%d", l);
        tpp_mark(g, 0, 0, tpp_level_map(g, d, fused.x, l).v, "src%d", l);
    }
    out.prompt = tpp_choose_prompt(g, d, tpp_shape_of(g, fused.x).d[0], fused.weight);
    out.encoder = tpp_deform_encoder(g, d, fused.x);
    tpp_mark(g, 0, 0, out.prompt, "prompt");
    tpp_mark(g, 0, 0, out.encoder, "encoder");
    if (!d->config->mem.fpn)
        out.mask_features = tpp_pixel_decoder(g, d, out.encoder, res[0], text, out.prompt);
    if (d->config->prop.mask) tpp_memory_encode(g, d, &out);
    return out;
}

/* ---- one frame ---- */

/* What the decoder attends to. */
static tpp_value decoder_value(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                               const tpp_track *track)
{
    const bool prev = d->config->mem.source == TPP_MEM_SOURCE_PREV;
    if (track->mask == TPP_NONE || !d->config->prop.mask) return in->image.encoder;
    return tpp_memory_read(g, d, in->image.encoder, track->mask,
                           prev ? track->key : in->image.memory_key,
                           prev ? track->value : in->image.memory_value);
}

/* All queries' masks when they are asked for, else the best query's alone. */
static void make_masks(tpp_graph *g, const tpp_model_dims *d, bool all, tpp_frame_outputs *out)
{
    const int last = d->config->model.dec_layers - 1;
    tpp_value one;
    if (all) {
        out->masks = tpp_mask_head(g, d, out->hs[last], out->box[last], out->mask_features);
        one = tpp_pick_queries(g, out->masks, out->best);
    } else {
        one = tpp_mask_head(g, d, tpp_pick_queries(g, out->hs[last], out->best),
                            tpp_pick_queries(g, out->box[last], out->best), out->mask_features);
    }
    const int64_t b = tpp_shape_of(g, out->hs[last]).d[0];
    out->best_mask = tpp_reshape(g, one, TPP_SHAPE(b, tpp_map_tokens(&d->res[0]), 1));
    if (out->masks != TPP_NONE) {
        const tpp_shape shape = tpp_shape_of(g, out->masks);
        const tpp_shape maps = TPP_SHAPE(b * shape.d[1], d->res[0].height, d->res[0].width);
        tpp_mark(g, 0, 0, tpp_reshape(g, out->masks, maps), "mask");
    }
}

static tpp_value make_record(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_outputs *out,
                             tpp_value prompt)
{
    const tpp_frame_record_attr attr = {0};
    const int last = d->config->model.dec_layers - 1;
    const tpp_value in[] = {out->box[last], out->scores, out->best, prompt};
    tpp_value record[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "frame_record", &attr, 4, in, record);
    return record[0];
}

static tpp_frame_outputs no_outputs(void)
{
    tpp_frame_outputs out = {
        .masks = TPP_NONE, .scores = TPP_NONE, .best_mask = TPP_NONE, .record = TPP_NONE};
    for (int j = 0; j < TPP_MAX_LAYERS; j++) out.hs[j] = out.box[j] = out.logit[j] = TPP_NONE;
    return out;
}

tpp_frame_outputs tpp_frame(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                            const tpp_track *track)
{
    tpp_frame_outputs out = no_outputs();
    const int64_t n = tpp_shape_of(g, track->qpos).d[1];
    if (tpp_graph_status(g) == TPP_OK && (in->keep < 1 || in->keep > n))
        (void)tpp_graph_fail(g, TPP_EUSAGE, "%d queries are to go on from a frame of %lld",
                             in->keep, (long long)n);
    const tpp_map res2 = {.v = in->res2, .height = d->res[0].height, .width = d->res[0].width};
    const tpp_value value = decoder_value(g, d, in, track);
    const tpp_queries q = {
        .content = tpp_initial_content(g, d, in, track), .qpos = track->qpos, .ref = track->ref};
    tpp_deform_decoder(g, d, &q, value, &out);
    out.scores = tpp_query_scores(g, d, out.logit[d->config->model.dec_layers - 1]);
    out.best = tpp_best_query(g, out.scores);
    tpp_mark(g, 0, 0, out.best, "best");
    out.mask_features = d->config->mem.fpn
                            ? tpp_pixel_decoder(g, d, value, res2, &in->text, in->image.prompt)
                            : in->image.mask_features;
    make_masks(g, d, in->all_masks, &out);
    out.record = make_record(g, d, &out, in->image.prompt);
    out.next = tpp_next_track(g, d, in, track, &out);
    return out;
}

/* ---- the five graphs: names and shapes of what goes in and out ---- */

tpp_status tpp_build_text(tpp_graph *g, const tpp_model_dims *d)
{
    const int64_t p = d->prompts, n = d->length;
    tpp_text_inputs in = {
        .ids = tpp_input(g, "ids", TPP_I32, TPP_SHAPE(p, n)),
        .places = tpp_input(g, "places", TPP_I32, TPP_SHAPE(p, n)),
        .valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(p)),
        .word_pos = tpp_input(g, "word_pos", TPP_F32, TPP_SHAPE(p, n, d->config->model.hidden)),
        .packed = TPP_NONE,
        .packed_valid = TPP_NONE};
    if (d->config->fpn.text == TPP_FPN_TEXT_ALL) {
        in.packed = tpp_input(g, "packed", TPP_I32, TPP_SHAPE(p * n));
        in.packed_valid = tpp_input(g, "packed_valid", TPP_I32, TPP_SHAPE(1));
    }
    const tpp_text text = tpp_encode_text(g, d, &in);
    tpp_output(g, "words", text.words);
    tpp_output(g, "sentence", text.sentence);
    tpp_output(g, "fusion.key", text.fusion_key);
    tpp_output(g, "fusion.value", text.fusion_value);
    for (int s = 0; s < TPP_STAGES; s++) {
        tpp_output(g, TPP_NAME("fpn%d.key", s + 1), text.fpn_key[s]);
        tpp_output(g, TPP_NAME("fpn%d.value", s + 1), text.fpn_value[s]);
    }
    return tpp_graph_status(g);
}

tpp_status tpp_build_backbone(tpp_graph *g, const tpp_model_dims *d, int batch)
{
    tpp_map res[TPP_STAGES];
    tpp_backbone(g, d,
                 tpp_input(g, "image", TPP_F32, TPP_SHAPE(batch, (int64_t)d->height * d->width, 3)),
                 res);
    for (int i = 0; i < TPP_STAGES; i++) tpp_output(g, TPP_NAME("res%d", i + 2), res[i].v);
    return tpp_graph_status(g);
}

static tpp_map stage_input(tpp_graph *g, const tpp_model_dims *d, int batch, int stage)
{
    const tpp_map_size *s = &d->res[stage];
    return (tpp_map){.v = tpp_input(g, TPP_NAME("res%d", stage + 2), TPP_F32,
                                    TPP_SHAPE(batch, tpp_map_tokens(s), s->channels)),
                     .height = s->height,
                     .width = s->width};
}

static tpp_text no_text(void)
{
    tpp_text text = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, {0}, {0}, TPP_NONE, TPP_NONE};
    for (int s = 0; s < TPP_STAGES; s++) text.fpn_key[s] = text.fpn_value[s] = TPP_NONE;
    return text;
}

/* What the pixel decoder reads of the text. */
static void fpn_text_inputs(tpp_graph *g, const tpp_model_dims *d, tpp_text *text)
{
    const bool all = d->config->fpn.text == TPP_FPN_TEXT_ALL;
    const int64_t p = d->prompts, n = d->length, c = d->config->model.hidden;
    const tpp_shape shape = all ? TPP_SHAPE(1, p * n, c) : TPP_SHAPE(p, n, c);
    for (int s = 0; s < TPP_STAGES; s++) {
        text->fpn_key[s] = tpp_input(g, TPP_NAME("fpn%d.key", s + 1), TPP_F32, shape);
        text->fpn_value[s] = tpp_input(g, TPP_NAME("fpn%d.value", s + 1), TPP_F32, shape);
    }
    if (all)
        text->packed_valid = tpp_input(g, "packed_valid", TPP_I32, TPP_SHAPE(1));
    else
        text->valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(p));
}

static tpp_text encode_text_inputs(tpp_graph *g, const tpp_model_dims *d)
{
    const tpp_shape shape = TPP_SHAPE(d->prompts, d->length, d->config->model.hidden);
    tpp_text text = no_text();
    text.valid = tpp_input(g, "valid", TPP_I32, TPP_SHAPE(d->prompts));
    text.fusion_key = tpp_input(g, "fusion.key", TPP_F32, shape);
    text.fusion_value = tpp_input(g, "fusion.value", TPP_F32, shape);
    if (!d->config->mem.fpn) fpn_text_inputs(g, d, &text);
    return text;
}

tpp_status tpp_build_encode(tpp_graph *g, const tpp_model_dims *d, int batch)
{
    tpp_map res[TPP_STAGES] = {{.v = TPP_NONE}};
    for (int i = d->config->mem.fpn ? 1 : 0; i < TPP_STAGES; i++)
        res[i] = stage_input(g, d, batch, i);
    const tpp_text text = encode_text_inputs(g, d);
    const tpp_encoding out = tpp_encode(g, d, res, &text);
    tpp_output(g, "encoder", out.encoder);
    tpp_output(g, "prompt", out.prompt);
    tpp_output(g, "mask_features", out.mask_features);
    tpp_output(g, "memory_key", out.memory_key);
    tpp_output(g, "memory_value", out.memory_value);
    return tpp_graph_status(g);
}

static tpp_value level0_input(tpp_graph *g, const tpp_model_dims *d, const char *name, int64_t c)
{
    return tpp_input(g, name, TPP_F32, TPP_SHAPE(1, tpp_map_tokens(&d->level[0]), c));
}

static tpp_frame_inputs frame_inputs(tpp_graph *g, const tpp_model_dims *d, int b, bool is_first)
{
    const struct tpp_model_config *c = d->config;
    const int64_t width = c->model.hidden;
    tpp_frame_inputs in = {.image = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE},
                           .sentence = TPP_NONE,
                           .res2 = TPP_NONE,
                           .text = no_text()};
    in.image.encoder = tpp_input(g, "encoder", TPP_F32, TPP_SHAPE(b, d->tokens, width));
    in.image.prompt = tpp_input(g, "prompt", TPP_I32, TPP_SHAPE(b));
    if (tpp_reads_sentence(c, is_first))
        in.sentence = tpp_input(g, "sentence", TPP_F32, TPP_SHAPE(1, d->prompts, width));
    if (c->mem.fpn) {
        in.res2 = stage_input(g, d, b, 0).v;
        fpn_text_inputs(g, d, &in.text);
    } else {
        in.image.mask_features =
            tpp_input(g, "mask_features", TPP_F32,
                      TPP_SHAPE(b, tpp_map_tokens(&d->res[0]), c->model.mask_dim));
    }
    if (!is_first && c->prop.mask && c->mem.source == TPP_MEM_SOURCE_CURRENT) {
        in.image.memory_key = level0_input(g, d, "memory_key", width);
        in.image.memory_value = level0_input(g, d, "memory_value", width);
    }
    return in;
}

static tpp_track track_inputs(tpp_graph *g, const tpp_model_dims *d, int64_t q)
{
    const struct tpp_model_config *c = d->config;
    const int64_t width = c->model.hidden;
    const bool prev = c->prop.mask && c->mem.source == TPP_MEM_SOURCE_PREV;
    return (tpp_track){
        .ref = tpp_input(g, "state.ref", TPP_F32, TPP_SHAPE(1, q, c->prop.box ? 4 : 2)),
        .qpos = tpp_input(g, "state.qpos", TPP_F32, TPP_SHAPE(1, q, width)),
        .content = c->prop.query ? tpp_input(g, "state.content", TPP_F32, TPP_SHAPE(1, q, width))
                                 : TPP_NONE,
        .mask = c->prop.mask ? level0_input(g, d, "state.mask", 1) : TPP_NONE,
        .key = prev ? level0_input(g, d, "state.key", width) : TPP_NONE,
        .value = prev ? level0_input(g, d, "state.value", width) : TPP_NONE};
}

/* A result that may be an input or a parameter as it came: those have no memory of the graph's. */
static void output_copy(tpp_graph *g, const char *name, tpp_value v)
{
    const tpp_copy_attr attr = {0};
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "copy", &attr, 1, &v, out);
    tpp_output(g, name, out[0]);
}

static void output_track(tpp_graph *g, const tpp_model_dims *d, const tpp_track *next, bool one)
{
    const struct tpp_model_config *c = d->config;
    if (!tpp_model_propagates(c)) return; /* every frame is a first frame */
    if (one && !c->prop.box)
        output_copy(g, "next.ref", next->ref);
    else
        tpp_output(g, "next.ref", next->ref);
    if (one && !c->prop.update_pos)
        output_copy(g, "next.qpos", next->qpos);
    else
        tpp_output(g, "next.qpos", next->qpos);
    tpp_output(g, "next.content", next->content);
    tpp_output(g, "next.mask", next->mask);
}

tpp_status tpp_build_frame(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_spec *spec)
{
    const bool is_first = spec->queries == 0;
    const int queries = is_first ? d->config->model.num_queries : spec->queries;
    if (!is_first && !tpp_model_propagates(d->config))
        return TPP_FAIL(TPP_EUSAGE, "nothing is propagated (prop.box, prop.mask, prop.query are "
                                    "off): every frame is a first one");
    const int frames = spec->frames > 0 ? spec->frames : 1;
    if (frames > 1 && d->config->mode == TPP_MODE_ONLINE)
        return TPP_FAIL(TPP_EUSAGE, "%d frames at once: mode online runs them one by one", frames);
    tpp_frame_inputs in = frame_inputs(g, d, frames, is_first);
    in.keep = spec->keep;
    in.all_masks = spec->all_masks;
    const tpp_track track = is_first ? tpp_first_track(g, d) : track_inputs(g, d, queries);
    const tpp_frame_outputs out = tpp_frame(g, d, &in, &track);
    tpp_output(g, "best_mask", out.best_mask);
    tpp_output(g, "record", out.record);
    output_track(g, d, &out.next, queries == 1);
    return tpp_graph_status(g);
}
