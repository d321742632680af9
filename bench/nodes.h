/* The ops that a frame of a session runs, equal ones counted together.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_BENCH_NODES_H
#define TPP_BENCH_NODES_H

#include "infer/session.h"
#include "ops/op.h"

typedef struct bench_node {
    const char *plan; /* the first that has it */
    const tpp_op *op;
    tpp_call call; /* shapes and types, weights in their own shape; attr is the plan's */
    const tpp_algorithm *algorithm; /* what the plan chose */
    tpp_params params;
    tpp_cost cost; /* of one */
    int count;     /* in a frame after the first; with mode=clip in a clip */
} bench_node;

/* Nodes of image, backbone, encode and the frame graph that most frames run, in their order. The
 * caller frees *out with tpp_free; it borrows from the session's plans. */
TPP_MUST_CHECK tpp_status bench_nodes_of(bench_node **out, int *count, const tpp_session *s);

#endif
