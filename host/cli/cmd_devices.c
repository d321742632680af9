/* tpp devices: every OpenCL device with the facts that algorithms are chosen by.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/json.h"
#include "core/mem.h"

#include <stdio.h>

static const char *kind(const tpp_caps *c)
{
    return c->is_gpu ? "GPU" : c->is_cpu ? "CPU" : "other";
}

static void print_device(int i, const tpp_caps *c)
{
    const double mib = 1024.0 * 1024.0;
    (void)printf("%d: %s\n", i, c->name);
    (void)printf("   %s, %s, %s, driver %s\n", kind(c), c->platform, c->version, c->driver);
    (void)printf("   %d compute units, vectors of %d floats, work-groups up to %zu\n",
                 c->compute_units, c->vector_width, c->max_group);
    (void)printf("   memory %.0f MiB, largest buffer %.0f MiB, local %.0f KiB\n",
                 (double)c->global_mem / mib, (double)c->max_alloc / mib,
                 (double)c->local_mem / 1024.0);
    if (c->no_clblast) (void)printf("   quirk: CLBlast is not used\n");
    if (c->no_program_cache) (void)printf("   quirk: compiled kernels are not kept\n");
    if (c->no_arg_info) (void)printf("   quirk: kernel arguments are not checked\n");
}

static json_t *device_json(int i, const tpp_caps *c)
{
    return json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:I, s:I, s:I, s:I}", "index",
                     i, "name", tpp_json_text(c->name), "type", kind(c), "vendor",
                     tpp_json_text(c->vendor), "platform", tpp_json_text(c->platform), "version",
                     tpp_json_text(c->version), "driver", tpp_json_text(c->driver), "compute_units",
                     c->compute_units, "vector_width", c->vector_width, "global_memory_bytes",
                     (json_int_t)c->global_mem, "largest_buffer_bytes", (json_int_t)c->max_alloc,
                     "local_memory_bytes", (json_int_t)c->local_mem, "work_group_limit",
                     (json_int_t)c->max_group);
}

static tpp_status print_json(const tpp_caps *list, int count)
{
    json_t *all = json_array();
    for (int i = 0; i < count; i++) (void)json_array_append_new(all, device_json(i, &list[i]));
    if (json_array_size(all) == (size_t)count) return tpp_json_print(all);
    json_decref(all);
    return tpp_json_print(NULL);
}

typedef struct devices_arguments {
    bool json;
} devices_arguments;

static int run_devices(void *arguments)
{
    const devices_arguments *a = arguments;
    tpp_caps *list = NULL;
    int count = 0;
    tpp_status s = tpp_device_list(&list, &count);
    if (s != TPP_OK) return tpp_exit_with("devices", s, true);
    if (a->json)
        s = print_json(list, count);
    else
        for (int i = 0; i < count; i++) print_device(i, &list[i]);
    if (count == 0) (void)fprintf(stderr, "tpp devices: no OpenCL platform has a device\n");
    tpp_free(list);
    return s == TPP_OK && count == 0 ? TPP_EXIT_DEVICE : tpp_exit_with("devices", s, false);
}

static const tpp_option options[] = {
    {'j', "json", TPP_OPTION_FLAG, offsetof(devices_arguments, json), NULL, .help = "as JSON"},
    {0},
};

const tpp_command tpp_command_devices = {
    .name = "devices",
    .help = "list OpenCL devices",
    .synopsis = "[--json]",
    .about =
        "Lists every OpenCL device of every platform. Its number, or part of its name, is what\n"
        "--device takes.",
    .examples = "  tpp devices\n  tpp devices --json\n",
    .options = {options},
    .size = sizeof(devices_arguments),
    .run = run_devices};
