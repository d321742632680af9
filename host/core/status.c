/* Status texts and the thread-local failure message.
 * SPDX-License-Identifier: MIT */
#include "core/status.h"

#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[1024];

const char *tpp_status_text(tpp_status s)
{
#define TPP_STATUS_TEXT(name, text) text,
    static const char *const texts[] = {TPP_STATUS_MAP(TPP_STATUS_TEXT)};
#undef TPP_STATUS_TEXT
    return (unsigned)s < TPP_STATUS_COUNT ? texts[s] : "unknown status";
}

const char *tpp_error(void)
{
    return message;
}

tpp_status tpp_fail_at(tpp_status s, const char *file, int line, const char *format, ...)
{
    char text[sizeof(message)]; /* an argument may be tpp_error() itself */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)snprintf(message, sizeof(message), "%s", text);
    tpp_log(TPP_LOG_DEBUG, "status", "%s:%d: %s", file, line, text);
    return s;
}
