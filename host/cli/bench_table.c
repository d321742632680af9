/* The forms of a row.
 * SPDX-License-Identifier: MIT */
#include "cli/bench_table.h"

#include "cli/options.h"
#include "core/path.h"
#include "core/str.h"
#include "infer/json_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"text", "md", "csv", "json", "jsonl"};

const char *tpp_bench_format(int i)
{
    return i >= 0 && i < TPP_COUNT(formats) ? formats[i] : NULL;
}

static bool is(const tpp_bench_table *t, const char *format)
{
    return strcmp(t->format, format) == 0;
}

/* ---- CSV ---- */

void tpp_bench_csv_text(FILE *to, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, to);
        return;
    }
    (void)fputc('"', to);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"') (void)fputc('"', to);
        (void)fputc(*p, to);
    }
    (void)fputc('"', to);
}

static void csv_value(FILE *to, const tpp_bench_row *r, const tpp_bench_field *f)
{
    if (f->kind == TPP_BENCH_TEXT) {
        tpp_bench_csv_text(to, tpp_bench_text_of(r, f));
    } else if (f->kind == TPP_BENCH_SAMPLES) {
        for (int i = 0; i < r->n_samples; i++)
            (void)fprintf(to, "%s%.9g", i > 0 ? ";" : "", r->samples[i]);
    } else {
        const double v = tpp_bench_number_of(r, f);
        if (isfinite(v)) (void)fprintf(to, f->kind == TPP_BENCH_WHOLE ? "%.0f" : "%.9g", v);
    }
}

static void csv_header(FILE *to)
{
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++)
        (void)fprintf(to, "%s%s", f == tpp_bench_fields ? "" : ",", f->name);
    (void)fputc('\n', to);
}

static void csv_row(FILE *to, const tpp_bench_row *r)
{
    for (const tpp_bench_field *f = tpp_bench_fields; f->name != NULL; f++) {
        if (f != tpp_bench_fields) (void)fputc(',', to);
        csv_value(to, r, f);
    }
    (void)fputc('\n', to);
}

/* ---- Markdown ---- */

static void md_header(FILE *to)
{
    (void)fprintf(to,
                  "| config | device | HxW | scenario | algorithm | ahead | cache | ms, median | "
                  "stddev | p90 | frames/s | GFLOP/s | of FMA peak | Dice | logits off | "
                  "status | to base |\n"
                  "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

void tpp_bench_md_text(FILE *to, const char *text)
{
    (void)fputs("| ", to);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '|') (void)fputc('\\', to);
        (void)fputc(*p == '\n' ? ' ' : *p, to);
    }
    (void)fputc(' ', to);
}

static void md_number(FILE *to, const char *format, double v) __attribute__((format(printf, 2, 0)));
static void md_number(FILE *to, const char *format, double v)
{
    char text[64] = "";
    if (isfinite(v)) (void)snprintf(text, sizeof(text), format, v);
    tpp_bench_md_text(to, text);
}

static void md_row(FILE *to, const tpp_bench_row *r)
{
    char text[560];
    tpp_bench_md_text(to, tpp_path_base(r->config));
    tpp_bench_md_text(to, r->device);
    (void)snprintf(text, sizeof(text), "%.0fx%.0f", r->height, r->width);
    tpp_bench_md_text(to, text);
    tpp_bench_md_text(to, r->scenario);
    tpp_bench_md_text(to, r->algorithm);
    md_number(to, "%.0f", r->ahead);
    tpp_bench_md_text(to, r->kernel_cache);
    md_number(to, "%.2f", r->ms_median);
    md_number(to, "%.2f", r->ms_stddev);
    md_number(to, "%.2f", r->ms_p90);
    md_number(to, "%.2f", r->frames_per_second);
    md_number(to, "%.1f", r->gflops);
    md_number(to, "%.1f %%", 100 * r->peak_share);
    md_number(to, "%.5f", r->gate.dice);
    md_number(to, "%.1e", r->gate.logit_error);
    (void)snprintf(text, sizeof(text), "%s%s%.500s", r->status, r->reason[0] != '\0' ? ": " : "",
                   r->reason);
    tpp_bench_md_text(to, text);
    (void)snprintf(text, sizeof(text), "%s", r->compare.verdict);
    if (isfinite(r->compare.ratio))
        (void)snprintf(text, sizeof(text), "%s (%.3f +- %.3f)", r->compare.verdict,
                       r->compare.ratio, r->compare.margin);
    tpp_bench_md_text(to, text);
    (void)fputs("|\n", to);
}

/* ---- text ---- */

static void text_subject(FILE *to, const tpp_bench_row *r)
{
    char together[32];
    (void)snprintf(together, sizeof(together), r->clip > 0 ? "clips of %.0f" : "%.0f ahead",
                   r->clip > 0 ? r->clip : r->ahead);
    (void)fprintf(to, "device          %s, %s, driver %s\n", r->device, r->platform, r->driver);
    (void)fprintf(to, "                %.0f compute units, vectors of %.0f floats\n",
                  r->compute_units, r->vector_width);
    (void)fprintf(to, "configuration   %s, %.0fx%.0f, %s, algorithm %s\n", r->config, r->height,
                  r->width, together,
                  strcmp(r->algorithm, "auto") == 0 ? "by the registry" : r->algorithm);
    if (r->tuning[0] != '\0') (void)fprintf(to, "tuning          %s\n", r->tuning);
}

