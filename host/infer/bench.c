/* Opens a trial, times it, and fills a row.
 * SPDX-License-Identifier: MIT */
#include "infer/bench.h"

#include "core/mem.h"
#include "infer/samples.h"
#include "infer/selftest.h"
#include "io/hash.h"
#include "ops/tuning.h"

#include <math.h>
#include <string.h>

#define WORD(name, text) text,
const char *tpp_scenario_text(int scenario)
{
    static const char *const words[] = {TPP_SCENARIO_MAP(WORD)};
    return scenario >= 0 && scenario < TPP_SCENARIO_COUNT ? words[scenario] : NULL;
}

static const char *const status_words[] = {TPP_BENCH_STATUS_MAP(WORD)};

/* ---- status ---- */

void tpp_bench_set_status(tpp_bench_row *r, tpp_bench_status status, const char *reason)
{
    TPP_BENCH_SET(r->status, status_words[status]);
    TPP_BENCH_SET(r->reason, reason);
}

tpp_bench_status tpp_bench_status_of(const tpp_bench_row *r)
{
    int s = 0;
    while (s < TPP_BENCH_STATUS_COUNT && strcmp(status_words[s], r->status) != 0) s++;
    return s < TPP_BENCH_STATUS_COUNT ? (tpp_bench_status)s : TPP_BENCH_FAILED;
}

void tpp_bench_give_up(tpp_bench_row *r, tpp_status s, bool ran)
{
    const bool cannot = s == TPP_EUSAGE || s == TPP_EUNSUPPORTED || s == TPP_EDEVMEM ||
                        s == TPP_ESHAPE || s == TPP_EDEVICE;
    tpp_bench_set_status(r, cannot && !ran ? TPP_BENCH_UNSUPPORTED : TPP_BENCH_FAILED, tpp_error());
}

void tpp_bench_set_gate(tpp_bench_row *r, const tpp_gate *gate)
{
    r->gate.dice = gate->dice;
    r->gate.logit_error = gate->logit_error;
    TPP_BENCH_SET(r->gate.against, gate->against);
    if (!gate->passed && tpp_bench_status_of(r) == TPP_BENCH_OK)
        tpp_bench_set_status(r, TPP_BENCH_INVALID, gate->why);
}

/* ---- what is asked for ---- */

const char *tpp_bench_tuning(const tpp_device *d)
{
    const tpp_tuning *t = tpp_device_tuning(d);
    return t != NULL ? tpp_tuning_source(t) : "";
}

static void describe_device(tpp_bench_row *r, const tpp_caps *c)
{
    TPP_BENCH_SET(r->device, c->name);
    TPP_BENCH_SET(r->vendor, c->vendor);
    TPP_BENCH_SET(r->driver, c->driver);
    TPP_BENCH_SET(r->platform, c->platform);
    TPP_BENCH_SET(r->opencl_version, c->version);
    r->compute_units = c->compute_units;
    r->vector_width = c->vector_width;
    r->global_mb = (double)c->global_mem / 1e6;
}

static tpp_status hash_config(tpp_bench_row *r, const struct tpp_model_config *config)
{
    tpp_str text = {0};
    tpp_sha256 hash;
    tpp_status s = tpp_schema_dump(&tpp_model_schema, config, &text);
    if (s == TPP_OK) s = tpp_sha256_bytes(&hash, text.text, text.length);
    tpp_str_free(&text);
    if (s == TPP_OK) TPP_BENCH_SET(r->config_sha256, hash.hex);
    return s;
}

tpp_status tpp_bench_describe(tpp_bench_row *r, const tpp_bench_cell *cell, const tpp_caps *caps)
{
    TPP_TRY(hash_config(r, cell->config));
    TPP_BENCH_SET(r->config, cell->config_name);
    TPP_BENCH_SET(r->weights, "synthetic seed 1");
    TPP_BENCH_SET(r->precision, "float32");
    TPP_BENCH_SET(r->scenario, tpp_scenario_text((int)cell->scenario));
    TPP_BENCH_SET(r->algorithm, cell->algorithm != NULL ? cell->algorithm : "auto");
    TPP_BENCH_SET(r->kernel_cache, cell->empty_cache ? "cold" : "warm");
    if (caps != NULL) describe_device(r, caps);
    r->height = cell->height;
    r->width = cell->width;
    r->frames = cell->frames;
    r->clip = tpp_model_config_clip(cell->config, cell->frames);
    r->prompts = cell->prompts > 0 ? cell->prompts : cell->config->text.num_prompts;
    r->tokens = cell->tokens;
    r->ahead = cell->ahead;
    r->warmup = cell->warmup;
    r->repetitions = cell->repeat;
    return TPP_OK;
}

/* ---- what comes out ---- */

tpp_status tpp_bench_set_samples(tpp_bench_row *r, const double *ms, int count)
{
    tpp_samples_summary sum;
    double *copy = NULL;
    TPP_TRY(tpp_samples_summarise(&sum, ms, count));
    TPP_NEW(copy, count);
    memcpy(copy, ms, (size_t)count * sizeof(*copy));
    tpp_free(r->samples);
    r->samples = copy;
    r->n_samples = count;
    r->ms_median = sum.median;
    r->ms_mean = sum.mean;
    r->ms_stddev = sum.stddev;
    r->ms_min = sum.min;
    r->ms_p90 = sum.p90;
    return TPP_OK;
}

static void set_speed(tpp_bench_row *r, const tpp_session_info *info, const tpp_peaks *peaks)
{
    r->frames_per_second = 1e3 / r->ms_median;
    r->gflop_frame = info->frame_flops / 1e9;
    r->gflops = info->frame_flops / 1e6 / r->ms_median;
    r->peak_gflops = peaks->gflops;
    r->peak_share = r->gflops / peaks->gflops;
    r->copy_gbs = peaks->copy_gbs;
}

