/* CLBlast 1.5.3 behind one lock.
 *
 * The lock is process-wide: this version's caches race (fixed in 1.6.1), and its parameters are
 * global. GemmWithTempBuffer takes its temporaries from our scratch, so that running a frame
 * allocates nothing.
 * SPDX-License-Identifier: MIT */
#define CL_TARGET_OPENCL_VERSION 120
#include "ops/clblast.h"

#include "core/mem.h"
#include "core/synth.h"
#include "ops/first_use.h"
#include "tensor/tensor_internal.h"

#include <clblast_c.h>
#include <math.h>

static pthread_mutex_t clblast_lock = PTHREAD_MUTEX_INITIALIZER;

/* A few rows (the decoder's queries) are no work for a tiled product: its copies cost more than the
 * product, and it sums k in one chain where the others sum in blocks. */
enum { FEWEST_ROWS = 16 };

bool tpp_clblast_supports(const tpp_call *c, const tpp_caps *caps)
{
    return !caps->no_clblast && tpp_shape_rows(&c->out[0].shape) >= FEWEST_ROWS;
}

/* CLBlast copies an operand that is not a multiple of its tile, or not in the order it wants, to a
 * padded one. The tiles of its data base reach 128; their sizes are known only with a queue in
 * hand, later than scratch is planned, so this takes the largest. */
enum { LARGEST_TILE = 128 };

/* Terms that CLBlast sums in one chain: longer products are several, added up in y, so that
 * rounding errors do not grow with k. */
enum { LONGEST_SUM = 1024 };

static size_t chunk_of(size_t k)
{
    return k < LONGEST_SUM ? k : LONGEST_SUM;
}

size_t tpp_clblast_scratch(size_t m, size_t n, size_t k)
{
    k = chunk_of(k);
    const size_t mp = tpp_round_up(m, LARGEST_TILE), np = tpp_round_up(n, LARGEST_TILE);
    const size_t kp = tpp_round_up(k, LARGEST_TILE);
    return (mp * kp + np * kp + mp * np) * sizeof(float);
}

static tpp_status fail(const tpp_device *d, CLBlastStatusCode code, const tpp_clblast_gemm *p)
{
    return TPP_FAIL(TPP_EOPENCL, "CLBlast: product of %zu x %zu x %zu: status %d on %s", p->m, p->n,
                    p->k, (int)code, d->caps.name);
}

static CLBlastTranspose transpose(bool yes)
{
    return yes ? CLBlastTransposeYes : CLBlastTransposeNo;
}

/* Where the terms from k0 on begin in an operand that is stored [k, others] or [others, k]. */
static size_t start_of(bool k_first, size_t k0, size_t others)
{
    return k_first ? k0 * others : k0;
}

/* Bytes of temporaries on this device; 0 when the kernel for small products is taken. */
static tpp_status temporary_bytes(tpp_device *d, const tpp_clblast_gemm *p, size_t *bytes)
{
    cl_command_queue queue = d->compute;
    const size_t k = chunk_of(p->k), k0 = p->k > k ? k : 0; /* an offset may ask for a copy */
    (void)pthread_mutex_lock(&clblast_lock);
    const CLBlastStatusCode code = CLBlastSGemmTempBufferSize(
        CLBlastLayoutRowMajor, transpose(p->trans_x), transpose(!p->trans_w), p->m, p->n, k,
        start_of(p->trans_x, k0, p->m), p->trans_x ? p->m : p->k, start_of(p->trans_w, k0, p->n),
        p->trans_w ? p->n : p->k, 0, p->n, &queue, bytes);
    (void)pthread_mutex_unlock(&clblast_lock);
    return code == CLBlastSuccess ? TPP_OK : fail(d, code, p);
}

/* A host step: enqueues the product. */
static tpp_status run(tpp_device *d, void *context)
{
    const tpp_clblast_gemm *p = context;
    cl_command_queue queue = d->compute;
    CLBlastStatusCode code = CLBlastSuccess;
    (void)pthread_mutex_lock(&clblast_lock);
    for (size_t k0 = 0; k0 < p->k && code == CLBlastSuccess; k0 += LONGEST_SUM)
        code = CLBlastSgemmWithTempBuffer(
            CLBlastLayoutRowMajor, transpose(p->trans_x), transpose(!p->trans_w), p->m, p->n,
            chunk_of(p->k - k0), 1.0f, p->x, start_of(p->trans_x, k0, p->m),
            p->trans_x ? p->m : p->k, p->w, start_of(p->trans_w, k0, p->n),
            p->trans_w ? p->n : p->k, k0 > 0 ? 1.0f : 0.0f, p->y, 0, p->n, &queue, NULL,
            p->scratch);
    (void)pthread_mutex_unlock(&clblast_lock);
    return code == CLBlastSuccess ? TPP_OK : fail(d, code, p);
}

tpp_status tpp_clblast_record(tpp_steps *s, const tpp_clblast_gemm *p)
{
    size_t bytes = 0;
    tpp_clblast_gemm *step = NULL;
    TPP_TRY(temporary_bytes(tpp_steps_device(s), p, &bytes));
    TPP_NEW(step, 1);
    *step = *p;
    /* A tile beyond LARGEST_TILE: CLBlast allocates for itself, slower and still right. */
    if (bytes > p->scratch_bytes) step->scratch = NULL;
    return tpp_record_host(s, "CLBlastSgemm", run, step, tpp_free);
}

