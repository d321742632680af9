/* PNG: 8-bit pictures chunk by chunk, damaged ones, and pictures that come back as written.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/bytes.h"
#include "io/png.h"
#include "scratch.h"

#include <png.h>
#include <zlib.h>

/* --- files chunk by chunk, so that any of them can be wrong --- */

typedef struct sink {
    uint8_t bytes[1 << 16];
    size_t size;
} sink;

static void add(sink *s, const void *bytes, size_t size)
{
    assert_true(s->size + size <= sizeof s->bytes);
    if (size > 0) memcpy(s->bytes + s->size, bytes, size);
    s->size += size;
}

static void add_int(sink *s, uint32_t v)
{
    uint8_t b[4];
    tpp_bytes_put(b, v, 4, true);
    add(s, b, 4);
}

static void add_chunk(sink *s, const char *type, const void *data, size_t size)
{
    add_int(s, (uint32_t)size);
    const size_t from = s->size;
    add(s, type, 4);
    add(s, data, size);
    add_int(s, (uint32_t)crc32(crc32(0, NULL, 0), s->bytes + from, (uInt)(s->size - from)));
}

static void add_start(sink *s, uint32_t width, uint32_t height, int depth, int color)
{
    sink head = {.size = 0};
    add(s, "\x89PNG\r\n\x1a\n", 8);
    add_int(&head, width);
    add_int(&head, height);
    const uint8_t rest[5] = {(uint8_t)depth, (uint8_t)color, 0, 0, 0};
    add(&head, rest, 5);
    add_chunk(s, "IHDR", head.bytes, head.size);
}

static void add_data(sink *s, const uint8_t *filtered_rows, size_t size)
{
    uint8_t packed[4096];
    uLongf n = sizeof packed;
    assert_int_equal(compress(packed, &n, filtered_rows, (uLong)size), Z_OK);
    add_chunk(s, "IDAT", packed, n);
}

/* `rows` hold one filter byte 0 each. */
static const char *simple(uint32_t width, uint32_t height, int depth, int color,
                          const uint8_t *rows, size_t size)
{
    sink s = {.size = 0};
    add_start(&s, width, height, depth, color);
    if (color == PNG_COLOR_TYPE_PALETTE) {
        add_chunk(&s, "PLTE", "\x0a\x14\x1e\xff\x00\x80\x01\x02\x03\x04\x05\x06", 12);
        add_chunk(&s, "tRNS", "\x00\x7f", 2);
    }
    add_data(&s, rows, size);
    add_chunk(&s, "IEND", NULL, 0);
    return put_file("simple.png", s.bytes, s.size);
}

static void reads_as(const char *path, int width, int channels, const uint8_t *pixels, size_t size)
{
    tpp_image image = {0};
    ASSERT_OK(tpp_png_read(&image, path));
    assert_int_equal(image.width, width);
    assert_int_equal(image.channels, channels);
    assert_int_equal((size_t)image.width * (size_t)image.height * (size_t)image.channels, size);
    assert_memory_equal(image.pixels, pixels, size);
    tpp_image_free(&image);
    tpp_image_free(&image);
}

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void every_kind_becomes_grey_or_rgb(void **state)
{
    (void)state;
    reads_as(simple(2, 2, 8, 0, BYTES(0, 1, 200, 0, 7, 255)), 2, 1, BYTES(1, 200, 7, 255));
    reads_as(simple(4, 1, 1, 0, BYTES(0, 0x50)), 4, 1, BYTES(0, 255, 0, 255));
    reads_as(simple(4, 1, 2, 0, BYTES(0, 0x1B)), 4, 1, BYTES(0, 85, 170, 255));
    reads_as(simple(3, 1, 4, 0, BYTES(0, 0x01, 0xF0)), 3, 1, BYTES(0, 17, 255));
    reads_as(simple(2, 1, 8, 4, BYTES(0, 9, 128, 8, 0)), 2, 1, BYTES(9, 8));
    reads_as(simple(2, 1, 8, 2, BYTES(0, 1, 2, 3, 4, 5, 6)), 2, 3, BYTES(1, 2, 3, 4, 5, 6));
    reads_as(simple(2, 1, 8, 6, BYTES(0, 1, 2, 3, 0, 4, 5, 6, 99)), 2, 3, BYTES(1, 2, 3, 4, 5, 6));
    reads_as(simple(2, 1, 8, 3, BYTES(0, 1, 3)), 2, 3, BYTES(255, 0, 128, 4, 5, 6));
    reads_as(simple(2, 1, 2, 3, BYTES(0, 0x80)), 2, 3, BYTES(1, 2, 3, 10, 20, 30));
    reads_as(simple(1, 1, 8, 0, BYTES(0, 42)), 1, 1, BYTES(42)); /* one pixel is a picture */
}

