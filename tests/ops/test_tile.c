/* `tile`: which tile a product gets, within what limits of the device, and in which storage.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "ops/tile.h"

enum { ROWS, COLUMNS, DEPTH, SPLITS };

static const tpp_gemm_attr no_attr = {0};

static tpp_call product(int64_t m, int64_t n, int64_t k)
{
    return (tpp_call){.attr = &no_attr,
                      .in = {{.shape = TPP_SHAPE(m, k)}, {.shape = TPP_SHAPE(n, k)}},
                      .out = {{.shape = TPP_SHAPE(m, n)}}};
}

/* A GPU as they are: 60 compute units, work-groups of 256, 64 KiB of local memory. */
static const tpp_caps gpu = {.is_gpu = true,
                             .compute_units = 60,
                             .max_group = 256,
                             .max_groups = 65535,
                             .local_mem = 65536,
                             .base_align = 128,
                             .vector_width = 4};

static void is_the_default_on_a_gpu_and_not_on_a_cpu(void **state)
{
    (void)state;
    tpp_call c = product(4820, 256, 256);
    tpp_caps cpu = gpu;
    cpu.is_gpu = false;
    cpu.is_cpu = true;
    assert_string_equal(tpp_op_choose(&tpp_op_gemm, NULL, NULL, &c, &gpu).algorithm->name, "tile");
    assert_string_equal(tpp_op_choose(&tpp_op_gemm, NULL, NULL, &c, &cpu).algorithm->name,
                        "vector");
    assert_string_equal(tpp_op_choose(&tpp_op_gemm, "tile", NULL, &c, &cpu).algorithm->name,
                        "tile");
    tpp_caps wrong = gpu;
    wrong.no_tile = true;
    assert_string_equal(tpp_op_choose(&tpp_op_gemm, NULL, NULL, &c, &wrong).algorithm->name,
                        "clblast");
    c.in[TPP_GEMM_W].type = TPP_F16; /* that nothing else takes */
    assert_null(tpp_op_choose(&tpp_op_gemm, NULL, NULL, &c, &cpu).algorithm);
}

static void the_shape_decides_on_the_tile(void **state)
{
    (void)state;
    static const struct {
        int m, n, k, want[4];
    } rows[] = {
        {57600, 256, 64, {128, 128, 8, 1}}, /* many tiles */
        {14400, 64, 576, {64, 64, 16, 1}},  /* 113 of 128x64 are too few, 225 of 64x64 are not */
        {57600, 64, 576, {128, 64, 16, 1}}, /* as wide as y */
        {240, 512, 4608, {64, 64, 16, 4}},  /* 32 tiles in 4 splits */
        {920, 256, 2304, {64, 64, 32, 1}},  /* 60 tiles, their groups in 2 slices */
        {240, 256, 2048, {32, 32, 64, 1}},  /* 64 tiles in 4 slices */
        {240, 256, 64, {32, 32, 16, 1}},    /* too short for slices */
        {100, 32, 32, {32, 32, 16, 1}},     /* too short to split */
        {5, 256, 1024, {8, 32, 1, 1}},      /* a few queries: in one launch */
        {12, 256, 1024, {16, 64, 16, 16}},  /* more of them: 64 terms each */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const tpp_call c = product(rows[i].m, rows[i].n, rows[i].k);
        tpp_params p;
        assert_true(tpp_gemm_tile_variant(&c, &gpu, 0, &p));
        for (int j = 0; j < 4; j++) assert_int_equal(p.n[j], rows[i].want[j]);
    }
}

/* 512 EUs, 16 of which share a local memory, in sub-groups of 8: 64 groups keep them busy, and no
 * work-item holds 64 sums unless tuning says so. */
static void few_registers_take_smaller_tiles(void **state)
{
    (void)state;
    tpp_caps few = gpu;
    few.compute_units = 512;
    few.shared_by = 16;
    few.least_lanes = 8;
    tpp_params p;
    const tpp_call large = product(57600, 256, 64), small = product(920, 256, 2304);
    assert_true(tpp_gemm_tile_variant(&large, &gpu, 0, &p));
    assert_true(p.n[ROWS] == 128 && p.n[COLUMNS] == 128);
    assert_true(tpp_gemm_tile_variant(&large, &few, 0, &p));
    assert_true(p.n[ROWS] == 128 && p.n[COLUMNS] == 64);
    assert_true(tpp_gemm_tile_variant(&small, &few, 0, &p));
    assert_true(p.n[ROWS] == 64 && p.n[SPLITS] == 1); /* and not 32 x 32 for 512 units */
    few.large_grf = true; /* twice the registers, if a kernel asks: they take the deep tile */
    assert_true(tpp_gemm_tile_variant(&large, &few, 0, &p));
    assert_true(p.n[ROWS] == 128 && p.n[COLUMNS] == 128 && p.n[DEPTH] == 16);
    few.no_large_grf = true;
    assert_true(tpp_gemm_tile_variant(&large, &few, 0, &p));
    assert_true(p.n[ROWS] == 128 && p.n[COLUMNS] == 64);
    const tpp_attention_attr attr = {.heads = 1, .mode = TPP_ATTENTION_SAME, .scale = 1.0f};
    const tpp_call wide = {.attr = &attr,
                           .in = {{.shape = TPP_SHAPE(1, 4096, 256)},
                                  {.shape = TPP_SHAPE(1, 512, 256)},
                                  {.shape = TPP_SHAPE(1, 512, 256)}},
                           .out = {{.shape = TPP_SHAPE(1, 4096, 256)}}};
    assert_true(tpp_attention_tile_variant(&wide, &gpu, 0, &p));
    assert_int_equal(p.n[1], 64); /* keys of a block: 64 values of y in a work-item */
    assert_true(tpp_attention_tile_variant(&wide, &few, 0, &p));
    assert_int_equal(p.n[1], 128);
}

