/* Step lists: kernels with their arguments set, copies and host calls, run in order.
 * SPDX-License-Identifier: MIT */
#include "cl/launch.h"

#include "cl/program.h"
#include "cl/replay.h"
#include "core/log.h"
#include "core/mem.h"

#include <string.h>

typedef enum step_kind { STEP_KERNEL, STEP_HOST, STEP_COPY } step_kind;

typedef struct step {
    step_kind kind;
    int node;
    const char *name; /* static, or the program's table */
    cl_kernel kernel;
    int axes;
    size_t global[3], local[3], offset[3];
    tpp_host_step *run;
    void *context;
    void (*destroy)(void *);
    cl_mem from, to;
    size_t bytes;
    tpp_replay *replay; /* of this step and those behind it, `replayed` in all */
    int replayed;
} step;

struct tpp_steps {
    tpp_device *device;
    step *step;
    int count, capacity, node;
    bool replays; /* kernels are to run as command buffers: made before the first run */
};

tpp_status tpp_steps_open(tpp_steps **out, tpp_device *d)
{
    tpp_steps *s = NULL;
    TPP_NEW(s, 1);
    s->device = d;
    s->node = -1;
    s->replays = d->replays;
    *out = s;
    return TPP_OK;
}

void tpp_steps_close(tpp_steps *s)
{
    if (s == NULL) return;
    for (int i = 0; i < s->count; i++) {
        tpp_replay_close(s->step[i].replay);
        if (s->step[i].kernel != NULL) (void)clReleaseKernel(s->step[i].kernel);
        if (s->step[i].destroy != NULL) s->step[i].destroy(s->step[i].context);
    }
    tpp_free(s->step);
    tpp_free(s);
}

tpp_device *tpp_steps_device(const tpp_steps *s)
{
    return s->device;
}

void tpp_steps_set_node(tpp_steps *s, int node)
{
    s->node = node;
}

int tpp_steps_count(const tpp_steps *s)
{
    return s->count;
}

int tpp_steps_count_of(const tpp_steps *s, int node)
{
    int n = 0;
    for (int i = 0; i < s->count; i++) n += s->step[i].node == node;
    return n;
}

static tpp_status add_step(tpp_steps *s, const step *new_step)
{
    if (s->count == s->capacity) {
        const int capacity = s->capacity * 2 + 64;
        step *grown = tpp_realloc(s->step, (size_t)capacity, sizeof(*grown));
        if (grown == NULL) return TPP_ENOMEM;
        s->step = grown;
        s->capacity = capacity;
    }
    s->step[s->count] = *new_step;
    s->step[s->count++].node = s->node;
    return TPP_OK;
}

/* Holds one argument against the kernel's own declaration. */
static tpp_status check_arg(const tpp_device *d, cl_kernel k, const char *kernel, int i,
                            const char *given)
{
    char type[64] = "", name[64] = "";
    const cl_uint at = (cl_uint)i;
    if (clGetKernelArgInfo(k, at, CL_KERNEL_ARG_TYPE_NAME, sizeof(type), type, NULL) != CL_SUCCESS)
        return TPP_OK; /* the driver does not tell */
    if (clGetKernelArgInfo(k, at, CL_KERNEL_ARG_NAME, sizeof(name), name, NULL) != CL_SUCCESS)
        name[0] = '\0';
    const bool is_pointer = strchr(type, '*') != NULL;
    if (is_pointer ? given[0] == '*' : strcmp(type, given) == 0) return TPP_OK;
    return TPP_FAIL(TPP_EKERNEL, "%s: argument %d (%s): kernel wants %s, host passes %s, on %s",
                    kernel, i, name, type, given[0] == '*' ? "a buffer" : given, d->caps.name);
}

static tpp_status set_args(tpp_device *d, cl_kernel k, const char *kernel, tpp_args args)
{
    cl_uint wanted = 0;
    TPP_CL(d, clGetKernelInfo(k, CL_KERNEL_NUM_ARGS, sizeof(wanted), &wanted, NULL));
    if ((int)wanted != args.count)
        return TPP_FAIL(TPP_EKERNEL, "%s: kernel wants %u arguments, host passes %d", kernel,
                        wanted, args.count);
    for (int i = 0; i < args.count; i++) {
        const tpp_arg *a = &args.arg[i];
        if (!d->caps.no_arg_info) TPP_TRY(check_arg(d, k, kernel, i, a->type));
        const cl_int code = clSetKernelArg(k, (cl_uint)i, a->size, &a->value);
        if (code != CL_SUCCESS)
            return TPP_FAIL(TPP_EKERNEL, "%s: argument %d is refused: %s", kernel, i,
                            tpp_cl_error_name(code));
    }
    return TPP_OK;
}

