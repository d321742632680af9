/* Parameters of the model: names and shapes are those of the published checkpoints.
 * SPDX-License-Identifier: MIT */
#include "model/params.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS(...) \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define SMALL                                                                                      \
    "backbone.name=tiny", "model.hidden=32", "model.heads=4", "model.ffn=64", "model.mask_dim=16", \
        "model.enc_layers=1", "model.dec_layers=2", "text.layers=1", "text.hidden=32",             \
        "text.heads=2", "text.ffn=64", "text.vocab=100"

static struct tpp_model_config configure(const char *const *settings, size_t n)
{
    struct tpp_model_config c;
    if (tpp_model_config_read(&c, NULL, settings, n) != TPP_OK) fail_msg("%s", tpp_error());
    return c;
}

static void list(tpp_model_params *p, const struct tpp_model_config *c)
{
    if (tpp_model_params_list(p, c) != TPP_OK) fail_msg("%s", tpp_error());
}

/* "(256, 257, 3, 3)" as the list of the published names writes shapes. */
static tpp_shape read_shape(const char *text)
{
    tpp_shape s = {0};
    for (const char *p = text; *p != '\0' && *p != '\t' && s.rank < TPP_MAX_RANK; p++) {
        if (*p < '0' || *p > '9') continue;
        char *end = NULL;
        s.d[s.rank++] = strtoll(p, &end, 10);
        p = end - 1;
        if (*end == '\0' || *end == '\n') break;
    }
    return s;
}

static void parameters_are_the_published_ones(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(NULL, 0);
    tpp_model_params p = {0};
    list(&p, &c);
    FILE *f = fopen(TPP_SOURCE_DIR "/tests/golden/state_dict_r50.tsv", "r");
    assert_non_null(f);
    char line[256];
    size_t found = 0, surplus = 0, used = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        char *tab = strchr(line, '\t');
        assert_non_null(tab);
        *tab = '\0';
        const tpp_shape want = read_shape(tab + 1);
        const tpp_model_param *m = tpp_model_params_find(&p, line);
        if (m == NULL) {
            if (!tpp_model_param_is_surplus(line)) fail_msg("no graph asks for %s", line);
            surplus++;
            continue;
        }
        if (!tpp_shape_equal(&m->shape, &want))
            fail_msg("%s is %s, published %s", line, tpp_shape_text(&m->shape),
                     tpp_shape_text(&want));
        assert_true(m->used);
        found++;
    }
    (void)fclose(f);
    for (size_t i = 0; i < p.count; i++) used += p.items[i].used;
    assert_int_equal(found + surplus, 822);
    assert_int_equal(surplus, 26); /* 24 aliases of bbox_embed, two buffers */
    assert_int_equal(used, found);
    tpp_model_params_free(&p);
}

static void switched_off_parts_are_listed_as_unused(void **state)
{
    (void)state;
    static const char *const unused[] = {"transformer.conv_key.weight", "fusion_module.ffn.4.bias",
                                         "track_embed.norm.bias", "track_pos_embed.linear1.weight"};
    const struct tpp_model_config c =
        configure(SETTINGS(SMALL, "prop.mask=false", "prop.query=false", "prop.box=false",
                           "fusion.mode=single", "text.num_prompts=1", "prop.topk=[1]"));
    tpp_model_params p = {0};
    list(&p, &c);
    for (int i = 0; i < 4; i++) {
        const tpp_model_param *m = tpp_model_params_find(&p, unused[i]);
        assert_non_null(m);
        assert_false(m->used);
    }
    assert_true(tpp_model_params_find(&p, "query_embed.weight")->used);
    assert_null(tpp_model_params_find(&p, "query_embed.bias"));
    tpp_model_params_free(&p);
}

static void switches_change_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *with, *without;
    } cases[] = {
        {"model.levels=3", "input_proj.2.0.weight", "input_proj.3.0.weight"},
        {"prop.query_net=mlp3", "track_embed.linear3.weight", "track_embed.linear4.weight"},
        {"prop.update_pos=true", "track_pos_embed.linear2.bias", "track_pos_embed.linear3.bias"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct tpp_model_config c =
            configure(SETTINGS(SMALL, cases[i].setting, "prompt.select_level=2"));
        tpp_model_params p = {0};
        list(&p, &c);
        const tpp_model_param *with = tpp_model_params_find(&p, cases[i].with);
        if (with == NULL || !with->used) fail_msg("%s: no %s", cases[i].setting, cases[i].with);
        assert_null(tpp_model_params_find(&p, cases[i].without));
        tpp_model_params_free(&p);
    }
}

/* Without refinement all decoder layers share the first one's heads. */
static void shared_heads_leave_the_others_unused(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "model.box_refine=false"));
    tpp_model_params p = {0};
    list(&p, &c);
    assert_true(tpp_model_params_find(&p, "bbox_embed.0.layers.2.bias")->used);
    assert_true(tpp_model_params_find(&p, "class_embed.0.weight")->used);
    assert_false(tpp_model_params_find(&p, "bbox_embed.1.layers.2.bias")->used);
    assert_false(tpp_model_params_find(&p, "class_embed.1.weight")->used);
    tpp_model_params_free(&p);
}

/* What fails leaves the caller's list as it was. */
static void a_model_that_cannot_be_built_has_no_list(void **state)
{
    (void)state;
    const struct tpp_model_config c = configure(SETTINGS(SMALL, "backbone.name=swin_s"));
    tpp_model_params p = {0};
    assert_int_equal(tpp_model_params_list(&p, &c), TPP_EUNSUPPORTED);
    assert_int_equal(p.count, 0);
    assert_null(p.items);
}

static void buffers_and_aliases_are_surplus(void **state)
{
    (void)state;
    assert_true(tpp_model_param_is_surplus("transformer.decoder.bbox_embed.3.layers.1.weight"));
    assert_true(tpp_model_param_is_surplus("backbone.0.body.bn1.num_batches_tracked"));
    assert_true(tpp_model_param_is_surplus("text_encoder.embeddings.position_ids"));
    assert_false(tpp_model_param_is_surplus("bbox_embed.3.layers.1.weight"));
    assert_false(tpp_model_param_is_surplus("num_batches_tracked.weight"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_the_published_ones),
        cmocka_unit_test(switched_off_parts_are_listed_as_unused),
        cmocka_unit_test(switches_change_parameters),
        cmocka_unit_test(shared_heads_leave_the_others_unused),
        cmocka_unit_test(a_model_that_cannot_be_built_has_no_list),
        cmocka_unit_test(buffers_and_aliases_are_surplus),
    };
    return cmocka_run_group_tests_name("model.params", tests, NULL, NULL);
}
