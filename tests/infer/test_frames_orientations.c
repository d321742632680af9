/* Every way in which a volume can be stored, straight and oblique, in every format: slices of the
 * same anatomy are the same pictures, and what is found on them lands on the voxels where it was
 * found. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "infer/frames.h"
#include "io/volume_file.h"
#include "mask_writer.h"

#include <math.h>

/* In place of the C library's: thousands of small files need not survive a power cut. */
int fsync(int file)
{
    (void)file;
    return 0;
}

/* The anatomy: columns to the left, rows to posterior, slices to superior, in millimetres. */
enum { NL = 5, NP = 4, NS = 3, COUNT = NL * NP * NS, THRESHOLD = 30 };
static const int64_t canonical_dim[3] = {NL, NP, NS};
static const double canonical_mm[3] = {1.25, 1.5, 1.75};

/* Differs from all its mirror images. */
static float value_at(int64_t l, int64_t p, int64_t s)
{
    return (float)((l + NL * p + NL * NP * s) * 37 % COUNT + 1);
}

typedef struct storage {
    int axis[3];  /* the canonical axis that the file's axis j runs along */
    bool flip[3]; /* in the opposite direction */
} storage;

static storage storage_of(int n)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    storage s;
    for (int j = 0; j < 3; j++) {
        s.axis[j] = orders[n / 8][j];
        s.flip[j] = (n >> j & 1) != 0;
    }
    return s;
}

/* Directions of the canonical axes in RAS+, turned by up to 30 degrees where `oblique`. */
static void directions(double out[3][3], bool oblique)
{
    const double a = oblique ? 0.5 : 0, b = oblique ? -0.3 : 0;
    const double x[3][3] = {{cos(a), -sin(a), 0}, {sin(a), cos(a), 0}, {0, 0, 1}};
    const double y[3][3] = {{1, 0, 0}, {0, cos(b), -sin(b)}, {0, sin(b), cos(b)}};
    static const double to_ras[3] = {-1, -1, 1};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            out[i][j] = 0;
            for (int k = 0; k < 3; k++) out[i][j] += y[i][k] * x[k][j] * to_ras[j];
        }
}

/* The anatomy as `s` stores it. */
static void make_volume(tpp_volume *v, float voxels[COUNT], storage s, bool oblique)
{
    double toward[3][3];
    directions(toward, oblique);
    *v = (tpp_volume){.voxels = voxels, .voxel_count = COUNT, .affine_source = TPP_AFFINE_FILE};
    v->dim[3] = 1;
    v->affine.m[3][3] = 1;
    for (int i = 0; i < 3; i++) v->affine.m[i][3] = 10.5 * (i + 1);
    for (int j = 0; j < 3; j++) {
        v->dim[j] = canonical_dim[s.axis[j]];
        v->spacing_mm[j] = canonical_mm[s.axis[j]];
        for (int i = 0; i < 3; i++) {
            const double step = toward[i][s.axis[j]] * canonical_mm[s.axis[j]];
            v->affine.m[i][j] = s.flip[j] ? -step : step;
        }
    }
    for (int64_t k = 0; k < COUNT; k++) {
        const int64_t at[3] = {k % v->dim[0], k / v->dim[0] % v->dim[1],
                               k / (v->dim[0] * v->dim[1])};
        int64_t to[3];
        for (int j = 0; j < 3; j++) to[s.axis[j]] = s.flip[j] ? v->dim[j] - 1 - at[j] : at[j];
        voxels[k] = value_at(to[0], to[1], to[2]);
    }
}

/* Frame i, row r, column c of a cut, by what orientation.h promises of it. */
static float want_at(tpp_axis axis, int64_t i, int64_t r, int64_t c)
{
    if (axis == TPP_AXIS_CORONAL) return value_at(c, i, NS - 1 - r);
    if (axis == TPP_AXIS_SAGITTAL) return value_at(i, c, NS - 1 - r);
    return value_at(c, r, i);
}

