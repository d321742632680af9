/* Shapes and attributes that ops refuse, one row each: infer must fail with the right status, say
 * why, and leave the output shapes as they were.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "ops/op.h"

#include <string.h>

typedef struct refusal {
    const tpp_op *op;
    const void *attr;
    tpp_shape in[TPP_MAX_IN];
    tpp_status want;
    const char *says; /* part of the message */
} refusal;

static void check(const refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const refusal *r = &rows[i];
        tpp_shape out[TPP_MAX_OUT] = {0};
        const tpp_status got = r->op->infer(r->attr, r->in, out);
        if (got != r->want)
            fail_msg("%s, row %zu: status %d, %d is wanted", r->op->name, i, got, r->want);
        if (strstr(tpp_error(), r->says) == NULL || strstr(tpp_error(), r->op->name) == NULL)
            fail_msg("%s, row %zu: \"%s\" does not say \"%s\"", r->op->name, i, tpp_error(),
                     r->says);
        for (int k = 0; k < TPP_MAX_OUT; k++) assert_int_equal(out[k].rank, 0);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))
#define S           TPP_DIMS
static const tpp_status SHAPE = TPP_ESHAPE, CANNOT = TPP_EUNSUPPORTED;

static void pointwise_ops_refuse(void **state)
{
    (void)state;
    static const tpp_activate_attr relu = {TPP_ACT_RELU}, no_act = {TPP_ACT_COUNT};
    static const tpp_binary_attr add = {0}, by_row = {.by_row = 1}, no_op = {.op = 7};
    static const tpp_copy_attr nothing = {0};
    const refusal rows[] = {
        {&tpp_op_activate, &relu, {{0}}, SHAPE, "x is missing"},
        {&tpp_op_activate, &no_act, {S(3)}, CANNOT, "activation"},
        {&tpp_op_activate_backward, &relu, {S(3), S(4)}, SHAPE, "dy has shape [3]"},
        {&tpp_op_binary, &add, {S(3, 2)}, SHAPE, "b is missing"},
        {&tpp_op_binary, &add, {S(3, 2), S(3)}, SHAPE, "do not repeat"},
        {&tpp_op_binary, &add, {S(3, 2), S(2, 2)}, SHAPE, "do not repeat"},
        {&tpp_op_binary, &by_row, {S(3, 2), S(3, 2)}, SHAPE, "one element for each row"},
        {&tpp_op_binary, &no_op, {S(3), S(3)}, CANNOT, "operation"},
        {&tpp_op_copy, &nothing, {{0}}, SHAPE, "x is missing"},
        {&tpp_op_reduce_rows, &nothing, {{0}}, SHAPE, "x is missing"},
    };
    CHECK(rows);
}

static void norms_refuse(void **state)
{
    (void)state;
    static const tpp_layernorm_attr ln = {.eps = 1e-5f};
    static const tpp_groupnorm_attr gn = {1e-5f, 4, TPP_ACT_NONE}, no_groups = {1e-5f, 0, 0},
                                    no_act = {1e-5f, 1, TPP_ACT_COUNT};
    static const tpp_bn_attr bn = {.eps = 1e-5f};
    const refusal rows[] = {
        {&tpp_op_layernorm, &ln, {S(3, 4), S(4)}, SHAPE, "beta"},
        {&tpp_op_layernorm, &ln, {S(3, 4), S(3), S(4)}, SHAPE, "gamma"},
        {&tpp_op_layernorm_backward, &ln, {S(4, 3), S(3, 4), S(4)}, SHAPE, "dy"},
        {&tpp_op_groupnorm, &gn, {S(3, 4), S(4), S(4)}, SHAPE, "rank 3"},
        {&tpp_op_groupnorm, &gn, {S(1, 3, 6), S(6), S(6)}, SHAPE, "4 groups"},
        {&tpp_op_groupnorm, &no_groups, {S(1, 3, 6), S(6), S(6)}, SHAPE, "0 groups"},
        {&tpp_op_groupnorm, &no_act, {S(1, 3, 6), S(6), S(6)}, CANNOT, "activation"},
        {&tpp_op_frozen_bn, &bn, {S(1, 2, 3), S(3), S(3), S(3), S(2)}, SHAPE, "var"},
        {&tpp_op_fold_bn, &bn, {S(4, 3), S(4), S(4), S(3), S(4)}, SHAPE, "mean"},
    };
    CHECK(rows);
}

