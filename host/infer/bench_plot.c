/* Draws bars.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_plot.h"

#include "core/mem.h"
#include "core/path.h"
#include "infer/bench_merge.h"
#include "infer/json_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Pixels. Names stand left of the bars, figures right of them. */
enum {
    WIDE = 1040,
    EDGE = 24,
    BARS = 380,       /* where bars begin */
    LONGEST = 400,    /* a bar */
    TOP = 70,         /* of the picture, above the first group */
    HEAD = 40,        /* of a group */
    STEP = 24,        /* from bar to bar */
    THICK = 16,       /* a bar */
    MOST_LETTERS = 48 /* of a name, which ends where the bars begin */
};

static const char style[] =
    "<style>text{font:13px sans-serif;fill:#1b1f24}.title{font-size:18px;font-weight:bold}"
    ".group{font-weight:bold}.note{fill:#57606a}.ok{fill:#2f6fb0}"
    ".bad{fill:#fff;stroke:#b3261e;stroke-dasharray:4 3}.why{fill:#b3261e}"
    ".base{stroke:#8c959f}</style>\n";

/* ---- text ---- */

/* At most `most` letters of any bytes, as XML can hold them: UTF-8, no control characters, none of
 * U+FFFE and U+FFFF. */
static void add_text(tpp_str *s, const char *text, int most)
{
    char *copy = tpp_text_utf8(text);
    if (copy == NULL) {
        s->status = TPP_ENOMEM;
        return;
    }
    int letters = 0;
    char *p = copy;
    for (; *p != '\0'; p++) {
        const unsigned char *c = (const unsigned char *)p;
        if ((c[0] & 0xc0) != 0x80 && letters++ == most) break;
        if (c[0] < 0x20 || c[0] == 0x7f) *p = ' ';
        if (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe) memcpy(p, "???", 3);
    }
    const bool is_cut = *p != '\0';
    *p = '\0';
    tpp_html_add_text(s, copy);
    if (is_cut) tpp_str_format(s, "...");
    tpp_free(copy);
}

/* Card name, vector 4 ahead: what tells the bars of a group apart. */
static void add_name(tpp_str *s, const tpp_bench_row *r)
{
    char more[64] = "", name[200];
    if (strcmp(r->scenario, "cold") == 0)
        (void)snprintf(more, sizeof(more), ", cache %s", r->kernel_cache);
    else if (r->ahead > 1)
        (void)snprintf(more, sizeof(more), ", %.0f ahead", r->ahead);
    const bool is_auto = strcmp(r->algorithm, "auto") == 0;
    (void)snprintf(name, sizeof(name), "%.100s%s%.40s%s", r->device[0] != '\0' ? r->device : "?",
                   is_auto ? "" : ", ", is_auto ? "" : r->algorithm, more);
    add_text(s, name, MOST_LETTERS);
}

/* 12.34 ms, 43.2 % of the FMA peak */
static void add_figures(tpp_str *s, const tpp_bench_row *r)
{
    if (isfinite(r->ms_median)) tpp_str_format(s, "%.4g ms", r->ms_median);
    if (isfinite(r->peak_share))
        tpp_str_format(s, ", %.1f %% of the FMA peak", 100 * r->peak_share);
}

static void add_status(tpp_str *s, const tpp_bench_row *r)
{
    enum { SHORT = 36 };
    tpp_str_format(s, "<tspan class=\"why\">%s", isfinite(r->ms_median) ? ", " : "");
    add_text(s, r->status, SHORT);
    if (r->reason[0] != '\0' && !isfinite(r->ms_median)) {
        tpp_str_format(s, ": ");
        add_text(s, r->reason, 2 * SHORT);
    }
    tpp_str_format(s, "</tspan>");
}

/* ---- bars ---- */

