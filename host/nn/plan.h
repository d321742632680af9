/* From a graph to a list of launches: fusion, choice of algorithms, memory by lifetime, recording.
 *
 * Life of a plan: open (decides everything, makes derived weights), bind inputs that other plans or
 * the session own, record (into an arena that several plans may share), run as often as wanted.
 * Running allocates nothing, builds nothing and waits for nothing.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_PLAN_H
#define TPP_NN_PLAN_H

#include "nn/graph.h"
#include "nn/store.h"
#include "ops/peak.h"
#include "tensor/tensor.h"

#include <stdio.h>

typedef struct tpp_plan tpp_plan;

typedef struct tpp_plan_options {
    const char *name;      /* of the plan in messages and printouts; kept, not copied */
    const char *algorithm; /* tried first for every node; NULL: the registry's order */
    bool keep_marks;       /* marked values become outputs (dumps, golden comparison) */
    bool no_fusion;        /* every node as recorded */
} tpp_plan_options;

/* Plans `g`, which may be closed afterwards; keeps `store`. */
TPP_MUST_CHECK tpp_status tpp_plan_open(tpp_plan **out, const tpp_graph *g, tpp_store *store,
                                        const tpp_plan_options *options);
void tpp_plan_close(tpp_plan *p);

/* Bytes of the arena this plan wants, and of the buffers it owns besides (outputs, inputs that
 * nobody bound). */
size_t tpp_plan_arena_bytes(const tpp_plan *p);
size_t tpp_plan_own_bytes(const tpp_plan *p);

/* Before recording: the input `name` lies in `b` (borrowed), which is large enough. */
TPP_MUST_CHECK tpp_status tpp_plan_bind(tpp_plan *p, const char *name, tpp_buffer *b);

/* Before recording, after all inputs are bound: output `name` is made in `b` (borrowed) if nothing
 * reads `b` after it is written, and not at all if it is a copy of what lies there; else the plan
 * keeps a buffer for it (tpp_plan_copy_out). */
TPP_MUST_CHECK tpp_status tpp_plan_bind_output(tpp_plan *p, const char *name, tpp_buffer *b);

/* Makes the launches. `arena` (borrowed) has at least tpp_plan_arena_bytes; plans that share one
 * run one after the other. */
TPP_MUST_CHECK tpp_status tpp_plan_record(tpp_plan *p, tpp_buffer *arena);

/* After recording: adds a copy of output `name` into `to`, done at the end of every run. */
TPP_MUST_CHECK tpp_status tpp_plan_copy_out(tpp_plan *p, const char *name, tpp_buffer *to);

/* Enqueues one run and flushes. */
TPP_MUST_CHECK tpp_status tpp_plan_run(tpp_plan *p);

/* Derives again what changed masters made stale. */
TPP_MUST_CHECK tpp_status tpp_plan_refresh(tpp_plan *p);

/* Where the input, output or kept mark `name` lies (borrowed), and its shape; NULL: no such name.
 */
tpp_buffer *tpp_plan_buffer(const tpp_plan *p, const char *name, tpp_shape *shape, tpp_dtype *type);

bool tpp_plan_has_input(const tpp_plan *p, const char *name);

/* Shape and type of an input, output or kept mark; false: no such name. */
bool tpp_plan_shape(const tpp_plan *p, const char *name, tpp_shape *shape, tpp_dtype *type);

/* Outputs and kept marks one by one; false past the last. */
typedef struct tpp_plan_result {
    const char *name;
    tpp_shape shape;
    tpp_dtype type;
    int height, width; /* of a map, else 0 */
    bool is_mark;
    tpp_buffer *buffer;
} tpp_plan_result;
bool tpp_plan_result_at(const tpp_plan *p, int i, tpp_plan_result *out);

/* What a plan holds: nodes in order, shapes, algorithm, FLOPs, bytes, arena offset; with times
 * (milliseconds a node, from tpp_plan_profile; NULL: none) the speed of each. With `peaks` (may be
 * NULL) too: the floor of each, the time that its FLOPs or its bytes take at the peak, whichever is
 * longer, which of the two that is, and the shares of both peaks. */
void tpp_plan_print(const tpp_plan *p, FILE *to, const double *node_ms, const tpp_peaks *peaks);

/* One run with every node timed; adds to node_ms[0 .. tpp_plan_nodes(p) - 1]. */
TPP_MUST_CHECK tpp_status tpp_plan_profile(tpp_plan *p, double *node_ms);
int tpp_plan_nodes(const tpp_plan *p);
int tpp_plan_launches(const tpp_plan *p);

/* Floating-point operations of one run, as the model counts them. */
double tpp_plan_flops(const tpp_plan *p);

/* Name of the plan, borrowed. */
const char *tpp_plan_name(const tpp_plan *p);

/* How many nodes run by `algorithm`, constant ones aside. */
int tpp_plan_count(const tpp_plan *p, const char *algorithm);

#endif
