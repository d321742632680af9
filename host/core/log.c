/* The one place that formats log lines.
 * SPDX-License-Identifier: MIT */
#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static atomic_int max_level = -1; /* -1: the environment was not asked yet */
static tpp_log_sink *log_sink;
static void *log_context;

static int level_from_environment(void)
{
    const char *name = getenv("TPP_LOG");
    for (int i = 0; name != NULL && i <= TPP_LOG_DEBUG; i++)
        if (strcmp(name, level_names[i]) == 0) return i;
    return TPP_LOG_WARN;
}

void tpp_log_set(tpp_log_level level, tpp_log_sink *sink, void *context)
{
    atomic_store(&max_level, (int)level);
    log_sink = sink;
    log_context = context;
}

void tpp_log(tpp_log_level level, const char *module, const char *format, ...)
{
    int limit = atomic_load(&max_level);
    if (limit < 0) atomic_store(&max_level, limit = level_from_environment());
    if ((int)level > limit) return;
    char text[1200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (log_sink != NULL)
        log_sink(log_context, level, module, text);
    else
        (void)fprintf(stderr, "tpp: %s: %s: %s\n", level_names[level], module, text);
}
