/* Fuzz target: host/io/video.c and video_stream.c; frames in order, then backwards.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "fuzz.h"
#include "io/video.h"

#include <string.h>

enum { FRAMES = 12, PIXELS = 1 << 20 }; /* more would only be slow */

/* A frame is the same picture both times. */
static void read_frames(tpp_video *v, const tpp_video_info *info)
{
    const int64_t count = info->count < FRAMES ? info->count : FRAMES;
    const size_t size = (size_t)info->width * (size_t)info->height * (size_t)info->channels;
    uint8_t *all = tpp_calloc((size_t)count + 1, size);
    FUZZ_CHECK(all != NULL);
    uint8_t *again = all + (size_t)count * size;
    bool good = true;
    for (int64_t i = 0; i < count && good; i++)
        good = tpp_video_get(v, i, all + (size_t)i * size) == TPP_OK;
    for (int64_t i = count - 1; i >= 0 && good; i -= 3)
        if (tpp_video_get(v, i, again) == TPP_OK)
            FUZZ_CHECK(memcmp(again, all + (size_t)i * size, size) == 0);
    tpp_free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tpp_video *v = NULL;
    tpp_video_info info = {0};
    if (tpp_video_open(&v, fuzz_file(0, data, size), &info) != TPP_OK) {
        FUZZ_CHECK(v == NULL);
        return 0;
    }
    FUZZ_CHECK(info.count >= 1 && info.width >= 1 && info.height >= 1);
    FUZZ_CHECK(info.channels == 1 || info.channels == 3);
    if ((int64_t)info.width * info.height <= PIXELS) read_frames(v, &info);
    tpp_video_close(v);
    return 0;
}