static void map_ops_refuse(void **state)
{
    (void)state;
    static const tpp_maxpool_attr pool = {2, 3, 3, 2, 1}, outside = {2, 3, 2, 1, 2},
                                  small = {2, 3, 5, 1, 1};
    static const tpp_resample_attr up = {TPP_RESAMPLE_BILINEAR, 2, 3, 4, 5}, mode = {9, 2, 3, 4, 5},
                                   none = {TPP_RESAMPLE_NEAREST, 2, 3, 0, 5},
                                   huge = {TPP_RESAMPLE_BILINEAR, 1, 60000, 1, 60000};
    static const tpp_pack_attr panels = {.panel = 16}, no_panel = {.panel = 0},
                               trans = {.panel = 16, .trans = 1},
                               tiles = {.panel = 16, .winograd = 4},
                               tiles_3 = {.panel = 16, .winograd = 3},
                               tiles_trans = {.panel = 16, .trans = 1, .winograd = 2};
    const refusal rows[] = {
        {&tpp_op_maxpool, &pool, {S(1, 5, 4)}, SHAPE, "[1,5,4]"},
        {&tpp_op_maxpool, &outside, {S(1, 6, 4)}, CANNOT, "pad 2"},
        {&tpp_op_maxpool, &small, {S(1, 6, 4)}, SHAPE, "smaller than the kernel"},
        {&tpp_op_resample, &up, {S(1, 7, 4)}, SHAPE, "[1,7,4]"},
        {&tpp_op_resample, &up, {S(1, 6, 4), S(1, 20, 3)}, SHAPE, "add"},
        {&tpp_op_resample, &mode, {S(1, 6, 4)}, CANNOT, "mode"},
        {&tpp_op_resample, &none, {S(1, 6, 4)}, CANNOT, "0 x 5"},
        {&tpp_op_resample, &huge, {S(1, 60000, 1)}, CANNOT, "60000"},
        {&tpp_op_pack, &panels, {S(2, 3, 4)}, SHAPE, "rank 2"},
        {&tpp_op_pack, &trans, {S(2, 3, 1, 1)}, SHAPE, "rank 2"},
        {&tpp_op_pack, &no_panel, {S(2, 3)}, CANNOT, "0 columns"},
        {&tpp_op_pack, &tiles, {S(2, 3)}, SHAPE, "[-1,-1,3,3]"},
        {&tpp_op_pack, &tiles, {S(2, 3, 5, 5)}, SHAPE, "[-1,-1,3,3]"},
        {&tpp_op_pack, &tiles_3, {S(2, 3, 3, 3)}, CANNOT, "tiles of 3"},
        {&tpp_op_pack, &tiles_trans, {S(2, 3, 3, 3)}, CANNOT, "trans 1"},
    };
    CHECK(rows);
}

