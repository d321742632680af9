/* The model's configuration: table against struct, presets, checks, the reference program's keys,
 * and every file in configs/ with its README.
 * SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "config/model_config.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/synth.h"

#include <stdio.h>
#include <string.h>

#define CONFIGS TPP_SOURCE_DIR "/configs"

static struct tpp_model_config read_config(const char *path, const char *const *sets, size_t n)
{
    struct tpp_model_config c;
    if (tpp_model_config_read(&c, path, sets, n) != TPP_OK) fail_msg("%s", tpp_error());
    return c;
}

static struct tpp_model_config read_named(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.yaml", CONFIGS, name);
    return read_config(path, NULL, 0);
}

/* Every byte of the struct that a row claims is claimed once, and by a member of the right size. */
static void rows_fit_the_struct(void **state)
{
    (void)state;
    static const size_t size_of[TPP_FIELD_TYPE_COUNT] = {
        [TPP_FIELD_BOOL] = sizeof(bool),         [TPP_FIELD_INT] = sizeof(int),
        [TPP_FIELD_FLOAT] = sizeof(double),      [TPP_FIELD_ENUM] = sizeof(int),
        [TPP_FIELD_INTS] = sizeof(tpp_int_list), [TPP_FIELD_FLOATS] = 3 * sizeof(double)};
    static unsigned char taken[sizeof(struct tpp_model_config)];
    memset(taken, 0, sizeof(taken));
    for (size_t i = 0; i < tpp_model_schema.count; i++) {
        const tpp_field *f = &tpp_model_schema.fields[i];
        assert_int_equal(f->size, size_of[f->type]);
        assert_true(f->offset + f->size <= sizeof(taken));
        for (size_t k = 0; k < f->size; k++) assert_int_equal(taken[f->offset + k]++, 0);
        assert_ptr_equal(tpp_schema_find(&tpp_model_schema, f->key), f);
        assert_true(f->help[0] != '\0' && strchr(f->help, '|') == NULL);
    }
}

static void defaults_are_the_papers(void **state)
{
    (void)state;
    struct tpp_model_config c;
    assert_int_equal(tpp_model_config_init(&c), TPP_OK);
    assert_int_equal(tpp_model_config_check(&c), TPP_OK);
    assert_int_equal(c.preset, TPP_PRESET_PAPER);
    assert_int_equal(c.backbone.name, TPP_BACKBONE_RESNET50);
    assert_string_equal(tpp_backbone_text(c.backbone.name), "resnet50");
    assert_string_equal(tpp_backbone_text(99), "?");
    assert_int_equal(c.model.hidden, 256);
    assert_int_equal(c.model.num_queries, 5);
    assert_true(c.model.rel_coord && c.model.box_refine);
    assert_int_equal(c.text.vocab, 50265);
    assert_false(c.fusion.divide_by_np);
    assert_int_equal(c.prompt.select_level, 3);
    assert_int_equal(c.mem.source, TPP_MEM_SOURCE_PREV);
    assert_int_equal(c.infer.short_side, 360);
    assert_int_equal(c.infer.max, 640);
    assert_true(c.infer.sort);
    assert_true(c.image.mean[2] == 0.406 && c.image.std[0] == 0.229);
}

static void official_preset_differs_where_the_code_does(void **state)
{
    (void)state;
    const struct tpp_model_config c = read_named("official");
    assert_int_equal(c.preset, TPP_PRESET_OFFICIAL);
    assert_true(c.fusion.divide_by_np);
    assert_int_equal(c.mem.source, TPP_MEM_SOURCE_CURRENT);
    assert_int_equal(c.infer.max, 0);
    assert_false(c.infer.sort);
    const char *const back[] = {"mem.source=prev"};
    const struct tpp_model_config d = read_config(CONFIGS "/official.yaml", back, 1);
    assert_int_equal(d.mem.source, TPP_MEM_SOURCE_PREV);
    assert_true(d.fusion.divide_by_np);
}

