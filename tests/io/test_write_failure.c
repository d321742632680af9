/* A disk that fills up while a file is written: the message names the file, and neither it nor its
 * temporary form is left. The limit on a file's size stands in for the disk.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/nifti.h"
#include "io/png.h"
#include "io/safetensors.h"
#include "io/volume_file.h"
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>

enum { LIMIT = 10000, SIDE = 300, COUNT = SIDE * SIDE };
static uint8_t noise[COUNT]; /* does not compress below the limit */

static int setup(void **state)
{
    uint64_t seed = 11;
    for (size_t i = 0; i < COUNT; i++) noise[i] = (uint8_t)next_random(&seed);
    (void)signal(SIGXFSZ, SIG_IGN); /* so that write() fails instead */
    return scratch_setup(state);
}

/* Largest file this process may write; 0: as large as it likes. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static tpp_status write_labels(const char *path)
{
    const tpp_volume v = {.dim = {SIDE, SIDE, 1, 1},
                          .spacing_mm = {1, 1, 1},
                          .affine = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}}};
    return tpp_nifti_write_labels(path, &v, noise);
}

static tpp_status write_volume(const char *path, tpp_volume_format format)
{
    const tpp_volume v = {.format = format,
                          .dim = {SIDE, SIDE, 1, 1},
                          .spacing_mm = {1, 1, 1},
                          .affine = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}}};
    return tpp_volume_write_labels(path, &v, noise);
}

static tpp_status write_nrrd(const char *path)
{
    return write_volume(path, TPP_VOLUME_NRRD);
}

static tpp_status write_metaimage(const char *path)
{
    return write_volume(path, TPP_VOLUME_METAIMAGE);
}

static tpp_status write_png(const char *path)
{
    const tpp_image image = {.width = SIDE, .height = SIDE, .channels = 1, .pixels = noise};
    return tpp_png_write(path, &image);
}

static tpp_status write_tensors(const char *path)
{
    const tpp_safetensors_spec spec = {"a", TPP_SAFETENSORS_U8, 1, {COUNT}};
    tpp_safetensors_writer *w = NULL;
    TPP_TRY(tpp_safetensors_begin(&w, path, &spec, 1, NULL, 0));
    const tpp_status s = tpp_safetensors_append(w, "a", noise, COUNT);
    if (s == TPP_OK) return tpp_safetensors_commit(w);
    tpp_safetensors_discard(w);
    return s;
}

static tpp_status write_tensors_in_pieces(const char *path)
{
    const tpp_safetensors_spec spec = {"a", TPP_SAFETENSORS_U8, 1, {LIMIT}};
    tpp_safetensors_writer *w = NULL;
    TPP_TRY(tpp_safetensors_begin(&w, path, &spec, 1, NULL, 0));
    for (int i = 0; i < LIMIT; i += 100) {
        const tpp_status s = tpp_safetensors_append(w, "a", noise, 100);
        if (s == TPP_OK) continue;
        tpp_safetensors_discard(w);
        return s;
    }
    return tpp_safetensors_commit(w); /* the header made it too long by a few bytes */
}

static void every_writer_cleans_up(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tpp_status (*write)(const char *path);
    } writers[] = {{"a.nii", write_labels},
                   {"a.nii.gz", write_labels},
                   {"a.nrrd", write_nrrd},
                   {"a.mha", write_metaimage},
                   {"a.png", write_png},
                   {"a.safetensors", write_tensors},
                   {"b.safetensors", write_tensors_in_pieces}};
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        const char *path = scratch(writers[i].name);
        limit_files(LIMIT);
        const tpp_status s = writers[i].write(path);
        limit_files(0);
        ASSERT_FAILS(s, TPP_EIO, path, "cannot write");
        assert_false(tpp_path_exists(path));
        assert_no_temporary();
        ASSERT_OK(writers[i].write(path)); /* it was the limit */
        assert_true(tpp_path_exists(path));
    }
}

/* A file that is there already stays as it was when its successor cannot be written. */
static void an_older_file_survives(void **state)
{
    (void)state;
    const char *path = put_file("old.png", "old", 3);
    limit_files(LIMIT);
    const tpp_status s = write_png(path);
    limit_files(0);
    ASSERT_FAILS(s, TPP_EIO, path, "cannot write");
    size_t size = 0;
    uint8_t *bytes = get_file(path, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "old", 3);
    tpp_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_writer_cleans_up),
        cmocka_unit_test(an_older_file_survives),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
