/* Ops on rows of values, on CPU devices: native vectors, and a last part of a vector where the
 * width does not divide the columns.
 *
 * A work-item (a group of its own) takes `rows_each` rows by `cols_each` columns of the result; a
 * tensor that needs no rows is one long row. Grid: (blocks of columns, blocks of rows).
 *   binary_vector     y = a op b; a, y [rows, cols]; b [cols], or with by_row [rows]
 *   copy_rows_vector  y[y_start + r y_pitch + i] = x[x_start + r x_pitch + i], i < cols
 *   embedding_vector  y = word[id] + position[place] + type; y [rows, cols]
 *   activate_vector   y = act(x)
 * SPDX-License-Identifier: MIT */
#include "tile.clh"

enum { BINARY_ADD, BINARY_MUL }; /* tpp_binary_op */

/* The block of a work-item: rows [row, last_row), columns [col, last_col). */
typedef struct {
    int row, last_row, col, last_col;
} block;

static block own_block(int rows, int cols, int rows_each, int cols_each)
{
    block b;
    b.row = (int)get_group_id(1) * rows_each;
    b.col = (int)get_group_id(0) * cols_each;
    b.last_row = min(b.row + rows_each, rows);
    b.last_col = min(b.col + cols_each, cols);
    return b;
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void binary_vector(
    global float *restrict y, global const float *restrict a, global const float *restrict b,
    int op, int by_row, int rows, int cols, int rows_each, int cols_each)
{
    const block own = own_block(rows, cols, rows_each, cols_each);
    for (int row = own.row; row < own.last_row; row++) {
        const size_t at = (size_t)row * cols;
        const vec same = (vec)(by_row ? b[row] : 0.0f);
        for (int i = own.col; i < own.last_col; i += VW) {
            const int count = own.last_col - i;
            const vec left = load_part(a + at + i, count);
            const vec right = by_row ? same : load_part(b + i, count);
            store_part(op == BINARY_ADD ? left + right : left * right, y + at + i, count);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void copy_rows_vector(
    global float *restrict y, global const float *restrict x, int y_start, int y_pitch, int x_start,
    int x_pitch, int rows, int cols, int rows_each, int cols_each)
{
    const block own = own_block(rows, cols, rows_each, cols_each);
    for (int row = own.row; row < own.last_row; row++) {
        global const float *from = x + x_start + (size_t)row * x_pitch;
        global float *to = y + y_start + (size_t)row * y_pitch;
        int i = own.col;
        for (; i + VW <= own.last_col; i += VW) STORE_VEC(LOAD_VEC(0, from + i), 0, to + i);
        for (; i < own.last_col; i++) to[i] = from[i];
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void embedding_vector(
    global float *restrict y, global const int *restrict id, global const int *restrict place,
    global const float *restrict word, global const float *restrict position,
    global const float *restrict type, int rows, int cols, int rows_each, int cols_each)
{
    const block own = own_block(rows, cols, rows_each, cols_each);
    for (int row = own.row; row < own.last_row; row++) {
        global const float *w = word + (size_t)id[row] * cols;
        global const float *p = position + (size_t)place[row] * cols;
        for (int i = own.col; i < own.last_col; i += VW) {
            const int count = own.last_col - i;
            const vec sum = load_part(w + i, count) + load_part(p + i, count);
            store_part(sum + load_part(type + i, count), y + (size_t)row * cols + i, count);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void activate_vector(
    global float *restrict y, global const float *restrict x, int act, int rows, int cols,
    int rows_each, int cols_each)
{
    const block own = own_block(rows, cols, rows_each, cols_each);
    for (int row = own.row; row < own.last_row; row++) {
        const size_t at = (size_t)row * cols;
        for (int i = own.col; i < own.last_col; i += VW) {
            const int count = own.last_col - i;
            store_part(activate_vec(act, load_part(x + at + i, count)), y + at + i, count);
        }
    }
}