static void transparent_grey_stays_grey(void **state)
{
    (void)state;
    sink s = {.size = 0};
    add_start(&s, 2, 1, 8, 0);
    add_chunk(&s, "tRNS", "\0\x07", 2);
    add_data(&s, BYTES(0, 7, 8));
    add_chunk(&s, "IEND", NULL, 0);
    reads_as(put_file("trns.png", s.bytes, s.size), 2, 1, BYTES(7, 8));
}

/* Gamma and colour profiles do not change stored values: a mask's 1 stays 1. */
static void values_are_taken_as_stored(void **state)
{
    (void)state;
    sink s = {.size = 0};
    add_start(&s, 3, 1, 8, 0);
    add_chunk(&s, "gAMA", "\0\0\xb1\x8f", 4);
    add_chunk(&s, "sBIT", "\x04", 1);
    add_data(&s, BYTES(0, 1, 128, 254));
    add_chunk(&s, "IEND", NULL, 0);
    reads_as(put_file("gamma.png", s.bytes, s.size), 3, 1, BYTES(1, 128, 254));
}

static void interlaced_pictures_are_put_together(void **state)
{
    (void)state;
    enum { W = 13, H = 11 };
    uint8_t pixels[W * H * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37);
    const char *path = scratch("adam7.png");
    FILE *f = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep rows[H];
    for (size_t y = 0; y < H; y++) rows[y] = pixels + y * W * 3;
    png_init_io(png, f);
    png_set_IHDR(png, info, W, H, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7, 0, 0);
    png_write_info(png, info);
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(f), 0);
    reads_as(path, W, 3, pixels, sizeof pixels);
}

/* --- bad ones --- */

static void refuses(const char *path, tpp_status status, const char *fact)
{
    tpp_image image = {.width = -5};
    ASSERT_FAILS(tpp_png_read(&image, path), status, path, fact);
    assert_true(image.width == -5 && image.pixels == NULL); /* untouched */
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    refuses(scratch("absent.png"), TPP_EIO, "cannot open");
    refuses(scratch_folder, TPP_EIO, "a folder");
    refuses(put_file("empty.png", "", 0), TPP_EFORMAT, "ends too early");
    refuses(put_file("text.png", "this is a text, no picture", 26), TPP_EFORMAT, "Not a PNG");
    refuses(put_file("text.png", "\x89PNG\n\x1a\nxxxxxxxxxxxxxx", 20), TPP_EFORMAT, "PNG");
}

static void giants_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{20000, 20000}, {16385, 1},   {1, 16385},
                                        {16384, 16384}, {8193, 8192}, {999999, 999999}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "%u x %u pixels", sizes[i][0], sizes[i][1]);
        const uint64_t before = tpp_alloc_count();
        const char *path = simple(sizes[i][0], sizes[i][1], i % 2 == 0 ? 8 : 16, 0, BYTES(0, 1));
        refuses(path, TPP_EFORMAT, want);
        tpp_picture_head head = {.width = -5};
        ASSERT_FAILS(tpp_picture_read_head(&head, path), TPP_EFORMAT, path, want);
        assert_int_equal(head.width, -5);
        assert_int_equal(tpp_alloc_count(), before);
    }
    refuses(simple(0x7fffffff, 0x7fffffff, 8, 0, BYTES(0, 1)), TPP_EFORMAT, "limit");
    refuses(simple(0, 5, 8, 0, BYTES(0, 1)), TPP_EFORMAT, "IHDR");
}

/* Picture with a chunk that is not needed, in front of the data. */
static size_t with_text(sink *s)
{
    add_start(s, 2, 2, 8, 0);
    const size_t text = s->size;
    add_chunk(s, "tEXt", "Title\0something", 15);
    add_data(s, BYTES(0, 1, 200, 0, 7, 255));
    add_chunk(s, "IEND", NULL, 0);
    return text;
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    sink s = {.size = 0};
    (void)with_text(&s);
    for (size_t cut = 0; cut < s.size; cut++)
        refuses(put_file("cut.png", s.bytes, cut), TPP_EFORMAT, "PNG");
    reads_as(put_file("cut.png", s.bytes, s.size), 2, 1, BYTES(1, 200, 7, 255));
}

static void every_broken_chunk_is_seen(void **state)
{
    (void)state;
    sink s = {.size = 0};
    const size_t text = with_text(&s);
    s.bytes[text + 12] ^= 1; /* in the text, which nobody needs */
    refuses(put_file("broken.png", s.bytes, s.size), TPP_EFORMAT, "CRC");
    s.bytes[text + 12] ^= 1;
    for (size_t at = 8; at < s.size; at++) {
        s.bytes[at] ^= 0x04;
        refuses(put_file("broken.png", s.bytes, s.size), TPP_EFORMAT, "PNG");
        s.bytes[at] ^= 0x04;
    }
}

