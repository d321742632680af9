/* DICOM series and multi-frame objects, made here: what becomes of order, gaps, doubles, tilt, and
 * of every kind of pixel.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dicom_maker.h"

/* Slice k of a series with steps of 2.5 mm, in `folder`, under a name that says nothing. */
static const char *put_slice(const char *folder, int k, const maker *like)
{
    char name[64], sop[32];
    maker m = *like;
    (void)snprintf(name, sizeof name, "%s/%c%d.dcm", folder, 'a' + 7 * k % 10, k);
    (void)snprintf(sop, sizeof sop, "1.2.3.1.%d", k);
    m.sop = sop;
    m.number = k + 1;
    m.position[2] = like->position[2] + 2.5 * k;
    return maker_put(name, &m, k, NULL);
}

static void put_series(const char *folder, int n, const maker *like)
{
    maker_folder(folder);
    for (int k = 0; k < n; k++) put_slice(folder, k, like);
}

static void read_ok(tpp_volume *v, const char *path)
{
    maker_log_clear();
    *v = (tpp_volume){0};
    ASSERT_OK(tpp_dicom_read(v, path, NULL));
    assert_not_said("ecret"); /* no patient's tag in any line */
    assert_not_said("SECRETID");
}

static void refuses(const char *path, tpp_status status, const char *fact)
{
    maker_log_clear();
    tpp_volume v = {.slope = 123};
    ASSERT_FAILS(tpp_dicom_read(&v, path, NULL), status, path, fact);
    assert_true(v.voxels == NULL && v.source == NULL && v.slope == 123); /* untouched */
    assert_null(strstr(tpp_error(), "ecret"));
    assert_null(strstr(tpp_error(), "SECRETID"));
}

static void assert_near(double got, double want)
{
    if (fabs(got - want) > 1e-9 * fmax(1, fabs(want)))
        fail_msg("got %.12g, wanted %.12g", got, want);
}

/* Voxel i of slice z is 100 * first(z) + i. */
static void assert_slices(const tpp_volume *v, const int *first, int n)
{
    assert_int_equal(v->dim[2], n);
    assert_int_equal(v->voxel_count, n * MAKER_PIXELS);
    for (int z = 0; z < n; z++)
        for (int i = 0; i < MAKER_PIXELS; i++)
            assert_near(v->voxels[z * MAKER_PIXELS + i], 100 * first[z] + i);
}

static void slices_are_sorted_by_position(void **state)
{
    (void)state;
    const maker m = maker_default();
    put_series("sorted", 5, &m);
    put_file("sorted/readme.txt", "hello", 5);
    tpp_volume v;
    read_ok(&v, scratch("sorted"));
    assert_said("readme.txt is not DICOM");
    assert_slices(&v, (int[]){0, 1, 2, 3, 4}, 5);
    assert_int_equal(v.format, TPP_VOLUME_DICOM);
    assert_int_equal(v.dim[0], MAKER_COLUMNS);
    assert_int_equal(v.dim[1], MAKER_ROWS);
    assert_int_equal(v.dim[3], 1);
    assert_string_equal(v.modality, "CT");
    assert_string_equal(v.datatype, "int16");
    assert_int_equal(v.affine_source, TPP_AFFINE_FILE);
    assert_false(v.is_sequence);
    /* LPS to RAS; spacing of columns is PixelSpacing's second number. */
    static const double want[4][4] = {
        {-1.5, 0, 0, 10}, {0, -2, 0, 20}, {0, 0, 2.5, 30}, {0, 0, 0, 1}};
    for (int i = 0; i < 16; i++) assert_near(v.affine.m[i / 4][i % 4], want[i / 4][i % 4]);
    assert_near(v.spacing_mm[0], 1.5);
    assert_near(v.spacing_mm[1], 2);
    assert_near(v.spacing_mm[2], 2.5);
    tpp_volume_free(&v);
}

static void a_header_alone_is_enough_for_geometry(void **state)
{
    (void)state;
    const maker m = maker_default();
    put_series("head", 3, &m);
    tpp_volume v = {0};
    ASSERT_OK(tpp_dicom_read(&v, scratch("head"),
                             &(tpp_volume_options){.header_only = true, .time = -1}));
    assert_null(v.voxels);
    assert_int_equal(v.dim[2], 3);
    assert_near(v.affine.m[2][2], 2.5);
    tpp_volume_free(&v);
}

