/* DICOM-SEG as it is written: its bytes, and what dciodvfy and highdicom make of it where they are
 * installed (packages dicom3tools; Python's highdicom in TPP_TEST_PYTHON or python3).
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dicom_maker.h"

enum { SLICES = 4, SIDE = 5, PIXELS = SIDE * SIDE, COUNT = SLICES * PIXELS };

static const tpp_dicom_segment segments[] = {
    {.label = 3,
     .name = "liver",
     .category_code = "91723000",
     .category_meaning = "Anatomical Structure",
     .type_code = "10200004",
     .type_meaning = "Liver",
     .modifier_code = "7771000",
     .modifier_meaning = "Left",
     .rgb = {221, 130, 101}},
    {.label = 7, .name = "left kidney", .rgb = {185, 102, 83}},
};
static uint8_t labels[COUNT];

/* Four slices of 5 x 5, so that frames do not end with a byte; names against the order. */
static void read_series(tpp_volume *v, const char *folder)
{
    maker_folder(folder);
    for (int k = 0; k < SLICES; k++) {
        maker m = maker_default();
        char name[64], sop[32];
        (void)snprintf(name, sizeof name, "%s/%d.dcm", folder, 9 - k);
        (void)snprintf(sop, sizeof sop, "1.2.3.1.%d", k + 1);
        m.sop = sop;
        m.rows = m.columns = SIDE;
        m.position[2] = 30 + 2 * k;
        maker_put(name, &m, k, NULL);
    }
    *v = (tpp_volume){0};
    ASSERT_OK(tpp_dicom_read(v, scratch(folder), NULL));
}

static void paint(void)
{
    memset(labels, 0, sizeof labels);
    for (int i = 0; i < PIXELS; i++) {
        if (i % 3 == 0) labels[PIXELS + i] = 3;
        if (i % 3 == 1) labels[PIXELS + i] = 7;
        if (i > 20) labels[3 * PIXELS + i] = 7;
    }
}

static int setup(void **state)
{
    maker_log_clear();
    return scratch_setup(state);
}

static const char *write_seg(const char *name, const tpp_volume *v)
{
    const char *path = scratch(name);
    ASSERT_OK(tpp_dicom_write_seg(path, v, labels, segments, 2, "0.1.0"));
    assert_no_temporary();
    return path;
}

/* Pixel data are the last element: bits of the frames (segment, slice), one after another. */
static void frames_are_packed_bit_by_bit(void **state)
{
    (void)state;
    tpp_volume v;
    read_series(&v, "bits");
    paint();
    static const int frames[][2] = {{3, 1}, {7, 1}, {7, 3}};
    enum { BITS = 3 * PIXELS, BYTES = (BITS + 15) / 16 * 2 };
    uint8_t want[BYTES] = {0};
    for (int i = 0; i < BITS; i++)
        if (labels[frames[i / PIXELS][1] * PIXELS + i % PIXELS] == frames[i / PIXELS][0])
            want[i / 8] = (uint8_t)(want[i / 8] | 1 << i % 8);
    size_t size = 0;
    uint8_t *bytes = get_file(write_seg("bits.dcm", &v), &size);
    static const uint8_t head[] = {0xE0, 0x7F, 0x10, 0x00, 'O', 'B', 0, 0, BYTES, 0, 0, 0};
    assert_true(size > sizeof head + BYTES && memcmp(bytes + 128, "DICM", 4) == 0);
    assert_memory_equal(bytes + size - BYTES - sizeof head, head, sizeof head);
    assert_memory_equal(bytes + size - BYTES, want, BYTES);
    tpp_free(bytes);
    tpp_volume_free(&v);
}

static bool holds(const uint8_t *bytes, size_t size, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= size; i++)
        if (memcmp(bytes + i, text, strlen(text)) == 0) return true;
    return false;
}

