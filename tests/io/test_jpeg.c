/* JPEG: pictures that turbojpeg has encoded, within what the method loses; files that are cut off,
 * damaged, of kinds that are not read; and which reader a picture gets.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/jpeg.h"
#include "io/picture.h"
#include "io/png.h"
#include "scratch.h"

#include <sys/stat.h>

static void refuses(const char *path, tpp_status status, const char *fact)
{
    tpp_image image = {.width = -5};
    ASSERT_FAILS(tpp_picture_read(&image, path), status, path, fact);
    assert_true(image.width == -5 && image.pixels == NULL && image.deep == NULL);
}

static void head_refuses(const char *path, tpp_status status, const char *fact)
{
    tpp_picture_head head = {.width = -5};
    ASSERT_FAILS(tpp_picture_read_head(&head, path), status, path, fact);
    assert_int_equal(head.width, -5);
}

static void names_are_known(void **state)
{
    (void)state;
    assert_true(tpp_picture_has_name("a/b.png") && tpp_picture_has_name("B.JPG"));
    assert_true(tpp_picture_has_name("c.jpeg"));
    assert_false(tpp_picture_has_name("c.jpeg.txt") || tpp_picture_has_name("png"));
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    const char *pipe = scratch("pipe.png");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refuses(pipe, TPP_EIO, "not a regular file");
    head_refuses(pipe, TPP_EIO, "not a regular file");
    refuses(scratch("absent.jpg"), TPP_EIO, "cannot open");
    refuses(scratch_folder, TPP_EIO, "a folder");
    refuses(put_file("empty.jpg", "", 0), TPP_EFORMAT, "an empty file");
    refuses(put_file("text.jpg", "a text", 6), TPP_EFORMAT, "neither a PNG nor a JPEG");
    head_refuses(put_file("short.jpg", "\xFF\xD8", 2), TPP_EFORMAT, "neither a PNG nor a JPEG");
}

#ifdef TPP_HAS_JPEG

#include <turbojpeg.h>

enum { W = 61, H = 45, PIXELS = W * H };

/* Smooth, so that little is lost. */
static void make_pixels(uint8_t *out, int channels)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++)
                out[(y * W + x) * channels + c] =
                    (uint8_t)(30 + 2 * x + (c == 1 ? 2 : 1) * y + 10 * c);
}

typedef struct encoded {
    unsigned char *bytes;
    unsigned long size;
} encoded;

/* Of W x H pixels; the caller frees with tjFree. */
static encoded encode(const uint8_t *pixels, int format, int subsampling, int flags)
{
    encoded e = {0};
    tjhandle tj = tjInitCompress();
    assert_non_null(tj);
    if (tjCompress2(tj, pixels, W, 0, H, format, &e.bytes, &e.size, subsampling, 100, flags) != 0)
        fail_msg("%s", tjGetErrorStr2(tj));
    assert_int_equal(tjDestroy(tj), 0);
    return e;
}

static void check_close(const char *path, const uint8_t *pixels, int channels, int levels)
{
    tpp_picture_head head = {0};
    tpp_image image = {0};
    ASSERT_OK(tpp_picture_read_head(&head, path));
    assert_true(head.width == W && head.height == H && head.bits == 8);
    assert_int_equal(head.channels, channels);
    ASSERT_OK(tpp_picture_read(&image, path));
    assert_true(image.width == W && image.height == H && image.deep == NULL);
    assert_int_equal(image.channels, channels);
    for (int i = 0; i < PIXELS * channels; i++)
        if (abs(image.pixels[i] - pixels[i]) > levels)
            fail_msg("value %d: got %d, wanted %d", i, image.pixels[i], pixels[i]);
    tpp_image_free(&image);
}

static void what_was_encoded_comes_back_within_two_levels(void **state)
{
    (void)state;
    static const int flags[] = {0, TJFLAG_PROGRESSIVE};
    uint8_t pixels[PIXELS * 3];
    for (int i = 0; i < 2; i++) {
        make_pixels(pixels, 1);
        encoded e = encode(pixels, TJPF_GRAY, TJSAMP_GRAY, flags[i] | TJFLAG_ACCURATEDCT);
        check_close(put_file("grey.jpg", e.bytes, e.size), pixels, 1, 2);
        tjFree(e.bytes);
        make_pixels(pixels, 3);
        e = encode(pixels, TJPF_RGB, TJSAMP_444, flags[i] | TJFLAG_ACCURATEDCT);
        check_close(put_file("colour.jpg", e.bytes, e.size), pixels, 3, 2);
        tjFree(e.bytes);
        e = encode(pixels, TJPF_RGB, TJSAMP_420, flags[i] | TJFLAG_ACCURATEDCT);
        check_close(put_file("halved.jpg", e.bytes, e.size), pixels, 3, 8); /* at the borders */
        tjFree(e.bytes);
    }
}

