/* tpp selftest: agreement is told, every disagreement is a failure that is named, and what cannot
 * be used is neither.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/safetensors.h"
#include "planted_kernels.h"
#include "program.h"

#include <math.h>

#define GOLDEN(name) TPP_SOURCE_DIR "/tests/golden/" name ".safetensors"

/* ---- copies of golden files with one thing changed ---- */

typedef struct edit {
    const char *tensor; /* whose largest value is multiplied by `factor` */
    double factor;
    const char *rename;       /* the tensor gets this name */
    const char *drop;         /* this tensor is left out */
    const char *meta, *value; /* this key gets this value; value NULL: left out */
} edit;

static double *largest(double *v, int64_t n)
{
    double *at = v;
    for (int64_t i = 1; i < n; i++)
        if (fabs(v[i]) > fabs(*at)) at = v + i;
    return at;
}

static size_t copy_meta(tpp_safetensors_pair *out, const tpp_safetensors *f, const edit *e)
{
    size_t n = 0;
    for (size_t i = 0; i < tpp_safetensors_meta_count(f); i++) {
        tpp_safetensors_pair p = tpp_safetensors_meta_get(f, i);
        if (e->meta != NULL && strcmp(p.key, e->meta) == 0) p.value = e->value;
        if (p.value != NULL) out[n++] = p;
    }
    return n;
}

static void append_tensor(tpp_safetensors_writer *w, const tpp_safetensors_tensor *t,
                          const char *name, const edit *e)
{
    double *v = tpp_calloc((size_t)t->count, sizeof *v);
    ASSERT_OK(tpp_safetensors_doubles(t, v, t->count));
    if (e->tensor != NULL && e->factor != 0 && strcmp(t->name, e->tensor) == 0)
        *largest(v, t->count) *= e->factor;
    ASSERT_OK(tpp_safetensors_append(w, name, v, (size_t)t->count * sizeof *v));
    tpp_free(v);
}

/* "changed.safetensors": `path` after the edit. */
static void change_file(const char *path, const edit *e)
{
    tpp_safetensors *f = NULL;
    tpp_safetensors_writer *w = NULL;
    tpp_safetensors_pair meta[64];
    ASSERT_OK(tpp_safetensors_open(&f, path));
    assert_true(tpp_safetensors_meta_count(f) <= 64);
    const size_t n = tpp_safetensors_count(f), n_meta = copy_meta(meta, f, e);
    tpp_safetensors_spec *specs = tpp_calloc(n, sizeof *specs);
    const tpp_safetensors_tensor **from = tpp_calloc(n, sizeof *from);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const tpp_safetensors_tensor *t = tpp_safetensors_get(f, i);
        if (e->drop != NULL && strcmp(t->name, e->drop) == 0) continue;
        const bool renamed = e->rename != NULL && strcmp(t->name, e->tensor) == 0;
        specs[kept] = (tpp_safetensors_spec){
            .name = renamed ? e->rename : t->name, .type = TPP_SAFETENSORS_F64, .rank = t->rank};
        memcpy(specs[kept].dims, t->dims, sizeof t->dims);
        from[kept++] = t;
    }
    ASSERT_OK(tpp_safetensors_begin(&w, scratch("changed.safetensors"), specs, kept, meta, n_meta));
    for (size_t i = 0; i < kept; i++) append_tensor(w, from[i], specs[i].name, e);
    ASSERT_OK(tpp_safetensors_commit(w));
    tpp_free(from);
    tpp_free(specs);
    tpp_safetensors_close(f);
}

/* The run fails with exit code 1, one failure, and a line that names the tensor. */
static void expect_failure(const char *path, const edit *e, const char *name, const char *why)
{
    change_file(path, e);
    const int code = program("tpp selftest --golden changed.safetensors");
    if (code != 1) fail_msg("%s: exit code %d: %s", name, code, program_err);
    if (strstr(program_out, " 1 failed\n") == NULL)
        fail_msg("wanted %s alone to fail: %s", name, program_out);
    char line[128];
    (void)snprintf(line, sizeof line, "  %s ", name);
    const char *at = strstr(program_out, line);
    const char *failed = at != NULL ? strstr(at, "FAILED: ") : NULL;
    if (failed == NULL || memchr(at, '\n', (size_t)(failed - at)) != NULL ||
        strstr(failed, why) == NULL)
        fail_msg("wanted %s to fail with \"%s\": %s", name, why, program_out);
}