static tpp_status set_grid(const tpp_device *d, step *st, const char *kernel, tpp_grid grid)
{
    size_t group = 1;
    st->axes = 1;
    for (int i = 0; i < 3; i++) {
        const size_t local = grid.local[i] == 0 ? 1 : grid.local[i];
        const size_t global = grid.global[i] == 0 ? 1 : grid.global[i];
        st->local[i] = local;
        st->global[i] = tpp_round_up(global, local);
        st->offset[i] = grid.offset[i];
        if (st->global[i] > 1 || st->offset[i] > 0) st->axes = i + 1;
        group *= local;
    }
    if (group > d->caps.max_group)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: work-group of %zu, %s takes at most %zu", kernel,
                        group, d->caps.name, d->caps.max_group);
    return TPP_OK;
}

/* The kernel's local arrays against what the device has. A driver that does not tell is believed to
 * refuse them itself. */
static tpp_status check_local(tpp_device *d, const step *st)
{
    cl_ulong bytes = 0;
    if (clGetKernelWorkGroupInfo(st->kernel, d->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof(bytes), &bytes,
                                 NULL) != CL_SUCCESS)
        return TPP_OK;
    if (d->caps.local_twice) bytes /= 2;
    if (bytes <= d->caps.local_mem) {
        if (bytes > d->use.local_bytes) d->use.local_bytes = bytes;
        return TPP_OK;
    }
    return TPP_FAIL(TPP_EUNSUPPORTED, "%s: %llu bytes of local memory, %s has %zu", st->name,
                    (unsigned long long)bytes, d->caps.name, d->caps.local_mem);
}

/* The work-group against what the kernel was compiled for, which a driver would refuse only when
 * the step runs. */
static tpp_status check_group(tpp_device *d, const step *st)
{
    size_t most = 0, fixed[3] = {0};
    const size_t *l = st->local;
    TPP_CL(d, clGetKernelWorkGroupInfo(st->kernel, d->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof(most),
                                       &most, NULL));
    TPP_CL(d, clGetKernelWorkGroupInfo(st->kernel, d->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
                                       sizeof(fixed), fixed, NULL));
    if (fixed[0] != 0 && memcmp(fixed, l, sizeof(fixed)) != 0)
        return TPP_FAIL(TPP_EKERNEL,
                        "%s: compiled for work-groups of %zu x %zu x %zu, launched with "
                        "%zu x %zu x %zu",
                        st->name, fixed[0], fixed[1], fixed[2], l[0], l[1], l[2]);
    if (l[0] * l[1] * l[2] > d->use.group) d->use.group = l[0] * l[1] * l[2];
    /* What was compiled for a size runs in it: rusticl names a smaller one all the same. */
    if (fixed[0] == 0 && l[0] * l[1] * l[2] > most)
        return TPP_FAIL(TPP_EUNSUPPORTED, "%s: work-group of %zu, as compiled for %s it takes %zu",
                        st->name, l[0] * l[1] * l[2], d->caps.name, most);
    return check_local(d, st);
}

tpp_status tpp_record(tpp_steps *s, const char *file, const char *kernel, const char *options,
                      tpp_grid grid, tpp_args args)
{
    step st = {.kind = STEP_KERNEL, .name = kernel};
    tpp_status status = set_grid(s->device, &st, kernel, grid);
    if (status == TPP_OK) status = tpp_kernel_open(&st.kernel, s->device, file, kernel, options);
    if (status == TPP_OK) status = check_group(s->device, &st);
    if (status == TPP_OK) status = set_args(s->device, st.kernel, kernel, args);
    if (status == TPP_OK) status = add_step(s, &st);
    if (status == TPP_OK && strstr(options, "-DSUB_GROUPS=1") != NULL)
        s->device->use.sub_groups = true;
    if (status != TPP_OK && st.kernel != NULL) (void)clReleaseKernel(st.kernel);
    return status;
}

tpp_status tpp_record_host(tpp_steps *s, const char *name, tpp_host_step *run, void *context,
                           void (*destroy)(void *))
{
    const step st = {
        .kind = STEP_HOST, .name = name, .run = run, .context = context, .destroy = destroy};
    const tpp_status status = add_step(s, &st);
    if (status != TPP_OK && destroy != NULL) destroy(context);
    return status;
}

tpp_status tpp_record_copy(tpp_steps *s, cl_mem from, cl_mem to, size_t bytes)
{
    const step st = {.kind = STEP_COPY, .name = "copy", .from = from, .to = to, .bytes = bytes};
    return add_step(s, &st);
}

