/* A row of `tpp bench`: what was measured, of what, on what, and whether to believe it. One table
 * of fields is its JSON, its CSV header and what --compare reads back; bench/README.md explains
 * them. SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_ROW_H
#define TPP_INFER_BENCH_ROW_H

#include "core/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Graphs in the order in which a frame runs them. */
#define TPP_STAGE_MAP(X)     X(text) X(image) X(backbone) X(encode) X(first) X(next) X(clip)
#define TPP_STAGE_ENUM(name) TPP_STAGE_##name,
enum { TPP_STAGE_MAP(TPP_STAGE_ENUM) TPP_STAGE_COUNT };
#undef TPP_STAGE_ENUM

/* Numbers that were not measured are NaN, texts that do not apply are "". */
typedef struct tpp_bench_row {
    char build[64], config[512], config_sha256[65], weights[32];
    char device[128], vendor[128], driver[128], platform[128], opencl_version[128];
    double compute_units, vector_width, global_mb;
    char precision[16];
    double height, width, frames, clip, prompts, tokens, ahead;
    char scenario[16], algorithm[40], tuning[512], kernel_cache[8];
    double warmup, repetitions;
    double ms_median, ms_mean, ms_stddev, ms_min, ms_p90;
    double *samples; /* [n_samples] milliseconds, in the order they were taken; owned */
    int n_samples;
    double first_ms, frames_per_second, gflop_frame, gflops;
    double peak_gflops, peak_share, copy_gbs;
    double stage_ms[TPP_STAGE_COUNT]; /* NaN: the configuration has no such graph */
    double arena_mb, kept_mb, weights_mb, staging_mb, device_mb;
    double launches, buffers, allocations, finishes, waits, bytes_up, bytes_down;
    struct {
        double dice, logit_error;
        char against[256];
    } gate;
    struct {
        char verdict[16];
        double ratio, margin, base_ms;
        char reason[256];
    } compare;
    char status[16], reason[512];
} tpp_bench_row;

typedef enum tpp_bench_kind {
    TPP_BENCH_TEXT,   /* char [size] */
    TPP_BENCH_WHOLE,  /* double without a fraction */
    TPP_BENCH_REAL,   /* double */
    TPP_BENCH_SAMPLES /* the row's samples */
} tpp_bench_kind;

/* A dot in the name is an object in JSON ("gate.dice"). */
typedef struct tpp_bench_field {
    const char *name;
    tpp_bench_kind kind;
    size_t offset, size;
} tpp_bench_field;
extern const tpp_bench_field tpp_bench_fields[]; /* ends with {0} */

void tpp_bench_row_init(tpp_bench_row *r);
void tpp_bench_row_free(tpp_bench_row *r);

/* Copies what fits; the rest is cut. */
void tpp_bench_text(char *field, size_t size, const char *text);
#define TPP_BENCH_SET(field, text) tpp_bench_text((field), sizeof(field), (text))

const char *tpp_bench_text_of(const tpp_bench_row *r, const tpp_bench_field *f);
double tpp_bench_number_of(const tpp_bench_row *r, const tpp_bench_field *f);

/* The row as an object, its keys in the table's order; NULL: out of memory. */
json_t *tpp_bench_row_json(const tpp_bench_row *r);

/* Rows of a file that bench wrote as json (an array) or jsonl. Zero-initialise. */
typedef struct tpp_bench_rows {
    tpp_bench_row *row;
    int count, capacity;
} tpp_bench_rows;

/* TPP_EIO; TPP_EFORMAT: no rows, or a field of another type. Fields that the file lacks are as in a
 * new row, those that it has more are left alone. */
TPP_MUST_CHECK tpp_status tpp_bench_rows_read(tpp_bench_rows *out, const char *path);
void tpp_bench_rows_free(tpp_bench_rows *rows);

#endif
