/* tpp bench --model-device: plans of a GPU that is not here, and what they add up to.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "io/csv.h"
#include "program.h"

#include <jansson.h>
#include <math.h>

#define FLOORS "tpp bench " MICRO_SET " --size 32x64 --model-device w6800 "

static double number(const json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);
    if (!json_is_number(value)) fail_msg("%s is no number", name);
    return json_number_value(value);
}

static const char *text(const json_t *row, const char *name)
{
    const char *value = json_string_value(json_object_get(row, name));
    if (value == NULL) fail_msg("%s is no text", name);
    return value;
}

static json_t *read_rows(void)
{
    json_error_t error;
    json_t *rows = json_loads(program_out, JSON_REJECT_DUPLICATES, &error);
    if (rows == NULL) fail_msg("%s", error.text);
    return rows;
}

static void expect_near(const char *what, double got, double wanted)
{
    if (fabs(got - wanted) > 1e-6 * (fabs(wanted) + 1e-6))
        fail_msg("%s is %.9g, wanted %.9g", what, got, wanted);
}

/* The data sheet's figures: 17.83 TFLOP/s, 512 GB/s; 4 us a launch are assumed. */
static double expect_node(const json_t *row)
{
    const double fma = number(row, "gflop") / 17830 * 1e3, memory = number(row, "mb") / 512,
                 launches = number(row, "launches") * 4e-3,
                 wanted = fmax(fmax(fma, memory), launches);
    assert_true(number(row, "launches") >= 1);
    expect_near(text(row, "op"), number(row, "floor_ms"), wanted);
    const char *bound = text(row, "bound");
    assert_true(wanted == launches || strcmp(bound, "launches") != 0);
    return wanted;
}

static void nodes_add_up_to_graphs_and_frames(void **state)
{
    (void)state;
    EXPECT_OK(FLOORS "--format json");
    json_t *rows = read_rows(), *row = NULL;
    double graph_ms = 0, graph_gflop = 0, frame_ms = 0;
    int tiles = 0, frames = 0, graphs = 0;
    size_t i = 0;
    json_array_foreach(rows, i, row)
    {
        assert_string_equal(text(row, "figures"), "computed");
        assert_string_equal(text(row, "model"), "w6800");
        assert_non_null(strstr(text(row, "source"), "AMD"));
        if (strcmp(text(row, "kind"), "node") == 0) {
            graph_ms += expect_node(row);
            graph_gflop += number(row, "gflop");
            tiles += strcmp(text(row, "by"), "tile") == 0;
            assert_string_not_equal(text(row, "by"), "vector"); /* a CPU's */
        } else if (strcmp(text(row, "kind"), "graph") == 0) {
            expect_near("GFLOP", number(row, "gflop"), graph_gflop);
            assert_true(number(row, "floor_ms") >= graph_ms * (1 - 1e-6)); /* and copies */
            assert_true(number(row, "floor_ms") <= graph_ms + 0.004 * 8);
            frame_ms += number(row, "runs") * number(row, "floor_ms");
            const bool is_early =
                strcmp(text(row, "graph"), "text") == 0 || strcmp(text(row, "graph"), "first") == 0;
            if (is_early) assert_true(number(row, "runs") == 0);
            graph_ms = graph_gflop = 0;
            graphs++;
        } else {
            expect_near("the frame", number(row, "floor_ms"), frame_ms);
            frames++;
        }
    }
    assert_true(tiles > 10 && frames == 1 && graphs >= 5);
    json_decref(rows);
}

/* By hand: the last stage of a backbone of two images is planned for both, and a frame has half. */
static void batches_are_shared_by_their_frames(void **state)
{
    (void)state;
    EXPECT_OK(FLOORS "--ahead 1,2 --format jsonl");
    double gflop[2] = {0};
    int cells = 0;
    for (char *line = strtok(program_out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        assert_true(cells < 2);
        if (strcmp(text(row, "graph"), "backbone") == 0 && strcmp(text(row, "kind"), "graph") == 0)
            assert_true(number(row, "runs") == 1.0 / (cells + 1));
        if (strcmp(text(row, "kind"), "frame") == 0) gflop[cells++] = number(row, "gflop");
        json_decref(row);
    }
    assert_int_equal(cells, 2);
    expect_near("work of a frame", gflop[1], gflop[0]);
}

static void tables_are_marked_as_computed(void **state)
{
    (void)state;
    tpp_csv c = {0};
    EXPECT_OK(FLOORS "--format csv");
    ASSERT_OK(tpp_csv_parse(&c, program_out, strlen(program_out), "rows")); /* equal columns */
    const size_t figures = (size_t)tpp_csv_column(&c, "figures");
    assert_true(c.rows > 100);
    for (size_t r = 1; r < c.rows; r++)
        assert_string_equal(c.field[r * c.columns + figures], "computed");
    tpp_csv_free(&c);
    EXPECT_OK(FLOORS "-o floors.md && head -1 floors.md");
    assert_non_null(strstr(program_out, "Radeon PRO W6800, computed and never measured: 17830 "));
    assert_true(file_is_there("floors.md"));
    EXPECT_FAILS(2, "value 1 is no row", /* it must not look measured */
                 FLOORS "--format json -o floors.json && tpp bench --merge floors.json");
}

static void options_are_checked(void **state)
{
    (void)state;
    EXPECT_FAILS(2, "did you mean w6800?", "tpp bench --model-device w680");
    EXPECT_FAILS(2, "wants one of mi100, ", "tpp bench --model-device voodoo");
    EXPECT_FAILS(2, "leave --profile out", FLOORS "--profile");
    EXPECT_FAILS(2, "leave --compare out", FLOORS "--compare base.json");
    EXPECT_FAILS(2, "one --device to plan on", FLOORS "--device 0,1");
    EXPECT_FAILS(2, "want work-groups of 256 and 65536 bytes",
                 "export TPP_LIMITS=group=128; " FLOORS "-o out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_add_up_to_graphs_and_frames),
        cmocka_unit_test(batches_are_shared_by_their_frames),
        cmocka_unit_test(tables_are_marked_as_computed),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
