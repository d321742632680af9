/* The model's configuration: the table of keys, both presets, and what must hold between keys.
 * Source of names, defaults and presets: model.md 7 (D1 to D41) and 9.
 * SPDX-License-Identifier: MIT */
#include "config/model_config.h"

#include <limits.h>
#include <string.h>

/* Index order is the enum's. */
#define NAME(name, text) text,
static const char *const preset_names[] = {TPP_PRESET_MAP(NAME) NULL};
static const char *const mode_names[] = {TPP_MODE_MAP(NAME) NULL};
static const char *const backbone_names[] = {TPP_BACKBONE_MAP(NAME) NULL};
static const char *const fusion_names[] = {TPP_FUSION_MAP(NAME) NULL};
static const char *const weight_scope_names[] = {TPP_WEIGHT_SCOPE_MAP(NAME) NULL};
static const char *const select_names[] = {TPP_SELECT_MAP(NAME) NULL};
static const char *const query_init_names[] = {TPP_QUERY_INIT_MAP(NAME) NULL};
static const char *const query_text_names[] = {TPP_QUERY_TEXT_MAP(NAME) NULL};
static const char *const query_net_names[] = {TPP_QUERY_NET_MAP(NAME) NULL};
static const char *const mem_source_names[] = {TPP_MEM_SOURCE_MAP(NAME) NULL};
static const char *const mask_act_names[] = {TPP_MASK_ACT_MAP(NAME) NULL};
static const char *const fpn_text_names[] = {TPP_FPN_TEXT_MAP(NAME) NULL};
static const char *const coord_scale_names[] = {TPP_COORD_SCALE_MAP(NAME) NULL};

/* The key is the member's path, unless KEYED gives another. */
#define KEYED(key, member, type, initial, min, max, names, help)                           \
    {                                                                                      \
        key, TPP_FIELD_##type, offsetof(struct tpp_model_config, member),                  \
            sizeof(((struct tpp_model_config *)0)->member), initial, min, max, names, help \
    }