/* ---- */

static void unchanged_files_pass(void **state)
{
    (void)state;
    EXPECT_OK("tpp selftest --golden '%s' '%s'", GOLDEN("forward_micro"), GOLDEN("text_small"));
    assert_non_null(strstr(program_out, "forward_micro.safetensors: 53 of 53 tensors agree"));
    assert_non_null(strstr(program_out, "text_small.safetensors: 4 of 4 tensors agree"));
    assert_non_null(strstr(program_out, "57 passed, 0 failed\n"));
    const edit nothing = {0};
    change_file(GOLDEN("forward_tiny"), &nothing); /* what the other tests change, unchanged */
    EXPECT_OK("tpp selftest --golden changed.safetensors");
}

/* Every tensor of two files: tests/infer/test_golden.c. Here, that the program says so. */
static void one_percent_fails_and_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {
        "frame1.encoder@sample", "frame2.encoder@stats", "frame2.box3", "frame3.logit0",
        "frame3.best",           "frame2.mask",          "text.pooled"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        const edit e = {.tensor = names[i], .factor = 1.01};
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(names[i], "@"), names[i]);
        tpp_safetensors *f = NULL;
        ASSERT_OK(tpp_safetensors_open(&f, GOLDEN("forward_tiny")));
        const tpp_safetensors_tensor *t = tpp_safetensors_find(f, names[i]);
        double zero = 0;
        if (t == NULL) fail_msg("the golden file has no %s", names[i]);
        if (t->count == 1) ASSERT_OK(tpp_safetensors_doubles(t, &zero, 1));
        const bool changes = t->count > 1 || zero != 0; /* query 0 times 1.01 is query 0 */
        tpp_safetensors_close(f);
        if (changes) expect_failure(GOLDEN("forward_tiny"), &e, name, "");
    }
}

static void what_the_run_did_not_produce_fails(void **state)
{
    (void)state;
    const edit invented = {.tensor = "frame1.hs0", .rename = "frame9.hs0"},
               dropped = {.drop = "frame2.box0"};
    change_file(GOLDEN("forward_micro"), &invented);
    assert_int_equal(program("tpp selftest --golden changed.safetensors"), 1);
    assert_non_null(strstr(program_out, "frame9.hs0"));
    assert_non_null(strstr(program_out, "the run did not produce it"));
    expect_failure(GOLDEN("forward_micro"), &dropped, "frame2.box0", "does not hold it");
}

static void another_seed_fails(void **state)
{
    (void)state;
    const edit seed = {.meta = "seed", .value = "7"};
    change_file(GOLDEN("forward_micro"), &seed);
    assert_int_equal(program("tpp selftest --golden changed.safetensors"), 1);
}

static void expect_unusable(const edit *e, const char *why)
{
    change_file(GOLDEN("forward_micro"), e);
    const int code = program("tpp selftest --golden changed.safetensors");
    if (code != 2 || strstr(program_err, why) == NULL)
        fail_msg("wanted exit code 2 and \"%s\", got %d: %s", why, code, program_err);
    assert_non_null(strstr(program_out, "1 files could not be used"));
}

