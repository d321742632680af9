/* A device's facts as text and JSON: what `devices` and `doctor` tell alike.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_DEVICE_FACTS_H
#define TPP_CLI_DEVICE_FACTS_H

#include "cl/device.h"

#include <jansson.h>

/* Lines under a device's name, indented. */
void tpp_print_caps(const tpp_caps *c);

/* An object; NULL: out of memory. */
json_t *tpp_caps_json(const tpp_caps *c);

#endif
