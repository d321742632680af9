/* Walks the registry with the ops' own check.
 * SPDX-License-Identifier: MIT */
#include "infer/selftest.h"

#include "core/clock.h"
#include "core/str.h"
#include "ops/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct walk {
    tpp_device *device;
    tpp_selftest_sink *sink;
    void *context;
    const tpp_selftest_choice *choice;
    double end; /* by the clock; 0: never */
    tpp_selftest_passed_over *over;
} walk;

/* False: the device does not take it. */
static bool run_as(walk *w, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c,
                   unsigned halves)
{
    tpp_check check;
    const tpp_check_how how = {.halves = halves};
    tpp_selftest_case result = {.op = op->name, .name = c->name, .algorithm = a->name};
    if (tpp_check_as(&check, w->device, op, c, a, &how) != TPP_OK) {
        result.error = INFINITY;
        result.why = tpp_error();
    } else if (!check.supported) {
        return false;
    } else {
        result.passed = check.passed;
        result.error = check.error;
        result.tolerance = check.tolerance;
        result.why = check.why;
    }
    w->sink(w->context, &result);
    return true;
}

static void run_half(walk *w, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c)
{
    char name[96];
    tpp_case half = *c;
    (void)snprintf(name, sizeof(name), "%s half", c->name);
    half.name = name;
    if (half.tolerance < TPP_HALF_TOLERANCE) half.tolerance = TPP_HALF_TOLERANCE;
    w->over->halves += run_as(w, op, a, &half, a->halves);
}

static void run_cases(walk *w, const tpp_op *op, const tpp_algorithm *a)
{
    int n = 0;
    for (const tpp_case *c = op->cases; c->name != NULL; c++) {
        if (w->choice->most > 0 && n == w->choice->most) return;
        if (w->end > 0 && tpp_clock_seconds() > w->end) {
            w->over->left_out++;
        } else if (run_as(w, op, a, c, 0)) {
            n++;
            if (a->halves != 0) run_half(w, op, a, c);
        } else {
            w->over->unsupported++;
        }
    }
}

/* Adds the names of an op's algorithms that the list lacks. */
static bool add_names(tpp_str *list, const tpp_op *op, const char *name)
{
    bool found = false;
    for (const tpp_algorithm *a = op->algorithms; a->name != NULL; a++) {
        char word[40];
        found = found || strcmp(a->name, name) == 0;
        (void)snprintf(word, sizeof(word), " %s,", a->name);
        if (list->text == NULL || strstr(list->text, word) == NULL)
            tpp_str_format(list, "%s", word);
    }
    return found;
}

tpp_status tpp_algorithm_check(const char *name)
{
    tpp_str list = {0};
    bool found = name == NULL;
    for (const tpp_op *const *op = tpp_ops; !found && *op != NULL; op++)
        found = add_names(&list, *op, name);
    tpp_status s = TPP_OK;
    if (!found)
        s = TPP_FAIL(TPP_EUSAGE, "no op has an algorithm called %.60s; there are%.*s", name,
                     list.length > 0 ? (int)list.length - 1 : 0,
                     list.text == NULL ? "" : list.text);
    tpp_str_free(&list);
    return s;
}

/* Has an op before `op`, or an earlier row of it, an algorithm of that name? */
static bool is_repeated(const tpp_op *const *op, const tpp_algorithm *row)
{
    for (const tpp_op *const *o = tpp_ops; o <= op; o++)
        for (const tpp_algorithm *a = (*o)->algorithms; a->name != NULL && a != row; a++)
            if (strcmp(a->name, row->name) == 0) return true;
    return false;
}

const char *tpp_algorithm_name(int i)
{
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_algorithm *a = (*op)->algorithms; a->name != NULL; a++)
            if (!is_repeated(op, a) && i-- == 0) return a->name;
    return NULL;
}

tpp_status tpp_selftest_ops(tpp_device *device, const tpp_selftest_choice *choice,
                            tpp_selftest_sink *sink, void *context, tpp_selftest_passed_over *over)
{
    const double end = choice->limit_s > 0 ? tpp_clock_seconds() + choice->limit_s : 0;
    walk w = {device, sink, context, choice, end, over};
    *over = (tpp_selftest_passed_over){0};
    TPP_TRY(tpp_algorithm_check(choice->algorithm));
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_algorithm *a = (*op)->algorithms; a->name != NULL; a++)
            if (choice->algorithm == NULL || strcmp(a->name, choice->algorithm) == 0)
                run_cases(&w, *op, a);
    return TPP_OK;
}
