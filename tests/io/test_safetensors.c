/* safetensors: what is written comes back, golden files are read, and no lie of a header passes.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/safetensors.h"
#include "scratch.h"

#include <math.h>

/* A file of this header, its length in front, and `data` bytes 0, 1, 2, ... behind. */
static const char *put_raw(const char *header, size_t data)
{
    static uint8_t bytes[1 << 16];
    const size_t n = strlen(header);
    for (size_t i = 0; i < 8; i++) bytes[i] = (uint8_t)(n >> 8 * i);
    memcpy(bytes + 8, header, n);
    for (size_t i = 0; i < data; i++) bytes[8 + n + i] = (uint8_t)i;
    return put_file("raw.safetensors", bytes, 8 + n + data);
}

#define REFUSES(header, data, fact)                                                 \
    do {                                                                            \
        tpp_safetensors *f_ = NULL;                                                 \
        const char *path_ = put_raw((header), (data));                              \
        ASSERT_FAILS(tpp_safetensors_open(&f_, path_), TPP_EFORMAT, path_, (fact)); \
        assert_null(f_);                                                            \
    } while (0)

static void a_header_is_read_as_it_stands(void **state)
{
    (void)state;
    const char *path =
        put_raw("{\"__metadata__\":{\"b\":\"2\",\"a\":\"1\"},"
                "\"second\":{\"dtype\":\"U8\",\"shape\":[2,3],\"data_offsets\":[4,10]},"
                "\"first\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]},"
                "\"none\":{\"dtype\":\"F8_E4M3\",\"shape\":[0,9],\"data_offsets\":[4,4]}}   ",
                10);
    tpp_safetensors *f = NULL;
    ASSERT_OK(tpp_safetensors_open(&f, path));
    assert_int_equal(tpp_safetensors_count(f), 3);
    assert_string_equal(tpp_safetensors_get(f, 0)->name, "first");
    assert_string_equal(tpp_safetensors_get(f, 1)->name, "none");
    assert_string_equal(tpp_safetensors_get(f, 2)->name, "second");
    assert_null(tpp_safetensors_get(f, 3));
    const tpp_safetensors_tensor *t = tpp_safetensors_find(f, "second");
    assert_int_equal(t->type, TPP_SAFETENSORS_U8);
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->dims[0] * 10 + t->dims[1], 23);
    assert_int_equal(t->count, 6);
    assert_string_equal(tpp_safetensors_shape_text(t), "[2,3]");
    assert_int_equal(((const uint8_t *)t->bytes)[5], 9);
    assert_int_equal(tpp_safetensors_find(f, "first")->count, 1);
    assert_int_equal(tpp_safetensors_find(f, "none")->count, 0);
    assert_null(tpp_safetensors_find(f, "third"));
    assert_int_equal(tpp_safetensors_meta_count(f), 2);
    assert_string_equal(tpp_safetensors_meta_get(f, 0).key, "b");
    assert_null(tpp_safetensors_meta_get(f, 2).key);
    assert_string_equal(tpp_safetensors_meta(f, "a"), "1");
    assert_null(tpp_safetensors_meta(f, "c"));
    tpp_safetensors_close(f);
    tpp_safetensors_close(NULL);
}

static void a_file_without_tensors_is_one(void **state)
{
    (void)state;
    tpp_safetensors *f = NULL;
    ASSERT_OK(tpp_safetensors_open(&f, put_raw("{}", 0)));
    assert_int_equal(tpp_safetensors_count(f), 0);
    assert_null(tpp_safetensors_find(f, "x"));
    assert_null(tpp_safetensors_meta(f, "x"));
    tpp_safetensors_close(f);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    tpp_safetensors *f = NULL;
    ASSERT_FAILS(tpp_safetensors_open(&f, scratch("absent")), TPP_EIO, "absent", "cannot open");
    ASSERT_FAILS(tpp_safetensors_open(&f, scratch_folder), TPP_EIO, scratch_folder, "regular");
    const char *path = put_file("short", "1234567", 7);
    ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "7 bytes");
    path = put_file("nothing", "", 0);
    ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "0 bytes");
    path = put_file("zeros", "\0\0\0\0\0\0\0\0", 8);
    ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "'{'");
    path = put_file("long", "\x03\0\0\0\0\0\0\0{}", 10);
    ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "header of 3 bytes");
    path = put_file("huge", "\377\377\377\377\377\377\377\377{}", 10);
    ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "18446744073709551615");
    assert_null(f);
}

