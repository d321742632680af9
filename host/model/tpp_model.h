/* The model as recorded graphs: five of them, and the functions they are made of.
 *
 * Pure C, no device in sight. Everything is token-major: [B, N, C], N = h*w tokens of a map in row
 * order. Functions take and return values, so that one graph may hold any chain of them: inference
 * binds the five graphs below by name, training unrolls tpp_frame over a clip within one graph.
 * Steps, names and formulas: model.md 1 and 2. Sizes: B images at once, P prompts padded to L
 * tokens, C = model.hidden, S tokens of all levels, Q queries, h4 x w4 the stride-4 map.
 *
 * mode=online: images are encoded B at once, each on its own, and frames run one by one (B = 1).
 * mode=clip: the B images are the frames of one clip, in all graphs. They share qpos and the first
 * references, see each other in the pixel decoder, and one query is the best of all.
 *
 * An input that the configuration does not need is not declared: look it up before binding it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_TPP_MODEL_H
#define TPP_MODEL_TPP_MODEL_H

#include "model/dims.h"
#include "nn/graph.h"

/* ---- text: once a sequence and structure ---- */

typedef struct tpp_text_inputs {
    tpp_value ids;      /* I32 [P, L]: tokens, padded with 1 */
    tpp_value places;   /* I32 [P, L]: tpp_text_places */
    tpp_value valid;    /* I32 [P]: tokens that are not padding */
    tpp_value word_pos; /* [P, L, C]: tpp_sine1d of each prompt */
    /* Only with fpn.text=all: rows of the words and their number, of tpp_text_pack. */
    tpp_value packed;       /* I32 [P*L] */
    tpp_value packed_valid; /* I32 [1]: read by the pixel decoder, not by the text graph */
} tpp_text_inputs;

/* What the later graphs read of the prompts. Keys and values are projected already. */
typedef struct tpp_text {
    tpp_value words;                    /* [P, L, C] */
    tpp_value sentence;                 /* [1, P, C]: what queries start from */
    tpp_value fusion_key, fusion_value; /* [P, L, C] */
    /* Of the pixel decoder's block at stage s + 1: [P, L, C]; with fpn.text=all the words of all
     * prompts one after another, [1, P*L, C]. */
    tpp_value fpn_key[TPP_STAGES], fpn_value[TPP_STAGES];
    tpp_value valid;        /* I32 [P] */
    tpp_value packed_valid; /* I32 [1]: sum of `valid`; only with fpn.text=all */
} tpp_text;

tpp_text tpp_encode_text(tpp_graph *g, const tpp_model_dims *d, const tpp_text_inputs *in);

/* ---- image: depends on no other frame ---- */

/* `image` [B, H*W, 3], normalised; res: stages of stride 4, 8, 16, 32. */
void tpp_backbone(tpp_graph *g, const tpp_model_dims *d, tpp_value image, tpp_map res[TPP_STAGES]);

typedef struct tpp_encoding {
    tpp_value encoder;                  /* E [B, S, C] */
    tpp_value mask_features;            /* [B, h4*w4, mask_dim]; none with mem.fpn */
    tpp_value prompt;                   /* I32 [B]: the prompt chosen for each image */
    tpp_value memory_key, memory_value; /* [B, h0*w0, C]: see memory.h; only with prop.mask */
} tpp_encoding;

tpp_encoding tpp_encode(tpp_graph *g, const tpp_model_dims *d, const tpp_map res[TPP_STAGES],
                        const tpp_text *text);

/* ---- one frame of a sequence, or all frames of a clip: the state is a value ---- */

typedef struct tpp_track {
    tpp_value ref;        /* [1, Q, 2 or 4]: reference points or boxes before the sigmoid */
    tpp_value content;    /* [1, Q, C], or none: starts from the text */
    tpp_value qpos;       /* [1, Q, C] */
    tpp_value mask;       /* [1, h0*w0, 1]: logits at stride 8, or none: no memory read */
    tpp_value key, value; /* memory_key, memory_value of the frame before; with mem.source=prev */
} tpp_track;

typedef struct tpp_frame_inputs {
    tpp_encoding image; /* of this frame, B = 1; with mode=clip of all frames */
    tpp_value sentence; /* [1, P, C] */
    tpp_value res2;     /* [B, h4*w4, C2]; with mem.fpn only, as is `text` */
    tpp_text text;
    int keep;       /* queries that go on to the next frame */
    bool all_masks; /* masks of all queries, not only of the best one */
} tpp_frame_inputs;