static void it_belongs_to_its_patient_and_images(void **state)
{
    (void)state;
    tpp_volume v;
    read_series(&v, "belongs");
    paint();
    size_t size = 0;
    uint8_t *bytes = get_file(write_seg("belongs.dcm", &v), &size);
    static const char *const texts[] = {"1.2.840.10008.5.1.4.1.1.66.4",
                                        "Secret^Name",
                                        "SECRETID",
                                        "1.2.3.4",
                                        "1.2.3.9",
                                        "1.2.3.1.2",
                                        "1.2.3.1.4",
                                        "AUTOMATIC",
                                        "TPP 0.1.0",
                                        "BINARY",
                                        "10200004",
                                        "left kidney",
                                        "20200102",
                                        "Research software, not a medical device"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!holds(bytes, size, texts[i])) fail_msg("the object does not hold \"%s\"", texts[i]);
    tpp_free(bytes);
    /* It is a segmentation, and no image. */
    tpp_volume w = {0};
    ASSERT_FAILS(tpp_dicom_read(&w, scratch("belongs.dcm"), NULL), TPP_EUNSUPPORTED, "belongs.dcm",
                 "a segmentation (SEG)");
    assert_not_said("ecret");
    tpp_volume_free(&v);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    tpp_volume v;
    read_series(&v, "same");
    paint();
    size_t size[3];
    uint8_t *bytes[3];
    bytes[0] = get_file(write_seg("same1.dcm", &v), &size[0]);
    bytes[1] = get_file(write_seg("same2.dcm", &v), &size[1]);
    labels[PIXELS] = 0; /* another segmentation: other UIDs */
    bytes[2] = get_file(write_seg("same3.dcm", &v), &size[2]);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    assert_true(memcmp(bytes[0], bytes[2], size[0] / 2) != 0);
    for (int i = 0; i < 3; i++) tpp_free(bytes[i]);
    tpp_volume_free(&v);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    tpp_volume v;
    read_series(&v, "refused");
    paint();
    const char *path = scratch("refused.dcm");
    ASSERT_FAILS(tpp_dicom_write_seg(path, &v, labels, segments, 1, "0"), TPP_EUSAGE, path,
                 "label 7 belongs to no segment");
    ASSERT_FAILS(tpp_dicom_write_seg(path, &v, labels, segments, 0, "0"), TPP_EUSAGE, path,
                 "without segments");
    tpp_dicom_segment twice[] = {segments[0], segments[0]};
    ASSERT_FAILS(tpp_dicom_write_seg(path, &v, labels, twice, 2, "0"), TPP_EUSAGE, path, "doubled");
    const tpp_volume nifti = {.dim = {SIDE, SIDE, SLICES, 1}};
    ASSERT_FAILS(tpp_dicom_write_seg(path, &nifti, labels, segments, 2, "0"), TPP_EUSAGE, path,
                 "the input was none");
    assert_false(tpp_path_exists(path));
    ASSERT_FAILS(tpp_dicom_write_seg(scratch("no/where.dcm"), &v, labels, segments, 2, "0"),
                 TPP_EIO, "where.dcm", "");
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        assert_false(tpp_path_exists(path));
        tpp_alloc_fail_after(n);
        s = tpp_dicom_write_seg(path, &v, labels, segments, 2, "0");
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_no_temporary();
    }
    assert_in_range(n, 2, 100);
    tpp_volume_free(&v);
}

/* Slices that stand in for missing ones have no image to refer to. */
static void slices_that_are_missing_get_no_frame(void **state)
{
    (void)state;
    tpp_volume v;
    read_series(&v, "lost");
    tpp_volume_free(&v);
    assert_int_equal(remove(scratch("lost/8.dcm")), 0);
    ASSERT_OK(tpp_dicom_read(&v, scratch("lost"), NULL));
    assert_int_equal(v.dim[2], SLICES);
    paint();
    maker_log_clear();
    size_t size = 0;
    uint8_t *bytes = get_file(write_seg("lost.dcm", &v), &size);
    assert_said("labels in slices that the series lacks");
    assert_false(holds(bytes, size, "1.2.3.1.2"));
    assert_true(holds(bytes, size, "1.2.3.1.4"));
    tpp_free(bytes);
    tpp_volume_free(&v);
}