static void constraints_between_keys_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *sets[3], *message;
    } cases[] = {
        {{"model.hidden=100"}, "model.hidden (100) wants to be a multiple of the 32 groups"},
        {{"model.hidden=96", "model.heads=5"}, "multiple of model.heads (5)"},
        {{"text.heads=7"}, "text.hidden (768) wants to be a multiple of text.heads (7)"},
        {{"model.levels=3"}, "prompt.select_level (3) wants to be below model.levels (3)"},
        {{"model.levels=5"}, "model.levels wants an integer from 3 to 4, got '5'"},
        {{"fusion.mode=single"}, "fusion.mode single wants text.num_prompts 1, got 3"},
        {{"prompt.select=fixed", "prompt.fixed_index=3"}, "below text.num_prompts (3)"},
        {{"prop.topk=5,1,3"}, "number 3 is 3, but the frame before has 1 queries"},
        {{"prop.topk=6"}, "number 1 is 6, but the frame before has 5"},
        {{"mode=clip"}, "wants prop.box, prop.mask and prop.query false, got true, true, true"},
        {{"mode=clip", "prop.box=false"}, "got false, true, true"},
        {{"infer.clip=-1"}, "infer.clip wants an integer from 0 to 4096"},
        {{"model.num_queries=2", "prop.topk=2,3"}, "number 2 is 3, but the frame before has 2"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tpp_model_config c = {.preset = 77};
        size_t n = 0;
        while (cases[i].sets[n] != NULL) n++;
        assert_int_equal(tpp_model_config_read(&c, NULL, cases[i].sets, n), TPP_EUSAGE);
        if (strstr(tpp_error(), cases[i].message) == NULL)
            fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].message, tpp_error());
        assert_int_equal(c.preset, 77);
    }
    const char *const fine[] = {"model.levels=3", "prompt.select_level=-1", "model.num_queries=9"};
    (void)read_config(NULL, fine, 3);
}

static void queries_of_a_frame_follow_table_six(void **state)
{
    (void)state;
    const struct tpp_model_config paper = read_named("paper");
    const struct tpp_model_config falling = read_named("ablation_topk_531");
    const struct tpp_model_config none = read_named("ablation_no_propagation");
    assert_int_equal(tpp_model_config_queries(&paper, 1, 0), 5);
    assert_int_equal(tpp_model_config_queries(&paper, 2, 5), 1);
    assert_int_equal(tpp_model_config_queries(&paper, 9, 1), 1);
    assert_int_equal(tpp_model_config_queries(&falling, 2, 5), 3);
    assert_int_equal(tpp_model_config_queries(&falling, 3, 3), 1);
    assert_int_equal(tpp_model_config_queries(&falling, 4, 1), 1);
    assert_int_equal(tpp_model_config_queries(&falling, 2, 2), 2);
    assert_int_equal(tpp_model_config_queries(&none, 3, 5), 5);
}

static void clips_are_as_long_as_the_sequence_or_infer_clip(void **state)
{
    (void)state;
    const char *const four[] = {"infer.clip=4"};
    const struct tpp_model_config online = read_config(NULL, four, 1);
    const struct tpp_model_config whole = read_named("referformer");
    const struct tpp_model_config cut = read_config(CONFIGS "/referformer.yaml", four, 1);
    assert_int_equal(tpp_model_config_clip(&online, 9), 0);
    assert_int_equal(tpp_model_config_clip(&whole, 9), 9);
    assert_int_equal(tpp_model_config_clip(&cut, 9), 4);
    assert_int_equal(tpp_model_config_clip(&cut, 3), 3);
    assert_int_equal(tpp_model_config_clip(&whole, INT64_MAX), INT32_MAX);
}

static void ablation_files_switch_what_their_names_say(void **state)
{
    (void)state;
    const struct tpp_model_config no_box = read_named("ablation_no_box");
    const struct tpp_model_config no_mask = read_named("ablation_no_mask");
    const struct tpp_model_config no_query = read_named("ablation_no_query");
    const struct tpp_model_config refer = read_named("onlinerefer");
    assert_true(!no_box.prop.box && no_box.prop.mask && no_box.prop.query);
    assert_true(no_mask.prop.box && !no_mask.prop.mask && no_mask.prop.query);
    assert_true(no_query.prop.box && no_query.prop.mask && !no_query.prop.query);
    assert_true(read_named("ablation_no_prompt").text.ablate);
    assert_int_equal(read_named("ablation_topk_555").prop.topk.value[2], 5);
    assert_int_equal(read_named("ablation_one_prompt").text.num_prompts, 1);
    assert_int_equal(read_named("r101").backbone.name, TPP_BACKBONE_RESNET101);
    assert_int_equal(refer.fusion.mode, TPP_FUSION_SINGLE);
    assert_int_equal(refer.query.init, TPP_QUERY_INIT_ZEROS);
    assert_true(refer.prop.box && !refer.prop.mask && refer.prop.query);
    assert_int_equal(read_named("tiny").text.vocab, 2000);
    assert_int_equal(read_named("referformer").mode, TPP_MODE_CLIP);
    assert_int_equal(read_named("referformer").query.init, TPP_QUERY_INIT_SENTENCE);
}

