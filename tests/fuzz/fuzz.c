/* Files in memory, and what has to hold for every volume that is read.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, nftw */
#include "fuzz.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/status.h"
#include "io/volume_file.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_failed(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s; last message: %s\n", file, line, what,
                  tpp_error());
    abort();
}

static void no_log(void *context, tpp_log_level level, const char *module, const char *text)
{
    (void)context;
    (void)level;
    (void)module;
    (void)text;
}

const char *fuzz_file(int slot, const uint8_t *data, size_t size)
{
    static int fd[2] = {-1, -1};
    static char path[2][64];
    if (fd[slot] < 0) {
        tpp_log_set(TPP_LOG_DEBUG, no_log, NULL); /* messages are made, and go nowhere */
        fd[slot] = memfd_create("fuzz", 0);
        (void)snprintf(path[slot], sizeof path[slot], "/proc/self/fd/%d", fd[slot]);
    }
    FUZZ_CHECK(ftruncate(fd[slot], 0) == 0);
    FUZZ_CHECK(pwrite(fd[slot], data, size, 0) == (ssize_t)size);
    return path[slot];
}

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_folder(void)
{
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, "/dev/shm/tpp-fuzz-XXXXXX");
        FUZZ_CHECK(mkdtemp(folder) != NULL);
        (void)atexit(remove_folder);
    }
    return folder;
}

const char *fuzz_out(const char *suffix)
{
    static char out[96];
    (void)snprintf(out, sizeof out, "%s/out%s", fuzz_folder(), suffix);
    return out;
}

const char *fuzz_named(const char *name, const uint8_t *data, size_t size)
{
    static char path[96];
    const char *bytes = fuzz_file(0, data, size);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    FUZZ_CHECK(symlink(bytes, path) == 0);
    return path;
}

/* Headers hold numbers in float or as text: what is read again may differ by rounding. */
static bool near(double a, double b, double scale)
{
    return fabs(a - b) <= 1e-4 * scale + 1e-30;
}

static void check_geometry(const tpp_volume *a, const tpp_volume *b)
{
    for (int i = 0; i < 3; i++) FUZZ_CHECK(a->dim[i] == b->dim[i]);
    /* The NIfTI file that is written beside a DICOM-SEG does not tell moments from places. */
    FUZZ_CHECK(a->is_sequence == b->is_sequence || a->format == TPP_VOLUME_DICOM);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++)
            FUZZ_CHECK(near(a->affine.m[i][j], b->affine.m[i][j],
                            j < 3 ? a->spacing_mm[j] : fabs(a->affine.m[i][3])));
}

static void check_values(const tpp_volume *v)
{
    int64_t none = 0;
    const int64_t n = v->voxel_count * (v->channels > 1 ? v->channels : 1);
    FUZZ_CHECK(v->voxel_count == v->dim[0] * v->dim[1] * v->dim[2]);
    for (int64_t i = 0; i < n; i++) none += !isfinite(v->voxels[i]);
    FUZZ_CHECK(none == v->nan_count);
}

void fuzz_volume(const tpp_volume *v)
{
    tpp_volume back = {0};
    check_values(v);
    uint8_t *labels = tpp_calloc((size_t)v->voxel_count, 1);
    FUZZ_CHECK(labels != NULL);
    for (int64_t i = 0; i < v->voxel_count; i++) labels[i] = (uint8_t)(i * 31 + 7);
    const char *path = fuzz_out(tpp_volume_suffix(v));
    FUZZ_CHECK(tpp_volume_write_labels(path, v, labels) == TPP_OK);
    FUZZ_CHECK(tpp_volume_read(&back, path, NULL) == TPP_OK);
    check_geometry(v, &back);
    /* DICOM comes back as NIfTI. */
    FUZZ_CHECK(back.format == (v->format == TPP_VOLUME_DICOM ? TPP_VOLUME_NIFTI : v->format));
    FUZZ_CHECK(back.channels == 1);
    for (int64_t i = 0; i < v->voxel_count; i++) FUZZ_CHECK(back.voxels[i] == labels[i]);
    tpp_volume_free(&back);
    tpp_free(labels);
}

void fuzz_picture(tpp_status head_status, const tpp_picture_head *head, tpp_status status,
                  tpp_image *image)
{
    uint64_t sum = 0;
    if (status != TPP_OK) {
        FUZZ_CHECK(image->pixels == NULL && image->deep == NULL);
        return;
    }
    FUZZ_CHECK(head_status == TPP_OK); /* a head that is refused has no pixels */
    FUZZ_CHECK(image->width == head->width && image->height == head->height);
    FUZZ_CHECK(image->channels == head->channels);
    FUZZ_CHECK(image->channels == 1 || image->channels == 3);
    FUZZ_CHECK((image->deep != NULL) == (head->bits > 8));
    FUZZ_CHECK((image->pixels == NULL) == (image->deep != NULL));
    const size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    for (size_t i = 0; i < n; i++) sum += image->deep != NULL ? image->deep[i] : image->pixels[i];
    FUZZ_CHECK(sum <= (uint64_t)UINT16_MAX * n); /* all of them are there */
    tpp_image_free(image);
}
