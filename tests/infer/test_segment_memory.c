/* When host memory ends at whichever allocation of a case, it fails with TPP_ENOMEM, nothing is
 * lost (which the sanitizer build sees) and nothing is left; the next run gives the usual results.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/log.h"
#include "core/path.h"
#include "folder.h"
#include "infer/case_key.h"
#include "infer/model_folder.h"
#include "infer/segment_internal.h"
#include "io/image.h"
#include "io/png.h"

#include <glob.h>

static char *sentences[] = {"a bright disc", "round"};
static tpp_target target[] = {
    {.name = "disc", .title = "disc", .prompt = sentences, .n_prompts = 2, .rgb = {230, 159, 0}},
    {.name = "rim",
     .title = "rim",
     .prompt = sentences + 1,
     .n_prompts = 1,
     .rgb = {86, 180, 233}}};
static const tpp_targets targets = {target, 2};

typedef struct suite {
    tpp_segmenter *segmenter;
    tpp_segment_options options;
} suite;

static void write_picture(const char *name)
{
    tpp_image image = {0};
    UNIT_OK(tpp_image_init(&image, 40, 30, 1));
    for (int i = 0; i < 40 * 30; i++) image.pixels[i] = (uint8_t)(i * 7 % 200);
    UNIT_OK(tpp_png_write(in_folder(name), &image));
    tpp_image_free(&image);
}

/* A case into `name`, as the program runs it. */
static tpp_status run_case(const suite *s, const char *name)
{
    const tpp_case c = {.name = "case", .input = in_folder("pictures"), .output = in_folder(name)};
    tpp_segment_result result = {0};
    tpp_sha256 key = {""};
    tpp_case one = c;
    bool done = false, on_input = false;
    TPP_TRY(tpp_case_key(&key, s->segmenter, c.input));
    TPP_TRY(tpp_case_is_done(&done, c.output, &key));
    one.key = key.hex;
    return tpp_segmenter_run(s->segmenter, &one, &result, &on_input);
}

static int open_suite(void **state)
{
    static suite s;
    static char model[192];
    const struct tpp_model_config config = micro_config();
    /* Thousands of files are synced: in memory, where there is such a place. */
    (void)snprintf(test_folder, sizeof test_folder, "/dev/shm/tpp-infer-XXXXXX");
    if (mkdtemp(test_folder) == NULL && folder_setup(state) != 0) return -1;
    (void)snprintf(model, sizeof model, "%s", in_folder("model"));
    UNIT_OK(tpp_model_folder_synth(model, &config, 1, TPP_SOURCE_DIR "/weights/vocab", false));
    UNIT_OK(tpp_path_make_folder(in_folder("pictures")));
    write_picture("pictures/0.png");
    s.options = (tpp_segment_options){.model = model,
                                      .targets = &targets,
                                      .start.kind = TPP_START_AUTO,
                                      .ahead = 1,
                                      .multilabel = true,
                                      .probabilities = true,
                                      .version = "test"};
    UNIT_OK(tpp_segmenter_open(&s.segmenter, &s.options));
    tpp_log_set(TPP_LOG_ERROR, NULL, NULL);
    UNIT_OK(run_case(&s, "want"));
    *state = &s;
    return 0;
}

static int close_suite(void **state)
{
    const suite *s = *state;
    tpp_segmenter_close(s->segmenter);
    return folder_teardown(state);
}

static void expect_nothing_left(int64_t n)
{
    glob_t found = {0};
    if (glob(in_folder("out*"), 0, NULL, &found) != GLOB_NOMATCH)
        fail_msg("allocation %lld fails, and there is %s", (long long)n, found.gl_pathv[0]);
    globfree(&found);
}

static void expect_usual_results(int64_t n)
{
    char command[256];
    (void)snprintf(command, sizeof command, "diff -r %s/want %s/out && rm -r %s/out", test_folder,
                   test_folder, test_folder);
    if (system(command) != 0)
        fail_msg("allocation %lld fails, and the results differ", (long long)n);
}

/* Allocations of a whole run. */
static int64_t count_allocations(const suite *s)
{
    const uint64_t before = tpp_alloc_count();
    UNIT_OK(run_case(s, "out"));
    const int64_t count = (int64_t)(tpp_alloc_count() - before);
    expect_usual_results(-1);
    print_message("%lld allocations\n", (long long)count);
    return count;
}

/* A run whose allocation n fails. A few are for what a run can do without, such as syncing a
 * folder. */
static void fail_allocation(const suite *s, int64_t n)
{
    tpp_alloc_fail_after(n);
    const tpp_status status = run_case(s, "out");
    tpp_alloc_fail_after(-1);
    if (status == TPP_OK)
        expect_usual_results(n);
    else if (status == TPP_ENOMEM)
        expect_nothing_left(n);
    else
        fail_msg("allocation %lld fails: %d, %s", (long long)n, (int)status, tpp_error());
}

static void with_sessions_open_each_allocation_may_fail(void **state)
{
    const suite *s = *state;
    const int64_t count = count_allocations(s);
    assert_true(count > 300);
    for (int64_t n = 0; n < count; n++) {
        fail_allocation(s, n);
        if (s->segmenter->height != 0) continue;
        UNIT_OK(run_case(s, "out")); /* opens them again */
        expect_usual_results(n);
    }
}

/* Nearly ten thousand, most in recording graphs, and a twentieth of a second each: one in 97;
 * TPP_TEST_STEP=1 tries all. */
static void while_sessions_open_an_allocation_may_fail(void **state)
{
    const suite *s = *state;
    const char *given = getenv("TPP_TEST_STEP");
    const int64_t step = given != NULL ? strtol(given, NULL, 10) : 97;
    assert_true(step > 0);
    s->segmenter->height = 0; /* of another size: they are opened anew */
    const int64_t count = count_allocations(s);
    assert_true(count > 5000);
    for (int64_t n = 0; n < count; n += step) {
        s->segmenter->height = 0;
        fail_allocation(s, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_sessions_open_each_allocation_may_fail),
        cmocka_unit_test(while_sessions_open_an_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_suite, close_suite);
}
