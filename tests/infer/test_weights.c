/* Weights: the synthetic rule against the reference program, and the check of files.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"
#include "folder.h"
#include "infer/weights.h"
#include "model/params.h"

#include <math.h>

/* ---- the rule ---- */

static void synthetic_weights_equal_the_reference_programs_bytes(void **state)
{
    (void)state;
    char command[1024];
    const char *program = TPP_SOURCE_DIR "/../shared/reference/tpp_ref.py";
    if (!tpp_path_exists(program) ||
        system("/usr/bin/python3 -c 'import torch' 2>/dev/null") != 0) {
        print_message("[  SKIPPED ] %s or torch is absent\n", program);
        skip();
    }
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 %s weights --out %s --set backbone=tiny height=64 width=96 "
                   "frames=2 seed=123456789 text_layers=1 text_hidden=64 text_heads=4 "
                   "text_ffn=128 vocab=1000 hidden=64 ffn=128 enc_layers=1 dec_layers=2 "
                   "mask_dim=48 > /dev/null",
                   program, in_folder("ref.safetensors"));
    assert_int_equal(system(command), 0);
    const char *const settings[] = {"backbone.name=tiny", "text.layers=1",     "text.hidden=64",
                                    "text.heads=4",       "text.ffn=128",      "text.vocab=1000",
                                    "model.hidden=64",    "model.ffn=128",     "model.mask_dim=48",
                                    "model.enc_layers=1", "model.dec_layers=2"};
    struct tpp_model_config c;
    UNIT_OK(tpp_model_config_read(&c, NULL, settings, sizeof settings / sizeof settings[0]));
    UNIT_OK(tpp_synth_write(in_folder("our.safetensors"), &c, 123456789));
    tpp_safetensors *ref = NULL, *our = NULL;
    UNIT_OK(tpp_safetensors_open(&ref, in_folder("ref.safetensors")));
    UNIT_OK(tpp_safetensors_open(&our, in_folder("our.safetensors")));
    assert_true(tpp_safetensors_count(ref) > 300);
    for (size_t i = 0; i < tpp_safetensors_count(ref); i++) {
        const tpp_safetensors_tensor *r = tpp_safetensors_get(ref, i);
        const tpp_safetensors_tensor *o = tpp_safetensors_find(our, r->name);
        if (o == NULL) fail_msg("%s is not ours", r->name);
        if (o->size != r->size || memcmp(o->bytes, r->bytes, r->size) != 0)
            fail_msg("%s differs", r->name);
    }
    assert_int_equal(tpp_safetensors_count(our), tpp_safetensors_count(ref));
    UNIT_OK(tpp_weights_check(ref, "ref", &c));
    assert_true(tpp_weights_are_synthetic(ref));
    assert_true(tpp_weights_are_synthetic(our));
    tpp_safetensors_close(ref);
    tpp_safetensors_close(our);
}

/* Rows of the rule that no parameter of a ResNet model reaches, or that are easy to get wrong. */
static void rule_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tpp_shape shape;
        double low, high; /* of the values */
    } rows[] = {
        {"a.running_var", TPP_DIMS(4000), 0.5, 1.5},
        {"a.running_mean", TPP_DIMS(4000), -0.1, 0.1},
        {"layer1.0.bn3.weight", TPP_DIMS(4000), 0.2, 0.5},
        {"a.bn1.weight", TPP_DIMS(4000), 0.8, 1.2},
        {"a.sampling_offsets.bias", TPP_DIMS(4000), -2, 2},
        {"input_proj.0.0.bias", TPP_DIMS(4000), -0.1, 0.1},
        {"a.relative_position_bias_table", TPP_DIMS(40, 100), -0.5, 0.5},
        {"query_embed.weight", TPP_DIMS(40, 100), -1, 1},
        {"bbox_embed.0.layers.0.weight", TPP_DIMS(40, 100), -0.173206, 0.173206},
        {"track_embed.linear1.weight", TPP_DIMS(40, 100), -0.173206, 0.173206},
        {"a.sampling_offsets.weight", TPP_DIMS(40, 100), -0.086603, 0.086603},
    };
    uint64_t seed = 5;
    float v[4000];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        UNIT_OK(tpp_synth_source(&seed, rows[i].name, &rows[i].shape, v));
        double low = INFINITY, high = -INFINITY;
        for (int k = 0; k < 4000; k++) {
            low = fmin(low, (double)v[k]);
            high = fmax(high, (double)v[k]);
        }
        const double slack = (rows[i].high - rows[i].low) / 100;
        if (low < rows[i].low || low > rows[i].low + slack || high > rows[i].high ||
            high < rows[i].high - slack)
            fail_msg("%s: %g to %g, wanted %g to %g", rows[i].name, low, high, rows[i].low,
                     rows[i].high);
    }
}

