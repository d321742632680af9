/* Tuning against candidates that were planted: this program is also the process that they run in
 * ("serve"), and one that makes its times up ("fake"), so that what is judged is known.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/tune_internal.h"
#include "ops/gemm.h"
#include "tensor/tensor_internal.h"
#include "unit.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

/* ---- planted algorithms of gemm ---- */

static void nap(int ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}

typedef struct place {
    cl_mem mem;
    size_t at;
    float added;
    int runs;
} place;

/* Adds to the float at the place, after all that was enqueued. */
static tpp_status add_there(tpp_device *d, void *context)
{
    place *p = context;
    float x = 0;
    TPP_CL(d, clEnqueueReadBuffer(d->compute, p->mem, CL_TRUE, p->at, 4, &x, 0, NULL, NULL));
    x = p->runs < 0 ? 0.5F : x + p->added; /* a NaN and 1 is the same NaN */
    TPP_CL(d, clEnqueueWriteBuffer(d->compute, p->mem, CL_TRUE, p->at, 4, &x, 0, NULL, NULL));
    return TPP_OK;
}

static tpp_status add_more_each_time(tpp_device *d, void *context)
{
    place *p = context;
    p->added = 1e-6F * (float)p->runs++;
    return add_there(d, context);
}

static tpp_status hang(tpp_device *d, void *context)
{
    (void)d;
    (void)context;
    for (int s = 0; s < 3600; s++) nap(1000);
    return TPP_OK;
}

enum { SLOW_MS = 1, SLOWER_MS = 4 };

static tpp_status be_slow(tpp_device *d, void *context)
{
    (void)context;
    TPP_TRY(tpp_device_finish(d));
    nap(SLOW_MS);
    return TPP_OK;
}

static tpp_status be_slower(tpp_device *d, void *context)
{
    (void)context;
    TPP_TRY(tpp_device_finish(d));
    nap(SLOWER_MS);
    return TPP_OK;
}

static tpp_status crash_later(tpp_device *d, void *context)
{
    place *p = context;
    (void)d;
    if (++p->runs == 6) (void)raise(SIGBUS);
    return TPP_OK;
}

/* `plain`, and then a host step with this place. */
static tpp_status plain_then(tpp_steps *s, const tpp_call *c, tpp_host_step *step, place at)
{
    TPP_TRY(tpp_gemm_record_plain(s, c));
    place *p = NULL;
    TPP_NEW(p, 1);
    *p = at;
    return tpp_record_host(s, "planted", step, p, tpp_free);
}

static tpp_status record_wrong(tpp_steps *s, const tpp_call *c)
{
    return plain_then(s, c, add_there, (place){.mem = c->out[0].mem, .added = 1e-3F});
}

static tpp_status record_unsteady(tpp_steps *s, const tpp_call *c)
{
    return plain_then(s, c, add_more_each_time, (place){.mem = c->out[0].mem});
}

static tpp_status record_outside(tpp_steps *s, const tpp_call *c)
{
    const size_t end = c->out[0].offset + 4 * (size_t)tpp_shape_count(&c->out[0].shape);
    return plain_then(s, c, add_there, (place){.mem = c->out[0].root->mem, .at = end, .runs = -1});
}

static tpp_status record_hanging(tpp_steps *s, const tpp_call *c)
{
    return plain_then(s, c, hang, (place){0});
}

static tpp_status record_crashing(tpp_steps *s, const tpp_call *c)
{
    (void)s;
    (void)c;
    (void)raise(SIGSEGV);
    return TPP_OK;
}

static tpp_status record_crashing_later(tpp_steps *s, const tpp_call *c)
{
    return plain_then(s, c, crash_later, (place){0});
}

static tpp_status record_ending(tpp_steps *s, const tpp_call *c)
{
    (void)s;
    (void)c;
    _exit(3);
}

static tpp_status record_failing(tpp_steps *s, const tpp_call *c)
{
    (void)s;
    (void)c;
    return TPP_FAIL(TPP_EKERNEL, "the planted one fails");
}

static tpp_status record_slow(tpp_steps *s, const tpp_call *c)
{
    return plain_then(s, c, be_slow, (place){0});
}