/* A sparse file: the header would fit, and is longer than any is allowed to be. */
static void headers_are_bounded(void **state)
{
    (void)state;
    const char *path = scratch("sparse");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    const uint32_t length = 100000001;
    for (int i = 0; i < 8; i++) (void)fputc(i < 4 ? (int)(length >> 8 * i & 255) : 0, file);
    (void)fputs("{}", file);
    assert_int_equal(ftruncate(fileno(file), 200000000), 0);
    assert_int_equal(fclose(file), 0);
    tpp_safetensors *f = NULL;
    ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "100000001");
}

static void json_is_strict(void **state)
{
    (void)state;
    REFUSES(" {}", 0, "'{'");
    REFUSES("{", 0, "line 1 column");
    REFUSES("{} x", 0, "header, line 1");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
            2, "duplicate");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            "duplicate");
    REFUSES("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "0xff");
    REFUSES("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            "header, line 1");
    REFUSES("{\"a\":{'dtype':\"U8\"}}", 0, "header, line 1");
    REFUSES("{\"a\":7}", 0, "a: not an object");
    REFUSES("{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "without a name");
    REFUSES("{\"__metadata__\":[]}", 0, "not an object");
    REFUSES("{\"__metadata__\":{\"k\":1}}", 0, "\"k\" is not a string");
}

static void members_are_checked(void **state)
{
    (void)state;
    REFUSES("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "no dtype");
    REFUSES("{\"a\":{\"dtype\":8,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "no dtype");
    REFUSES("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "\"F31\"");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "no shape");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "dimension 0");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1.0],\"data_offsets\":[0,1]}}", 1,
            "dimension 1");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
            "9 dimensions");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "data_offsets");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "pair");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "pair");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1,
            "members beside");
}

static void sizes_that_lie_are_refused(void **state)
{
    (void)state;
    REFUSES("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}", 12,
            "takes 8 bytes");
    REFUSES("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "takes 8 bytes");
    REFUSES("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "do not lie");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]}}", 1, "do not lie");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, "do not lie");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
            0, "overflows");
    REFUSES("{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
            "overflows");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}", 0,
            "header, line 1");
}

static void every_byte_belongs_to_one_tensor(void **state)
{
    (void)state;
    const char *pair = "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                       "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[%d,%d]}}";
    char header[256];
    for (int begin = 0; begin < 5; begin++) {
        (void)snprintf(header, sizeof header, pair, begin, begin + 2);
        if (begin < 2) REFUSES(header, 4, "overlap");
        if (begin > 2) REFUSES(header, (size_t)begin + 2, "hole");
    }
    (void)snprintf(header, sizeof header, pair, 2, 4);
    REFUSES(header, 3, "do not lie");
    REFUSES(header, 5, "last 1 bytes");
    REFUSES("{}", 1, "last 1 bytes");
    REFUSES("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, "hole");
}

static void truncation_is_seen_at_every_byte(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes =
        get_file(put_raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                         "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]}}",
                         11),
                 &size);
    for (size_t cut = 0; cut < size; cut++) {
        tpp_safetensors *f = NULL;
        const char *path = put_file("cut", bytes, cut);
        ASSERT_FAILS(tpp_safetensors_open(&f, path), TPP_EFORMAT, path, "");
    }
    tpp_free(bytes);
}

