/* The gate of tpp bench: masks that are right pass, and every way of being wrong is seen.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_gate.h"
#include "unit.h"

#include <math.h>

enum { FRAMES = 3, PIXELS = 4000 };

static void make_masks(tpp_gate_masks *m)
{
    *m = (tpp_gate_masks){.frames = FRAMES,
                          .pixels = PIXELS,
                          .mask = tpp_calloc((size_t)FRAMES * PIXELS, 1),
                          .logits = tpp_calloc((size_t)FRAMES * PIXELS, sizeof(float)),
                          .best = tpp_calloc(FRAMES, sizeof(int))};
    assert_true(m->mask != NULL && m->logits != NULL && m->best != NULL);
    for (int i = 0; i < FRAMES * PIXELS; i++) {
        m->logits[i] = (float)((i * 37) % 200) * 0.1F - 10.0F;
        m->mask[i] = m->logits[i] > 0;
    }
}

typedef void alter(tpp_gate_masks *m);

static void leave(tpp_gate_masks *m)
{
    (void)m;
}

/* Half the tolerance: 2e-4 of 10. */
static void shift_a_little(tpp_gate_masks *m)
{
    m->logits[PIXELS + 5] += 1e-3F;
}

static void shift_too_far(tpp_gate_masks *m)
{
    m->logits[2 * PIXELS + 5] += 3e-3F;
}

static void lose_a_number(tpp_gate_masks *m)
{
    m->logits[7] = NAN;
}

/* One pixel in 2000: Dice 0.99975. */
static void flip_one_pixel(tpp_gate_masks *m)
{
    m->mask[PIXELS + 11] = !m->mask[PIXELS + 11];
}

static void flip_five_pixels_of_the_last_frame(tpp_gate_masks *m)
{
    for (int i = 0; i < 5; i++) m->mask[2 * PIXELS + i] = !m->mask[2 * PIXELS + i];
}

static void choose_another(tpp_gate_masks *m)
{
    m->best[1] = 2;
}

static void empty_all(tpp_gate_masks *m)
{
    memset(m->mask, 0, (size_t)FRAMES * PIXELS);
}

static tpp_gate judge(alter *change)
{
    tpp_gate_masks got = {0}, want = {0};
    tpp_gate gate = {.against = "plain"};
    make_masks(&got);
    make_masks(&want);
    change(&got);
    tpp_gate_compare(&gate, &got, &want);
    tpp_gate_masks_free(&got);
    tpp_gate_masks_free(&want);
    assert_string_equal(gate.against, "plain");
    return gate;
}

static void masks_that_agree_pass(void **state)
{
    (void)state;
    tpp_gate g = judge(leave);
    assert_true(g.passed && g.dice == 1 && g.logit_error == 0);
    g = judge(shift_a_little);
    assert_true(g.passed && g.logit_error > 5e-5 && g.logit_error < 2e-4);
    g = judge(flip_one_pixel);
    assert_true(g.passed && g.dice < 1 && g.dice >= TPP_GATE_DICE);
}

static void expect_wrong(alter *change, const char *why)
{
    const tpp_gate g = judge(change);
    if (g.passed || strstr(g.why, why) == NULL) fail_msg("wanted \"%s\", got \"%s\"", why, g.why);
}

static void masks_that_differ_do_not(void **state)
{
    (void)state;
    expect_wrong(shift_too_far, "logits off by 0.0003");
    expect_wrong(lose_a_number, "logits off by inf");
    expect_wrong(flip_five_pixels_of_the_last_frame, "Dice 0.998");
    expect_wrong(empty_all, "Dice 0.000000");
    expect_wrong(choose_another, "frame 2: query 2 was chosen, wanted 0");
}

static void other_sizes_do_not_agree(void **state)
{
    (void)state;
    tpp_gate_masks got = {0}, want = {0};
    tpp_gate gate = {0};
    make_masks(&got);
    make_masks(&want);
    got.pixels = PIXELS / 2;
    tpp_gate_compare(&gate, &got, &want);
    assert_false(gate.passed);
    tpp_gate_masks_free(&got);
    tpp_gate_masks_free(&want);
}

