/* PNG in memory: what is read from its bytes is what went in.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/png.h"
#include "io/png_encode.h"
#include "scratch.h"

enum { HEIGHT = 33, WIDTH = 71 };

static void grey_and_colour_come_back(void **state)
{
    (void)state;
    uint8_t pixels[HEIGHT * WIDTH * 3];
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)next_random(&seed);
    for (int channels = 1; channels <= 3; channels += 2) {
        tpp_str png = {0};
        tpp_image image = {0};
        ASSERT_OK(tpp_png_encode(&png, pixels, WIDTH, HEIGHT, channels));
        ASSERT_OK(tpp_png_read(&image, put_file("a.png", png.text, png.length)));
        assert_int_equal(image.width, WIDTH);
        assert_int_equal(image.height, HEIGHT);
        assert_int_equal(image.channels, channels);
        assert_memory_equal(image.pixels, pixels, (size_t)(HEIGHT * WIDTH * channels));
        tpp_image_free(&image);
        tpp_str_free(&png);
    }
}

static void sizes_that_no_picture_has(void **state)
{
    (void)state;
    const uint8_t pixel[3] = {0};
    tpp_str png = {0};
    ASSERT_FAILS(tpp_png_encode(&png, pixel, 0, 1, 1), TPP_EUSAGE, "0 x 1", "channels");
    ASSERT_FAILS(tpp_png_encode(&png, pixel, 1, 1, 2), TPP_EUSAGE, "1 x 1", "2 channels");
    tpp_str_free(&png);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    static const uint8_t pixels[HEIGHT * WIDTH] = {1};
    tpp_status s = TPP_ENOMEM;
    int n = 0;
    for (; s != TPP_OK && n < 50; n++) {
        tpp_str png = {0};
        tpp_alloc_fail_after(n);
        s = tpp_png_encode(&png, pixels, WIDTH, HEIGHT, 1);
        tpp_alloc_fail_after(-1);
        if (s != TPP_OK) assert_int_equal(s, TPP_ENOMEM);
        tpp_str_free(&png);
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grey_and_colour_come_back),
        cmocka_unit_test(sizes_that_no_picture_has),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
