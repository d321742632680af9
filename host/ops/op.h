/* What an op is: its name, shape rule, algorithms, reference, cost and test cases.
 *
 * The registry (registry.c) is a list of names; everything else is found through these structs:
 * the planner asks infer and the algorithms, tests and bench walk the cases.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_OP_H
#define TPP_OPS_OP_H

#include "cl/launch.h"
#include "core/shape.h"
#include "core/status.h"
#include "ref/ref.h"
#include "tensor/tensor.h"

struct tpp_tuning;

enum { TPP_MAX_ATTR_BYTES = 96, TPP_MAX_PARAMS = 4, TPP_PANEL_VECTORS = 2 };

/* One operand as the device sees it. `mem` is a sub-buffer that starts at the operand. While a plan
 * is being made there is no memory yet: `mem` is NULL and only shape and type may be read. */
typedef struct tpp_operand {
    tpp_shape shape; /* rank 0: absent */
    tpp_dtype type;
    cl_mem mem;
    tpp_buffer *root; /* the buffer that `mem` is part of, and where */
    size_t offset;    /* bytes */
    int64_t pitch;    /* elements from one row to the next; 0: as many as a row has */
} tpp_operand;

/* What an algorithm can be tuned by, for one call: tile sizes, orders. The algorithm names them. */
typedef struct tpp_params {
    int n[TPP_MAX_PARAMS];
} tpp_params;

/* A node about to be planned or recorded. */
typedef struct tpp_call {
    const void *attr;
    tpp_params params; /* of the chosen algorithm */
    tpp_operand in[TPP_MAX_IN], out[TPP_MAX_OUT];
    tpp_operand scratch; /* as large as the algorithm's `scratch` asked for; U8 */
} tpp_call;

/* What may be merged into a gemm or convolution; the norm of its result also into ffn. */
enum {
    TPP_FUSE_BIAS = 1,
    TPP_FUSE_ACT = 2,
    TPP_FUSE_RESIDUAL = 4,
    TPP_FUSE_ADDEND = 8,
    TPP_FUSE_ALL = 15, /* of a product: what needs no whole row of the result */
    TPP_FUSE_NORM = 16
};

enum { TPP_HALF_OUT = 1 << TPP_MAX_IN };

typedef struct tpp_algorithm {
    const char *name; /* plain, vector, clblast, ...; NULL ends a list */
    unsigned fuses;   /* TPP_FUSE_...: which optional operands and act this one can take */
    /* Bit i: in[i] must come as panels of tpp_panel_width(caps) columns (op `pack`). */
    unsigned packs;
    /* Operands that may be stored as F16 (others come as the op's types say): bit i of in[i],
     * TPP_HALF_OUT of out[0]. `supports` says which go together. */
    unsigned halves;
    /* Bit i: rows of in[i] may lie apart (tpp_operand.pitch): they are columns of a wider matrix.
     */
    unsigned pitches;
    bool cpu_only; /* written for CPU devices: passed over on a GPU unless asked for by name */
    bool gpu_only; /* written for GPUs: passed over on a CPU unless asked for by name */
    const char *param[TPP_MAX_PARAMS]; /* names of call.params.n; NULL: no more */
    /* Parameters number i for this call: 0 the default, then what tuning should try; false past
     * the last. NULL: the algorithm has none. */
    bool (*variant)(const tpp_call *c, const tpp_caps *caps, int i, tpp_params *out);
    /* How `packs` inputs come, if not as panels of tpp_panel_width; sees params. NULL: so. */
    void (*packing)(const tpp_call *c, const tpp_caps *caps, tpp_pack_attr *attr);
    /* NULL: always. Sees shapes, types and attributes; packed inputs still have their own shape. */
    bool (*supports)(const tpp_call *c, const tpp_caps *caps);
    /* Is it right on this device? May try it the first time; false: `supports` is false from now
     * on. NULL: as far as is known. */
    bool (*usable)(tpp_device *d, const tpp_call *c);
    /* Bytes of scratch; NULL: none. Scratch holds arbitrary bytes when the steps start. */
    size_t (*scratch)(const tpp_call *c, const tpp_caps *caps);
    tpp_status (*record)(tpp_steps *s, const tpp_call *c);
} tpp_algorithm;

typedef struct tpp_cost {
    double flops; /* a multiply-add is two */
    double bytes; /* read and written once */
} tpp_cost;

/* How a test fills an input. The default, 0, is uniform in [-1, 1). */
typedef enum tpp_fill {
    TPP_FILL_UNIFORM,
    TPP_FILL_POSITIVE, /* in [0.5, 1.5) */
    TPP_FILL_UNIT,     /* in [0, 1) */
    TPP_FILL_INDEX,    /* integers in [0, limit) of the case */
    TPP_FILL_BYTE,     /* 0..255 */
    TPP_FILL_RESIZE,   /* Pillow bounds (in[1]) and weights (in[2]) of resize_axis */
    TPP_FILL_LARGE     /* uniform in [-8, 8) */
} tpp_fill;

