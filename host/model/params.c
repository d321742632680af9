/* Every parameter of the model, by recording its graphs.
 * SPDX-License-Identifier: MIT */
#include "model/params.h"

#include "core/mem.h"
#include "model/tpp_model.h"

#include <string.h>

static tpp_status add_param(tpp_model_params *p, const char *name, const tpp_shape *shape,
                            bool used)
{
    bool is_new = false;
    tpp_table_entry *e = tpp_table_put(&p->index, name, &is_new);
    if (e == NULL) return TPP_ENOMEM;
    if (!is_new) return TPP_OK;
    e->value.number = (int64_t)p->count;
    tpp_model_param *grown = tpp_realloc(p->items, p->count + 1, sizeof(*grown));
    if (grown == NULL) return TPP_ENOMEM;
    p->items = grown;
    p->items[p->count++] = (tpp_model_param){.name = e->key, .shape = *shape, .used = used};
    return TPP_OK;
}

static tpp_status collect(tpp_model_params *p, const tpp_graph *g, bool used)
{
    TPP_TRY(tpp_graph_status(g));
    const int n = tpp_graph_param_count(g);
    for (int i = 0; i < n; i++) {
        tpp_shape shape;
        const char *name = tpp_graph_param_at(g, i, &shape);
        TPP_TRY(add_param(p, name, &shape, used));
    }
    return TPP_OK;
}

/* All graphs in one: parameters of the same name are one value, whichever graph asks. */
static tpp_status record_all(tpp_graph *g, const tpp_model_dims *d)
{
    const struct tpp_model_config *c = d->config;
    const tpp_frame_spec first = {.keep = tpp_model_config_queries(c, 2, c->model.num_queries)};
    const tpp_frame_spec next = {.queries = first.keep, .keep = 1};
    TPP_TRY(tpp_build_backbone(g, d, 1));
    TPP_TRY(tpp_build_text(g, d));
    TPP_TRY(tpp_build_encode(g, d, 1));
    TPP_TRY(tpp_build_frame(g, d, &first));
    return tpp_model_propagates(c) ? tpp_build_frame(g, d, &next) : TPP_OK;
}

static tpp_status list(tpp_model_params *p, const struct tpp_model_config *c, bool used)
{
    tpp_model_dims d;
    tpp_graph *g = NULL;
    TPP_TRY(tpp_model_dims_set(&d, c, TPP_MIN_SIDE, TPP_MIN_SIDE, c->text.num_prompts, 1));
    TPP_TRY(tpp_graph_open(&g));
    tpp_status s = record_all(g, &d);
    if (s == TPP_OK) s = collect(p, g, used);
    tpp_graph_close(g);
    return s;
}

/* The same model with everything on that has parameters of its own. */
static struct tpp_model_config with_all(const struct tpp_model_config *c)
{
    struct tpp_model_config all = *c;
    all.mode = TPP_MODE_ONLINE;
    all.prop.box = all.prop.mask = all.prop.query = all.prop.update_pos = true;
    all.fusion.mode = TPP_FUSION_PROMPT_WEIGHTED;
    all.prop.topk = (tpp_int_list){.count = 1, .value = {1}};
    all.model.box_refine = true;
    return all;
}

tpp_status tpp_model_params_list(tpp_model_params *p, const struct tpp_model_config *config)
{
    tpp_model_params made = {0};
    const struct tpp_model_config all = with_all(config);
    tpp_status s = list(&made, config, true);
    if (s == TPP_OK) s = list(&made, &all, false);
    if (s == TPP_OK)
        *p = made;
    else
        tpp_model_params_free(&made);
    return s;
}

void tpp_model_params_free(tpp_model_params *p)
{
    tpp_free(p->items);
    tpp_table_free(&p->index);
    *p = (tpp_model_params){0};
}

const tpp_model_param *tpp_model_params_find(const tpp_model_params *p, const char *name)
{
    const tpp_table_entry *e = tpp_table_find(&p->index, name);
    return e == NULL ? NULL : &p->items[e->value.number];
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool tpp_model_param_is_surplus(const char *name)
{
    static const char aliases[] = "transformer.decoder.bbox_embed."; /* of bbox_embed.* */
    return strncmp(name, aliases, sizeof(aliases) - 1) == 0 ||
           strcmp(name, "criterion.empty_weight") == 0 ||
           strcmp(name, "text_encoder.embeddings.position_ids") == 0 ||
           ends_with(name, ".num_batches_tracked");
}