static void one_slice_is_a_volume(void **state)
{
    (void)state;
    maker m = maker_default();
    m.thickness = 5;
    tpp_volume v;
    read_ok(&v, maker_put("one.dcm", &m, 0, NULL));
    assert_slices(&v, (int[]){0}, 1);
    assert_near(v.affine.m[2][2], 5);
    tpp_volume_free(&v);
}

static void oblique_slices_keep_their_directions(void **state)
{
    (void)state;
    maker m = maker_default();
    const double c = cos(0.3), s = sin(0.3); /* turned about the patient's x axis */
    memcpy(m.orientation, (double[]){1, 0, 0, 0, c, s}, sizeof m.orientation);
    maker_folder("oblique");
    for (int k = 0; k < 3; k++) {
        char name[32], sop[32];
        (void)snprintf(name, sizeof name, "oblique/%d", 2 - k);
        (void)snprintf(sop, sizeof sop, "1.2.3.1.%d", k);
        m.sop = sop;
        memcpy(m.position, (double[]){0, -s * 3 * k, c * 3 * k}, sizeof m.position);
        maker_put(name, &m, k, NULL);
    }
    tpp_volume v;
    read_ok(&v, scratch("oblique"));
    assert_not_said("tilt");
    assert_slices(&v, (int[]){0, 1, 2}, 3);
    assert_true(fabs(v.affine.m[1][1] + 2 * c) < 1e-6 && fabs(v.affine.m[2][1] - 2 * s) < 1e-6);
    assert_true(fabs(v.affine.m[1][2] - 3 * s) < 1e-6 && fabs(v.affine.m[2][2] - 3 * c) < 1e-6);
    tpp_volume_free(&v);
}

static void gantry_tilt_shears_the_affine(void **state)
{
    (void)state;
    maker m = maker_default();
    maker_folder("tilt");
    for (int k = 0; k < 4; k++) {
        m.position[1] = -20 + 0.5 * k;
        put_slice("tilt", k, &m);
    }
    tpp_volume v;
    read_ok(&v, scratch("tilt"));
    assert_said("gantry tilt of 11.3 degrees");
    assert_near(v.affine.m[1][2], -0.5);
    assert_near(v.affine.m[2][2], 2.5);
    assert_near(v.spacing_mm[2], sqrt(2.5 * 2.5 + 0.25));
    tpp_volume_free(&v);
}

static void missing_slices_are_filled_and_named(void **state)
{
    (void)state;
    const maker m = maker_default();
    put_series("gap", 2, &m);
    for (int k = 4; k < 7; k++) put_slice("gap", k, &m);
    tpp_volume v;
    read_ok(&v, scratch("gap"));
    assert_said("2 slices are missing in 1 gaps (2 between h1.dcm and i4.dcm)");
    assert_slices(&v, (int[]){0, 1, 1, 4, 4, 5, 6}, 7);
    assert_near(v.affine.m[2][2], 2.5);
    tpp_volume_free(&v);
}

static void uneven_steps_are_refused(void **state)
{
    (void)state;
    maker m = maker_default();
    put_series("uneven", 4, &m);
    m.position[2] += 1;
    put_slice("uneven", 4, &m);
    refuses(scratch("uneven"), TPP_EFORMAT,
            "not evenly spaced: b3.dcm and i4.dcm are 3.5 mm apart");
    m = maker_default();
    put_series("beside", 4, &m);
    m.position[0] += 3;
    put_slice("beside", 1, &m); /* again, shifted */
    refuses(scratch("beside"), TPP_EFORMAT, "h1.dcm (frame 1) lies 3 mm beside the line");
    m = maker_default();
    put_series("far", 2, &m);
    put_slice("far", 40, &m);
    refuses(scratch("far"), TPP_EFORMAT, "not evenly spaced");
}

static void doubled_slices_are_refused_and_copies_dropped(void **state)
{
    (void)state;
    maker m = maker_default();
    put_series("doubled", 4, &m);
    m.sop = "1.2.3.1.77";
    m.position[2] = 32.5;
    maker_put("doubled/again.dcm", &m, 9, NULL);
    refuses(scratch("doubled"), TPP_EFORMAT, "two slices at one position (32.5 mm");
    refuses(scratch("doubled"), TPP_EFORMAT, "h1.dcm");
    refuses(scratch("doubled"), TPP_EFORMAT, "again.dcm");
    m.sop = "1.2.3.1.1";
    maker_put("doubled/again.dcm", &m, 1, NULL);
    tpp_volume v;
    read_ok(&v, scratch("doubled"));
    assert_said("h1.dcm is the same object as again.dcm, left out");
    assert_slices(&v, (int[]){0, 1, 2, 3}, 4);
    tpp_volume_free(&v);
}

