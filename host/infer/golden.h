/* Golden files: what the reference program computed from synthetic weights and inputs, and how
 * far a run of ours is from it.
 *
 *   open (a file, or the built-in table), run with tpp_golden_sink, finish, look at the rows
 *
 * A file is not trusted: a tensor that the run did not produce is a failure, as is one that the
 * file's own list of shapes names and the file lacks.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_GOLDEN_H
#define TPP_INFER_GOLDEN_H

#include "cl/device.h"
#include "config/model_config.h"
#include "core/shape.h"
#include "core/status.h"
#include "core/table.h"

#include <stdbool.h>
#include <stdint.h>

enum { TPP_GOLDEN_MAX_PROMPTS = 16, TPP_GOLDEN_MAX_TOKENS = 512, TPP_GOLDEN_MAX_NAME = 64 };

/* A tensor as the reference kept it. */
typedef struct tpp_expected {
    char name[TPP_GOLDEN_MAX_NAME];
    double *values;  /* every step-th of the flattened tensor */
    int64_t count;   /* of `values`; 0: nothing but its name is known */
    int64_t step;    /* 1: whole */
    bool has_stats;  /* of the whole tensor: */
    double stats[3]; /* mean, mean magnitude, largest magnitude */
    tpp_shape shape; /* without axes of one; rank 0: not stated */
} tpp_expected;

typedef struct tpp_golden {
    struct tpp_model_config config;
    int height, width, frames; /* of the input; no frames are run for a text file */
    bool text_only;
    uint64_t seed;
    double target[4]; /* cx, cy, w, h of the ellipse in the first frame */
    int invalid_frame, sample;
    int n_prompts, length[TPP_GOLDEN_MAX_PROMPTS];
    tpp_expected *items;
    size_t count;
    tpp_table index; /* name -> place in items */
} tpp_golden;

/* TPP_EIO, TPP_EFORMAT, TPP_EUSAGE: the file is no golden file of a forward pass or a text encoder;
 * TPP_EUNSUPPORTED: of a model that this program does not have. */
TPP_MUST_CHECK tpp_status tpp_golden_read(tpp_golden *out, const char *path);

/* The one inside the program: some tensors of the smallest model. */
TPP_MUST_CHECK tpp_status tpp_golden_builtin(tpp_golden *out);
void tpp_golden_free(tpp_golden *g);

/* ---- synthetic input: synth_inputs() of the reference ---- */

/* Frame t (from 0) as normalised floats [height, width, 3]. */
void tpp_golden_image(float *out, const tpp_golden *g, int t);

/* Ids of prompt i, g->length[i] of them. */
void tpp_golden_prompt(int32_t *out, const tpp_golden *g, int i);

/* ---- a run ---- */

/* One tensor of the run, under the reference's name ("frame1.res3"). */
typedef struct tpp_traced {
    const char *name;
    const double *values;
    tpp_shape shape;
} tpp_traced;
typedef tpp_status tpp_traced_sink(void *context, const tpp_traced *t);

/* Runs the golden model on `device` and hands over every tensor. `algorithm` may be NULL. */
TPP_MUST_CHECK tpp_status tpp_golden_run(const tpp_golden *g, tpp_device *device,
                                         const char *algorithm, tpp_traced_sink *sink,
                                         void *context);

/* ---- the comparison ---- */

/* How far tensor `name` may be off, over its largest magnitude; 0: an index, which is chosen. */
double tpp_golden_tolerance(const char *name);

typedef struct tpp_golden_row {
    const char *name; /* of the golden's item, borrowed */
    bool seen, passed;
    double error; /* largest |got - want| over the tensor's largest magnitude */
    double tolerance;
    char why[128]; /* of a failure */
} tpp_golden_row;

/* Zero-initialise; keeps `golden`. */
typedef struct tpp_golden_report {
    const tpp_golden *golden;
    tpp_golden_row *rows; /* one for each item, in its order */
    int passed, failed;   /* after finish */
} tpp_golden_report;

TPP_MUST_CHECK tpp_status tpp_golden_report_init(tpp_golden_report *r, const tpp_golden *g);

/* A tpp_traced_sink; `report` is a tpp_golden_report. Tensors that the file does not hold are
 * passed over. */
tpp_status tpp_golden_sink(void *report, const tpp_traced *t);

/* Fails what was not seen, counts, and sorts the rows by error, failures first. */
void tpp_golden_report_finish(tpp_golden_report *r);
void tpp_golden_report_free(tpp_golden_report *r);

#endif
