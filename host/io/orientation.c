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

tpp_view tpp_orientation_view(const tpp_orientation *o, const int64_t dim[3],
                              const double spacing_mm[3])
{
    const int64_t step[3] = {1, dim[0], dim[0] * dim[1]};
    tpp_view v = {.origin = 0};
    for (int a = 0; a < 3; a++) {
        const int x = o->axis[a];
        v.dim[a] = dim[x];
        v.spacing_mm[a] = spacing_mm[x];
        v.stride[a] = o->flip[a] ? -step[x] : step[x];
        if (o->flip[a]) v.origin += (dim[x] - 1) * step[x];
    }
    return v;
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
