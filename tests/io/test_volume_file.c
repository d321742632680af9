/* Volumes of every format: which a file is, all axis orders and flips, results on the voxels they
 * were found on, and every volume of the shared samples.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/orientation.h"
#include "io/volume_file.h"
#include "nifti_maker.h"
#include "text_maker.h"

#include <math.h>

enum { X = 4, Y = 3, Z = 2, COUNT = X * Y * Z, AXIS_ORDERS = 6, FLIPS = 8, ORIENTATIONS = 48 };

/* Orientation n: columns of an affine with spacings 2, 3 and 5, in RAS; 48 is oblique. */
static void make_affine(double m[3][4], int n)
{
    static const int orders[AXIS_ORDERS][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                               {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const double spacing[3] = {2, 3, 5}, origin[3] = {-10, 20, 30};
    const double c = cos(0.3), s = sin(0.3);
    const double turn[3][3] = {{c, -s, 0}, {s * c, c * c, -s}, {s * s, c * s, c}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const bool along = n < ORIENTATIONS && orders[n % AXIS_ORDERS][j] == i;
            const double sign = (n / AXIS_ORDERS >> j & 1) != 0 ? -1 : 1;
            m[i][j] = n == ORIENTATIONS ? turn[i][j] * spacing[j] : along ? sign * spacing[j] : 0;
        }
    for (int i = 0; i < 3; i++) m[i][3] = origin[i];
}

static const char *put_nifti(double m[3][4], const uint8_t *ramp)
{
    maker k = make_default();
    k.datatype = 2;
    k.bitpix = 8;
    memcpy(k.dim, (int64_t[]){3, X, Y, Z, 1, 1, 1, 1}, sizeof k.dim);
    for (int i = 0; i < 12; i++) k.srow[i] = m[i / 4][i % 4];
    return make_file("o.nii", &k, ramp, COUNT);
}

static const char *put_nrrd(double m[3][4], const uint8_t *ramp)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "NRRD0005\n# by a test\ntype: uint8\ndimension: 3\nsizes: 4 3 2\n"
                   "encoding: raw\nspace: RAS\nspace directions: (%.17g,%.17g,%.17g) "
                   "(%.17g,%.17g,%.17g) (%.17g,%.17g,%.17g)\nspace origin: (%.17g,%.17g,%.17g)\n\n",
                   m[0][0], m[1][0], m[2][0], m[0][1], m[1][1], m[2][1], m[0][2], m[1][2], m[2][2],
                   m[0][3], m[1][3], m[2][3]);
    return put_text("o.nrrd", text, ramp, COUNT);
}

static const char *put_metaimage(double m[3][4], const uint8_t *ramp)
{
    char text[1024];
    static const double spacing[3] = {2, 3, 5};
    int n = snprintf(text, sizeof text,
                     "ObjectType = Image\nNDims = 3\nComment = by a test\nOffset = %.17g %.17g "
                     "%.17g\nElementSpacing = 2 3 5\nTransformMatrix =",
                     -m[0][3], -m[1][3], m[2][3]);
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, " %.17g",
                          (i < 2 ? -1 : 1) * m[i][j] / spacing[j]);
    (void)snprintf(text + n, sizeof text - (size_t)n,
                   "\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n");
    return put_text("o.mha", text, ramp, COUNT);
}

typedef const char *put_volume(double m[3][4], const uint8_t *ramp);
static put_volume *const formats[] = {put_nifti, put_nrrd, put_metaimage};
static const char *const suffixes[] = {".nii.gz", ".nrrd", ".mha"};
static const char *const names[] = {"NIfTI", "NRRD", "MetaImage"};
enum { FORMATS = 3 };

/* Index of the voxel at these millimetres. */
static int64_t voxel_at(const tpp_volume *v, const double mm[3])
{
    for (int64_t i = 0; i < v->voxel_count; i++) {
        const double x[3] = {(double)(i % X), (double)(i / X % Y), (double)(i / X / Y)};
        double square = 0;
        for (int r = 0; r < 3; r++) {
            double d = v->affine.m[r][3] - mm[r];
            for (int j = 0; j < 3; j++) d += v->affine.m[r][j] * x[j];
            square += d * d;
        }
        if (square < 1e-6) return i;
    }
    return -1;
}

