/* The prompt library: the committed file keeps its own rules, and broken files are named.
 * SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "text/prompts.h"

#include <stdio.h>
#include <string.h>

#define LIBRARY TPP_SOURCE_DIR "/configs/prompts.yaml"

static tpp_prompts library;

static int open_library(void **state)
{
    (void)state;
    return tpp_prompts_read(&library, LIBRARY) != TPP_OK;
}

static int close_library(void **state)
{
    (void)state;
    tpp_prompts_free(&library);
    return 0;
}

static void library_holds_the_papers_twenty_structures(void **state)
{
    (void)state;
    assert_int_equal(library.count, 20);
    assert_string_equal(library.structures[0].key, "left_atrium");
    assert_string_equal(library.structures[0].name, "left atrium");
    assert_int_equal(library.structures[0].n_aliases, 4);
    assert_int_equal(library.structures[0].n_views, 2);
    assert_string_equal(library.structures[0].views[0].name, "mri");
    assert_string_equal(library.structures[0].views[1].name, "us");
    assert_string_equal(library.structures[19].key, "polyp");
    assert_string_equal(library.structures[19].views[0].simple, "an endoscopy image of the polyp");
    size_t views = 0;
    for (size_t i = 0; i < library.count; i++) views += library.structures[i].n_views;
    assert_int_equal(views, 23);
}

/* The rules in the head of the file: one sentence of at most 40 words, ASCII, no double quotes. */
static void every_sentence_keeps_the_files_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < library.count; i++)
        for (size_t k = 0; k < library.structures[i].n_views; k++)
            for (int a = 0; a < TPP_ATTRIBUTE_COUNT; a++) {
                const char *text = library.structures[i].views[k].sentence[a];
                int words = 1, stops = 0;
                for (const char *p = text; *p != '\0'; p++) {
                    assert_true((unsigned char)*p < 128 && *p != '"');
                    words += *p == ' ';
                    stops += *p == '.' && (p[1] == ' ' || p[1] == '\0');
                }
                assert_int_equal(stops, 1);
                assert_int_equal(text[strlen(text) - 1], '.');
                assert_true(words <= 40);
            }
}

static void structures_have_codes_and_colours(void **state)
{
    (void)state;
    for (size_t i = 0; i < library.count; i++) {
        const tpp_structure *s = &library.structures[i];
        if (s->category_code == NULL || s->type_code == NULL || s->type_meaning == NULL ||
            !s->has_rgb)
            fail_msg("%s: code or colour is missing", s->key);
        for (size_t k = 0; k < i; k++)
            if (memcmp(s->rgb, library.structures[k].rgb, 3) == 0)
                fail_msg("%s has the colour of %s", s->key, library.structures[k].key);
    }
    const tpp_structure *s = NULL;
    assert_int_equal(tpp_prompts_find(&library, &s, "left lung"), TPP_OK);
    assert_string_equal(s->type_code, "39607008");
    assert_string_equal(s->modifier_code, "7771000");
    assert_null(s->site_code);
    assert_int_equal(tpp_prompts_find(&library, &s, "polyp"), TPP_OK);
    assert_string_equal(s->category_code, "49755003");
    assert_string_equal(s->site_code, "71854001");
    assert_null(s->modifier_code);
}

static void structures_are_found_by_key_name_and_alias(void **state)
{
    (void)state;
    static const char *const names[] = {"left_ventricle", "left ventricle", "LV", "Left-Ventricle",
                                        "lv cavity"};
    const tpp_structure *s = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(tpp_prompts_find(&library, &s, names[i]), TPP_OK);
        assert_string_equal(s->key, "left_ventricle");
    }
    const tpp_structure *const before = s;
    assert_int_equal(tpp_prompts_find(&library, &s, "livre"), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "livre; did you mean liver?"));
    assert_int_equal(tpp_prompts_find(&library, &s, "xyzzyxyzzy"), TPP_EUSAGE);
    assert_null(strstr(tpp_error(), "did you mean"));
    assert_int_equal(tpp_prompts_find(&library, &s, "Lung"), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "no structure Lung, but it has left_lung, right_lung"));
    assert_int_equal(tpp_prompts_find(&library, &s, "heart"), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "it has left_atrium, left_ventricle, myocardium"));
    assert_ptr_equal(s, before);
}

