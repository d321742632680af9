/* Checks at first use, and the choice of algorithms that passed.
 * SPDX-License-Identifier: MIT */
#include "ops/first_use.h"

#include "core/log.h"
#include "ops/tuning.h"

#include <stdio.h>
#include <string.h>

int64_t *tpp_first_use_state(tpp_device *d, const char *key)
{
    tpp_table_entry *e = tpp_table_put(&d->first_uses, key, NULL);
    return e != NULL ? &e->value.number : NULL;
}

bool tpp_first_use(tpp_device *d, const char *family, const char *key, bool *off,
                   tpp_first_check *check, const void *context)
{
    const int64_t *known = tpp_first_use_state(d, key);
    if (known == NULL) *off = true; /* no memory to know it in: nobody may ask for ever */
    if (*off) return false;
    if (*known != 0) return *known > 0;
    bool right = false;
    const tpp_status s = check(d, context, &right);
    right = right && s == TPP_OK;
    if (!right) {
        *off = true;
        const char *why = s == TPP_OK ? "wrong results" : tpp_error();
        const size_t n = strlen(d->given_up);
        (void)snprintf(d->given_up + n, sizeof(d->given_up) - n, "%s%s: %s (%s)", n > 0 ? "\n" : "",
                       family, why, key);
        tpp_log(TPP_LOG_WARN, family, "%s on %s: %s is not used", why, d->caps.name, family);
    }
    int64_t *state = tpp_first_use_state(d, key); /* the check may have moved the table */
    if (state != NULL) *state = right ? 1 : -1;
    return right;
}

tpp_choice tpp_op_choose_on(tpp_device *d, const tpp_op *op, const char *wanted, const tpp_call *c)
{
    for (;;) {
        const tpp_choice choice = tpp_op_choose(op, wanted, tpp_device_tuning(d), c, &d->caps);
        tpp_call call = *c;
        call.params = choice.params;
        if (choice.algorithm == NULL || choice.algorithm->usable == NULL ||
            choice.algorithm->usable(d, &call))
            return choice;
    }
}
