/* Leveled log lines; the sink is a callback, standard error unless told otherwise.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_LOG_H
#define TPP_CORE_LOG_H

#include "core/status.h"

typedef enum tpp_log_level {
    TPP_LOG_ERROR,
    TPP_LOG_WARN,
    TPP_LOG_INFO,
    TPP_LOG_DEBUG
} tpp_log_level;

typedef void tpp_log_sink(void *context, tpp_log_level level, const char *module, const char *text);

/* Lines above `level` are dropped. The start value is TPP_LOG_WARN, or what the environment's
 * TPP_LOG names (error, warn, info, debug). `sink` NULL: standard error. Not thread-safe. */
TPP_API void tpp_log_set(tpp_log_level level, tpp_log_sink *sink, void *context);

void tpp_log(tpp_log_level level, const char *module, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
