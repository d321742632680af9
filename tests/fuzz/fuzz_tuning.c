/* Fuzz target: host/infer/tuning_file.c. The bytes as a file, and as the rows of one that is this
 * build's; a table that was read is the same when it is written and read again.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "fuzz.h"
#include "infer/tuning_file.h"

#include <stdio.h>
#include <string.h>

static const tpp_caps caps = {.name = "d", .platform = "p", .driver = "1", .compute_units = 1};

static void read_again(const tpp_tuning *t)
{
    tpp_tuning *back = NULL;
    const char *path = fuzz_out(".yaml");
    FUZZ_CHECK(tpp_tuning_write(t, path, &caps) == TPP_OK);
    FUZZ_CHECK(tpp_tuning_read(&back, path, &caps) == TPP_OK && back != NULL);
    for (int i = 0; tpp_tuning_at(t, i) != NULL; i++) {
        const tpp_tuned *a = tpp_tuning_at(t, i), *b = tpp_tuning_at(back, i);
        FUZZ_CHECK(b != NULL && a->op == b->op && a->algorithm == b->algorithm);
        FUZZ_CHECK(strcmp(a->bucket, b->bucket) == 0);
        FUZZ_CHECK(memcmp(&a->params, &b->params, sizeof(a->params)) == 0);
    }
    tpp_tuning_close(back);
}

static void read_file(const char *path)
{
    tpp_tuning *t = NULL;
    const tpp_status s = tpp_tuning_read(&t, path, &caps);
    FUZZ_CHECK(s == TPP_OK || t == NULL);
    int rows = 0;
    for (; t != NULL && tpp_tuning_at(t, rows) != NULL; rows++) {
        const tpp_tuned *row = tpp_tuning_at(t, rows);
        FUZZ_CHECK(row->op != NULL && row->algorithm != NULL);
        FUZZ_CHECK(tpp_op_algorithm(row->op, row->algorithm->name) == row->algorithm);
        for (int i = 0; i < TPP_MAX_PARAMS; i++)
            FUZZ_CHECK(row->params.n[i] >= 0 &&
                       (row->params.n[i] == 0 || row->algorithm->param[i] != NULL));
    }
    FUZZ_CHECK(rows <= TPP_TUNING_MAX_ROWS);
    if (t != NULL) read_again(t);
    tpp_tuning_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *whole = NULL;
    read_file(fuzz_file(0, data, size));
    whole = tpp_calloc(size + 256, 1);
    FUZZ_CHECK(whole != NULL);
    const int n = snprintf(whole, 256,
                           "format: tpp-tuning-1\ndevice: d\nplatform: p\ndriver: '1'\n"
                           "compute_units: 1\nengine: %s\nrows:\n",
                           tpp_engine_text());
    memcpy(whole + n, data, size);
    read_file(fuzz_file(1, (const uint8_t *)whole, size + (size_t)n));
    tpp_free(whole);
    return 0;
}
