/* Products out of nodes.
 * SPDX-License-Identifier: MIT */
#include "products.h"

#include "core/mem.h"
#include "ops/gemm.h"

#include <stdlib.h>

typedef struct product_list {
    bench_product *product;
    int count, capacity;
} product_list;

static tpp_status add(product_list *list, int64_t m, int64_t n, int64_t k, int count)
{
    const bench_product p = {.m = tpp_int(m),
                             .n = tpp_int(n),
                             .k = tpp_int(k),
                             .count = count,
                             .flops = 2.0 * (double)m * (double)n * (double)k * count};
    for (int i = 0; i < list->count; i++) {
        bench_product *known = &list->product[i];
        if (known->m != p.m || known->n != p.n || known->k != p.k) continue;
        known->count += count;
        known->flops += p.flops;
        return TPP_OK;
    }
    TPP_TRY(tpp_grow(&list->product, list->count, &list->capacity, sizeof(p)));
    list->product[list->count++] = p;
    return TPP_OK;
}

static tpp_status add_node(product_list *list, const bench_node *n)
{
    const tpp_shape *x = &n->call.in[0].shape, *y = &n->call.out[0].shape;
    const int64_t rows = tpp_shape_rows(y), cols = tpp_shape_cols(y);
    if (n->op == &tpp_op_gemm) {
        const tpp_gemm_sizes z = tpp_gemm_sizes_of(&n->call);
        return add(list, z.m, z.n, z.k, n->count);
    }
    if (n->op == &tpp_op_conv2d) {
        const tpp_conv2d_attr *a = n->call.attr;
        const bool is_product = a->kernel == 1 && a->stride == 1 && a->pad == 0;
        return is_product ? add(list, rows, cols, tpp_shape_cols(x), n->count) : TPP_OK;
    }
    if (n->op == &tpp_op_ffn) {
        const int64_t hidden = n->call.in[1].shape.d[0];
        TPP_TRY(add(list, rows, hidden, cols, n->count));
        return add(list, rows, cols, hidden, n->count);
    }
    return TPP_OK;
}

static int more_flops_first(const void *a, const void *b)
{
    const double x = ((const bench_product *)a)->flops, y = ((const bench_product *)b)->flops;
    return (x < y) - (x > y);
}

tpp_status bench_products_of(bench_product **out, int *count, const bench_node *node, int n_nodes)
{
    product_list list = {0};
    for (int i = 0; i < n_nodes; i++) {
        const tpp_status s = add_node(&list, &node[i]);
        if (s == TPP_OK) continue;
        tpp_free(list.product);
        return s;
    }
    if (list.count > 0)
        qsort(list.product, (size_t)list.count, sizeof(*list.product), more_flops_first);
    *out = list.product;
    *count = list.count;
    return TPP_OK;
}
