/* Real DICOM files of the shared data, each read or refused by name; and a CT whose organs lie
 * where its label volume says. Skipped where the data are absent. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dicom_maker.h"
#include "io/nifti.h"

typedef struct sample {
    const char *file;
    int64_t dim[3];
    int channels;
    bool is_sequence;
    const char *modality, *datatype;
    tpp_affine_source source;
    double low, high, mean; /* of the voxels, as pydicom has them */
} sample;

static const sample samples[] = {
    /* signed, 14 of 16 bits */
    {"693_UNCI.dcm",
     {512, 512, 1},
     1,
     false,
     "CT",
     "int16",
     TPP_AFFINE_FILE,
     -3995,
     1812,
     -1032.322845},
    /* a film in palette colours */
    {"OBXXXX1A_2frame.dcm",
     {800, 600, 2},
     3,
     true,
     "US",
     "uint8",
     TPP_AFFINE_PIXDIM,
     0,
     255,
     28.111636},
    /* lossy JPEG 2000 in colour */
    {"US1_J2KI.dcm", {640, 480, 1}, 3, true, "US", "uint8", TPP_AFFINE_PIXDIM, 0, 255, 34.690641},
    /* enhanced, from head to feet */
    {"eCT_Supplemental.dcm",
     {512, 512, 2},
     1,
     false,
     "CT",
     "uint16",
     TPP_AFFINE_FILE,
     -1024,
     172,
     -643.961914},
    /* enhanced, robbed of its positions */
    {"emri_small.dcm",
     {64, 64, 10},
     1,
     false,
     "MR",
     "uint16",
     TPP_AFFINE_PIXDIM,
     0,
     467,
     109.699121},
    {"emri_small_jpeg_2k_lossless.dcm",
     {64, 64, 10},
     1,
     false,
     "MR",
     "uint16",
     TPP_AFFINE_PIXDIM,
     0,
     467,
     109.699121},
    /* a palette in segments, 16 bits */
    {"gdcm-US-ALOKA-16.dcm",
     {640, 480, 1},
     3,
     true,
     "US",
     "uint16",
     TPP_AFFINE_PIXDIM,
     0,
     251,
     29.734132},
    /* a cine of the heart, 1996 */
    {"multiframe-test1_GPL.dcm",
     {256, 256, 16},
     1,
     true,
     "MR",
     "uint8",
     TPP_AFFINE_PIXDIM,
     0,
     252,
     32.264744},
};

static char *sample_path(const char *name)
{
    char *path = tpp_path_join(shared_or_skip("data/sample"), name);
    if (path == NULL || !tpp_path_exists(path)) {
        print_message("[  SKIPPED ] %s is absent\n", name);
        tpp_free(path);
        skip();
    }
    return path;
}

static bool has_jpeg2000(void)
{
#ifdef TPP_WITH_OPENJPEG
    return true;
#else
    return false;
#endif
}

static void check(const sample *s, const tpp_volume *v)
{
    double sum = 0, low = INFINITY, high = -INFINITY;
    const int64_t n = v->voxel_count * v->channels;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)v->voxels[i];
        low = fmin(low, (double)v->voxels[i]);
        high = fmax(high, (double)v->voxels[i]);
    }
    if (memcmp(v->dim, s->dim, sizeof s->dim) != 0 || v->channels != s->channels ||
        v->is_sequence != s->is_sequence || v->affine_source != s->source ||
        strcmp(v->modality, s->modality) != 0 || strcmp(v->datatype, s->datatype) != 0)
        fail_msg("%s: %ld x %ld x %ld, %d channels, %s, %s", s->file, (long)v->dim[0],
                 (long)v->dim[1], (long)v->dim[2], v->channels, v->modality, v->datatype);
    if (low != s->low || high != s->high || !(fabs(sum / (double)n - s->mean) < 1e-4))
        fail_msg("%s: values from %g to %g, mean %.6f", s->file, low, high, sum / (double)n);
}

static void every_sample_is_read_as_it_is(void **state)
{
    (void)state;
    char *folder = sample_path("formats/dicom");
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        char *path = tpp_path_join(folder, samples[i].file);
        tpp_volume v = {0};
        assert_true(tpp_dicom_is(path));
        if (!has_jpeg2000() && (i == 2 || i == 5)) {
            ASSERT_FAILS(tpp_dicom_read(&v, path, NULL), TPP_EUNSUPPORTED, path, "JPEG 2000");
            tpp_free(path);
            continue;
        }
        ASSERT_OK(tpp_dicom_read(&v, path, NULL));
        check(&samples[i], &v);
        tpp_volume_free(&v);
        tpp_free(path);
    }
    tpp_free(folder);
}