static void text_speed(FILE *to, const tpp_bench_row *r)
{
    const char *what = r->clip > 0 ? "frame of a clip" : "frame, t >= 2";
    (void)fprintf(to, "scenario        %s, %.0f frames, %.0f times, text cached\n", r->scenario,
                  r->frames, r->repetitions);
    (void)fprintf(to, "first result    %.1f ms\n", r->first_ms);
    (void)fprintf(to,
                  "%-15s %.1f ms median (least %.1f, p90 %.1f; mean %.1f +- %.1f), %.2f "
                  "frames/s\n",
                  what, r->ms_median, r->ms_min, r->ms_p90, r->ms_mean, r->ms_stddev,
                  r->frames_per_second);
    (void)fprintf(to, "work            %.2f GFLOP a frame, %.1f GFLOP/s\n", r->gflop_frame,
                  r->gflops);
    (void)fprintf(to, "FMA peak        %.1f GFLOP/s, measured in this run\n", r->peak_gflops);
    (void)fprintf(to, "copy peak       %.1f GB/s, measured in this run\n", r->copy_gbs);
    (void)fprintf(to, "share of peak   %.1f %%\n", 100 * r->peak_share);
}

static void text_stages(FILE *to, const tpp_bench_row *r)
{
#define STAGE_WORD(name) #name,
    static const char *const names[] = {TPP_STAGE_MAP(STAGE_WORD)};
    const char *before = "graphs          ";
    for (int k = 0; k < TPP_STAGE_COUNT; k++)
        if (isfinite(r->stage_ms[k])) {
            (void)fprintf(to, "%s%s %.1f", before, names[k], r->stage_ms[k]);
            before = ", ";
        }
    (void)fputs(" ms, each alone\n", to);
}

static void text_counts(FILE *to, const tpp_bench_row *r)
{
    (void)fprintf(to, "arena           %.1f MB; kept %.1f MB, weights %.1f MB, staging %.1f MB\n",
                  r->arena_mb, r->kept_mb, r->weights_mb, r->staging_mb);
    (void)fprintf(to, "between two frames, at most:\n");
    (void)fprintf(to, "  launches          %.0f\n", r->launches);
    (void)fprintf(to, "  buffers made      %.0f\n", r->buffers);
    (void)fprintf(to, "  host allocations  %.0f\n", r->allocations);
    (void)fprintf(to, "  clFinish          %.0f\n", r->finishes);
    (void)fprintf(to, "  waits             %.0f\n", r->waits);
    (void)fprintf(to, "  bytes up          %.0f\n", r->bytes_up);
    (void)fprintf(to, "  bytes down        %.0f\n", r->bytes_down);
}

static void text_belief(FILE *to, const tpp_bench_row *r)
{
    if (isfinite(r->gate.dice))
        (void)fprintf(to, "masks           Dice %.6f, logits off by %.1e of the largest (%s)\n",
                      r->gate.dice, r->gate.logit_error, r->gate.against);
    else
        (void)fprintf(to, "masks           not checked\n");
    if (isfinite(r->compare.ratio))
        (void)fprintf(to, "to the base     %s: %.3f times its speed, %.3f is chance (%.1f ms)\n",
                      r->compare.verdict, r->compare.ratio, r->compare.margin, r->compare.base_ms);
    else if (r->compare.verdict[0] != '\0')
        (void)fprintf(to, "to the base     %s: %s\n", r->compare.verdict, r->compare.reason);
    if (strcmp(r->status, "ok") != 0)
        (void)fprintf(to, "status          %s: %s\n", r->status, r->reason);
}

static void text_row(FILE *to, const tpp_bench_row *r)
{
    text_subject(to, r);
    if (strcmp(r->scenario, "cold") == 0 && r->n_samples > 0)
        (void)fprintf(to,
                      "first mask      %.0f ms median from the start of a process (least %.0f, p90 "
                      "%.0f), kernel cache %s\n",
                      r->ms_median, r->ms_min, r->ms_p90, r->kernel_cache);
    else if (r->n_samples > 0) {
        text_speed(to, r);
        text_stages(to, r);
        text_counts(to, r);
    }
    text_belief(to, r);
}

/* ---- tables ---- */

static tpp_status json_row(const tpp_bench_table *t, const tpp_bench_row *r)
{
    const bool lines = is(t, "jsonl");
    json_t *j = tpp_bench_row_json(r);
    char *text = NULL;
    if (j != NULL)
        text = json_dumps(j, JSON_REAL_PRECISION(9) | (lines ? JSON_COMPACT : JSON_INDENT(2)));
    json_decref(j);
    if (text == NULL) return TPP_FAIL(TPP_ENOMEM, "memory for the JSON output ran out");
    (void)fprintf(t->to, "%s%s%s", !lines && t->printed > 0 ? ",\n" : "", text, lines ? "\n" : "");
    free(text); /* jansson's */
    return TPP_OK;
}

static bool is_long(const tpp_bench_table *t)
{
    return is(t, "text") && t->expected == 1;
}

void tpp_bench_table_begin(const tpp_bench_table *t)
{
    if (is(t, "csv")) csv_header(t->to);
    if (is(t, "json")) (void)fputs("[\n", t->to);
    if (is(t, "md") || (is(t, "text") && !is_long(t))) md_header(t->to);
}

tpp_status tpp_bench_table_row(tpp_bench_table *t, const tpp_bench_row *r)
{
    tpp_status s = TPP_OK;
    if (is(t, "csv"))
        csv_row(t->to, r);
    else if (is(t, "json") || is(t, "jsonl"))
        s = json_row(t, r);
    else if (is_long(t))
        text_row(t->to, r);
    else
        md_row(t->to, r);
    t->printed++;
    (void)fflush(t->to);
    return s;
}

void tpp_bench_table_end(const tpp_bench_table *t)
{
    if (is(t, "json")) (void)fputs("\n]\n", t->to);
}
