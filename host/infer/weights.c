/* Weights from a safetensors file: the check before anything runs, and the source.
 * SPDX-License-Identifier: MIT */
#include "infer/weights.h"

#include "core/str.h"
#include "model/params.h"

#include <stdio.h>
#include <string.h>

#define BODY "backbone.0.body."

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* ---- names ---- */

/* The other name of a parameter in published files, or NULL; `buffer` may hold it. */
static const char *other_name(const char *name, char *buffer, size_t size)
{
    static const char decoder[] = "transformer.decoder.";
    if (starts_with(name, BODY)) return name + sizeof(BODY) - 1;
    if (!starts_with(name, "bbox_embed.") || sizeof(decoder) + strlen(name) > size) return NULL;
    memcpy(buffer, decoder, sizeof(decoder) - 1);
    memcpy(buffer + sizeof(decoder) - 1, name, strlen(name) + 1);
    return buffer;
}

const tpp_safetensors_tensor *tpp_weights_find(const tpp_safetensors *f, const char *name)
{
    char buffer[256];
    const tpp_safetensors_tensor *t = tpp_safetensors_find(f, name);
    if (t != NULL) return t;
    const char *other = other_name(name, buffer, sizeof(buffer));
    return other == NULL ? NULL : tpp_safetensors_find(f, other);
}

/* May a file hold `name`? */
static bool is_known(const tpp_model_params *params, const char *name)
{
    char whole[256] = BODY;
    if (tpp_model_params_find(params, name) != NULL || tpp_model_param_is_surplus(name))
        return true;
    if (ends_with(name, "total_params") || ends_with(name, "total_ops")) return true;
    if (strcmp(name, "fc.weight") == 0 || strcmp(name, "fc.bias") == 0)
        return true; /* the classifier of a torchvision ResNet */
    if (sizeof(BODY) + strlen(name) > sizeof(whole)) return false;
    memcpy(whole + sizeof(BODY) - 1, name, strlen(name) + 1);
    return tpp_model_params_find(params, whole) != NULL;
}

/* ---- the check ---- */

enum { MOST_NAMED = 10, LONGEST_LIST = 850 }; /* tpp_error() holds about a thousand bytes */

typedef struct faults {
    int missing, unexpected, shape, type, named;
    tpp_str list;
} faults;

static bool may_name(faults *f)
{
    if (f->named >= MOST_NAMED || f->list.length > LONGEST_LIST) return false;
    f->named++;
    return true;
}

static bool is_float(tpp_safetensors_dtype type)
{
    return type == TPP_SAFETENSORS_F32 || type == TPP_SAFETENSORS_F16 ||
           type == TPP_SAFETENSORS_BF16 || type == TPP_SAFETENSORS_F64;
}

static bool same_shape(const tpp_safetensors_tensor *t, const tpp_shape *want)
{
    if (t->rank != want->rank) return false;
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] != want->d[i]) return false;
    return true;
}

static void check_param(faults *f, const tpp_safetensors *file, const tpp_model_param *p)
{
    const tpp_safetensors_tensor *t = tpp_weights_find(file, p->name);
    if (t == NULL) {
        f->missing++;
        if (may_name(f)) tpp_str_format(&f->list, "; %.100s is missing", p->name);
    } else if (!same_shape(t, &p->shape)) {
        f->shape++;
        if (may_name(f))
            tpp_str_format(&f->list, "; %.100s is %.60s, wanted %s", t->name,
                           tpp_safetensors_shape_text(t), tpp_shape_text(&p->shape));
    } else if (!is_float(t->type)) {
        f->type++;
        if (may_name(f))
            tpp_str_format(&f->list, "; %.100s is of type %s, wanted F32, F16, BF16 or F64",
                           t->name, tpp_safetensors_dtype_text(t->type));
    }
}

static tpp_status report(const faults *f, const char *path)
{
    const int all = f->missing + f->unexpected + f->shape + f->type;
    if (f->list.status != TPP_OK) return TPP_ENOMEM;
    if (all == 0) return TPP_OK;
    char rest[32] = "";
    if (all > f->named) (void)snprintf(rest, sizeof(rest), "; and %d more", all - f->named);
    return TPP_FAIL(TPP_EFORMAT,
                    "%s: not the weights of this configuration: %d missing, %d of another shape, "
                    "%d of another type, %d unexpected%s%s",
                    path, f->missing, f->shape, f->type, f->unexpected, f->list.text, rest);
}

tpp_status tpp_weights_check(const tpp_safetensors *file, const char *path,
                             const struct tpp_model_config *config)
{
    tpp_model_params params = {0};
    faults f = {0};
    TPP_TRY(tpp_model_params_list(&params, config));
    for (size_t i = 0; i < params.count; i++)
        if (params.items[i].used) check_param(&f, file, &params.items[i]);
    for (size_t i = 0; i < tpp_safetensors_count(file); i++) {
        const char *name = tpp_safetensors_get(file, i)->name;
        if (is_known(&params, name)) continue;
        f.unexpected++;
        if (may_name(&f)) tpp_str_format(&f.list, "; %.100s is not of this model", name);
    }
    const tpp_status s = report(&f, path);
    tpp_str_free(&f.list);
    tpp_model_params_free(&params);
    return s;
}

/* ---- the source ---- */

tpp_status tpp_weights_source(void *file, const char *name, const tpp_shape *shape, float *out)
{
    const tpp_safetensors_tensor *t = tpp_weights_find(file, name);
    if (t == NULL) return TPP_FAIL(TPP_EFORMAT, "the weights hold no %s", name);
    if (!same_shape(t, shape))
        return TPP_FAIL(TPP_ESHAPE, "%s: the weights have %s, wanted %s", name,
                        tpp_safetensors_shape_text(t), tpp_shape_text(shape));
    return tpp_safetensors_floats(t, out, t->count);
}

bool tpp_weights_are_synthetic(const tpp_safetensors *f)
{
    /* The reference program's weight files carry its configuration instead. */
    return tpp_safetensors_meta(f, TPP_SYNTHETIC_KEY) != NULL ||
           (tpp_safetensors_meta(f, "seed") != NULL &&
            tpp_safetensors_meta(f, "target_box") != NULL);
}