/* Values of reference key `key` end up where they belong; golden metadata is text. */
static void reference_keys_are_mapped(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *ours;
        bool is_mine;
    } cases[] = {
        {"mode", "online", "mode: online\n", true},
        {"backbone", "tiny", "  name: tiny\n", true},
        {"hidden", "32", "  hidden: 32\n", true},
        {"heads", "4", "model:\n  hidden: 32\n  heads: 4\n", true},
        {"ffn", "64", "  heads: 4\n  ffn: 64\n", true},
        {"enc_layers", "1", "  enc_layers: 1\n", true},
        {"dec_layers", "2", "  dec_layers: 2\n", true},
        {"points", "3", "  points: 3\n", true},
        {"levels", "3", "  levels: 3\n", true},
        {"queries", "7", "  num_queries: 7\n", true},
        {"dyn_channels", "4", "  dyn_channels: 4\n", true},
        {"mask_dim", "48", "  mask_dim: 48\n", true},
        {"text_layers", "5", "text:\n  layers: 5\n", true},
        {"text_hidden", "40", "  hidden: 40\n", true},
        {"text_heads", "2", "  hidden: 40\n  heads: 2\n", true},
        {"text_ffn", "65", "  heads: 2\n  ffn: 65\n", true},
        {"vocab", "100", "  vocab: 100\n", true},
        {"positions", "200", "  positions: 200\n", true},
        {"divide_by_np", "1", "  divide_by_np: true\n", true},
        {"select_level", "2", "  select_level: 2\n", true},
        {"mem_source", "current", "  source: current\n", true},
        {"prop_box", "0", "  box: false\n", true},
        {"prop_mask", "0", "  mask: false\n", true},
        {"prop_query", "0", "  query: false\n", true},
        {"topk", "5,3,1", "  topk: [5, 3, 1]\n", true},
        {"fusion", "single", "  mode: single\n", true},
        {"query_init", "zeros", "  init: zeros\n", true},
        {"prompt_lengths", "8,9,4,7", "  num_prompts: 4\n", false},
        {"prompt_lengths", "8", "  num_prompts: 1\n", false},
        {"query.text", "mean_words", "  text: mean_words\n", true},
        {"height", "64", "", false},
        {"width", "64", "", false},
        {"frames", "3", "", false},
        {"seed", "21", "", false},
        {"target_box", "0.4,0.5,0.4,0.5", "", false},
        {"invalid_frame", "-1", "", false},
        {"sample", "64", "", false},
        {"shapes", "{}", "", false},
    };
    struct tpp_model_config c;
    assert_int_equal(tpp_model_config_init(&c), TPP_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool is_mine = !cases[i].is_mine;
        const tpp_status s =
            tpp_model_config_from_reference(&c, cases[i].key, cases[i].value, &is_mine);
        if (s != TPP_OK) fail_msg("%s: %s", cases[i].key, tpp_error());
        assert_int_equal(is_mine, cases[i].is_mine);
        tpp_str dump = {0};
        assert_int_equal(tpp_schema_dump(&tpp_model_schema, &c, &dump), TPP_OK);
        if (strstr(dump.text, cases[i].ours) == NULL)
            fail_msg("%s is not in\n%s", cases[i].ours, dump.text);
        tpp_str_free(&dump);
    }
    assert_int_equal(tpp_model_config_check(&c), TPP_OK);
}

static void bad_reference_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *message;
    } cases[] = {
        {"hiden", "32", "has no key hiden"},
        {"query.txt", "x", "query.txt"},
        {"hidden", "x", "reference configuration: model.hidden wants an integer"},
        {"select_level", "-1", "select_level wants a level from 0"},
        {"prompt_lengths", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "wants 1 to 16 numbers, got 17"},
        {"backbone", "vgg", "backbone.name wants one of tiny, resnet50"},
    };
    struct tpp_model_config c;
    bool is_mine;
    assert_int_equal(tpp_model_config_init(&c), TPP_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            tpp_model_config_from_reference(&c, cases[i].key, cases[i].value, &is_mine),
            TPP_EUSAGE);
        assert_non_null(strstr(tpp_error(), cases[i].message));
    }
}

