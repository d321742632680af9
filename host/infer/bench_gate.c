/* Runs a small model by two lists of algorithms and compares masks.
 * SPDX-License-Identifier: MIT */
#include "infer/bench_gate.h"

#include "core/mem.h"
#include "core/path.h"
#include "infer/session.h"
#include "infer/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RGB = 3 };

/* ---- masks ---- */

void tpp_gate_masks_free(tpp_gate_masks *m)
{
    tpp_free(m->mask);
    tpp_free(m->logits);
    tpp_free(m->best);
    *m = (tpp_gate_masks){0};
}

static tpp_status make_room(tpp_gate_masks *m, int frames, size_t pixels)
{
    m->frames = frames;
    m->pixels = pixels;
    TPP_NEW(m->mask, (size_t)frames * pixels);
    TPP_NEW(m->logits, (size_t)frames * pixels);
    TPP_NEW(m->best, frames);
    return TPP_OK;
}

static tpp_status take_frame(tpp_gate_masks *m, tpp_session *s, int t)
{
    tpp_frame_result r;
    const size_t at = (size_t)t * m->pixels;
    TPP_TRY(tpp_session_take(s, &r));
    memcpy(m->mask + at, r.mask, m->pixels);
    memcpy(m->logits + at, r.logits, m->pixels * sizeof(*m->logits));
    m->best[t] = r.best;
    return TPP_OK;
}

static tpp_status run_frames(tpp_gate_masks *m, tpp_session *s, const tpp_golden *g)
{
    float *image = NULL;
    tpp_status status = TPP_OK;
    int pushed = 0;
    TPP_NEW(image, m->pixels * RGB);
    for (int taken = 0; taken < m->frames; taken++) {
        for (; pushed < m->frames && pushed - taken < tpp_session_depth(s); pushed++) {
            tpp_golden_image(image, g, pushed);
            TPP_TRY_OR(done, status, tpp_session_push(s, image));
        }
        if (pushed == m->frames) TPP_TRY_OR(done, status, tpp_session_flush(s));
        TPP_TRY_OR(done, status, take_frame(m, s, taken));
    }
done:
    tpp_free(image);
    return status;
}

/* The inputs of golden files: an ellipse that moves over noise, and words at random. */
static void make_inputs(tpp_golden *g, const tpp_gate_subject *subject)
{
    *g = (tpp_golden){.config = *subject->config,
                      .height = TPP_GATE_HEIGHT,
                      .width = TPP_GATE_WIDTH,
                      .frames = TPP_GATE_FRAMES,
                      .seed = 1,
                      .target = {0.45, 0.5, 0.4, 0.5},
                      .invalid_frame = -1,
                      .n_prompts = subject->prompts};
    g->config.infer.min_score = 0; /* an empty mask would say nothing */
    for (int i = 0; i < g->n_prompts; i++) g->length[i] = subject->tokens;
}

static tpp_status open_session(tpp_session **out, const tpp_golden *g, tpp_store *store,
                               const tpp_gate_subject *subject)
{
    const tpp_session_options options = {.height = g->height,
                                         .width = g->width,
                                         .channels = RGB,
                                         .ahead = subject->ahead,
                                         .clip = tpp_model_config_clip(&g->config, g->frames),
                                         .normalized = true,
                                         .probabilities = true,
                                         .algorithm = subject->algorithm};
    int32_t *ids = NULL;
    tpp_prompt prompts[TPP_GOLDEN_MAX_PROMPTS];
    TPP_NEW(ids, (size_t)g->n_prompts * TPP_GOLDEN_MAX_TOKENS);
    for (int i = 0; i < g->n_prompts; i++) {
        int32_t *own = ids + (ptrdiff_t)i * TPP_GOLDEN_MAX_TOKENS;
        tpp_golden_prompt(own, g, i);
        prompts[i] = (tpp_prompt){own, g->length[i]};
    }
    const tpp_status s = tpp_session_open(out, &g->config, store, prompts, g->n_prompts, &options);
    tpp_free(ids);
    return s;
}

