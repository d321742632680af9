/* Finds out what a file is, by its first bytes and then by its name, and calls the format's reader.
 * SPDX-License-Identifier: MIT */
#include "io/volume_file.h"

#include "core/path.h"
#include "core/str.h"
#include "io/dicom.h"
#include "io/gzip.h"
#include "io/metaimage.h"
#include "io/nifti.h"
#include "io/nifti_header.h"
#include "io/nrrd.h"

#include <stddef.h>
#include <string.h>

typedef enum kind {
    KIND_NONE,
    KIND_NIFTI,
    KIND_NRRD,
    KIND_METAIMAGE,
    KIND_DICOM,
    KIND_DATA /* voxels of a pair, whose header is another file */
} kind;

enum { DICM_AT = 128 }; /* of DICOM's mark; files without it are tpp_dicom_is's to know */

static const struct {
    const char *suffix;
    kind kind;
} suffixes[] = {
    {".nii", KIND_NIFTI},     {".nii.gz", KIND_NIFTI}, {".hdr", KIND_NIFTI},
    {".hdr.gz", KIND_NIFTI},  {".img", KIND_NIFTI},    {".img.gz", KIND_NIFTI},
    {".nrrd", KIND_NRRD},     {".nhdr", KIND_NRRD},    {".mha", KIND_METAIMAGE},
    {".mhd", KIND_METAIMAGE}, {".dcm", KIND_DICOM},    {".raw", KIND_DATA},
    {".zraw", KIND_DATA},     {".raw.gz", KIND_DATA},
};

static kind kind_of_name(const char *path)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (tpp_path_has_suffix(path, suffixes[i].suffix)) return suffixes[i].kind;
    return KIND_NONE;
}

/* A file that cannot be read has no content; its reader will say why. */
static kind kind_of_content(const char *path)
{
    uint8_t bytes[TPP_NIFTI1_SIZE] = {0};
    size_t got = 0;
    tpp_gzip *g = NULL;
    if (tpp_gzip_open(&g, path) != TPP_OK) return KIND_NONE;
    const bool plain = tpp_gzip_is_plain(g);
    if (tpp_gzip_read(g, bytes, sizeof bytes, &got) != TPP_OK) got = 0;
    tpp_gzip_close(g);
    if (got == sizeof bytes && tpp_nifti_header_size(bytes) > 0) return KIND_NIFTI;
    if (!plain) return KIND_NONE;
    if (tpp_nrrd_begins((const char *)bytes, got)) return KIND_NRRD;
    if (tpp_metaimage_begins((const char *)bytes, got)) return KIND_METAIMAGE;
    if (got >= DICM_AT + 4 && memcmp(bytes + DICM_AT, "DICM", 4) == 0) return KIND_DICOM;
    return KIND_NONE;
}

static kind kind_of(const char *path)
{
    if (tpp_path_is_folder(path)) return tpp_dicom_is(path) ? KIND_DICOM : KIND_NONE;
    const kind content = kind_of_content(path);
    if (content != KIND_NONE) return content;
    const kind name = kind_of_name(path);
    if (name != KIND_NONE) return name;
    return tpp_path_exists(path) && tpp_dicom_is(path) ? KIND_DICOM : KIND_NONE;
}

bool tpp_volume_is(const char *path)
{
    return kind_of(path) != KIND_NONE;
}

/* "a.mhd" beside "a.raw", if it is there. */
static tpp_status find_header(tpp_str *out, const char *path)
{
    static const char *const ends[] = {".mhd", ".nhdr", ".hdr"};
    const char *base = tpp_path_base(path), *dot = strchr(base, '.');
    const char *last = strrchr(base, '.');
    for (size_t i = 0; i < 2 * (sizeof ends / sizeof *ends) && dot != NULL; i++) {
        out->length = 0;
        tpp_str_add(out, path, (size_t)((i % 2 == 0 ? last : dot) - path));
        tpp_str_format(out, "%s", ends[i / 2]);
        if (out->status != TPP_OK) return TPP_ENOMEM;
        if (tpp_path_exists(out->text)) return TPP_OK;
    }
    out->length = 0;
    return TPP_OK;
}

static tpp_status refuse_data(const char *path)
{
    tpp_str header = {0};
    tpp_status s = find_header(&header, path);
    if (s == TPP_OK && header.length > 0)
        s = TPP_FAIL(TPP_EUNSUPPORTED, "%s: voxels without a header; give %s instead", path,
                     header.text);
    else if (s == TPP_OK)
        s = TPP_FAIL(TPP_EUNSUPPORTED,
                     "%s: voxels without a header, which says how many and of what type; give the "
                     ".mhd or .nhdr file that names it",
                     path);
    tpp_str_free(&header);
    return s;
}

tpp_status tpp_volume_read(tpp_volume *out, const char *path, const tpp_volume_options *o)
{
    static const tpp_volume_options defaults = {.time = -1};
    if (o == NULL) o = &defaults;
    if (!tpp_path_exists(path))
        return TPP_FAIL(TPP_EIO, "%s: there is no such file or folder", path);
    switch (kind_of(path)) {
    case KIND_NIFTI:
        return tpp_nifti_read(out, path, o);
    case KIND_NRRD:
        return tpp_nrrd_read(out, path, o);
    case KIND_METAIMAGE:
        return tpp_metaimage_read(out, path, o);
    case KIND_DICOM:
        return tpp_dicom_read(out, path, o);
    case KIND_DATA:
        return refuse_data(path);
    case KIND_NONE:
        break;
    }
    return TPP_FAIL(TPP_EFORMAT, "%s: no volume: neither NIfTI, NRRD, MetaImage nor DICOM", path);
}

const char *tpp_volume_suffix(const tpp_volume *like)
{
    switch (like->format) {
    case TPP_VOLUME_NRRD:
        return ".nrrd";
    case TPP_VOLUME_METAIMAGE:
        return ".mha";
    case TPP_VOLUME_NIFTI:
    case TPP_VOLUME_DICOM:
        break;
    }
    return ".nii.gz";
}

const char *tpp_volume_format_text(tpp_volume_format format)
{
    switch (format) {
    case TPP_VOLUME_NIFTI:
        return "NIfTI";
    case TPP_VOLUME_NRRD:
        return "NRRD";
    case TPP_VOLUME_METAIMAGE:
        return "MetaImage";
    case TPP_VOLUME_DICOM:
        return "DICOM";
    }
    return "?";
}

tpp_status tpp_volume_write_labels(const char *path, const tpp_volume *like, const uint8_t *labels)
{
    if (like->format == TPP_VOLUME_NRRD) return tpp_nrrd_write(path, like, labels, NULL);
    if (like->format == TPP_VOLUME_METAIMAGE) return tpp_metaimage_write(path, like, labels, NULL);
    return tpp_nifti_write_labels(path, like, labels);
}

tpp_status tpp_volume_write_values(const char *path, const tpp_volume *like, const float *values)
{
    if (like->format == TPP_VOLUME_NRRD) return tpp_nrrd_write(path, like, NULL, values);
    if (like->format == TPP_VOLUME_METAIMAGE) return tpp_metaimage_write(path, like, NULL, values);
    return tpp_nifti_write_values(path, like, values);
}