static void ops_that_move_rows_refuse(void **state)
{
    (void)state;
    static const tpp_slice_attr past = {1, 5, 1, 3, 3, S(3)}, empty = {1, 5, 1, 0, 0, S(1)},
                                other = {2, 5, 1, 0, 5, S(10)}, out = {1, 5, 1, 0, 2, S(3)};
    static const tpp_concat_attr odd = {2, 1, S(5)}, sum = {1, 1, S(6)};
    static const tpp_gather_attr once = {.repeat = 1, .rows = 4}, never = {0};
    static const tpp_embedding_attr nothing = {0};
    const refusal rows[] = {
        {&tpp_op_slice, &past, {S(5)}, SHAPE, "3 from 3 on, of an axis of 5"},
        {&tpp_op_slice, &empty, {S(5)}, SHAPE, "0 from 0 on"},
        {&tpp_op_slice, &other, {S(5)}, SHAPE, "is not [2,5,1]"},
        {&tpp_op_slice, &out, {S(5)}, SHAPE, "does not fit [3]"},
        {&tpp_op_concat, &odd, {S(2), S(3)}, SHAPE, "operand 1"},
        {&tpp_op_concat, &sum, {S(2), S(3)}, SHAPE, "5 elements do not fit [6]"},
        {&tpp_op_concat, &sum, {{0}, S(6)}, SHAPE, "missing"},
        {&tpp_op_gather_rows, &once, {S(3, 2), S(1, 2)}, SHAPE, "index"},
        {&tpp_op_gather_rows, &never, {S(3, 2), S(2)}, CANNOT, "0 times"},
        {&tpp_op_scatter_rows, &once, {S(1, 3, 2), S(2)}, SHAPE, "dy"},
        {&tpp_op_scatter_rows, &never, {S(1, 3, 2), S(3)}, CANNOT, "0 rows"},
        {&tpp_op_embedding,
         &nothing,
         {S(1, 3), S(1, 4), S(9, 2), S(9, 2), S(1, 2)},
         SHAPE,
         "place"},
        {&tpp_op_embedding,
         &nothing,
         {S(1, 3), S(1, 3), S(9, 2), S(9, 3), S(1, 2)},
         SHAPE,
         "position"},
    };
    CHECK(rows);
}

static void selection_refuses(void **state)
{
    (void)state;
    static const tpp_topk_attr none = {0}, five = {5};
    static const tpp_box_refine_attr box = {0};
    static const tpp_frame_record_attr frame = {0};
    const refusal rows[] = {
        {&tpp_op_topk, &none, {S(4)}, SHAPE, "the 0 largest"},
        {&tpp_op_topk, &five, {S(2, 2)}, SHAPE, "the 5 largest of [2,2]"},
        {&tpp_op_argmax, &none, {{0}}, SHAPE, "x is missing"},
        {&tpp_op_box_refine, &box, {S(1, 3, 5), S(1, 3, 4)}, SHAPE, "delta"},
        {&tpp_op_box_refine, &box, {S(1, 3, 4), S(1, 2, 4)}, SHAPE, "ref"},
        {&tpp_op_box_refine, &box, {S(1, 3, 4), S(1, 3, 3)}, SHAPE, "2 or 4 columns"},
        {&tpp_op_frame_record, &frame, {S(1, 3, 4), S(1, 2, 1), S(1), S(1)}, SHAPE, "logit"},
        {&tpp_op_frame_record, &frame, {S(1, 3, 4), S(1, 3, 1), S(1)}, SHAPE, "prompt"},
    };
    CHECK(rows);
}

