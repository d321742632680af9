/* Nearest axis order of an affine, and canonical slices.
 * SPDX-License-Identifier: MIT */
#include "io/orientation.h"

#include <math.h>
#include <stddef.h>

/* Canonical directions in the affine's RAS+ millimetres: left and posterior are negative there. */
static const double canonical_sign[3] = {-1, -1, 1};

tpp_orientation tpp_orientation_from_affine(const tpp_affine *affine)
{
    static const int orders[6][3] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1},
                                     {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
    double cosine[3][3]; /* [world axis][file axis] */
    for (int j = 0; j < 3; j++) {
        double norm = 0;
        for (int i = 0; i < 3; i++) norm += affine->m[i][j] * affine->m[i][j];
        for (int i = 0; i < 3; i++) cosine[i][j] = affine->m[i][j] / sqrt(norm);
    }
    const double tie = 1e-6; /* rounding of a float header must not decide between two orders */
    int best = 0;
    double best_sum = -1;
    for (int n = 0; n < 6; n++) {
        double sum = 0;
        for (int a = 0; a < 3; a++) sum += fabs(cosine[a][orders[n][a]]);
        if (sum > best_sum + tie) {
            best = n;
            best_sum = sum;
        }
    }
    tpp_orientation o;
    for (int a = 0; a < 3; a++) {
        o.axis[a] = orders[best][a];
        o.flip[a] = cosine[a][o.axis[a]] * canonical_sign[a] < 0;
    }
    return o;
}

void tpp_orientation_code(char code[4], const tpp_orientation *o)
{
    static const char toward[3][2] = {{'L', 'R'}, {'P', 'A'}, {'S', 'I'}}; /* [axis][flipped] */
    for (int a = 0; a < 3; a++) code[o->axis[a]] = toward[a][o->flip[a]];
    code[3] = '\0';
}

/* A view along the file's axes `axis`, each flipped or not. */
static tpp_view make_view(const int axis[3], const bool flip[3], const int64_t dim[3],
                          const double spacing_mm[3])
{
    const int64_t step[3] = {1, dim[0], dim[0] * dim[1]};
    tpp_view v = {.origin = 0};
    for (int a = 0; a < 3; a++) {
        const int x = axis[a];
        v.axis[a] = x;
        v.flip[a] = flip[a];
        v.dim[a] = dim[x];
        v.spacing_mm[a] = spacing_mm[x];
        v.stride[a] = flip[a] ? -step[x] : step[x];
        if (flip[a]) v.origin += (dim[x] - 1) * step[x];
    }
    return v;
}

tpp_view tpp_orientation_view(const tpp_orientation *o, const int64_t dim[3],
                              const double spacing_mm[3])
{
    return make_view(o->axis, o->flip, dim, spacing_mm);
}

tpp_view tpp_view_stored(const int64_t dim[3], const double spacing_mm[3])
{
    return make_view((const int[]){0, 1, 2}, (const bool[]){false, false, false}, dim, spacing_mm);
}

const char *tpp_axis_text(tpp_axis axis)
{
    static const char *const names[TPP_AXIS_COUNT] = {"auto", "axial", "coronal", "sagittal",
                                                      "time"};
    return names[axis];
}

tpp_view tpp_view_cut(const tpp_view *axial, tpp_axis axis)
{
    /* Columns, rows and slices, by the axial view's own; rows that run down run from superior. */
    static const int from[TPP_AXIS_COUNT][3] = {[TPP_AXIS_AUTO] = {0, 1, 2},
                                                [TPP_AXIS_AXIAL] = {0, 1, 2},
                                                [TPP_AXIS_CORONAL] = {0, 2, 1},
                                                [TPP_AXIS_SAGITTAL] = {1, 2, 0},
                                                [TPP_AXIS_TIME] = {0, 1, 2}};
    const bool turned = axis == TPP_AXIS_CORONAL || axis == TPP_AXIS_SAGITTAL;
    int64_t dim[3];
    double mm[3];
    int along[3];
    bool flip[3];
    for (int a = 0; a < 3; a++) {
        dim[axial->axis[a]] = axial->dim[a];
        mm[axial->axis[a]] = axial->spacing_mm[a];
    }
    for (int a = 0; a < 3; a++) {
        along[a] = axial->axis[from[axis][a]];
        flip[a] = axial->flip[from[axis][a]] != (turned && a == 1);
    }
    return make_view(along, flip, dim, mm);
}

tpp_axis tpp_view_best_axis(const tpp_view *axial)
{
    static const tpp_axis across[3] = {TPP_AXIS_SAGITTAL, TPP_AXIS_CORONAL, TPP_AXIS_AXIAL};
    const double thick = 1.5;
    int most = 2, least = 2;
    for (int a = 0; a < 3; a++) {
        if (axial->spacing_mm[a] > axial->spacing_mm[most]) most = a;
        if (axial->spacing_mm[a] < axial->spacing_mm[least]) least = a;
    }
    const bool uneven = axial->spacing_mm[most] > thick * axial->spacing_mm[least];
    return uneven ? across[most] : TPP_AXIS_AXIAL;
}

void tpp_view_get_slice(const tpp_view *v, float *out, const float *voxels, int64_t slice)
{
    for (int64_t r = 0; r < v->dim[1]; r++)
        for (int64_t c = 0; c < v->dim[0]; c++)
            out[r * v->dim[0] + c] = voxels[tpp_view_index(v, slice, r, c)];
}

void tpp_view_put_slice(const tpp_view *v, uint8_t *voxels, const uint8_t *in, int64_t slice)
{
    for (int64_t r = 0; r < v->dim[1]; r++)
        for (int64_t c = 0; c < v->dim[0]; c++)
            voxels[tpp_view_index(v, slice, r, c)] = in[r * v->dim[0] + c];
}
