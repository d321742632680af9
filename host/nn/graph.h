/* A graph of ops: recorded by model code with no device in sight, shapes checked as it grows.
 *
 * Builders return the new value; after a failure they return TPP_NONE, further calls do nothing,
 * and tpp_graph_status tells what went wrong first. So model code reads like formulas and looks at
 * the status once.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_GRAPH_H
#define TPP_NN_GRAPH_H

#include "core/shape.h"
#include "core/status.h"
#include "ref/ref.h"

#include <stdbool.h>

typedef struct tpp_graph tpp_graph;

/* A tensor of the graph: an index, or TPP_NONE for an operand that is not there. */
typedef int tpp_value;
enum { TPP_NONE = -1 };

TPP_MUST_CHECK tpp_status tpp_graph_open(tpp_graph **out);
void tpp_graph_close(tpp_graph *g);

/* TPP_OK, or the first failure (its message is in tpp_error() if nothing failed since). */
tpp_status tpp_graph_status(const tpp_graph *g);

/* Records a failure as a builder would; returns TPP_NONE. */
tpp_value tpp_graph_fail(tpp_graph *g, tpp_status s, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A tensor that the caller fills before each run. */
tpp_value tpp_input(tpp_graph *g, const char *name, tpp_dtype type, tpp_shape shape);

/* A parameter under its published name, in its published shape; the same name gives the same
 * value. */
tpp_value tpp_param(tpp_graph *g, const char *name, tpp_shape shape);

/* A tensor known now. `data` (host floats, int32 or bytes by `type`) is copied. Graphs that share a
 * store share constants of the same key, so the key says all that the content depends on. */
tpp_value tpp_constant(tpp_graph *g, const char *key, tpp_dtype type, tpp_shape shape,
                       const void *data);
bool tpp_constant_known(const tpp_graph *g, const char *key, tpp_value *out);

/* Names a result that outlives the run, in memory of its own. */
void tpp_output(tpp_graph *g, const char *name, tpp_value v);

/* Names a value for dumps: kept (as an output) only by plans that are asked to. `height`, `width`:
 * of a map, so that a dump can turn tokens into [C,H,W]; 0 for sequences. */
void tpp_mark(tpp_graph *g, int height, int width, tpp_value v, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Any op of the registry. Fills `out` (n_out values). The general form of the builders below. */
tpp_status tpp_node(tpp_graph *g, const char *op, const void *attr, int n_in, const tpp_value *in,
                    tpp_value *out);

/* Same bytes, another shape. */
tpp_value tpp_reshape(tpp_graph *g, tpp_value x, tpp_shape shape);

/* The value, but no gradient passes. */
tpp_value tpp_stop_gradient(tpp_graph *g, tpp_value x);

/* The value that was named by tpp_output; fails the graph when there is none. */
tpp_value tpp_graph_named(tpp_graph *g, const char *name);

tpp_shape tpp_shape_of(const tpp_graph *g, tpp_value v);

/* The graph's parameters in order of their first use, i from 0; NULL past the last. */
int tpp_graph_param_count(const tpp_graph *g);
const char *tpp_graph_param_at(const tpp_graph *g, int i, tpp_shape *shape);

/* ---- builders: one line of model code each; formulas in ref/ref.h ---- */

/* `w` and `b` by name: PREFIX.weight [n, k], PREFIX.bias [n]. */
tpp_value tpp_linear(tpp_graph *g, tpp_value x, const char *prefix, int64_t n);
tpp_value tpp_gemm(tpp_graph *g, tpp_value x, tpp_value w, tpp_value bias);

/* PREFIX.weight [cout, cin, kernel, kernel], PREFIX.bias [cout] when `bias`. x is [B, h*w, cin]. */
typedef struct tpp_map {
    tpp_value v; /* [B, height*width, C] */
    int height, width;
} tpp_map;
typedef struct tpp_conv {
    int64_t cout;
    int kernel, stride, pad;
    bool bias;
} tpp_conv;
tpp_map tpp_conv2d(tpp_graph *g, tpp_map x, const char *prefix, tpp_conv c);
tpp_map tpp_conv2d_with(tpp_graph *g, tpp_map x, tpp_value w, tpp_value bias, tpp_conv c);
tpp_map tpp_maxpool(tpp_graph *g, tpp_map x, int kernel, int stride, int pad);
tpp_map tpp_frozen_bn(tpp_graph *g, tpp_map x, const char *prefix);
tpp_map tpp_resample(tpp_graph *g, tpp_map x, int height, int width, tpp_resample_mode mode);

tpp_value tpp_activate(tpp_graph *g, tpp_value x, tpp_act act);
tpp_value tpp_add(tpp_graph *g, tpp_value a, tpp_value b);
tpp_value tpp_mul(tpp_graph *g, tpp_value a, tpp_value b);
tpp_value tpp_layernorm(tpp_graph *g, tpp_value x, const char *prefix, float eps);
tpp_value tpp_groupnorm(tpp_graph *g, tpp_value x, const char *prefix, int groups, tpp_act act);
/* PREFIX.linear1, PREFIX.linear2 (names given whole); the residual is part of it. */
tpp_value tpp_ffn(tpp_graph *g, tpp_value x, const char *linear1, const char *linear2,
                  int64_t hidden, tpp_act act);
/* `index` and `valid` may be TPP_NONE. */
tpp_value tpp_attention(tpp_graph *g, tpp_value q, tpp_value k, tpp_value v, tpp_value valid,
                        tpp_value index, tpp_attention_attr attr);
/* Rows or columns of a matrix-like value: axis 0..rank-1. */
tpp_value tpp_slice(tpp_graph *g, tpp_value x, int axis, int64_t start, int64_t count);
tpp_value tpp_concat(tpp_graph *g, int axis, int n, const tpp_value *x);
tpp_value tpp_gather_rows(tpp_graph *g, tpp_value x, tpp_value index, int repeat);
/* The same rows of each of x's `batches` parts: [batches, R, C] to [batches, n, C]. */
tpp_value tpp_gather_rows_of_each(tpp_graph *g, tpp_value x, tpp_value index, int batches);

/* Gradients of `output` (seeded with `seed`, of its shape) with respect to `wrt`: appends the
 * backward nodes and fills `grads` (TPP_NONE where nothing flows). */
TPP_MUST_CHECK tpp_status tpp_backward(tpp_graph *g, tpp_value output, tpp_value seed, int n,
                                       const tpp_value *wrt, tpp_value *grads);

#endif
