/* MetaImage: types, storage, geometry, time, clips of ultrasound, results, and what is refused.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/metaimage.h"
#include "text_maker.h"

enum { COUNT = 24 };
static const char start[] = "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\n"
                            "ElementType = MET_UCHAR\n";

static void ramp(uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)i;
}

/* A header of `header` and more lines, LOCAL, before `n` ascending bytes. */
static const char *put_ramp(const char *name, const char *header, const char *more, size_t n)
{
    char text[1024];
    uint8_t bytes[256];
    ramp(bytes, n);
    (void)snprintf(text, sizeof text, "%s%sElementDataFile = LOCAL\n", header, more);
    return put_text(name, text, bytes, n);
}

/* A result's header says how many bytes follow it, which ITK goes by. */
static void assert_packed_size(const char *path)
{
    static const char size_key[] = "\nCompressedDataSize = ",
                      last[] = "\nElementDataFile = LOCAL\n";
    size_t size = 0;
    char *text = NULL;
    ASSERT_OK(tpp_file_read(&text, &size, path, 1 << 20));
    const char *at = strstr(text, size_key), *end = strstr(text, last);
    assert_true(at != NULL && end != NULL);
    if (strtoul(at + sizeof size_key - 1, NULL, 10) !=
        size - (size_t)(end - text) - sizeof last + 1)
        fail_msg("%s: %.40s; of %zu bytes", path, at + 1, size);
    tpp_free(text);
}

enum { RAW, ZLIB, GZIP, TEXT, STORAGES };

static void check_type(const voxel_case *c, bool big, int storage)
{
    char header[512], text[64];
    uint8_t bytes[16];
    uint8_t *packed = NULL;
    size_t size = 2 * c->size;
    const void *data = bytes;
    put_values(bytes, c, big);
    (void)snprintf(header, sizeof header,
                   "NDims = 2\nDimSize = 2 1\nElementType = %s\n%s = %s\nBinaryData = %s\n"
                   "CompressedData = %s\nElementDataFile = LOCAL\n",
                   c->meta, big ? "BinaryDataByteOrderMSB" : "ElementByteOrderMSB",
                   big ? "True" : "False", storage == TEXT ? "False" : "True",
                   storage == ZLIB || storage == GZIP ? "True" : "False");
    if (storage == ZLIB || storage == GZIP) {
        packed = pack(&size, bytes, size, storage == ZLIB);
        data = packed;
    } else if (storage == TEXT) {
        size = (size_t)snprintf(text, sizeof text, "%.17g %.17g\n", c->value[0], c->value[1]);
        data = text;
    }
    tpp_volume v = {0};
    read_volume(&v, put_text("type.mha", header, data, size));
    assert_string_equal(v.datatype, c->name);
    assert_true(v.format == TPP_VOLUME_METAIMAGE && v.voxel_count == 2);
    for (int i = 0; i < 2; i++) assert_true(v.voxels[i] == (float)c->value[i]);
    tpp_volume_free(&v);
    tpp_free(packed);
}

static void every_type_storage_and_byte_order_is_read(void **state)
{
    (void)state;
    for (int t = 0; t < VOXEL_CASES; t++)
        for (int storage = 0; storage < STORAGES; storage++)
            for (int big = 0; big < 2; big++) check_type(&voxel_cases[t], big == 1, storage);
}