#define INT(member, initial, min, max, help) \
    KEYED(#member, member, INT, initial, min, max, NULL, help)
#define FLOAT(member, initial, min, max, help) \
    KEYED(#member, member, FLOAT, initial, min, max, NULL, help)
#define BOOL(member, initial, help)        KEYED(#member, member, BOOL, initial, 0, 1, NULL, help)
#define ENUM(member, initial, names, help) KEYED(#member, member, ENUM, initial, 0, 0, names, help)

static const tpp_field fields[] = {
    ENUM(preset, "paper", preset_names,
         "values to start from; every other key of the file is applied after it"),
    ENUM(mode, "online", mode_names,
         "online: frame by frame with propagation; clip: all frames at once (ReferFormer), which "
         "wants prop.box, prop.mask and prop.query false"),

    ENUM(backbone.name, "resnet50", backbone_names,
         "image network; tiny is a ResNet of one block per stage, for tests"),

    INT(model.hidden, "256", 32, 4096, "width C of transformer, pixel decoder and text features"),
    INT(model.heads, "8", 1, 64, "attention heads"),
    INT(model.ffn, "2048", 1, 65536, "inner width of the feed-forward blocks"),
    INT(model.enc_layers, "4", 1, 64, "deformable encoder layers"),
    INT(model.dec_layers, "4", 1, 64, "deformable decoder layers"),
    INT(model.points, "4", 1, 64, "sampling points per level and head of deformable attention"),
    INT(model.levels, "4", 3, 4, "feature levels: strides 8, 16, 32 and, with 4, 64 (D4)"),
    INT(model.num_queries, "5", 1, 1024, "queries of the first frame"),
    INT(model.dyn_channels, "8", 1, 256, "inner channels of the dynamic mask head (D18)"),
    INT(model.mask_dim, "256", 1, 4096, "channels of the mask features"),
    INT(model.num_classes, "1", 1, 1024, "class logits per query; 1: referred or not (D23)"),
    BOOL(model.rel_coord, "true",
         "the dynamic mask head also sees coordinates relative to the box"),
    BOOL(model.box_refine, "true", "each decoder layer refines the box of the one before"),

    INT(text.layers, "12", 1, 64, "layers of the text encoder (RoBERTa)"),
    INT(text.hidden, "768", 1, 8192, "its width"),
    INT(text.heads, "12", 1, 128, "its attention heads"),
    INT(text.ffn, "3072", 1, 65536, "its inner width"),
    INT(text.vocab, "50265", 5, 1000000, "entries of the vocabulary"),
    INT(text.positions, "514", 5, 65536,
        "rows of the position table: longest prompt in tokens + 2"),
    INT(text.num_prompts, "3", 1, 16, "prompts per structure, Np (D33)"),
    BOOL(text.lower, "false", "lower-case the prompts and collapse their white space (D32)"),
    BOOL(text.ablate, "false", "without prompts (Figure 4): word features and query content zero"),

    ENUM(fusion.mode, "prompt_weighted", fusion_names,
         "prompt_weighted: TPP; single: one prompt, no weights (ReferFormer, OnlineRefer)"),
    BOOL(fusion.divide_by_np, "false", "divide the weighted sum over prompts by their number (D2)"),
    ENUM(fusion.weight_scope, "token", weight_scope_names,
         "prompt weights per token, or one per level from the mean of the tokens (D12)"),

    ENUM(prompt.select, "argmax", select_names,
         "the prompt that queries and pixel decoder use: largest weight, or prompt.fixed_index"),
    INT(prompt.fixed_index, "0", 0, 15, "prompt used with prompt.select fixed, from 0"),
    INT(prompt.select_level, "3", -1, 3,
        "level whose weights choose, 0 = stride 8; -1: mean over the levels (D3)"),

    ENUM(query.init, "sentence", query_init_names,
         "content of the first frame's queries: the chosen sentence, or zeros (D29)"),
    ENUM(query.text, "sentence", query_text_names,
         "sentence: pooled vector; mean_words: mean of the word features (D5)"),

    BOOL(prop.box, "true", "the box of a frame is the next one's reference (Table 5)"),
    BOOL(prop.mask, "true", "the mask of a frame goes into the memory read of the next (Table 5)"),
    BOOL(prop.query, "true", "the query of a frame is the next one's content (Table 5)"),
    BOOL(prop.update_pos, "false", "the query's position is updated too (track_pos_embed)"),
    KEYED("prop.topk", prop.topk, INTS, "[5, 1]", 1, 1024, NULL,
          "queries in frames 1, 2, ...; the last number repeats (Table 6); frame 1 always has "
          "model.num_queries"),
    ENUM(prop.query_net, "linear2", query_net_names,
         "query propagation: two linears as published, or the paper's three layers (D13)"),

    ENUM(mem.source, "prev", mem_source_names,
         "features beside the previous mask in the memory: previous frame's, or current (D1)"),
    ENUM(mem.mask_act, "none", mask_act_names, "what the mask's logits go through first (D14)"),
    BOOL(mem.fpn, "false", "the pixel decoder sees the memory read too (D16)"),
    BOOL(mem.residual, "false",
         "the memory read is added to level 0 and does not replace it (D16)"),

    ENUM(fpn.text, "selected", fpn_text_names,
         "words the pixel decoder attends to: the chosen prompt's, or all (D39)"),

    ENUM(mask.coord_scale, "pixels", coord_scale_names,
         "unit of the relative coordinates: input pixels, or mask cells of 4 (D19)"),

    KEYED("image.mean", image.mean, FLOATS, "[0.485, 0.456, 0.406]", 0, 1, NULL,
          "subtracted from R, G, B in 0 to 1"),
    KEYED("image.std", image.std, FLOATS, "[0.229, 0.224, 0.225]", 0.001, 10, NULL,
          "what R, G, B are divided by after that"),

    KEYED("infer.short", infer.short_side, INT, "360", 32, 8192, NULL,
          "short side the image is resized to, in pixels (D7)"),
    INT(infer.max, "640", 0, 8192,
        "longest side after resizing, in pixels; 0: no limit (D7); with a large infer.short the "
        "long side is always this"),
    FLOAT(infer.threshold, "0.5", 0, 1, "probability above which a pixel belongs to the object"),
    BOOL(infer.sort, "true",
         "frames in the order of their names, false: as a data set lists them (D30); a folder has "
         "no "
         "other order"),
    FLOAT(infer.min_score, "0", 0, 1, "score below which a frame's mask is left empty (D37)"),
    INT(infer.clip, "0", 0, 4096,
        "frames of a clip with mode clip, 0: the whole sequence; the last clip reaches back over "
        "frames that are done when too few are left"),
};

static const tpp_preset_row presets[] = {
    {"official", "fusion.divide_by_np", "true"},
    {"official", "mem.source", "current"},
    {"official", "infer.max", "0"},
    {"official", "infer.sort", "false"},
};

const tpp_schema tpp_model_schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .preset_key = "preset",
    .presets = presets,
    .preset_count = sizeof(presets) / sizeof(presets[0]),
};

const char *tpp_backbone_text(int name)
{
    return name >= 0 && name < TPP_BACKBONE_COUNT ? backbone_names[name] : "?";
}

/* ---- what must hold between keys ---- */

static tpp_status check_divides(const char *name, int value, const char *by_name, int by)
{
    if (value % by == 0) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "%s (%d) wants to be a multiple of %s (%d)", name, value, by_name,
                    by);
}

