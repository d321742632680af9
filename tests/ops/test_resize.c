/* Image and mask resize against what Pillow and the float64 reference make of the same input:
 * tests/golden/resize.safetensors byte for byte, and tests/golden/mask_resize.safetensors but for
 * pixels that are marked as too near the threshold. Each by the references and on a device.
 * SPDX-License-Identifier: MIT */
/* cmocka.h needs what stands before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "core/mem.h"
#include "core/synth.h"
#include "io/safetensors.h"
#include "ops/op.h"
#include "ops/resize_plan.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN TPP_SOURCE_DIR "/tests/golden/"
#define OK(call)                                                      \
    do {                                                              \
        if ((call) != TPP_OK) fail_msg("%s: %s", #call, tpp_error()); \
    } while (0)

enum { STEP = 97 }; /* of a large image the file holds every 97th byte */

static void *new_array(size_t count, size_t size)
{
    void *p = tpp_calloc(count, size);
    assert_non_null(p);
    return p;
}

/* ---- running one op, by its reference or on a device ---- */

/* NULL device: the reference. Results are bytes. */
typedef struct bytes_op {
    tpp_device *device;
    const tpp_op *op;
    const void *attr;
    tpp_shape in_shape[3];
    const void *in[3]; /* by the op's types */
} bytes_op;

static void run_reference(const bytes_op *b, const tpp_shape *out_shape, uint8_t *out)
{
    const int64_t n = tpp_shape_count(out_shape);
    double *in[3] = {NULL}, *result = new_array((size_t)n, sizeof(*result));
    tpp_ref_call call = {.attr = b->attr, .out_shape = {*out_shape}, .out = {result}};
    for (int i = 0; i < 3 && b->in[i] != NULL; i++) {
        const int64_t count = tpp_shape_count(&b->in_shape[i]);
        in[i] = new_array((size_t)count, sizeof(double));
        for (int64_t j = 0; j < count; j++) switch (b->op->in_types[i]) {
            case TPP_U8:
                in[i][j] = ((const uint8_t *)b->in[i])[j];
                break;
            case TPP_I32:
                in[i][j] = ((const int32_t *)b->in[i])[j];
                break;
            default:
                in[i][j] = (double)((const float *)b->in[i])[j];
                break;
            }
        call.in_shape[i] = b->in_shape[i];
        call.in[i] = in[i];
    }
    b->op->ref(&call);
    for (int64_t j = 0; j < n; j++) out[j] = (uint8_t)result[j];
    for (int i = 0; i < 3; i++) tpp_free(in[i]);
    tpp_free(result);
}

static void run_device(const bytes_op *b, const tpp_shape *out_shape, uint8_t *out)
{
    tpp_buffer *buffer[4] = {NULL};
    tpp_steps *steps = NULL;
    const size_t bytes = (size_t)tpp_shape_count(out_shape);
    tpp_call call = {.attr = b->attr};
    for (int i = 0; i < 3 && b->in[i] != NULL; i++) {
        const tpp_dtype type = (tpp_dtype)b->op->in_types[i];
        const size_t size = (size_t)tpp_shape_count(&b->in_shape[i]) * tpp_dtype_size(type);
        OK(tpp_buffer_open(&buffer[i], b->device, size));
        OK(tpp_buffer_write(buffer[i], 0, b->in[i], size));
        call.in[i] = (tpp_operand){.shape = b->in_shape[i], .type = type, .mem = buffer[i]->mem};
    }
    OK(tpp_buffer_open(&buffer[3], b->device, bytes));
    call.out[0] = (tpp_operand){.shape = *out_shape, .type = TPP_U8, .mem = buffer[3]->mem};
    OK(tpp_steps_open(&steps, b->device));
    OK(tpp_op_choose(b->op, NULL, NULL, &call, tpp_device_caps(b->device))
           .algorithm->record(steps, &call));
    OK(tpp_steps_run(steps));
    OK(tpp_buffer_read(buffer[3], 0, out, bytes));
    tpp_steps_close(steps);
    for (int i = 0; i < 4; i++) tpp_buffer_close(buffer[i]);
}

