/* Prints every program that the library would build on a GPU, a line each:
 *
 *   targets <tab> file <tab> build options <tab> kernel <tab> work-items of a group
 *
 * Calls are the cases of the registry and the nodes of the plans of the configurations that are
 * named. Each is recorded in every algorithm that is not for CPUs alone, with all its parameters,
 * on a CPU device that says it is a GPU: once for each kind of GPU that the gate compiles for. So
 * an op, algorithm or parameter that is new is in the list without a line here.
 *
 * The linker puts this file's tpp_record and tpp_op_choose in place of the library's (--wrap,
 * vendors.cmake).
 * usage: list_programs [HxW CONFIG]...
 * SPDX-License-Identifier: MIT */
#include "config/model_config.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"
#include "infer/trial.h"
#include "ops/op.h"
#include "ops/peak.h"
#include "ops/tuning.h"
#include "tensor/tensor_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */
tpp_status __real_tpp_record(tpp_steps *s, const char *file, const char *kernel,
                             const char *options, tpp_grid grid, tpp_args args);
tpp_status __wrap_tpp_record(tpp_steps *s, const char *file, const char *kernel,
                             const char *options, tpp_grid grid, tpp_args args);
tpp_choice __real_tpp_op_choose(const tpp_op *op, const char *wanted, const tpp_tuning *tuning,
                                const tpp_call *c, const tpp_caps *caps);
tpp_choice __wrap_tpp_op_choose(const tpp_op *op, const char *wanted, const tpp_tuning *tuning,
                                const tpp_call *c, const tpp_caps *caps);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* ---- what is collected ---- */

typedef struct noted_call {
    const tpp_op *op;
    tpp_call call; /* shapes and types; `attr` is of the next member */
    unsigned char attr[TPP_MAX_ATTR_BYTES];
} noted_call;

static struct {
    const char *targets; /* that are listed for now */
    bool is_run;         /* what is recorded runs, so that it must be built */
    char **line;
    size_t n_lines, line_capacity;
    noted_call **call;
    size_t n_calls, call_capacity;
} found;

static void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) return array;
    *capacity = *capacity * 2 + 64;
    void *larger = realloc(array, *capacity * size);
    if (larger == NULL) abort();
    return larger;
}

static void add_line(const char *file, const char *options, const char *kernel, size_t group)
{
    tpp_str s = {0};
    int length = (int)strlen(options);
    while (length > 0 && options[length - 1] == ' ') length--;
    tpp_str_format(&s, "%s\t%s\t%.*s\t%s\t%zu", found.targets, file, length, options, kernel,
                   group);
    if (s.status != TPP_OK) abort();
    for (size_t i = 0; i < found.n_lines; i++) {
        if (strcmp(found.line[i], s.text) != 0) continue;
        tpp_str_free(&s);
        return;
    }
    found.line = grown(found.line, found.n_lines, &found.line_capacity, sizeof(*found.line));
    found.line[found.n_lines++] = s.text;
}

static bool same_operands(const tpp_operand *a, const tpp_operand *b, int n)
{
    for (int i = 0; i < n; i++)
        if (!tpp_shape_equal(&a[i].shape, &b[i].shape) || a[i].type != b[i].type) return false;
    return true;
}

static void add_call(const tpp_op *op, const tpp_call *c)
{
    for (size_t i = 0; i < found.n_calls; i++) {
        const noted_call *known = found.call[i];
        if (known->op == op &&
            (op->attr_size == 0 || memcmp(known->attr, c->attr, op->attr_size) == 0) &&
            same_operands(known->call.in, c->in, TPP_MAX_IN) &&
            same_operands(known->call.out, c->out, TPP_MAX_OUT))
            return;
    }
    noted_call *n = calloc(1, sizeof(*n));
    if (n == NULL) abort();
    n->op = op;
    n->call = *c;
    if (op->attr_size > 0) memcpy(n->attr, c->attr, op->attr_size);
    n->call.attr = n->attr;
    found.call = grown(found.call, found.n_calls, &found.call_capacity, sizeof(noted_call *));
    found.call[found.n_calls++] = n;
}

static void forget(void)
{
    for (size_t i = 0; i < found.n_lines; i++) tpp_free(found.line[i]);
    for (size_t i = 0; i < found.n_calls; i++) free(found.call[i]);
    free(found.line);
    free(found.call);
}

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
tpp_status __wrap_tpp_record(tpp_steps *s, const char *file, const char *kernel,
                             const char *options, tpp_grid grid, tpp_args args)
{
    size_t group = 1;
    for (int i = 0; i < 3; i++) group *= grid.local[i] == 0 ? 1 : grid.local[i];
    add_line(file, options, kernel, group);
    return found.is_run ? __real_tpp_record(s, file, kernel, options, grid, args) : TPP_OK;
}