static tpp_status check_widths(const struct tpp_model_config *c)
{
    TPP_TRY(check_divides("model.hidden", c->model.hidden, "the 32 groups of its norm", 32));
    TPP_TRY(check_divides("model.hidden", c->model.hidden, "model.heads", c->model.heads));
    return check_divides("text.hidden", c->text.hidden, "text.heads", c->text.heads);
}

static tpp_status check_prompts(const struct tpp_model_config *c)
{
    if (c->prompt.select_level >= c->model.levels)
        return TPP_FAIL(TPP_EUSAGE, "prompt.select_level (%d) wants to be below model.levels (%d)",
                        c->prompt.select_level, c->model.levels);
    if (c->prompt.select == TPP_SELECT_FIXED && c->prompt.fixed_index >= c->text.num_prompts)
        return TPP_FAIL(TPP_EUSAGE,
                        "prompt.fixed_index (%d, from 0) wants to be below text.num_prompts (%d)",
                        c->prompt.fixed_index, c->text.num_prompts);
    if (c->fusion.mode == TPP_FUSION_SINGLE && c->text.num_prompts != 1)
        return TPP_FAIL(TPP_EUSAGE, "fusion.mode single wants text.num_prompts 1, got %d",
                        c->text.num_prompts);
    return TPP_OK;
}

static bool propagates(const struct tpp_model_config *c)
{
    return c->prop.box || c->prop.mask || c->prop.query;
}

/* A clip's frames share their queries and start alike: nothing goes from one to the next. */
static tpp_status check_mode(const struct tpp_model_config *c)
{
    if (c->mode != TPP_MODE_CLIP || !propagates(c)) return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE,
                    "mode clip carries nothing from frame to frame and wants prop.box, prop.mask "
                    "and prop.query false, got %s, %s, %s",
                    c->prop.box ? "true" : "false", c->prop.mask ? "true" : "false",
                    c->prop.query ? "true" : "false");
}

/* A frame cannot keep queries that the one before it did not have. */
static tpp_status check_topk(const struct tpp_model_config *c)
{
    const tpp_int_list *k = &c->prop.topk;
    if (k->count < 1 || k->count > TPP_INT_LIST_MAX)
        return TPP_FAIL(TPP_EUSAGE, "prop.topk wants 1 to %d numbers, got %d", TPP_INT_LIST_MAX,
                        k->count);
    if (!propagates(c)) return TPP_OK;
    int before = c->model.num_queries;
    for (int i = k->count == 1 ? 0 : 1; i < k->count; i++) {
        if (k->value[i] > before)
            return TPP_FAIL(TPP_EUSAGE,
                            "prop.topk: number %d is %d, but the frame before has %d queries",
                            i + 1, k->value[i], before);
        before = k->value[i];
    }
    return TPP_OK;
}

tpp_status tpp_model_config_check(const struct tpp_model_config *c)
{
    TPP_TRY(check_widths(c));
    TPP_TRY(check_prompts(c));
    TPP_TRY(check_mode(c));
    return check_topk(c);
}

int tpp_model_config_clip(const struct tpp_model_config *c, int64_t frames)
{
    if (c->mode != TPP_MODE_CLIP) return 0;
    const int64_t most = frames < INT_MAX ? frames : INT_MAX;
    return (int)(c->infer.clip > 0 && c->infer.clip < most ? c->infer.clip : most);
}

int tpp_model_config_queries(const struct tpp_model_config *c, int t, int before)
{
    if (t <= 1 || !propagates(c)) return c->model.num_queries;
    const tpp_int_list *k = &c->prop.topk;
    const int wanted = k->value[t <= k->count ? t - 1 : k->count - 1];
    return wanted < before ? wanted : before;
}

/* ---- filling ---- */

