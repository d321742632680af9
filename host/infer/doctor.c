/* First uses, and reports that name nobody.
 * SPDX-License-Identifier: MIT */
#include "infer/doctor.h"

#include "core/str.h"
#include "ops/op.h"

#include <ctype.h>
#include <string.h>

/* ---- first uses ---- */

static tpp_status call_of(tpp_call *call, const tpp_op *op, const tpp_case *c)
{
    tpp_shape out[TPP_MAX_OUT] = {0};
    *call = (tpp_call){.attr = c->attr};
    TPP_TRY(op->infer(c->attr, c->in, out));
    for (int i = 0; i < TPP_MAX_IN; i++)
        call->in[i] = (tpp_operand){.shape = c->in[i], .type = (tpp_dtype)op->in_types[i]};
    for (int i = 0; i < TPP_MAX_OUT; i++)
        call->out[i] = (tpp_operand){.shape = out[i], .type = (tpp_dtype)op->out_types[i]};
    return TPP_OK;
}

static tpp_status try_first_uses(tpp_device *d, const tpp_op *op, const tpp_algorithm *a)
{
    enum { MOST_CALLS = 4 }; /* a check of its own for each tile that they choose */
    int n = 0;
    for (const tpp_case *c = op->cases; c->name != NULL && n < MOST_CALLS; c++) {
        tpp_call call;
        TPP_TRY(call_of(&call, op, c));
        if (!tpp_algorithm_takes(op, a, &call, tpp_device_caps(d))) continue;
        call.params = tpp_default_params(a, &call, tpp_device_caps(d));
        n++;
        (void)a->usable(d, &call); /* the answer is in the device's capabilities */
    }
    return TPP_OK;
}

tpp_status tpp_doctor_first_uses(tpp_device *d)
{
    for (const tpp_op *const *op = tpp_ops; *op != NULL; op++)
        for (const tpp_algorithm *a = (*op)->algorithms; a->name != NULL; a++)
            if (a->usable != NULL) TPP_TRY(try_first_uses(d, *op, a));
    return TPP_OK;
}

/* ---- names ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Do the first `n` bytes of `what` stand at `p`, whole: neither in a longer word nor as the
 * beginning of another folder's name? */
static bool stands_at(const char *text, const char *p, const char *what, size_t n)
{
    return n > 0 && strncmp(p, what, n) == 0 && !is_word(p[n]) &&
           (what[0] == '/' || p == text || !is_word(p[-1]));
}

/* Without the slashes at its end; 0: no folder that tells of anybody. */
static size_t home_length(const char *home)
{
    size_t n = home != NULL ? strlen(home) : 0;
    while (n > 0 && home[n - 1] == '/') n--;
    return n;
}

static void scrub_text(tpp_str *out, const char *text, const char *home, const char *user)
{
    const size_t n_home = home_length(home), n_user = user != NULL ? strlen(user) : 0;
    for (const char *p = text; *p != '\0';) {
        if (stands_at(text, p, home, n_home)) {
            tpp_str_format(out, "(home)");
            p += n_home + strcspn(p + n_home, " \t\n\"':,;)");
        } else if (stands_at(text, p, user, n_user)) {
            tpp_str_format(out, "(user)");
            p += n_user;
        } else {
            tpp_str_add(out, p++, 1);
        }
    }
}

static tpp_status scrub_string(json_t *j, const char *home, const char *user)
{
    tpp_str out = {0};
    scrub_text(&out, json_string_value(j), home, user);
    tpp_status s = out.status;
    if (s == TPP_OK && json_string_set(j, out.text != NULL ? out.text : "") != 0)
        s = TPP_FAIL(TPP_ENOMEM, "no memory for the report");
    tpp_str_free(&out);
    return s;
}

tpp_status tpp_doctor_scrub(json_t *j, const char *home, const char *user)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_string(j)) return scrub_string(j, home, user);
    json_array_foreach(j, i, value) TPP_TRY(tpp_doctor_scrub(value, home, user));
    json_object_foreach(j, key, value) TPP_TRY(tpp_doctor_scrub(value, home, user));
    return TPP_OK;
}