static tpp_status record_slower(tpp_steps *s, const tpp_call *c)
{
    return plain_then(s, c, be_slower, (place){0});
}

static const tpp_algorithm planted[] = {
    {.name = "wrong", .fuses = TPP_FUSE_ALL, .record = record_wrong},
    {.name = "unsteady", .fuses = TPP_FUSE_ALL, .record = record_unsteady},
    {.name = "outside", .fuses = TPP_FUSE_ALL, .record = record_outside},
    {.name = "hanging", .fuses = TPP_FUSE_ALL, .record = record_hanging},
    {.name = "crashing", .fuses = TPP_FUSE_ALL, .record = record_crashing},
    {.name = "crashing_later", .fuses = TPP_FUSE_ALL, .record = record_crashing_later},
    {.name = "ending", .fuses = TPP_FUSE_ALL, .record = record_ending},
    {.name = "failing", .fuses = TPP_FUSE_ALL, .record = record_failing},
    {.name = "slow", .fuses = TPP_FUSE_ALL, .record = record_slow},
};
enum { PLANTED_SLOW = 8 };
static const tpp_algorithm slower = {
    .name = "slower", .fuses = TPP_FUSE_ALL, .record = record_slower};
static const tpp_algorithm level = {
    .name = "level", .fuses = TPP_FUSE_ALL, .record = tpp_gemm_record_plain};
static const tpp_tune_extra extra[] = {
    {&tpp_op_gemm, &planted[0]}, {&tpp_op_gemm, &planted[1]}, {&tpp_op_gemm, &planted[2]},
    {&tpp_op_gemm, &planted[3]}, {&tpp_op_gemm, &planted[4]}, {&tpp_op_gemm, &planted[5]},
    {&tpp_op_gemm, &planted[6]}, {&tpp_op_gemm, &planted[7]}, {&tpp_op_gemm, &planted[8]},
    {&tpp_op_gemm, &slower},     {&tpp_op_gemm, &level},      {NULL, NULL},
};

/* ---- a shape ---- */

static tpp_gemm_attr gemm_attr; /* no act */

/* y [200, 48] = x [200, 64] w^T, to be run by `vector`, `plain`, then what was planted. */
static tpp_tune_shape make_shape(tpp_tune_candidate *candidate, int n_planted)
{
    tpp_tune_shape s = {.op = &tpp_op_gemm, .bucket = "224x64 48x64 224x48"};
    memcpy(s.attr, &gemm_attr, sizeof(gemm_attr));
    s.in[0] = TPP_SHAPE(200, 64);
    s.in[1] = TPP_SHAPE(48, 64);
    s.candidate = candidate;
    candidate[s.n++] = (tpp_tune_candidate){.algorithm = tpp_op_algorithm(s.op, "plain")};
    for (int i = 0; i < n_planted; i++)
        candidate[s.n++] = (tpp_tune_candidate){.algorithm = &planted[i]};
    return s;
}

static char *serve[] = {"/proc/self/exe", "serve", NULL};
static char *fake[] = {"/proc/self/exe", "fake", NULL};

static const tpp_tune_candidate *find(const tpp_tune_shape *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->candidate[i].algorithm->name, name) == 0) return &s->candidate[i];
    fail_msg("no candidate %s", name);
    return NULL;
}

static void expect_refused(const tpp_tune_shape *s, const char *name, const char *why)
{
    const tpp_tune_candidate *c = find(s, name);
    if (c->state != TPP_TUNE_REFUSED || strstr(c->why, why) == NULL)
        fail_msg("%s: wanted refused with \"%s\", got state %d: %s", name, why, (int)c->state,
                 c->why);
}

/* ---- refusals ---- */

