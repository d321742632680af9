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

/* Takes the row of this op and bucket away, if there is one. */
void tpp_tuning_drop(tpp_tuning *t, const tpp_op *op, const char *bucket);

/* A copy with the same source, of the caller; of NULL an empty table. */
TPP_MUST_CHECK tpp_status tpp_tuning_copy(tpp_tuning **out, const tpp_tuning *t);

/* The row of this op and bucket, or of a call; NULL: there is none. */
const tpp_tuned *tpp_tuning_get(const tpp_tuning *t, const tpp_op *op, const char *bucket);
const tpp_tuned *tpp_tuning_find(const tpp_tuning *t, const tpp_op *op, const tpp_call *c);

/* Path of the file that a table was read from; "" of one made otherwise. Set copies the text. */
TPP_MUST_CHECK tpp_status tpp_tuning_set_source(tpp_tuning *t, const char *path);
const char *tpp_tuning_source(const tpp_tuning *t);

/* Do plans run as command buffers (cl/replay.h)? A fact of the device, not of a shape. */
void tpp_tuning_set_replays(tpp_tuning *t, bool replays);
bool tpp_tuning_replays(const tpp_tuning *t);

/* Rows in the order they were set; NULL past the last. */
const tpp_tuned *tpp_tuning_at(const tpp_tuning *t, int i);

/* The device owns `take` from now on, in place of what it had; NULL takes tuning away. Plans that
 * are open keep what they chose. */
void tpp_tuning_attach(tpp_device *d, tpp_tuning *take);

/* Was tpp_tuning_attach called, if only with NULL? */
bool tpp_device_has_tuning(const tpp_device *d);

/* Of the device, or NULL. */
const tpp_tuning *tpp_device_tuning(const tpp_device *d);

#endif
