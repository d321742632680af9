/* DICOM files that are cut off or lie, and what is not read: each is refused by a message.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dicom_maker.h"

static tpp_status try_read(const char *path)
{
    tpp_volume v = {.slope = 123};
    const tpp_status s =
        tpp_dicom_read(&v, path, &(tpp_volume_options){.max_bytes = 1 << 20, .time = -1});
    if (s == TPP_OK)
        tpp_volume_free(&v);
    else
        assert_true(v.voxels == NULL && v.source == NULL && v.slope == 123); /* untouched */
    return s;
}

static size_t make(uint8_t *bytes, const maker *m)
{
    int32_t ramp[4096];
    const size_t count = (size_t)(m->rows * m->columns * m->frames * m->samples);
    maker_pixels(ramp, 0, count < 4096 ? count : 4096);
    return maker_make(bytes, m, ramp, count < 4096 ? count : 4096);
}

/* Element `tag` of the explicit little-endian file: where its value begins. */
static uint8_t *find(uint8_t *bytes, size_t size, uint32_t tag)
{
    const uint8_t want[4] = {(uint8_t)(tag >> 16), (uint8_t)(tag >> 24), (uint8_t)tag,
                             (uint8_t)(tag >> 8)};
    for (size_t i = 132; i + 8 < size; i++)
        if (memcmp(bytes + i, want, sizeof want) == 0) return bytes + i + 8;
    fail_msg("no element %08x", tag);
    return NULL;
}

static void what_is_dicom_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    const maker m = maker_default();
    assert_true(tpp_dicom_is(maker_put("a.dcm", &m, 0, NULL)));
    assert_true(tpp_dicom_is(scratch_folder));
    static const char *const others[] = {
        "",
        "\x08",
        "\x89PNG\r\n\x1a\n-----------------------------",
        "NRRD0004\ntype: short\n",
        "ObjectType = Image\n",
        "\x08\x10 is no group",
        "\x08UL\x08UL\x08UL\x08UL\x08UL\x08UL\x08UL",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(tpp_dicom_is(put_file("other", others[i], strlen(others[i]))));
    const uint8_t nifti[352] = {0x5C, 0x01};
    assert_false(tpp_dicom_is(put_file("other", nifti, sizeof nifti)));
    /* Elements of group 8, but the same one twice. */
    static const uint8_t twice[] = {8, 0, 5, 0, 'C', 'S', 2, 0, 'a', 'a',
                                    8, 0, 5, 0, 'C', 'S', 2, 0, 'a', 'a'};
    assert_false(tpp_dicom_is(put_file("other", twice, sizeof twice)));
    uint8_t rising[sizeof twice];
    memcpy(rising, twice, sizeof twice);
    rising[12] = 8;
    assert_true(tpp_dicom_is(put_file("other", rising, sizeof rising)));
    assert_false(tpp_dicom_is(scratch("absent")));
    assert_false(tpp_dicom_is(maker_folder("nothing")));
    assert_false(tpp_dicom_is("/dev/zero"));
}

static void without_dcmtk_it_is_refused_with_what_to_do(void **state)
{
    (void)state;
    if (tpp_dicom_library() != NULL) {
        assert_non_null(strstr(tpp_dicom_library(), "DCMTK 3"));
        return;
    }
    const maker m = maker_default();
    const char *path = maker_put("a.dcm", &m, 0, NULL);
    ASSERT_FAILS(try_read(path), TPP_EUNSUPPORTED, path, "libdcmtk-dev");
    ASSERT_FAILS(try_read(path), TPP_EUNSUPPORTED, path, "dcm2niix");
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    ASSERT_FAILS(try_read(scratch("absent.dcm")), TPP_EIO, "absent.dcm", "cannot open");
    ASSERT_FAILS(try_read("/dev/null"), TPP_EIO, "null", "regular");
    ASSERT_FAILS(try_read(maker_folder("empty")), TPP_EFORMAT, "empty", "holds no DICOM");
    ASSERT_FAILS(try_read(put_file("text.dcm", "some text, no DICOM", 19)), TPP_EFORMAT, "text.dcm",
                 "");
    uint8_t zeros[1000] = {0};
    ASSERT_FAILS(try_read(put_file("zeros.dcm", zeros, sizeof zeros)), TPP_EUNSUPPORTED,
                 "zeros.dcm", "without pixel data");
    memcpy(zeros + 128, "DICM", 4);
    ASSERT_FAILS(try_read(put_file("mark.dcm", zeros, 132)), TPP_EFORMAT, "mark.dcm", "truncated");
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    static const char *const syntaxes[] = {MAKER_EXPLICIT, MAKER_IMPLICIT, MAKER_BIG, MAKER_RUNS};
    static uint8_t bytes[MAKER_ROOM];
    for (int s = 0; s < 4; s++) {
        maker m = maker_default();
        m.syntax = syntaxes[s];
        if (s == 3) m.allocated = m.stored = 8;
        const size_t size = make(bytes, &m);
        for (size_t cut = 0; cut < size; cut++) {
            const char *path = put_file("cut.dcm", bytes, cut);
            const tpp_status status = try_read(path);
            /* Cut between two elements it is whole, but an object without pixels. */
            if (status != TPP_EFORMAT && status != TPP_EUNSUPPORTED)
                fail_msg("cut to %zu of %zu bytes: status %d", cut, size, (int)status);
            ASSERT_FAILS(status, status, path, "");
        }
        ASSERT_OK(try_read(put_file("cut.dcm", bytes, size)));
    }
}