static void geometry_becomes_ras(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        double want[12];
        tpp_affine_source source;
    } cases[] = {
        {"TransformMatrix = 0 1 0 1 0 0 0 0 -1\nOffset = 1 2 3\nElementSpacing = 2 3 5\n",
         {0, -3, 0, -1, -2, 0, 0, -2, 0, 0, -5, 3},
         TPP_AFFINE_FILE},
        {"Orientation = 1 0 0 0 1 0 0 0 1\nPosition = 1 2 3\nElementSize = 2 3 5\n",
         {-2, 0, 0, -1, 0, -3, 0, -2, 0, 0, 5, 3},
         TPP_AFFINE_FILE},
        {"AnatomicalOrientation = LPI\nElementSpacing = 2 3 5\n",
         {2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 5, 0},
         TPP_AFFINE_FILE},
        {"AnatomicalOrientation = ???\n",
         {-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0},
         TPP_AFFINE_PIXDIM},
        {"", {-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0}, TPP_AFFINE_PIXDIM},
        /* The matrix is what ITK goes by. */
        {"AnatomicalOrientation = LPI\nRotation = 1 0 0 0 1 0 0 0 1\n",
         {-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0},
         TPP_AFFINE_FILE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tpp_volume v = {0};
        read_volume(&v, put_ramp("g.mha", start, cases[i].lines, COUNT));
        assert_affine(&v, cases[i].want);
        assert_int_equal(v.affine_source, cases[i].source);
        tpp_volume_free(&v);
    }
}

static void voxels_may_lie_in_another_file(void **state)
{
    (void)state;
    char header[256];
    uint8_t bytes[3 + COUNT] = "abc";
    size_t size = 0;
    ramp(bytes + 3, COUNT);
    put_file("v.raw", bytes, sizeof bytes);
    uint8_t *packed = pack(&size, bytes + 3, COUNT, true);
    put_file("v.zraw", packed, size);
    static const char *const ends[] = {"HeaderSize = 3\nElementDataFile = v.raw\n",
                                       "HeaderSize = -1\nElementDataFile = v.raw\n",
                                       "CompressedData = True\nElementDataFile = v.zraw\n"};
    for (int i = 0; i < 3; i++) {
        tpp_volume v = {0};
        (void)snprintf(header, sizeof header, "%s%s", start, ends[i]);
        read_volume(&v, put_text("v.mhd", header, NULL, 0));
        assert_true(v.voxels[0] == 0 && v.voxels[23] == 23);
        /* The result is one file, whatever the input was. */
        const char *out = scratch("v_out.mha");
        ASSERT_OK(tpp_volume_write_labels(out, &v, bytes + 3));
        tpp_volume back = {0};
        read_volume(&back, out);
        assert_memory_equal(back.voxels, v.voxels, COUNT * sizeof(float));
        tpp_volume_free(&back);
        tpp_volume_free(&v);
    }
    tpp_free(packed);
    tpp_volume v = {0};
    ASSERT_FAILS(tpp_volume_read(&v, scratch("v.raw"), NULL), TPP_EUNSUPPORTED, "v.raw", "v.mhd");
}

static void clips_of_ultrasound(void **state)
{
    (void)state;
    tpp_volume v = {0};
    read_volume(&v, put_ramp("us.mha", start,
                             "Kinds = domain domain   list\nUltrasoundImageOrientation = MFA\n"
                             "ElementNumberOfChannels = 3\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n"
                             "Seq_Frame0000_ImageStatus = OK\n",
                             3 * COUNT));
    assert_true(v.is_sequence && v.channels == 3 && v.dim[2] == 2);
    assert_string_equal(v.modality, "US");
    assert_affine(&v, (double[]){-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0});
    for (int i = 0; i < 3 * COUNT; i++) assert_true(v.voxels[i] == (float)i);
    read_volume(&v,
                put_ramp("us.mha", start,
                         "Kinds = domain domain domain\nSeq_Frame0000_ImageStatus = OK\n", COUNT));
    assert_true(!v.is_sequence);
    read_volume(&v, put_ramp("us.mha", "NDims = 2\nDimSize = 4 3\nElementType = MET_UCHAR\n",
                             "Seq_Frame0000_ImageStatus = OK\nOffset = 1 2\nElementSpacing = 2 3\n"
                             "TransformMatrix = 1 0 0 1\n",
                             12));
    assert_true(v.is_sequence && v.dim[2] == 1);
    assert_affine(&v, (double[]){-2, 0, 0, -1, 0, -3, 0, -2, 0, 0, 1, 0});
    tpp_volume_free(&v);
}

static const char four[] =
    "NDims = 4\nDimSize = 4 3 2 3\nElementType = MET_UCHAR\n"
    "TransformMatrix = 0 1 0 0 1 0 0 0 0 0 1 0 0 0 0 1\n"
    "Offset = 1 2 3 0\nCenterOfRotation = 0 0 0 0\nElementSpacing = 2 3 5 1\n";

