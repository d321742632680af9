/* Shapes: counts that cannot overflow, the matrix view, texts.
 * SPDX-License-Identifier: MIT */
#include "core/shape.h"
#include "unit.h"

static void counts_are_products(void **state)
{
    (void)state;
    const tpp_shape s = TPP_SHAPE(2, 3, 5, 7), one = TPP_SHAPE(9), none = {0},
                    empty = TPP_SHAPE(4, 0, 3);
    assert_int_equal(tpp_shape_count(&s), 210);
    assert_int_equal(tpp_shape_rows(&s), 30);
    assert_int_equal(tpp_shape_cols(&s), 7);
    assert_int_equal(tpp_shape_count(&one), 9);
    assert_int_equal(tpp_shape_rows(&one), 1);
    assert_int_equal(tpp_shape_cols(&one), 9);
    assert_int_equal(tpp_shape_count(&none), 0);
    assert_int_equal(tpp_shape_rows(&none), 0);
    assert_int_equal(tpp_shape_cols(&none), 0);
    assert_int_equal(tpp_shape_count(&empty), 0);
}

static void counts_saturate(void **state)
{
    (void)state;
    const int64_t large = INT64_C(1) << 40;
    const tpp_shape s = TPP_SHAPE(large, large, large), limit = TPP_SHAPE(1, INT64_MAX, 1),
                    zero = TPP_SHAPE(large, large, 0), negative = TPP_SHAPE(-3, 5);
    assert_true(tpp_shape_count(&s) == INT64_MAX);
    assert_true(tpp_shape_rows(&s) == INT64_MAX);
    assert_true(tpp_shape_count(&limit) == INT64_MAX);
    assert_true(tpp_shape_count(&zero) == 0);
    assert_true(tpp_shape_count(&negative) == 0);
}

static void shapes_are_equal_in_rank_and_axes(void **state)
{
    (void)state;
    const tpp_shape a = TPP_SHAPE(2, 3), b = TPP_SHAPE(2, 3), c = TPP_SHAPE(3, 2),
                    d = TPP_SHAPE(2, 3, 1), none = {0};
    assert_true(tpp_shape_equal(&a, &b));
    assert_false(tpp_shape_equal(&a, &c));
    assert_false(tpp_shape_equal(&a, &d));
    assert_false(tpp_shape_equal(&a, &none));
    assert_true(tpp_shape_equal(&none, &none));
}

static void four_texts_stay_valid(void **state)
{
    (void)state;
    const tpp_shape shapes[] = {TPP_SHAPE(1, 3600, 256), TPP_SHAPE(7), TPP_SHAPE(-1, 2),
                                TPP_SHAPE(INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN)};
    const tpp_shape none = {0};
    const char *text[4];
    for (int i = 0; i < 4; i++) text[i] = tpp_shape_text(&shapes[i]);
    assert_string_equal(text[0], "[1,3600,256]");
    assert_string_equal(text[1], "[7]");
    assert_string_equal(text[2], "[-1,2]");
    assert_int_equal(strlen(text[3]), 4 * 20 + 3 + 2);
    assert_string_equal(tpp_shape_text(&none), "[]");
}

static void types_have_sizes_and_names(void **state)
{
    (void)state;
    assert_int_equal(tpp_dtype_size(TPP_F32), 4);
    assert_int_equal(tpp_dtype_size(TPP_F16), 2);
    assert_int_equal(tpp_dtype_size(TPP_I32), 4);
    assert_int_equal(tpp_dtype_size(TPP_U8), 1);
    assert_string_equal(tpp_dtype_text(TPP_F32), "F32");
    assert_string_equal(tpp_dtype_text(TPP_U8), "U8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_products),
        cmocka_unit_test(counts_saturate),
        cmocka_unit_test(shapes_are_equal_in_rank_and_axes),
        cmocka_unit_test(four_texts_stay_valid),
        cmocka_unit_test(types_have_sizes_and_names),
    };
    return cmocka_run_group_tests_name("core.shape", tests, NULL, NULL);
}
