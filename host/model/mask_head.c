/* Boxes, classes and masks of the queries.
 * SPDX-License-Identifier: MIT */
#include "model/mask_head.h"

#include "model/blocks.h"

static int64_t width_of(const tpp_graph *g, tpp_value x)
{
    const tpp_shape s = tpp_shape_of(g, x);
    return tpp_shape_cols(&s);
}

tpp_value tpp_box_head(tpp_graph *g, tpp_value hs, tpp_value ref, int layer)
{
    const tpp_box_refine_attr attr = {0};
    const tpp_value delta = tpp_mlp3(g, hs, TPP_NAME("bbox_embed.%d", layer), width_of(g, hs), 4);
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "box_refine", &attr, 2, (tpp_value[]){delta, ref}, out);
    return out[0];
}

tpp_value tpp_class_head(tpp_graph *g, tpp_value hs, int layer, int classes)
{
    return tpp_linear(g, hs, TPP_NAME("class_embed.%d", layer), classes);
}

tpp_value tpp_mask_head(tpp_graph *g, const tpp_model_dims *d, tpp_value hs, tpp_value box,
                        tpp_value mask_features)
{
    const struct tpp_model_config *c = d->config;
    const float cell = 0.25f; /* of a mask, in input pixels: stride 4 */
    const tpp_mask_head_attr attr = {
        .height = d->res[0].height,
        .width = d->res[0].width,
        .image_height = d->height,
        .image_width = d->width,
        .channels = c->model.dyn_channels,
        .rel_coord = c->model.rel_coord,
        .coord_scale = c->mask.coord_scale == TPP_COORD_SCALE_STRIDE ? cell : 1.0f};
    const tpp_value in[] = {tpp_mlp3(g, hs, "controller", c->model.hidden, tpp_theta_count(c)),
                            mask_features, tpp_stop_gradient(g, box)};
    tpp_value out[TPP_MAX_OUT] = {TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE, TPP_NONE};
    (void)tpp_node(g, "mask_head", &attr, 3, in, out);
    return out[0];
}