static void what_is_wrong_hangs_or_crashes_is_refused_by_name(void **state)
{
    (void)state;
    tpp_tune_candidate candidate[TPP_TUNE_MAX_CANDIDATES];
    tpp_tune_shape shape = make_shape(candidate, (int)(sizeof planted / sizeof planted[0]));
    tpp_tune t = {.shape = &shape, .n = 1};
    const tpp_tune_options o = {
        .child = serve, .device = getenv("TPP_TEST_DEVICE"), .extra = extra, .limit_s = 5};
    UNIT_OK(tpp_tune_measure(&t, &o));
    expect_refused(&shape, "wrong", "wrong unlike plain: output 0, element 0");
    expect_refused(&shape, "unsteady", "a second run gave other bits");
    expect_refused(&shape, "outside", "wrote outside an operand");
    expect_refused(&shape, "hanging", "hung: no answer in 5 s");
    expect_refused(&shape, "crashing", "crashed: SIGSEGV");
    expect_refused(&shape, "crashing_later", "crashed: SIGBUS");
    expect_refused(&shape, "ending", "crashed: the process ended with code 3");
    expect_refused(&shape, "failing", "the planted one fails");
    assert_int_equal(find(&shape, "slow")->state, TPP_TUNE_SLOW);
    assert_true(find(&shape, "slow")->ms >= SLOW_MS);
    assert_true(shape.done && shape.best == 0);
    assert_int_equal(find(&shape, "plain")->state, TPP_TUNE_MEASURED);
    assert_true(find(&shape, "plain")->samples >= 5 && shape.default_ms > 0);
}

/* A default that is wrong is refused like any other, and the fastest that is right replaces it. */
static void a_default_that_is_wrong_is_replaced(void **state)
{
    (void)state;
    tpp_tune_candidate candidate[TPP_TUNE_MAX_CANDIDATES];
    tpp_tune_shape shape = make_shape(candidate, 1);
    const tpp_tune_candidate right = candidate[0];
    candidate[0] = candidate[1];
    candidate[1] = right;
    tpp_tune t = {.shape = &shape, .n = 1};
    const tpp_tune_options o = {
        .child = serve, .device = getenv("TPP_TEST_DEVICE"), .extra = extra, .limit_s = 10};
    UNIT_OK(tpp_tune_measure(&t, &o));
    expect_refused(&shape, "wrong", "unlike plain");
    assert_true(shape.done && shape.best == 1);
}

static void a_process_that_cannot_be_had_ends_the_run(void **state)
{
    (void)state;
    char *nothing[] = {"/nowhere/tpp", NULL};
    tpp_tune_candidate candidate[TPP_TUNE_MAX_CANDIDATES];
    tpp_tune_shape shape = make_shape(candidate, 0);
    tpp_tune t = {.shape = &shape, .n = 1};
    const tpp_tune_options o = {.child = nothing};
    UNIT_FAILS(tpp_tune_measure(&t, &o), TPP_EIO, "ended with code 127");
}

/* ---- gains, with times that are made up ---- */

/* Answers "time SLOT" with TPP_TEST_TIMES: of each slot "MS" or "MS/MS", the second from its eighth
 * time on; every third of a slot is far off. Without it every slot takes 10 ms, but for the one of
 * the algorithm TPP_TEST_FAST, which takes 5; in every second call of gemm the one of
 * TPP_TEST_OTHER (if set) takes 8 in its place. */
static double made_up_ms(int slot, int asked, int fast, bool is_other)
{
    const char *times = getenv("TPP_TEST_TIMES");
    if (times == NULL) return slot != fast ? 10 : is_other ? 8 : 5;
    for (int i = 0; i < slot; i++) times = strchr(times, ' ') + 1;
    char *end = NULL;
    double ms = strtod(times, &end);
    if (*end == '/' && asked >= TPP_TUNE_SAMPLES) ms = strtod(end + 1, NULL);
    return asked % 3 == 2 ? 10 * ms : ms;
}

