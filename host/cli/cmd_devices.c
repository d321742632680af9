/* tpp devices: every OpenCL device with the facts that algorithms are chosen by.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/device_facts.h"
#include "cli/json.h"
#include "core/mem.h"

#include <stdio.h>

static json_t *device_json(int i, const tpp_caps *c)
{
    json_t *j = tpp_caps_json(c);
    tpp_json_set(&j, "index", json_integer(i));
    return j;
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
        for (int i = 0; i < count; i++) {
            (void)printf("%d: %s\n", i, list[i].name);
            tpp_print_caps(&list[i]);
        }
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