/* Marks the brightest voxel of each canonical slice, and finds the marks where the file has those
 * values, by millimetres. */
static void round_trip(int format, int n)
{
    double m[3][4];
    uint8_t ramp[COUNT], labels[COUNT] = {0};
    char name[32];
    make_affine(m, n);
    for (int i = 0; i < COUNT; i++) ramp[i] = (uint8_t)(i + 1);
    tpp_volume v = {0}, back = {0};
    read_volume(&v, formats[format](m, ramp));
    for (int i = 0; i < 12; i++)
        assert_true(fabs(v.affine.m[i / 4][i % 4] - m[i / 4][i % 4]) < 1e-5);
    const tpp_orientation o = tpp_orientation_from_affine(&v.affine);
    const tpp_view view = tpp_orientation_view(&o, v.dim, v.spacing_mm);
    for (int64_t k = 0; k < view.dim[2]; k++) {
        float slice[COUNT];
        uint8_t mask[COUNT] = {0};
        int64_t best = 0;
        tpp_view_get_slice(&view, slice, v.voxels, k);
        for (int64_t i = 0; i < view.dim[0] * view.dim[1]; i++)
            if (slice[i] > slice[best]) best = i;
        mask[best] = (uint8_t)slice[best]; /* the label is the voxel's own value */
        tpp_view_put_slice(&view, labels, mask, k);
    }
    (void)snprintf(name, sizeof name, "o_out%s", suffixes[format]);
    assert_string_equal(tpp_volume_suffix(&v), suffixes[format]);
    assert_string_equal(tpp_volume_format_text(v.format), names[format]);
    ASSERT_OK(tpp_volume_write_labels(scratch(name), &v, labels));
    read_volume(&back, scratch(name));
    int marks = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        if (back.voxels[i] == 0) continue;
        const double x[3] = {(double)(i % X), (double)(i / X % Y), (double)(i / X / Y)};
        double mm[3];
        for (int r = 0; r < 3; r++)
            mm[r] = m[r][0] * x[0] + m[r][1] * x[1] + m[r][2] * x[2] + m[r][3];
        const int64_t at = voxel_at(&back, mm);
        if (at != i || ramp[i] != (uint8_t)back.voxels[i])
            fail_msg("%s, orientation %d: voxel %ld", names[format], n, (long)i);
        marks++;
    }
    assert_int_equal(marks, view.dim[2]);
    tpp_volume_free(&back);
    tpp_volume_free(&v);
}

static void labels_land_on_their_voxels_in_every_orientation(void **state)
{
    (void)state;
    for (int format = 0; format < FORMATS; format++)
        for (int n = 0; n <= ORIENTATIONS; n++) round_trip(format, n);
}

/* A volume of no format's header, or of DICOM: its geometry is what results have. */
static void volumes_without_a_header_get_one(void **state)
{
    (void)state;
    for (int format = 0; format <= FORMATS; format++)
        for (int n = 0; n <= ORIENTATIONS; n++) {
            static const tpp_volume_format kinds[] = {TPP_VOLUME_NIFTI, TPP_VOLUME_NRRD,
                                                      TPP_VOLUME_METAIMAGE, TPP_VOLUME_DICOM};
            double m[3][4];
            make_affine(m, n);
            tpp_volume v = {.format = kinds[format], .dim = {X, Y, Z, 1}, .channels = 1},
                       back = {0};
            uint8_t labels[COUNT];
            for (int i = 0; i < COUNT; i++) labels[i] = (uint8_t)i;
            for (int i = 0; i < 12; i++) v.affine.m[i / 4][i % 4] = m[i / 4][i % 4];
            v.affine.m[3][3] = 1;
            memcpy(v.spacing_mm, (double[]){2, 3, 5}, sizeof v.spacing_mm);
            char name[32];
            (void)snprintf(name, sizeof name, "made%s", tpp_volume_suffix(&v));
            ASSERT_OK(tpp_volume_write_labels(scratch(name), &v, labels));
            read_volume(&back, scratch(name));
            assert_int_equal(back.format, format == FORMATS ? TPP_VOLUME_NIFTI : kinds[format]);
            for (int i = 0; i < 12; i++)
                assert_true(fabs(back.affine.m[i / 4][i % 4] - m[i / 4][i % 4]) < 1e-5);
            for (int i = 0; i < COUNT; i++) assert_true(back.voxels[i] == (float)i);
            tpp_volume_free(&back);
        }
}

