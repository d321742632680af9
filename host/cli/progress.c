/* Progress: when what is shown, and how long it will take.
 * SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "cli/json.h"
#include "core/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const double plain_seconds = 10; /* between two lines of a log */
static const double bar_seconds = 0.1;  /* between two drawings of a bar */

static const char *const words[] = {"auto", "bar", "plain", "json", "none"};
enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

const char *tpp_progress_word(int i)
{
    return i >= 0 && i < WORD_COUNT ? words[i] : NULL;
}

tpp_progress_kind tpp_progress_choose(const char *word, bool quiet, bool is_terminal)
{
    tpp_progress_kind kind = TPP_PROGRESS_AUTO;
    for (int i = 0; word != NULL && i < WORD_COUNT; i++)
        if (strcmp(words[i], word) == 0) kind = (tpp_progress_kind)i;
    if (kind != TPP_PROGRESS_AUTO) return kind;
    return is_terminal && !quiet ? TPP_PROGRESS_BAR : TPP_PROGRESS_NONE;
}

void tpp_progress_start(tpp_progress *p, tpp_progress_kind kind, FILE *to, int64_t cases,
                        double (*clock)(void))
{
    *p = (tpp_progress){.kind = kind == TPP_PROGRESS_AUTO ? TPP_PROGRESS_NONE : kind,
                        .to = to,
                        .clock = clock != NULL ? clock : tpp_clock_seconds,
                        .cases = cases > 0 ? cases : 1};
    p->started = p->clock();
}

/* ---- how long it will take ---- */

/* Seconds left of all cases, by what went before; cases count alike. Negative: not known yet. */
static double seconds_left(const tpp_progress *p, int64_t total)
{
    const double share = total > 0 ? (double)p->done / (double)total : 0;
    const double all = ((double)(p->case_number - 1) + share) / (double)p->cases;
    if (!(all > 0)) return -1;
    return (p->clock() - p->started) * (1 - all) / all;
}

/* "1:02:03", "2:03"; "" when it is not known. */
static const char *left_text(char *out, size_t size, double seconds)
{
    enum { MINUTE = 60, HOUR = 3600, DAYS_99 = 99 * 24 * 3600 };
    const int s = seconds < DAYS_99 ? (int)(seconds + 0.5) : (int)DAYS_99;
    out[0] = '\0';
    if (seconds < 0) return out;
    if (s >= HOUR)
        (void)snprintf(out, size, ", %d:%02d:%02d left", s / HOUR, s / MINUTE % MINUTE, s % MINUTE);
    else
        (void)snprintf(out, size, ", %d:%02d left", s / MINUTE, s % MINUTE);
    return out;
}

/* ---- forms ---- */

/* "case 2 of 5 (name), "; of one case nothing. */
static void put_case(const tpp_progress *p)
{
    if (p->cases > 1)
        (void)fprintf(p->to, "case %" PRId64 " of %" PRId64 " (%s), ", p->case_number, p->cases,
                      p->name);
}

static void show_bar(tpp_progress *p, int64_t total)
{
    enum { CELLS = 30 };
    char left[40];
    const int full = (int)(p->done * CELLS / total);
    (void)fprintf(p->to, "\r[%.*s%*s] ", full, "########################################",
                  CELLS - full, "");
    if (p->cases > 1)
        (void)fprintf(p->to, "case %" PRId64 "/%" PRId64 ", frame ", p->case_number, p->cases);
    (void)fprintf(p->to, "%" PRId64 "/%" PRId64 "%s\033[K", p->done, total,
                  left_text(left, sizeof(left), seconds_left(p, total)));
    (void)fflush(p->to);
    p->is_open = true;
}

static void show_plain(tpp_progress *p, int64_t total)
{
    char left[40];
    (void)fputs("tpp: ", p->to);
    put_case(p);
    (void)fprintf(p->to, "frame %" PRId64 " of %" PRId64 "%s\n", p->done, total,
                  left_text(left, sizeof(left), seconds_left(p, total)));
}

/* Releases `j`. */
static void show_json(tpp_progress *p, json_t *j)
{
    char *line = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (line != NULL) (void)fprintf(p->to, "%s\n", line);
    (void)fflush(p->to);
    free(line);
    json_decref(j);
}

static json_t *event(const tpp_progress *p, const char *name)
{
    return json_pack("{s:s, s:o, s:I, s:I}", "event", name, "case", tpp_json_text(p->name),
                     "case_number", (json_int_t)p->case_number, "cases", (json_int_t)p->cases);
}

static void frame_event(tpp_progress *p, int64_t total)
{
    json_t *j = event(p, "frame");
    (void)json_object_set_new(j, "done", json_integer(p->done));
    (void)json_object_set_new(j, "total", json_integer(total));
    (void)json_object_set_new(j, "seconds", json_real(p->clock() - p->case_started));
    const double left = seconds_left(p, total);
    (void)json_object_set_new(j, "seconds_left", left < 0 ? json_null() : json_real(left));
    show_json(p, j);
}

/* ---- events ---- */

void tpp_progress_case(tpp_progress *p, const char *name)
{
    p->case_number++;
    p->name = name;
    p->done = 0;
    p->case_started = p->shown = p->clock();
    if (p->kind == TPP_PROGRESS_JSON) show_json(p, event(p, "case"));
    if (p->kind == TPP_PROGRESS_PLAIN && p->cases > 1)
        (void)fprintf(p->to, "tpp: case %" PRId64 " of %" PRId64 " (%s)\n", p->case_number,
                      p->cases, name);
}

void tpp_progress_frame(tpp_progress *p, int64_t done, int64_t total)
{
    p->done = done;
    if (total <= 0 || p->kind == TPP_PROGRESS_NONE) return;
    const double since = p->clock() - p->shown;
    const bool last = done >= total;
    if (p->kind == TPP_PROGRESS_JSON) {
        frame_event(p, total);
        return;
    }
    if (p->kind == TPP_PROGRESS_BAR && (last || !p->is_open || since >= bar_seconds))
        show_bar(p, total);
    else if (p->kind == TPP_PROGRESS_PLAIN && (last || since >= plain_seconds))
        show_plain(p, total);
    else
        return;
    p->shown = p->clock();
    if (last && p->case_number >= p->cases) tpp_progress_break(p);
}

void tpp_progress_case_end(tpp_progress *p, const char *error)
{
    if (p->kind == TPP_PROGRESS_JSON) {
        json_t *j = event(p, "end");
        (void)json_object_set_new(j, "ok", json_boolean(error == NULL));
        if (error != NULL) (void)json_object_set_new(j, "error", tpp_json_text(error));
        (void)json_object_set_new(j, "seconds", json_real(p->clock() - p->case_started));
        show_json(p, j);
    }
    if (error != NULL) tpp_progress_break(p);
}

void tpp_progress_message(tpp_progress *p, tpp_log_level level, const char *module,
                          const char *text)
{
    static const char *const starts[] = {"error: ", "warning: ", "", "debug: "};
    static const char *const names[] = {"error", "warning", "info", "debug"};
    tpp_progress_break(p);
    if (p->kind == TPP_PROGRESS_JSON)
        show_json(p, json_pack("{s:s, s:s, s:s, s:o}", "event", "message", "level", names[level],
                               "module", module, "text", tpp_json_text(text)));
    else
        (void)fprintf(p->to, "tpp: %s%s%s%s\n", starts[level], level == TPP_LOG_DEBUG ? module : "",
                      level == TPP_LOG_DEBUG ? ": " : "", text);
}

void tpp_progress_break(tpp_progress *p)
{
    if (p->is_open) (void)fputc('\n', p->to);
    p->is_open = false;
}
