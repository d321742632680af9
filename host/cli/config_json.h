/* A configuration as JSON.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_CONFIG_JSON_H
#define TPP_CLI_CONFIG_JSON_H

#include "config/model_config.h"

#include <jansson.h>

/* {"group": {"name": value}}, in the order of the schema. NULL: out of memory. */
json_t *tpp_config_json(const struct tpp_model_config *config);

#endif
