/* The process that candidates run in: checks and times what it is asked to.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/mem.h"
#include "infer/tune_internal.h"
#include "ops/sample.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* A sample and what it was made from. */
typedef struct call_data {
    const tpp_op *op;
    unsigned char attr[TPP_MAX_ATTR_BYTES];
    tpp_shape in[TPP_MAX_IN];
    tpp_sample sample;
    double flops;
} call_data;

typedef struct slot {
    tpp_sample_run run;
    int repeats; /* runs of one timing */
} slot;

enum { SMALL = 2 };

typedef struct server {
    const tpp_tune_extra *extra;
    tpp_device *device;
    call_data full, small[SMALL];
    int n_small;
    slot slot[TPP_TUNE_MAX_CANDIDATES];
    double first_ms; /* of slot 0 on the first small call; 0: not known */
    char answer[TPP_TUNE_LINE];
} server;

static const double timing_ms = 5;           /* one timing takes at least so long */
static const double cheap_flops = 0.2e9;     /* `plain` may run the whole call */
static const double much_slower = 8;         /* than the default, on the small call */
static const double costly_to_time_ms = 250; /* expected of the whole call */

static void close_calls(server *v)
{
    for (int i = 0; i < TPP_TUNE_MAX_CANDIDATES; i++)
        if (v->slot[i].run.sample != NULL) tpp_sample_run_close(&v->slot[i].run);
    tpp_sample_close(&v->full.sample);
    for (int i = 0; i < SMALL; i++) tpp_sample_close(&v->small[i].sample);
    v->n_small = 0;
    v->first_ms = 0;
}

/* ---- call ---- */

static tpp_status give_input(void *context, int i, double **out)
{
    const call_data *c = context;
    return tpp_tune_input(c->op, c->attr, c->in, i, out);
}

static tpp_status open_call(server *v, call_data *c)
{
    c->flops = tpp_tune_flops(c->op, c->attr, c->in);
    return tpp_sample_open(&c->sample, v->device, c->op, c->attr, c->in, give_input, c);
}

/* The results of `plain` are what the others are held to. */
static tpp_status expect_plain(server *v, call_data *c)
{
    const tpp_algorithm *plain = tpp_op_algorithm(c->op, "plain");
    const tpp_caps *caps = tpp_device_caps(v->device);
    const tpp_params params = tpp_default_params(plain, &c->sample.call, caps);
    tpp_sample_run run = {0};
    tpp_check check = {.tolerance = 0};
    TPP_TRY(tpp_sample_record(&run, &c->sample, plain, &params));
    const tpp_status s = tpp_sample_check(&run, &check);
    tpp_sample_run_close(&run);
    if (s == TPP_OK && !check.passed)
        return TPP_FAIL(TPP_EOPENCL, "`plain` itself is wrong: %s", check.why);
    return s;
}

static tpp_status open_calls(server *v)
{
    TPP_TRY(open_call(v, &v->full));
    for (int i = 0; i < SMALL && v->full.flops > cheap_flops; i++) {
        call_data *c = &v->small[v->n_small];
        c->op = v->full.op;
        memcpy(c->attr, v->full.attr, sizeof(c->attr));
        memcpy(c->in, v->full.in, sizeof(c->in));
        if (!tpp_tune_shrink(c->op, c->attr, c->in, i)) break;
        v->n_small++;
        TPP_TRY(open_call(v, c));
        TPP_TRY(expect_plain(v, c));
    }
    return v->n_small == 0 ? expect_plain(v, &v->full) : TPP_OK;
}

/* The next number of a request; false: there is none. */
static bool next_number(int *out, char **rest)
{
    const char *text = strtok_r(NULL, " ", rest);
    char *end = NULL;
    const long v = text != NULL ? strtol(text, &end, 10) : 0;
    if (text == NULL || end == text || *end != '\0' || v < 0 || v > 1000000) return false;
    *out = (int)v;
    return true;
}

static bool next_slot(int *out, char **rest)
{
    return next_number(out, rest) && *out < TPP_TUNE_MAX_CANDIDATES;
}