static void products_refuse(void **state)
{
    (void)state;
    static const tpp_gemm_attr gemm = {0}, gemm_t = {.trans_x = 1};
    static const tpp_conv2d_attr conv = {0, 4, 5, 3, 1, 1}, conv_big = {0, 2, 2, 5, 1, 1};
    static const tpp_conv2d_attr conv_still = {0, 4, 5, 3, 0, 1};
    static const tpp_ffn_attr ffn = {.act = TPP_ACT_RELU};
    const refusal rows[] = {
        {&tpp_op_gemm, &gemm, {S(3, 5), S(4, 6)}, SHAPE, "sums over 5 values"},
        {&tpp_op_gemm, &gemm, {S(3, 5)}, SHAPE, "x and w"},
        {&tpp_op_gemm, &gemm, {S(3, 5), S(4, 5), S(3)}, SHAPE, "bias"},
        {&tpp_op_gemm, &gemm, {S(6, 5), S(4, 5), {0}, S(4, 4)}, SHAPE, "rows a divisor of 6"},
        {&tpp_op_gemm, &gemm, {S(6, 5), S(4, 5), {0}, {0}, S(6, 4)}, SHAPE, "addend"},
        {&tpp_op_gemm, &gemm, {S(6, 5), S(4, 5), {0}, {0}, {0}, S(5), S(4)}, SHAPE, "gamma"},
        {&tpp_op_gemm, &gemm, {S(6, 5), S(4, 5), {0}, {0}, {0}, S(4)}, SHAPE, "beta"},
        {&tpp_op_gemm, &gemm_t, {S(1, 3, 5), S(4, 3)}, SHAPE, "rank 2"},
        {&tpp_op_gemm, &gemm_t, {S(3, 5), S(4, 3), {0}, {0}, S(5, 3)}, SHAPE, "trans_x"},
        {&tpp_op_conv2d, &conv, {S(1, 19, 2), S(3, 2, 3, 3)}, SHAPE, "x has shape [1,19,2]"},
        {&tpp_op_conv2d, &conv, {S(1, 20, 2), S(3, 1, 3, 3)}, SHAPE, "w has shape"},
        {&tpp_op_conv2d, &conv, {S(1, 20, 2), S(3, 2, 3, 3), S(2)}, SHAPE, "bias"},
        {&tpp_op_conv2d,
         &conv,
         {S(3, 20, 2), S(4, 2, 3, 3), {0}, S(2, 20, 4)},
         SHAPE,
         "1 or 3 batches"},
        {&tpp_op_conv2d,
         &conv,
         {S(1, 20, 2), S(4, 2, 3, 3), {0}, {0}, S(1, 20, 2)},
         SHAPE,
         "no addend"},
        {&tpp_op_conv2d, &conv_big, {S(1, 4, 2), S(3, 2, 5, 5)}, SHAPE, "kernel 5"},
        {&tpp_op_conv2d, &conv_still, {S(1, 20, 2), S(3, 2, 3, 3)}, SHAPE, "stride 0"},
        {&tpp_op_ffn, &ffn, {S(2, 3), S(5, 3), S(5), S(3, 4), S(3)}, SHAPE, "w2"},
        {&tpp_op_ffn, &ffn, {S(2, 3), S(5, 3), S(5), S(3, 5)}, SHAPE, "b2"},
        {&tpp_op_ffn,
         &ffn,
         {S(2, 3), S(5, 3), S(5), S(3, 5), S(3), {0}, S(3)},
         SHAPE,
         "gamma has shape"},
    };
    CHECK(rows);
}

static void attention_ops_refuse(void **state)
{
    (void)state;
    static const tpp_attention_attr same = {.heads = 2}, three_heads = {.heads = 3};
    static const tpp_attention_attr by_index = {.heads = 2, .mode = TPP_ATTENTION_INDEX};
    static const tpp_attention_attr each = {.heads = 2, .mode = TPP_ATTENTION_EACH};
    static const tpp_deform_attr deform = {2, 2, 3, {4, 2}, {5, 3}}, deep = {2, 5, 1, {1}, {1}};
    const refusal rows[] = {
        {&tpp_op_attention,
         &same,
         {S(2, 3, 4), S(1, 5, 4), S(1, 5, 4)},
         SHAPE,
         "differ in batches"},
        {&tpp_op_attention, &same, {S(1, 3, 4), S(1, 5, 6), S(1, 5, 6)}, SHAPE, "k has shape"},
        {&tpp_op_attention, &same, {S(1, 3, 4), S(1, 5, 4), S(1, 6, 4)}, SHAPE, "v has shape"},
        {&tpp_op_attention, &three_heads, {S(1, 3, 4), S(1, 5, 4), S(1, 5, 4)}, SHAPE, "3 heads"},
        {&tpp_op_attention, &by_index, {S(2, 3, 4), S(1, 5, 4), S(1, 5, 4)}, SHAPE, "index"},
        {&tpp_op_attention, &each, {S(2, 3, 4), S(3, 5, 4), S(3, 5, 4), S(2)}, SHAPE, "valid"},
        {&tpp_op_attention_backward,
         &same,
         {S(1, 2, 4), S(1, 3, 4), S(1, 5, 4), S(1, 5, 4)},
         SHAPE,
         "dy has shape"},
        {&tpp_op_deform_attention,
         &deform,
         {S(1, 25, 4), S(1, 7, 24), S(1, 7, 12), S(1, 7, 2)},
         SHAPE,
         "26 tokens"},
        {&tpp_op_deform_attention,
         &deform,
         {S(1, 26, 4), S(1, 7, 24), S(1, 6, 12), S(1, 7, 2)},
         SHAPE,
         "logits"},
        {&tpp_op_deform_attention,
         &deform,
         {S(1, 26, 4), S(1, 7, 24), S(1, 7, 12), S(1, 7, 3)},
         SHAPE,
         "2 or 4"},
        {&tpp_op_deform_attention,
         &deep,
         {S(1, 5, 4), S(1, 7, 20), S(1, 7, 10), S(1, 7, 2)},
         SHAPE,
         "5 levels"},
        {&tpp_op_deform_attention_backward,
         &deform,
         {S(1, 6, 4), S(1, 26, 4), S(1, 7, 24), S(1, 7, 12), S(1, 7, 2)},
         SHAPE,
         "dy has shape"},
    };
    CHECK(rows);
}

