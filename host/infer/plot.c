/* Draws curves.
 * SPDX-License-Identifier: MIT */
#include "infer/plot.h"

#include "infer/json_file.h"

#include <inttypes.h>
#include <math.h>

enum { WIDE = 1000, TALL = 200, MARGIN = 6, MOST_STEPS = 1000 };

static double value_of(const tpp_plot *p, int t, int64_t i)
{
    const double v = p->value(&p->found[t * p->frames + i]) * p->scale;
    return isfinite(v) ? v : 0;
}

static double top_of(const tpp_plot *p)
{
    double top = p->most;
    for (int t = 0; t < p->targets->count && !(p->most > 0); t++)
        for (int64_t i = 0; i < p->frames; i++) top = fmax(top, value_of(p, t, i));
    return top > 0 ? top : 1;
}

static void add_point(tpp_str *s, const tpp_plot *p, int64_t i, double value, double top)
{
    const double along = p->frames > 1 ? (double)i / (double)(p->frames - 1) : 0.5;
    const double up = fmin(fmax(value / top, 0), 1);
    tpp_str_format(s, "%.1f,%.1f ", along * WIDE, TALL - MARGIN - up * (TALL - 2 * MARGIN));
}

/* The lowest and the highest value of frames [from, to), in their order. */
static void add_step(tpp_str *s, const tpp_plot *p, int t, int64_t from, int64_t to, double top)
{
    int64_t low = from, high = from;
    for (int64_t i = from; i < to; i++) {
        if (value_of(p, t, i) < value_of(p, t, low)) low = i;
        if (value_of(p, t, i) > value_of(p, t, high)) high = i;
    }
    const int64_t a = low < high ? low : high, b = low < high ? high : low;
    add_point(s, p, a, value_of(p, t, a), top);
    if (b != a) add_point(s, p, b, value_of(p, t, b), top);
}

static void add_curve(tpp_str *s, const tpp_plot *p, int t, double top)
{
    const uint8_t *c = p->targets->item[t].rgb;
    const int64_t steps = p->frames < MOST_STEPS ? p->frames : MOST_STEPS;
    tpp_str_format(s, "<polyline data-target=\"%d\" stroke=\"#%02x%02x%02x\" points=\"", t, c[0],
                   c[1], c[2]);
    for (int64_t k = 0; k < steps; k++)
        add_step(s, p, t, k * p->frames / steps, (k + 1) * p->frames / steps, top);
    tpp_str_format(s, "\"/>\n");
}

void tpp_plot_add(tpp_str *s, const tpp_plot *p)
{
    const double top = top_of(p);
    const char *frame_word = p->frames == 1 ? "frame" : "frames";
    const int digits = top >= 100 ? 0 : top >= 10 ? 1 : 2;
    tpp_str_format(s, "<figure class=\"plot\">\n<figcaption>");
    tpp_html_add_text(s, p->title);
    tpp_str_format(s, "</figcaption>\n<span class=\"top\">%.*f%s</span>\n", digits, top, p->unit);
    tpp_str_format(s, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" ", WIDE,
                   TALL);
    tpp_str_format(s, "aria-label=\"");
    tpp_html_add_text(s, p->title);
    tpp_str_format(s, ", %" PRId64 " %s, from 0 to %.*f%s\">\n", p->frames, frame_word, digits, top,
                   p->unit);
    for (int k = 1; k < 4; k++)
        tpp_str_format(s, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", WIDE,
                       MARGIN + k * (TALL - 2 * MARGIN) / 4, MARGIN + k * (TALL - 2 * MARGIN) / 4);
    for (int t = 0; t < p->targets->count; t++) add_curve(s, p, t, top);
    tpp_str_format(s, "<line class=\"now\" y1=\"0\" y2=\"%d\"/>\n</svg>\n", TALL);
    tpp_str_format(s,
                   "<span class=\"ends\"><span>%" PRId64 "</span><span>frame</span>"
                   "<span>%" PRId64 "</span></span>\n</figure>\n",
                   p->first, p->first + p->frames - 1);
}
