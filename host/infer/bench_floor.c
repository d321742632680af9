/* Computes floors.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_floor.h"

#include <string.h>

const char *tpp_floor_bound_text(tpp_floor_bound bound)
{
    static const char *const words[] = {"fma", "memory", "launches"};
    return words[bound];
}

tpp_floor tpp_floor_of(const tpp_device_model *m, const tpp_cost *cost, int launches)
{
    const double fma = cost->flops * 1e-6 / m->gflops, memory = cost->bytes * 1e-6 / m->memory_gbs,
                 queue = launches * TPP_LAUNCH_US * 1e-3;
    if (fma >= memory && fma >= queue) return (tpp_floor){fma, TPP_FLOOR_FMA};
    return memory >= queue ? (tpp_floor){memory, TPP_FLOOR_MEMORY}
                           : (tpp_floor){queue, TPP_FLOOR_LAUNCHES};
}

/* Text runs once a sequence, other frame graphs than the last for its first frames. */
static double runs_in_frame(const tpp_session *s, int i)
{
    double runs = 0;
    const char *name = tpp_plan_name(tpp_session_plan_at(s, i, &runs));
    const bool is_last = tpp_session_plan_at(s, i + 1, NULL) == NULL;
    if (is_last) return strcmp(name, "clip") == 0 ? runs : 1;
    const bool is_early =
        strcmp(name, "text") == 0 || strcmp(name, "first") == 0 || strcmp(name, "next") == 0;
    return is_early ? 0 : runs;
}

bool tpp_graph_floor_at(const tpp_session *s, const tpp_device_model *m, int i,
                        tpp_graph_floor *out)
{
    const tpp_plan *p = tpp_session_plan_at(s, i, NULL);
    if (p == NULL) return false;
    tpp_graph_floor g = {.name = tpp_plan_name(p), .runs = runs_in_frame(s, i)};
    tpp_plan_choice c;
    for (; tpp_plan_choice_at(p, g.nodes, &c); g.nodes++) {
        g.cost.flops += c.cost.flops;
        g.cost.bytes += c.cost.bytes;
        g.launches += c.launches;
        g.ms += tpp_floor_of(m, &c.cost, c.launches).ms;
    }
    const tpp_cost nothing = {0};
    const int copies = tpp_plan_launches(p) - g.launches;
    g.ms += tpp_floor_of(m, &nothing, copies).ms;
    g.launches += copies;
    *out = g;
    return true;
}

tpp_graph_floor tpp_frame_floor(const tpp_session *s, const tpp_device_model *m)
{
    tpp_graph_floor frame = {.name = "frame", .runs = 1}, g;
    double launches = 0, nodes = 0;
    for (int i = 0; tpp_graph_floor_at(s, m, i, &g); i++) {
        frame.cost.flops += g.runs * g.cost.flops;
        frame.cost.bytes += g.runs * g.cost.bytes;
        frame.ms += g.runs * g.ms;
        launches += g.runs * g.launches;
        nodes += g.runs * g.nodes;
    }
    frame.launches = (int)(launches + 0.5);
    frame.nodes = (int)(nodes + 0.5);
    return frame;
}
