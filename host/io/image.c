/* Memory of pictures.
 * SPDX-License-Identifier: MIT */
#include "io/image.h"

#include "core/mem.h"

static tpp_status check_size(int width, int height, int channels)
{
    if (width >= 1 && height >= 1 && width <= TPP_IMAGE_MAX_SIDE && height <= TPP_IMAGE_MAX_SIDE &&
        (int64_t)width * height <= TPP_IMAGE_MAX_PIXELS && (channels == 1 || channels == 3))
        return TPP_OK;
    return TPP_FAIL(TPP_EUSAGE, "no picture can have %d x %d pixels of %d channels", width, height,
                    channels);
}

tpp_status tpp_image_init(tpp_image *out, int width, int height, int channels)
{
    TPP_TRY(check_size(width, height, channels));
    tpp_image image = {.width = width, .height = height, .channels = channels};
    TPP_NEW(image.pixels, (size_t)width * (size_t)height * (size_t)channels);
    *out = image;
    return TPP_OK;
}

tpp_status tpp_image_init_deep(tpp_image *out, int width, int height, int channels)
{
    TPP_TRY(check_size(width, height, channels));
    tpp_image image = {.width = width, .height = height, .channels = channels};
    TPP_NEW(image.deep, (size_t)width * (size_t)height * (size_t)channels);
    *out = image;
    return TPP_OK;
}

void tpp_image_free(tpp_image *image)
{
    tpp_free(image->pixels);
    tpp_free(image->deep);
    *image = (tpp_image){0};
}
