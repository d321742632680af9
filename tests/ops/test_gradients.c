/* Reference backward of products, attention and deformable attention against central differences
 * of their reference forward, in double.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "gradient.h"

#define S TPP_DIMS
enum { ANY = TPP_FILL_UNIFORM, UNIT = TPP_FILL_UNIT, LARGE = TPP_FILL_LARGE };

/* y = x w^T: dx = dy w, a product whose second operand is stored the other way round. */
static void gemm_gives_the_gradient_of_its_rows(void **state)
{
    (void)state;
    static const tpp_gemm_attr forward = {0}, backward = {.trans_w = 1};
    const gradient g = {.forward = &tpp_op_gemm,
                        .backward = &tpp_op_gemm,
                        .c = {.name = "dx", .attr = &forward, .in = {S(2, 3, 7), S(5, 7), S(5)}},
                        .backward_attr = &backward,
                        .passed_on = {1, -1},
                        .outputs = 1};
    gradient_check(&g);
}

/* dw = dy^T x: both operands are stored the other way round. */
static void gemm_gives_the_gradient_of_its_weight(void **state)
{
    (void)state;
    static const tpp_gemm_attr forward = {0}, backward = {.trans_x = 1, .trans_w = 1};
    const gradient g = {.forward = &tpp_op_gemm,
                        .backward = &tpp_op_gemm,
                        .c = {.name = "dw", .attr = &forward, .in = {S(6, 7), S(5, 7)}},
                        .backward_attr = &backward,
                        .passed_on = {0, -1},
                        .first = 1,
                        .outputs = 1};
    gradient_check(&g);
}

static void attention_backward_is_the_slope_of_attention(void **state)
{
    (void)state;
    static const tpp_attention_attr heads = {.heads = 2, .scale = 0.5f};
    static const tpp_attention_attr one = {.heads = 1, .scale = 1.5f};
    const tpp_case cases[] = {
        {.name = "cross", .attr = &heads, .in = {S(2, 5, 8), S(2, 7, 8), S(2, 7, 8)}},
        {.name = "sharp",
         .attr = &one,
         .in = {S(1, 4, 3), S(1, 6, 3), S(1, 6, 3)},
         .fill = {LARGE, ANY, ANY}},
        {.name = "one key", .attr = &one, .in = {S(1, 3, 2), S(1, 1, 2), S(1, 1, 2)}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const gradient g = {.forward = &tpp_op_attention,
                            .backward = &tpp_op_attention_backward,
                            .c = cases[i],
                            .passed_on = {0, 1, 2, -1},
                            .outputs = 3};
        gradient_check(&g);
    }
}

/* Samples have kinks at whole pixels. The inputs are the same in every run, and these have none
 * within a step of a kink (a case that had would fail). Offsets reach outside the maps. */
static void deform_attention_backward_is_the_slope_of_deform_attention(void **state)
{
    (void)state;
    static const tpp_deform_attr levels = {2, 3, 2, {4, 2, 1}, {5, 3, 2}};
    static const tpp_deform_attr single = {1, 1, 4, {3}, {3}};
    const tpp_case cases[] = {
        {.name = "points",
         .attr = &levels,
         .in = {S(2, 28, 6), S(2, 4, 24), S(2, 4, 12), S(1, 4, 2)},
         .fill = {ANY, LARGE, ANY, UNIT}},
        {.name = "boxes",
         .attr = &levels,
         .in = {S(2, 28, 6), S(2, 3, 24), S(2, 3, 12), S(2, 3, 4)},
         .fill = {ANY, LARGE, ANY, UNIT}},
        {.name = "one level",
         .attr = &single,
         .in = {S(1, 9, 3), S(1, 5, 8), S(1, 5, 4), S(1, 5, 2)},
         .fill = {ANY, ANY, LARGE, UNIT}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const gradient g = {.forward = &tpp_op_deform_attention,
                            .backward = &tpp_op_deform_attention_backward,
                            .c = cases[i],
                            .passed_on = {0, 1, 2, 3, -1},
                            .outputs = 3};
        gradient_check(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_gives_the_gradient_of_its_rows),
        cmocka_unit_test(gemm_gives_the_gradient_of_its_weight),
        cmocka_unit_test(attention_backward_is_the_slope_of_attention),
        cmocka_unit_test(deform_attention_backward_is_the_slope_of_deform_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
