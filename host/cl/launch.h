/* Recording and running kernels: typed arguments, the only enqueue, time by kernel.
 *
 * Ops record steps into a list once, with every argument set; running a frame walks the list.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_LAUNCH_H
#define TPP_CL_LAUNCH_H

#include "cl/cl_internal.h"

typedef struct tpp_arg {
    const char *type; /* "int", "float" or "*" (any pointer) */
    size_t size;
    union {
        cl_mem mem;
        cl_int i;
        cl_float f;
    } value;
} tpp_arg;

typedef struct tpp_args {
    int count;
    const tpp_arg *arg;
} tpp_args;

static inline tpp_arg tpp_arg_mem(cl_mem m)
{
    return (tpp_arg){.type = "*", .size = sizeof(cl_mem), .value.mem = m};
}
static inline tpp_arg tpp_arg_int(int i)
{
    return (tpp_arg){.type = "int", .size = sizeof(cl_int), .value.i = i};
}
static inline tpp_arg tpp_arg_float(float f)
{
    return (tpp_arg){.type = "float", .size = sizeof(cl_float), .value.f = f};
}

/* A tpp_arg from a cl_mem, an int or a float; anything else does not compile. */
#define TPP_ARG(x) _Generic((x), cl_mem : tpp_arg_mem, int : tpp_arg_int, float : tpp_arg_float)(x)

#define TPP_ARGS(...)                                                      \
    ((tpp_args){(int)(sizeof((tpp_arg[]){__VA_ARGS__}) / sizeof(tpp_arg)), \
                (tpp_arg[]){__VA_ARGS__}})

/* Work items of up to three axes, and the work-group. `local` 0 means 1. Global sizes are rounded
 * up to whole groups; kernels test their bounds. */
typedef struct tpp_grid {
    size_t global[3], local[3];
    size_t offset[3]; /* of get_global_id; get_group_id starts at 0 all the same */
} tpp_grid;

typedef struct tpp_steps tpp_steps;

/* A host function as a step: CLBlast, copies. It enqueues on d->compute and must not wait. */
typedef tpp_status tpp_host_step(tpp_device *d, void *context);

TPP_MUST_CHECK tpp_status tpp_steps_open(tpp_steps **out, tpp_device *d);
void tpp_steps_close(tpp_steps *s);
tpp_device *tpp_steps_device(const tpp_steps *s);

/* Steps recorded from here on belong to node `node` (for profiles); -1 to begin with. */
void tpp_steps_set_node(tpp_steps *s, int node);

/* Adds a kernel launch. Fails with TPP_EKERNEL when count or types of `args` or the work-group are
 * not the kernel's, TPP_EUNSUPPORTED when the work-group is too large for this device. */
TPP_MUST_CHECK tpp_status tpp_record(tpp_steps *s, const char *file, const char *kernel,
                                     const char *options, tpp_grid grid, tpp_args args);

/* Adds a host step; takes `context`, which `destroy` frees when the list is closed. `name` is
 * static text. */
TPP_MUST_CHECK tpp_status tpp_record_host(tpp_steps *s, const char *name, tpp_host_step *run,
                                          void *context, void (*destroy)(void *));

/* Adds a copy of `bytes` from offset 0 to offset 0. */
TPP_MUST_CHECK tpp_status tpp_record_copy(tpp_steps *s, cl_mem from, cl_mem to, size_t bytes);

/* Enqueues all steps in order and flushes; waits for nothing. */
TPP_MUST_CHECK tpp_status tpp_steps_run(tpp_steps *s);

int tpp_steps_count(const tpp_steps *s);
int tpp_steps_count_of(const tpp_steps *s, int node);

/* As tpp_steps_run, but waits, and adds the milliseconds of every step to `node_ms`, an array
 * indexed by node (steps of node -1 or beyond `nodes` are left out). */
TPP_MUST_CHECK tpp_status tpp_steps_profile(tpp_steps *s, double *node_ms, int nodes);

/* Rounds up to a multiple. */
static inline size_t tpp_round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

#endif