tpp_status tpp_gate_masks_make(tpp_gate_masks *out, tpp_device *device,
                               const tpp_gate_subject *subject)
{
    const size_t pixels = (size_t)TPP_GATE_HEIGHT * TPP_GATE_WIDTH;
    tpp_golden g;
    tpp_store *store = NULL;
    tpp_session *session = NULL;
    tpp_gate_masks m = {0};
    tpp_status s = TPP_OK;
    if (subject->prompts < 1 || subject->prompts > TPP_GOLDEN_MAX_PROMPTS || subject->tokens < 2 ||
        subject->tokens > TPP_GOLDEN_MAX_TOKENS)
        return TPP_FAIL(TPP_EUSAGE, "%d prompts of %d tokens cannot be checked", subject->prompts,
                        subject->tokens);
    make_inputs(&g, subject);
    TPP_TRY_OR(done, s, tpp_store_open(&store, device, tpp_synth_source, &g.seed));
    TPP_TRY_OR(done, s, open_session(&session, &g, store, subject));
    TPP_TRY_OR(done, s, make_room(&m, g.frames, pixels));
    TPP_TRY_OR(done, s, run_frames(&m, session, &g));
    *out = m;
    m = (tpp_gate_masks){0};
done:
    tpp_gate_masks_free(&m);
    tpp_session_close(session);
    tpp_store_close(store);
    return s;
}

/* ---- comparison ---- */

/* Two empty masks agree. */
static double dice_of(int64_t both, int64_t got, int64_t want)
{
    return got + want > 0 ? 2.0 * (double)both / (double)(got + want) : 1.0;
}

static double mask_dice(const uint8_t *got, const uint8_t *want, size_t n)
{
    int64_t both = 0, in_got = 0, in_want = 0;
    for (size_t i = 0; i < n; i++) {
        both += got[i] && want[i];
        in_got += got[i] != 0;
        in_want += want[i] != 0;
    }
    return dice_of(both, in_got, in_want);
}

static double logit_error(const float *got, const float *want, size_t n)
{
    double largest = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = fabs((double)got[i] - (double)want[i]);
        if (!isfinite(difference)) return INFINITY;
        if (difference > error) error = difference;
        if (fabs((double)want[i]) > largest) largest = fabs((double)want[i]);
    }
    return largest > 0 ? error / largest : error;
}

static void judge(tpp_gate *g)
{
    const double limit = tpp_golden_tolerance("frame.mask");
    g->passed = g->why[0] == '\0' && g->dice >= TPP_GATE_DICE && g->logit_error <= limit;
    if (g->passed || g->why[0] != '\0') return;
    (void)snprintf(g->why, sizeof(g->why),
                   "masks differ: Dice %.6f (at least %g), logits off by %.3g of the largest (at "
                   "most %g)",
                   g->dice, TPP_GATE_DICE, g->logit_error, limit);
}

/* Frame t of both, into the worst so far. */
static void compare_frame(tpp_gate *g, const tpp_gate_masks *got, const tpp_gate_masks *want, int t)
{
    const size_t at = (size_t)t * want->pixels;
    const double dice = mask_dice(got->mask + at, want->mask + at, want->pixels);
    const double error = logit_error(got->logits + at, want->logits + at, want->pixels);
    if (dice < g->dice) g->dice = dice;
    if (error > g->logit_error) g->logit_error = error;
    if (got->best[t] != want->best[t] && g->why[0] == '\0')
        (void)snprintf(g->why, sizeof(g->why), "frame %d: query %d was chosen, wanted %d", t + 1,
                       got->best[t], want->best[t]);
}

