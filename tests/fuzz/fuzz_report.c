/* Fuzz target: readers of report.json (host/infer/case_key.c, out_folder.c) in a folder of results
 * that holds one. Whatever it lists, nothing outside of the folder is removed.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/mem.h"
#include "core/path.h"
#include "fuzz.h"
#include "infer/case_key.h"
#include "infer/out_folder.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 128 };

/* "report.json" in the folder of results, say; the next call ends it. */
static const char *in_case(const char *name)
{
    static char path[LONGEST];
    (void)snprintf(path, sizeof path, "%s/case/%s", fuzz_folder(), name);
    return path;
}

/* The folder as a run leaves it; `beside` is no result. */
static void make_case(const char *beside, const uint8_t *report, size_t size)
{
    static const char *const names[] = {"a.png", "masks/b.png", "kept.txt"};
    FUZZ_CHECK(tpp_path_make_folder(in_case("masks")) == TPP_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        FILE *f = fopen(in_case(names[i]), "wb");
        FUZZ_CHECK(f != NULL && fputs("result", f) >= 0 && fclose(f) == 0);
    }
    FILE *f = fopen(in_case("report.json"), "wb");
    FUZZ_CHECK(f != NULL && fwrite(report, 1, size, f) == size && fclose(f) == 0);
    f = fopen(beside, "wb");
    FUZZ_CHECK(f != NULL && fclose(f) == 0);
}

static void replace(const char *folder)
{
    tpp_out_folder o = {0};
    char *made = NULL;
    FUZZ_CHECK(tpp_out_folder_open(&o, folder, true) == TPP_OK);
    FUZZ_CHECK(tpp_out_folder_file(&o, &made, "report.json") == TPP_OK);
    FILE *f = fopen(made, "wb");
    FUZZ_CHECK(f != NULL && fputs("{}", f) >= 0 && fclose(f) == 0);
    FUZZ_CHECK(tpp_out_folder_commit(&o) == TPP_OK);
    tpp_free(made);
    tpp_out_folder_discard(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_sha256 key;
    char folder[LONGEST], beside[LONGEST];
    bool done = false;
    memset(key.hex, 'a', sizeof key.hex - 1);
    key.hex[sizeof key.hex - 1] = '\0';
    (void)fuzz_file(0, data, 0); /* silences the log */
    (void)snprintf(folder, sizeof folder, "%s/case", fuzz_folder());
    (void)snprintf(beside, sizeof beside, "%s/beside", fuzz_folder());
    make_case(beside, data, size);
    FUZZ_CHECK(tpp_case_is_done(&done, folder, &key) == TPP_OK);
    replace(folder);
    FUZZ_CHECK(tpp_path_exists(beside));
    FUZZ_CHECK(tpp_path_exists(in_case("report.json")));
    FUZZ_CHECK(tpp_case_is_done(&done, folder, &key) == TPP_OK && !done);
    return 0;
}