static void time_is_chosen_and_left_out_of_results(void **state)
{
    (void)state;
    tpp_volume v = {0}, back = {0};
    const char *path = put_ramp("t.mha", four, "", 3 * COUNT), *out = scratch("t_out.mha");
    ASSERT_FAILS(tpp_volume_read(&v, path, NULL), TPP_EUSAGE, path, "3 time points");
    ASSERT_OK(tpp_volume_read(&v, path, &(tpp_volume_options){.time = 2}));
    assert_true(v.dim[3] == 3 && v.voxels[0] == 2 * COUNT && v.voxels[23] == 3 * COUNT - 1);
    uint8_t labels[COUNT];
    ramp(labels, COUNT);
    ASSERT_OK(tpp_volume_write_labels(out, &v, labels));
    char *text = get_text(out);
    static const char want[] = "NDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\n"
                               "TransformMatrix = 0 1 0 1 0 0 0 0 1\nOffset = 1 2 3\n"
                               "CenterOfRotation = 0 0 0\nElementSpacing = 2 3 5\n"
                               "BinaryData = True\nBinaryDataByteOrderMSB = False\n"
                               "CompressedData = True\nCompressedDataSize = ";
    assert_memory_equal(text, want, sizeof want - 1);
    assert_packed_size(out);
    tpp_free(text);
    read_volume(&back, out);
    assert_memory_equal(back.affine.m, v.affine.m, sizeof v.affine.m);
    assert_true(back.voxels[23] == 23);
    tpp_volume_free(&back);
    tpp_volume_free(&v);
}

static void one_slice_in_time_is_a_clip(void **state)
{
    (void)state;
    tpp_volume v = {0}, back = {0};
    const char *path =
        put_ramp("clip.mha", "NDims = 4\nDimSize = 4 3 1 2\nElementType = MET_UCHAR\n", "", COUNT);
    read_volume(&v, path);
    assert_true(v.is_sequence && v.dim[2] == 2 && v.dim[3] == 1 && v.voxels[23] == 23);
    uint8_t labels[COUNT];
    ramp(labels, COUNT);
    ASSERT_OK(tpp_volume_write_labels(scratch("clip_out.mha"), &v, labels));
    read_volume(&back, scratch("clip_out.mha"));
    assert_true(back.is_sequence && back.dim[2] == 2 && back.voxels[23] == 23);
    assert_non_null(strstr((const char *)back.header, "NDims = 4\nDimSize = 4 3 1 2\n"));
    tpp_volume_free(&back);
    tpp_volume_free(&v);
}

static void a_result_changes_no_other_line(void **state)
{
    (void)state;
    tpp_volume v = {0}, back = {0};
    read_volume(&v, put_ramp("r.mha", start,
                             "Comment  =  kept as it is \nBinaryDataByteOrderMSB = True\n"
                             "HeaderSize = -1\nOffset =  0.1 0.2   0.3\nElementMin = 0\nModality = "
                             "MET_MOD_CT\nOwn_Key = a = b\n",
                             COUNT));
    assert_string_equal(v.modality, "CT");
    float values[COUNT];
    for (int i = 0; i < COUNT; i++) values[i] = 1.0F / (float)(i + 3);
    const char *out = scratch("r_out.mha"), *again = scratch("r_again.mha");
    ASSERT_OK(tpp_volume_write_values(out, &v, values));
    ASSERT_OK(tpp_volume_write_values(again, &v, values));
    char *text = get_text(out);
    static const char want[] = "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\n"
                               "ElementType = MET_FLOAT\nComment  =  kept as it is \n"
                               "BinaryDataByteOrderMSB = False\nOffset =  0.1 0.2   0.3\n"
                               "Modality = MET_MOD_CT\nOwn_Key = a = b\nBinaryData = True\n"
                               "CompressedData = True\nCompressedDataSize = ";
    assert_memory_equal(text, want, sizeof want - 1);
    assert_packed_size(out);
    tpp_free(text);
    size_t size = 0, size2 = 0;
    uint8_t *a = get_file(out, &size), *b = get_file(again, &size2);
    assert_int_equal(size, size2);
    assert_memory_equal(a, b, size);
    tpp_free(a);
    tpp_free(b);
    read_volume(&back, out);
    assert_memory_equal(back.voxels, values, sizeof values);
    tpp_volume_free(&back);
    tpp_volume_free(&v);
}