void tpp_gate_compare(tpp_gate *out, const tpp_gate_masks *got, const tpp_gate_masks *want)
{
    const bool fit = got->frames == want->frames && got->pixels == want->pixels;
    out->dice = fit ? 1 : 0;
    out->logit_error = fit ? 0 : INFINITY;
    out->why[0] = '\0';
    for (int t = 0; fit && t < want->frames; t++) compare_frame(out, got, want, t);
    judge(out);
}

/* ---- golden files ---- */

typedef struct golden_run {
    tpp_golden_report report;
    double threshold; /* of logits */
    double dice;
} golden_run;

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The masks of all queries at the places that the file holds. */
static double golden_dice(const tpp_expected *want, const tpp_traced *got, double threshold)
{
    int64_t both = 0, in_got = 0, in_want = 0;
    for (int64_t i = 0; i < want->count; i++) {
        const bool g = got->values[i * want->step] > threshold, w = want->values[i] > threshold;
        both += g && w;
        in_got += g;
        in_want += w;
    }
    return dice_of(both, in_got, in_want);
}

static tpp_status golden_sink(void *context, const tpp_traced *t)
{
    golden_run *run = context;
    const tpp_golden *g = run->report.golden;
    const tpp_table_entry *e = tpp_table_find(&g->index, t->name);
    if (e != NULL && ends_with(t->name, ".mask")) {
        const tpp_expected *want = &g->items[e->value.number];
        const int64_t n = tpp_shape_count(&t->shape);
        const bool fits = want->count > 0 && (want->count - 1) * want->step < n;
        const double dice = fits ? golden_dice(want, t, run->threshold) : 0;
        if (dice < run->dice) run->dice = dice;
    }
    return tpp_golden_sink(&run->report, t);
}

static void tell_golden(tpp_gate *out, const golden_run *run)
{
    const tpp_golden_report *r = &run->report;
    out->dice = run->dice;
    out->logit_error = 0;
    out->why[0] = '\0';
    for (size_t i = 0; i < r->golden->count; i++)
        if (ends_with(r->rows[i].name, ".mask") && r->rows[i].error > out->logit_error)
            out->logit_error = r->rows[i].error;
    if (r->failed > 0) /* they stand first */
        (void)snprintf(out->why, sizeof(out->why), "%d of %d tensors are off, first %s: %s",
                       r->failed, r->passed + r->failed, r->rows[0].name, r->rows[0].why);
    judge(out);
}

static tpp_status judge_golden(tpp_gate *out, const tpp_golden *g, tpp_device *device,
                               const char *algorithm)
{
    const double t = g->config.infer.threshold;
    golden_run run = {.threshold = log(t / (1 - t)), .dice = 1};
    TPP_TRY(tpp_golden_report_init(&run.report, g));
    const tpp_status s = tpp_golden_run(g, device, algorithm, golden_sink, &run);
    if (s == TPP_OK) {
        tpp_golden_report_finish(&run.report);
        tell_golden(out, &run);
    }
    tpp_golden_report_free(&run.report);
    return s;
}

/* ---- a device's gates ---- */

typedef struct judged {
    tpp_gate_subject subject;
    tpp_gate gate;
} judged;

typedef struct plain_masks {
    tpp_gate_subject subject;
    tpp_gate_masks masks;
} plain_masks;

typedef struct golden_file {
    const char *name; /* without its folder; borrowed */
    tpp_golden golden;
} golden_file;

struct tpp_gates {
    tpp_device *device;
    golden_file *golden;
    int n_goldens;
    judged *judged;
    int n_judged, judged_capacity;
    plain_masks *plain;
    int n_plain, plain_capacity;
};

static tpp_status read_goldens(tpp_gates *g, const char *const *paths, int n)
{
    TPP_NEW(g->golden, n);
    for (; g->n_goldens < n; g->n_goldens++) {
        golden_file *f = &g->golden[g->n_goldens];
        TPP_TRY(tpp_golden_read(&f->golden, paths[g->n_goldens]));
        f->name = tpp_path_base(paths[g->n_goldens]);
        if (f->golden.text_only) {
            tpp_golden_free(&f->golden);
            return TPP_FAIL(TPP_EUSAGE, "%s: a text encoder's numbers, there are no masks in them",
                            paths[g->n_goldens]);
        }
    }
    return TPP_OK;
}

