/* Left is left: one marked volume in all 48 axis orders and flips, straight and oblique, gives the
 * same canonical slices, and what is drawn on them comes back to the same place.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/orientation.h"
#include "nifti_maker.h"

#include <math.h>

enum { C = 5, R = 4, K = 3, COUNT = C * R * K, ALL = 48 };
static const double spacing_mm[3] = {1.5, 2, 4}; /* of columns, rows, slices */
static const double first_mm[3] = {11, 7, -20};  /* RAS+ position of column 0, row 0, slice 0 */

/* How a file stores the volume: axis j runs along the patient axis `axis[j]` (0 left-right,
 * 1 front-back, 2 feet-head), toward right, anterior, superior if `positive[j]`. */
typedef struct storage {
    int axis[3];
    bool positive[3];
    int64_t dim[3];
    tpp_affine affine;
} storage;

static storage make_storage(int n)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const int64_t dim[3] = {C, R, K};
    storage s = {.affine = {{{0}}}};
    for (int j = 0; j < 3; j++) {
        const int a = orders[n / 8][j];
        s.axis[j] = a;
        s.positive[j] = (n >> j & 1) != 0;
        s.dim[j] = dim[a];
        s.affine.m[a][j] = s.positive[j] ? spacing_mm[a] : -spacing_mm[a];
        /* Canonical counting starts at the right, at the front, at the feet. */
        const bool from_canonical_start = s.positive[j] == (a == 2);
        const double span = spacing_mm[a] * (double)(dim[a] - 1);
        const double last = first_mm[a] + (a == 2 ? span : -span);
        s.affine.m[a][3] = from_canonical_start ? first_mm[a] : last;
    }
    s.affine.m[3][3] = 1;
    return s;
}

/* Canonical number (k*R + r)*C + c of the file's voxel, through its position in the patient. */
static int number_at(const storage *s, int64_t x, int64_t y, int64_t z)
{
    double at[3];
    for (int a = 0; a < 3; a++) {
        const double(*m)[4] = (const double(*)[4])s->affine.m;
        const double mm = m[a][0] * (double)x + m[a][1] * (double)y + m[a][2] * (double)z + m[a][3];
        at[a] = fabs(mm - first_mm[a]) / spacing_mm[a];
    }
    return (int)lround((at[2] * R + at[1]) * C + at[0]);
}

static void fill(float *voxels, const storage *s)
{
    int64_t i = 0;
    for (int64_t z = 0; z < s->dim[2]; z++)
        for (int64_t y = 0; y < s->dim[1]; y++)
            for (int64_t x = 0; x < s->dim[0]; x++) voxels[i++] = (float)number_at(s, x, y, z);
}

/* Turns the affine by `angle` about an axis that favours none of the three. */
static void rotate(tpp_affine *a, double angle)
{
    const double u[3] = {0.48, -0.6, 0.64}, c = cos(angle), s = sin(angle);
    const double cross[3][3] = {{0, -u[2], u[1]}, {u[2], 0, -u[0]}, {-u[1], u[0], 0}};
    const tpp_affine was = *a;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) {
            a->m[i][j] = 0;
            for (int k = 0; k < 3; k++)
                a->m[i][j] +=
                    (u[i] * u[k] * (1 - c) + (i == k ? c : 0) + cross[i][k] * s) * was.m[k][j];
        }
}

static void assert_canonical(const tpp_view *v, const float *voxels)
{
    float slice[R * C];
    assert_int_equal(v->dim[0] * 100 + v->dim[1] * 10 + v->dim[2], C * 100 + R * 10 + K);
    for (int a = 0; a < 3; a++) assert_true(fabs(v->spacing_mm[a] - spacing_mm[a]) < 1e-5);
    for (int k = 0; k < K; k++) {
        tpp_view_get_slice(v, slice, voxels, k);
        for (int i = 0; i < R * C; i++) assert_true(slice[i] == (float)(k * R * C + i));
    }
}

static void all_orders_and_flips_show_the_same_slices(void **state)
{
    (void)state;
    for (int n = 0; n < ALL; n++) {
        const storage s = make_storage(n);
        float voxels[COUNT];
        fill(voxels, &s);
        double mm[3];
        for (int j = 0; j < 3; j++) mm[j] = spacing_mm[s.axis[j]];
        for (int tilt = -2; tilt <= 2; tilt++) {
            tpp_affine a = s.affine;
            rotate(&a, tilt * 0.25); /* to 29 degrees either way */
            const tpp_orientation o = tpp_orientation_from_affine(&a);
            const tpp_view v = tpp_orientation_view(&o, s.dim, mm);
            assert_canonical(&v, voxels);
        }
    }
}