/* Whatever a changed byte does, it ends in success or in a message, and within the mapping. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = get_file(
        put_raw("{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],"
                "\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":"
                "[8,11]}}",
                11),
        &size);
    uint64_t seed = 42;
    int opened = 0;
    for (int round = 0; round < 2000; round++) {
        const size_t at = next_random(&seed) % (size - 11);
        const uint8_t old = bytes[at];
        bytes[at] = (uint8_t)next_random(&seed);
        tpp_safetensors *f = NULL;
        if (tpp_safetensors_open(&f, put_file("changed", bytes, size)) == TPP_OK) {
            opened++;
            unsigned sum = 0;
            for (size_t i = 0; i < tpp_safetensors_count(f); i++) {
                const tpp_safetensors_tensor *t = tpp_safetensors_get(f, i);
                for (size_t j = 0; j < t->size; j++) sum += ((const uint8_t *)t->bytes)[j];
            }
            assert_int_equal(sum, 55); /* 0 + 1 + ... + 10: all bytes once */
        }
        tpp_safetensors_close(f);
        bytes[at] = old;
    }
    assert_in_range(opened, 1, 1999);
    tpp_free(bytes);
}

/* --- values --- */

static tpp_safetensors_tensor view(tpp_safetensors_dtype type, const void *bytes, int64_t count)
{
    return (tpp_safetensors_tensor){.name = "t",
                                    .type = type,
                                    .rank = 1,
                                    .dims = {count},
                                    .count = count,
                                    .bytes = bytes,
                                    .size = (size_t)count * tpp_safetensors_dtype_size(type)};
}

static void halves_are_exact(void **state)
{
    (void)state;
    /* 1, -2, largest, smallest normal, smallest, largest subnormal, -0, infinities, NaN */
    static const uint8_t f16[] = {0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x00, 0x04, 0x01, 0x00,
                                  0xff, 0x03, 0x00, 0x80, 0x00, 0x7c, 0x00, 0xfc, 0x01, 0x7e};
    static const float want[] = {1,     -2,       65504,    0x1p-14f, 0x1p-24f, 0x1.ff8p-15f,
                                 -0.0f, INFINITY, -INFINITY};
    float got[10];
    const tpp_safetensors_tensor t = view(TPP_SAFETENSORS_F16, f16, 10);
    ASSERT_OK(tpp_safetensors_floats(&t, got, 10));
    assert_memory_equal(got, want, sizeof want);
    assert_true(isnan(got[9]));
    static const uint8_t bf16[] = {0x80, 0x3f, 0x49, 0xc0, 0x80, 0x7f, 0x01, 0x00};
    const tpp_safetensors_tensor b = view(TPP_SAFETENSORS_BF16, bf16, 4);
    ASSERT_OK(tpp_safetensors_floats(&b, got, 4));
    assert_true(got[0] == 1.0f && got[1] == -3.140625f && isinf(got[2]) && got[3] == 0x1p-133f);
}

