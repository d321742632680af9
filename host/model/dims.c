/* Sizes of everything in the model.
 * SPDX-License-Identifier: MIT */
#include "model/dims.h"

#include "model/backbone.h"

enum { MAX_SIDE = 1 << 15, POSITIONS_BEFORE_TEXT = 2 };

static tpp_status check_switches(const struct tpp_model_config *c)
{
    if (tpp_backbone_resnet_find(c->backbone.name) == NULL)
        return TPP_FAIL(
            TPP_EUNSUPPORTED,
            "backbone.name: %s is not in this version; resnet50, resnet101 and tiny are",
            tpp_backbone_text(c->backbone.name));
    if (c->model.levels < 3 || c->model.levels > TPP_MAX_LEVELS)
        return TPP_FAIL(TPP_EUNSUPPORTED, "model.levels: %d, wanted 3 to %d", c->model.levels,
                        TPP_MAX_LEVELS);
    if (c->model.dec_layers > TPP_MAX_LAYERS)
        return TPP_FAIL(TPP_EUNSUPPORTED, "model.dec_layers: %d, at most %d", c->model.dec_layers,
                        TPP_MAX_LAYERS);
    return TPP_OK;
}

static tpp_status check_sizes(const struct tpp_model_config *c, int height, int width, int prompts,
                              int length)
{
    if (height < TPP_MIN_SIDE || width < TPP_MIN_SIDE || height > MAX_SIDE || width > MAX_SIDE)
        return TPP_FAIL(TPP_EUSAGE, "the network's input is %d x %d pixels, wanted %d to %d a side",
                        height, width, TPP_MIN_SIDE, MAX_SIDE);
    if (prompts < 1 || (c->fusion.mode == TPP_FUSION_SINGLE && prompts != 1))
        return TPP_FAIL(TPP_EUSAGE, "%d prompts, wanted %s", prompts,
                        prompts < 1 ? "at least one" : "one (fusion.mode is single)");
    if (c->prompt.select == TPP_SELECT_FIXED && c->prompt.fixed_index >= prompts)
        return TPP_FAIL(TPP_EUSAGE, "prompt.fixed_index: %d (from 0), but there are %d prompts",
                        c->prompt.fixed_index, prompts);
    if (length < 1 || length > c->text.positions - POSITIONS_BEFORE_TEXT)
        return TPP_FAIL(TPP_EUSAGE, "a prompt of %d tokens, wanted 1 to %d (text.positions - %d)",
                        length, c->text.positions - POSITIONS_BEFORE_TEXT, POSITIONS_BEFORE_TEXT);
    return TPP_OK;
}

/* Strided convolutions and pools of the model all round up. */
static int half(int n)
{
    return (n + 1) / 2;
}

static tpp_map_size halved(tpp_map_size s, int channels)
{
    return (tpp_map_size){half(s.height), half(s.width), channels};
}

static void set_maps(tpp_model_dims *d)
{
    const tpp_resnet *net = tpp_backbone_resnet_find(d->config->backbone.name);
    tpp_map_size s = halved((tpp_map_size){d->height, d->width, 3}, net->stem);
    for (int i = 0; i < TPP_STAGES; i++) {
        s = halved(s, tpp_resnet_channels(net, i));
        d->res[i] = s;
    }
    s = d->res[0];
    for (int l = 0; l < d->levels; l++) {
        s = halved(s, d->config->model.hidden);
        d->level[l] = s;
        d->level_start[l] = d->tokens;
        d->tokens += tpp_map_tokens(&s);
    }
}

tpp_status tpp_model_dims_set(tpp_model_dims *d, const struct tpp_model_config *config, int height,
                              int width, int prompts, int length)
{
    TPP_TRY(tpp_model_config_check(config));
    TPP_TRY(check_switches(config));
    TPP_TRY(check_sizes(config, height, width, prompts, length));
    *d = (tpp_model_dims){.config = config,
                          .height = height,
                          .width = width,
                          .prompts = prompts,
                          .length = length,
                          .levels = config->model.levels};
    set_maps(d);
    return TPP_OK;
}

bool tpp_model_propagates(const struct tpp_model_config *config)
{
    return config->prop.box || config->prop.mask || config->prop.query;
}

int64_t tpp_theta_count(const struct tpp_model_config *config)
{
    const int64_t channels = config->model.dyn_channels;
    const int64_t inputs = config->model.mask_dim + (config->model.rel_coord ? 2 : 0);
    return channels * inputs + channels * channels + channels + channels + channels + 1;
}