static void a_truncated_slice_of_a_folder_is_named(void **state)
{
    (void)state;
    static uint8_t bytes[MAKER_ROOM];
    maker m = maker_default();
    maker_folder("cut");
    maker_put("cut/a", &m, 0, NULL);
    m.sop = "1.2.3.2";
    m.position[2] += 2;
    const size_t size = make(bytes, &m);
    put_file("cut/b", bytes, size - 3);
    ASSERT_FAILS(try_read(scratch("cut")), TPP_EFORMAT, "cut/b", "truncated");
}

static void lengths_that_lie_are_refused(void **state)
{
    (void)state;
    maker m = maker_default();
    static const uint32_t lengths[] = {2,        22,         23,         26,        1000,
                                       1U << 30, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        m.pixel_length = lengths[i];
        const char *path = maker_put("length.dcm", &m, 0, NULL);
        ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "");
    }
    m = maker_default();
    static uint8_t bytes[MAKER_ROOM];
    static const uint32_t tags[] = {0x00080016, 0x00080060, 0x00200032, 0x00280010, 0x00280100};
    for (size_t t = 0; t < sizeof tags / sizeof *tags; t++) {
        const size_t size = make(bytes, &m);
        memset(find(bytes, size, tags[t]) - 2, 0xFF, 2); /* 65535 bytes of it */
        const char *path = put_file("length.dcm", bytes, size);
        ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "truncated");
    }
}

static void sizes_that_lie_take_no_memory(void **state)
{
    (void)state;
    static uint8_t bytes[MAKER_ROOM];
    maker m = maker_default();
    const size_t size = make(bytes, &m);
    tpp_bytes_put(find(bytes, size, 0x00280010), 400, 2, false);
    const char *path = put_file("rows.dcm", bytes, size);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "truncated, or its header lies");
    tpp_bytes_put(find(bytes, size, 0x00280010), 65535, 2, false);
    tpp_bytes_put(find(bytes, size, 0x00280011), 65535, 2, false);
    path = put_file("rows.dcm", bytes, size);
    ASSERT_FAILS(try_read(path), TPP_ENOMEM, path, "do not fit the limit of 1048576");
    tpp_bytes_put(find(bytes, size, 0x00280010), 0, 2, false);
    path = put_file("rows.dcm", bytes, size);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "Rows or Columns");
    m.is_placed = false;
    m.rows = m.columns = 1;
    m.frames = 2000000000;
    path = put_file("frames.dcm", bytes, make(bytes, &m));
    ASSERT_FAILS(try_read(path), TPP_ENOMEM, path, "2000000000 frames");
    m.frames = 10000;
    path = put_file("frames.dcm", bytes, make(bytes, &m));
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "truncated, or its header lies");
    m.syntax = MAKER_RUNS;
    m.allocated = m.stored = 8;
    m.frames = 2;
    size_t cut = make(bytes, &m);
    memcpy(strstr((char *)find(bytes, cut, 0x00280008), "2"), "9", 1);
    path = put_file("frames.dcm", bytes, cut);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "9 frames are promised, 2 pieces");
}

static void a_series_larger_than_the_limit_is_refused(void **state)
{
    (void)state;
    maker m = maker_default();
    maker_folder("large");
    for (int k = 0; k < 3; k++) {
        char name[32], sop[32];
        (void)snprintf(name, sizeof name, "large/%d", k);
        (void)snprintf(sop, sizeof sop, "1.2.%d", k);
        m.sop = sop;
        m.position[2] = k;
        maker_put(name, &m, k, NULL);
    }
    const uint64_t bytes = 3 * MAKER_PIXELS * sizeof(float);
    tpp_volume v = {0};
    tpp_volume_options o = {.max_bytes = bytes, .time = -1};
    ASSERT_OK(tpp_dicom_read(&v, scratch("large"), &o));
    tpp_volume_free(&v);
    o.max_bytes--;
    ASSERT_FAILS(tpp_dicom_read(&v, scratch("large"), &o), TPP_ENOMEM, "large", "the limit of 143");
}