static void views_are_found_and_the_only_one_needs_no_name(void **state)
{
    (void)state;
    const tpp_structure *s = NULL;
    const tpp_prompt_view *v = NULL;
    assert_int_equal(tpp_prompts_find(&library, &s, "left atrium"), TPP_OK);
    assert_int_equal(tpp_structure_view(s, &v, "us"), TPP_OK);
    assert_string_equal(v->name, "us");
    assert_non_null(strstr(v->sentence[TPP_SHAPE_OF], "echocardiography"));
    assert_int_equal(tpp_structure_view(s, &v, NULL), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "one of mri, us is wanted"));
    assert_int_equal(tpp_structure_view(s, &v, "ct"), TPP_EUSAGE);
    assert_non_null(strstr(tpp_error(), "no sentences for ct, only for mri, us"));
    assert_int_equal(tpp_prompts_find(&library, &s, "polyp"), TPP_OK);
    assert_int_equal(tpp_structure_view(s, &v, NULL), TPP_OK);
    assert_string_equal(v->name, "endoscopy");
    assert_string_equal(tpp_attribute_text(TPP_COLOR), "color");
}

#define VIEW "v: {prompts: {profile: p, shape: s, color: c}, simple: q}"

static void broken_libraries_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"schema: 2\n", "this program reads schema 1"},
        {"schema: 1\n", "holds no structures"},
        {"structures: {a: 1}\n", "structures.a: wanted a structure"},
        {"structures: {a: {name: x, rgb: 7, views: {" VIEW "}}}\n", "three numbers from 0 to 255"},
        {"structures: {a: {name: x, rgb: [1, 2, -3], views: {" VIEW "}}}\n", "three numbers"},
        {"structures: {a: {name: x, snomed: {kind: 1}, views: {" VIEW "}}}\n",
         "wanted category, type, modifier, site or meaning"},
        {"structures: {a: {views: {" VIEW "}}}\n", "structure a has no name"},
        {"structures: {a: {name: x}}\n", "structure a has no views"},
        {"structures: {a: {name: [x], views: {" VIEW "}}}\n", "a.name: wanted a text"},
        {"structures: {a: {name: '', views: {" VIEW "}}}\n", "a.name: wanted a text"},
        {"structures: {a: {name: x, views: {v: 1}}}\n", "wanted a view with prompts"},
        {"structures: {a: {name: x, views: {v: {simple: q}}}}\n", "view v has no color"},
        {"structures: {a: {name: x, views: {v: {prompts: {size: 1}}}}}\n", "wanted profile, shape"},
        {"structures: {a: {name: x, views: {v: {prompts: {profile: p, shape: s, color: c}}}}}\n",
         "view v has no simple"},
        {"structures: {a: {name: x, views: {a: {z: 1}, b: {z: 1}, c: {z: 1}, d: {z: 1}, e: {z: 1}, "
         "f: {z: 1}, g: {z: 1}, h: {z: 1}, i: {z: 1}}}}\n",
         "more than 8 views"},
        {"structures: {a: &x {name: x}}\n", "anchors"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = "test_prompts_broken.yaml";
        tpp_prompts p = {0};
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_true(fputs(cases[i].text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(tpp_prompts_read(&p, path), TPP_EFORMAT);
        if (strstr(tpp_error(), cases[i].message) == NULL)
            fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].message, tpp_error());
        assert_int_equal(p.count, 0);
        (void)remove(path);
    }
    tpp_prompts p = {0};
    assert_int_equal(tpp_prompts_read(&p, "/nonexistent.yaml"), TPP_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_holds_the_papers_twenty_structures),
        cmocka_unit_test(every_sentence_keeps_the_files_rules),
        cmocka_unit_test(structures_have_codes_and_colours),
        cmocka_unit_test(structures_are_found_by_key_name_and_alias),
        cmocka_unit_test(views_are_found_and_the_only_one_needs_no_name),
        cmocka_unit_test(broken_libraries_are_named),
    };
    return cmocka_run_group_tests_name("text.prompts", tests, open_library, close_library);
}