static encoded encode_colour(int flags)
{
    uint8_t pixels[PIXELS * 3];
    make_pixels(pixels, 3);
    return encode(pixels, TJPF_RGB, TJSAMP_420, flags);
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    for (int flags = 0; flags <= TJFLAG_PROGRESSIVE; flags += TJFLAG_PROGRESSIVE) {
        const encoded e = encode_colour(flags);
        for (size_t cut = 0; cut < e.size; cut += cut < 700 || cut + 40 > e.size ? 1 : 7) {
            tpp_image image = {.width = -5};
            const char *path = put_file("cut.jpg", e.bytes, cut);
            assert_int_equal(tpp_picture_read(&image, path), TPP_EFORMAT);
            assert_non_null(strstr(tpp_error(), "cut.jpg"));
            assert_int_equal(image.width, -5);
        }
        refuses(put_file("cut.jpg", e.bytes, e.size - 1), TPP_EFORMAT, "Premature end");
        refuses(put_file("cut.jpg", e.bytes, e.size / 2 + 300), TPP_EFORMAT, "remature end");
        refuses(put_file("cut.jpg", e.bytes, 30), TPP_EFORMAT, "within its header");
        tjFree(e.bytes);
    }
}

static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    const encoded e = encode_colour(TJFLAG_PROGRESSIVE);
    unsigned char *copy = malloc(e.size);
    uint64_t seed = 5;
    int refused = 0;
    assert_non_null(copy);
    for (int round = 0; round < 1000; round++) {
        memcpy(copy, e.bytes, e.size);
        for (uint64_t n = next_random(&seed) % 4 + 1; n > 0; n--)
            copy[2 + next_random(&seed) % (e.size - 2)] = (uint8_t)next_random(&seed);
        tpp_image image = {0};
        const tpp_status s = tpp_picture_read(&image, put_file("changed.jpg", copy, e.size));
        assert_true(s == TPP_OK || s == TPP_EFORMAT || s == TPP_EUNSUPPORTED);
        assert_true((s == TPP_OK) == (image.pixels != NULL));
        refused += s != TPP_OK;
        tpp_image_free(&image);
    }
    assert_in_range(refused, 100, 1000);
    free(copy);
    tjFree(e.bytes);
}

/* Where the frame header's bytes are: FF C0 or FF C2, length, precision, height, width, channels */
static size_t find_frame(const encoded *e, int marker)
{
    for (size_t i = 0; i + 9 < e->size; i++)
        if (e->bytes[i] == 0xFF && e->bytes[i + 1] == marker) return i;
    fail_msg("no marker %x", (unsigned)marker);
    return 0;
}

static void both_refuse(const encoded *e, tpp_status status, const char *fact)
{
    const uint64_t before = tpp_alloc_count();
    const char *path = put_file("refused.jpg", e->bytes, e->size);
    head_refuses(path, status, fact);
    refuses(path, status, fact);
    assert_int_equal(tpp_alloc_count(), before); /* and no memory was taken */
}

static void kinds_that_are_not_read_are_named(void **state)
{
    (void)state;
    encoded e = encode_colour(0);
    const size_t at = find_frame(&e, 0xC0);
    e.bytes[at + 4] = 12;
    both_refuse(&e, TPP_EUNSUPPORTED, "12 bits a channel");
    e.bytes[at + 4] = 8;
    e.bytes[at + 1] = 0xC3;
    both_refuse(&e, TPP_EUNSUPPORTED, "lossless and hierarchical JPEG (SOF3)");
    e.bytes[at + 1] = 0xF7;
    both_refuse(&e, TPP_EUNSUPPORTED, "JPEG-LS");
    e.bytes[at + 1] = 0xC0;
    e.bytes[at + 9] = 2;
    both_refuse(&e, TPP_EFORMAT, "2 channels");
    e.bytes[at + 9] = 3;
    e.bytes[at + 1] = 0xDA;
    both_refuse(&e, TPP_EFORMAT, "without a frame header");
    tjFree(e.bytes);
    uint8_t ink[PIXELS * 4] = {0};
    e = encode(ink, TJPF_CMYK, TJSAMP_444, 0);
    both_refuse(&e, TPP_EUNSUPPORTED, "CMYK");
    tjFree(e.bytes);
}