static uint8_t *run(const bytes_op *b)
{
    tpp_shape in[TPP_MAX_IN] = {{0}}, out[TPP_MAX_OUT] = {{0}};
    memcpy(in, b->in_shape, sizeof(b->in_shape));
    OK(b->op->infer(b->attr, in, out));
    uint8_t *result = new_array((size_t)tpp_shape_count(&out[0]) + 1, 1);
    if (b->device == NULL)
        run_reference(b, &out[0], result);
    else
        run_device(b, &out[0], result);
    return result;
}

/* ---- images ---- */

/* [outer, n, inner] to [outer, m, inner]; takes x, which comes back as it is when n is m. */
static uint8_t *resize_axis(tpp_device *d, uint8_t *x, const int64_t size[3], int64_t m)
{
    if (size[1] == m) return x;
    tpp_resize_plan plan = {0};
    OK(tpp_resize_plan_make(&plan, size[1], m));
    const tpp_resize_axis_attr attr = {.outer = size[0],
                                       .n = size[1],
                                       .inner = size[2],
                                       .m = m,
                                       .taps = plan.taps,
                                       .out = TPP_SHAPE(size[0], m, size[2])};
    const bytes_op b = {.device = d,
                        .op = &tpp_op_resize_axis,
                        .attr = &attr,
                        .in_shape = {TPP_SHAPE(size[0], size[1], size[2]), TPP_SHAPE(m, 2),
                                     TPP_SHAPE(m, plan.taps)},
                        .in = {x, plan.bounds, plan.weights}};
    uint8_t *y = run(&b);
    tpp_resize_plan_free(&plan);
    tpp_free(x);
    return y;
}

static uint8_t *resize_image(tpp_device *d, uint8_t *x, const int64_t from[2], const int64_t to[2])
{
    const bool rows_first = tpp_resize_rows_first(from[0], from[1], to[0], to[1]);
    const int64_t height = rows_first ? to[0] : from[0]; /* while columns are resized */
    const int64_t width = rows_first ? from[1] : to[1];  /* while rows are */
    const int64_t columns[3] = {height, from[1], 3}, rows[3] = {1, from[0], width * 3};
    x = rows_first ? resize_axis(d, x, rows, to[0]) : resize_axis(d, x, columns, to[1]);
    return rows_first ? resize_axis(d, x, columns, to[1]) : resize_axis(d, x, rows, to[0]);
}

/* The inputs' rule is in the golden file's metadata. */
static uint8_t *make_image(int k, int64_t h, int64_t w)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "resize%d", k);
    const uint64_t key = tpp_synth_key(name, 7);
    uint8_t *image = new_array((size_t)(h * w * 3), 1);
    for (int64_t i = 0; i < h * w * 3; i++) {
        const int noise = (int)floor(tpp_synth_value(key, (uint64_t)i) * 128.0 + 128.0);
        const int64_t x = i / 3 % w, y = i / 3 / w;
        const int ramp = (int)llabs((3 * x + 5 * y) % 510 - 255);
        image[i] = (uint8_t)(k % 2 == 0 ? noise : ramp * 4 / 5 + noise / 12);
    }
    return image;
}

/* Holds an image of `bytes` against NAME of the file, or against NAME@every97. */
static void compare(const tpp_safetensors *f, int k, const char *what, const uint8_t *image,
                    int64_t bytes)
{
    char name[64];
    int64_t step = 1;
    (void)snprintf(name, sizeof(name), "%d.%s", k, what);
    const tpp_safetensors_tensor *t = tpp_safetensors_find(f, name);
    if (t == NULL) {
        step = STEP;
        (void)snprintf(name, sizeof(name), "%d.%s@every97", k, what);
        t = tpp_safetensors_find(f, name);
    }
    assert_non_null(t);
    assert_int_equal(t->type, TPP_SAFETENSORS_U8);
    assert_int_equal(t->count, (bytes + step - 1) / step);
    for (int64_t i = 0; i < t->count; i++)
        if (image[i * step] != ((const uint8_t *)t->bytes)[i])
            fail_msg("%s: byte %lld is %d, Pillow's is %d", name, (long long)(i * step),
                     image[i * step], ((const uint8_t *)t->bytes)[i]);
}