/* Sequences of a private element, `depth` of them, of stated or open length. */
static size_t nest(uint8_t *out, int depth, bool open, bool implicit)
{
    maker_bytes b = {.p = out, .implicit = implicit};
    const uint32_t each = implicit ? 16 : 20;
    for (int i = depth; i > 0; i--) {
        maker_head(&b, 0x00091001, "SQ", open ? UINT32_MAX : (uint32_t)i * each - each + 8);
        maker_head(&b, 0xFFFEE000, NULL, open ? UINT32_MAX : (uint32_t)(i - 1) * each);
    }
    for (int i = 0; open && i < depth; i++) maker_close(&b);
    return b.size;
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    static uint8_t extra[MAKER_ROOM / 2];
    for (int variant = 0; variant < 4; variant++)
        for (int depth = 15; depth <= 500; depth += depth < 18 ? 1 : 482) {
            maker m = maker_default();
            m.syntax = variant < 2 ? MAKER_EXPLICIT : MAKER_IMPLICIT;
            m.extra = extra;
            m.extra_size = nest(extra, depth, variant % 2 == 0, variant >= 2);
            const char *path = maker_put("nested.dcm", &m, 0, NULL);
            if (depth <= 16)
                ASSERT_OK(try_read(path));
            else
                ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "nested more than 16 deep");
        }
}

static void what_is_not_read_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *syntax, *fact;
    } syntaxes[] = {
        {"1.2.840.10008.1.2.1.99", "dcmconv"},
        {"1.2.840.10008.1.2.4.100", "a video"},
        {"1.2.840.10008.1.2.4.107", "a video"},
        {"1.2.840.10008.1.2.4.201", "high-throughput JPEG 2000"},
        {"1.2.840.10008.1.2.4.92", "multi-component JPEG 2000"},
        {"1.2.3.4.5.6", "compressed in a way that is not read (1.2.3.4.5.6)"},
    };
    static uint8_t bytes[MAKER_ROOM];
    for (size_t i = 0; i < sizeof syntaxes / sizeof *syntaxes; i++) {
        maker m = maker_default();
        m.allocated = m.stored = 8;
        m.syntax = MAKER_RUNS;
        size_t size = make(bytes, &m);
        uint8_t *at = find(bytes, size, 0x00020010); /* a longer UID in its place */
        const size_t had = 20, now = strlen(syntaxes[i].syntax), even = now + now % 2;
        memmove(at + even, at + had, size - (size_t)(at + had - bytes));
        memset(at, 0, even);
        memcpy(at, syntaxes[i].syntax, now);
        tpp_bytes_put(at - 2, even, 2, false);
        size = size - had + even;
        const char *path = put_file("syntax.dcm", bytes, size);
        ASSERT_FAILS(try_read(path), TPP_EUNSUPPORTED, path, syntaxes[i].fact);
    }
    for (int i = 0; i < 4; i++) {
        static const char *const facts[] = {"64 bits allocated", "bits stored", "4 samples",
                                            "ARGB"};
        maker m = maker_default();
        if (i == 0) m.allocated = 64;
        if (i == 1) m.stored = 17;
        if (i == 2) m.samples = 4;
        if (i == 3) m.photometric = "ARGB";
        const char *path = put_file("form.dcm", bytes, make(bytes, &m));
        ASSERT_FAILS(try_read(path), i == 1 ? TPP_EFORMAT : TPP_EUNSUPPORTED, path, facts[i]);
    }
}

/* A picture that says `jpeg` in the place of runs. */
static void refuses_jpeg(const uint8_t *jpeg, size_t length, const char *fact)
{
    static uint8_t bytes[MAKER_ROOM];
    maker m = maker_default();
    m.allocated = m.stored = 8;
    m.is_signed = 0;
    m.syntax = "1.2.840.10008.1.2.4.50";
    size_t size = make(bytes, &m);
    maker_bytes b = {.p = bytes, .size = (size_t)(find(bytes, size, 0x7FE00010) - 8 - bytes)};
    maker_head(&b, 0x7FE00010, "OB", UINT32_MAX);
    maker_head(&b, 0xFFFEE000, NULL, 0);
    maker_head(&b, 0xFFFEE000, NULL, (uint32_t)length);
    memcpy(b.p + b.size, jpeg, length);
    b.size += length;
    maker_head(&b, 0xFFFEE0DD, NULL, 0);
    const char *path = put_file("jpeg.dcm", bytes, b.size);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, fact);
}