static void content_goes_before_the_name(void **state)
{
    (void)state;
    double m[3][4];
    uint8_t ramp[COUNT] = {0};
    make_affine(m, 0);
    for (int format = 0; format < FORMATS; format++) {
        size_t size = 0;
        uint8_t *bytes = get_file(formats[format](m, ramp), &size);
        static const char *const wrong[] = {"x", "x.raw", "x.nii", "x.mha", "x.png"};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            tpp_volume v = {0};
            const char *path = put_file(wrong[i], bytes, size);
            assert_true(tpp_volume_is(path));
            read_volume(&v, path);
            assert_string_equal(tpp_volume_format_text(v.format), names[format]);
            tpp_volume_free(&v);
        }
        tpp_free(bytes);
    }
}

/* By its mark, before any name. Whether it can be read is the matter of dicom.h. */
static void dicom_is_known_by_its_mark(void **state)
{
    (void)state;
    uint8_t bytes[200] = {0};
    tpp_volume v = {0};
    assert_false(tpp_volume_is(put_file("marked", bytes, sizeof bytes)));
    memcpy(bytes + 128, "DICM", 4);
    assert_true(tpp_volume_is(put_file("marked", bytes, sizeof bytes)));
    const char *path = put_file("marked.nii", bytes, sizeof bytes);
    assert_int_not_equal(tpp_volume_read(&v, path, NULL), TPP_OK);
    if (strstr(tpp_error(), "NIfTI") != NULL) fail_msg("taken for NIfTI: %s", tpp_error());
}

static void what_is_no_volume_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *name, *content;
        bool is_volume;
        tpp_status status;
        const char *fact;
    } cases[] = {
        {"a.txt", "text", false, TPP_EFORMAT, "no volume"},
        {"a.png", "\x89PNG", false, TPP_EFORMAT, "no volume"},
        {"empty", "", false, TPP_EFORMAT, "no volume"},
        {"a.nii", "text", true, TPP_EFORMAT, "NIfTI header"},
        {"a.nrrd", "text", true, TPP_EFORMAT, "NRRD0001"},
        {"a.mha", "text", true, TPP_EFORMAT, "no ElementDataFile"},
        {"a.raw", "text", true, TPP_EUNSUPPORTED, "the .mhd or .nhdr file"},
    };
    tpp_volume v = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = put_file(cases[i].name, cases[i].content, strlen(cases[i].content));
        assert_int_equal(tpp_volume_is(path), cases[i].is_volume);
        ASSERT_FAILS(tpp_volume_read(&v, path, NULL), cases[i].status, path, cases[i].fact);
    }
    assert_false(tpp_volume_is(scratch("nowhere")));
    ASSERT_FAILS(tpp_volume_read(&v, scratch("nowhere.nii"), NULL), TPP_EIO, "nowhere.nii",
                 "no such file");
    ASSERT_OK(tpp_path_make_folder(scratch("texts")));
    (void)put_file("texts/a.txt", "text", 4);
    assert_false(tpp_volume_is(scratch("texts")));
}

/* ---- samples ---- */

typedef struct sample {
    const char *name;
    int64_t dim[4];
    bool is_sequence;
    int channels;
} sample;