/* Every variant, on devices of every size, for every kind of shape. */
static void no_variant_is_beyond_the_device(void **state)
{
    (void)state;
    static const size_t groups[] = {64, 128, 256}, local[] = {8192, 16384, 32768};
    static const int m[] = {1, 16, 17, 300, 1 << 20}, n[] = {1, 33, 2048}, k[] = {1, 15, 100, 4608};
    for (int at = 0; at < 3 * 3 * 5 * 3 * 4; at++) {
        tpp_caps caps = gpu;
        caps.max_group = groups[at % 3];
        caps.local_mem = local[at / 3 % 3];
        const int rows = m[at / 9 % 5], columns = n[at / 45 % 3], terms = k[at / 135];
        tpp_call c = product(rows, columns, terms);
        if (!tpp_gemm_tile_supports(&c, &caps)) fail_msg("a small tile fits every device");
        int count = 0;
        for (; tpp_gemm_tile_variant(&c, &caps, count, &c.params); count++) {
            const int *p = c.params.n;
            const int items = p[ROWS] == 128 && p[COLUMNS] == 128 ? 64 : p[ROWS] >= 64 ? 32 : 16;
            const int slices = p[DEPTH] > 16 ? p[DEPTH] / 16 : 1;
            assert_true((size_t)(slices * p[ROWS] * p[COLUMNS] / items) <= caps.max_group);
            assert_true((size_t)(p[DEPTH] * (p[ROWS] + 4 + p[COLUMNS])) * 4 <= caps.local_mem);
            assert_true(p[SPLITS] >= 1 && p[SPLITS] <= (terms + p[DEPTH] - 1) / p[DEPTH]);
            assert_int_equal(tpp_gemm_tile_scratch(&c, &caps),
                             p[SPLITS] == 1 ? 0 : (int64_t)p[SPLITS] * rows * columns * 4);
        }
        assert_true(count >= 2);
    }
    tpp_caps tiny = gpu;
    tiny.max_group = 32;
    const tpp_call c = product(9, 9, 9);
    assert_false(tpp_gemm_tile_supports(&c, &tiny));
}

/* A tuning file of another version may name what is not there. */
static void unknown_parameters_are_the_smallest_tile(void **state)
{
    (void)state;
    tpp_call c = product(70, 70, 70);
    c.params = (tpp_params){{77, 3, -1, -4}};
    assert_int_equal(tpp_gemm_tile_scratch(&c, &gpu), 0);
    c.params.n[SPLITS] = 1 << 30; /* at most as many as there are blocks of 16 terms */
    assert_int_equal(tpp_gemm_tile_scratch(&c, &gpu), 5 * 70 * 70 * 4);
}

static void halves_go_where_they_are_known(void **state)
{
    (void)state;
    const tpp_algorithm *tile = tpp_op_algorithm(&tpp_op_gemm, "tile");
    tpp_call c = product(64, 64, 64);
    c.in[TPP_GEMM_ADDEND].shape = TPP_SHAPE(64, 64);
    c.in[TPP_GEMM_RESIDUAL].shape = TPP_SHAPE(64, 64);
    c.in[TPP_GEMM_W].type = TPP_F16;
    assert_true(tpp_algorithm_takes(&tpp_op_gemm, tile, &c, &gpu));
    for (const tpp_algorithm *a = tpp_op_gemm.algorithms; a->name != NULL; a++)
        assert_true(a == tile || !tpp_algorithm_takes(&tpp_op_gemm, a, &c, &gpu));
    assert_ptr_equal(tpp_op_choose(&tpp_op_gemm, "plain", NULL, &c, &gpu).algorithm, tile);

    c.in[TPP_GEMM_X].type = TPP_F16; /* not without its addend */
    assert_false(tpp_algorithm_takes(&tpp_op_gemm, tile, &c, &gpu));
    c.in[TPP_GEMM_ADDEND].type = TPP_F16;
    assert_true(tpp_algorithm_takes(&tpp_op_gemm, tile, &c, &gpu));
    c.out[0].type = TPP_F16; /* nor y without its residual */
    assert_false(tpp_algorithm_takes(&tpp_op_gemm, tile, &c, &gpu));
    c.in[TPP_GEMM_RESIDUAL].type = TPP_F16;
    assert_true(tpp_algorithm_takes(&tpp_op_gemm, tile, &c, &gpu));
    c.in[TPP_GEMM_BIAS] = (tpp_operand){.shape = TPP_SHAPE(64), .type = TPP_F16};
    assert_false(tpp_algorithm_takes(&tpp_op_gemm, tile, &c, &gpu));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_default_on_a_gpu_and_not_on_a_cpu),
        cmocka_unit_test(the_shape_decides_on_the_tile),
        cmocka_unit_test(few_registers_take_smaller_tiles),
        cmocka_unit_test(no_variant_is_beyond_the_device),
        cmocka_unit_test(unknown_parameters_are_the_smallest_tile),
        cmocka_unit_test(halves_go_where_they_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
