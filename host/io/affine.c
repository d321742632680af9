/* Checks of affines.
 * SPDX-License-Identifier: MIT */
#include "io/affine.h"

#include <math.h>

double tpp_affine_column(const tpp_affine *a, int j)
{
    return sqrt(a->m[0][j] * a->m[0][j] + a->m[1][j] * a->m[1][j] + a->m[2][j] * a->m[2][j]);
}

static double determinant(const double a[4][4])
{
    return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
           a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
           a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
}

double tpp_affine_voxel(const tpp_affine *a)
{
    return fabs(determinant(a->m));
}

tpp_status tpp_affine_check(const tpp_affine *affine, tpp_affine_source source, const char *path)
{
    const double(*a)[4] = affine->m;
    const char *text = tpp_affine_source_text(source);
    const double flat = 1e-4; /* volume of the box of unit edges along the three axes */
    const double most = 1e15; /* beyond, what is computed from it may not be finite */
    for (int i = 0; i < 12; i++)
        if (!(fabs(a[i / 4][i % 4]) <= most)) /* NaN fails too */
            return TPP_FAIL(TPP_EFORMAT, "%s: the affine (%s) holds %g in row %d", path, text,
                            a[i / 4][i % 4], i / 4 + 1);
    double volume = 1;
    for (int j = 0; j < 3; j++) volume *= tpp_affine_column(affine, j);
    if (!(volume > 0) || !isfinite(volume) || !(tpp_affine_voxel(affine) > flat * volume))
        return TPP_FAIL(TPP_EFORMAT, "%s: the affine (%s) is singular: its axes do not span space",
                        path, text);
    return TPP_OK;
}

void tpp_affine_set(tpp_volume *v, const tpp_affine *a, double mm, tpp_affine_source source)
{
    for (int i = 0; i < 12; i++) v->affine.m[i / 4][i % 4] = a->m[i / 4][i % 4] * mm;
    for (int j = 0; j < 4; j++) v->affine.m[3][j] = j == 3;
    for (int j = 0; j < 3; j++) v->spacing_mm[j] = tpp_affine_column(a, j) * mm;
    v->affine_source = source;
}

void tpp_affine_complete(tpp_affine *a, double length)
{
    for (int i = 0; i < 3; i++) {
        const int u = (i + 1) % 3, w = (i + 2) % 3;
        a->m[i][2] = a->m[u][0] * a->m[w][1] - a->m[w][0] * a->m[u][1];
    }
    const double norm = tpp_affine_column(a, 2);
    for (int i = 0; i < 3 && norm > 0; i++) a->m[i][2] *= length / norm;
}

/* Towards the patient's left, or posterior: the canonical picture's columns and rows. */
static int letter_axis(char letter)
{
    return letter == 'M' || letter == 'U' ? 0 : letter == 'F' || letter == 'N' ? 1 : -1;
}

bool tpp_affine_ultrasound(tpp_affine *a, const char *letters)
{
    const int first = letter_axis(letters[0]), second = first < 0 ? -1 : letter_axis(letters[1]);
    if (first < 0 || second < 0 || first == second) return false;
    const double spacing[3] = {tpp_affine_column(a, 0), tpp_affine_column(a, 1),
                               tpp_affine_column(a, 2)};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) a->m[i][j] = i == 2 && j == 2 ? spacing[2] : 0;
    a->m[first][0] = letters[0] == 'M' || letters[0] == 'F' ? -spacing[0] : spacing[0];
    a->m[second][1] = letters[1] == 'M' || letters[1] == 'F' ? -spacing[1] : spacing[1];
    return true;
}
