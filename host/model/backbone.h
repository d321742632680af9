/* Backbones: from an image to maps of stride 4, 8, 16 and 32.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_BACKBONE_H
#define TPP_MODEL_BACKBONE_H

#include "model/dims.h"
#include "nn/graph.h"

/* Bottlenecks of a ResNet in each stage, and channels of its stem. */
typedef struct tpp_resnet {
    int name; /* enum tpp_backbone */
    int stem;
    int blocks[TPP_STAGES];
} tpp_resnet;

/* NULL: not a ResNet of this version. */
const tpp_resnet *tpp_backbone_resnet_find(int name);

/* Channels that stage `stage` (from 0) gives. */
int tpp_resnet_channels(const tpp_resnet *net, int stage);

/* ResNet v1.5 with frozen batch norm (model.md 2.2), names of model.md 3.3. */
void tpp_backbone_resnet(tpp_graph *g, const tpp_resnet *net, tpp_map image,
                         tpp_map res[TPP_STAGES]);

#endif