tpp_status tpp_gates_open(tpp_gates **out, tpp_device *device, const char *const *golden_paths,
                          int n_goldens)
{
    tpp_gates *g = NULL;
    TPP_NEW(g, 1);
    g->device = device;
    const tpp_status s = read_goldens(g, golden_paths, n_goldens);
    if (s == TPP_OK)
        *out = g;
    else
        tpp_gates_close(g);
    return s;
}

void tpp_gates_close(tpp_gates *g)
{
    if (g == NULL) return;
    for (int i = 0; i < g->n_goldens; i++) tpp_golden_free(&g->golden[i].golden);
    for (int i = 0; i < g->n_plain; i++) tpp_gate_masks_free(&g->plain[i].masks);
    tpp_free(g->golden);
    tpp_free(g->plain);
    tpp_free(g->judged);
    tpp_free(g);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_model(const tpp_gate_subject *a, const tpp_gate_subject *b)
{
    return a->config == b->config && a->prompts == b->prompts && a->tokens == b->tokens;
}

static tpp_status find_plain(tpp_gates *g, const tpp_gate_subject *subject,
                             const tpp_gate_masks **out)
{
    int i = 0;
    while (i < g->n_plain && !same_model(&g->plain[i].subject, subject)) i++;
    if (i == g->n_plain) {
        plain_masks p = {.subject = *subject};
        p.subject.algorithm = "plain";
        p.subject.ahead = 1;
        TPP_TRY(tpp_grow(&g->plain, g->n_plain, &g->plain_capacity, sizeof(*g->plain)));
        TPP_TRY(tpp_gate_masks_make(&p.masks, g->device, &p.subject));
        g->plain[g->n_plain++] = p;
    }
    *out = &g->plain[i].masks;
    return TPP_OK;
}

static tpp_status judge_plain(tpp_gates *g, const tpp_gate_subject *subject, tpp_gate *out)
{
    const tpp_gate_masks *want = NULL;
    tpp_gate_masks got = {0};
    TPP_TRY(find_plain(g, subject, &want));
    TPP_TRY(tpp_gate_masks_make(&got, g->device, subject));
    tpp_gate_compare(out, &got, want);
    tpp_gate_masks_free(&got);
    return TPP_OK;
}

static const golden_file *golden_for(const tpp_gates *g, const struct tpp_model_config *config)
{
    for (int i = 0; i < g->n_goldens; i++) {
        const struct tpp_model_config *own = &g->golden[i].golden.config;
        if (own->backbone.name == config->backbone.name && own->mode == config->mode)
            return &g->golden[i];
    }
    return NULL;
}

tpp_status tpp_gates_judge(tpp_gates *g, const tpp_gate_subject *subject, tpp_gate *out)
{
    const golden_file *golden = golden_for(g, subject->config);
    judged new = {.subject = *subject};
    for (int i = 0; i < g->n_judged; i++)
        if (same_model(&g->judged[i].subject, subject) &&
            g->judged[i].subject.ahead == subject->ahead &&
            same_text(g->judged[i].subject.algorithm, subject->algorithm)) {
            *out = g->judged[i].gate;
            return TPP_OK;
        }
    TPP_TRY(tpp_grow(&g->judged, g->n_judged, &g->judged_capacity, sizeof(*g->judged)));
    (void)snprintf(new.gate.against, sizeof(new.gate.against), "%s",
                   golden != NULL ? golden->name : "plain");
    TPP_TRY(golden != NULL ? judge_golden(&new.gate, &golden->golden, g->device, subject->algorithm)
                           : judge_plain(g, subject, &new.gate));
    g->judged[g->n_judged++] = new;
    *out = new.gate;
    return TPP_OK;
}