static bool read_attr(call_data *c, const char *text)
{
    const size_t n = c->op->attr_size;
    memset(c->attr, 0, sizeof(c->attr));
    if (n > sizeof(c->attr) || strlen(text) != 2 * n) return n == 0 && strcmp(text, "-") == 0;
    for (size_t i = 0; i < n; i++) {
        const char byte[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end = NULL;
        c->attr[i] = (unsigned char)strtoul(byte, &end, 16);
        if (end != byte + 2) return false;
    }
    return true;
}

static bool read_shape(tpp_shape *s, const char *text)
{
    *s = (tpp_shape){0};
    if (strcmp(text, "-") == 0) return true;
    for (char *end = NULL; s->rank < TPP_MAX_RANK; text = end + 1) {
        s->d[s->rank++] = strtoll(text, &end, 10);
        if (end == text || s->d[s->rank - 1] < 0) return false;
        if (*end != ',') return *end == '\0';
    }
    return false;
}

/* ATTR IN0 .. IN7, after the op's name. */
static bool read_call(call_data *c, char **rest)
{
    const char *attr = strtok_r(NULL, " ", rest);
    if (attr == NULL || !read_attr(c, attr)) return false;
    for (int i = 0; i < TPP_MAX_IN; i++) {
        const char *shape = strtok_r(NULL, " ", rest);
        if (shape == NULL || !read_shape(&c->in[i], shape)) return false;
    }
    return tpp_tune_can_sample(c->op, c->in);
}

static tpp_status do_call(server *v, char **rest)
{
    const char *name = strtok_r(NULL, " ", rest);
    close_calls(v);
    v->full.op = name != NULL ? tpp_op_find(name) : NULL;
    if (v->device == NULL || v->full.op == NULL || !read_call(&v->full, rest))
        return TPP_FAIL(TPP_EINTERNAL, "no call that can be measured");
    const tpp_status s = open_calls(v);
    if (s != TPP_OK)
        close_calls(v);
    else
        (void)snprintf(v->answer, sizeof(v->answer), "ok");
    return s;
}

/* ---- try, time ---- */

static const tpp_algorithm *find_algorithm(const server *v, const char *name)
{
    for (const tpp_tune_extra *e = v->extra; e != NULL && e->op != NULL; e++)
        if (e->op == v->full.op && strcmp(e->algorithm->name, name) == 0) return e->algorithm;
    return tpp_op_algorithm(v->full.op, name);
}

/* Is the candidate right on a small call? *ms: of one run there. */
static tpp_status check_small(call_data *c, const tpp_algorithm *a, const tpp_params *params,
                              tpp_check *check, double *ms)
{
    tpp_sample_run run = {0};
    TPP_TRY(tpp_sample_record(&run, &c->sample, a, params));
    tpp_status s = tpp_sample_check(&run, check);
    if (s == TPP_OK && check->passed) s = tpp_sample_time(&run, 1, ms);
    tpp_sample_run_close(&run);
    return s;
}

/* Sets the answer when the small calls have decided. */
static tpp_status try_small(server *v, int at, const tpp_algorithm *a, const tpp_params *params,
                            bool *decided)
{
    double ms[SMALL] = {0};
    bool is_judged = false;
    for (int i = 0; i < v->n_small; i++) {
        tpp_check check = {.tolerance = tpp_tune_tolerance(v->full.op)};
        call_data *c = &v->small[i];
        if (!tpp_algorithm_takes(c->op, a, &c->sample.call, tpp_device_caps(v->device))) continue;
        TPP_TRY(check_small(c, a, params, &check, &ms[i]));
        is_judged = true;
        if (check.passed) continue;
        (void)snprintf(v->answer, sizeof(v->answer), "wrong unlike plain: %s", check.why);
        *decided = true;
        return TPP_OK;
    }
    /* One that takes no small call is held to another that `plain` has passed, or to `plain`. */
    if (!is_judged && v->full.sample.want[0] == NULL) TPP_TRY(expect_plain(v, &v->full));
    if (at == 0) v->first_ms = ms[0];
    const double whole = v->n_small > 0 ? ms[0] / v->small[0].flops * v->full.flops : 0;
    *decided = tpp_device_caps(v->device)->is_cpu && v->first_ms > 0 &&
               ms[0] > much_slower * v->first_ms && whole > costly_to_time_ms;
    if (*decided) (void)snprintf(v->answer, sizeof(v->answer), "slow %.6f", whole);
    return TPP_OK;
}

static tpp_status try_full(server *v, slot *k, const tpp_algorithm *a, const tpp_params *params)
{
    double ms = 0;
    tpp_check check = {.tolerance = tpp_tune_tolerance(v->full.op)};
    const bool by_plain = v->n_small == 0;
    TPP_TRY(tpp_sample_record(&k->run, &v->full.sample, a, params));
    tpp_status s = tpp_sample_check(&k->run, &check);
    if (s == TPP_OK && check.passed) s = tpp_sample_time(&k->run, 1, &ms);
    if (s == TPP_OK && check.passed) {
        k->repeats = ms > timing_ms ? 1 : ms > timing_ms / 200 ? (int)ceil(timing_ms / ms) : 200;
        (void)snprintf(v->answer, sizeof(v->answer), "right %.6f", ms);
        return TPP_OK;
    }
    tpp_sample_run_close(&k->run);
    (void)snprintf(v->answer, sizeof(v->answer), "wrong unlike %s: %s",
                   by_plain ? "plain" : "the first candidate, at full size", check.why);
    return s;
}

/* Results of a first candidate that plain confirmed on small calls are wanted of the others on the
 * whole call (tpp_sample_check keeps them). */
static tpp_status do_try(server *v, char **rest)
{
    tpp_params params = {{0}};
    int i = 0;
    bool decided = false, whole = v->full.op != NULL && next_slot(&i, rest);
    const char *name = whole ? strtok_r(NULL, " ", rest) : NULL;
    for (int k = 0; k < TPP_MAX_PARAMS; k++) whole = whole && next_number(&params.n[k], rest);
    if (!whole || name == NULL) return TPP_FAIL(TPP_EINTERNAL, "no candidate");
    const tpp_algorithm *a = find_algorithm(v, name);
    if (a == NULL) return TPP_FAIL(TPP_EINTERNAL, "no algorithm %s", name);
    slot *k = &v->slot[i];
    if (k->run.sample != NULL) tpp_sample_run_close(&k->run);
    TPP_TRY(try_small(v, i, a, &params, &decided));
    return decided ? TPP_OK : try_full(v, k, a, &params);
}

static tpp_status do_time(server *v, char **rest)
{
    int i = 0;
    double ms = 0;
    if (!next_slot(&i, rest) || v->slot[i].run.sample == NULL)
        return TPP_FAIL(TPP_EINTERNAL, "nothing is recorded there");
    TPP_TRY(tpp_sample_time(&v->slot[i].run, v->slot[i].repeats, &ms));
    (void)snprintf(v->answer, sizeof(v->answer), "ms %.6f", ms);
    return TPP_OK;
}

/* ---- the loop ---- */

/* A driver may handle crashes and go on (PoCL does, after SIGSEGV): here they are the end. */
static void let_crashes_end(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGABRT};
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaction(signals[i], &standard, NULL);
}

