/* A copy of cl_kernels/ with one text replaced in one file: what a driver that compiles wrongly
 * would make of it. TPP_KERNEL_DIR is where programs look for it.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_PLANTED_KERNELS_H
#define TPP_TESTS_PLANTED_KERNELS_H

#include "core/path.h"
#include "core/str.h"
#include "unit.h"

#include <unistd.h>

/* `text`, which occurs once in `file`, becomes `instead`. */
typedef struct planted_fault {
    const char *file, *text, *instead;
} planted_fault;

/* Every element of a tile's product comes out 1e-3 too large (of each split, where there are
 * several), in gemm, conv2d and ffn. */
static const planted_fault planted_thousandth = {"gemm_tile.cl", "sums[i][j] = (float4)(0.0f);",
                                                 "sums[i][j] = (float4)(1e-3f);"};

static inline void planted_copy(const char *from, const char *to, const planted_fault *fault)
{
    char *text = NULL;
    size_t size = 0;
    tpp_str out = {0};
    UNIT_OK(tpp_file_read(&text, &size, from, 1 << 20));
    const char *at = fault != NULL ? strstr(text, fault->text) : NULL;
    if (fault != NULL && at == NULL) fail_msg("%s has no \"%s\"", from, fault->text);
    if (at != NULL) {
        tpp_str_add(&out, text, (size_t)(at - text));
        tpp_str_add(&out, fault->instead, strlen(fault->instead));
        at += strlen(fault->text);
        if (strstr(at, fault->text) != NULL) fail_msg("%s has \"%s\" twice", from, fault->text);
        tpp_str_add(&out, at, strlen(at));
        UNIT_OK(out.status);
        UNIT_OK(tpp_file_write(to, out.text, out.length));
    } else {
        UNIT_OK(tpp_file_write(to, text, size));
    }
    tpp_str_free(&out);
    tpp_free(text);
}

/* Fills the empty `folder`; `fault` NULL: with true copies. */
static inline void planted_make(const char *folder, const planted_fault *fault)
{
    tpp_names names = {0};
    UNIT_OK(tpp_path_list(&names, TPP_SOURCE_DIR "/cl_kernels", NULL));
    assert_true(names.count > 20);
    for (size_t i = 0; i < names.count; i++) {
        char *from = tpp_path_join(TPP_SOURCE_DIR "/cl_kernels", names.name[i]);
        char *to = tpp_path_join(folder, names.name[i]);
        const bool is_wrong = fault != NULL && strcmp(names.name[i], fault->file) == 0;
        planted_copy(from, to, is_wrong ? fault : NULL);
        tpp_free(from);
        tpp_free(to);
    }
    tpp_names_free(&names);
}

/* Removes the files that planted_make put there, and the folder. */
static inline void planted_remove(const char *folder)
{
    tpp_names names = {0};
    UNIT_OK(tpp_path_list(&names, folder, NULL));
    for (size_t i = 0; i < names.count; i++) {
        char *path = tpp_path_join(folder, names.name[i]);
        assert_int_equal(unlink(path), 0);
        tpp_free(path);
    }
    tpp_names_free(&names);
    assert_int_equal(rmdir(folder), 0);
}

#endif