static void mask_and_image_ops_refuse(void **state)
{
    (void)state;
    static const tpp_prompt_mix_attr mix = {.prompts = 3, .scale = 1.0f};
    static const tpp_prompt_mix_attr levels = {
        .prompts = 1, .scale = 1.0f, .levels = 2, .tokens = {3, 2}};
    static const tpp_mask_head_attr head = {2, 3, 8, 12, 8, 1, 1.0f},
                                    wide = {2, 3, 8, 12, 99, 1, 1.0f};
    static const tpp_resize_axis_attr axis = {2, 9, 3, 5, 5, S(2, 5, 3)};
    static const tpp_normalize_attr normal = {{0}, {1, 1, 1}}, flat = {{0}, {1, 0, 1}};
    static const tpp_resize_mask_attr mask = {4, 5, 8, 10, 0}, vast = {40000, 5, 40000, 10, 0};
    const refusal rows[] = {
        {&tpp_op_prompt_mix, &mix, {S(1, 4, 5), S(2, 4, 5), S(3, 4, 1)}, SHAPE, "a has shape"},
        {&tpp_op_prompt_mix,
         &levels,
         {S(1, 4, 5), S(1, 4, 5), S(1, 4, 1)},
         SHAPE,
         "levels of 5 tokens"},
        {&tpp_op_mask_head,
         &head,
         {S(1, 1, 100), S(1, 6, 4), S(1, 1, 4)},
         SHAPE,
         "theta has shape"},
        {&tpp_op_mask_head,
         &wide,
         {S(1, 1, 100), S(1, 6, 4), S(1, 1, 4)},
         SHAPE,
         "99 dynamic channels"},
        {&tpp_op_resize_axis, &axis, {S(2, 28), S(5, 2), S(5, 5)}, SHAPE, "x [2,28]"},
        {&tpp_op_resize_axis, &axis, {S(2, 27), S(4, 2), S(5, 5)}, SHAPE, "bounds"},
        {&tpp_op_normalize_image, &normal, {S(9, 2)}, SHAPE, "2 channels"},
        {&tpp_op_resize_mask, &mask, {S(1, 21, 1)}, SHAPE, "x has shape"},
        {&tpp_op_resize_mask, &vast, {S(1, 200000, 1)}, SHAPE, "from 40000 x 5"},
        {&tpp_op_normalize_image, &flat, {S(9, 3)}, TPP_EUSAGE, "std 0"},
    };
    CHECK(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointwise_ops_refuse), cmocka_unit_test(norms_refuse),
        cmocka_unit_test(map_ops_refuse),       cmocka_unit_test(ops_that_move_rows_refuse),
        cmocka_unit_test(selection_refuses),    cmocka_unit_test(products_refuse),
        cmocka_unit_test(attention_ops_refuse), cmocka_unit_test(mask_and_image_ops_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