static void types_convert_or_say_no(void **state)
{
    (void)state;
    const double wide[] = {0.1, -1e300, 3};
    const int64_t i64[] = {-7, 1};
    const int32_t i32[] = {-70000, 2};
    const uint8_t u8[] = {0, 200};
    float f[3] = {9, 9, 9};
    double d[3];
    uint8_t unaligned[25];
    memcpy(unaligned + 1, wide, 24);
    tpp_safetensors_tensor t = view(TPP_SAFETENSORS_F64, unaligned + 1, 3);
    ASSERT_OK(tpp_safetensors_floats(&t, f, 3));
    assert_true(f[0] == 0.1f && isinf(f[1]) && f[1] < 0 && f[2] == 3);
    ASSERT_OK(tpp_safetensors_doubles(&t, d, 3));
    assert_memory_equal(d, wide, sizeof wide);
    ASSERT_FAILS(tpp_safetensors_floats(&t, f, 2), TPP_ESHAPE, "t", "wanted 2 values");
    t = view(TPP_SAFETENSORS_I64, i64, 2);
    ASSERT_OK(tpp_safetensors_doubles(&t, d, 2));
    assert_true(d[0] == -7 && d[1] == 1);
    ASSERT_FAILS(tpp_safetensors_floats(&t, f, 2), TPP_EUNSUPPORTED, "t", "got I64");
    t = view(TPP_SAFETENSORS_I32, i32, 2);
    ASSERT_OK(tpp_safetensors_doubles(&t, d, 2));
    assert_true(d[0] == -70000 && d[1] == 2);
    t = view(TPP_SAFETENSORS_U8, u8, 2);
    ASSERT_OK(tpp_safetensors_doubles(&t, d, 2));
    assert_true(d[0] == 0 && d[1] == 200);
    t = view(TPP_SAFETENSORS_F8_E5M2, u8, 2);
    ASSERT_FAILS(tpp_safetensors_doubles(&t, d, 2), TPP_EUNSUPPORTED, "t", "got F8_E5M2");
    t = view(TPP_SAFETENSORS_BOOL, u8, 2);
    ASSERT_FAILS(tpp_safetensors_floats(&t, f, 2), TPP_EUNSUPPORTED, "t", "got BOOL");
}

/* --- writing --- */

static void bytes_are_those_of_the_format(void **state)
{
    (void)state;
    static const char want[] = "\130\0\0\0\0\0\0\0"
                               "{\"__metadata__\":{\"k\":\"\xc3\xa9\\\"\"},"
                               "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
                               "      " /* up to a multiple of 8 */
                               "\0\0\x80\x3f";
    const char *path = scratch("exact");
    const tpp_safetensors_spec spec = {"a", TPP_SAFETENSORS_F32, 1, {1}};
    const tpp_safetensors_pair meta = {"k", "\xc3\xa9\""};
    tpp_safetensors_writer *w = NULL;
    ASSERT_OK(tpp_safetensors_begin(&w, path, &spec, 1, &meta, 1));
    ASSERT_OK(tpp_safetensors_append(w, "a", "\0\0\x80\x3f", 4));
    assert_false(tpp_path_exists(path)); /* not before commit */
    ASSERT_OK(tpp_safetensors_commit(w));
    size_t size = 0;
    uint8_t *got = get_file(path, &size);
    assert_int_equal(size, sizeof want - 1);
    assert_memory_equal(got, want, size);
    tpp_free(got);
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    enum { N = 5000 };
    static float x[N], back[N];
    for (int i = 0; i < N; i++) x[i] = (float)i / 7;
    const tpp_safetensors_spec specs[] = {{"e1", TPP_SAFETENSORS_F32, 2, {0, 4}},
                                          {"x", TPP_SAFETENSORS_F32, 2, {N / 5, 5}},
                                          {"flag", TPP_SAFETENSORS_U8, 0, {0}},
                                          {"e2", TPP_SAFETENSORS_I64, 1, {0}}};
    const char *path = scratch("round");
    tpp_safetensors_writer *w = NULL;
    ASSERT_OK(tpp_safetensors_begin(&w, path, specs, 4, NULL, 0));
    for (int i = 0; i < N; i += 1000)
        ASSERT_OK(tpp_safetensors_append(w, "x", x + i, 1000 * sizeof *x));
    ASSERT_OK(tpp_safetensors_append(w, "e1", NULL, 0));
    ASSERT_OK(tpp_safetensors_append(w, "flag", "\x07", 1));
    ASSERT_OK(tpp_safetensors_commit(w));
    tpp_safetensors *f = NULL;
    ASSERT_OK(tpp_safetensors_open(&f, path));
    assert_int_equal(tpp_safetensors_count(f), 4);
    assert_int_equal(tpp_safetensors_meta_count(f), 0);
    ASSERT_OK(tpp_safetensors_floats(tpp_safetensors_find(f, "x"), back, N));
    assert_memory_equal(back, x, sizeof x);
    double flag = 0;
    ASSERT_OK(tpp_safetensors_doubles(tpp_safetensors_find(f, "flag"), &flag, 1));
    assert_true(flag == 7);
    tpp_safetensors_close(f);
}

