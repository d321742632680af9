/* Which convolutions `winograd` takes, that CPU devices alone get it, and GPUs another by tuning.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "ops/op.h"

static const tpp_caps cpu = {
    .is_cpu = true, .compute_units = 2, .vector_width = 16, .local_mem = 1 << 18};

static tpp_call call_of(const tpp_conv2d_attr *a, int64_t batch, int64_t cin, int64_t cout)
{
    tpp_call c = {.attr = a};
    c.in[TPP_GEMM_X].shape = TPP_SHAPE(batch, (int64_t)a->height * a->width, cin);
    c.in[TPP_GEMM_W].shape = TPP_SHAPE(cout, cin, a->kernel, a->kernel);
    c.out[0].shape = TPP_SHAPE(batch, (int64_t)a->height * a->width, cout);
    return c;
}

static bool takes(const tpp_conv2d_attr *a, int64_t batch, int64_t cin, int64_t cout)
{
    const tpp_call c = call_of(a, batch, cin, cout);
    return tpp_algorithm_takes(&tpp_op_conv2d, tpp_op_algorithm(&tpp_op_conv2d, "winograd"), &c,
                               &cpu);
}

static const tpp_conv2d_attr usual = {.height = 9, .width = 11, .kernel = 3, .stride = 1, .pad = 1};

static void takes_3x3_of_stride_1_and_pad_1(void **state)
{
    (void)state;
    tpp_conv2d_attr kernel = usual, stride = usual, pad = usual, all = usual;
    kernel.kernel = 5;
    stride.stride = 2;
    pad.pad = 0;
    all.act = TPP_ACT_GELU;
    assert_true(takes(&usual, 1, 16, 1));
    assert_false(takes(&usual, 1, 15, 64)); /* not worth the transforms */
    assert_true(takes(&all, 3, 17, 33));
    assert_false(takes(&kernel, 1, 16, 16));
    assert_false(takes(&stride, 1, 16, 16));
    assert_false(takes(&pad, 1, 16, 16));
}

static void refuses_what_its_kernels_cannot_count(void **state)
{
    (void)state;
    tpp_conv2d_attr wide = usual;
    wide.width = 1 << 25;
    assert_true(takes(&usual, 1, 7000, 8192));
    assert_false(takes(&usual, 1, 8192, 8192)); /* 36 * 2^26 packed values */
    assert_true(takes(&wide, 1, 16, 1));        /* 5 * 2^24 tiles */
    assert_false(takes(&wide, 2, 16, 1));
}

static void cpu_devices_take_it_first(void **state)
{
    (void)state;
    const tpp_caps gpu = {.is_gpu = true, .vector_width = 4};
    const tpp_call c = call_of(&usual, 1, 64, 64), thin = call_of(&usual, 1, 1, 64);
    const tpp_choice chosen = tpp_op_choose(&tpp_op_conv2d, NULL, NULL, &c, &cpu);
    assert_string_equal(chosen.algorithm->name, "winograd");
    assert_string_equal(tpp_op_choose(&tpp_op_conv2d, NULL, NULL, &thin, &cpu).algorithm->name,
                        "vector");
    assert_string_not_equal(tpp_op_choose(&tpp_op_conv2d, NULL, NULL, &c, &gpu).algorithm->name,
                            "winograd");
    tpp_call sized = c;
    sized.params = chosen.params;
    const tpp_pack_attr packing = tpp_packing_of(&tpp_op_conv2d, chosen.algorithm, &sized, &cpu);
    assert_int_equal(packing.winograd, chosen.params.n[0]);
    assert_int_equal(packing.panel, tpp_panel_width(&cpu));
}

/* A strip, and so scratch, has a bound, and one launch needs none; the map has no bound. */
static void scratch_does_not_grow_with_the_map(void **state)
{
    (void)state;
    const tpp_algorithm *a = tpp_op_algorithm(&tpp_op_conv2d, "winograd");
    const tpp_conv2d_attr large = {
        .height = 1000, .width = 1000, .kernel = 3, .stride = 1, .pad = 1};
    tpp_call c = call_of(&large, 1, 256, 256);
    int whole = 0, strips = 0;
    for (int i = 0; a->variant(&c, &cpu, i, &c.params); i++) {
        assert_true(c.params.n[0] == 2 || c.params.n[0] == 4);
        const size_t most = (size_t)c.params.n[3] << 20;
        if (most == 0)
            whole++;
        else
            strips++;
        assert_in_range(a->scratch(&c, &cpu), most > 0, most > 0 ? most + 8192 : 0);
    }
    assert_true(whole > 0 && strips > 0);
}

/* On a GPU `tile` stays first, and scratch is as bounded. */
static void gpus_are_offered_one_too(void **state)
{
    (void)state;
    const tpp_algorithm *a = tpp_op_algorithm(&tpp_op_conv2d, "winograd_tile");
    const tpp_caps gpu = {.is_gpu = true,
                          .compute_units = 60,
                          .max_group = 256,
                          .max_groups = 65535,
                          .local_mem = 65536,
                          .base_align = 128,
                          .vector_width = 4};
    const tpp_conv2d_attr large = {
        .height = 1000, .width = 1000, .kernel = 3, .stride = 1, .pad = 1};
    tpp_call c = call_of(&large, 1, 256, 256);
    assert_true(tpp_algorithm_takes(&tpp_op_conv2d, a, &c, &gpu));
    assert_string_equal(tpp_op_choose(&tpp_op_conv2d, NULL, NULL, &c, &gpu).algorithm->name,
                        "tile");
    int n = 0;
    for (; a->variant(&c, &gpu, n, &c.params); n++) {
        assert_in_range(a->scratch(&c, &gpu), 1, (16 << 20) + 8192);
        const tpp_pack_attr packing = tpp_packing_of(&tpp_op_conv2d, a, &c, &gpu);
        assert_int_equal(packing.winograd, c.params.n[0]);
    }
    assert_int_equal(n, 2);
    const tpp_call thin = call_of(&usual, 1, 15, 64);
    assert_false(tpp_algorithm_takes(&tpp_op_conv2d, a, &thin, &gpu));
}

/* A group whose matrices do not fit the local memory is not taken in one launch. */
static void one_launch_fits_the_local_memory(void **state)
{
    (void)state;
    const tpp_algorithm *a = tpp_op_algorithm(&tpp_op_conv2d, "winograd");
    tpp_caps small = cpu;
    small.local_mem = 1 << 15;
    tpp_call c = call_of(&usual, 1, 256, 256);
    int i = 0;
    for (; a->variant(&c, &small, i, &c.params); i++) assert_int_not_equal(c.params.n[3], 0);
    assert_true(i > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_3x3_of_stride_1_and_pad_1),
        cmocka_unit_test(refuses_what_its_kernels_cannot_count),
        cmocka_unit_test(cpu_devices_take_it_first),
        cmocka_unit_test(scratch_does_not_grow_with_the_map),
        cmocka_unit_test(one_launch_fits_the_local_memory),
        cmocka_unit_test(gpus_are_offered_one_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
