/* The graph's data, for the files of host/nn.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_GRAPH_INTERNAL_H
#define TPP_NN_GRAPH_INTERNAL_H

#include "core/table.h"
#include "nn/graph.h"
#include "ops/op.h"

typedef enum tpp_value_kind {
    TPP_VALUE_NODE,    /* made by a node */
    TPP_VALUE_INPUT,   /* filled by the caller */
    TPP_VALUE_PARAM,   /* from the store */
    TPP_VALUE_CONSTANT /* known when recorded */
} tpp_value_kind;

typedef struct tpp_value_info {
    tpp_value_kind kind;
    tpp_dtype type;
    tpp_shape shape;
    char *name; /* of inputs, parameters and constants */
    void *data; /* of constants */
    int node;   /* that makes it, or -1 */
    int port;   /* which of the node's outputs */
    int alias;  /* the value whose bytes these are (reshape), or -1 */
    bool stop;  /* no gradient passes from here to `alias` */
} tpp_value_info;

typedef struct tpp_node_info {
    const tpp_op *op;
    unsigned char attr[TPP_MAX_ATTR_BYTES];
    int in[TPP_MAX_IN], out[TPP_MAX_OUT]; /* values, -1: absent */
} tpp_node_info;

typedef struct tpp_named_value {
    char *name;
    int value;
    int height, width; /* of marks */
    bool is_mark;
} tpp_named_value;

struct tpp_graph {
    tpp_status status;
    tpp_value_info *value;
    tpp_node_info *node;
    tpp_named_value *named; /* outputs and marks */
    int n_values, n_nodes, n_named;
    int value_capacity, node_capacity, named_capacity;
    tpp_table leaves; /* "param NAME", "constant KEY", "input NAME" -> value */
};

/* The value that owns the bytes of `v`. */
static inline int tpp_value_root(const tpp_value_info *value, int v)
{
    while (v >= 0 && value[v].alias >= 0) v = value[v].alias;
    return v;
}

/* A new value of a leaf or node; TPP_NONE after a failure. */
tpp_value tpp_graph_add_value(tpp_graph *g, const tpp_value_info *info);

#endif
