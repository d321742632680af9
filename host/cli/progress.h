/* Progress on standard error: a bar for people, lines for logs, JSON lines for programs.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CLI_PROGRESS_H
#define TPP_CLI_PROGRESS_H

#include "core/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum tpp_progress_kind {
    TPP_PROGRESS_AUTO, /* a bar on a terminal, nothing elsewhere: logs stay short */
    TPP_PROGRESS_BAR,
    TPP_PROGRESS_PLAIN, /* a line at a case's start and end, and at most one each 10 s between */
    TPP_PROGRESS_JSON,  /* an object a line; "event" is case, frame, end or message */
    TPP_PROGRESS_NONE
} tpp_progress_kind;

/* Zero-initialise; then start. Of several cases with several frames each. */
typedef struct tpp_progress {
    tpp_progress_kind kind; /* never AUTO after start */
    FILE *to;
    double (*clock)(void);      /* seconds */
    int64_t case_number, cases; /* number from 1 */
    const char *name;           /* of the case; borrowed until the next one */
    double started, case_started, shown;
    int64_t done; /* frames of this case */
    bool is_open; /* a bar stands on the last line */
} tpp_progress;

/* Word i of "auto", "bar", "plain", "json", "none"; NULL past the last. */
const char *tpp_progress_word(int i);

/* `word` NULL: auto. `quiet` turns auto into none; what was asked for by name stays. */
tpp_progress_kind tpp_progress_choose(const char *word, bool quiet, bool is_terminal);

/* `clock` NULL: tpp_clock_seconds. */
void tpp_progress_start(tpp_progress *p, tpp_progress_kind kind, FILE *to, int64_t cases,
                        double (*clock)(void));

/* The next case begins, or the only one. */
void tpp_progress_case(tpp_progress *p, const char *name);

/* `done` of `total` frames of the case. */
void tpp_progress_frame(tpp_progress *p, int64_t done, int64_t total);

/* The case is over; `error` NULL: it has results. */
void tpp_progress_case_end(tpp_progress *p, const char *error);

/* A line of the log: a JSON object in the JSON form, else "tpp: warning: text". Takes what a
 * tpp_log_sink takes. */
void tpp_progress_message(tpp_progress *p, tpp_log_level level, const char *module,
                          const char *text);

/* Ends the line of a bar, before something else is printed and at the end. */
void tpp_progress_break(tpp_progress *p);

#endif
