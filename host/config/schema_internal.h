/* What the parser and the printer of configuration tables share.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CONFIG_SCHEMA_INTERNAL_H
#define TPP_CONFIG_SCHEMA_INTERNAL_H

#include "config/schema.h"

/* Adds what a row accepts: "an integer from 1 to 64", "one of tiny, resnet50". */
void tpp_schema_wants(tpp_str *out, const tpp_field *f);

#endif