static void scaling_is_applied(void **state)
{
    (void)state;
    tpp_volume v = {0};
    read_volume(&v, put_ramp("s.mha", start,
                             "ElementToIntensityFunctionSlope = 2\n"
                             "ElementToIntensityFunctionOffset = -1024\n",
                             COUNT));
    assert_true(v.voxels[23] == -978 && v.slope == 2 && v.intercept == -1024);
    tpp_volume_free(&v);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    enum { OBJECT, NDIMS, DIMSIZE, TYPE, FILE_NAME, MORE, LINES };
    static const char *const lines[MORE] = {"ObjectType = Image", "NDims = 3", "DimSize = 4 3 2",
                                            "ElementType = MET_UCHAR", "ElementDataFile = LOCAL"};
    static const struct {
        int line;
        const char *with;
        tpp_status status;
        const char *fact;
    } cases[] = {
        {OBJECT, "ObjectType = Tube", TPP_EUNSUPPORTED, "Tube"},
        {NDIMS, "", TPP_EFORMAT, "lacks NDims"},
        {NDIMS, "NDims = 1", TPP_EUNSUPPORTED, "NDims is 1"},
        {NDIMS, "NDims = 5", TPP_EUNSUPPORTED, "NDims is 5"},
        {NDIMS, "NDims = 2", TPP_EFORMAT, "wanted 2 numbers"},
        {NDIMS, "NDims = 2.5", TPP_EFORMAT, "whole number"},
        {NDIMS, "no key", TPP_EFORMAT, "key = value"},
        {DIMSIZE, "", TPP_EFORMAT, "DimSize"},
        {DIMSIZE, "DimSize = 4 3 0", TPP_EFORMAT, "from 1"},
        {DIMSIZE, "DimSize = 4 3 x", TPP_EFORMAT, "wanted 3 numbers"},
        {DIMSIZE, "DimSize = 4 3 1", TPP_EFORMAT, "goes on behind"},
        {DIMSIZE, "DimSize = 4 3 3", TPP_EFORMAT, "truncated"},
        {DIMSIZE, "DimSize = 2000000000 2000000000 2000000000", TPP_EFORMAT, "impossible"},
        {DIMSIZE, "DimSize = 2000000000 1000000 1", TPP_ENOMEM, "the limit"},
        {DIMSIZE, "DimSize = 4 3 2\nDimSize = 4 3 1", TPP_EFORMAT, "given twice"},
        {TYPE, "", TPP_EFORMAT, "lacks ElementType"},
        {TYPE, "ElementType = MET_UCHAR_ARRAY", TPP_EUNSUPPORTED, "MET_UCHAR_ARRAY"},
        {TYPE, "ElementType = MET_SHORT\nElementNumberOfChannels = 3", TPP_EUNSUPPORTED,
         "vectors of 3 int16"},
        {TYPE, "ElementType = MET_UCHAR\nElementNumberOfChannels = 2", TPP_EUNSUPPORTED,
         "vectors of 2 uint8"},
        {TYPE, "ElementType = MET_UCHAR\nElementNumberOfChannels = 0", TPP_EFORMAT, "Channels"},
        {TYPE, "ElementType = MET_UCHAR\nCompressedData = True", TPP_EFORMAT, "damaged"},
        {TYPE, "ElementType = MET_UCHAR\nCompressedData = True\nBinaryData = False", TPP_EFORMAT,
         "BinaryData = False"},
        {TYPE, "ElementType = MET_UCHAR\nCompressedData = True\nHeaderSize = -1", TPP_EFORMAT,
         "HeaderSize = -1"},
        {TYPE, "ElementType = MET_UCHAR\nHeaderSize = 9", TPP_EFORMAT, "HeaderSize"},
        {TYPE, "ElementType = MET_UCHAR\nElementSpacing = 1 0 1", TPP_EFORMAT, "ElementSpacing"},
        {TYPE, "ElementType = MET_UCHAR\nElementSpacing = 1 1", TPP_EFORMAT, "wanted 3 numbers"},
        {TYPE, "ElementType = MET_UCHAR\nOffset = 1 1 nan", TPP_EFORMAT, "nan"},
        {TYPE, "ElementType = MET_UCHAR\nTransformMatrix = 1 0 0 0 1 0 0 1 0", TPP_EFORMAT,
         "singular"},
        {TYPE, "ElementType = MET_UCHAR\nTransformMatrix = 1 0 0 1", TPP_EFORMAT, "wanted 9"},
        {FILE_NAME, "", TPP_EFORMAT, "no ElementDataFile"},
        {FILE_NAME, "ElementDataFile = LIST", TPP_EUNSUPPORTED, "LIST"},
        {FILE_NAME, "ElementDataFile = s%03d.raw 1 9 1", TPP_EUNSUPPORTED, "s%03d.raw"},
        {FILE_NAME, "ElementDataFile = /etc/passwd", TPP_EUNSUPPORTED, "/etc/passwd"},
        {FILE_NAME, "ElementDataFile = ../x.raw", TPP_EUNSUPPORTED, "../x.raw"},
        {FILE_NAME, "ElementDataFile = a/..", TPP_EUNSUPPORTED, "a/.."},
    };
    uint8_t bytes[COUNT];
    memset(bytes, 1, sizeof bytes);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        size_t n = 0;
        for (int l = 0; l < MORE; l++) {
            const char *line = l == cases[i].line ? cases[i].with : lines[l];
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", line,
                                  *line != '\0' ? "\n" : "");
        }
        const bool no_end = cases[i].line == FILE_NAME && cases[i].with[0] == '\0';
        const char *path = put_text("bad.mha", text, bytes, no_end ? 0 : COUNT);
        tpp_volume v = {0};
        ASSERT_FAILS(tpp_volume_read(&v, path, NULL), cases[i].status, path, cases[i].fact);
        assert_null(v.header);
    }
}