/* Of voxel (slice k, row r, column c) of a cut, its number among the axial slices. */
static int number_of_cut(tpp_axis axis, int64_t k, int64_t r, int64_t c)
{
    if (axis == TPP_AXIS_CORONAL) return (int)((K - 1 - r) * R * C + k * C + c);
    if (axis == TPP_AXIS_SAGITTAL) return (int)((K - 1 - r) * R * C + c * C + k);
    return (int)(k * R * C + r * C + c);
}

/* Millimetres of (column, row, slice), from those of the file's voxels. */
static tpp_affine view_affine(const tpp_view *v, const tpp_affine *file)
{
    tpp_affine out = *file;
    for (int i = 0; i < 3; i++)
        for (int a = 0; a < 3; a++) {
            const double step = file->m[i][v->axis[a]];
            out.m[i][a] = v->flip[a] ? -step : step;
            if (v->flip[a]) out.m[i][3] += step * (double)(v->dim[a] - 1);
        }
    return out;
}

static void assert_cut(const tpp_view *v, tpp_axis axis, const float *voxels, const tpp_affine *a)
{
    const tpp_affine mm = view_affine(v, a);
    for (int64_t k = 0; k < v->dim[2]; k++)
        for (int64_t r = 0; r < v->dim[1]; r++)
            for (int64_t c = 0; c < v->dim[0]; c++)
                assert_true(voxels[tpp_view_index(v, k, r, c)] ==
                            (float)number_of_cut(axis, k, r, c));
    /* One step along columns, rows, slices, in millimetres to the right, front and top. */
    static const int leads[TPP_AXIS_COUNT][3] = {[TPP_AXIS_AXIAL] = {0, 1, 2},
                                                 [TPP_AXIS_CORONAL] = {0, 2, 1},
                                                 [TPP_AXIS_SAGITTAL] = {1, 2, 0}};
    for (int b = 0; b < 3; b++) {
        const int world = leads[axis][b];
        const bool up = axis == TPP_AXIS_AXIAL && world == 2;
        assert_true(up ? mm.m[world][b] > 0 : mm.m[world][b] < 0);
    }
}

static void all_orders_and_flips_show_the_same_cuts(void **state)
{
    (void)state;
    for (int n = 0; n < ALL; n++) {
        const storage s = make_storage(n);
        float voxels[COUNT];
        fill(voxels, &s);
        double mm[3];
        for (int j = 0; j < 3; j++) mm[j] = spacing_mm[s.axis[j]];
        const tpp_orientation o = tpp_orientation_from_affine(&s.affine);
        const tpp_view axial = tpp_orientation_view(&o, s.dim, mm);
        for (int axis = TPP_AXIS_AXIAL; axis <= TPP_AXIS_SAGITTAL; axis++) {
            const tpp_view v = tpp_view_cut(&axial, (tpp_axis)axis);
            assert_int_equal(v.dim[0] * v.dim[1] * v.dim[2], COUNT);
            assert_cut(&v, (tpp_axis)axis, voxels, &s.affine);
        }
    }
}