static void data_that_do_not_fill_the_picture_are_refused(void **state)
{
    (void)state;
    refuses(simple(2, 3, 8, 0, BYTES(0, 1, 2, 0, 3, 4)), TPP_EFORMAT, "Not enough image data");
    refuses(simple(2, 1, 8, 0, BYTES(9, 1, 2)), TPP_EFORMAT, "filter");
    sink s = {.size = 0};
    add_start(&s, 2, 1, 8, 3); /* a palette picture without a palette */
    add_data(&s, BYTES(0, 1, 2));
    add_chunk(&s, "IEND", NULL, 0);
    refuses(put_file("nopalette.png", s.bytes, s.size), TPP_EFORMAT, "PLTE");
}

static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    sink s = {.size = 0};
    (void)with_text(&s);
    uint64_t seed = 3;
    for (int round = 0; round < 2000; round++) {
        sink t = s;
        for (uint64_t n = next_random(&seed) % 4 + 1; n > 0; n--)
            t.bytes[next_random(&seed) % t.size] = (uint8_t)next_random(&seed);
        tpp_image image = {0};
        if (tpp_png_read(&image, put_file("changed.png", t.bytes, t.size)) == TPP_OK)
            assert_true(image.width == 2 && image.height == 2 && image.channels == 1);
        tpp_image_free(&image);
    }
}

/* --- writing --- */

static void what_was_written_comes_back(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        for (int width = 1; width < 200; width += 66) {
            tpp_image image = {0};
            ASSERT_OK(tpp_image_init(&image, width, 50, channels));
            const size_t size = (size_t)(width * 50 * channels);
            for (size_t i = 0; i < size; i++) image.pixels[i] = (uint8_t)(i * i >> 3);
            const char *path = scratch("written.png");
            ASSERT_OK(tpp_png_write(path, &image));
            reads_as(path, width, channels, image.pixels, size);
            tpp_image_free(&image);
        }
    }
    assert_no_temporary();
}

static void pictures_that_cannot_be_are_not_written(void **state)
{
    (void)state;
    tpp_image image = {0};
    assert_int_equal(tpp_image_init(&image, 0, 1, 1), TPP_EUSAGE);
    assert_int_equal(tpp_image_init(&image, 1, -1, 1), TPP_EUSAGE);
    assert_int_equal(tpp_image_init(&image, 1, 1, 2), TPP_EUSAGE);
    assert_int_equal(tpp_image_init(&image, 16384, 16384, 1), TPP_EUSAGE);
    const char *path = scratch("none.png");
    ASSERT_FAILS(tpp_png_write(path, &image), TPP_EUSAGE, path, "0 x 0 pixels");
    ASSERT_OK(tpp_image_init(&image, 3, 3, 1));
    ASSERT_FAILS(tpp_png_write(scratch("no/folder.png"), &image), TPP_EIO, "folder",
                 "cannot write");
    tpp_image_free(&image);
    assert_false(tpp_path_exists(path));
    assert_no_temporary();
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    tpp_image image = {0}, back = {0};
    ASSERT_OK(tpp_image_init(&image, 3, 3, 1));
    const char *path = scratch("memory.png");
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        assert_false(tpp_path_exists(path));
        tpp_alloc_fail_after(n);
        s = tpp_png_write(path, &image);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_no_temporary();
    }
    assert_in_range(n, 3, 50);
    n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        tpp_alloc_fail_after(n);
        s = tpp_png_read(&back, path);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || (s == TPP_ENOMEM && back.pixels == NULL));
    }
    assert_int_equal(n, 3); /* pixels, rows, and the call that worked */
    tpp_image_free(&image);
    tpp_image_free(&back);
}

static void shared_frames_are_read(void **state)
{
    (void)state;
    char *folder = tpp_strdup(shared_or_skip("data/sample/endoscopy/vocalfolds_seq1"));
    static const struct {
        const char *folder;
        int channels;
    } kinds[] = {{"img", 3}, {"annot", 1}};
    for (int i = 0; i < 2; i++) {
        char *inner = tpp_path_join(folder, kinds[i].folder);
        tpp_names names = {0};
        if (tpp_path_is_folder(inner)) ASSERT_OK(tpp_path_list(&names, inner, ".png"));
        assert_true(names.count > 0);
        for (size_t j = 0; j < names.count; j++) {
            char *path = tpp_path_join(inner, names.name[j]);
            tpp_image image = {0};
            ASSERT_OK(tpp_png_read(&image, path));
            assert_int_equal(image.width, 512);
            assert_int_equal(image.height, 512);
            assert_int_equal(image.channels, kinds[i].channels);
            tpp_image_free(&image);
            tpp_free(path);
        }
        tpp_names_free(&names);
        tpp_free(inner);
    }
    tpp_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_becomes_grey_or_rgb),
        cmocka_unit_test(transparent_grey_stays_grey),
        cmocka_unit_test(values_are_taken_as_stored),
        cmocka_unit_test(interlaced_pictures_are_put_together),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(giants_are_refused_before_memory_is_taken),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(every_broken_chunk_is_seen),
        cmocka_unit_test(data_that_do_not_fill_the_picture_are_refused),
        cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(pictures_that_cannot_be_are_not_written),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(shared_frames_are_read),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
