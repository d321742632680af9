/* Facts of devices, as tpp.h gives them.
 * SPDX-License-Identifier: MIT */
#include "cl/device.h"

#include "api/api_internal.h"
#include "core/mem.h"

#include <string.h>

enum { FIRST_SIZE = sizeof(tpp_device_info) };

_Static_assert(sizeof(((tpp_device_info *)0)->name) == sizeof(((tpp_caps *)0)->name) &&
                   sizeof(((tpp_device_info *)0)->platform) == sizeof(((tpp_caps *)0)->platform) &&
                   sizeof(((tpp_device_info *)0)->driver) == sizeof(((tpp_caps *)0)->driver),
               "texts are copied whole");

static tpp_status describe(const tpp_caps *c, tpp_device_info *out)
{
    tpp_device_info info = {.memory_bytes = c->global_mem, .compute_units = c->compute_units};
    if (c->is_gpu)
        info.type = TPP_DEVICE_GPU;
    else
        info.type = c->is_cpu ? TPP_DEVICE_CPU : TPP_DEVICE_OTHER;
    memcpy(info.name, c->name, sizeof(info.name));
    memcpy(info.platform, c->platform, sizeof(info.platform));
    memcpy(info.driver, c->driver, sizeof(info.driver));
    return tpp_api_write(out, &info, sizeof(info), FIRST_SIZE, "tpp_device_info");
}

tpp_status tpp_devices_count(int *count)
{
    tpp_caps *caps = NULL;
    TPP_TRY(tpp_device_list(&caps, count));
    tpp_free(caps);
    return TPP_OK;
}

tpp_status tpp_devices_get(int index, tpp_device_info *out)
{
    tpp_caps *caps = NULL;
    int count = 0;
    TPP_TRY(tpp_device_list(&caps, &count));
    const tpp_status s =
        index >= 0 && index < count
            ? describe(&caps[index], out)
            : TPP_FAIL(TPP_EUSAGE, "device %d: there are 0 to %d", index, count - 1);
    tpp_free(caps);
    return s;
}

tpp_status tpp_device_describe(const tpp_device *device, tpp_device_info *out)
{
    return describe(tpp_device_caps(device), out);
}