static void time_points_are_chosen(void **state)
{
    (void)state;
    maker m = maker_default();
    maker_folder("times");
    for (int t = 0; t < 2; t++)
        for (int k = 0; k < 3; k++) {
            char name[32], sop[32];
            (void)snprintf(name, sizeof name, "times/%d%d", 1 - t, k);
            (void)snprintf(sop, sizeof sop, "1.2.3.1.%d", 10 * t + k);
            m.sop = sop;
            m.number = 3 * t + k + 1;
            m.position[2] = 30 + 4 * k;
            maker_put(name, &m, 10 * t + k, NULL);
        }
    refuses(scratch("times"), TPP_EUSAGE, "2 slices at every position");
    tpp_volume v = {0};
    for (int t = 0; t < 2; t++) {
        ASSERT_OK(tpp_dicom_read(&v, scratch("times"), &(tpp_volume_options){.time = t}));
        assert_slices(&v, (int[]){10 * t, 10 * t + 1, 10 * t + 2}, 3);
        assert_int_equal(v.dim[3], 2);
        assert_int_equal(v.time, t);
        tpp_volume_free(&v);
    }
    ASSERT_FAILS(tpp_dicom_read(&v, scratch("times"), &(tpp_volume_options){.time = 2}), TPP_EUSAGE,
                 "times", "time point 2 of 2");
}

static void two_series_are_listed(void **state)
{
    (void)state;
    maker m = maker_default();
    put_series("two", 3, &m);
    m.series = "1.2.9";
    m.modality = "PT";
    m.description = "late\x1b[31m";
    m.sop = "1.2.9.1";
    maker_put("two/other.dcm", &m, 0, NULL);
    refuses(scratch("two"), TPP_EUSAGE, "2 series in one folder");
    refuses(scratch("two"), TPP_EUSAGE, "3 slices of CT \"trunk\"");
    refuses(scratch("two"), TPP_EUSAGE, "1 slices of PT \"late?[31m\", other.dcm");
}

static void other_orientations_are_refused_but_scouts_left_out(void **state)
{
    (void)state;
    maker m = maker_default();
    put_series("turned", 3, &m);
    m.sop = "1.2.3.1.50";
    memcpy(m.orientation, (double[]){0, 1, 0, 0, 0, -1}, sizeof m.orientation);
    maker_put("turned/turned.dcm", &m, 0, NULL);
    refuses(scratch("turned"), TPP_EFORMAT, "slices of two orientations");
    refuses(scratch("turned"), TPP_EFORMAT, "turned.dcm (frame 1)");
    m.image_type = "ORIGINAL\\PRIMARY\\LOCALIZER";
    maker_put("turned/turned.dcm", &m, 0, NULL);
    tpp_volume v;
    read_ok(&v, scratch("turned"));
    assert_said("turned.dcm: a scout of another orientation, left out");
    assert_slices(&v, (int[]){0, 1, 2}, 3);
    tpp_volume_free(&v);
}

static void secondary_objects_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *sop_class, *modality, *fact;
    } cases[] = {
        {"1.2.840.10008.5.1.4.1.1.66.4", "SEG", "a segmentation (SEG)"},
        {"1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", "a structure set (RTSTRUCT)"},
        {"1.2.840.10008.5.1.4.1.1.88.33", "SR", "a structured report (SR)"},
        {"1.2.840.10008.5.1.4.1.1.11.1", "PR", "a presentation state (PR)"},
    };
    const maker slices = maker_default();
    put_series("second", 3, &slices);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker m = maker_default();
        m.sop_class = cases[i].sop_class;
        m.modality = cases[i].modality;
        m.series = "1.2.8";
        maker_put("second/x.dcm", &m, 0, NULL);
        refuses(scratch("second/x.dcm"), TPP_EUNSUPPORTED, cases[i].fact);
        tpp_volume v;
        read_ok(&v, scratch("second"));
        assert_said(cases[i].fact);
        assert_said("x.dcm is");
        assert_slices(&v, (int[]){0, 1, 2}, 3);
        tpp_volume_free(&v);
    }
}