/* ---- a device ---- */

static tpp_status configure(struct tpp_model_config *c)
{
    static const char *const settings[] = {
        "backbone.name=tiny", "model.hidden=32",    "model.heads=4",      "model.ffn=64",
        "model.mask_dim=32",  "model.enc_layers=1", "model.dec_layers=1", "text.layers=1",
        "text.hidden=32",     "text.heads=2",       "text.ffn=64",        "text.vocab=200"};
    return tpp_model_config_read(c, NULL, settings, sizeof(settings) / sizeof(settings[0]));
}

/* What the registry chooses, ahead and not, agrees with `plain`; and the masks say something. */
static void this_device_passes(void **state)
{
    tpp_device *d = *state;
    struct tpp_model_config config;
    UNIT_OK(configure(&config));
    tpp_gate_subject subject = {.config = &config, .prompts = 3, .tokens = 7, .ahead = 1};
    tpp_gates *gates = NULL;
    tpp_gate gate;
    UNIT_OK(tpp_gates_open(&gates, d, NULL, 0));
    for (subject.ahead = 1; subject.ahead <= 4; subject.ahead += 3) {
        UNIT_OK(tpp_gates_judge(gates, &subject, &gate));
        if (!gate.passed) fail_msg("%d ahead: %s", subject.ahead, gate.why);
        assert_string_equal(gate.against, "plain");
    }
    tpp_gates_close(gates);
    tpp_gate_masks m = {0};
    UNIT_OK(tpp_gate_masks_make(&m, d, &subject));
    const float first = m.logits[0];
    bool varies = false;
    for (size_t i = 0; i < m.pixels * (size_t)m.frames; i++) varies |= m.logits[i] != first;
    assert_true(varies && m.pixels == (size_t)TPP_GATE_HEIGHT * TPP_GATE_WIDTH);
    tpp_gate_masks_free(&m);
}

#define MICRO TPP_SOURCE_DIR "/tests/golden/forward_micro.safetensors"

/* The file of its backbone and mode is taken; for others it is `plain`. */
static void golden_files_stand_for_their_model(void **state)
{
    static const char *const paths[] = {MICRO};
    struct tpp_model_config config;
    tpp_gates *gates = NULL;
    tpp_gate gate;
    UNIT_OK(configure(&config));
    UNIT_OK(tpp_gates_open(&gates, *state, paths, 1));
    tpp_gate_subject subject = {.config = &config, .prompts = 3, .tokens = 7, .ahead = 1};
    UNIT_OK(tpp_gates_judge(gates, &subject, &gate));
    assert_string_equal(gate.against, "forward_micro.safetensors");
    if (!gate.passed) fail_msg("%s", gate.why);
    assert_true(gate.dice == 1 && gate.logit_error < 2e-4);
    struct tpp_model_config other = config;
    other.mode = TPP_MODE_CLIP;
    other.prop.box = other.prop.mask = other.prop.query = false;
    subject.config = &other;
    UNIT_OK(tpp_gates_judge(gates, &subject, &gate));
    assert_string_equal(gate.against, "plain");
    if (!gate.passed) fail_msg("%s", gate.why);
    tpp_gates_close(gates);
}

static void files_without_masks_are_refused(void **state)
{
    static const char *const text[] = {TPP_SOURCE_DIR "/tests/golden/text_small.safetensors"};
    static const char *const none[] = {"nowhere.safetensors"};
    tpp_gates *gates = NULL;
    UNIT_FAILS(tpp_gates_open(&gates, *state, text, 1), TPP_EUSAGE, "no masks");
    UNIT_FAILS(tpp_gates_open(&gates, *state, none, 1), TPP_EIO, "nowhere.safetensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_that_agree_pass),
        cmocka_unit_test(masks_that_differ_do_not),
        cmocka_unit_test(other_sizes_do_not_agree),
        cmocka_unit_test(this_device_passes),
        cmocka_unit_test(golden_files_stand_for_their_model),
        cmocka_unit_test(files_without_masks_are_refused),
    };
    return cmocka_run_group_tests(tests, unit_open_device, unit_close_device);
}
