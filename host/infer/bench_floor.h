/* The least time that a device of a data sheet could take for the nodes of a plan. Computed, never
 * measured.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_FLOOR_H
#define TPP_INFER_BENCH_FLOOR_H

#include "infer/device_model.h"
#include "infer/session.h"
#include "nn/plan_choices.h"

typedef enum tpp_floor_bound {
    TPP_FLOOR_FMA,
    TPP_FLOOR_MEMORY,
    TPP_FLOOR_LAUNCHES
} tpp_floor_bound;

typedef struct tpp_floor {
    double ms;
    tpp_floor_bound bound; /* what it is the time of */
} tpp_floor;

/* "fma", "memory", "launches" */
const char *tpp_floor_bound_text(tpp_floor_bound bound);

/* The largest of: the model's operations at the FMA peak, every operand moved once at the memory's
 * bandwidth, the launches one after another. */
tpp_floor tpp_floor_of(const tpp_device_model *m, const tpp_cost *cost, int launches);

/* A graph: its nodes run one after another, so their floors add up. */
typedef struct tpp_graph_floor {
    const char *name;
    double runs; /* in a frame after the first, text aside; 0: that frame has no use for it */
    int nodes, launches; /* launches of no node are copies between graphs */
    tpp_cost cost;
    double ms; /* of one run */
} tpp_graph_floor;

/* Graph i of a session, from 0; false past the last. */
bool tpp_graph_floor_at(const tpp_session *s, const tpp_device_model *m, int i,
                        tpp_graph_floor *out);

/* A frame after the first, text aside: every graph as often as such a frame runs it. */
tpp_graph_floor tpp_frame_floor(const tpp_session *s, const tpp_device_model *m);

#endif
