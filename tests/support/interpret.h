/* Running a recorded graph with the float64 references of its ops, no device in sight.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INTERPRET_H
#define TPP_TESTS_INTERPRET_H

#include "nn/graph_internal.h"

/* Gives the numbers of an input or a parameter: fills `out`. */
typedef void interpret_fill(void *context, const tpp_value_info *v, double *out);

/* The numbers of every value of `g`; frees with interpret_free. Fails the test that calls it when
 * the graph is not whole. */
double **interpret(const tpp_graph *g, interpret_fill *fill, void *context);
void interpret_free(const tpp_graph *g, double **data);

/* Value `v`, reshaped ones too. */
const double *interpret_get(const tpp_graph *g, double **data, tpp_value v);

#endif