/* ---- configs/ ---- */

static void every_file_loads_and_its_dump_reads_back(void **state)
{
    (void)state;
    tpp_names names = {0};
    size_t loaded = 0;
    assert_int_equal(tpp_path_list(&names, CONFIGS, ".yaml"), TPP_OK);
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.name[i], "prompts.yaml") == 0) continue; /* text/prompts.h reads it */
        char *path = tpp_path_join(CONFIGS, names.name[i]);
        const struct tpp_model_config c = read_config(path, NULL, 0);
        tpp_str dump = {0}, again = {0};
        tpp_settings settings = {0};
        struct tpp_model_config back;
        assert_int_equal(tpp_schema_dump(&tpp_model_schema, &c, &dump), TPP_OK);
        assert_int_equal(tpp_yaml_parse(&settings, dump.text, dump.length, "dump"), TPP_OK);
        assert_int_equal(settings.count, tpp_model_schema.count);
        assert_int_equal(tpp_model_config_apply(&back, &settings), TPP_OK);
        assert_int_equal(tpp_schema_dump(&tpp_model_schema, &back, &again), TPP_OK);
        assert_string_equal(dump.text, again.text);
        tpp_yaml_free(&settings);
        tpp_str_free(&dump);
        tpp_str_free(&again);
        tpp_free(path);
        loaded++;
    }
    tpp_names_free(&names);
    assert_true(loaded >= 15);
}

/* The README holds the schema's own help text and a line for every file. */
static void readme_is_up_to_date(void **state)
{
    (void)state;
    char *readme = NULL;
    size_t size = 0;
    tpp_str help = {0};
    tpp_names names = {0};
    assert_int_equal(tpp_file_read(&readme, &size, CONFIGS "/README.md", 1 << 20), TPP_OK);
    assert_int_equal(tpp_schema_help(&tpp_model_schema, &help), TPP_OK);
    if (strstr(readme, help.text) == NULL)
        fail_msg("configs/README.md wants its tables replaced by:\n%s", help.text);
    assert_int_equal(tpp_path_list(&names, CONFIGS, ".yaml"), TPP_OK);
    for (size_t i = 0; i < names.count; i++)
        if (strstr(readme, names.name[i]) == NULL)
            fail_msg("configs/README.md does not name %s", names.name[i]);
    tpp_names_free(&names);
    tpp_str_free(&help);
    tpp_free(readme);
}

/* Files that are nearly right: one random byte of a dump changed, all of it survived. */
static void damaged_files_are_survived(void **state)
{
    (void)state;
    const struct tpp_model_config c = read_named("paper");
    tpp_str dump = {0};
    assert_int_equal(tpp_schema_dump(&tpp_model_schema, &c, &dump), TPP_OK);
    for (uint64_t round = 0; round < 3000; round++) {
        const uint64_t key = tpp_synth_key("damage", round);
        const size_t at = (size_t)((tpp_synth_value(key, 0) + 1) / 2 * (double)dump.length);
        const char was = dump.text[at];
        dump.text[at] = (char)(int)(tpp_synth_value(key, 1) * 127);
        tpp_settings settings = {0};
        struct tpp_model_config back = {.preset = 77};
        tpp_status s = tpp_yaml_parse(&settings, dump.text, dump.length, "dump");
        if (s == TPP_OK) s = tpp_model_config_apply(&back, &settings);
        assert_true(s == TPP_OK || ((s == TPP_EUSAGE || s == TPP_EFORMAT) && back.preset == 77));
        tpp_yaml_free(&settings);
        dump.text[at] = was;
    }
    tpp_str_free(&dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_fit_the_struct),
        cmocka_unit_test(defaults_are_the_papers),
        cmocka_unit_test(official_preset_differs_where_the_code_does),
        cmocka_unit_test(constraints_between_keys_are_checked),
        cmocka_unit_test(queries_of_a_frame_follow_table_six),
        cmocka_unit_test(clips_are_as_long_as_the_sequence_or_infer_clip),
        cmocka_unit_test(ablation_files_switch_what_their_names_say),
        cmocka_unit_test(reference_keys_are_mapped),
        cmocka_unit_test(bad_reference_keys_are_refused),
        cmocka_unit_test(every_file_loads_and_its_dump_reads_back),
        cmocka_unit_test(readme_is_up_to_date),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests_name("config.model_config", tests, NULL, NULL);
}
