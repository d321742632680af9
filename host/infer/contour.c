/* Walks along the edges of pixels with the mask to the right. The middles of those edges are the
 * corners that marching squares gives; pixels that touch by a corner only are outlined apart.
 * SPDX-License-Identifier: MIT */
#include "infer/contour.h"

#include "core/mem.h"

#include <stdbool.h>

enum { FARTHEST = 256 }; /* corners that one line may stand for */

typedef struct point {
    int x, y;
} point;

typedef struct tracer {
    const uint8_t *mask;
    int height, width;
    uint8_t *seen; /* upper edges that a loop went along */
    point *loop;
    size_t count, room;
} tracer;

/* Directions: east, south, west, north. */
static const int step_x[4] = {1, 0, -1, 0}, step_y[4] = {0, 1, 0, -1};

static bool is_set(const tracer *t, int y, int x)
{
    return y >= 0 && x >= 0 && y < t->height && x < t->width &&
           t->mask[(size_t)y * (size_t)t->width + (size_t)x] != 0;
}

/* The pixel ahead of corner (x, y), looking in direction d: on the right, or on the left. */
static bool ahead(const tracer *t, point at, int d, bool right)
{
    const int side = right ? (d + 1) % 4 : (d + 3) % 4;
    const int dx = step_x[d] + step_x[side], dy = step_y[d] + step_y[side];
    return is_set(t, at.y + (dy - 1) / 2, at.x + (dx - 1) / 2);
}

static int next_direction(const tracer *t, point at, int d)
{
    if (!ahead(t, at, d, true)) return (d + 1) % 4;
    return ahead(t, at, d, false) ? (d + 3) % 4 : d;
}

static tpp_status keep(tracer *t, point p)
{
    if (t->count == t->room) {
        const size_t room = t->room == 0 ? 256 : 2 * t->room;
        point *grown = tpp_realloc(t->loop, room, sizeof(*grown));
        if (grown == NULL) return TPP_ENOMEM;
        t->loop = grown;
        t->room = room;
    }
    t->loop[t->count++] = p;
    return TPP_OK;
}

/* The loop that starts along the upper edge of pixel (y, x). */
static tpp_status trace(tracer *t, int y, int x)
{
    point at = {x, y};
    int d = 0;
    t->count = 0;
    do {
        if (d == 0) t->seen[(size_t)at.y * (size_t)t->width + (size_t)at.x] = 1;
        TPP_TRY(keep(t, (point){2 * at.x + step_x[d], 2 * at.y + step_y[d]}));
        at.x += step_x[d];
        at.y += step_y[d];
        d = next_direction(t, at, d);
    } while (at.x != x || at.y != y || d != 0);
    return keep(t, t->loop[0]);
}

/* ---- fewer corners ---- */

/* Are all corners between a and b within 3/8 pixel, 0.75 of our unit, of the line? */
static bool is_straight(const tracer *t, size_t a, size_t b)
{
    const point p = t->loop[a], q = t->loop[b];
    const int64_t dx = q.x - p.x, dy = q.y - p.y, length = dx * dx + dy * dy;
    for (size_t i = a + 1; i < b; i++) {
        const int64_t off = dx * (t->loop[i].y - p.y) - dy * (t->loop[i].x - p.x);
        const int64_t along = dx * (t->loop[i].x - p.x) + dy * (t->loop[i].y - p.y);
        if (16 * off * off > 9 * length || along < 0 || along > length) return false;
    }
    return true;
}

static void drop_collinear(tracer *t)
{
    size_t n = 1;
    for (size_t i = 1; i < t->count; i++) {
        const point p = t->loop[i], q = t->loop[n - 1];
        if (n >= 2) {
            const point o = t->loop[n - 2];
            if ((q.x - o.x) * (p.y - q.y) == (q.y - o.y) * (p.x - q.x)) n--;
        }
        t->loop[n++] = p;
    }
    t->count = n;
}

static void add_loop(tpp_str *out, tracer *t)
{
    drop_collinear(t);
    tpp_str_format(out, "M%d %dl", t->loop[0].x, t->loop[0].y);
    for (size_t a = 0, b = 0; a + 1 < t->count; a = b) {
        for (b = a + 1; b + 1 < t->count && b - a < FARTHEST; b++)
            if (!is_straight(t, a, b + 1)) break;
        if (b + 1 == t->count) break; /* z draws the last line */
        const int dx = t->loop[b].x - t->loop[a].x, dy = t->loop[b].y - t->loop[a].y;
        tpp_str_format(out, "%s%d%s%d", a > 0 && dx >= 0 ? " " : "", dx, dy >= 0 ? " " : "", dy);
    }
    tpp_str_add(out, "z", 1);
}

static tpp_status trace_all(tpp_str *out, tracer *t)
{
    TPP_NEW(t->seen, (int64_t)t->height * t->width);
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) {
            if (!is_set(t, y, x) || is_set(t, y - 1, x)) continue;
            if (t->seen[(size_t)y * (size_t)t->width + (size_t)x] != 0) continue;
            TPP_TRY(trace(t, y, x));
            add_loop(out, t);
        }
    return out->status;
}

tpp_status tpp_contour_svg(tpp_str *out, const uint8_t *mask, int height, int width)
{
    tracer t = {.mask = mask, .height = height, .width = width};
    const tpp_status s = trace_all(out, &t);
    tpp_free(t.seen);
    tpp_free(t.loop);
    return s;
}