static void a_segmentation_is_no_image(void **state)
{
    (void)state;
    char *path = sample_path("formats/dicom/liver.dcm");
    tpp_volume v = {0};
    ASSERT_FAILS(tpp_dicom_read(&v, path, NULL), TPP_EUNSUPPORTED, path, "a segmentation (SEG)");
    tpp_free(path);
    path = sample_path("formats/dicom");
    ASSERT_FAILS(tpp_dicom_read(&v, path, NULL), TPP_EUSAGE, path, "series in one folder");
    tpp_free(path);
}

static void the_enhanced_ct_lies_where_it_says(void **state)
{
    (void)state;
    char *path = sample_path("formats/dicom/eCT_Supplemental.dcm");
    tpp_volume v = {0};
    ASSERT_OK(tpp_dicom_read(&v, path, NULL));
    static const double want[3][4] = {
        {0.388672, 0, 0, -99.5}, {0, -0.388672, 0, 301.5}, {0, 0, -10, -149}};
    for (int i = 0; i < 12; i++)
        assert_true(fabs(v.affine.m[i / 4][i % 4] - want[i / 4][i % 4]) < 1e-9);
    assert_true(v.shown_low == -2 && v.shown_high == 100);
    tpp_volume_free(&v);
    tpp_free(path);
}

/* The geometry that SimpleITK 2.5 has of the JPEG 2000 series, in RAS. */
static void the_ct_series_has_its_geometry(void **state)
{
    (void)state;
    if (!has_jpeg2000()) {
        print_message("[  SKIPPED ] built without OpenJPEG\n");
        skip();
    }
    char *path = sample_path("ct/totalseg_dicom");
    tpp_volume v = {0};
    ASSERT_OK(tpp_dicom_read(&v, path, NULL));
    static const double want[3][4] = {
        {-0.9765625, 0, 0, 249.51171875}, {0, -0.9765625, 0, 437.51171875}, {0, 0, 2, -804.5}};
    for (int i = 0; i < 12; i++)
        assert_true(fabs(v.affine.m[i / 4][i % 4] - want[i / 4][i % 4]) < 1e-6);
    assert_int_equal(v.dim[0], 512);
    assert_int_equal(v.dim[1], 512);
    assert_int_equal(v.dim[2], 20);
    assert_true(v.shown_low == -110 && v.shown_high == 190);
    tpp_volume_free(&v);
    tpp_free(path);
}

static void organs_lie_where_the_labels_say(void **state)
{
    (void)state;
    static const struct {
        int label;
        double low, high; /* HU, mean */
        const char *name;
    } organs[] = {{69, 500, 900, "left humerus"},  {70, 500, 900, "right humerus"},
                  {32, 200, 400, "vertebra"},      {5, 70, 110, "liver"},
                  {1, 60, 100, "spleen"},          {86, 0, 50, "left back muscle"},
                  {87, 0, 50, "right back muscle"}};
    if (!has_jpeg2000()) {
        print_message("[  SKIPPED ] built without OpenJPEG\n");
        skip();
    }
    char *path = sample_path("ct/totalseg_dicom"),
         *labels = sample_path("ct/totalseg_dicom_seg/seg.nii.gz");
    tpp_volume v = {0}, s = {0};
    ASSERT_OK(tpp_dicom_read(&v, path, NULL));
    ASSERT_OK(tpp_nifti_read(&s, labels, NULL));
    double sum[256] = {0}, count[256] = {0};
    for (int64_t i = 0; i < s.voxel_count; i++) {
        const int64_t at[3] = {i % s.dim[0], i / s.dim[0] % s.dim[1], i / s.dim[0] / s.dim[1]};
        int64_t ours[3];
        for (int a = 0; a < 3; a++) { /* both affines are diagonal */
            const double mm = s.affine.m[a][a] * (double)at[a] + s.affine.m[a][3];
            ours[a] = llround((mm - v.affine.m[a][3]) / v.affine.m[a][a]);
            assert_in_range(ours[a], 0, v.dim[a] - 1);
        }
        const int label = (int)s.voxels[i];
        sum[label] += (double)v.voxels[(ours[2] * v.dim[1] + ours[1]) * v.dim[0] + ours[0]];
        count[label]++;
    }
    for (size_t i = 0; i < sizeof organs / sizeof *organs; i++) {
        const double mean = sum[organs[i].label] / count[organs[i].label];
        if (!(mean > organs[i].low && mean < organs[i].high))
            fail_msg("%s has %.1f HU, wanted %g to %g", organs[i].name, mean, organs[i].low,
                     organs[i].high);
    }
    tpp_volume_free(&v);
    tpp_volume_free(&s);
    tpp_free(path);
    tpp_free(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_read_as_it_is),
        cmocka_unit_test(a_segmentation_is_no_image),
        cmocka_unit_test(the_enhanced_ct_lies_where_it_says),
        cmocka_unit_test(the_ct_series_has_its_geometry),
        cmocka_unit_test(organs_lie_where_the_labels_say),
    };
    if (tpp_dicom_library() == NULL) {
        print_message("[  SKIPPED ] built without DCMTK\n");
        return 0;
    }
    tpp_log_set(TPP_LOG_ERROR, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
