/* Targets: names that files can have, sentences that are text, and what a file of prompts may be.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "../io/scratch.h"
#include "infer/target.h"

#define LIBRARY TPP_SOURCE_DIR "/configs/prompts.yaml"
#define VIEW    "{prompts: {profile: p, shape: s, color: c}, simple: q}"

static tpp_status read_content(tpp_targets *t, const char *name, const char *content)
{
    return tpp_targets_read(t, put_file(name, content, strlen(content)), NULL);
}

/* ---- sentences ---- */

static void sentences_become_a_target(void **state)
{
    (void)state;
    static const char *const two[] = {"a polyp", "a round pink bulge"};
    tpp_targets t = {0};
    ASSERT_OK(tpp_targets_add_sentences(&t, NULL, two, 2));
    ASSERT_OK(tpp_targets_add_sentences(&t, "  left kidney / \xC3\xA9t\xC3\xA9!", two, 1));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.item[0].name, "object");
    assert_int_equal(t.item[0].n_prompts, 2);
    assert_string_equal(t.item[0].prompt[1], "a round pink bulge");
    assert_null(t.item[0].type_code);
    assert_string_equal(t.item[1].name, "left_kidney_t");
    assert_memory_not_equal(t.item[0].rgb, t.item[1].rgb, 3);
    tpp_targets_free(&t);
}

static void unusable_sentences_and_names_are_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"x"}, *const blank[] = {"x", " \t"},
                             *const bytes[] = {"\xFF"};
    char longest[66];
    memset(longest, 'a', 65);
    longest[65] = '\0';
    tpp_targets t = {0};
    ASSERT_OK(tpp_targets_add_sentences(&t, "Liver", good, 1));
    ASSERT_FAILS(tpp_targets_add_sentences(&t, "liver", good, 1), TPP_EUSAGE, "liver",
                 "two targets");
    ASSERT_FAILS(tpp_targets_add_sentences(&t, "a", blank, 2), TPP_EUSAGE, "a",
                 "prompt 2: is empty");
    ASSERT_FAILS(tpp_targets_add_sentences(&t, "a", bytes, 1), TPP_EFORMAT, "a: prompt 1", "UTF-8");
    ASSERT_FAILS(tpp_targets_add_sentences(&t, "a", good, 0), TPP_EUSAGE, "a", "at least one");
    ASSERT_FAILS(tpp_targets_add_sentences(&t, "...", good, 1), TPP_EUSAGE, "...", "no letters");
    ASSERT_FAILS(tpp_targets_add_sentences(&t, longest, good, 1), TPP_EUSAGE, "aaa", "longer than");
    assert_int_equal(t.count, 1);
    tpp_targets_free(&t);
}

static void labels_end_at_255(void **state)
{
    (void)state;
    static const char *const one[] = {"x"};
    tpp_targets t = {0};
    char name[16];
    for (int i = 0; i < TPP_MAX_TARGETS; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        ASSERT_OK(tpp_targets_add_sentences(&t, name, one, 1));
    }
    ASSERT_FAILS(tpp_targets_add_sentences(&t, "more", one, 1), TPP_EUSAGE, "255", "targets");
    assert_int_equal(t.count, TPP_MAX_TARGETS);
    tpp_targets_free(&t);
}

/* ---- the library ---- */

static void structures_bring_sentences_codes_and_colour(void **state)
{
    (void)state;
    tpp_prompts library = {0};
    tpp_targets t = {0};
    ASSERT_OK(tpp_prompts_read(&library, LIBRARY));
    ASSERT_OK(tpp_targets_add_structure(&t, &library, "left atrium", "us"));
    ASSERT_OK(tpp_targets_add_structure(&t, &library, "polyp", NULL));
    ASSERT_FAILS(tpp_targets_add_structure(&t, &library, "livr", "ct"), TPP_EUSAGE, "livr",
                 "did you mean liver?");
    ASSERT_FAILS(tpp_targets_add_structure(&t, &library, "left_ventricle", NULL), TPP_EUSAGE,
                 "left_ventricle", "one of mri, us is wanted");
    ASSERT_FAILS(tpp_targets_add_structure(&t, &library, "polyp", NULL), TPP_EUSAGE, "polyp",
                 "two targets");
    tpp_prompts_free(&library); /* strings are owned */
    assert_int_equal(t.count, 2);
    const uint8_t rgb[] = {184, 0, 69};
    assert_string_equal(t.item[0].name, "left_atrium");
    assert_string_equal(t.item[0].title, "left atrium");
    assert_int_equal(t.item[0].n_prompts, 3);
    assert_non_null(strstr(t.item[0].prompt[1], "echocardiography")); /* the view's shape */
    assert_string_equal(t.item[0].category_code, "123037004");
    assert_string_equal(t.item[0].type_code, "82471001");
    assert_string_equal(t.item[0].type_meaning, "Left atrium");
    assert_memory_equal(t.item[0].rgb, rgb, 3);
    tpp_targets_free(&t);
}

/* ---- files ---- */

static void text_files_hold_one_object(void **state)
{
    (void)state;
    tpp_targets t = {0};
    ASSERT_OK(read_content(&t, "p.txt",
                           "\xEF\xBB\xBF# of the liver\r\n\r\n  the liver \r\n"
                           "\t# no\nan organ # with a mark"));
    assert_int_equal(t.count, 1);
    assert_string_equal(t.item[0].name, "object");
    assert_int_equal(t.item[0].n_prompts, 2);
    assert_string_equal(t.item[0].prompt[0], "the liver");
    assert_string_equal(t.item[0].prompt[1], "an organ # with a mark");
    tpp_targets_free(&t);
}

