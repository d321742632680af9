/* Tables of a device's features and quirks, and their printed forms.
 * SPDX-License-Identifier: MIT */
#include "cli/device_facts.h"

#include "cli/options.h"
#include "infer/json_file.h"

#include <stdio.h>

typedef struct flag {
    const char *name;
    size_t offset; /* of a bool in tpp_caps */
    const char *text;
} flag;

#define AT(member) offsetof(tpp_caps, member)
static const flag features[] = {{"sub_groups", AT(sub_groups), "sub-groups"},
                                {"half", AT(half), "half arithmetic"},
                                {"int64", AT(int64), "64-bit integers"},
                                {"command_buffers", AT(command_buffers), "command buffers"}};
static const flag quirks[] = {
    {"no_tile", AT(no_tile), "the `tile` products are not used"},
    {"no_large_grf", AT(no_large_grf), "kernels do not ask for more registers"},
    {"no_sub_groups", AT(no_sub_groups), "sub-groups are not used"},
    {"no_clblast", AT(no_clblast), "CLBlast is not used"},
    {"local_twice", AT(local_twice), "local memory of kernels is half of what is told"},
    {"no_prefetch", AT(no_prefetch), "kernels prefetch nothing"},
    {"no_program_cache", AT(no_program_cache), "compiled kernels are not kept"},
    {"no_arg_info", AT(no_arg_info), "kernel arguments are not checked"}};
#undef AT

static bool is_on(const tpp_caps *c, const flag *f)
{
    return *(const bool *)((const char *)c + f->offset);
}

static const char *kind(const tpp_caps *c)
{
    return c->is_gpu ? "GPU" : c->is_cpu ? "CPU" : "other";
}

void tpp_print_caps(const tpp_caps *c)
{
    const double mib = 1024.0 * 1024.0;
    (void)printf("   %s, %s, %s, driver %s\n", kind(c), c->platform, c->version, c->driver);
    (void)printf("   %d compute units, vectors of %d floats, work-groups up to %zu\n",
                 c->compute_units, c->vector_width, c->max_group);
    (void)printf("   memory %.0f MiB, largest buffer %.0f MiB, local %.0f KiB\n",
                 (double)c->global_mem / mib, (double)c->max_alloc / mib,
                 (double)c->local_mem / 1024.0);
    for (int i = 0; i < TPP_COUNT(features); i++)
        (void)printf("%s%s %s", i > 0 ? ", " : "   ", features[i].text,
                     is_on(c, &features[i]) ? "yes" : "no");
    (void)putchar('\n');
    for (int i = 0; i < TPP_COUNT(quirks); i++)
        if (is_on(c, &quirks[i])) (void)printf("   quirk: %s\n", quirks[i].text);
}

static json_t *flags_json(const tpp_caps *c, const flag *f, int n)
{
    json_t *j = json_object();
    for (int i = 0; i < n; i++) tpp_json_set(&j, f[i].name, json_boolean(is_on(c, &f[i])));
    return j;
}

json_t *tpp_caps_json(const tpp_caps *c)
{
    json_t *j = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
        tpp_json_text(c->name), "type", kind(c), "vendor", tpp_json_text(c->vendor), "platform",
        tpp_json_text(c->platform), "version", tpp_json_text(c->version), "driver",
        tpp_json_text(c->driver), "compute_units", c->compute_units, "vector_width",
        c->vector_width, "global_memory_bytes", (json_int_t)c->global_mem, "largest_buffer_bytes",
        (json_int_t)c->max_alloc, "local_memory_bytes", (json_int_t)c->local_mem,
        "work_group_limit", (json_int_t)c->max_group, "work_groups_limit",
        (json_int_t)c->max_groups, "buffer_alignment_bytes", (json_int_t)c->base_align);
    tpp_json_set(&j, "features", flags_json(c, features, TPP_COUNT(features)));
    tpp_json_set(&j, "quirks", flags_json(c, quirks, TPP_COUNT(quirks)));
    return j;
}
