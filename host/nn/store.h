/* Parameters on a device, and everything that is derived from them and from constants.
 *
 * Masters keep their published form; packed, folded and sliced weights are derived when a plan
 * first needs them, shared by all plans of the store, and made again when masters change.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_NN_STORE_H
#define TPP_NN_STORE_H

#include "cl/device.h"
#include "core/shape.h"
#include "core/status.h"

typedef struct tpp_store tpp_store;

/* Gives the floats of a parameter: fills `out` or fails, naming what is wrong. */
typedef tpp_status tpp_param_source(void *context, const char *name, const tpp_shape *shape,
                                    float *out);

/* Keeps `device`, `source` and `context` until close. */
TPP_MUST_CHECK tpp_status tpp_store_open(tpp_store **out, tpp_device *device,
                                         tpp_param_source *source, void *context);
void tpp_store_close(tpp_store *s);

tpp_device *tpp_store_device(const tpp_store *s);

/* The masters changed: they are read from the source again, and each plan derives anew at its next
 * tpp_plan_refresh. */
TPP_MUST_CHECK tpp_status tpp_store_touch(tpp_store *s);

/* Frees masters and intermediates that no recorded plan reads while it runs; they come back when
 * needed. */
void tpp_store_trim(tpp_store *s);

/* Bytes on the device now. */
size_t tpp_store_bytes(const tpp_store *s);

#endif