static int run_fake(void)
{
    char line[TPP_TUNE_LINE], name[40];
    int asked[TPP_TUNE_MAX_CANDIDATES] = {0}, slot = 0, fast = -1, calls = 0;
    const char *other = getenv("TPP_TEST_OTHER");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (sscanf(line, "time %d", &slot) == 1) {
            (void)printf("ms %.6f\n",
                         made_up_ms(slot, asked[slot], fast, other != NULL && calls % 2 == 0));
            asked[slot]++;
        } else if (sscanf(line, "try %d %39s", &slot, name) == 2) {
            const char *wanted = other != NULL && calls % 2 == 0 ? other : getenv("TPP_TEST_FAST");
            if (wanted != NULL && strcmp(wanted, name) == 0) fast = slot;
            (void)printf("right 1\n");
        } else {
            if (strncmp(line, "call ", 5) == 0) fast = -1;
            calls += strncmp(line, "call gemm ", 10) == 0;
            (void)printf("ok\n");
        }
        (void)fflush(stdout);
    }
    return 0;
}

/* Of `plain` and as many further ones as `times` has. */
static tpp_tune_shape judge(tpp_tune_candidate *candidate, const char *times)
{
    int more = 0;
    for (const char *p = times; (p = strchr(p, ' ')) != NULL; p++) more++;
    tpp_tune_shape shape = make_shape(candidate, more);
    tpp_tune t = {.shape = &shape, .n = 1};
    const tpp_tune_options o = {.child = fake};
    assert_int_equal(setenv("TPP_TEST_TIMES", times, 1), 0);
    UNIT_OK(tpp_tune_measure(&t, &o));
    assert_true(shape.done);
    return shape;
}

static void three_percent_replace_the_default(void **state)
{
    (void)state;
    tpp_tune_candidate c[TPP_TUNE_MAX_CANDIDATES];
    assert_int_equal(judge(c, "10 9.71").best, 0);
    const tpp_tune_shape s = judge(c, "10 9.8 9.69 9.75");
    assert_int_equal(s.best, 2);
    assert_true(s.best_ms == 9.69 && s.default_ms == 10); /* the medians, without what is far off */
    assert_true(c[2].samples >= 5);
    assert_int_equal(judge(c, "10 10 10").best, 0);
}

static void what_was_lucky_once_meets_the_default_again(void **state)
{
    (void)state;
    tpp_tune_candidate c[TPP_TUNE_MAX_CANDIDATES];
    assert_int_equal(judge(c, "10 9/9.9").best, 0);
    assert_int_equal(judge(c, "10 9/9.5").best, 1);
}

static void what_is_far_slower_is_not_measured_further(void **state)
{
    (void)state;
    tpp_tune_candidate c[TPP_TUNE_MAX_CANDIDATES];
    (void)judge(c, "10 14 12");
    assert_int_equal(c[1].state, TPP_TUNE_SLOW);
    assert_int_equal(c[2].state, TPP_TUNE_MEASURED);
    (void)judge(c, "14 10"); /* the default is */
    assert_int_equal(c[0].state, TPP_TUNE_MEASURED);
}

/* ---- whole frames ---- */

static const char *const micro[] = {
    "backbone.name=tiny", "model.hidden=32",    "model.heads=4",     "model.ffn=64",
    "model.enc_layers=1", "model.dec_layers=1", "model.mask_dim=32", "text.layers=1",
    "text.hidden=32",     "text.heads=2",       "text.ffn=64",       "text.vocab=2000"};

static struct tpp_model_config config;
static const tpp_trial_options small = {
    .height = 32, .width = 64, .tokens = 6, .ahead = 1, .frames = 3};

static int read_config(void **state)
{
    (void)state;
    UNIT_OK(tpp_model_config_read(&config, NULL, micro, sizeof micro / sizeof micro[0]));
    return 0;
}

static void tune_frames(tpp_tune *t, tpp_device *d, const char *fast)
{
    const tpp_tune_options o = {
        .child = fake, .extra = extra, .all = true, .command_buffers = true};
    (void)unsetenv("TPP_TEST_TIMES");
    if (fast != NULL)
        assert_int_equal(setenv("TPP_TEST_FAST", fast, 1), 0);
    else
        (void)unsetenv("TPP_TEST_FAST");
    UNIT_OK(tpp_tune_run(t, d, &config, &small, &o));
}

