/* First use: what is right is tried once; what is wrong is given up, with all of its family.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L /* mkdtemp, setenv */
#include "ops/first_use.h"
#include "planted_kernels.h"

static tpp_device *open_device(void)
{
    tpp_device *d = NULL;
    if (tpp_device_open(&d, getenv("TPP_TEST_DEVICE")) != TPP_OK) fail_msg("%s", tpp_error());
    return d;
}

static const tpp_gemm_attr product = {0};
static const tpp_conv2d_attr convolution = {.height = 9, .width = 9, .kernel = 3, .stride = 1};
static const tpp_ffn_attr block = {.act = TPP_ACT_RELU};
static const struct {
    const tpp_op *op;
    tpp_call call;
} calls[] = {
    {&tpp_op_gemm,
     {.attr = &product,
      .in = {{.shape = TPP_DIMS(40, 64)}, {.shape = TPP_DIMS(48, 64)}},
      .out = {{.shape = TPP_DIMS(40, 48)}}}},
    {&tpp_op_conv2d,
     {.attr = &convolution,
      .in = {{.shape = TPP_DIMS(1, 81, 8)}, {.shape = TPP_DIMS(16, 8, 3, 3)}},
      .out = {{.shape = TPP_DIMS(1, 49, 16)}}}},
    {&tpp_op_ffn,
     {.attr = &block,
      .in = {{.shape = TPP_DIMS(40, 32)},
             {.shape = TPP_DIMS(64, 32)},
             {.shape = TPP_DIMS(64)},
             {.shape = TPP_DIMS(32, 64)},
             {.shape = TPP_DIMS(32)}},
      .out = {{.shape = TPP_DIMS(40, 32)}}}},
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static const char *chosen(tpp_device *d, int i)
{
    return tpp_op_choose_on(d, calls[i].op, "tile", &calls[i].call).algorithm->name;
}

static void what_is_right_is_tried_once(void **state)
{
    (void)state;
    tpp_device *d = open_device();
    for (int i = 0; i < CALLS; i++) {
        assert_string_equal(chosen(d, i), "tile");
        const uint64_t launches = tpp_device_count(d).launches;
        assert_true(launches > 0);
        assert_string_equal(chosen(d, i), "tile");
        assert_int_equal(tpp_device_count(d).launches, launches);
    }
    assert_false(tpp_device_caps(d)->no_tile);
    tpp_device_close(d);
}

/* One multiply-add of the tile's inner product has the wrong sign. */
static const planted_fault wrong_sign = {"gemm_tile.clh",
                                         "(sums)[4 * i_ + 2][j_] +=", "(sums)[4 * i_ + 2][j_] -="};

static void is_given_up_with_its_family(const planted_fault *fault)
{
    char folder[] = "/tmp/tpp-first-use-XXXXXX";
    assert_non_null(mkdtemp(folder));
    planted_make(folder, fault);
    assert_int_equal(setenv("TPP_KERNEL_DIR", folder, 1), 0);
    for (int first = 0; first < CALLS; first++) {
        tpp_device *d = open_device();
        const char *name = chosen(d, first);
        assert_string_not_equal(name, "tile");
        assert_true(tpp_device_caps(d)->no_tile);
        const uint64_t launches = tpp_device_count(d).launches;
        for (int i = 0; i < CALLS; i++) assert_string_not_equal(chosen(d, i), "tile");
        assert_int_equal(tpp_device_count(d).launches, launches);
        tpp_device_close(d);
    }
    assert_int_equal(unsetenv("TPP_KERNEL_DIR"), 0);
    planted_remove(folder);
}

static void a_wrong_sign_is_given_up_with_its_family(void **state)
{
    (void)state;
    is_given_up_with_its_family(&wrong_sign);
}

static void a_thousandth_too_much_is_given_up_with_its_family(void **state)
{
    (void)state;
    is_given_up_with_its_family(&planted_thousandth);
}

/* Where sub-groups fail, PoCL's compiler has not their functions, norms are summed by trees and the
 * rest of the family stays. */
static void sub_groups_that_fail_are_given_up_alone(void **state)
{
    (void)state;
    static const tpp_layernorm_attr attr = {.eps = 1e-5f};
    const tpp_call c = {
        .attr = &attr,
        .in = {{.shape = TPP_SHAPE(9, 256)}, {.shape = TPP_SHAPE(256)}, {.shape = TPP_SHAPE(256)}},
        .out = {{.shape = TPP_SHAPE(9, 256)}}};
    tpp_device *d = open_device();
    const bool has_them = d->caps.sub_groups;
    d->caps.sub_groups = true;
    assert_string_equal(tpp_op_choose_on(d, &tpp_op_layernorm, "tile", &c).algorithm->name, "tile");
    assert_int_equal(d->caps.no_sub_groups, !has_them);
    assert_int_equal(strstr(tpp_device_given_up(d), "sub-group") == NULL, has_them);
    assert_int_equal(tpp_device_used(d).sub_groups, has_them);
    assert_false(d->caps.no_tile);
    tpp_device_close(d);
}

/* The same with twice the registers: an option that no device here knows. */
static void registers_that_are_refused_are_given_up_alone(void **state)
{
    (void)state;
    static const tpp_gemm_attr attr = {0};
    const tpp_call c = {.attr = &attr,
                        .in = {{.shape = TPP_SHAPE(4096, 64)}, {.shape = TPP_SHAPE(512, 64)}},
                        .out = {{.shape = TPP_SHAPE(4096, 512)}}};
    tpp_device *d = open_device();
    d->caps.compute_units = 2;
    d->caps.least_lanes = 16;
    d->caps.large_grf = true;
    const tpp_choice choice = tpp_op_choose_on(d, &tpp_op_gemm, "tile", &c);
    assert_string_equal(choice.algorithm->name, "tile");
    assert_int_equal(choice.params.n[1], 64); /* columns: not the tile of 128 x 128 */
    assert_true(d->caps.no_large_grf && !d->caps.no_tile);
    assert_non_null(strstr(tpp_device_given_up(d), "large register file"));
    /* Who asks for that tile all the same gets it with the usual registers. */
    tpp_call large = c;
    large.params = (tpp_params){{128, 128, 16, 1}};
    assert_true(choice.algorithm->usable(d, &large));
    tpp_device_close(d);
}

/* It is the fault that is found, not the folder. */
static void true_copies_are_kept(void **state)
{
    (void)state;
    char folder[] = "/tmp/tpp-first-use-XXXXXX";
    assert_non_null(mkdtemp(folder));
    planted_make(folder, NULL);
    assert_int_equal(setenv("TPP_KERNEL_DIR", folder, 1), 0);
    tpp_device *d = open_device();
    for (int i = 0; i < CALLS; i++) assert_string_equal(chosen(d, i), "tile");
    assert_false(tpp_device_caps(d)->no_tile);
    tpp_device_close(d);
    assert_int_equal(unsetenv("TPP_KERNEL_DIR"), 0);
    planted_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_tried_once),
        cmocka_unit_test(a_wrong_sign_is_given_up_with_its_family),
        cmocka_unit_test(a_thousandth_too_much_is_given_up_with_its_family),
        cmocka_unit_test(true_copies_are_kept),
        cmocka_unit_test(sub_groups_that_fail_are_given_up_alone),
        cmocka_unit_test(registers_that_are_refused_are_given_up_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