static void check_sample(const char *folder, const sample *want)
{
    char *path = tpp_path_join(folder, want->name);
    tpp_volume v = {0}, back = {0};
    assert_true(tpp_volume_is(path));
    ASSERT_OK(tpp_volume_read(&v, path, &(tpp_volume_options){.time = want->dim[3] - 1}));
    for (int i = 0; i < 4; i++)
        if (v.dim[i] != want->dim[i]) fail_msg("%s: dim[%d] is %ld", path, i, (long)v.dim[i]);
    assert_int_equal(v.is_sequence, want->is_sequence);
    assert_int_equal(v.channels, want->channels);
    assert_int_equal(v.nan_count, 0);
    uint8_t *labels = tpp_calloc((size_t)v.voxel_count, 1);
    for (int64_t i = 0; i < v.voxel_count; i++) labels[i] = (uint8_t)(i % 251);
    char name[32];
    (void)snprintf(name, sizeof name, "sample%s", tpp_volume_suffix(&v));
    ASSERT_OK(tpp_volume_write_labels(scratch(name), &v, labels));
    read_volume(&back, scratch(name));
    for (int i = 0; i < 12; i++)
        assert_true(v.affine.m[i / 4][i % 4] == back.affine.m[i / 4][i % 4]);
    for (int64_t i = 0; i < v.voxel_count; i++) assert_true(back.voxels[i] == labels[i]);
    assert_int_equal(back.is_sequence, v.is_sequence);
    tpp_volume_free(&back);
    tpp_volume_free(&v);
    tpp_free(labels);
    tpp_free(path);
}

static void samples_are_read_and_written_back(void **state)
{
    (void)state;
    static const sample samples[] = {
        {"ct/lung_elastix/image.mha", {115, 157, 129, 1}, false, 1},
        {"ct/lung_elastix/mask.mha", {115, 157, 129, 1}, false, 1},
        {"ultrasound/bone_L14/BoneUltrasound_L14.igs.mha", {820, 616, 21, 1}, true, 1},
        {"formats/plus/BkCurvilinearScanConvertedData.igs.mha", {600, 400, 1, 1}, true, 1},
        {"formats/plus/SegmentationTest_BKMedical_RandomStepperMotionData2_Trimmed.igs.mha",
         {640, 480, 6, 1},
         true,
         1},
        {"formats/plus/ColorNrrdSample.igs.nrrd", {1152, 648, 1, 1}, true, 3},
        {"formats/plus/NrrdSample.igs.nrrd", {256, 256, 1, 1}, true, 1},
        {"formats/nifti/anatomical.nii", {33, 41, 25, 1}, false, 1},
        {"formats/nifti/functional.nii", {17, 21, 3, 20}, false, 1},
        {"formats/nifti/example4d.nii.gz", {128, 96, 24, 2}, false, 1},
        {"formats/nifti/example_nifti2.nii.gz", {32, 20, 12, 2}, false, 1},
    };
    char *folder = tpp_strdup(shared_or_skip("data/sample"));
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) check_sample(folder, &samples[i]);
    tpp_free(folder);
}

/* Every file of the samples whose name says that it is a volume can be read, or says why not. */
static void every_sample_volume_is_read(void **state)
{
    (void)state;
    static const char *const refused[] = {"nifti1.hdr", "nifti2.hdr"}; /* have no .img */
    char command[1024], line[600];
    int n = 0;
    const char *folder = shared_or_skip("data/sample");
    (void)snprintf(command, sizeof command,
                   "find '%s' -name '*.nii' -o -name '*.nii.gz' -o -name '*.mha' -o -name '*.mhd' "
                   "-o -name '*.nrrd' -o -name '*.nhdr' -o -name '*.hdr'",
                   folder);
    FILE *files = popen(command, "r");
    assert_non_null(files);
    while (fgets(line, sizeof line, files) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        tpp_volume v = {0};
        const tpp_status s = tpp_volume_read(&v, line, &(tpp_volume_options){.time = 0});
        bool expected = false;
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
            expected = expected || strcmp(tpp_path_base(line), refused[i]) == 0;
        if ((s == TPP_OK) == expected) fail_msg("%s: %d: %s", line, (int)s, tpp_error());
        if (expected) ASSERT_FAILS(s, TPP_EIO, line, "no .img is beside it");
        tpp_volume_free(&v);
        n++;
    }
    assert_int_equal(pclose(files), 0);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_land_on_their_voxels_in_every_orientation),
        cmocka_unit_test(volumes_without_a_header_get_one),
        cmocka_unit_test(content_goes_before_the_name),
        cmocka_unit_test(dicom_is_known_by_its_mark),
        cmocka_unit_test(what_is_no_volume_says_so),
        cmocka_unit_test(samples_are_read_and_written_back),
        cmocka_unit_test(every_sample_volume_is_read),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
