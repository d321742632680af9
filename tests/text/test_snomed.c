/* Codes of the prompt library have a meaning that a DICOM-SEG can state.
 * SPDX-License-Identifier: MIT */
#include "text/prompts.h"
#include "text/snomed.h"
#include "unit.h"

/* Category, side and site of every structure; the type has the structure's own meaning or one here.
 */
static void every_code_of_the_library_has_a_meaning(void **state)
{
    (void)state;
    tpp_prompts p = {0};
    UNIT_OK(tpp_prompts_read(&p, TPP_SOURCE_DIR "/configs/prompts.yaml"));
    size_t sides = 0;
    for (size_t i = 0; i < p.count; i++) {
        const tpp_structure *s = &p.structures[i];
        const char *codes[] = {s->category_code, s->modifier_code, s->site_code};
        for (int k = 0; k < 3; k++)
            if (codes[k] != NULL && tpp_snomed_meaning(codes[k]) == NULL)
                fail_msg("%s: nothing is known of %s", s->key, codes[k]);
        /* A side in the name is a modifier of a type without one. */
        const bool left = strncmp(s->key, "left_", 5) == 0 && s->modifier_code != NULL;
        if (left) {
            sides++;
            assert_string_equal(tpp_snomed_meaning(s->modifier_code), "Left");
            assert_non_null(tpp_snomed_meaning(s->type_code));
            assert_null(strstr(tpp_snomed_meaning(s->type_code), "eft"));
        }
    }
    assert_int_equal(sides, 2); /* lung and kidney */
    tpp_prompts_free(&p);
}

static void what_is_not_known_has_none(void **state)
{
    (void)state;
    assert_null(tpp_snomed_meaning(NULL));
    assert_null(tpp_snomed_meaning(""));
    assert_null(tpp_snomed_meaning("1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_the_library_has_a_meaning),
        cmocka_unit_test(what_is_not_known_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
