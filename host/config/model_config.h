/* Every switch of the model that inference needs, with defaults, presets and checks.
 * Meaning of each key: the help column of model_config.c. Names and defaults: model.md 7 and 9.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CONFIG_MODEL_CONFIG_H
#define TPP_CONFIG_MODEL_CONFIG_H

#include "config/schema.h"

#include <stdbool.h>
#include <stdint.h>

/* Names as they stand in files; the index is the enum's value. */
#define TPP_PRESET_MAP(X) X(PAPER, "paper") X(OFFICIAL, "official")
#define TPP_MODE_MAP(X)   X(ONLINE, "online") X(CLIP, "clip")
#define TPP_BACKBONE_MAP(X)         \
    X(TINY, "tiny")                 \
    X(RESNET50, "resnet50")         \
    X(RESNET101, "resnet101")       \
    X(SWIN_T, "swin_t")             \
    X(SWIN_S, "swin_s")             \
    X(SWIN_B, "swin_b")             \
    X(SWIN_L, "swin_l")             \
    X(VIDEO_SWIN_T, "video_swin_t") \
    X(VIDEO_SWIN_S, "video_swin_s") \
    X(VIDEO_SWIN_B, "video_swin_b")
#define TPP_FUSION_MAP(X)       X(SINGLE, "single") X(PROMPT_WEIGHTED, "prompt_weighted")
#define TPP_WEIGHT_SCOPE_MAP(X) X(TOKEN, "token") X(GLOBAL, "global")
#define TPP_SELECT_MAP(X)       X(ARGMAX, "argmax") X(FIXED, "fixed")
#define TPP_QUERY_INIT_MAP(X)   X(SENTENCE, "sentence") X(ZEROS, "zeros")
#define TPP_QUERY_TEXT_MAP(X)   X(SENTENCE, "sentence") X(MEAN_WORDS, "mean_words")
#define TPP_QUERY_NET_MAP(X)    X(LINEAR2, "linear2") X(MLP3, "mlp3")
#define TPP_MEM_SOURCE_MAP(X)   X(PREV, "prev") X(CURRENT, "current")
#define TPP_MASK_ACT_MAP(X)     X(NONE, "none") X(SIGMOID, "sigmoid") X(BINARY, "binary")
#define TPP_FPN_TEXT_MAP(X)     X(SELECTED, "selected") X(ALL, "all")
#define TPP_COORD_SCALE_MAP(X)  X(PIXELS, "pixels") X(STRIDE, "stride")

#define TPP_PRESET_ENUM(name, text)       TPP_PRESET_##name,
#define TPP_MODE_ENUM(name, text)         TPP_MODE_##name,
#define TPP_BACKBONE_ENUM(name, text)     TPP_BACKBONE_##name,
#define TPP_FUSION_ENUM(name, text)       TPP_FUSION_##name,
#define TPP_WEIGHT_SCOPE_ENUM(name, text) TPP_WEIGHT_SCOPE_##name,
#define TPP_SELECT_ENUM(name, text)       TPP_SELECT_##name,
#define TPP_QUERY_INIT_ENUM(name, text)   TPP_QUERY_INIT_##name,
#define TPP_QUERY_TEXT_ENUM(name, text)   TPP_QUERY_TEXT_##name,
#define TPP_QUERY_NET_ENUM(name, text)    TPP_QUERY_NET_##name,
#define TPP_MEM_SOURCE_ENUM(name, text)   TPP_MEM_SOURCE_##name,
#define TPP_MASK_ACT_ENUM(name, text)     TPP_MASK_ACT_##name,
#define TPP_FPN_TEXT_ENUM(name, text)     TPP_FPN_TEXT_##name,
#define TPP_COORD_SCALE_ENUM(name, text)  TPP_COORD_SCALE_##name,
enum tpp_preset { TPP_PRESET_MAP(TPP_PRESET_ENUM) TPP_PRESET_COUNT };
enum tpp_mode { TPP_MODE_MAP(TPP_MODE_ENUM) TPP_MODE_COUNT };
enum tpp_backbone { TPP_BACKBONE_MAP(TPP_BACKBONE_ENUM) TPP_BACKBONE_COUNT };
enum tpp_fusion { TPP_FUSION_MAP(TPP_FUSION_ENUM) TPP_FUSION_COUNT };
enum tpp_weight_scope { TPP_WEIGHT_SCOPE_MAP(TPP_WEIGHT_SCOPE_ENUM) TPP_WEIGHT_SCOPE_COUNT };
enum tpp_select { TPP_SELECT_MAP(TPP_SELECT_ENUM) TPP_SELECT_COUNT };
enum tpp_query_init { TPP_QUERY_INIT_MAP(TPP_QUERY_INIT_ENUM) TPP_QUERY_INIT_COUNT };
enum tpp_query_text { TPP_QUERY_TEXT_MAP(TPP_QUERY_TEXT_ENUM) TPP_QUERY_TEXT_COUNT };
enum tpp_query_net { TPP_QUERY_NET_MAP(TPP_QUERY_NET_ENUM) TPP_QUERY_NET_COUNT };
enum tpp_mem_source { TPP_MEM_SOURCE_MAP(TPP_MEM_SOURCE_ENUM) TPP_MEM_SOURCE_COUNT };
enum tpp_mask_act { TPP_MASK_ACT_MAP(TPP_MASK_ACT_ENUM) TPP_MASK_ACT_COUNT };
enum tpp_fpn_text { TPP_FPN_TEXT_MAP(TPP_FPN_TEXT_ENUM) TPP_FPN_TEXT_COUNT };
enum tpp_coord_scale { TPP_COORD_SCALE_MAP(TPP_COORD_SCALE_ENUM) TPP_COORD_SCALE_COUNT };

