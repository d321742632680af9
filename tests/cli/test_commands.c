/* The other commands: devices, weights, config, plan, bench.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "program.h"

#include <jansson.h>

#define CONFIGS TPP_SOURCE_DIR "/configs/"

/* The number behind the first `label` of the output. */
static double number_after(const char *label)
{
    const char *at = strstr(program_out, label);
    if (at == NULL) fail_msg("no \"%s\" in: %s", label, program_out);
    return strtod(at + strlen(label), NULL);
}

static void devices_as_text_and_json(void **state)
{
    (void)state;
    EXPECT_OK("tpp devices");
    assert_int_equal(strncmp(program_out, "0: ", 3), 0);
    EXPECT_OK("tpp devices --json");
    json_error_t error;
    json_t *j = json_loads(program_out, 0, &error);
    if (!json_is_array(j)) fail_msg("%s", error.text);
    const json_t *first = json_array_get(j, 0);
    assert_non_null(json_string_value(json_object_get(first, "name")));
    assert_true(json_integer_value(json_object_get(first, "global_memory_bytes")) > 0);
    json_decref(j);
}

static void weights_are_made_listed_and_verified(void **state)
{
    (void)state;
    EXPECT_OK("tpp weights verify model");
    assert_non_null(strstr(program_out, "model: ok: tiny"));
    assert_non_null(strstr(program_out, "weights synthetic"));
    EXPECT_OK("tpp weights inspect model");
    assert_non_null(strstr(program_out, "# synthetic = seed 3"));
    assert_non_null(strstr(program_out, "resizer.fc.weight"));
    EXPECT_OK("cat model/MODEL_CARD.md");
    assert_non_null(strstr(program_out, "masks mean nothing"));
    EXPECT_OK("tpp weights synth -o again --seed 3 --vocab model " MICRO_SET
              " && diff -r model again && rm -rf again");
    EXPECT_OK("tpp weights synth -o other --seed 4 --vocab model " MICRO_SET
              " && ! cmp -s model/weights.safetensors other/weights.safetensors && rm -rf other");
    EXPECT_FAILS(2, "--overwrite", "tpp weights synth -o model --vocab model " MICRO_SET);
}

/* From the source tree the vocabulary is found beside the configuration. */
static void the_projects_vocabulary_is_found(void **state)
{
    (void)state;
    EXPECT_OK("tpp weights synth -c '" CONFIGS "tiny.yaml' -o found " MICRO_SET
              " && tpp weights verify found && rm -rf found");
    assert_non_null(strstr(program_out, "vocabulary of 2000"));
}

static void configurations_are_dumped_checked_and_explained(void **state)
{
    (void)state;
    EXPECT_OK("tpp config check '" CONFIGS "'tiny.yaml '" CONFIGS "'r50.yaml");
    EXPECT_OK("tpp config dump '" CONFIGS "tiny.yaml' -s infer.short=123 > d.yaml && "
              "tpp config dump d.yaml | diff d.yaml - && grep 'short: 123' d.yaml");
    EXPECT_OK("tpp config help");
    assert_non_null(strstr(program_out, "prop.topk"));
    put_file("bad.yaml", "model:\n  hiden: 256\n", 20);
    EXPECT_FAILS(2, "bad.yaml:2", "tpp config check bad.yaml");
    assert_non_null(strstr(program_err, "model.hidden"));
    EXPECT_FAILS(2, "bad.yaml:2", "tpp config check bad.yaml '" CONFIGS "tiny.yaml'");
    assert_non_null(strstr(program_out, "tiny.yaml: ok")); /* the others are checked too */
    EXPECT_FAILS(2, "nowhere.yaml", "tpp config dump nowhere.yaml");
}

static void plan_prints_nodes_and_memory(void **state)
{
    (void)state;
    EXPECT_OK("tpp plan --size 32x64 " MICRO_SET);
    assert_non_null(strstr(program_out, "gemm"));
    assert_non_null(strstr(program_out, "plan next"));
    assert_true(number_after("memory: activations ") > 0);
    assert_true(number_after("a frame after the first: ") > 0);
    const double graphs = number_after(", image ") + number_after(", backbone ") +
                          number_after(", encode ") + number_after(", next ");
    assert_true(number_after("launches: text ") > 0 && graphs > 50);
    assert_true(number_after("GFLOP in ") == graphs);
    EXPECT_FAILS(2, "--size wants HEIGHTxWIDTH", "tpp plan --size 32");
    EXPECT_FAILS(2, "--size wants HEIGHTxWIDTH", "tpp plan --size 31x64");
}

#define CLIP " -s mode=clip -s prop.box=false -s prop.mask=false -s prop.query=false "

static void plan_prints_the_graphs_of_a_clip(void **state)
{
    (void)state;
    EXPECT_OK("tpp plan --size 32x64 --frames 6 " MICRO_SET CLIP);
    assert_non_null(strstr(program_out, "plan clip"));
    assert_null(strstr(program_out, "plan next"));
    assert_true(number_after("a clip of ") == 6);
    EXPECT_OK("tpp plan --size 32x64 --frames 6 -s infer.clip=2 " MICRO_SET CLIP);
    assert_true(number_after("a clip of ") == 2);
    EXPECT_FAILS(2, "infer.clip", "tpp plan --size 32x64 --ahead 2 " MICRO_SET CLIP);
}

/* "Between two frames": decision 4 of the architecture. */
static void expect_quiet_frames(int ahead, double bytes_up, double bytes_down)
{
    EXPECT_OK("tpp bench --size 32x64 --frames 24 --ahead %d " MICRO_SET, ahead);
    assert_true(number_after("buffers made ") == 0);
    assert_true(number_after("host allocations ") == 0);
    assert_true(number_after("clFinish ") == 0);
    assert_true(number_after("waits ") <= 1);
    assert_true(number_after("bytes up ") == bytes_up);
    assert_true(number_after("bytes down ") <= bytes_down + 256);
    assert_true(number_after("share of peak ") > 0);
    assert_true(number_after("FMA peak ") > 0);
}

static void bench_counts_what_happens_between_frames(void **state)
{
    (void)state;
    expect_quiet_frames(1, 32 * 64 * 3, 32 * 64);
    expect_quiet_frames(4, 32 * 64 * 3, 32 * 64);
    EXPECT_OK("tpp bench --size 32x64 --frames 4 " MICRO_SET CLIP);
    assert_true(number_after("clips of ") == 4);
    assert_true(number_after("host allocations ") == 0 && number_after("buffers made ") == 0);
    EXPECT_OK("tpp bench --size 32x32 --frames 3 --profile " MICRO_SET);
    assert_non_null(strstr(program_out, "plan encode"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_as_text_and_json),
        cmocka_unit_test(weights_are_made_listed_and_verified),
        cmocka_unit_test(the_projects_vocabulary_is_found),
        cmocka_unit_test(configurations_are_dumped_checked_and_explained),
        cmocka_unit_test(plan_prints_nodes_and_memory),
        cmocka_unit_test(plan_prints_the_graphs_of_a_clip),
        cmocka_unit_test(bench_counts_what_happens_between_frames),
    };
    return cmocka_run_group_tests(tests, program_setup, scratch_teardown);
}