static void differing_slices_are_refused_by_name(void **state)
{
    (void)state;
    const maker like = maker_default();
    put_series("differ", 3, &like);
    for (int i = 0; i < 7; i++) {
        static const char *const facts[] = {"x.dcm (4 x 4",
                                            "x.dcm (3 x 3",
                                            "x.dcm (4 x 3, 8 bits",
                                            "x.dcm (4 x 3, 16 bits, MONO",
                                            "MONOCHROME1",
                                            "pixels of",
                                            "different frames of reference"};
        maker m = maker_default();
        m.sop = "1.2.3.1.40";
        m.position[2] = 37.5;
        if (i == 0) m.rows = 4;
        if (i == 1) m.columns = 3;
        if (i == 2) m.allocated = m.stored = 8;
        if (i == 3) m.is_signed = 0;
        if (i == 4) m.photometric = "MONOCHROME1";
        if (i == 5) m.spacing[0] = 3;
        if (i == 6) m.frame_of_reference = "1.2.3.8";
        maker_put("differ/x.dcm", &m, 3, NULL);
        refuses(scratch("differ"), TPP_EFORMAT, facts[i]);
    }
    maker m = maker_default();
    m.sop = "1.2.3.1.40";
    m.is_placed = false;
    maker_put("differ/x.dcm", &m, 3, NULL);
    refuses(scratch("differ"), TPP_EFORMAT, "x.dcm (frame 1) states no position, others do");
}

/* ---- pixels ---- */

static void read_pixels(const maker *m, const int32_t *pixels, const float *want, int n)
{
    tpp_volume v;
    read_ok(&v, maker_put("pixels.dcm", m, 0, pixels));
    assert_int_equal(v.voxel_count * v.channels, n);
    for (int i = 0; i < n; i++) assert_near(v.voxels[i], want[i]);
    tpp_volume_free(&v);
}

static void every_width_and_sign_is_read(void **state)
{
    (void)state;
    static const char *const syntaxes[] = {MAKER_EXPLICIT, MAKER_IMPLICIT, MAKER_BIG};
    static const struct {
        int allocated, stored, is_signed;
        int32_t in[4];
        float want[4];
    } cases[] = {
        {8, 8, 0, {0, 255, 128, 7}, {0, 255, 128, 7}},
        {8, 8, 1, {0, 255, 128, 7}, {0, -1, -128, 7}},
        {16, 12, 0, {0, 0xFFF, 0x800, 0xF123}, {0, 4095, 2048, 0x123}}, /* overlay bits above */
        {16, 12, 1, {0, 0xFFF, 0x800, 0x7FF}, {0, -1, -2048, 2047}},
        {16, 16, 0, {0, 65535, 32768, 513}, {0, 65535, 32768, 513}},
        {16, 16, 1, {0, 65535, 32768, 513}, {0, -1, -32768, 513}},
        {32, 32, 1, {0, -1, INT32_MIN, 66000}, {0, -1, -2147483648.0f, 66000}},
        {32, 32, 0, {0, -1, INT32_MIN, 66000}, {0, 4294967295.0f, 2147483648.0f, 66000}},
    };
    for (int s = 0; s < 3; s++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            maker m = maker_default();
            m.syntax = syntaxes[s];
            m.rows = m.columns = 2;
            m.allocated = cases[i].allocated;
            m.stored = cases[i].stored;
            m.is_signed = cases[i].is_signed;
            if (s == 2 && m.allocated == 32)
                refuses(maker_put("pixels.dcm", &m, 0, cases[i].in), TPP_EUNSUPPORTED, "32 bits");
            else
                read_pixels(&m, cases[i].in, cases[i].want, 4);
        }
}

static void files_without_a_mark_are_read(void **state)
{
    (void)state;
    maker m = maker_default();
    m.no_mark = true;
    for (int i = 0; i < 2; i++) {
        m.syntax = i == 0 ? MAKER_IMPLICIT : MAKER_EXPLICIT;
        const char *path = maker_put("bare.dcm", &m, 3, NULL);
        assert_true(tpp_dicom_is(path));
        tpp_volume v;
        read_ok(&v, path);
        assert_slices(&v, (int[]){3}, 1);
        tpp_volume_free(&v);
    }
}

