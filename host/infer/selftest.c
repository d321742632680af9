/* Walks the registry with the ops' own check.
 * SPDX-License-Identifier: MIT */
#include "infer/selftest.h"

#include "core/str.h"
#include "ops/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct walk {
    tpp_device *device;
    tpp_selftest_sink *sink;
    void *context;
    int unsupported;
} walk;

static void run_case(walk *w, const tpp_op *op, const tpp_algorithm *a, const tpp_case *c)
{
    tpp_check check;
    tpp_selftest_case result = {.op = op->name, .name = c->name, .algorithm = a->name};
    if (tpp_check_run(&check, w->device, op, c, a, 0) != TPP_OK) {
        result.error = INFINITY;
        result.why = tpp_error();
    } else if (!check.supported) {
        w->unsupported++;
        return;
    } else {
        result.passed = check.passed;
        result.error = check.error;
        result.tolerance = check.tolerance;
        result.why = check.why;
    }
    w->sink(w->context, &result);
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

tpp_status tpp_selftest_ops(tpp_device *device, const char *algorithm, tpp_selftest_sink *sink,
                            void *context, int *unsupported)
{
    walk w = {device, sink, context, 0};
    TPP_TRY(tpp_algorithm_check(algorithm));
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_algorithm *a = (*op)->algorithms; a->name != NULL; a++) {
            if (algorithm != NULL && strcmp(a->name, algorithm) != 0) continue;
            for (const tpp_case *c = (*op)->cases; c->name != NULL; c++) run_case(&w, *op, a, c);
        }
    *unsupported = w.unsupported;
    return TPP_OK;
}
