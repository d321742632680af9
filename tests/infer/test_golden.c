/* Golden comparison: what must pass passes, and every single change is found and named.
 * SPDX-License-Identifier: MIT */
#include "infer/builtin_golden.h"
#include "infer/golden.h"
#include "io/safetensors.h"
#include "unit.h"

#include <math.h>

#define GOLDEN(name) TPP_SOURCE_DIR "/tests/golden/" name ".safetensors"

/* Every tensor of a run, so that one run serves many comparisons. */
typedef struct trace {
    tpp_traced *items;
    size_t count;
} trace;

static tpp_status keep(void *context, const tpp_traced *t)
{
    trace *all = context;
    const size_t n = (size_t)tpp_shape_count(&t->shape);
    double *values = tpp_calloc(n, sizeof *values);
    memcpy(values, t->values, n * sizeof *values);
    all->items = tpp_realloc(all->items, all->count + 1, sizeof *all->items);
    all->items[all->count++] = (tpp_traced){tpp_strdup(t->name), values, t->shape};
    return TPP_OK;
}

static void free_trace(trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        tpp_free((void *)(uintptr_t)t->items[i].name);
        tpp_free((void *)(uintptr_t)t->items[i].values);
    }
    tpp_free(t->items);
}

/* Compares; the number of failures, and the first one's row in *worst. */
static int compare(const tpp_golden *g, const trace *t, tpp_golden_row *worst)
{
    tpp_golden_report r = {0};
    UNIT_OK(tpp_golden_report_init(&r, g));
    for (size_t i = 0; i < t->count; i++) UNIT_OK(tpp_golden_sink(&r, &t->items[i]));
    tpp_golden_report_finish(&r);
    const int failed = r.failed;
    assert_int_equal(r.passed + r.failed, g->count);
    if (worst != NULL) *worst = r.rows[0];
    tpp_golden_report_free(&r);
    return failed;
}

/* One change of the golden side: exactly this item fails. */
static void expect_only(const tpp_golden *g, const trace *t, const char *name, const char *what)
{
    tpp_golden_row worst;
    const int failed = compare(g, t, &worst);
    if (failed != 1 || strcmp(worst.name, name) != 0)
        fail_msg("%s of %s: %d failures, first %s", what, name, failed, worst.name);
}

/* Multiplies the value of largest magnitude by 1.01; false for zeros, which that does not change.
 */
static bool change_largest(double *v, int64_t n)
{
    int64_t at = 0;
    for (int64_t i = 1; i < n; i++)
        if (fabs(v[i]) > fabs(v[at])) at = i;
    v[at] *= 1.01;
    return v[at] != 0;
}

static void every_change_of_one_percent_is_found(const char *path, tpp_device *device)
{
    tpp_golden g = {0};
    trace t = {0};
    int changes = 0;
    UNIT_OK(tpp_golden_read(&g, path));
    UNIT_OK(tpp_golden_run(&g, device, NULL, keep, &t));
    assert_int_equal(compare(&g, &t, NULL), 0);
    for (size_t i = 0; i < g.count; i++) {
        tpp_expected *item = &g.items[i];
        const tpp_expected before = *item;
        double *copy = tpp_calloc((size_t)item->count, sizeof *copy);
        memcpy(copy, item->values, (size_t)item->count * sizeof *copy);
        /* A sample's largest value need not be the tensor's, but is far above the tolerance. */
        if (change_largest(item->values, item->count)) {
            expect_only(&g, &t, item->name, "the largest value");
            changes++;
        }
        memcpy(item->values, copy, (size_t)item->count * sizeof *copy);
        if (item->has_stats && change_largest(item->stats, 3)) {
            expect_only(&g, &t, item->name, "the largest statistic");
            changes++;
        }
        if (item->has_stats) {
            item->step += 1 + item->step / 100;
            expect_only(&g, &t, item->name, "the step");
            changes++;
        }
        *item = before;
        tpp_free(copy);
    }
    assert_true(changes > 45);
    free_trace(&t);
    tpp_golden_free(&g);
}

static void one_percent_of_micro(void **state)
{
    every_change_of_one_percent_is_found(GOLDEN("forward_micro"), *state);
}

static void one_percent_of_tiny(void **state)
{
    every_change_of_one_percent_is_found(GOLDEN("forward_tiny"), *state);
}

static void one_percent_of_text(void **state)
{
    tpp_golden g = {0};
    trace t = {0};
    UNIT_OK(tpp_golden_read(&g, GOLDEN("text_small")));
    assert_true(g.text_only);
    UNIT_OK(tpp_golden_run(&g, *state, "plain", keep, &t));
    assert_int_equal(compare(&g, &t, NULL), 0);
    assert_true(change_largest(g.items[0].values, g.items[0].count));
    expect_only(&g, &t, g.items[0].name, "the largest value");
    free_trace(&t);
    tpp_golden_free(&g);
}

