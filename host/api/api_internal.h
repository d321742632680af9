/* What the files of the public interface share.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_API_API_INTERNAL_H
#define TPP_API_API_INTERNAL_H

/* core/ first: tpp.h leaves out what it declares. */
#include "core/log.h"
#include "core/status.h"
#include "infer/model_folder.h"
#include "tpp.h"

struct tpp_model {
    tpp_model_folder folder;
};

/* Structs of the caller begin with their size, which is another one when the caller was built with
 * another tpp.h. `ours` is as large as this tpp.h has it, `least` as its first version was. */

/* Members that the caller does not know are 0. TPP_EUSAGE without a size; TPP_EUNSUPPORTED when the
 * caller set a member that this library does not know. */
TPP_MUST_CHECK tpp_status tpp_api_read(void *ours, size_t size, const void *theirs, size_t least,
                                       const char *type);

/* Members that this library does not know become 0; the size stays the caller's. */
TPP_MUST_CHECK tpp_status tpp_api_write(void *theirs, const void *ours, size_t size, size_t least,
                                        const char *type);

#endif