static void frames_of_odd_size_are_found(void **state)
{
    (void)state;
    static const char *const syntaxes[] = {MAKER_EXPLICIT, MAKER_BIG, MAKER_RUNS};
    for (int s = 0; s < 3; s++) {
        maker m = maker_default();
        m.syntax = syntaxes[s];
        m.modality = "US";
        m.is_placed = false;
        m.rows = m.columns = 3;
        m.frames = 5;
        m.allocated = m.stored = 8;
        m.is_signed = 0;
        tpp_volume v;
        read_ok(&v, maker_put("odd.dcm", &m, 0, NULL));
        assert_true(v.is_sequence);
        assert_int_equal(v.affine_source, TPP_AFFINE_PIXDIM);
        for (int i = 0; i < 45; i++) assert_near(v.voxels[i], i);
        tpp_volume_free(&v);
    }
}

static void rescale_is_applied_by_slice(void **state)
{
    (void)state;
    maker m = maker_default();
    m.modality = "PT";
    maker_folder("rescale");
    static const char *const slopes[] = {"0.5", "2", "1.25"}, *const intercepts[] = {"0", "-10",
                                                                                     "3"};
    for (int k = 0; k < 3; k++) {
        m.slope = slopes[k];
        m.intercept = intercepts[k];
        put_slice("rescale", k, &m);
    }
    tpp_volume v;
    read_ok(&v, scratch("rescale"));
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < MAKER_PIXELS; i++)
            assert_near(v.voxels[k * MAKER_PIXELS + i],
                        strtod(slopes[k], NULL) * (100 * k + i) + strtod(intercepts[k], NULL));
    assert_true(v.slope == 1 && v.intercept == 0);
    tpp_volume_free(&v);
    m.slope = "0";
    refuses(maker_put("slope.dcm", &m, 0, NULL), TPP_EFORMAT, "RescaleSlope");
    m.slope = "1";
    m.intercept = "abc";
    refuses(maker_put("slope.dcm", &m, 0, NULL), TPP_EFORMAT, "RescaleIntercept");
}

static void windows_are_kept(void **state)
{
    (void)state;
    maker m = maker_default();
    m.window_centre = "40\\300";
    m.window_width = "400\\1500";
    tpp_volume v;
    read_ok(&v, maker_put("window.dcm", &m, 0, NULL));
    assert_near(v.shown_low, -160);
    assert_near(v.shown_high, 240);
    tpp_volume_free(&v);
    m.window_width = "0";
    read_ok(&v, maker_put("window.dcm", &m, 0, NULL));
    assert_true(v.shown_low == v.shown_high);
    tpp_volume_free(&v);
}

static void monochrome1_is_turned_round(void **state)
{
    (void)state;
    maker m = maker_default();
    m.photometric = "MONOCHROME1";
    m.rows = m.columns = 2;
    m.allocated = 16;
    m.stored = 12;
    m.is_signed = 0;
    m.window_centre = "1000";
    m.window_width = "200";
    const int32_t in[] = {0, 4095, 1000, 1};
    read_pixels(&m, in, (float[]){4095, 0, 3095, 4094}, 4);
    assert_said("MONOCHROME1");
    tpp_volume v;
    read_ok(&v, scratch("pixels.dcm"));
    assert_near(v.shown_low, 4095 - 1100);
    assert_near(v.shown_high, 4095 - 900);
    tpp_volume_free(&v);
    m.is_signed = 1;
    read_pixels(&m, in, (float[]){-1, 0, -1001, -2}, 4);
}

static void colours_become_rgb(void **state)
{
    (void)state;
    maker m = maker_default();
    m.is_placed = false;
    m.modality = "US";
    m.rows = 1;
    m.columns = 2;
    m.samples = 3;
    m.allocated = m.stored = 8;
    m.is_signed = 0;
    m.photometric = "RGB";
    read_pixels(&m, (int32_t[]){1, 2, 3, 250, 251, 252}, (float[]){1, 2, 3, 250, 251, 252}, 6);
    m.planar = 1;
    read_pixels(&m, (int32_t[]){1, 250, 2, 251, 3, 252}, (float[]){1, 2, 3, 250, 251, 252}, 6);
    m.planar = 0;
    m.photometric = "YBR_FULL"; /* red, and a grey */
    read_pixels(&m, (int32_t[]){76, 85, 255, 90, 128, 128}, (float[]){254, 0, 0, 90, 90, 90}, 6);
    m.photometric = "YBR_FULL_422"; /* y y b r */
    m.samples = 3;
    uint8_t bytes[MAKER_ROOM];
    const size_t size = maker_make(bytes, &m, (int32_t[]){76, 90, 128, 128}, 4);
    tpp_volume v;
    read_ok(&v, put_file("422.dcm", bytes, size));
    const float want[] = {76, 76, 76, 90, 90, 90};
    for (int i = 0; i < 6; i++) assert_near(v.voxels[i], want[i]);
    assert_int_equal(v.channels, 3);
    tpp_volume_free(&v);
    m.photometric = "YBR_PARTIAL_420";
    refuses(maker_put("odd.dcm", &m, 0, NULL), TPP_EUNSUPPORTED, "YBR_PARTIAL_420");
}