/* A member's path is its key in files, but `infer.short_side`, whose key is infer.short. */
struct tpp_model_config {
    int preset; /* enum tpp_preset: what the values started from */
    int mode;   /* enum tpp_mode */
    struct {
        int name; /* enum tpp_backbone */
    } backbone;
    struct {
        int hidden, heads, ffn, enc_layers, dec_layers, points, levels;
        int num_queries, dyn_channels, mask_dim, num_classes;
        bool rel_coord, box_refine;
    } model;
    struct {
        int layers, hidden, heads, ffn, vocab, positions, num_prompts;
        bool lower, ablate;
    } text;
    struct {
        int mode; /* enum tpp_fusion */
        bool divide_by_np;
        int weight_scope; /* enum tpp_weight_scope */
    } fusion;
    struct {
        int select;       /* enum tpp_select */
        int fixed_index;  /* from 0 */
        int select_level; /* 0 = stride 8 ... levels - 1; -1: mean over the levels */
    } prompt;
    struct {
        int init; /* enum tpp_query_init */
        int text; /* enum tpp_query_text */
    } query;
    struct {
        bool box, mask, query, update_pos;
        tpp_int_list topk; /* queries in frame 1, 2, ...; the last number repeats */
        int query_net;     /* enum tpp_query_net */
    } prop;
    struct {
        int source;   /* enum tpp_mem_source */
        int mask_act; /* enum tpp_mask_act */
        bool fpn, residual;
    } mem;
    struct {
        int text; /* enum tpp_fpn_text */
    } fpn;
    struct {
        int coord_scale; /* enum tpp_coord_scale */
    } mask;
    struct {
        double mean[3], std[3]; /* of RGB in [0, 1] */
    } image;
    struct {
        int short_side; /* pixels; key infer.short */
        int max;        /* longest side in pixels, 0: no limit */
        double threshold, min_score;
        bool sort;
        int clip; /* frames of a clip, 0: the whole sequence; mode=clip only */
    } infer;
};

extern const tpp_schema tpp_model_schema;

/* What a key holds, as text: the name of an enum's value. "?" outside the list. */
const char *tpp_backbone_text(int name);

/* All defaults, which are preset `paper`. Fails only for want of memory. */
TPP_MUST_CHECK tpp_status tpp_model_config_init(struct tpp_model_config *c);

/* Defaults, preset, then the settings in order, then tpp_model_config_check. TPP_EUSAGE or
 * TPP_EFORMAT with file and line; `c` is untouched on failure. `settings` may be NULL. */
TPP_MUST_CHECK tpp_status tpp_model_config_apply(struct tpp_model_config *c,
                                                 const tpp_settings *settings);

/* The same from a file (NULL: none) and "key=value" overrides. */
TPP_MUST_CHECK tpp_status tpp_model_config_read(struct tpp_model_config *c, const char *path,
                                                const char *const *overrides, size_t n_overrides);

/* Constraints between keys (widths that must divide, levels, prompts). TPP_EUSAGE. */
TPP_MUST_CHECK tpp_status tpp_model_config_check(const struct tpp_model_config *c);

/* Frames that go through the network together in a sequence of `frames`: 0 with mode=online. */
int tpp_model_config_clip(const struct tpp_model_config *c, int64_t frames);

/* Number of queries of frame t (from 1), when `before` is that of frame t - 1. */
int tpp_model_config_queries(const struct tpp_model_config *c, int t, int before);

/* Sets what a key of the reference program's configuration (as in the metadata of golden files)
 * means here. *is_mine = false, and nothing set, for keys that are not the model's: sizes, seed,
 * shapes; TPP_EUSAGE for keys it has not. Only "prompt_lengths" does both: its count becomes
 * text.num_prompts, and the lengths are left to the caller. A key with a dot is one of ours, for
 * switches that the reference program has not. Start from tpp_model_config_init and
 * end with tpp_model_config_check. */
TPP_MUST_CHECK tpp_status tpp_model_config_from_reference(struct tpp_model_config *c,
                                                          const char *key, const char *value,
                                                          bool *is_mine);

#endif
