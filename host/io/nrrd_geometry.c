/* From the axes of a NRRD to millimetres.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/affine.h"
#include "io/nrrd_header.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* Signs that turn a space's axes into right, anterior, superior. */
typedef struct space {
    const char *name, *letters;
    double to_ras[3];
} space;

static const space spaces[] = {
    {"right-anterior-superior", "RAS", {1, 1, 1}},
    {"left-anterior-superior", "LAS", {-1, 1, 1}},
    {"left-posterior-superior", "LPS", {-1, -1, 1}},
};

static const space *find_space(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof spaces / sizeof *spaces; i++)
        if (strcasecmp(name, spaces[i].name) == 0 || strcasecmp(name, spaces[i].letters) == 0)
            return &spaces[i];
    return NULL;
}

/* Millimetres in a unit such as "cm", quotes included; one that is not known is taken as mm. */
static double unit_mm(const char *word, size_t length)
{
    static const struct {
        const char *name;
        double mm;
    } units[] = {{"\"m\"", 1e3},       {"\"cm\"", 10},        {"\"um\"", 1e-3},
                 {"\"micron\"", 1e-3}, {"\"microns\"", 1e-3}, {"\"nm\"", 1e-6}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == length && strncmp(word, units[i].name, length) == 0)
            return units[i].mm;
    return 1;
}

/* Of the word number `i` of a field. */
static double unit_of(const char *value, int i)
{
    const char *word = NULL;
    size_t length = 0;
    for (; value != NULL && i >= 0; i--)
        if (!tpp_header_word(&word, &length, &value)) return 1;
    return value == NULL ? 1 : unit_mm(word, length);
}

static tpp_status read_origin(double origin[3], const tpp_nrrd_header *h, const char *path)
{
    const char *at = h->value[TPP_NRRD_ORIGIN];
    char text[128];
    if (at == NULL) return TPP_OK;
    const size_t n = strlen(at);
    if (n < 2 || n >= sizeof text || at[0] != '(' || at[n - 1] != ')')
        return TPP_FAIL(TPP_EFORMAT, "%s: space origin is \"%.80s\", wanted (x,y,z)", path, at);
    memcpy(text, at + 1, n - 2);
    text[n - 2] = '\0';
    for (char *p = text; *p != '\0'; p++)
        if (*p == ',') *p = ' ';
    if (tpp_header_numbers(origin, 3, text) < 2)
        return TPP_FAIL(TPP_EFORMAT, "%s: space origin is \"%.80s\", wanted (x,y,z)", path, at);
    return TPP_OK;
}

/* Column j along axis i of the file, from its direction, or its spacing alone. */
static tpp_status read_column(tpp_affine *a, bool *unstated, int j, const tpp_nrrd_header *h, int i,
                              const char *path)
{
    const tpp_nrrd_axis *axis = &h->axis[i];
    if (h->value[TPP_NRRD_DIRECTIONS] != NULL) {
        if (!axis->has_direction)
            return TPP_FAIL(TPP_EFORMAT, "%s: axis %d is one of space and has no direction", path,
                            i);
        for (int r = 0; r < 3; r++)
            a->m[r][j] = axis->direction[r] * unit_of(h->value[TPP_NRRD_SPACE_UNITS], r);
        return TPP_OK;
    }
    double spacing = axis->spacing;
    if (isnan(spacing) && (h->value[TPP_NRRD_SPACINGS] == NULL || axis->size == 1)) spacing = 1;
    if (!(isfinite(spacing) && spacing > 0))
        return TPP_FAIL(TPP_EFORMAT, "%s: the spacing of axis %d is %g, wanted one above 0", path,
                        i, spacing);
    a->m[j][j] = spacing * unit_of(h->value[TPP_NRRD_UNITS], i);
    *unstated = isnan(axis->spacing);
    return TPP_OK;
}

/* The third column of a file with two axes of space: the moments' direction if they have one. */
static void read_third(tpp_affine *a, const tpp_nrrd_header *h)
{
    if (h->time >= 0 && h->axis[h->time].has_direction) {
        for (int r = 0; r < 3; r++) a->m[r][2] = h->axis[h->time].direction[r];
        if (tpp_affine_check(a, TPP_AFFINE_FILE, "") == TPP_OK) return;
    }
    tpp_affine_complete(a, 1);
}

tpp_status tpp_nrrd_geometry(tpp_volume *v, const tpp_nrrd_header *h, const char *path)
{
    const space *named = find_space(h->value[TPP_NRRD_SPACE]);
    const double *to_ras = named != NULL ? named->to_ras : spaces[2].to_ras;
    const bool stated = named != NULL && h->value[TPP_NRRD_DIRECTIONS] != NULL;
    tpp_affine_source source = stated ? TPP_AFFINE_FILE : TPP_AFFINE_PIXDIM;
    tpp_affine a = {{{0}}};
    double origin[3] = {0};
    TPP_TRY(read_origin(origin, h, path));
    for (int j = 0; j < h->n_space; j++)
        TPP_TRY(read_column(&a, &v->spacing_unstated[j], j, h, h->space[j], path));
    if (h->n_space < 3) {
        read_third(&a, h);
        v->spacing_unstated[2] = true;
    }
    for (int i = 0; i < 3; i++) {
        a.m[i][3] = origin[i] * unit_of(h->value[TPP_NRRD_SPACE_UNITS], i);
        for (int j = 0; j < 4; j++) a.m[i][j] *= to_ras[i];
    }
    if (v->is_sequence && h->value[TPP_NRRD_ULTRASOUND] != NULL &&
        tpp_affine_ultrasound(&a, h->value[TPP_NRRD_ULTRASOUND]))
        source = TPP_AFFINE_FILE;
    TPP_TRY(tpp_affine_check(&a, source, path));
    tpp_affine_set(v, &a, 1, source);
    return TPP_OK;
}
