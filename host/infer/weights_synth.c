/* Synthetic weights: the value rule by name of the shared reference, and a file of them.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/synth.h"
#include "infer/weights.h"
#include "io/bytes.h"
#include "model/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool holds(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_norm(const char *name)
{
    static const char *const tags[] = {"norm", "LayerNorm",    "layer_norm",
                                       ".bn",  "downsample.1", "input_proj"};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (holds(name, tags[i])) return true;
    return false;
}

static bool is_embedding(const char *name)
{
    return holds(name, "embed") && !holds(name, "bbox_embed") && !holds(name, "class_embed") &&
           !holds(name, "patch_embed") && !holds(name, "track");
}

/* value = (base + scale * u) * after. The reference's order of operations, for equal bits. */
typedef struct rule {
    double base, scale, after;
} rule;

static rule matrix_rule(const char *name, const tpp_shape *shape)
{
    int64_t fan_in = 1;
    for (int i = 1; i < shape->rank; i++) fan_in *= shape->d[i];
    return (rule){0, sqrt(3.0 / (double)fan_in), holds(name, "sampling_offsets") ? 0.5 : 1};
}

/* The first row of the README's table that fits. */
static rule rule_of(const char *name, const tpp_shape *shape)
{
    const bool one = shape->rank == 1;
    if (ends_with(name, "running_var")) return (rule){1.0, 0.5, 1};
    if (ends_with(name, "running_mean")) return (rule){0, 0.1, 1};
    if (ends_with(name, "bn3.weight") || ends_with(name, "downsample.1.weight"))
        return (rule){0.35, 0.15, 1};
    if (one && ends_with(name, "weight") && is_norm(name)) return (rule){1.0, 0.2, 1};
    if (one && ends_with(name, "sampling_offsets.bias")) return (rule){0, 2.0, 1};
    if (one && ends_with(name, "bias")) return (rule){0, 0.1, 1};
    if (holds(name, "relative_position_bias_table")) return (rule){0, 0.5, 1};
    if (is_embedding(name)) return (rule){0, 1, 1};
    return matrix_rule(name, shape);
}

/* The box heads have two names in published files, and one stream of numbers: the short one's. */
static const char *canonical(const char *name)
{
    static const char outer[] = "transformer.decoder.", alias[] = "transformer.decoder.bbox_embed.";
    return strncmp(name, alias, sizeof(alias) - 1) == 0 ? name + sizeof(outer) - 1 : name;
}

tpp_status tpp_synth_source(void *seed, const char *name, const tpp_shape *shape, float *out)
{
    const char *own = canonical(name);
    const rule r = rule_of(own, shape);
    const uint64_t key = tpp_synth_key(own, *(const uint64_t *)seed);
    const int64_t n = tpp_shape_count(shape);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)((r.base + r.scale * tpp_synth_value(key, (uint64_t)i)) * r.after);
    return TPP_OK;
}

/* ---- a file ---- */

/* Used parameters only: the file is what the configuration needs. */
static tpp_status make_specs(tpp_safetensors_spec **out, size_t *n, const tpp_model_params *p)
{
    tpp_safetensors_spec *specs = NULL;
    size_t count = 0;
    TPP_NEW(specs, p->count);
    for (size_t i = 0; i < p->count; i++) {
        if (!p->items[i].used) continue;
        tpp_safetensors_spec *t = &specs[count++];
        *t = (tpp_safetensors_spec){
            .name = p->items[i].name, .type = TPP_SAFETENSORS_F32, .rank = p->items[i].shape.rank};
        for (int j = 0; j < t->rank; j++) t->dims[j] = p->items[i].shape.d[j];
    }
    *out = specs;
    *n = count;
    return TPP_OK;
}

static tpp_status append_param(tpp_safetensors_writer *w, const tpp_model_param *p, uint64_t *seed)
{
    const int64_t n = tpp_shape_count(&p->shape);
    float *values = NULL;
    uint8_t *bytes = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW_OR(done, s, values, n);
    TPP_NEW_OR(done, s, bytes, n * 4);
    TPP_TRY_OR(done, s, tpp_synth_source(seed, p->name, &p->shape, values));
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &values[i], sizeof(bits));
        tpp_bytes_put(bytes + 4 * i, bits, 4, false);
    }
    s = tpp_safetensors_append(w, p->name, bytes, (size_t)n * 4);
done:
    tpp_free(bytes);
    tpp_free(values);
    return s;
}

tpp_status tpp_synth_write(const char *path, const struct tpp_model_config *config, uint64_t seed)
{
    tpp_model_params params = {0};
    tpp_safetensors_spec *specs = NULL;
    tpp_safetensors_writer *w = NULL;
    size_t n = 0;
    char text[48];
    (void)snprintf(text, sizeof(text), "seed %" PRIu64, seed);
    const tpp_safetensors_pair meta = {TPP_SYNTHETIC_KEY, text};
    TPP_TRY(tpp_model_params_list(&params, config));
    tpp_status s = TPP_OK;
    TPP_TRY_OR(done, s, make_specs(&specs, &n, &params));
    TPP_TRY_OR(done, s, tpp_safetensors_begin(&w, path, specs, n, &meta, 1));
    for (size_t i = 0; i < params.count; i++)
        if (params.items[i].used) TPP_TRY_OR(done, s, append_param(w, &params.items[i], &seed));
    s = tpp_safetensors_commit(w);
    w = NULL;
done:
    tpp_safetensors_discard(w);
    tpp_free(specs);
    tpp_model_params_free(&params);
    return s;
}