/* ---- faults of the run ---- */

/* A golden of one tensor, and a run of one tensor. */
static tpp_golden make_golden(double *values, int64_t n)
{
    tpp_golden g = {.count = 1};
    g.items = tpp_calloc(1, sizeof *g.items);
    g.items[0] = (tpp_expected){
        .name = "frame1.x", .values = values, .count = n, .step = 1, .shape = TPP_SHAPE(n)};
    tpp_table_put(&g.index, "frame1.x", NULL)->value.number = 0;
    return g;
}

static void expect_why(double *want, int64_t n, const tpp_traced *got, const char *why)
{
    tpp_golden g = make_golden(want, n);
    trace t = {0};
    tpp_golden_row row;
    if (got != NULL) UNIT_OK(keep(&t, got));
    assert_int_equal(compare(&g, &t, &row), 1);
    if (strstr(row.why, why) == NULL) fail_msg("wanted \"%s\", got \"%s\"", why, row.why);
    free_trace(&t);
    tpp_free(g.items);
    tpp_table_free(&g.index);
}

static void faults_of_the_run_are_failures(void **state)
{
    (void)state;
    double want[] = {1, 2, 3, 4};
    const double nan_values[] = {1, NAN, 3, 4}, inf_values[] = {1, 2, INFINITY, 4},
                 far_values[] = {1, 2, 3, 4.0009};
    const tpp_traced square = {"frame1.x", want, TPP_SHAPE(2, 2)},
                     shorter = {"frame1.x", want, TPP_SHAPE(3)},
                     other = {"frame1.y", want, TPP_SHAPE(4)},
                     with_nan = {"frame1.x", nan_values, TPP_SHAPE(1, 4, 1)},
                     with_inf = {"frame1.x", inf_values, TPP_SHAPE(4)},
                     far_off = {"frame1.x", far_values, TPP_SHAPE(4)};
    expect_why(want, 4, NULL, "did not produce it");
    expect_why(want, 4, &other, "did not produce it");
    expect_why(want, 4, &square, "shape [2,2]");
    expect_why(want, 4, &shorter, "shape [3]");
    expect_why(want, 4, &with_nan, "value 1 is not finite");
    expect_why(want, 4, &with_inf, "value 2 is not finite");
    expect_why(want, 4, &far_off, "value 3 is off by 0.000225");
}

/* ---- the built-in table ---- */

static void builtin_table_is_the_file(void **state)
{
    (void)state;
    tpp_safetensors *f = NULL;
    UNIT_OK(tpp_safetensors_open(&f, GOLDEN("forward_micro")));
    for (size_t i = 0; i < tpp_builtin_key_count; i++) {
        const char *value = tpp_safetensors_meta(f, tpp_builtin_keys[i].key);
        assert_non_null(value);
        assert_string_equal(value, tpp_builtin_keys[i].value);
    }
    for (size_t i = 0; i < tpp_builtin_tensor_count; i++) {
        const tpp_builtin_tensor *b = &tpp_builtin_tensors[i];
        const tpp_safetensors_tensor *t = tpp_safetensors_find(f, b->name);
        assert_non_null(t);
        double *v = tpp_calloc((size_t)t->count, sizeof *v);
        UNIT_OK(tpp_safetensors_doubles(t, v, t->count));
        assert_int_equal(b->count, (t->count + b->step - 1) / b->step);
        double largest = 0;
        for (int64_t k = 0; k < b->count; k++)
            if (v[k * b->step] != b->values[k]) fail_msg("%s: value %d", b->name, (int)k);
        for (int64_t k = 0; k < t->count; k++) largest = fmax(largest, fabs(v[k]));
        assert_true(largest == b->stats[2]);
        tpp_free(v);
    }
    tpp_safetensors_close(f);
}

static void builtin_model_agrees(void **state)
{
    tpp_golden g = {0};
    trace t = {0};
    UNIT_OK(tpp_golden_builtin(&g));
    assert_true(g.count >= 25);
    UNIT_OK(tpp_golden_run(&g, *state, NULL, keep, &t));
    assert_int_equal(compare(&g, &t, NULL), 0);
    free_trace(&t);
    tpp_golden_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_percent_of_micro),
        cmocka_unit_test(one_percent_of_tiny),
        cmocka_unit_test(one_percent_of_text),
        cmocka_unit_test(faults_of_the_run_are_failures),
        cmocka_unit_test(builtin_table_is_the_file),
        cmocka_unit_test(builtin_model_agrees),
    };
    return cmocka_run_group_tests(tests, unit_open_device, unit_close_device);
}
