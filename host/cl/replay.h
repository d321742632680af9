/* Kernel launches that are recorded once and enqueued as one command: cl_khr_command_buffer.
 *
 * The extension is provisional, and its versions differ. Of it only what is alike in all of them is
 * used: kernels on one in-order queue. Copies are not recorded.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CL_REPLAY_H
#define TPP_CL_REPLAY_H

#include "cl/cl_internal.h"

typedef struct tpp_replay tpp_replay;

/* TPP_EUNSUPPORTED: the device cannot, or not while the same launches still run. */
TPP_MUST_CHECK tpp_status tpp_replay_open(tpp_replay **out, tpp_device *d);
void tpp_replay_close(tpp_replay *r);

/* Records a launch as clEnqueueNDRangeKernel would do it, arguments as they are now. */
TPP_MUST_CHECK tpp_status tpp_replay_add(tpp_replay *r, cl_kernel kernel, cl_uint axes,
                                         const size_t *offset, const size_t *global,
                                         const size_t *local);

/* After the last launch, before the first run. */
TPP_MUST_CHECK tpp_status tpp_replay_finish(tpp_replay *r);

/* Enqueues all of them on d->compute. */
TPP_MUST_CHECK tpp_status tpp_replay_run(tpp_replay *r);

#endif