/* ---- what others make of it ---- */

/* A film of ultrasound: nothing in it has a place. */
static const char *write_film(void)
{
    maker m = maker_default();
    m.sop_class = "1.2.840.10008.5.1.4.1.1.3.1";
    m.modality = "US";
    m.is_placed = false;
    m.frame_of_reference = NULL;
    m.rows = m.columns = SIDE;
    m.frames = SLICES;
    m.allocated = m.stored = 8;
    m.is_signed = 0;
    m.frame_time = "40";
    tpp_volume v = {0};
    ASSERT_OK(tpp_dicom_read(&v, maker_put("film.dcm", &m, 0, NULL), NULL));
    assert_true(v.is_sequence);
    paint();
    const char *path = write_seg("film_seg.dcm", &v);
    tpp_volume_free(&v);
    return path;
}

static void write_cases(const char *paths[2], const char *raws[2])
{
    static const char *const names[] = {"others.dcm", "blank.dcm"}, *const raw[] = {"others",
                                                                                    "blank"};
    tpp_volume v;
    read_series(&v, "cases");
    for (int i = 0; i < 2; i++) {
        paint();
        if (i == 1) memset(labels, 0, sizeof labels); /* nothing was found */
        paths[i] = write_seg(names[i], &v);
        raws[i] = put_file(raw[i], labels, sizeof labels);
    }
    tpp_volume_free(&v);
}

static void dciodvfy_finds_no_error(void **state)
{
    (void)state;
    if (system("command -v dciodvfy >/dev/null 2>&1") != 0) {
        print_message("[  SKIPPED ] dciodvfy (package dicom3tools) is not there\n");
        skip();
    }
    const char *paths[3], *raws[2];
    write_cases(paths, raws);
    paths[2] = write_film();
    for (int i = 0; i < 3; i++) {
        char command[512];
        (void)snprintf(command, sizeof command,
                       "dciodvfy %s 2>&1 | grep -E '^(Error|Abort)' >&2; dciodvfy %s 2>&1 | "
                       "grep -q '^Segmentation'",
                       paths[i], paths[i]);
        assert_int_equal(system(command), 0); /* it knows the object */
        (void)snprintf(command, sizeof command, "dciodvfy %s 2>&1 | grep -qE '^(Error|Abort)'",
                       paths[i]);
        assert_int_not_equal(system(command), 0);
    }
}

static void highdicom_reads_the_same_labels(void **state)
{
    (void)state;
    const char *python = getenv("TPP_TEST_PYTHON");
    char command[768];
    if (python == NULL) python = "python3";
    (void)snprintf(command, sizeof command, "%s -c 'import highdicom' >/dev/null 2>&1", python);
    if (system(command) != 0) {
        print_message("[  SKIPPED ] Python's highdicom is not there (TPP_TEST_PYTHON)\n");
        skip();
    }
    const char *paths[2], *raws[2];
    write_cases(paths, raws);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(command, sizeof command,
                       "%s -W ignore %s/tests/io/dicom_seg_check.py %s %s %d 30 2 3 7", python,
                       TPP_SOURCE_DIR, paths[i], raws[i], SLICES);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_packed_bit_by_bit),
        cmocka_unit_test(it_belongs_to_its_patient_and_images),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(slices_that_are_missing_get_no_frame),
        cmocka_unit_test(dciodvfy_finds_no_error),
        cmocka_unit_test(highdicom_reads_the_same_labels),
    };
    if (tpp_dicom_library() == NULL) {
        print_message("[  SKIPPED ] built without DCMTK\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
