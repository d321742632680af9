/* ResNet-50, ResNet-101 and the small `tiny` of the reference.
 * SPDX-License-Identifier: MIT */
#include "model/backbone.h"
#include "model/blocks.h"

#define BODY "backbone.0.body."

enum { EXPANSION = 4 };

static const tpp_resnet nets[] = {
    {TPP_BACKBONE_TINY, 16, {1, 1, 1, 1}},
    {TPP_BACKBONE_RESNET50, 64, {3, 4, 6, 3}},
    {TPP_BACKBONE_RESNET101, 64, {3, 4, 23, 3}},
};

const tpp_resnet *tpp_backbone_resnet_find(int name)
{
    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
        if (nets[i].name == name) return &nets[i];
    return NULL;
}

int tpp_resnet_channels(const tpp_resnet *net, int stage)
{
    return EXPANSION * net->stem << stage;
}

/* conv, then its frozen batch norm. */
static tpp_map conv_bn(tpp_graph *g, tpp_map x, const char *conv, const char *bn, tpp_conv c)
{
    return tpp_frozen_bn(g, tpp_conv2d(g, x, conv, c), bn);
}

static tpp_map relu(tpp_graph *g, tpp_map x)
{
    x.v = tpp_activate(g, x.v, TPP_ACT_RELU);
    return x;
}

/* 1x1, 3x3 (which has the stride), 1x1, each with batch norm; plus a shortcut. */
static tpp_map bottleneck(tpp_graph *g, tpp_map x, const char *p, int planes, int stride,
                          bool project)
{
    const tpp_conv reduce = {.cout = planes, .kernel = 1, .stride = 1};
    const tpp_conv middle = {.cout = planes, .kernel = 3, .stride = stride, .pad = 1};
    const tpp_conv expand = {.cout = EXPANSION * planes, .kernel = 1, .stride = 1};
    const tpp_conv shrink = {.cout = EXPANSION * planes, .kernel = 1, .stride = stride};
    tpp_map y = relu(g, conv_bn(g, x, TPP_NAME("%s.conv1", p), TPP_NAME("%s.bn1", p), reduce));
    y = relu(g, conv_bn(g, y, TPP_NAME("%s.conv2", p), TPP_NAME("%s.bn2", p), middle));
    if (project)
        x = conv_bn(g, x, TPP_NAME("%s.downsample.0", p), TPP_NAME("%s.downsample.1", p), shrink);
    y = conv_bn(g, y, TPP_NAME("%s.conv3", p), TPP_NAME("%s.bn3", p), expand);
    y.v = tpp_add(g, x.v, y.v);
    return relu(g, y);
}

void tpp_backbone_resnet(tpp_graph *g, const tpp_resnet *net, tpp_map image,
                         tpp_map res[TPP_STAGES])
{
    const tpp_conv stem = {.cout = net->stem, .kernel = 7, .stride = 2, .pad = 3};
    tpp_map x = relu(g, conv_bn(g, image, BODY "conv1", BODY "bn1", stem));
    x = tpp_maxpool(g, x, 3, 2, 1);
    for (int i = 0; i < TPP_STAGES; i++) {
        for (int b = 0; b < net->blocks[i]; b++)
            x = bottleneck(g, x, TPP_NAME(BODY "layer%d.%d", i + 1, b), net->stem << i,
                           i > 0 && b == 0 ? 2 : 1, b == 0);
        res[i] = x;
    }
}