/* Compares frame i, and keeps where it is bright as its mask. */
static void check_frame(const tpp_frames *f, int64_t i, mask_writer *w)
{
    uint8_t frame[COUNT], mask[COUNT];
    float raw[COUNT];
    ASSERT_OK(tpp_frames_get(f, i, frame));
    assert_true(tpp_frames_intensities(f, i, raw));
    for (int64_t p = 0; p < (int64_t)f->height * f->width; p++) {
        const float want = want_at(f->axis, i, p / f->width, p % f->width);
        assert_true(raw[p] == want);
        assert_int_equal(frame[p], tpp_window_apply(&f->window, want));
        mask[p] = want > THRESHOLD;
    }
    ASSERT_OK(tpp_mask_store_put(&w->store, i, mask));
}

static void check_back(const tpp_volume *v, const char *folder)
{
    tpp_volume back = {0};
    char name[32];
    (void)snprintf(name, sizeof name, "%s/seg%s", folder, tpp_volume_suffix(v));
    ASSERT_OK(tpp_volume_read(&back, scratch(name), NULL));
    for (int64_t k = 0; k < COUNT; k++)
        assert_true(back.voxels[k] == (v->voxels[k] > THRESHOLD ? 1 : 0));
    for (int j = 0; j < 3; j++) assert_int_equal(back.dim[j], v->dim[j]);
    for (int i = 0; i < 12; i++)
        if (!(fabs(back.affine.m[i / 4][i % 4] - v->affine.m[i / 4][i % 4]) < 1e-5))
            fail_msg("affine %d", i);
    tpp_volume_free(&back);
}

static void check_cut(const tpp_volume *v, const char *path, tpp_axis axis)
{
    static const double across[][3] = {[TPP_AXIS_AXIAL] = {1.5, 1.25, 1.75},
                                       [TPP_AXIS_CORONAL] = {1.75, 1.25, 1.5},
                                       [TPP_AXIS_SAGITTAL] = {1.75, 1.5, 1.25}};
    const tpp_frames_options o = {.window = "3.5:57", .axis = axis};
    tpp_frames f = {0};
    mask_writer w;
    ASSERT_OK(tpp_frames_open(&f, path, &o));
    assert_int_equal(f.axis, axis);
    assert_int_equal(f.count, COUNT / (f.height * f.width));
    assert_true(fabs(f.spacing_mm[0] - across[axis][0]) < 1e-5);
    assert_true(fabs(f.spacing_mm[1] - across[axis][1]) < 1e-5);
    assert_true(fabs(f.step_mm - across[axis][2]) < 1e-5);
    ASSERT_OK(writer_open(&w, &f));
    for (int64_t i = 0; i < f.count; i++) check_frame(&f, i, &w);
    ASSERT_OK(writer_write(&w, scratch("out")));
    check_back(v, "out");
    writer_close(&w);
    tpp_frames_close(&f);
}

static void check_format(tpp_volume_format format, const char *name)
{
    float voxels[COUNT];
    for (int n = 0; n < 2 * 48; n++) {
        tpp_volume v;
        make_volume(&v, voxels, storage_of(n % 48), n >= 48);
        v.format = format;
        const char *path = scratch(name);
        ASSERT_OK(tpp_volume_write_values(path, &v, voxels));
        for (int axis = TPP_AXIS_AXIAL; axis <= TPP_AXIS_SAGITTAL; axis++)
            check_cut(&v, path, (tpp_axis)axis);
    }
}

static void all_of_nifti(void **state)
{
    (void)state;
    check_format(TPP_VOLUME_NIFTI, "v.nii.gz");
}

static void all_of_nrrd(void **state)
{
    (void)state;
    check_format(TPP_VOLUME_NRRD, "v.nrrd");
}

static void all_of_metaimage(void **state)
{
    (void)state;
    check_format(TPP_VOLUME_METAIMAGE, "v.mha");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_nifti),
        cmocka_unit_test(all_of_nrrd),
        cmocka_unit_test(all_of_metaimage),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