static void a_wrong_turn_is_refused(void **state)
{
    (void)state;
    const tpp_safetensors_spec specs[] = {{"a", TPP_SAFETENSORS_U8, 1, {4}},
                                          {"b", TPP_SAFETENSORS_U8, 1, {2}}};
    const char *path = scratch("turn");
    tpp_safetensors_writer *w = NULL;
    ASSERT_OK(tpp_safetensors_begin(&w, path, specs, 2, NULL, 0));
    ASSERT_FAILS(tpp_safetensors_append(w, "b", "xx", 2), TPP_EUSAGE, path, "where a was wanted");
    ASSERT_FAILS(tpp_safetensors_append(w, "a", "xxxxx", 5), TPP_EUSAGE, path, "takes 4 bytes");
    ASSERT_OK(tpp_safetensors_append(w, "a", "xxxx", 4));
    ASSERT_OK(tpp_safetensors_append(w, "b", "x", 1));
    ASSERT_FAILS(tpp_safetensors_commit(w), TPP_EUSAGE, path, "b has 1 of 2 bytes");
    assert_false(tpp_path_exists(path));
    ASSERT_OK(tpp_safetensors_begin(&w, path, specs, 2, NULL, 0));
    ASSERT_OK(tpp_safetensors_append(w, "a", "xxxx", 4));
    ASSERT_OK(tpp_safetensors_append(w, "b", "xx", 2));
    ASSERT_FAILS(tpp_safetensors_append(w, "b", "x", 1), TPP_EUSAGE, path, "nothing more");
    tpp_safetensors_discard(w);
    assert_false(tpp_path_exists(path));
    assert_no_temporary();
}

static void names_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const char *path = scratch("names");
    static const struct {
        tpp_safetensors_spec specs[2];
        const char *fact;
    } cases[] = {
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"a", TPP_SAFETENSORS_U8, 0, {0}}}, "twice"},
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"", TPP_SAFETENSORS_U8, 0, {0}}}, "empty"},
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"\xff", TPP_SAFETENSORS_U8, 0, {0}}}, "UTF-8"},
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"__metadata__", TPP_SAFETENSORS_U8, 0, {0}}},
         "__metadata__"},
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"b", TPP_SAFETENSORS_U8, 1, {-1}}}, "cannot be"},
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"b", TPP_SAFETENSORS_F64, 2, {INT64_MAX, 2}}},
         "cannot be"},
        {{{"a", TPP_SAFETENSORS_U8, 1, {INT64_MAX}}, {"b", TPP_SAFETENSORS_U8, 1, {INT64_MAX}}},
         "overflow"},
        {{{"a", TPP_SAFETENSORS_U8, 0, {0}}, {"b", TPP_SAFETENSORS_U8, 9, {1}}}, "9 dimensions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tpp_safetensors_writer *w = NULL;
        const tpp_status s = tpp_safetensors_begin(&w, path, cases[i].specs, 2, NULL, 0);
        assert_int_equal(s, TPP_EUSAGE);
        if (strstr(tpp_error(), cases[i].fact) == NULL) fail_msg("%s", tpp_error());
        assert_null(w);
    }
    const tpp_safetensors_pair twice[] = {{"k", "1"}, {"k", "2"}};
    tpp_safetensors_writer *w = NULL;
    ASSERT_FAILS(tpp_safetensors_begin(&w, path, NULL, 0, twice, 2), TPP_EUSAGE, path, "twice");
    ASSERT_FAILS(tpp_safetensors_begin(&w, scratch("no/such/folder"), NULL, 0, NULL, 0), TPP_EIO,
                 "folder", "cannot write");
    assert_no_temporary();
}