static void giants_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    static const unsigned sizes[][2] = {{20000, 20000}, {16385, 1},     {1, 16385},
                                        {16384, 16384}, {65535, 65535}, {8193, 8192}};
    encoded e = encode_colour(0);
    const size_t at = find_frame(&e, 0xC0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char want[64];
        e.bytes[at + 5] = (unsigned char)(sizes[i][1] >> 8);
        e.bytes[at + 6] = (unsigned char)sizes[i][1];
        e.bytes[at + 7] = (unsigned char)(sizes[i][0] >> 8);
        e.bytes[at + 8] = (unsigned char)sizes[i][0];
        (void)snprintf(want, sizeof want, "%u x %u pixels", sizes[i][0], sizes[i][1]);
        both_refuse(&e, TPP_EFORMAT, want);
    }
    e.bytes[at + 5] = e.bytes[at + 6] = 0;
    both_refuse(&e, TPP_EFORMAT, "8193 x 0 pixels");
    tjFree(e.bytes);
}

/* A picture that says to turn it is given as it is stored, and so is one with a profile. */
static void orientation_is_not_applied(void **state)
{
    (void)state;
    static const uint8_t exif[] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,  'M', 'M',
                                   0,    42,   0, 0,  0,   8,   0,   1,   1, 18, 0,   3,
                                   0,    0,    0, 1,  0,   6,   0,   0,   0, 0,  0,   0};
    uint8_t pixels[PIXELS * 3], bytes[1 << 16];
    make_pixels(pixels, 3);
    const encoded e = encode(pixels, TJPF_RGB, TJSAMP_444, TJFLAG_ACCURATEDCT);
    assert_true(e.size + sizeof exif <= sizeof bytes);
    memcpy(bytes, e.bytes, 2);
    memcpy(bytes + 2, exif, sizeof exif);
    memcpy(bytes + 2 + sizeof exif, e.bytes + 2, e.size - 2);
    check_close(put_file("exif.jpg", bytes, e.size + sizeof exif), pixels, 3, 2);
    tjFree(e.bytes);
}

static void the_content_decides_not_the_name(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS * 3];
    make_pixels(pixels, 3);
    const encoded e = encode(pixels, TJPF_RGB, TJSAMP_444, TJFLAG_ACCURATEDCT);
    check_close(put_file("jpeg.png", e.bytes, e.size), pixels, 3, 2);
    tjFree(e.bytes);
    const tpp_image image = {.width = W, .height = H, .channels = 3, .pixels = pixels};
    ASSERT_OK(tpp_png_write(scratch("png.jpg"), &image));
    check_close(scratch("png.jpg"), pixels, 3, 0);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    const encoded e = encode_colour(0);
    const char *path = put_file("memory.jpg", e.bytes, e.size);
    tjFree(e.bytes);
    tpp_image image = {0};
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        tpp_alloc_fail_after(n);
        s = tpp_picture_read(&image, path);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || (s == TPP_ENOMEM && image.pixels == NULL));
    }
    assert_int_equal(n, 3); /* the file, the pixels, and the call that worked */
    tpp_image_free(&image);
}

static void the_library_is_named(void **state)
{
    (void)state;
    assert_non_null(strstr(tpp_jpeg_library(), "libjpeg-turbo "));
}

#else

static void without_the_library_a_jpeg_is_refused_by_name(void **state)
{
    (void)state;
    assert_null(tpp_jpeg_library());
    const char *path = put_file("a.jpg", "\xFF\xD8\xFF\xE0zzzzzzz", 11);
    refuses(path, TPP_EUNSUPPORTED, "built without libjpeg-turbo; convert it to PNG");
    head_refuses(path, TPP_EUNSUPPORTED, "libturbojpeg0-dev");
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_known),
        cmocka_unit_test(files_that_are_none_are_refused),
#ifdef TPP_HAS_JPEG
        cmocka_unit_test(what_was_encoded_comes_back_within_two_levels),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(kinds_that_are_not_read_are_named),
        cmocka_unit_test(giants_are_refused_before_memory_is_taken),
        cmocka_unit_test(orientation_is_not_applied),
        cmocka_unit_test(the_content_decides_not_the_name),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(the_library_is_named),
#else
        cmocka_unit_test(without_the_library_a_jpeg_is_refused_by_name),
#endif
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
