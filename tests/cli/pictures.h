/* Pictures and volumes for runs of the program.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_CLI_PICTURES_H
#define TPP_TESTS_CLI_PICTURES_H

#include "../io/nifti_maker.h"
#include "io/image.h"
#include "io/png.h"

/* A disc that moves to the right from frame to frame. */
static inline void write_disc(const char *name, int width, int height, int channels, int frame)
{
    tpp_image image = {0};
    ASSERT_OK(tpp_image_init(&image, width, height, channels));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int dx = x - width / 2 - frame, dy = y - height / 2;
            const int in = dx * dx + dy * dy < height * height / 9;
            for (int c = 0; c < channels; c++)
                image.pixels[(y * width + x) * channels + c] =
                    (uint8_t)(in ? 200 : 30 + 20 * c + (x * 7 + y * 3) % 16);
        }
    ASSERT_OK(tpp_png_write(scratch(name), &image));
    tpp_image_free(&image);
}

/* `frames` pictures in a new folder. */
static inline void write_discs(const char *folder, int frames, int channels)
{
    char name[64];
    ASSERT_OK(tpp_path_make_folder(scratch(folder)));
    for (int i = 0; i < frames; i++) {
        (void)snprintf(name, sizeof name, "%s/%03d.png", folder, i);
        write_disc(name, 40, 30, channels, i);
    }
}

/* An int16 volume of x by y by z voxels: a ball in Hounsfield units. */
static inline const char *write_ball(const char *name, int x, int y, int z)
{
    maker m = make_default();
    const size_t count = (size_t)x * (size_t)y * (size_t)z;
    uint8_t *voxels = tpp_calloc(count, 2);
    m.dim[1] = x;
    m.dim[2] = y;
    m.dim[3] = z;
    for (size_t i = 0; i < count; i++) {
        const int64_t a = (int64_t)i % x - x / 2, b = (int64_t)i / x % y - y / 2;
        make_int(voxels + 2 * i, a * a + b * b < y * y / 9 ? 60 : -1000, 2, false);
    }
    const char *path = make_file(name, &m, voxels, 2 * count);
    tpp_free(voxels);
    return path;
}

#endif
