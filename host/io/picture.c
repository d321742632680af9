/* Which reader a picture is for: its first bytes say so, not its name.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/picture.h"

#include "core/path.h"
#include "io/jpeg.h"
#include "io/picture_file.h"
#include "io/png.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

tpp_status tpp_picture_file_open(FILE **out, const char *path)
{
    struct stat st;
    if (tpp_path_is_folder(path)) return TPP_FAIL(TPP_EIO, "%s: a folder, not a file", path);
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        (void)close(fd);
        return TPP_FAIL(TPP_EIO, "%s: not a regular file", path);
    }
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (file == NULL) {
        const tpp_status s = TPP_FAIL(TPP_EIO, "%s: cannot open: %s", path, strerror(errno));
        if (fd >= 0) (void)close(fd);
        return s;
    }
    *out = file;
    return TPP_OK;
}

bool tpp_picture_has_name(const char *path)
{
    static const char *const ends[] = {".png", ".jpg", ".jpeg"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (tpp_path_has_suffix(path, ends[i])) return true;
    return false;
}

typedef enum kind { KIND_PNG, KIND_JPEG } kind;

static tpp_status find_kind(kind *out, const char *path)
{
    static const unsigned char png[4] = {0x89, 'P', 'N', 'G'}, jpeg[3] = {0xFF, 0xD8, 0xFF};
    unsigned char start[4] = {0};
    FILE *file = NULL;
    TPP_TRY(tpp_picture_file_open(&file, path));
    const size_t got = fread(start, 1, sizeof start, file);
    const bool broken = ferror(file) != 0;
    (void)fclose(file);
    if (broken) return TPP_FAIL(TPP_EIO, "%s: cannot read: %s", path, strerror(errno));
    if (got == sizeof start && memcmp(start, png, sizeof png) == 0)
        *out = KIND_PNG;
    else if (got == sizeof start && memcmp(start, jpeg, sizeof jpeg) == 0)
        *out = KIND_JPEG;
    else
        return TPP_FAIL(TPP_EFORMAT, "%s: %s", path,
                        got == 0 ? "an empty file, no picture" : "neither a PNG nor a JPEG file");
    return TPP_OK;
}

tpp_status tpp_picture_read_head(tpp_picture_head *out, const char *path)
{
    kind k = KIND_PNG;
    TPP_TRY(find_kind(&k, path));
    return k == KIND_PNG ? tpp_png_read_head(out, path) : tpp_jpeg_read_head(out, path);
}

tpp_status tpp_picture_read(tpp_image *out, const char *path)
{
    kind k = KIND_PNG;
    TPP_TRY(find_kind(&k, path));
    return k == KIND_PNG ? tpp_png_read_any(out, path) : tpp_jpeg_read(out, path);
}