static void thick_slices_are_looked_at_one_by_one(void **state)
{
    (void)state;
    const tpp_affine ras = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
    const tpp_orientation o = tpp_orientation_from_affine(&ras);
    static const struct {
        double mm[3];
        tpp_axis axis;
    } cases[] = {{{1, 1, 5}, TPP_AXIS_AXIAL},
                 {{1, 4, 1}, TPP_AXIS_CORONAL},
                 {{3, 1, 1}, TPP_AXIS_SAGITTAL},
                 {{1, 1.4, 1}, TPP_AXIS_AXIAL},
                 {{1, 1, 1}, TPP_AXIS_AXIAL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const tpp_view v = tpp_orientation_view(&o, (int64_t[]){C, R, K}, cases[i].mm);
        assert_int_equal(tpp_view_best_axis(&v), cases[i].axis);
    }
}

static void codes_name_where_axes_lead(void **state)
{
    (void)state;
    static const char letters[3][2] = {{'L', 'R'}, {'P', 'A'}, {'I', 'S'}};
    for (int n = 0; n < ALL; n++) {
        const storage s = make_storage(n);
        char want[4] = "", got[4];
        for (int j = 0; j < 3; j++) want[j] = letters[s.axis[j]][s.positive[j]];
        const tpp_orientation o = tpp_orientation_from_affine(&s.affine);
        tpp_orientation_code(got, &o);
        assert_string_equal(got, want);
    }
}

/* The corner that lies right, in front and below is slice 0, row 0, column 0. */
static void the_first_pixel_is_right_anterior_inferior(void **state)
{
    (void)state;
    const tpp_affine ras = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
    const tpp_orientation o = tpp_orientation_from_affine(&ras);
    const tpp_view v = tpp_orientation_view(&o, (int64_t[]){C, R, K}, (double[]){1, 1, 1});
    assert_int_equal(tpp_view_index(&v, 0, 0, 0), (R - 1) * C + C - 1);
    assert_int_equal(tpp_view_index(&v, K - 1, R - 1, C - 1), (K - 1) * R * C);
}

static void drawn_slices_come_back_to_their_place(void **state)
{
    (void)state;
    for (int n = 0; n < ALL; n++) {
        const storage s = make_storage(n);
        const tpp_orientation o = tpp_orientation_from_affine(&s.affine);
        const tpp_view v = tpp_orientation_view(&o, s.dim, spacing_mm);
        uint8_t labels[COUNT] = {0}, slice[R * C];
        for (int k = 0; k < K; k++) {
            for (int i = 0; i < R * C; i++) slice[i] = (uint8_t)(k * R * C + i);
            tpp_view_put_slice(&v, labels, slice, k);
        }
        int i = 0;
        for (int64_t z = 0; z < s.dim[2]; z++)
            for (int64_t y = 0; y < s.dim[1]; y++)
                for (int64_t x = 0; x < s.dim[0]; x++)
                    assert_int_equal(labels[i++], number_at(&s, x, y, z));
    }
}

/* The same through files: read, look at, draw, write, read: identical bytes. */
static void files_keep_left_and_right(void **state)
{
    (void)state;
    for (int n = 0; n < ALL; n++) {
        const storage s = make_storage(n);
        tpp_affine a = s.affine;
        rotate(&a, n % 3 * 0.2);
        maker m = make_default();
        m.datatype = 16;
        m.bitpix = 32;
        m.big = n % 2 == 1;
        for (int j = 0; j < 3; j++) m.dim[j + 1] = s.dim[j];
        for (int i = 0; i < 12; i++) m.srow[i] = a.m[i / 4][i % 4];
        float voxels[COUNT];
        uint8_t bytes[4 * COUNT], labels[COUNT] = {0}, slice[R * C];
        fill(voxels, &s);
        for (size_t i = 0; i < COUNT; i++) make_real(bytes + 4 * i, (double)voxels[i], 4, m.big);
        tpp_volume in = {0}, out = {0};
        ASSERT_OK(tpp_nifti_read(&in, make_file("in.nii", &m, bytes, sizeof bytes), NULL));
        const tpp_orientation o = tpp_orientation_from_affine(&in.affine);
        const tpp_view v = tpp_orientation_view(&o, in.dim, in.spacing_mm);
        assert_canonical(&v, in.voxels);
        for (int k = 0; k < K; k++) {
            for (int i = 0; i < R * C; i++) slice[i] = (uint8_t)(k * R * C + i);
            tpp_view_put_slice(&v, labels, slice, k);
        }
        ASSERT_OK(tpp_nifti_write_labels(scratch("out.nii"), &in, labels));
        ASSERT_OK(tpp_nifti_read(&out, scratch("out.nii"), NULL));
        assert_memory_equal(out.voxels, in.voxels, sizeof voxels);
        assert_memory_equal(&out.affine, &in.affine, sizeof a);
        tpp_volume_free(&in);
        tpp_volume_free(&out);
    }
}

/* Two axes at equal distance from x and y: some order, three different axes, the same each time. */
static void ties_are_settled(void **state)
{
    (void)state;
    const double h = sqrt(0.5);
    for (int n = -1; n <= 1; n++) {
        const double e = n * 1e-8;
        const tpp_affine a = {{{h + e, -h, 0, 0}, {h, h + e, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
        const tpp_orientation o = tpp_orientation_from_affine(&a);
        assert_int_equal(o.axis[0], 0);
        assert_int_equal(o.axis[1], 1);
        assert_int_equal(o.axis[2], 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_orders_and_flips_show_the_same_slices),
        cmocka_unit_test(all_orders_and_flips_show_the_same_cuts),
        cmocka_unit_test(thick_slices_are_looked_at_one_by_one),
        cmocka_unit_test(codes_name_where_axes_lead),
        cmocka_unit_test(the_first_pixel_is_right_anterior_inferior),
        cmocka_unit_test(drawn_slices_come_back_to_their_place),
        cmocka_unit_test(files_keep_left_and_right),
        cmocka_unit_test(ties_are_settled),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
