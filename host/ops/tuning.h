/* What `tpp tune` found fastest on a device: one row per op and bucket of shapes.
 *
 * A table is in memory only; infer/tuning_file.h reads and writes it. A device carries one
 * (tpp_tuning_attach), which every plan on it reads.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_OPS_TUNING_H
#define TPP_OPS_TUNING_H

#include "ops/op.h"

typedef struct tpp_tuning tpp_tuning;

enum { TPP_BUCKET_BYTES = 96 };

typedef struct tpp_tuned {
    const tpp_op *op;
    char bucket[TPP_BUCKET_BYTES];
    const tpp_algorithm *algorithm;
    tpp_params params;
    double ms, default_ms; /* medians when it was tuned: of this choice, of the default */
} tpp_tuned;

/* The bucket of a call: columns of its operands as they are, rows rounded up to three leading
 * bits ("4820x256 256x2304 4820x256" and "5100x256 ..." are one). Attributes that change the work
 * (kernel, stride, heads) show in the shapes. */
void tpp_tuning_bucket(char out[TPP_BUCKET_BYTES], const tpp_call *c);

TPP_MUST_CHECK tpp_status tpp_tuning_open(tpp_tuning **out);
void tpp_tuning_close(tpp_tuning *t);

/* Adds a row, or replaces the one of the same op and bucket. */
TPP_MUST_CHECK tpp_status tpp_tuning_set(tpp_tuning *t, const tpp_tuned *row);

/* The row of a call, or NULL. */
const tpp_tuned *tpp_tuning_find(const tpp_tuning *t, const tpp_op *op, const tpp_call *c);

/* Rows in the order they were set; NULL past the last. */
const tpp_tuned *tpp_tuning_at(const tpp_tuning *t, int i);

/* The device owns `take` from now on, in place of what it had; NULL takes tuning away. Plans that
 * are open keep what they chose. */
void tpp_tuning_attach(tpp_device *d, tpp_tuning *take);

/* Of the device, or NULL. */
const tpp_tuning *tpp_device_tuning(const tpp_device *d);

#endif
