/* Positional encodings and the tables that sentences need, made on the host in double.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_MODEL_POSITION_H
#define TPP_MODEL_POSITION_H

#include "model/dims.h"
#include "nn/graph.h"

/* Sine encoding of a map (model.md 2.3), no padding: out [h*w, c], c a multiple of 4; the first
 * half of the channels is y. */
void tpp_sine2d(float *out, int h, int w, int c);

/* Sine encoding of `length` words of which `valid` are not padding: out [length, c]. */
void tpp_sine1d(float *out, int valid, int length, int c);

/* Centres of all tokens of all levels as (x, y) in [0, 1]: out [S, 2]. */
void tpp_centres(float *out, const tpp_model_dims *d);

/* Position ids of the text encoder: the i-th word (from 0) has i + 2, padding has 1. */
void tpp_text_places(int32_t *out, int valid, int length);

/* Rows of the words of all prompts [P*L], padding skipped; the rest of `rows` is 0. Returns how
 * many there are. */
int tpp_text_pack(int32_t *rows, const int32_t *valid, int prompts, int length);

/* The tables as constants of a graph. */
tpp_value tpp_sine2d_value(tpp_graph *g, const tpp_map_size *s);    /* [1, h*w, channels] */
tpp_value tpp_centres_value(tpp_graph *g, const tpp_model_dims *d); /* [1, S, 2] */

#endif
