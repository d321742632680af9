/* Floors by hand: which of the three limits a node has, and the table of devices.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_floor.h"
#include "unit.h"

#include <math.h>

static void expect(tpp_floor f, double ms, tpp_floor_bound bound)
{
    if (fabs(f.ms - ms) > 1e-9 * ms || f.bound != bound)
        fail_msg("%.9f ms by %s, wanted %.9f by %s", f.ms, tpp_floor_bound_text(f.bound), ms,
                 tpp_floor_bound_text(bound));
}

static void a_floor_is_the_largest_of_three(void **state)
{
    (void)state;
    const tpp_device_model card = {.gflops = 20000, .memory_gbs = 500};
    /* ffn of 4820 tokens, 256 to 2048 and back: 2 * 2 * 4820 * 256 * 2048 = 10.108 GFLOP, at 20
     * TFLOP/s 0.5054 ms; its bytes take 0.024 ms, two launches 0.008 */
    const tpp_cost ffn = {.flops = 4.0 * 4820 * 256 * 2048, .bytes = 12e6};
    expect(tpp_floor_of(&card, &ffn, 2), 4.0 * 4820 * 256 * 2048 / 20e12 * 1e3, TPP_FLOOR_FMA);
    /* 29.5 MB at 500 GB/s: 0.059 ms */
    const tpp_cost norm = {.flops = 30e6, .bytes = 29.5e6};
    expect(tpp_floor_of(&card, &norm, 1), 0.059, TPP_FLOOR_MEMORY);
    /* two launches of 4 us, whatever they do */
    const tpp_cost little = {.flops = 1e3, .bytes = 1e3};
    expect(tpp_floor_of(&card, &little, 2), 0.008, TPP_FLOOR_LAUNCHES);
    /* what a kernel cannot hide it cannot add: the three do not add up */
    expect(tpp_floor_of(&card, &norm, 14), 0.059, TPP_FLOOR_MEMORY);
    expect(tpp_floor_of(&card, &norm, 15), 0.060, TPP_FLOOR_LAUNCHES);
}

static void the_table_is_whole(void **state)
{
    (void)state;
    const tpp_device_model *m = NULL;
    int n = 0;
    for (; (m = tpp_device_model_at(n)) != NULL; n++) {
        assert_ptr_equal(tpp_device_model_find(m->name), m); /* no name twice */
        assert_string_equal(tpp_device_model_name(n), m->name);
        /* units: from a small card to a large one, and work for hundreds of operations a float */
        assert_true(m->gflops > 5e3 && m->gflops < 1e6);
        assert_true(m->memory_gbs > 100 && m->memory_gbs < 1e4);
        assert_true(m->gflops / m->memory_gbs > 5 && m->gflops / m->memory_gbs < 100);
        assert_true(m->max_group >= 256 && m->local_mem >= 48 * 1024 && m->compute_units >= 16);
        assert_non_null(strstr(m->source, ", ")); /* vendor, paper */
        assert_int_equal(strncmp(m->title, m->source, strcspn(m->source, ",")), 0);
    }
    assert_true(n >= 13);
    assert_null(tpp_device_model_name(n));
    assert_null(tpp_device_model_find("w680"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_floor_is_the_largest_of_three),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