/* Every image of the golden file, whose sizes are "[[h, w, H, W], ..]". */
static void check_images(tpp_device *d)
{
    tpp_safetensors *f = NULL;
    OK(tpp_safetensors_open(&f, GOLDEN "resize.safetensors"));
    const char *sizes = tpp_safetensors_meta(f, "sizes");
    assert_non_null(sizes);
    int k = 0;
    for (const char *p = strchr(sizes + 1, '['); p != NULL; p = strchr(p + 1, '['), k++) {
        int h = 0, w = 0, out_h = 0, out_w = 0;
        assert_int_equal(sscanf(p, "[%d, %d, %d, %d]", &h, &w, &out_h, &out_w), 4);
        uint8_t *image = make_image(k, h, w);
        compare(f, k, "in", image, (int64_t)h * w * 3);
        image = resize_image(d, image, (const int64_t[2]){h, w}, (const int64_t[2]){out_h, out_w});
        compare(f, k, "out", image, (int64_t)out_h * out_w * 3);
        tpp_free(image);
    }
    assert_int_equal(k, 20);
    tpp_safetensors_close(f);
}

/* ---- masks ---- */

static const tpp_safetensors_tensor *find(const tpp_safetensors *f, int k, const char *what)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%d.%s", k, what);
    return tpp_safetensors_find(f, name);
}

static void check_mask(const tpp_safetensors *f, int k, tpp_device *d)
{
    const tpp_safetensors_tensor *in = find(f, k, "in"), *mask = find(f, k, "mask");
    const tpp_safetensors_tensor *near = find(f, k, "near");
    float *logits = new_array((size_t)in->count, sizeof(*logits));
    OK(tpp_safetensors_floats(in, logits, in->count));
    const tpp_resize_mask_attr attr = {.height = (int)in->dims[0],
                                       .width = (int)in->dims[1],
                                       .out_height = (int)mask->dims[0],
                                       .out_width = (int)mask->dims[1]};
    const bytes_op b = {.device = d,
                        .op = &tpp_op_resize_mask,
                        .attr = &attr,
                        .in_shape = {TPP_SHAPE(1, in->count, 1)},
                        .in = {logits}};
    uint8_t *got = run(&b);
    for (int64_t i = 0; i < mask->count; i++)
        if (got[i] != ((const uint8_t *)mask->bytes)[i] && ((const uint8_t *)near->bytes)[i] == 0)
            fail_msg("mask %d: pixel %lld is %d", k, (long long)i, got[i]);
    tpp_free(got);
    tpp_free(logits);
}

static void check_masks(tpp_device *d)
{
    tpp_safetensors *f = NULL;
    int k = 0;
    OK(tpp_safetensors_open(&f, GOLDEN "mask_resize.safetensors"));
    for (; find(f, k, "in") != NULL; k++) check_mask(f, k, d);
    assert_int_equal(k, 7);
    tpp_safetensors_close(f);
}

static void reference_resizes_images_like_pillow(void **state)
{
    (void)state;
    check_images(NULL);
}

static void device_resizes_images_like_pillow(void **state)
{
    check_images(*state);
}

static void reference_resizes_masks_like_the_golden_file(void **state)
{
    (void)state;
    check_masks(NULL);
}

static void device_resizes_masks_like_the_golden_file(void **state)
{
    check_masks(*state);
}

static void plan_refuses_axes_of_nothing(void **state)
{
    (void)state;
    tpp_resize_plan plan = {0};
    assert_int_equal(tpp_resize_plan_make(&plan, 0, 5), TPP_ESHAPE);
    assert_int_equal(tpp_resize_plan_make(&plan, 5, 0), TPP_ESHAPE);
    assert_int_equal(tpp_resize_plan_make(&plan, 5, INT32_MAX), TPP_ESHAPE);
    assert_null(plan.bounds);
}

static int open_device(void **state)
{
    return tpp_device_open((tpp_device **)state, getenv("TPP_TEST_DEVICE")) == TPP_OK ? 0 : -1;
}

static int close_device(void **state)
{
    tpp_device_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_refuses_axes_of_nothing),
        cmocka_unit_test(reference_resizes_images_like_pillow),
        cmocka_unit_test(device_resizes_images_like_pillow),
        cmocka_unit_test(reference_resizes_masks_like_the_golden_file),
        cmocka_unit_test(device_resizes_masks_like_the_golden_file),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