tpp_choice __wrap_tpp_op_choose(const tpp_op *op, const char *wanted, const tpp_tuning *tuning,
                                const tpp_call *c, const tpp_caps *caps)
{
    add_call(op, c);
    return __real_tpp_op_choose(op, wanted, tuning, c, caps);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* ---- where calls come from ---- */

static tpp_status add_cases(void)
{
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_case *c = (*op)->cases; c->name != NULL; c++) {
            tpp_call call = {.attr = c->attr};
            tpp_shape out[TPP_MAX_OUT] = {0};
            TPP_TRY((*op)->infer(c->attr, c->in, out));
            for (int i = 0; i < TPP_MAX_IN; i++)
                call.in[i] =
                    (tpp_operand){.shape = c->in[i], .type = (tpp_dtype)(*op)->in_types[i]};
            for (int i = 0; i < TPP_MAX_OUT; i++)
                call.out[i] =
                    (tpp_operand){.shape = out[i], .type = (tpp_dtype)(*op)->out_types[i]};
            add_call(*op, &call);
        }
    return TPP_OK;
}

/* Plans a configuration; the planner's questions are the calls. Opening a session runs the text
 * encoder, whose layers are all alike. */
static tpp_status add_plans(tpp_device *d, const char *size, const char *path)
{
    const char *fewer_layers = "text.layers=1";
    tpp_trial trial = {0};
    struct tpp_model_config config;
    tpp_trial_options options = {.tokens = 28, .ahead = 1, .frames = 4};
    char *end = NULL;
    options.height = (int)strtol(size, &end, 10);
    if (*end == 'x') options.width = (int)strtol(end + 1, &end, 10);
    if (*end != '\0' || options.height < 1 || options.width < 1)
        return TPP_FAIL(TPP_EUSAGE, "size %s, wanted HxW", size);
    TPP_TRY(tpp_model_config_read(&config, path, &fewer_layers, 1));
    const tpp_status s = tpp_trial_open(&trial, &config, d, &options);
    tpp_trial_close(&trial);
    return s;
}

/* ---- recording ---- */

static size_t operand_bytes(const tpp_operand *x)
{
    return (size_t)tpp_shape_count(&x->shape) * tpp_dtype_size(x->type);
}

/* Shapes of packed inputs, and scratch. */
static tpp_status complete_call(tpp_call *c, const tpp_op *op, const tpp_algorithm *a,
                                const tpp_caps *caps)
{
    const size_t scratch = a->scratch != NULL ? a->scratch(c, caps) : 0;
    const tpp_pack_attr packing = tpp_packing_of(op, a, c, caps);
    for (int i = 0; i < TPP_MAX_IN; i++) {
        tpp_shape out[TPP_MAX_OUT] = {0};
        if (((a->packs >> i) & 1u) == 0 || c->in[i].shape.rank == 0) continue;
        TPP_TRY(tpp_op_pack.infer(&packing, &c->in[i].shape, out));
        c->in[i].shape = out[0];
    }
    if (scratch > 0)
        c->scratch = (tpp_operand){.shape = TPP_SHAPE((int64_t)scratch), .type = TPP_U8};
    return TPP_OK;
}

/* One buffer is every operand: the steps are not run. */
static tpp_status record_with_memory(tpp_device *d, tpp_call *c, const tpp_algorithm *a)
{
    tpp_operand *operand[TPP_MAX_IN + TPP_MAX_OUT + 1] = {&c->scratch};
    size_t bytes = 4096;
    for (int i = 0; i < TPP_MAX_IN; i++) operand[1 + i] = &c->in[i];
    for (int i = 0; i < TPP_MAX_OUT; i++) operand[1 + TPP_MAX_IN + i] = &c->out[i];
    for (size_t i = 0; i < sizeof(operand) / sizeof(operand[0]); i++)
        if (operand[i]->shape.rank > 0 && operand_bytes(operand[i]) > bytes)
            bytes = operand_bytes(operand[i]);
    tpp_buffer *memory = NULL;
    TPP_TRY(tpp_buffer_open(&memory, d, tpp_round_up(bytes, 4096)));
    for (size_t i = 0; i < sizeof(operand) / sizeof(operand[0]); i++) {
        if (operand[i]->shape.rank == 0) continue;
        operand[i]->root = memory;
        operand[i]->mem = memory->mem;
    }
    tpp_steps *steps = NULL;
    tpp_status s = tpp_steps_open(&steps, d);
    if (s == TPP_OK) s = a->record(steps, c);
    tpp_steps_close(steps);
    tpp_buffer_close(memory);
    return s;
}