static void add_bar(tpp_str *s, const tpp_bench_row *r, double most, int y)
{
    const bool is_ok = strcmp(r->status, "ok") == 0, has_time = r->ms_median > 0;
    const double length = has_time ? fmin(r->ms_median / most, 1) * LONGEST : 0;
    tpp_str_format(s, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", (int)BARS - 8, y + 13);
    add_name(s, r);
    tpp_str_format(s, "</text>\n");
    if (has_time)
        tpp_str_format(s, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n",
                       is_ok ? "ok" : "bad", (int)BARS, y, length, (int)THICK);
    tpp_str_format(s, "<text x=\"%.1f\" y=\"%d\">", BARS + length + 6, y + 13);
    add_figures(s, r);
    if (!is_ok) add_status(s, r);
    tpp_str_format(s, "</text>\n");
}

static int end_of_group(const tpp_bench_rows *rows, int from)
{
    int to = from + 1;
    while (to < rows->count && tpp_bench_same_group(&rows->row[from], &rows->row[to])) to++;
    return to;
}

/* The longest time of the group, wrong ones too: every bar has to fit. */
static double most_of(const tpp_bench_rows *rows, int from, int to)
{
    double most = 0;
    for (int i = from; i < to; i++)
        if (isfinite(rows->row[i].ms_median)) most = fmax(most, rows->row[i].ms_median);
    return most > 0 ? most : 1;
}

static void add_group_name(tpp_str *s, const tpp_bench_row *r)
{
    add_text(s, tpp_path_base(r->config), MOST_LETTERS);
    tpp_str_format(s, ", %.0fx%.0f, ", r->height, r->width);
    add_text(s, r->scenario, MOST_LETTERS);
    if (r->clip > 0) tpp_str_format(s, ", clips of %.0f", r->clip);
    if (isfinite(r->prompts)) tpp_str_format(s, ", %.0f prompts", r->prompts);
    tpp_str_format(s, " <tspan class=\"note\">");
    add_text(s, r->config_sha256, 8);
    tpp_str_format(s, "</tspan>");
}

/* Returns where the next group begins. */
static int add_group(tpp_str *s, const tpp_bench_rows *rows, int from, int to, int y)
{
    const double most = most_of(rows, from, to);
    tpp_str_format(s, "<g>\n<text class=\"group\" x=\"%d\" y=\"%d\">", (int)EDGE, y + 22);
    add_group_name(s, &rows->row[from]);
    tpp_str_format(s, "</text>\n");
    const int first = y + HEAD;
    for (int i = from; i < to; i++) add_bar(s, &rows->row[i], most, first + (i - from) * STEP);
    const int end = first + (to - from) * STEP;
    tpp_str_format(s, "<line class=\"base\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n</g>\n",
                   (int)BARS, (int)BARS, first - 4, end - 4);
    return end + 8;
}

static int height_of(const tpp_bench_rows *rows)
{
    int groups = 0;
    for (int i = 0; i < rows->count; i = end_of_group(rows, i)) groups++;
    return TOP + groups * (HEAD + 8) + rows->count * STEP + EDGE;
}

static void draw(tpp_str *s, const tpp_bench_rows *rows)
{
    const int height = height_of(rows);
    int y = TOP;
    tpp_str_format(s,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                   "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>Milliseconds per frame</title>\n%s"
                   "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
                   (int)WIDE, height, (int)WIDE, height, style, (int)WIDE, height);
    tpp_str_format(s,
                   "<text class=\"title\" x=\"%d\" y=\"34\">Milliseconds per frame</text>\n"
                   "<text class=\"note\" x=\"%d\" y=\"56\">Medians, shorter is better; scenario "
                   "cold: to the first mask. Every group has its own scale. Shares are of the peak "
                   "measured in the same run.</text>\n",
                   (int)EDGE, (int)EDGE);
    for (int from = 0, to = 0; from < rows->count; from = to) {
        to = end_of_group(rows, from);
        y = add_group(s, rows, from, to, y);
    }
    tpp_str_format(s, "</svg>\n");
}

tpp_status tpp_bench_plot(const char *path, const tpp_bench_rows *rows)
{
    tpp_str text = {0};
    if (rows->count > TPP_PLOT_MOST_BARS)
        return TPP_FAIL(TPP_EUSAGE, "%s: a plot of %d rows, %d can be drawn", path, rows->count,
                        (int)TPP_PLOT_MOST_BARS);
    draw(&text, rows);
    tpp_status s = text.status;
    if (s == TPP_OK) s = tpp_file_write(path, text.text, text.length);
    tpp_str_free(&text);
    return s;
}