/* ---- the check ---- */

/* Operands are integers of at most 8 in magnitude, so every order of summation is exact. */
typedef struct trial {
    tpp_clblast_gemm p;
    float *x, *w, *y;
    tpp_buffer *x_buffer, *w_buffer, *y_buffer, *scratch;
} trial;

static void trial_free(trial *t)
{
    tpp_buffer_close(t->x_buffer);
    tpp_buffer_close(t->w_buffer);
    tpp_buffer_close(t->y_buffer);
    tpp_buffer_close(t->scratch);
    tpp_free(t->x);
    tpp_free(t->w);
    tpp_free(t->y);
}

static void fill_integers(float *out, size_t n, const char *name)
{
    const uint64_t key = tpp_synth_key(name, 1);
    for (size_t i = 0; i < n; i++) out[i] = (float)floor(8.0 * tpp_synth_value(key, i));
}

static tpp_status open_filled(tpp_buffer **out, tpp_device *d, const float *values, size_t n)
{
    TPP_TRY(tpp_buffer_open(out, d, n * sizeof(float)));
    return tpp_buffer_write(*out, 0, values, n * sizeof(float));
}

static tpp_status trial_run(trial *t, tpp_device *d)
{
    tpp_clblast_gemm *p = &t->p;
    TPP_NEW(t->x, p->m * p->k);
    TPP_NEW(t->w, p->n * p->k);
    TPP_NEW(t->y, p->m * p->n);
    fill_integers(t->x, p->m * p->k, "clblast/x");
    fill_integers(t->w, p->n * p->k, "clblast/w");
    TPP_TRY(open_filled(&t->x_buffer, d, t->x, p->m * p->k));
    TPP_TRY(open_filled(&t->w_buffer, d, t->w, p->n * p->k));
    TPP_TRY(tpp_buffer_open(&t->y_buffer, d, p->m * p->n * sizeof(float)));
    TPP_TRY(tpp_buffer_fill(t->y_buffer, 0x7fc00000));
    TPP_TRY(temporary_bytes(d, p, &p->scratch_bytes));
    TPP_TRY(tpp_buffer_open(&t->scratch, d, p->scratch_bytes));
    p->x = t->x_buffer->mem;
    p->w = t->w_buffer->mem;
    p->y = t->y_buffer->mem;
    p->scratch = t->scratch->mem;
    TPP_TRY(run(d, p));
    return tpp_buffer_read(t->y_buffer, 0, t->y, p->m * p->n * sizeof(float));
}

static float host_element(const trial *t, size_t row, size_t col)
{
    const tpp_clblast_gemm *p = &t->p;
    float sum = 0.0f;
    for (size_t i = 0; i < p->k; i++)
        sum += (p->trans_x ? t->x[i * p->m + row] : t->x[row * p->k + i]) *
               (p->trans_w ? t->w[i * p->n + col] : t->w[col * p->k + i]);
    return sum;
}

/* Every element of a small product, every STRIDE-th of a large one: a prime, so that each row and
 * column of every tile comes up. */
static bool trial_right(const trial *t)
{
    enum { SMALL = 4096, STRIDE = 101 };
    const size_t count = t->p.m * t->p.n, step = count <= SMALL ? 1 : STRIDE;
    for (size_t i = 0; i < count; i += step)
        if (t->y[i] != host_element(t, i / t->p.n, i % t->p.n)) return false;
    return true;
}

/* The smallest product that takes the tiled kernel; its size follows the device's tuning. */
static tpp_status find_tiled(tpp_device *d, tpp_clblast_gemm *p)
{
    static const size_t sizes[] = {67, 131, 259, 515, 1027};
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && bytes == 0; i++) {
        p->m = sizes[i];
        p->n = sizes[i] - 2;
        p->k = sizes[i] - 4;
        TPP_TRY(temporary_bytes(d, p, &bytes));
    }
    return TPP_OK;
}

static tpp_status check_device(tpp_device *d, const void *none, bool *right)
{
    (void)none;
    static const bool orders[][2] = {{false, false}, {false, true}, {true, true}};
    tpp_clblast_gemm tiled = {0};
    *right = true;
    TPP_TRY(find_tiled(d, &tiled));
    for (int i = 0; i < 6 && *right; i++) {
        trial t = {.p = {.m = 67, .n = 45, .k = 33}};
        if (i >= 3) t.p = tiled;
        t.p.trans_x = orders[i % 3][0];
        t.p.trans_w = orders[i % 3][1];
        const tpp_status s = trial_run(&t, d);
        if (s == TPP_OK) *right = trial_right(&t);
        trial_free(&t);
        TPP_TRY(s);
    }
    return TPP_OK;
}

bool tpp_clblast_usable(tpp_device *d)
{
    return tpp_first_use(d, "clblast", "clblast", &d->caps.no_clblast, check_device, NULL);
}