/* With parameters number `variant`; *more is false when there are none. */
static tpp_status record_variant(tpp_device *d, const noted_call *n, const tpp_algorithm *a,
                                 int variant, bool *more)
{
    tpp_call c = n->call;
    c.attr = n->attr;
    *more = a->variant != NULL ? a->variant(&c, &d->caps, variant, &c.params) : variant == 0;
    if (!*more) return TPP_OK;
    TPP_TRY(complete_call(&c, n->op, a, &d->caps));
    return record_with_memory(d, &c, a);
}

static tpp_status record_all(tpp_device *d)
{
    for (size_t i = 0; i < found.n_calls; i++) {
        const noted_call *n = found.call[i];
        for (const tpp_algorithm *a = n->op->algorithms; a->name != NULL; a++) {
            bool more = !a->cpu_only && tpp_algorithm_takes(n->op, a, &n->call, &d->caps);
            for (int variant = 0; more; variant++) TPP_TRY(record_variant(d, n, a, variant, &more));
        }
    }
    return TPP_OK;
}

/* ---- devices ---- */

/* What choices depend on, as the vendors' drivers report it; targets are patterns of the shell. */
static const struct {
    const char *targets;
    size_t max_group, local_mem;
    int compute_units, shared_by, least_lanes;
    bool large_grf;
    int sub_group_std;
} gpus[] = {
    {"gfx*", 256, 65536, 32, 1, 0, false, 20},   {"skl", 256, 65536, 24, 8, 8, false, 12},
    {"tgllp", 512, 65536, 96, 16, 8, false, 12}, {"acm-*", 1024, 65536, 512, 16, 8, true, 12},
    {"pvc", 1024, 131072, 512, 8, 16, true, 12}, {"sm_*", 1024, 49152, 32, 1, 0, false, 0}};

static tpp_status open_gpu(tpp_device **out, size_t i)
{
    tpp_device *d = NULL;
    TPP_TRY(tpp_device_open(&d, "Portable Computing Language"));
    const tpp_pose gpu = {gpus[i].targets,       gpus[i].max_group, gpus[i].local_mem,
                          gpus[i].compute_units, gpus[i].shared_by, gpus[i].least_lanes};
    const tpp_status s = tpp_device_pose(d, &gpu);
    found.targets = gpus[i].targets;
    *out = d;
    return s;
}

static tpp_status list(int argc, char **argv)
{
    TPP_TRY(add_cases());
    for (size_t i = 0; i < sizeof(gpus) / sizeof(gpus[0]); i++) {
        tpp_device *d = NULL;
        TPP_TRY(open_gpu(&d, i));
        tpp_status s = TPP_OK;
        double gflops = 0;
        found.is_run = true; /* the text encoder is */
        for (int a = 1; s == TPP_OK && a + 1 < argc; a += 2) s = add_plans(d, argv[a], argv[a + 1]);
        if (s == TPP_OK) s = tpp_device_peak(d, &gflops);
        found.is_run = false;
        d->caps.large_grf = gpus[i].large_grf; /* which this device does not have */
        if (s == TPP_OK) s = record_all(d);
        d->caps.sub_groups = gpus[i].sub_group_std > 0;
        d->caps.sub_group_std = gpus[i].sub_group_std;
        if (s == TPP_OK && d->caps.sub_groups) s = record_all(d);
        tpp_device_close(d);
        TPP_TRY(s);
    }
    return TPP_OK;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    const tpp_status s = list(argc, argv);
    if (s == TPP_OK) {
        qsort(found.line, found.n_lines, sizeof(*found.line), compare_lines);
        for (size_t i = 0; i < found.n_lines; i++) (void)puts(found.line[i]);
        (void)fprintf(stderr, "list_programs: %zu kernels with their options, of %zu calls\n",
                      found.n_lines, found.n_calls);
    } else {
        (void)fprintf(stderr, "list_programs: %s\n", tpp_error());
    }
    forget();
    return s == TPP_OK ? 0 : 1;
}