static void an_alias_has_the_values_of_its_original(void **state)
{
    (void)state;
    uint64_t seed = 5;
    float a[32], b[32];
    const tpp_shape shape = TPP_SHAPE(4, 8);
    UNIT_OK(tpp_synth_source(&seed, "bbox_embed.1.layers.2.weight", &shape, a));
    UNIT_OK(tpp_synth_source(&seed, "transformer.decoder.bbox_embed.1.layers.2.weight", &shape, b));
    assert_memory_equal(a, b, sizeof a);
}

/* ---- files ---- */

/* What becomes of a parameter in a file that is written for a test. */
typedef struct change {
    const char *name;
    const char *as; /* other name; NULL: left out */
    tpp_safetensors_dtype type;
    bool transposed; /* a shape of the same size */
} change;

/* A file of zeros in the shapes of `c`, but for one parameter; `extra` is added. */
static const char *write_file(const struct tpp_model_config *c, const change *x, const char *extra)
{
    const char *path = in_folder("weights.safetensors");
    tpp_model_params p = {0};
    UNIT_OK(tpp_model_params_list(&p, c));
    tpp_safetensors_spec *specs = tpp_calloc(p.count + 1, sizeof *specs);
    size_t n = 0;
    for (size_t i = 0; i < p.count; i++) {
        if (!p.items[i].used) continue;
        const bool mine = x != NULL && strcmp(p.items[i].name, x->name) == 0;
        if (mine && x->as == NULL) continue;
        specs[n] = (tpp_safetensors_spec){.name = mine ? x->as : p.items[i].name,
                                          .type = mine ? x->type : TPP_SAFETENSORS_F32,
                                          .rank = p.items[i].shape.rank};
        for (int k = 0; k < specs[n].rank; k++)
            specs[n].dims[k] =
                p.items[i].shape.d[mine && x->transposed ? specs[n].rank - 1 - k : k];
        n++;
    }
    if (extra != NULL)
        specs[n++] = (tpp_safetensors_spec){
            .name = extra, .type = TPP_SAFETENSORS_F32, .rank = 1, .dims = {3}};
    tpp_safetensors_writer *w = NULL;
    UNIT_OK(tpp_safetensors_begin(&w, path, specs, n, NULL, 0));
    for (size_t i = 0; i < n; i++) {
        size_t bytes = tpp_safetensors_dtype_size(specs[i].type);
        for (int k = 0; k < specs[i].rank; k++) bytes *= (size_t)specs[i].dims[k];
        void *zeros = tpp_calloc(bytes, 1);
        UNIT_OK(tpp_safetensors_append(w, specs[i].name, zeros, bytes));
        tpp_free(zeros);
    }
    UNIT_OK(tpp_safetensors_commit(w));
    tpp_free(specs);
    tpp_model_params_free(&p);
    return path;
}

static tpp_status check_file(const struct tpp_model_config *c, const change *x, const char *extra)
{
    const char *path = write_file(c, x, extra);
    tpp_safetensors *f = NULL;
    UNIT_OK(tpp_safetensors_open(&f, path));
    const tpp_status s = tpp_weights_check(f, path, c);
    tpp_safetensors_close(f);
    return s;
}

