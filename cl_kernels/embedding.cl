/* Word, position and type rows added up: y = word[id] + position[place] + type[0].
 *   id, place [tokens]; word [V, cols], position [X, cols], type [1, cols]; y [tokens, cols].
 * Source: specification, section 2.4. One work-item per element of y, grid (cols, tokens).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along a row */
#endif

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void embedding_plain(
    global float *restrict y, global const int *restrict id, global const int *restrict place,
    global const float *restrict word, global const float *restrict position,
    global const float *restrict type, int tokens, int cols)
{
    const int col = (int)get_global_id(0), token = (int)get_global_id(1);
    if (col >= cols || token >= tokens) return;
    y[(size_t)token * cols + col] = word[(size_t)id[token] * cols + col] +
                                    position[(size_t)place[token] * cols + col] + type[col];
}
