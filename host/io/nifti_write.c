/* Writes label volumes as NIfTI, plain or gzip.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "io/gzip.h"
#include "io/nifti.h"
#include "io/nifti_header.h"

static tpp_status write_plain(tpp_out_file *f, const uint8_t *header, size_t header_size,
                              const uint8_t *labels, size_t count)
{
    (void)fwrite(header, 1, header_size, f->stream); /* short writes show at commit */
    (void)fwrite(labels, 1, count, f->stream);
    return tpp_out_commit(f);
}

static tpp_status write_gzip(tpp_out_file *f, const uint8_t *header, size_t header_size,
                             const uint8_t *labels, size_t count)
{
    tpp_gzip_out g = {0};
    tpp_status s = tpp_gzip_begin(&g, f->stream, f->path);
    if (s == TPP_OK) s = tpp_gzip_write(&g, header, header_size);
    if (s == TPP_OK) s = tpp_gzip_write(&g, labels, count);
    if (s == TPP_OK) s = tpp_gzip_finish(&g);
    tpp_gzip_discard(&g);
    if (s == TPP_OK) s = tpp_out_commit(f);
    return s;
}

tpp_status tpp_nifti_write_labels(const char *path, const tpp_volume *like, const uint8_t *labels)
{
    const bool gzip = tpp_path_has_suffix(path, ".nii.gz");
    if (!gzip && !tpp_path_has_suffix(path, ".nii"))
        return TPP_FAIL(TPP_EUSAGE, "%s: a label volume's name ends in .nii or .nii.gz", path);
    uint8_t *header = NULL;
    size_t header_size = 0;
    TPP_TRY(tpp_nifti_label_header(&header, &header_size, like));
    const size_t count = (size_t)(like->dim[0] * like->dim[1] * like->dim[2]);
    tpp_out_file f = {0};
    tpp_status s = tpp_out_open(&f, path);
    if (s == TPP_OK) s = (gzip ? write_gzip : write_plain)(&f, header, header_size, labels, count);
    tpp_out_discard(&f);
    tpp_free(header);
    return s;
}