static void set_counts(tpp_bench_row *r, const tpp_trial_result *t)
{
    r->frames = t->frames;
    r->first_ms = t->first_ms;
    r->launches = (double)t->launches;
    r->buffers = (double)t->buffers;
    r->allocations = (double)t->allocations;
    r->finishes = (double)t->finishes;
    r->waits = (double)t->waits;
    r->bytes_up = (double)t->bytes_up;
    r->bytes_down = (double)t->bytes_down;
}

static void set_memory(tpp_bench_row *r, const tpp_session_info *info, size_t device_bytes)
{
    r->arena_mb = (double)info->arena_bytes / 1e6;
    r->kept_mb = (double)info->own_bytes / 1e6;
    r->weights_mb = (double)info->store_bytes / 1e6;
    r->staging_mb = (double)info->ring_bytes / 1e6;
    r->device_mb = (double)device_bytes / 1e6;
}

/* ---- stages ---- */

static tpp_status profile_plan(double *total, tpp_plan *p)
{
    double *ms = NULL;
    const int nodes = tpp_plan_nodes(p);
    TPP_NEW(ms, nodes);
    const tpp_status s = tpp_plan_profile(p, ms);
    *total = 0;
    for (int i = 0; s == TPP_OK && i < nodes; i++) *total += ms[i];
    tpp_free(ms);
    return s;
}

/* A graph of a name that comes twice (`next`, one for each number of queries): the last counts. */
static tpp_status set_stages(tpp_bench_row *r, tpp_session *session)
{
#define STAGE_WORD(name) #name,
    static const char *const names[] = {TPP_STAGE_MAP(STAGE_WORD)};
    tpp_plan *p = NULL;
    for (int i = 0; (p = tpp_session_plan_at(session, i, NULL)) != NULL; i++)
        for (int k = 0; k < TPP_STAGE_COUNT; k++)
            if (strcmp(names[k], tpp_plan_name(p)) == 0) TPP_TRY(profile_plan(&r->stage_ms[k], p));
    return TPP_OK;
}

/* ---- a cell ---- */

/* An algorithm that was asked for must run something: else the row is another algorithm's. */
static tpp_status check_algorithm(const tpp_session *session, const char *algorithm)
{
    const tpp_plan *p = NULL;
    int nodes = algorithm == NULL;
    for (int i = 0; (p = tpp_session_plan_at(session, i, NULL)) != NULL && algorithm != NULL; i++)
        nodes += tpp_plan_count(p, algorithm);
    if (nodes > 0) return TPP_OK;
    return TPP_FAIL(TPP_EUNSUPPORTED, "no node of this configuration can run by %s on this device",
                    algorithm);
}

tpp_status tpp_bench_open(tpp_trial *t, const tpp_bench_cell *cell, tpp_device *device)
{
    const tpp_trial_options options = {.height = cell->height,
                                       .width = cell->width,
                                       .prompts = cell->prompts,
                                       .tokens = cell->tokens,
                                       .ahead = cell->ahead,
                                       .frames = cell->frames,
                                       .algorithm = cell->algorithm};
    TPP_TRY(tpp_algorithm_check(cell->algorithm));
    TPP_TRY(tpp_trial_open(t, cell->config, device, &options));
    const tpp_status s = check_algorithm(t->session, cell->algorithm);
    if (s != TPP_OK) tpp_trial_close(t);
    return s;
}

static tpp_status run(tpp_bench_row *r, const tpp_bench_cell *cell, tpp_trial *trial, FILE *profile)
{
    tpp_device *d = tpp_store_device(trial->store);
    const tpp_trial_method method = {.frames = cell->frames,
                                     .warmup = cell->warmup,
                                     .repeat = cell->repeat,
                                     .one_by_one = cell->scenario == TPP_SCENARIO_SINGLE};
    tpp_trial_result result = {0};
    tpp_peaks peaks = {0};
    tpp_status s = TPP_OK;
    TPP_TRY(tpp_device_peaks(d, &peaks));
    TPP_TRY_OR(done, s, tpp_trial_run(trial, &method, &result));
    TPP_TRY_OR(done, s, tpp_device_peaks(d, &peaks));
    TPP_TRY_OR(done, s, tpp_bench_set_samples(r, result.ms, result.count));
    const tpp_session_info info = tpp_session_info_of(trial->session);
    set_speed(r, &info, &peaks);
    set_counts(r, &result);
    set_memory(r, &info, tpp_device_bytes(d));
    TPP_TRY_OR(done, s, set_stages(r, trial->session));
    if (profile != NULL) s = tpp_session_print(trial->session, profile, true, &peaks);
done:
    tpp_trial_result_free(&result);
    return s;
}

tpp_status tpp_bench_measure(tpp_bench_row *r, const tpp_bench_cell *cell, tpp_device *device,
                             FILE *profile)
{
    tpp_trial trial = {0};
    bool ran = false;
    tpp_status s = TPP_OK;
    if (cell->scenario == TPP_SCENARIO_SINGLE && r->clip > 0)
        s = TPP_FAIL(TPP_EUNSUPPORTED, "with mode clip frames come in clips: none of them has a "
                                       "latency of its own");
    if (s == TPP_OK) s = tpp_bench_open(&trial, cell, device);
    if (s == TPP_OK) {
        ran = true;
        s = run(r, cell, &trial, profile);
    }
    if (s == TPP_OK)
        tpp_bench_set_status(r, TPP_BENCH_OK, "");
    else
        tpp_bench_give_up(r, s, ran);
    tpp_trial_close(&trial);
    return s;
}