static tpp_status do_device(server *v, char **rest)
{
    const char *spec = *rest;
    if (v->device != NULL) return TPP_FAIL(TPP_EINTERNAL, "a second device");
    TPP_TRY(tpp_device_open(&v->device, strcmp(spec, "-") == 0 ? NULL : spec));
    let_crashes_end();
    (void)snprintf(v->answer, sizeof(v->answer), "ok");
    return TPP_OK;
}

static void handle(server *v, char *line)
{
    char *rest = NULL;
    const char *verb = strtok_r(line, " ", &rest);
    tpp_status s;
    if (verb == NULL)
        s = TPP_FAIL(TPP_EINTERNAL, "an empty request");
    else if (strcmp(verb, "device") == 0)
        s = do_device(v, &rest);
    else if (strcmp(verb, "call") == 0)
        s = do_call(v, &rest);
    else if (strcmp(verb, "try") == 0)
        s = do_try(v, &rest);
    else if (strcmp(verb, "time") == 0)
        s = do_time(v, &rest);
    else
        s = TPP_FAIL(TPP_EINTERNAL, "an unknown request");
    if (s != TPP_OK) (void)snprintf(v->answer, sizeof(v->answer), "wrong %s", tpp_error());
    for (char *c = v->answer; *c != '\0'; c++)
        if (*c == '\n') *c = ' ';
}

/* Where answers go; what a driver prints goes to standard error from now on. */
static FILE *take_output(void)
{
    const int fd = dup(STDOUT_FILENO);
    if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return NULL;
    return fdopen(fd, "w");
}

int tpp_tune_serve(const tpp_tune_extra *extra)
{
    server *v = NULL;
    char line[TPP_TUNE_LINE];
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a candidate that hangs would outlive its parent */
#endif
    FILE *answers = take_output();
    v = tpp_calloc(1, sizeof(*v));
    if (answers == NULL || v == NULL) return 1;
    v->extra = extra;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        handle(v, line);
        if (fprintf(answers, "%s\n", v->answer) < 0 || fflush(answers) != 0) break;
    }
    close_calls(v);
    tpp_device_close(v->device);
    tpp_free(v);
    (void)fclose(answers);
    return 0;
}