static void published_forms_are_accepted(void **state)
{
    (void)state;
    const struct tpp_model_config c = micro_config();
    const change alias = {"bbox_embed.0.layers.0.weight",
                          "transformer.decoder.bbox_embed.0.layers.0.weight", TPP_SAFETENSORS_F32,
                          false},
                 torchvision = {"backbone.0.body.conv1.weight", "conv1.weight", TPP_SAFETENSORS_F32,
                                false},
                 half = {"resizer.fc.weight", "resizer.fc.weight", TPP_SAFETENSORS_F16, false},
                 bfloat = {"resizer.fc.weight", "resizer.fc.weight", TPP_SAFETENSORS_BF16, false};
    UNIT_OK(check_file(&c, NULL, NULL));
    UNIT_OK(check_file(&c, &alias, NULL));
    UNIT_OK(check_file(&c, &torchvision, "fc.bias"));
    UNIT_OK(check_file(&c, &half, "criterion.empty_weight"));
    UNIT_OK(check_file(&c, &bfloat, "backbone.0.body.bn1.num_batches_tracked"));
    UNIT_OK(check_file(&c, NULL, "text_encoder.pooler.total_ops"));
}

static void faults_are_named(void **state)
{
    (void)state;
    const struct tpp_model_config c = micro_config();
    const change missing = {"resizer.fc.bias", NULL, TPP_SAFETENSORS_F32, false},
                 turned = {"controller.layers.2.weight", "controller.layers.2.weight",
                           TPP_SAFETENSORS_F32, true},
                 integer = {"resizer.fc.bias", "resizer.fc.bias", TPP_SAFETENSORS_I32, false};
    UNIT_FAILS(check_file(&c, &missing, NULL), TPP_EFORMAT, "resizer.fc.bias is missing");
    UNIT_FAILS(check_file(&c, &turned, NULL), TPP_EFORMAT, "controller.layers.2.weight is [32,");
    UNIT_FAILS(check_file(&c, &integer, NULL), TPP_EFORMAT, "resizer.fc.bias is of type I32");
    UNIT_FAILS(check_file(&c, NULL, "head.weight"), TPP_EFORMAT,
               "head.weight is not of this model");
}

static void many_faults_are_counted(void **state)
{
    (void)state;
    struct tpp_model_config c = micro_config();
    const char *path = write_file(&c, NULL, NULL);
    tpp_safetensors *f = NULL;
    UNIT_OK(tpp_safetensors_open(&f, path));
    c.model.hidden = 64;
    UNIT_FAILS(tpp_weights_check(f, path, &c), TPP_EFORMAT, "0 missing, ");
    assert_non_null(strstr(tpp_error(), "wanted ["));
    assert_non_null(strstr(tpp_error(), " more"));
    tpp_safetensors_close(f);
}

static void the_source_reads_under_either_name(void **state)
{
    (void)state;
    const struct tpp_model_config c = micro_config();
    const change torchvision = {"backbone.0.body.conv1.weight", "conv1.weight", TPP_SAFETENSORS_F32,
                                false};
    tpp_safetensors *f = NULL;
    UNIT_OK(tpp_safetensors_open(&f, write_file(&c, &torchvision, NULL)));
    float v[16 * 3 * 49];
    const tpp_shape shape = TPP_SHAPE(16, 3, 7, 7), wrong = TPP_SHAPE(16, 3, 49);
    v[0] = 1;
    UNIT_OK(tpp_weights_source(f, "backbone.0.body.conv1.weight", &shape, v));
    assert_true(v[0] == 0);
    UNIT_FAILS(tpp_weights_source(f, "backbone.0.body.conv1.weight", &wrong, v), TPP_ESHAPE,
               "wanted [16,3,49]");
    UNIT_FAILS(tpp_weights_source(f, "nothing", &shape, v), TPP_EFORMAT, "nothing");
    tpp_safetensors_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synthetic_weights_equal_the_reference_programs_bytes),
        cmocka_unit_test(rule_by_name),
        cmocka_unit_test(an_alias_has_the_values_of_its_original),
        cmocka_unit_test(published_forms_are_accepted),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(many_faults_are_counted),
        cmocka_unit_test(the_source_reads_under_either_name),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
