/* Are the masks right? A time counts only if the same algorithms, on the same device, give the
 * masks of the safest ones (`plain`), or of a golden file. SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_BENCH_GATE_H
#define TPP_INFER_BENCH_GATE_H

#include "infer/golden.h"

#include <stdbool.h>
#include <stdint.h>

#define TPP_GATE_DICE 0.999

typedef struct tpp_gate {
    bool passed;
    double dice;        /* the lowest of a frame */
    double logit_error; /* the largest of a frame: |got - want| over the largest magnitude */
    char against[256];  /* "plain", or the golden file's name */
    char why[256];      /* of a failure */
} tpp_gate;

/* ---- masks against masks ---- */

/* What a model says of frames: zero-initialise, free in any state. */
typedef struct tpp_gate_masks {
    int frames;
    size_t pixels; /* of a frame */
    uint8_t *mask; /* [frames, pixels] 0 or 1 */
    float *logits; /* [frames, pixels] */
    int *best;     /* [frames] chosen queries */
} tpp_gate_masks;
void tpp_gate_masks_free(tpp_gate_masks *m);

/* The rows' form of a model, in small. */
typedef struct tpp_gate_subject {
    const struct tpp_model_config *config;
    int prompts, tokens, ahead;
    const char *algorithm; /* NULL: the registry's choice */
} tpp_gate_subject;

/* Runs synthetic frames of TPP_GATE_HEIGHT x TPP_GATE_WIDTH with synthetic weights. */
enum { TPP_GATE_HEIGHT = 64, TPP_GATE_WIDTH = 96, TPP_GATE_FRAMES = 3 };
TPP_MUST_CHECK tpp_status tpp_gate_masks_make(tpp_gate_masks *out, tpp_device *device,
                                              const tpp_gate_subject *subject);

/* Sets all but `against`. What is not finite has an infinite error. */
void tpp_gate_compare(tpp_gate *out, const tpp_gate_masks *got, const tpp_gate_masks *want);

/* ---- a device's gates, each judged once ---- */

typedef struct tpp_gates tpp_gates;

/* Golden files stand for configurations of their backbone and mode. Keeps `device`, and the
 * configurations of subjects until close. */
TPP_MUST_CHECK tpp_status tpp_gates_open(tpp_gates **out, tpp_device *device,
                                         const char *const *golden_paths, int n_goldens);
void tpp_gates_close(tpp_gates *g);

/* Fails when a model cannot be run at all; masks that are wrong are *out's to tell. */
TPP_MUST_CHECK tpp_status tpp_gates_judge(tpp_gates *g, const tpp_gate_subject *subject,
                                          tpp_gate *out);

#endif
