/* Tuning with kernels that a driver would have compiled wrongly: this program is also the process
 * that candidates run in ("serve"), which reads the planted kernels.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/tune_internal.h"
#include "planted_kernels.h"

static char *serve[] = {"/proc/self/exe", "serve", NULL};

static const tpp_gemm_attr product = {0};
static const tpp_conv2d_attr convolution = {
    .height = 20, .width = 21, .kernel = 3, .stride = 1, .pad = 1};

/* Small products and large ones: below, `plain` runs the whole call, above, only two parts of it.
 */
static const struct {
    const tpp_op *op;
    const void *attr;
    tpp_shape in[2], out;
} calls[] = {
    {&tpp_op_gemm, &product, {TPP_DIMS(200, 64), TPP_DIMS(48, 64)}, TPP_DIMS(200, 48)},
    {&tpp_op_gemm, &product, {TPP_DIMS(1200, 512), TPP_DIMS(256, 512)}, TPP_DIMS(1200, 256)},
    {&tpp_op_conv2d,
     &convolution,
     {TPP_DIMS(1, 420, 16), TPP_DIMS(32, 16, 3, 3)},
     TPP_DIMS(1, 420, 32)},
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]), PLAIN = 0 };

/* `plain` and what `tile` offers for the call. */
static tpp_tune_shape make_shape(int i, const tpp_caps *caps, tpp_tune_candidate *candidate)
{
    tpp_tune_shape s = {.op = calls[i].op, .bucket = "any", .candidate = candidate};
    const tpp_algorithm *tile = tpp_op_algorithm(s.op, "tile");
    tpp_call call = {.attr = calls[i].attr, .out = {{.shape = calls[i].out}}};
    memcpy(s.attr, calls[i].attr, s.op->attr_size);
    for (int k = 0; k < 2; k++) call.in[k].shape = s.in[k] = calls[i].in[k];
    candidate[s.n++] = (tpp_tune_candidate){.algorithm = tpp_op_algorithm(s.op, "plain")};
    for (tpp_params p; s.n < 4 && tile->variant(&call, caps, s.n - 1, &p);)
        candidate[s.n++] = (tpp_tune_candidate){.algorithm = tile, .params = p};
    assert_true(s.n > 2);
    return s;
}

/* Measures call i with the kernels of a folder and expects every `tile` to be refused, or none. */
static void measure(int i, const planted_fault *fault)
{
    char folder[] = "/tmp/tpp-tune-XXXXXX";
    tpp_device *d = NULL;
    tpp_tune_candidate candidate[TPP_TUNE_MAX_CANDIDATES];
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    tpp_tune_shape shape = make_shape(i, tpp_device_caps(d), candidate);
    tpp_device_close(d);
    tpp_tune t = {.shape = &shape, .n = 1};
    const tpp_tune_options o = {.child = serve, .device = getenv("TPP_TEST_DEVICE"), .limit_s = 60};
    assert_non_null(mkdtemp(folder));
    planted_make(folder, fault);
    assert_int_equal(setenv("TPP_KERNEL_DIR", folder, 1), 0);
    UNIT_OK(tpp_tune_measure(&t, &o));
    assert_int_equal(unsetenv("TPP_KERNEL_DIR"), 0);
    planted_remove(folder);
    assert_true(shape.done && candidate[PLAIN].state == TPP_TUNE_MEASURED);
    for (int k = 1; k < shape.n; k++) {
        const tpp_tune_candidate *c = &candidate[k];
        const bool refused = c->state == TPP_TUNE_REFUSED;
        if (refused != (fault != NULL) || (refused && strstr(c->why, "wrong unlike ") == NULL))
            fail_msg("%s, call %d, candidate %d: state %d: %s", shape.op->name, i, k, (int)c->state,
                     c->why);
    }
    if (fault != NULL) assert_int_equal(shape.best, PLAIN);
}

static void a_thousandth_too_much_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++) measure(i, &planted_thousandth);
}

static void true_copies_are_not(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++) measure(i, NULL);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0) return tpp_tune_serve(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousandth_too_much_is_refused),
        cmocka_unit_test(true_copies_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