typedef struct tpp_frame_outputs {
    tpp_value hs[TPP_MAX_LAYERS];    /* [B, Q, C] of each decoder layer */
    tpp_value box[TPP_MAX_LAYERS];   /* [B, Q, 4] cx, cy, w, h in [0, 1] */
    tpp_value logit[TPP_MAX_LAYERS]; /* [B, Q, num_classes] */
    tpp_value mask_features;         /* [B, h4*w4, mask_dim] */
    tpp_value masks;                 /* [B, Q, h4*w4] logits, with all_masks */
    tpp_value scores;                /* [1, Q, num_classes]: tpp_query_scores */
    tpp_value best_mask;             /* [B, h4*w4, 1] logits */
    tpp_value best;                  /* I32 [1] */
    tpp_value record;                /* [B*8]: op frame_record, of the scores */
    tpp_track next;
} tpp_frame_outputs;

/* The state before frame 1. */
tpp_track tpp_first_track(tpp_graph *g, const tpp_model_dims *d);

tpp_frame_outputs tpp_frame(tpp_graph *g, const tpp_model_dims *d, const tpp_frame_inputs *in,
                            const tpp_track *track);

/* ---- the five graphs of inference ----
 * Each returns tpp_graph_status(g). Types are F32 where nothing is said. */

/* text.
 * in:  ids I32 [P,L], places I32 [P,L], valid I32 [P], word_pos [P,L,C];
 *      fpn.text=all: packed I32 [P*L], packed_valid I32 [1] (for encode and frame to read)
 * out: words [P,L,C], sentence [1,P,C], fusion.key, fusion.value [P,L,C],
 *      fpn1.key, fpn1.value .. fpn4.key, fpn4.value [P,L,C] (fpn.text=all: [1,P*L,C])
 * marks: text.hidden [P,L,D], text.pooled [1,P,D], text.words, text.sentence */
TPP_MUST_CHECK tpp_status tpp_build_text(tpp_graph *g, const tpp_model_dims *d);

/* backbone.
 * in:  image [B,H*W,3]
 * out: res2 .. res5 [B,h*w,channels], marked too */
TPP_MUST_CHECK tpp_status tpp_build_backbone(tpp_graph *g, const tpp_model_dims *d, int batch);

/* encode.
 * in:  res2 .. res5, valid I32 [P], fusion.key, fusion.value, fpn1.key .. fpn4.value;
 *      fpn.text=all: packed_valid I32 [1]; mem.fpn: neither res2 nor fpn*
 * out: encoder [B,S,C], prompt I32 [B]; but with mem.fpn: mask_features [B,h4*w4,mask_dim];
 *      with prop.mask: memory_key, memory_value [B,h0*w0,C]
 * marks: src0 .. src3, prompt_weight0 .. 3 [B,P], encoder, fpn1 .. fpn4, mask_features, prompt */
TPP_MUST_CHECK tpp_status tpp_build_encode(tpp_graph *g, const tpp_model_dims *d, int batch);

typedef struct tpp_frame_spec {
    int queries;    /* of this frame; 0: the first frame of a sequence */
    int keep;       /* queries that go on: tpp_model_config_queries of the next frame */
    bool all_masks; /* masks of all queries, for dumps and golden files */
    int frames;     /* B: of the clip, with mode=clip only; 0 means 1 */
} tpp_frame_spec;

/* first (spec.queries = 0) and next; with mode=clip first alone, for B = spec.frames, else B = 1.
 * in:  encoder [B,S,C], mask_features [B,h4*w4,mask_dim], prompt I32 [B];
 *      when content comes from the text: sentence [1,P,C];
 *      next, mem.source=current: memory_key, memory_value [1,h0*w0,C] of this frame;
 *      mem.fpn: res2, valid, fpn1.key .. fpn4.value, packed_valid, and no mask_features
 *   state, in `next` only: state.ref [1,Q,4] (prop.box=0: [1,Q,2]), state.qpos [1,Q,C],
 *      prop.query: state.content [1,Q,C]; prop.mask: state.mask [1,h0*w0,1];
 *      prop.mask and mem.source=prev: state.key, state.value = memory_key, memory_value of the
 *      frame before
 * out: best_mask [B,h4*w4,1] logits, record [B*8], whose score is a logit, with mode=clip the
 * clip's probability; next.ref, next.qpos, next.content, next.mask, of `keep` queries, where the
 * next frame reads them (none at all when nothing is propagated) marks: hs0 .., box0 .. [B,Q,4],
 * logit0 .. [B,Q,K], memory_read [1,h0*w0,C], best I32 [1], with all_masks: mask [B*Q,h4,w4] */
TPP_MUST_CHECK tpp_status tpp_build_frame(tpp_graph *g, const tpp_model_dims *d,
                                          const tpp_frame_spec *spec);

#endif