static void yaml_files_hold_objects_by_name(void **state)
{
    (void)state;
    tpp_targets t = {0};
    ASSERT_OK(read_content(&t, "p.yaml",
                           "left_kidney: the left kidney\n"
                           "liver: [the liver, 'an organ: brown']\n"));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.item[0].name, "left_kidney");
    assert_string_equal(t.item[0].title, "left kidney");
    assert_int_equal(t.item[0].n_prompts, 1);
    assert_int_equal(t.item[1].n_prompts, 2);
    assert_string_equal(t.item[1].prompt[1], "an organ: brown");
    tpp_targets_free(&t);
}

static void library_files_hold_all_their_structures(void **state)
{
    (void)state;
    tpp_targets t = {0};
    ASSERT_OK(read_content(&t, "l.yml",
                           "schema: 1\nstructures:\n"
                           "  a: {name: An a, rgb: [1, 2, 3], views: {ct: " VIEW "}}\n"
                           "  b: {name: A b, views: {us: " VIEW "}}\n"));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.item[0].title, "An a");
    assert_int_equal(t.item[0].rgb[2], 3);
    assert_string_equal(t.item[1].prompt[2], "c");
    assert_null(t.item[1].type_code);
    tpp_targets_free(&t);
    ASSERT_FAILS(tpp_targets_read(&t, LIBRARY, NULL), TPP_EUSAGE, LIBRARY,
                 "one of mri, us is wanted");
    assert_int_equal(t.count, 0);
    /* Of one modality: what has sentences for it. */
    ASSERT_OK(tpp_targets_read(&t, LIBRARY, "endoscopy"));
    assert_int_equal(t.count, 1);
    assert_string_equal(t.item[0].name, "polyp");
    tpp_targets_free(&t);
    ASSERT_FAILS(tpp_targets_read(&t, LIBRARY, "pet"), TPP_EUSAGE, LIBRARY, "sentences for pet");
    assert_int_equal(t.count, 0);
}

static void broken_files_are_named_and_add_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name, *content, *fact;
        tpp_status status;
    } cases[] = {
        {"a.txt", "# only\n\n", "holds no prompts", TPP_EUSAGE},
        {"b.txt", "good\nb\xFF\n", "b.txt:2: prompt", TPP_EFORMAT},
        {"c.yaml", "liver: {prompt: x}\n", "c.yaml:1: liver.prompt: wanted a sentence",
         TPP_EFORMAT},
        {"d.yaml", "a: x\nA: y\n", "d.yaml:2: two targets are called A", TPP_EUSAGE},
        {"e.yaml", "a: ''\n", "e.yaml:1: a: prompt 1: is empty", TPP_EUSAGE},
        {"f.yaml", "a: x\nb: []\n", "f.yaml:2: b: at least one prompt", TPP_EUSAGE},
        {"g.yaml", "structures: {a: {name: x}}\n", "has no views", TPP_EFORMAT},
        {"h.yaml", "structures: {a: {name: x, rgb: [1, 2, 256], views: {v: " VIEW "}}}\n",
         "three numbers from 0 to 255", TPP_EFORMAT},
        {"i.yaml", "structures: {a: {name: x, snomed: {type: 12a}, views: {v: " VIEW "}}}\n",
         "wanted a SNOMED CT code", TPP_EFORMAT},
        {"j.yaml", "structures: {a: {name: x, snomed: {type: 12}, views: {v: " VIEW "}}}\n",
         "snomed wants category, type and meaning", TPP_EFORMAT},
        {"k.yaml", "# nothing\n", "", TPP_EFORMAT},
    };
    static const char *const one[] = {"x"};
    tpp_targets t = {0};
    ASSERT_OK(tpp_targets_add_sentences(&t, "first", one, 1));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ASSERT_FAILS(read_content(&t, cases[i].name, cases[i].content), cases[i].status,
                     cases[i].name, cases[i].fact);
        assert_int_equal(t.count, 1);
    }
    const char *zero = put_file("zero.txt", "a\0b", 3);
    ASSERT_FAILS(tpp_targets_read(&t, zero, NULL), TPP_EFORMAT, zero, "zero byte");
    ASSERT_FAILS(tpp_targets_read(&t, "/nowhere.yaml", NULL), TPP_EIO, "nowhere.yaml", "");
    assert_int_equal(t.count, 1);
    assert_string_equal(t.item[0].name, "first");
    tpp_targets_free(&t);
}

/* The sanitizer build sees what is lost. */
static void memory_may_end_anywhere(void **state)
{
    (void)state;
    const char *path =
        put_file("m.yaml",
                 "structures: {a: {name: x, snomed: {category: 1, type: 2, meaning: m}, "
                 "views: {v: " VIEW "}}}\n",
                 sizeof("structures: {a: {name: x, snomed: {category: 1, type: 2, meaning: m}, "
                        "views: {v: " VIEW "}}}\n") -
                     1);
    tpp_status s = TPP_ENOMEM;
    int64_t n = 0;
    for (; s == TPP_ENOMEM && n < 1000; n++) {
        tpp_targets t = {0};
        tpp_alloc_fail_after(n);
        s = tpp_targets_read(&t, path, NULL);
        tpp_alloc_fail_after(-1);
        assert_int_equal(t.count, s == TPP_OK);
        tpp_targets_free(&t);
    }
    assert_int_equal(s, TPP_OK);
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_become_a_target),
        cmocka_unit_test(unusable_sentences_and_names_are_refused),
        cmocka_unit_test(labels_end_at_255),
        cmocka_unit_test(structures_bring_sentences_codes_and_colour),
        cmocka_unit_test(text_files_hold_one_object),
        cmocka_unit_test(yaml_files_hold_objects_by_name),
        cmocka_unit_test(library_files_hold_all_their_structures),
        cmocka_unit_test(broken_files_are_named_and_add_nothing),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