tpp_status tpp_model_config_init(struct tpp_model_config *c)
{
    return tpp_schema_apply(&tpp_model_schema, c, sizeof(*c), NULL);
}

tpp_status tpp_model_config_apply(struct tpp_model_config *c, const tpp_settings *settings)
{
    struct tpp_model_config draft;
    TPP_TRY(tpp_schema_apply(&tpp_model_schema, &draft, sizeof(draft), settings));
    TPP_TRY(tpp_model_config_check(&draft));
    *c = draft;
    return TPP_OK;
}

tpp_status tpp_model_config_read(struct tpp_model_config *c, const char *path,
                                 const char *const *overrides, size_t n_overrides)
{
    tpp_settings settings = {0};
    tpp_status s = TPP_OK;
    if (path != NULL) TPP_TRY_OR(done, s, tpp_yaml_read(&settings, path));
    for (size_t i = 0; i < n_overrides; i++)
        TPP_TRY_OR(done, s, tpp_settings_set(&settings, overrides[i]));
    s = tpp_model_config_apply(c, &settings);
done:
    tpp_yaml_free(&settings);
    return s;
}

/* ---- the reference program's names ---- */

/* Keys of tpp_ref.py's DEFAULTS; ours NULL: not the model's. */
static const struct {
    const char *reference, *ours;
} reference_keys[] = {
    {"mode", "mode"},
    {"backbone", "backbone.name"},
    {"hidden", "model.hidden"},
    {"heads", "model.heads"},
    {"ffn", "model.ffn"},
    {"enc_layers", "model.enc_layers"},
    {"dec_layers", "model.dec_layers"},
    {"points", "model.points"},
    {"levels", "model.levels"},
    {"queries", "model.num_queries"},
    {"dyn_channels", "model.dyn_channels"},
    {"mask_dim", "model.mask_dim"},
    {"text_layers", "text.layers"},
    {"text_hidden", "text.hidden"},
    {"text_heads", "text.heads"},
    {"text_ffn", "text.ffn"},
    {"vocab", "text.vocab"},
    {"positions", "text.positions"},
    {"divide_by_np", "fusion.divide_by_np"},
    {"select_level", "prompt.select_level"},
    {"mem_source", "mem.source"},
    {"prop_box", "prop.box"},
    {"prop_mask", "prop.mask"},
    {"prop_query", "prop.query"},
    {"topk", "prop.topk"},
    {"fusion", "fusion.mode"},
    {"query_init", "query.init"},
    {"height", NULL},
    {"width", NULL},
    {"frames", NULL},
    {"seed", NULL},
    {"target_box", NULL},
    {"invalid_frame", NULL},
    {"sample", NULL},
    {"shapes", NULL},
};

static tpp_status set_prompt_count(struct tpp_model_config *c, const char *lengths)
{
    int count = 1;
    for (const char *p = lengths; *p != '\0'; p++) count += *p == ',';
    const tpp_field *f = tpp_schema_find(&tpp_model_schema, "text.num_prompts");
    if ((double)count > f->max)
        return TPP_FAIL(TPP_EUSAGE, "prompt_lengths: wants 1 to %.0f numbers, got %d", f->max,
                        count);
    c->text.num_prompts = count;
    return TPP_OK;
}

tpp_status tpp_model_config_from_reference(struct tpp_model_config *c, const char *key,
                                           const char *value, bool *is_mine)
{
    *is_mine = false;
    if (strcmp(key, "prompt_lengths") == 0) return set_prompt_count(c, value);
    if (strchr(key, '.') != NULL) {
        TPP_TRY(tpp_schema_set(&tpp_model_schema, c, key, value, "reference configuration"));
        *is_mine = true;
        return TPP_OK;
    }
    for (size_t i = 0; i < sizeof(reference_keys) / sizeof(reference_keys[0]); i++) {
        if (strcmp(reference_keys[i].reference, key) != 0) continue;
        if (reference_keys[i].ours == NULL) return TPP_OK;
        if (strcmp(key, "select_level") == 0 && value[0] == '-')
            return TPP_FAIL(TPP_EUSAGE, "select_level wants a level from 0, got %.40s", value);
        TPP_TRY(tpp_schema_set(&tpp_model_schema, c, reference_keys[i].ours, value,
                               "reference configuration"));
        *is_mine = true;
        return TPP_OK;
    }
    return TPP_FAIL(TPP_EUSAGE, "the reference configuration has no key %.100s", key);
}