/* The device runs every gemm of `t` by "slow". */
static void attach_slow(tpp_device *d, const tpp_tune *t)
{
    tpp_tuning *table = NULL;
    UNIT_OK(tpp_tuning_open(&table));
    for (int i = 0; i < t->n; i++) {
        tpp_tuned row = {.op = &tpp_op_gemm, .algorithm = &planted[PLANTED_SLOW]};
        if (t->shape[i].op != &tpp_op_gemm) continue;
        memcpy(row.bucket, t->shape[i].bucket, sizeof(row.bucket));
        UNIT_OK(tpp_tuning_set(table, &row));
    }
    tpp_tuning_attach(d, table);
}

static int count_rows(const tpp_tuning *t)
{
    int n = 0;
    while (tpp_tuning_at(t, n) != NULL) n++;
    return n;
}

/* "slow" is said to take half the time, and in a frame it does not; half of it neither. */
static void choices_that_make_frames_slower_are_given_up(void **state)
{
    tpp_device *d = NULL;
    (void)state;
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    tpp_tune t = {0};
    tune_frames(&t, d, "slow");
    assert_true(t.replaced > 3 && t.changed == t.replaced);
    assert_true(t.given_up == t.replaced || t.given_up == t.replaced - 1);
    assert_true(t.after_ms > t.before_ms + SLOW_MS && !t.faster);
    assert_null(tpp_tuning_at(tpp_device_tuning(d), 0));

    /* The other way round: they are what the device had, and go. */
    tpp_tune back = {0};
    attach_slow(d, &t);
    tune_frames(&back, d, NULL);
    assert_true(back.replaced == 0 && back.changed == t.replaced + t.given_up);
    assert_true(back.before_ms > back.after_ms + SLOW_MS && back.faster);
    assert_null(tpp_tuning_at(back.table, 0));
    const bool can = tpp_device_caps(d)->command_buffers;
    assert_true(back.replays_tried == can && back.replays_right == can);
    assert_true(can == (back.launches_ms > 0) && can == (back.replays_ms > 0));
    assert_true(!back.replays || back.replays_ms < back.launches_ms);
    assert_int_equal(tpp_tuning_replays(back.table), back.replays);
    assert_non_null(tpp_tuning_at(tpp_device_tuning(d), 0));

    /* And once more: nothing is new, and no frame is run. */
    tpp_tune same = {0};
    tune_frames(&same, d, "slow");
    assert_true(same.replaced == back.changed && same.changed == 0 && same.before_ms == 0);
    tpp_tune_free(&same);
    tpp_tune_free(&back);
    tpp_tune_free(&t);
    tpp_device_close(d);
}

/* All gemms were "slow". "level", said to take half the time, is faster in a frame; "slower", said
 * to take 8 ms of 10, is not, and outweighs it. */
static void the_poorer_half_is_given_up_first(void **state)
{
    tpp_device *d = NULL;
    tpp_tune any = {0}, t = {0};
    (void)state;
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    tune_frames(&any, d, NULL);
    attach_slow(d, &any);
    const int all = count_rows(tpp_device_tuning(d));
    assert_int_equal(setenv("TPP_TEST_OTHER", "slower", 1), 0);
    tune_frames(&t, d, "level");
    for (int more = 0; more < 3 && t.given_up != all / 2; more++) { /* neighbours show in frames */
        tpp_tune_free(&t);
        t = (tpp_tune){0};
        attach_slow(d, &any);
        tune_frames(&t, d, "level");
    }
    (void)unsetenv("TPP_TEST_OTHER");
    assert_true(t.given_up == all / 2 && t.replaced == all - t.given_up);
    assert_int_equal(t.changed, t.replaced);
    for (int i = 0; i < t.n; i++) {
        const tpp_tune_shape *s = &t.shape[i];
        if (s->op != &tpp_op_gemm) continue;
        const tpp_tuned *row = tpp_tuning_get(t.table, s->op, s->bucket);
        const char *name = s->candidate[s->best].algorithm->name;
        assert_non_null(row);
        assert_string_equal(name, s->given_up ? "slower" : "level");
        assert_string_equal(row->algorithm->name, s->given_up ? "slow" : "level");
    }
    assert_true(t.faster && t.after_ms < t.before_ms);
    tpp_tune_free(&t);
    tpp_tune_free(&any);
    tpp_device_close(d);
}

