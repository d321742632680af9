/* Runs a fuzz target over the files of a folder: for builds without libFuzzer.
 * usage: fuzz_NAME FOLDER
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "fuzz.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    tpp_names names = {0};
    if (argc != 2 || tpp_path_list(&names, argv[1], NULL) != TPP_OK) {
        (void)fprintf(stderr, "usage: %s FOLDER; %s\n", argv[0], tpp_error());
        return 2;
    }
    size_t read = 0;
    for (; read < names.count; read++) {
        char *path = tpp_path_join(argv[1], names.name[read]), *bytes = NULL;
        size_t size = 0;
        FUZZ_CHECK(path != NULL && tpp_file_read(&bytes, &size, path, 1 << 20) == TPP_OK);
        (void)printf("%s\n", names.name[read]);
        (void)fflush(stdout); /* names the input that a crash came with */
        (void)LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
        tpp_free(bytes);
        tpp_free(path);
    }
    tpp_names_free(&names);
    (void)printf("%zu inputs read\n", read);
    return read > 0 ? 0 : 1;
}