static void every_cut_is_seen(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t labels[COUNT] = {0};
    tpp_volume v = {0};
    read_volume(&v, put_ramp("whole.mha", start, "", COUNT));
    ASSERT_OK(tpp_volume_write_labels(scratch("packed.mha"), &v, labels));
    tpp_volume_free(&v);
    uint8_t *whole = get_file(scratch("packed.mha"), &size);
    for (size_t n = 0; n < size; n++) {
        const char *path = put_file("cut.mha", whole, n);
        if (tpp_volume_read(&v, path, NULL) == TPP_OK) fail_msg("cut to %zu bytes, and read", n);
        if (strstr(tpp_error(), "cut.mha") == NULL) fail_msg("does not name it: %s", tpp_error());
    }
    tpp_free(whole);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *path = put_ramp("a.mha", start, "Offset = 1 2 3\n", COUNT);
    int64_t n = 0;
    tpp_status s = TPP_ENOMEM;
    for (; s != TPP_OK; n++) {
        tpp_volume v = {0};
        tpp_alloc_fail_after(n);
        s = tpp_metaimage_read(&v, path, NULL);
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK && s != TPP_ENOMEM) fail_msg("allocation %ld: %d", (long)n, (int)s);
        tpp_volume_free(&v);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_storage_and_byte_order_is_read),
        cmocka_unit_test(geometry_becomes_ras),
        cmocka_unit_test(voxels_may_lie_in_another_file),
        cmocka_unit_test(clips_of_ultrasound),
        cmocka_unit_test(time_is_chosen_and_left_out_of_results),
        cmocka_unit_test(one_slice_in_time_is_a_clip),
        cmocka_unit_test(a_result_changes_no_other_line),
        cmocka_unit_test(scaling_is_applied),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
