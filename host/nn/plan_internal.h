/* The planner's data, for the files plan*.c.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_PLAN_INTERNAL_H
#define TPP_NN_PLAN_INTERNAL_H

#include "nn/graph_internal.h"
#include "nn/plan.h"
#include "nn/store_internal.h"

typedef enum tpp_place {
    TPP_PLACE_NONE,  /* not stored: dead, or fused away */
    TPP_PLACE_ARENA, /* at `offset` */
    TPP_PLACE_OWN,   /* a buffer of the plan: outputs, unbound inputs */
    TPP_PLACE_BOUND, /* a buffer of somebody else */
    TPP_PLACE_STORE  /* parameter, constant or derived from those */
} tpp_place;

typedef struct tpp_plan_value {
    tpp_value_info info;
    tpp_place place;
    size_t offset;
    tpp_buffer *buffer;     /* of OWN and BOUND */
    tpp_store_entry *entry; /* of STORE */
    char *key;              /* of STORE */
    size_t view_at;         /* of a value with info.alias: bytes of that one before it */
    int64_t pitch;          /* as tpp_operand's; not 0: columns of a wider matrix */
    bool constant, keep;    /* keep: an output or a kept mark lies here */
    bool stays;             /* holds a run_use of `entry` */
    int users, last_user;   /* live nodes that read it; index into `node` of the last */
} tpp_plan_value;

typedef struct tpp_plan_node {
    tpp_node_info info;
    const tpp_algorithm *algorithm;
    tpp_params params;
    bool dead, constant;
    size_t scratch, scratch_offset;
    tpp_cost cost; /* of the node as the model counts it, before operands are packed */
} tpp_plan_node;

struct tpp_plan {
    tpp_plan_options options;
    tpp_store *store;
    const tpp_caps *caps;
    tpp_plan_value *value;
    tpp_plan_node *node;
    int *order; /* run order: indices into `node` */
    tpp_named_value *named;
    int n_values, n_nodes, n_order, n_named;
    int value_capacity, node_capacity, order_capacity;
    size_t arena_bytes;
    tpp_buffer *arena; /* borrowed */
    tpp_steps *steps;
    bool recorded;
};

/* The value whose bytes `v` shows. */
int tpp_plan_root(const tpp_plan *p, int v);

/* Bytes of the root before `v`. */
size_t tpp_plan_view_at(const tpp_plan *p, int v);

/* A tpp_call of a node with shapes and types, without memory. */
tpp_call tpp_plan_call(const tpp_plan *p, const tpp_plan_node *n);

/* New value or node at the end of the arrays; -1: out of memory. */
int tpp_plan_add_value(tpp_plan *p, const tpp_value_info *info);
int tpp_plan_add_node(tpp_plan *p, const tpp_plan_node *n);

/* Counts readers of every value from the live nodes. */
void tpp_plan_count_users(tpp_plan *p);

/* A new node, run just before `user`: whatever the user reads is there by then. */
TPP_MUST_CHECK tpp_status tpp_plan_insert_before(tpp_plan *p, int user, const tpp_plan_node *n);

/* plan_fuse.c: merges nodes. plan_view.c: drops copies. plan_join.c: joins products. plan_memory.c:
 * places values in the arena. plan_derive.c: keys of constants, loading and deriving them. */
TPP_MUST_CHECK tpp_status tpp_plan_fuse(tpp_plan *p);
void tpp_plan_view(tpp_plan *p);
TPP_MUST_CHECK tpp_status tpp_plan_join(tpp_plan *p);
TPP_MUST_CHECK tpp_status tpp_plan_place(tpp_plan *p);
TPP_MUST_CHECK tpp_status tpp_plan_derive(tpp_plan *p, bool first);

/* Fills `call` with memory for recording. */
TPP_MUST_CHECK tpp_status tpp_plan_resolve(tpp_plan *p, const tpp_plan_node *n, tpp_call *call);

#endif