typedef struct tpp_case {
    const char *name; /* NULL ends the list; the first case is the smallest */
    const void *attr;
    tpp_shape in[TPP_MAX_IN]; /* rank 0: absent */
    unsigned char fill[TPP_MAX_IN];
    int limit;        /* of TPP_FILL_INDEX */
    double tolerance; /* of |got - want| / max |want|; 0: 1e-5 */
} tpp_case;

typedef struct tpp_op {
    const char *name;
    size_t attr_size;
    bool fusable; /* operands and attributes are gemm's: in[2..4] bias, residual, addend; int act */
    bool normable; /* gamma and beta of a norm of the result may come at TPP_NORM_GAMMA */
    unsigned in_types[TPP_MAX_IN], out_types[TPP_MAX_OUT]; /* tpp_dtype; 0 is F32 */
    /* Checks input shapes and sets output shapes (rank 0: no such output). Pure. */
    tpp_status (*infer)(const void *attr, const tpp_shape *in, tpp_shape *out);
    const tpp_algorithm *algorithms; /* in falling order of preference on a CPU */
    void (*ref)(const tpp_ref_call *c);
    tpp_cost (*cost)(const void *attr, const tpp_shape *in, const tpp_shape *out);
    const tpp_case *cases;
} tpp_op;

#define TPP_OP_DECLARE(name) extern const tpp_op tpp_op_##name;
TPP_REF_MAP(TPP_OP_DECLARE)
#undef TPP_OP_DECLARE

/* All ops, ends with NULL. */
extern const tpp_op *const tpp_ops[];
const tpp_op *tpp_op_find(const char *name);

/* The algorithm called `name`, or NULL. */
const tpp_algorithm *tpp_op_algorithm(const tpp_op *op, const char *name);

/* Was it written for such a device, or for all? */
bool tpp_algorithm_is_for(const tpp_algorithm *a, const tpp_caps *caps);

/* Can this algorithm do the call as it is, fused operands and all? */
bool tpp_algorithm_takes(const tpp_op *op, const tpp_algorithm *a, const tpp_call *c,
                         const tpp_caps *caps);

typedef struct tpp_choice {
    const tpp_algorithm *algorithm; /* NULL: none; only with a fusion that no algorithm has */
    tpp_params params;
} tpp_choice;

/* What runs a call: `wanted` (may be NULL) if it takes it, else what `tuning` (may be NULL) found,
 * else the first that takes it and is for such a device. Parameters are those of `tuning` if it has
 * any for that algorithm, else the defaults. A row of `tuning` with parameters that the algorithm
 * does not offer for the call counts as none. */
tpp_choice tpp_op_choose(const tpp_op *op, const char *wanted, const struct tpp_tuning *tuning,
                         const tpp_call *c, const tpp_caps *caps);

/* The default parameters of an algorithm for a call. */
tpp_params tpp_default_params(const tpp_algorithm *a, const tpp_call *c, const tpp_caps *caps);

/* How inputs of `packs` must come. */
tpp_pack_attr tpp_packing_of(const tpp_op *op, const tpp_algorithm *a, const tpp_call *c,
                             const tpp_caps *caps);

/* Columns of a packed panel on this device: two native vectors. */
int tpp_panel_width(const tpp_caps *caps);

/* ---- for the files of ops ---- */

/* An int64 as a kernel's int, after every product a kernel forms was bounded: the planner refuses
 * tensors of 2^31 elements or more, so this only asserts. */
int tpp_int(int64_t n);

/* Elements from one row of an operand to the next. */
int tpp_pitch(const tpp_operand *x);

/* Fails with TPP_ESHAPE unless the operand is there / has rank `rank` / has exactly these
 * dimensions (-1: any). */
tpp_status tpp_want_present(const char *op, const char *operand, const tpp_shape *s);
tpp_status tpp_want_rank(const char *op, const char *operand, const tpp_shape *s, int rank);
tpp_status tpp_want_shape(const char *op, const char *operand, const tpp_shape *s, tpp_shape want);

/* Fails unless gamma and beta are absent or both [cols]. */
tpp_status tpp_want_norm(const char *op, const tpp_shape *in, int64_t cols);

/* Records a kernel with one work-item per element of an x (by y) range. The kernel is compiled with
 * -DLOCAL=<size> and declares reqd_work_group_size(LOCAL, 1, 1); the range is rounded up, so it
 * tests get_global_id against its sizes. More rows than a device takes groups along y become
 * several launches, so the kernel asks for no get_group_id(1). `options` may be "". */
tpp_status tpp_record_1d(tpp_steps *s, const char *file, const char *kernel, const char *options,
                         int64_t x, tpp_args args);
tpp_status tpp_record_2d(tpp_steps *s, const char *file, const char *kernel, const char *options,
                         const int64_t range[2], tpp_args args);

/* Bytes of all operands, each once: the memory part of most costs. */
double tpp_bytes_moved(const tpp_shape *in, const tpp_shape *out);

/* The cost of ops that do `flops_per_output` operations for each output element. */
tpp_cost tpp_cost_pointwise(double flops_per_output, const tpp_shape *in, const tpp_shape *out);

/* Rows [start, start + count) of an operand whose rows are `tpp_shape_cols` wide. */
tpp_status tpp_operand_rows(const tpp_operand *x, int64_t start, int64_t count, tpp_operand *out);

#endif
