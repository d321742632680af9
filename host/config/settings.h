/* Settings before anyone knows what they mean: dotted keys and values from YAML files
 * (tpp_yaml_read) and from key=value overrides, each with the place it came from.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CONFIG_SETTINGS_H
#define TPP_CONFIG_SETTINGS_H

#include "core/status.h"
#include "io/yaml.h"

typedef tpp_yaml_item tpp_setting;
typedef tpp_yaml tpp_settings;

/* Appends "key=value"; "[1,2]" is a sequence. TPP_EUSAGE when there is no '=' or no key. */
TPP_MUST_CHECK tpp_status tpp_settings_set(tpp_settings *s, const char *assignment);

#endif