static void files_that_cannot_be_used(void **state)
{
    (void)state;
    const edit swin = {.meta = "backbone", .value = "swin_t"}, no_seed = {.meta = "seed"},
               no_shapes = {.meta = "shapes"}, text = {.meta = "height", .value = "tall"},
               huge = {.meta = "height", .value = "100000"},
               shapes = {.meta = "shapes", .value = "{\"frame1.hs0\":\"5xx\"}"},
               target = {.meta = "target_box", .value = "1,2,3"},
               lengths = {.meta = "prompt_lengths", .value = "5,3,9999"},
               gradient = {.tensor = "frame1.hs0", .rename = "grad.x"},
               nan = {.tensor = "frame1.hs0", .factor = (double)NAN};
    expect_unusable(&swin, "swin_t is not in this version");
    expect_unusable(&no_seed, "no configuration of the reference program");
    expect_unusable(&no_shapes, "no list of shapes");
    expect_unusable(&text, "height wants an integer");
    expect_unusable(&huge, "height wants an integer");
    expect_unusable(&shapes, "is no shape");
    expect_unusable(&target, "target_box wants four numbers");
    expect_unusable(&lengths, "prompt_lengths");
    expect_unusable(&gradient, "a loss and gradients");
    expect_unusable(&nan, "is not finite");
    assert_int_equal(program("tpp selftest --golden nowhere '%s'", GOLDEN("resize")), 2);
    assert_int_equal(program("tpp selftest --golden"), 2);
    assert_int_equal(program("tpp selftest '%s'", GOLDEN("text_small")), 2);
}

static void a_failure_weighs_more_than_an_unusable_file(void **state)
{
    (void)state;
    const edit e = {.tensor = "text.pooled", .factor = 1.01};
    change_file(GOLDEN("text_small"), &e);
    assert_int_equal(program("tpp selftest --golden nowhere changed.safetensors"), 1);
    assert_non_null(strstr(program_out, "3 passed, 1 failed, 1 files could not be used"));
}

static void ops_and_the_builtin_model(void **state)
{
    (void)state;
    EXPECT_OK("tpp selftest --algorithm plain");
    assert_non_null(strstr(program_out, "built-in model: "));
    assert_non_null(strstr(program_out, " 0 failed\n"));
    assert_null(strstr(program_out, "/vector"));
    const char *exercised = "\nexercised: work-groups up to 64, local memory up to ";
    const char *plain = strstr(program_out, exercised);
    assert_non_null(plain);
    const long plain_bytes = strtol(plain + strlen(exercised), NULL, 10);
    assert_non_null(strstr(program_out, "half storage no, sub-groups no"));
    EXPECT_OK("tpp selftest --algorithm tile");
    assert_non_null(strstr(program_out, "half storage yes"));
    const char *tile = strstr(program_out, "local memory up to ");
    assert_non_null(tile);
    assert_true(strtol(tile + strlen("local memory up to "), NULL, 10) > plain_bytes);
    assert_int_equal(program("tpp selftest --algorithm none"), 2);
    assert_non_null(strstr(program_err, "plain"));
}

/* A tile that a driver compiles to 1e-3 too much is found in both of its ops, and by name. */
static void a_planted_miscompile_fails(void **state)
{
    (void)state;
    char folder[600];
    (void)snprintf(folder, sizeof folder, "%s", scratch("planted"));
    EXPECT_OK("mkdir planted");
    planted_make(folder, NULL);
    EXPECT_OK("TPP_KERNEL_DIR=planted tpp selftest --algorithm tile");
    EXPECT_OK("rm -r planted && mkdir planted");
    planted_make(folder, &planted_thousandth);
    assert_int_equal(program("TPP_KERNEL_DIR=planted tpp selftest --algorithm tile"), 1);
    assert_non_null(strstr(program_out, "FAILED gemm/"));
    assert_non_null(strstr(program_out, "FAILED conv2d/"));
    assert_non_null(strstr(program_out, "/tile: "));
    assert_int_equal(program("TPP_KERNEL_DIR=planted tpp selftest --algorithm tile --json"), 1);
    assert_non_null(strstr(program_out, "\"op\": \"conv2d\""));
    EXPECT_OK("rm -r planted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unchanged_files_pass),
        cmocka_unit_test(one_percent_fails_and_is_named),
        cmocka_unit_test(what_the_run_did_not_produce_fails),
        cmocka_unit_test(another_seed_fails),
        cmocka_unit_test(files_that_cannot_be_used),
        cmocka_unit_test(a_failure_weighs_more_than_an_unusable_file),
        cmocka_unit_test(ops_and_the_builtin_model),
        cmocka_unit_test(a_planted_miscompile_fails),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