static tpp_status write_small(const char *path)
{
    const tpp_safetensors_spec spec = {"a", TPP_SAFETENSORS_U8, 1, {4}};
    const tpp_safetensors_pair meta = {"k", "v"};
    tpp_safetensors_writer *w = NULL;
    TPP_TRY(tpp_safetensors_begin(&w, path, &spec, 1, &meta, 1));
    const tpp_status s = tpp_safetensors_append(w, "a", "xxxx", 4);
    if (s == TPP_OK) return tpp_safetensors_commit(w);
    tpp_safetensors_discard(w);
    return s;
}

/* Every allocation fails once; nothing leaks, nothing is left, and in the end it works. */
static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    const char *path = scratch("memory");
    int64_t n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        assert_false(tpp_path_exists(path));
        tpp_alloc_fail_after(n);
        s = write_small(path);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || s == TPP_ENOMEM);
        assert_no_temporary();
    }
    assert_in_range(n, 4, 100);
    n = 0;
    for (tpp_status s = TPP_ENOMEM; s != TPP_OK; n++) {
        tpp_safetensors *f = NULL;
        tpp_alloc_fail_after(n);
        s = tpp_safetensors_open(&f, path);
        tpp_alloc_fail_after(-1);
        assert_true(s == TPP_OK || (s == TPP_ENOMEM && f == NULL));
        tpp_safetensors_close(f);
    }
    assert_in_range(n, 4, 100);
}

/* --- golden files --- */

static void golden_files_are_read(void **state)
{
    (void)state;
    tpp_names names = {0};
    char *folder = tpp_strdup(shared_or_skip("reference/golden"));
    ASSERT_OK(tpp_path_list(&names, folder, ".safetensors"));
    assert_true(names.count > 0);
    for (size_t i = 0; i < names.count; i++) {
        char *path = tpp_path_join(folder, names.name[i]);
        tpp_safetensors *f = NULL;
        ASSERT_OK(tpp_safetensors_open(&f, path));
        assert_true(tpp_safetensors_count(f) > 0);
        for (size_t j = 0; j < tpp_safetensors_count(f); j++) {
            const tpp_safetensors_tensor *t = tpp_safetensors_get(f, j);
            double *x = tpp_calloc((size_t)t->count, sizeof *x);
            ASSERT_OK(tpp_safetensors_doubles(t, x, t->count));
            for (int64_t k = 0; k < t->count; k++) assert_true(isfinite(x[k]));
            tpp_free(x);
        }
        tpp_safetensors_close(f);
        tpp_free(path);
    }
    tpp_names_free(&names);
    tpp_free(folder);
}

static void a_known_golden_value_is_there(void **state)
{
    (void)state;
    tpp_safetensors *f = NULL;
    ASSERT_OK(
        tpp_safetensors_open(&f, shared_or_skip("reference/golden/forward_micro.safetensors")));
    assert_string_equal(tpp_safetensors_meta(f, "backbone"), "tiny");
    assert_string_equal(tpp_safetensors_meta(f, "height"), "32");
    assert_non_null(strstr(tpp_safetensors_meta(f, "shapes"), "\"frame1.res2\":\"64x8x8\""));
    double best = -1;
    ASSERT_OK(tpp_safetensors_doubles(tpp_safetensors_find(f, "frame1.best"), &best, 1));
    assert_true(best >= 0 && best == floor(best));
    tpp_safetensors_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_as_it_stands),
        cmocka_unit_test(a_file_without_tensors_is_one),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(headers_are_bounded),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(members_are_checked),
        cmocka_unit_test(sizes_that_lie_are_refused),
        cmocka_unit_test(every_byte_belongs_to_one_tensor),
        cmocka_unit_test(truncation_is_seen_at_every_byte),
        cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(halves_are_exact),
        cmocka_unit_test(types_convert_or_say_no),
        cmocka_unit_test(bytes_are_those_of_the_format),
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(a_wrong_turn_is_refused),
        cmocka_unit_test(names_that_cannot_be_are_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(golden_files_are_read),
        cmocka_unit_test(a_known_golden_value_is_there),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
