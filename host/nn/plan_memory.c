/* Memory of a plan: every value and scratch gets an offset in one arena, from its lifetime.
 *
 * Greedy by size: the largest tensor first, at the lowest offset where nothing that lives at the
 * same time lies.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "nn/plan_internal.h"

#include <stdlib.h>

typedef struct slot {
    size_t bytes, offset;
    int first, last; /* positions in the run order, both inclusive */
    int value, node; /* what it is for: a value, or the scratch of a node */
} slot;

static int larger_first(const void *a, const void *b)
{
    const slot *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x->value != y->value ? (x->value < y->value ? -1 : 1)
                                : (x->node > y->node) - (x->node < y->node);
}

static int by_offset(const void *a, const void *b)
{
    const slot *const *x = a, *const *y = b;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

static void place_slots(slot *s, int n, const slot **busy, size_t *total)
{
    qsort(s, (size_t)n, sizeof(*s), larger_first);
    *total = 0;
    for (int i = 0; i < n; i++) {
        int n_busy = 0;
        for (int j = 0; j < i; j++)
            if (s[j].first <= s[i].last && s[i].first <= s[j].last) busy[n_busy++] = &s[j];
        qsort(busy, (size_t)n_busy, sizeof(*busy), by_offset);
        size_t at = 0;
        for (int j = 0; j < n_busy; j++) {
            if (busy[j]->offset >= at + s[i].bytes) break;
            if (busy[j]->offset + busy[j]->bytes > at) at = busy[j]->offset + busy[j]->bytes;
        }
        s[i].offset = at;
        if (at + s[i].bytes > *total) *total = at + s[i].bytes;
    }
}

static size_t value_bytes(const tpp_plan *p, int v)
{
    const tpp_value_info *info = &p->value[v].info;
    const size_t bytes = (size_t)tpp_shape_count(&info->shape) * tpp_dtype_size(info->type);
    return tpp_round_up(bytes == 0 ? 1 : bytes, p->caps->base_align);
}

/* Where each value of the run order lives; those of the arena become slots. What is written part by
 * part lives from the first part on. */
static int collect_slots(tpp_plan *p, slot *s, int *slot_of)
{
    int n = 0;
    for (int v = 0; v < p->n_values; v++) slot_of[v] = -1;
    for (int at = 0; at < p->n_order; at++) {
        const tpp_plan_node *node = &p->node[p->order[at]];
        if (node->constant) continue;
        for (int i = 0; i < TPP_MAX_OUT; i++) {
            const int v = tpp_plan_root(p, node->info.out[i]);
            if (v < 0) continue;
            if (slot_of[v] >= 0) s[slot_of[v]].last = at;
            if (slot_of[v] >= 0) continue;
            p->value[v].place = p->value[v].keep ? TPP_PLACE_OWN : TPP_PLACE_ARENA;
            if (p->value[v].keep) continue;
            slot_of[v] = n;
            s[n++] =
                (slot){.bytes = value_bytes(p, v), .first = at, .last = at, .value = v, .node = -1};
        }
        for (int i = 0; i < TPP_MAX_IN; i++) {
            const int r = tpp_plan_root(p, node->info.in[i]);
            if (r >= 0 && slot_of[r] >= 0) s[slot_of[r]].last = at;
        }
        if (node->scratch > 0)
            s[n++] = (slot){.bytes = tpp_round_up(node->scratch, p->caps->base_align),
                            .first = at,
                            .last = at,
                            .value = -1,
                            .node = p->order[at]};
    }
    return n;
}

tpp_status tpp_plan_place(tpp_plan *p)
{
    tpp_status status = TPP_OK;
    slot *s = NULL;
    const slot **busy = NULL;
    int *slot_of = NULL;
    const int most = p->n_values + p->n_nodes;
    TPP_NEW_OR(done, status, s, most);
    TPP_NEW_OR(done, status, busy, most);
    TPP_NEW_OR(done, status, slot_of, p->n_values);
    const int n = collect_slots(p, s, slot_of);
    place_slots(s, n, busy, &p->arena_bytes);
    for (int i = 0; i < n; i++) {
        if (s[i].value >= 0)
            p->value[s[i].value].offset = s[i].offset;
        else
            p->node[s[i].node].scratch_offset = s[i].offset;
    }
    for (int v = 0; v < p->n_values; v++)
        if (p->value[v].info.kind == TPP_VALUE_INPUT && p->value[v].place == TPP_PLACE_NONE)
            p->value[v].place = TPP_PLACE_OWN;
done:
    tpp_free(s);
    tpp_free(busy);
    tpp_free(slot_of);
    return status;
}
