/* Fuzz target: host/io/dicom*: a file as a volume, and a segmentation that refers to it.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "fuzz.h"
#include "io/dicom.h"
#include "io/volume_file.h"

static void write_segmentation(const tpp_volume *v)
{
    static const tpp_dicom_segment segments[] = {{.label = 1, .name = "object", .rgb = {255, 0, 0}},
                                                 {.label = 2, .name = "other", .rgb = {0, 255, 0}}};
    uint8_t *labels = tpp_calloc((size_t)v->voxel_count, 1);
    FUZZ_CHECK(labels != NULL);
    for (int64_t i = 0; i < v->voxel_count; i++) labels[i] = (uint8_t)(i % 3);
    const char *path = fuzz_out(".dcm");
    tpp_volume none = {0};
    /* Refused where the image has no UID to refer to. */
    if (tpp_dicom_write_seg(path, v, labels, segments, 2, "fuzz") == TPP_OK) {
        FUZZ_CHECK(tpp_dicom_is(path));
        FUZZ_CHECK(tpp_dicom_read(&none, path, NULL) == TPP_EUNSUPPORTED); /* it is no image */
    }
    tpp_free(labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tpp_volume_options o = {.max_bytes = 1 << 18, .time = 0};
    const char *path = fuzz_file(0, data, size);
    tpp_volume v = {0};
    (void)tpp_dicom_is(path);
    if (tpp_dicom_read(&v, path, &o) != TPP_OK) return 0;
    FUZZ_CHECK(v.format == TPP_VOLUME_DICOM);
    fuzz_volume(&v);
    write_segmentation(&v);
    tpp_volume_free(&v);
    return 0;
}