static void palettes_become_rgb(void **state)
{
    (void)state;
    maker m = maker_default();
    uint16_t palette[3 * 256];
    for (int i = 0; i < 256; i++) {
        palette[i] = (uint16_t)(i * 257);
        palette[256 + i] = (uint16_t)((255 - i) * 257);
        palette[512 + i] = 7 * 257;
    }
    m.photometric = "PALETTE COLOR";
    m.palette = palette;
    m.rows = 1;
    m.columns = 2;
    m.allocated = m.stored = 8;
    m.is_signed = 0;
    read_pixels(&m, (int32_t[]){0, 200}, (float[]){0, 255, 7, 200, 55, 7}, 6);
    m.palette = NULL;
    refuses(maker_put("bare.dcm", &m, 0, NULL), TPP_EFORMAT, "palette");
}

/* The same picture packed by DCMTK's tools has the same voxels. */
static void compressed_copies_are_equal(void **state)
{
    (void)state;
    static const char *const tools[] = {"dcmcrle", "dcmcjpeg +e1", "dcmcjpeg +el", "dcmcjpls +el"};
    if (system("command -v dcmcrle dcmcjpeg dcmcjpls >/dev/null 2>&1") != 0) {
        print_message("[  SKIPPED ] dcmcrle, dcmcjpeg, dcmcjpls (package dcmtk) are not there\n");
        skip();
    }
    for (int kind = 0; kind < 4; kind++) {
        maker m = maker_default();
        m.frames = 2;
        m.is_placed = false;
        m.rows = 16;
        m.columns = kind % 2 == 0 ? 20 : 19;
        m.is_signed = kind == 0 ? 1 : 0;
        if (kind == 1) m.stored = 12;
        if (kind >= 2) m.allocated = m.stored = 8;
        if (kind == 3) {
            m.samples = 3;
            m.photometric = "RGB";
        }
        int32_t pixels[4096];
        uint64_t seed = 5;
        const int64_t top = INT64_C(1) << (m.stored - m.is_signed);
        for (int i = 0; i < 4096; i++)
            pixels[i] =
                (int32_t)((uint64_t)i * 7 % (uint64_t)top + next_random(&seed) % 5) % (int32_t)top;
        if (kind == 0) pixels[7] = -1000;
        tpp_volume v, w;
        const char *path = maker_put("plain.dcm", &m, 0, pixels);
        read_ok(&v, path);
        for (size_t t = 0; t < sizeof tools / sizeof *tools; t++) {
            char command[512];
            (void)snprintf(command, sizeof command, "%s %s %s 2>/dev/null", tools[t], path,
                           scratch("packed.dcm"));
            assert_int_equal(system(command), 0);
            read_ok(&w, scratch("packed.dcm"));
            assert_memory_equal(v.dim, w.dim, sizeof v.dim);
            for (int64_t i = 0; i < v.voxel_count * v.channels; i++)
                if (v.voxels[i] != w.voxels[i])
                    fail_msg("%s, kind %d: voxel %ld is %g, wanted %g", tools[t], kind, (long)i,
                             (double)w.voxels[i], (double)v.voxels[i]);
            tpp_volume_free(&w);
        }
        tpp_volume_free(&v);
    }
}

/* ---- many frames in one file ---- */