static void jpeg_heads_that_lie_are_refused(void **state)
{
    (void)state;
    static const uint8_t head[] = {0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 'h', 'i',  0xFF, 0xC0, 0,    11,
                                   8,    0,    3,    0,    4, 1, 1,   0x11, 0,    0xFF, 0xD9, 0};
    uint8_t bad[sizeof head];
    static const struct {
        size_t at;
        uint8_t value;
        const char *fact;
    } cases[] = {
        {0, 0, "no JPEG picture"},
        {2, 0, "damaged at byte 2"},
        {3, 0xDA, "damaged at byte 2"}, /* a scan before the frame */
        {5, 0, "damaged at byte 2"},    /* no length */
        {4, 9, "damaged at byte 2"},    /* a length beyond the end */
        {8, 0, "damaged at byte 8"},
        {13, 99, "is 4 x 25347 with 1 components"},
        {16, 5, "is 5 x 3"},
        {17, 3, "with 3 components"},
        {22, 0xD8, "cannot be decoded"}, /* the head is right, and nothing follows */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(bad, head, sizeof head);
        bad[cases[i].at] = cases[i].value;
        refuses_jpeg(bad, sizeof bad, cases[i].fact);
    }
}

static void geometry_that_is_none_is_refused(void **state)
{
    (void)state;
    static const double orientations[][6] = {
        {0}, {1, 0, 0, 1, 0, 0}, {2, 0, 0, 0, 1, 0}, {1, 0, 0, 0.5, 1, 0}, {1, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof orientations / sizeof *orientations; i++) {
        maker m = maker_default();
        memcpy(m.orientation, orientations[i], sizeof m.orientation);
        const char *path = maker_put("turn.dcm", &m, 0, NULL);
        ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "two directions at right angles");
    }
    maker m = maker_default();
    m.position[1] = 1e30;
    const char *path = maker_put("far.dcm", &m, 0, NULL);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "ImagePositionPatient is 1e+30 mm away");
    m = maker_default();
    m.spacing[0] = 0;
    path = maker_put("spacing.dcm", &m, 0, NULL);
    ASSERT_FAILS(try_read(path), TPP_EFORMAT, path, "no PixelSpacing");
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    const maker m = maker_default();
    maker_folder("memory");
    maker_put("memory/a", &m, 0, NULL);
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s == TPP_ENOMEM; n++) {
        tpp_alloc_fail_after(n);
        s = try_read(scratch("memory"));
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_in_range(n, 0, 100);
    }
    assert_in_range(n, 2, 100);
}

/* Whatever changed bytes do, it ends in a volume that is all there, or in a message. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    uint64_t seed = 99;
    int opened = 0;
    static const char *const syntaxes[] = {MAKER_EXPLICIT, MAKER_IMPLICIT, MAKER_BIG, MAKER_RUNS};
    double positions[3][3] = {{0, 0, 0}, {0, 0, 1}, {0, 0, 2}};
    static uint8_t bytes[MAKER_ROOM];
    tpp_log_set(TPP_LOG_ERROR, NULL, NULL);
    for (int round = 0; round < 3000; round++) {
        maker m = maker_default();
        m.syntax = syntaxes[round % 4];
        m.frames = 1 + round / 4 % 2 * 2;
        if (round % 4 == 3) m.allocated = m.stored = 8;
        if (m.frames > 1) m.frame_position = positions;
        const size_t size = make(bytes, &m);
        for (uint64_t n = next_random(&seed) % 3 + 1; n > 0; n--)
            bytes[132 + next_random(&seed) % (size - 132)] = (uint8_t)next_random(&seed);
        tpp_volume v = {0};
        const tpp_volume_options o = {.max_bytes = 1 << 20, .time = -1};
        if (tpp_dicom_read(&v, put_file("changed.dcm", bytes, size), &o) == TPP_OK) {
            opened++;
            assert_int_equal(v.voxel_count, v.dim[0] * v.dim[1] * v.dim[2]);
            for (int i = 0; i < 3; i++) assert_true(isfinite(v.spacing_mm[i]));
            for (int i = 0; i < 16; i++) assert_true(isfinite(v.affine.m[i / 4][i % 4]));
        }
        tpp_volume_free(&v);
    }
    assert_in_range(opened, 100, 2900);
}

int main(void)
{
    const struct CMUnitTest always[] = {
        cmocka_unit_test(what_is_dicom_is_known_by_its_first_bytes),
        cmocka_unit_test(without_dcmtk_it_is_refused_with_what_to_do),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(a_truncated_slice_of_a_folder_is_named),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(sizes_that_lie_take_no_memory),
        cmocka_unit_test(a_series_larger_than_the_limit_is_refused),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(what_is_not_read_is_refused_by_name),
        cmocka_unit_test(jpeg_heads_that_lie_are_refused),
        cmocka_unit_test(geometry_that_is_none_is_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };
    const int failed = cmocka_run_group_tests(always, scratch_setup, scratch_teardown);
    if (tpp_dicom_library() == NULL) {
        print_message("[  SKIPPED ] the rest: built without DCMTK\n");
        return failed;
    }
    return failed + cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
