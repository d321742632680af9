/* What the fuzz targets share: the input as a file, since parsers take paths.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_FUZZ_FUZZ_H
#define TPP_TESTS_FUZZ_FUZZ_H

#include "core/status.h"
#include "io/image.h"
#include "io/picture.h"
#include "io/volume.h"

#include <stddef.h>
#include <stdint.h>

/* A target: runs one input through a parser. Under libFuzzer, or replayed by replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Path of a file in memory that holds these bytes. `slot` 0 or 1; the next call for a slot replaces
 * its file. Also silences the log. */
const char *fuzz_file(int slot, const uint8_t *data, size_t size);

/* The same for a reader that looks at names too: a file of this name in a folder of this program's,
 * until the next call for a name. */
const char *fuzz_named(const char *name, const uint8_t *data, size_t size);

/* Path in memory for results, with this suffix. */
const char *fuzz_out(const char *suffix);

/* Path of a new folder in memory, which is removed with all that lies in it at the end. */
const char *fuzz_folder(void);

/* Ends the program, which is a finding, when a property does not hold. */
#define FUZZ_CHECK(condition)                                          \
    do {                                                               \
        if (!(condition)) fuzz_failed(#condition, __FILE__, __LINE__); \
    } while (0)
void fuzz_failed(const char *what, const char *file, int line);

/* What was read as a volume can be written in kind, and is read again with the same geometry. */
void fuzz_volume(const tpp_volume *v);

/* What a reader of pictures says of a file's head, and then of its pixels. Frees `image`. */
void fuzz_picture(tpp_status head_status, const tpp_picture_head *head, tpp_status status,
                  tpp_image *image);

#endif