static void enhanced_frames_are_sorted_by_their_positions(void **state)
{
    (void)state;
    double positions[4][3] = {{0, 0, 9}, {0, 0, 3}, {0, 0, 6}, {0, 0, 0}};
    maker m = maker_default();
    m.sop_class = MAKER_ENHANCED_CT;
    m.frames = 4;
    m.frame_position = positions;
    tpp_volume v;
    for (int implicit = 0; implicit < 2; implicit++) {
        m.syntax = implicit ? MAKER_IMPLICIT : MAKER_EXPLICIT;
        read_ok(&v, maker_put("enhanced.dcm", &m, 0, NULL));
        assert_false(v.is_sequence);
        assert_int_equal(v.affine_source, TPP_AFFINE_FILE);
        assert_int_equal(v.dim[2], 4);
        assert_near(v.affine.m[2][2], 3);
        static const int frame_at[] = {3, 1, 2, 0};
        for (int z = 0; z < 4; z++) /* frame f: (1 + f) * stored + 100 f */
            assert_near(v.voxels[z * MAKER_PIXELS + 5],
                        (1 + frame_at[z]) * (frame_at[z] * MAKER_PIXELS + 5) + 100 * frame_at[z]);
        tpp_volume_free(&v);
    }
    memcpy(positions[2], positions[1], sizeof positions[1]);
    memcpy(positions[3], positions[0], sizeof positions[0]);
    refuses(maker_put("enhanced.dcm", &m, 0, NULL), TPP_EUSAGE, "2 slices at every position");
    ASSERT_OK(tpp_dicom_read(&v, scratch("enhanced.dcm"), &(tpp_volume_options){.time = 1}));
    assert_int_equal(v.dim[2], 2);
    assert_near(v.voxels[5], 3 * (2 * MAKER_PIXELS + 5) + 200);
    tpp_volume_free(&v);
    positions[2][2] = 50;
    refuses(maker_put("enhanced.dcm", &m, 0, NULL), TPP_EFORMAT, "(frame 1) and");
}

static void frames_without_places_are_moments_or_slices(void **state)
{
    (void)state;
    maker m = maker_default();
    m.is_placed = false;
    m.frames = 3;
    m.modality = "MR";
    m.between = 4;
    tpp_volume v;
    read_ok(&v, maker_put("film.dcm", &m, 0, NULL));
    assert_said("place in the patient is not known");
    assert_false(v.is_sequence);
    assert_near(v.spacing_mm[2], 4);
    tpp_volume_free(&v);
    m.frame_time = "40";
    read_ok(&v, maker_put("film.dcm", &m, 0, NULL));
    assert_true(v.is_sequence);
    assert_int_equal(v.dim[2], 3);
    tpp_volume_free(&v);
    maker_folder("films");
    maker_put("films/a", &m, 0, NULL);
    m.sop = "1.2.3.2";
    maker_put("films/b", &m, 0, NULL);
    refuses(scratch("films"), TPP_EUSAGE, "2 files whose slices state no position (a, b)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_sorted_by_position),
        cmocka_unit_test(a_header_alone_is_enough_for_geometry),
        cmocka_unit_test(one_slice_is_a_volume),
        cmocka_unit_test(oblique_slices_keep_their_directions),
        cmocka_unit_test(gantry_tilt_shears_the_affine),
        cmocka_unit_test(missing_slices_are_filled_and_named),
        cmocka_unit_test(uneven_steps_are_refused),
        cmocka_unit_test(doubled_slices_are_refused_and_copies_dropped),
        cmocka_unit_test(time_points_are_chosen),
        cmocka_unit_test(two_series_are_listed),
        cmocka_unit_test(other_orientations_are_refused_but_scouts_left_out),
        cmocka_unit_test(secondary_objects_are_named),
        cmocka_unit_test(differing_slices_are_refused_by_name),
        cmocka_unit_test(every_width_and_sign_is_read),
        cmocka_unit_test(files_without_a_mark_are_read),
        cmocka_unit_test(frames_of_odd_size_are_found),
        cmocka_unit_test(rescale_is_applied_by_slice),
        cmocka_unit_test(windows_are_kept),
        cmocka_unit_test(monochrome1_is_turned_round),
        cmocka_unit_test(colours_become_rgb),
        cmocka_unit_test(palettes_become_rgb),
        cmocka_unit_test(compressed_copies_are_equal),
        cmocka_unit_test(enhanced_frames_are_sorted_by_their_positions),
        cmocka_unit_test(frames_without_places_are_moments_or_slices),
    };
    if (tpp_dicom_library() == NULL) {
        print_message("[  SKIPPED ] built without DCMTK\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