/* What is taken only when tuned for is there to be tuned, and agrees with `plain`, and at full size
 * with the first candidate. */
static void winograd_is_a_candidate_and_passes(void **state)
{
    tpp_device *d = NULL;
    tpp_trial trial = {0};
    tpp_tune t = {0}, one = {.n = 1};
    const tpp_tune_options o = {
        .child = serve, .device = getenv("TPP_TEST_DEVICE"), .all = true, .limit_s = 60};
    double ms = 0;
    int found = 0;
    (void)state;
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    if (!tpp_device_caps(d)->is_cpu) {
        tpp_device_close(d);
        skip();
    }
    UNIT_OK(tpp_trial_open(&trial, &config, d, &small));
    UNIT_OK(tpp_tune_time_frames(&trial, &ms));
    UNIT_OK(tpp_tune_collect(&t, trial.session, tpp_device_caps(d), &o));
    for (int i = 0; i < t.n && one.shape == NULL; i++)
        for (int k = 0; k < t.shape[i].n; k++)
            if (strcmp(t.shape[i].candidate[k].algorithm->name, "winograd") == 0)
                one.shape = &t.shape[i];
    assert_non_null(one.shape);
    assert_string_equal(one.shape->op->name, "conv2d");
    UNIT_OK(tpp_tune_measure(&one, &o));
    assert_true(one.shape->done);
    for (int k = 0; k < one.shape->n; k++) {
        const tpp_tune_candidate *c = &one.shape->candidate[k];
        if (c->state == TPP_TUNE_REFUSED) fail_msg("%s: %s", c->algorithm->name, c->why);
        found += strcmp(c->algorithm->name, "winograd") == 0;
    }
    assert_true(found > 2);
    tpp_tune_free(&t);
    tpp_trial_close(&trial);
    tpp_device_close(d);
}

/* Each side is opened for its turn then. */
static void a_device_without_room_for_both_is_enough(void **state)
{
    (void)state;
    char limit[24];
    tpp_device *d = NULL;
    tpp_trial trial;
    tpp_tune t = {0};
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    UNIT_OK(tpp_trial_open(&trial, &config, d, &small));
    (void)snprintf(limit, sizeof limit, "%zu", tpp_device_bytes(d) * 3 / 2000000 + 1);
    tpp_trial_close(&trial);
    tpp_device_close(d);
    assert_int_equal(setenv("TPP_DEVICE_MEMORY_MB", limit, 1), 0);
    UNIT_OK(tpp_device_open(&d, getenv("TPP_TEST_DEVICE")));
    (void)unsetenv("TPP_DEVICE_MEMORY_MB");
    tpp_trial both[2];
    UNIT_OK(tpp_trial_open(&both[0], &config, d, &small));
    UNIT_FAILS(tpp_trial_open(&both[1], &config, d, &small), TPP_EDEVMEM, "MB");
    tpp_trial_close(&both[0]);
    tune_frames(&t, d, "slow");
    assert_true(t.before_ms > 0 && t.after_ms > t.before_ms && !t.faster);
    tpp_tune_free(&t);
    tpp_device_close(d);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0) return tpp_tune_serve(extra);
    if (argc == 2 && strcmp(argv[1], "fake") == 0) return run_fake();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_hangs_or_crashes_is_refused_by_name),
        cmocka_unit_test(a_default_that_is_wrong_is_replaced),
        cmocka_unit_test(a_process_that_cannot_be_had_ends_the_run),
        cmocka_unit_test(three_percent_replace_the_default),
        cmocka_unit_test(what_was_lucky_once_meets_the_default_again),
        cmocka_unit_test(what_is_far_slower_is_not_measured_further),
        cmocka_unit_test(choices_that_make_frames_slower_are_given_up),
        cmocka_unit_test(the_poorer_half_is_given_up_first),
        cmocka_unit_test(winograd_is_a_candidate_and_passes),
        cmocka_unit_test(a_device_without_room_for_both_is_enough),
    };
    return cmocka_run_group_tests(tests, read_config, NULL);
}