/* The only enqueue of kernels. */
static tpp_status run_step(tpp_device *d, const step *st, cl_event *event)
{
    d->recent[d->recent_at++ % TPP_RECENT] = st->name;
    d->counts.launches++;
    cl_int code = CL_SUCCESS;
    switch (st->kind) {
    case STEP_KERNEL:
        code = clEnqueueNDRangeKernel(d->compute, st->kernel, (cl_uint)st->axes, st->offset,
                                      st->global, st->local, 0, NULL, event);
        break;
    case STEP_COPY:
        code = clEnqueueCopyBuffer(d->compute, st->from, st->to, 0, 0, st->bytes, 0, NULL, event);
        break;
    case STEP_HOST:
        return st->run(d, st->context);
    }
    return code == CL_SUCCESS ? TPP_OK : tpp_cl_fail(d, code, st->name);
}

/* Kernels in a row, from step `first` on, as one command. */
static tpp_status make_replay(tpp_steps *s, int first, int count)
{
    tpp_replay **const r = &s->step[first].replay;
    TPP_TRY(tpp_replay_open(r, s->device));
    for (int i = first; i < first + count; i++) {
        const step *st = &s->step[i];
        TPP_TRY(
            tpp_replay_add(*r, st->kernel, (cl_uint)st->axes, st->offset, st->global, st->local));
    }
    TPP_TRY(tpp_replay_finish(*r));
    s->step[first].replayed = count;
    return TPP_OK;
}

/* What cannot be recorded runs launch by launch. */
static void make_replays(tpp_steps *s)
{
    s->replays = false;
    for (int i = 0, count = 1; i < s->count; i += count) {
        for (count = 0; i + count < s->count && s->step[i + count].kind == STEP_KERNEL;) count++;
        if (count == 0) count = 1;
        if (count == 1 || make_replay(s, i, count) == TPP_OK) continue;
        tpp_log(TPP_LOG_WARN, "launch", "command buffers are not used: %s", tpp_error());
        s->device->replays = false;
        return;
    }
}

static tpp_status run_replay(tpp_device *d, const step *st)
{
    d->recent[d->recent_at++ % TPP_RECENT] = st->name;
    d->counts.launches++;
    return tpp_replay_run(st->replay);
}

tpp_status tpp_steps_run(tpp_steps *s)
{
    if (s->replays) make_replays(s);
    for (int i = 0; i < s->count; i++) {
        const step *st = &s->step[i];
        if (st->replayed > 0)
            TPP_TRY(run_replay(s->device, st));
        else
            TPP_TRY(run_step(s->device, st, NULL));
        i += st->replayed > 0 ? st->replayed - 1 : 0;
    }
    TPP_CL(s->device, clFlush(s->device->compute));
    return TPP_OK;
}

/* Time between two markers around the step: a host step may enqueue several kernels. */
static tpp_status time_step(tpp_device *d, const step *st, double *ms)
{
    cl_event mark[2] = {NULL, NULL};
    cl_ulong from = 0, to = 0;
    TPP_CL(d, clFinish(d->compute));
    TPP_CL(d, clEnqueueMarkerWithWaitList(d->compute, 0, NULL, &mark[0]));
    tpp_status status = run_step(d, st, NULL);
    cl_int code = clEnqueueMarkerWithWaitList(d->compute, 0, NULL, &mark[1]);
    if (code == CL_SUCCESS) code = clFinish(d->compute);
    if (code == CL_SUCCESS)
        code =
            clGetEventProfilingInfo(mark[0], CL_PROFILING_COMMAND_END, sizeof(from), &from, NULL);
    if (code == CL_SUCCESS)
        code = clGetEventProfilingInfo(mark[1], CL_PROFILING_COMMAND_END, sizeof(to), &to, NULL);
    (void)clReleaseEvent(mark[0]);
    if (mark[1] != NULL) (void)clReleaseEvent(mark[1]);
    if (status == TPP_OK && code != CL_SUCCESS) status = tpp_cl_fail(d, code, st->name);
    *ms = (double)(to - from) * 1e-6;
    return status;
}

tpp_status tpp_steps_profile(tpp_steps *s, double *node_ms, int nodes)
{
    for (int i = 0; i < s->count; i++) {
        double ms = 0;
        TPP_TRY(time_step(s->device, &s->step[i], &ms));
        const int node = s->step[i].node;
        if (node >= 0 && node < nodes) node_ms[node] += ms;
    }
    return TPP_OK;
}
