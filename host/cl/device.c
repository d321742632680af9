/* Devices of all platforms: listing, choice, opening, and the table of quirks.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cl/device.h"

#include "cl/cl_internal.h"
#include "cl/limits.h"
#include "cl/program.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/str.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PLATFORMS = 16, MAX_DEVICES = 64 };

typedef struct found_device {
    cl_platform_id platform;
    cl_device_id id;
    tpp_caps caps;
} found_device;

/* What a driver gets wrong, by part of its platform or device name. A row is a fact that was seen,
 * never a preference. */
static const struct quirk {
    const char *platform;
    size_t offset; /* of a bool in tpp_caps */
    const char *why;
} quirks[] = {
    {"rusticl", offsetof(tpp_caps, no_program_cache), "binaries fail to load on Mesa 22.3"},
    {"rusticl", offsetof(tpp_caps, local_twice), "Mesa 22.3 says 8000 bytes of an array of 4000"},
    {"rusticl", offsetof(tpp_caps, no_prefetch),
     "its SPIR-V has no llvm.prefetch: Mesa 22.3 exits"},
    {"Oclgrind", offsetof(tpp_caps, no_program_cache), "binaries lose line information"},
    {"NVIDIA", offsetof(tpp_caps, no_program_cache), "the driver caches by itself"},
};

static void get_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    if (clGetDeviceInfo(id, what, size, out, NULL) != CL_SUCCESS) out[0] = '\0';
    out[size - 1] = '\0';
}

static cl_ulong get_number(cl_device_id id, cl_device_info what, size_t size)
{
    union {
        cl_uint u;
        cl_ulong l;
        size_t s;
    } value = {.l = 0};
    if (clGetDeviceInfo(id, what, size, &value, NULL) != CL_SUCCESS) return 0;
    if (size == sizeof(cl_uint)) return value.u;
    return value.l;
}

/* A limit, or the lower one that a test asks for. */
static size_t limit_from_environment(const char *name, size_t limit)
{
    const char *text = getenv(name);
    const long asked = text != NULL ? strtol(text, NULL, 10) : 0;
    return asked > 0 && (size_t)asked < limit ? (size_t)asked : limit;
}

/* Floats of a native vector. Drivers may report 1 (they vectorise over work items); a CPU has at
 * least four lanes whatever it says. */
static int native_width(cl_device_id id, bool is_cpu)
{
    const char *forced = getenv("TPP_VECTOR_WIDTH"); /* for tests of both tiles on one machine */
    if (forced != NULL && (strcmp(forced, "8") == 0 || strcmp(forced, "16") == 0))
        return atoi(forced);
    const int native = (int)get_number(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(cl_uint));
    const int preferred =
        (int)get_number(id, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, sizeof(cl_uint));
    const int width = native > preferred ? native : preferred;
    if (width >= 16) return 16;
    return width >= 8 || is_cpu ? 8 : 4;
}

/* Lowers what the device says it has: for tests of small devices, and for users who share one. */
static void limit_memory(tpp_caps *c)
{
    const char *text = getenv("TPP_DEVICE_MEMORY_MB");
    if (text == NULL || text[0] < '0' || text[0] > '9') return;
    char *end = NULL;
    const unsigned long mb = strtoul(text, &end, 10);
    if (*end != '\0' || mb > SIZE_MAX / 1000000) return;
    const size_t bytes = (size_t)mb * 1000000;
    if (bytes < c->global_mem) c->global_mem = bytes;
    if (bytes < c->max_alloc) c->max_alloc = bytes;
}

/* Is `word` one of the words of the list? */
static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0')) return true;
    return false;
}

/* OpenCL 2.1 has sub-groups without an extension, from 3.0 on they are optional again: then their
 * greatest number is 0. */
static bool has_sub_groups(const found_device *f, const char *extensions)
{
    enum { DEVICE_MAX_NUM_SUB_GROUPS = 0x105C }; /* cl.h of OpenCL 2.1 */
    int major = 0, minor = 0;
    if (has_word(extensions, "cl_khr_subgroups")) return true;
    if (sscanf(f->caps.version, "OpenCL %d.%d", &major, &minor) != 2) return false;
    return (major > 2 || (major == 2 && minor >= 1)) &&
           get_number(f->id, DEVICE_MAX_NUM_SUB_GROUPS, sizeof(cl_uint)) > 0;
}

/* Intel's GPUs: drivers count EUs, but local memory belongs to many of them; and a kernel may ask
 * for a size of sub-group: in the smallest each work-item has the most registers. */
static void read_sharing(found_device *f, const char *extensions)
{
    /* cl_ext.h; EUs with 8 threads can give 4 of them twice the registers, older ones have 7 */
    enum {
        SUB_GROUP_SIZES_INTEL = 0x4108,
        NUM_EUS_PER_SUB_SLICE_INTEL = 0x4254,
        NUM_THREADS_PER_EU_INTEL = 0x4255,
        THREADS_OF_LARGE_GRF = 8
    };
    size_t lanes[16] = {0};
    size_t size = 0;
    tpp_caps *c = &f->caps;
    if (!c->is_gpu) return;
    if (has_word(extensions, "cl_intel_device_attribute_query")) {
        const int eus = (int)get_number(f->id, NUM_EUS_PER_SUB_SLICE_INTEL, sizeof(cl_uint));
        if (eus > 0 && eus <= c->compute_units) c->shared_by = eus;
        c->large_grf =
            get_number(f->id, NUM_THREADS_PER_EU_INTEL, sizeof(cl_uint)) >= THREADS_OF_LARGE_GRF;
    }
    if (!has_word(extensions, "cl_intel_required_subgroup_size") ||
        clGetDeviceInfo(f->id, SUB_GROUP_SIZES_INTEL, sizeof(lanes), lanes, &size) != CL_SUCCESS)
        return;
    for (size_t i = 0; i < size / sizeof(lanes[0]); i++)
        if (c->least_lanes == 0 || lanes[i] < (size_t)c->least_lanes)
            c->least_lanes = (int)lanes[i];
}

static tpp_status read_features(found_device *f)
{
    size_t size = 0;
    tpp_caps *c = &f->caps;
    char *text = NULL;
    if (clGetDeviceInfo(f->id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) != CL_SUCCESS) return TPP_OK;
    TPP_NEW(text, size + 1);
    if (clGetDeviceInfo(f->id, CL_DEVICE_EXTENSIONS, size, text, NULL) == CL_SUCCESS) {
        c->sub_groups = has_sub_groups(f, text);
        c->sub_group_std = has_word(text, "cl_intel_subgroups")      ? 12
                           : strncmp(c->version, "OpenCL 2", 8) == 0 ? 20
                                                                     : 30;
        read_sharing(f, text);
        c->half = has_word(text, "cl_khr_fp16");
        c->command_buffers = has_word(text, "cl_khr_command_buffer");
        char profile[32];
        get_text(f->id, CL_DEVICE_PROFILE, profile, sizeof(profile));
        c->int64 = strcmp(profile, "EMBEDDED_PROFILE") != 0 || has_word(text, "cles_khr_int64");
    }
    tpp_free(text);
    return TPP_OK;
}

static tpp_status read_caps(found_device *f)
{
    tpp_caps *c = &f->caps;
    *c = (tpp_caps){0};
    get_text(f->id, CL_DEVICE_NAME, c->name, sizeof(c->name));
    get_text(f->id, CL_DEVICE_VENDOR, c->vendor, sizeof(c->vendor));
    get_text(f->id, CL_DRIVER_VERSION, c->driver, sizeof(c->driver));
    get_text(f->id, CL_DEVICE_VERSION, c->version, sizeof(c->version));
    if (clGetPlatformInfo(f->platform, CL_PLATFORM_NAME, sizeof(c->platform), c->platform, NULL) !=
        CL_SUCCESS)
        c->platform[0] = '\0';
    const cl_ulong type = get_number(f->id, CL_DEVICE_TYPE, sizeof(cl_device_type));
    c->is_gpu = (type & CL_DEVICE_TYPE_GPU) != 0;
    c->is_cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    c->global_mem = get_number(f->id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong));
    c->max_alloc = get_number(f->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(cl_ulong));
    limit_memory(c);
    c->local_mem = get_number(f->id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(cl_ulong));
    c->base_align = get_number(f->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof(cl_uint)) / 8;
    if (c->base_align < 128) c->base_align = 128;
    c->max_group = get_number(f->id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
    c->max_groups = limit_from_environment("TPP_MAX_GROUPS", 65535);
    c->compute_units = (int)get_number(f->id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint));
    c->shared_by = 1;
    c->vector_width = native_width(f->id, c->is_cpu);
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
        if (strstr(c->platform, quirks[i].platform) != NULL)
            *(bool *)((char *)c + quirks[i].offset) = true;
    TPP_TRY(read_features(f));
    return tpp_limits_apply(c, getenv("TPP_LIMITS"));
}

/* Fills `found` with every available device; platforms without one are passed over. */
static tpp_status find_devices(found_device *found, int *count)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint n_platforms = 0;
    *count = 0;
    if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &n_platforms) != CL_SUCCESS || n_platforms == 0)
        return TPP_FAIL(TPP_EDEVICE, "no OpenCL platform was found: install a driver, or "
                                     "pocl-opencl-icd to run on the CPU");
    if (n_platforms > MAX_PLATFORMS) n_platforms = MAX_PLATFORMS;
    for (cl_uint p = 0; p < n_platforms; p++) {
        cl_device_id ids[MAX_DEVICES];
        cl_uint n = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &n) != CL_SUCCESS)
            continue;
        for (cl_uint i = 0; i < n && i < MAX_DEVICES && *count < MAX_DEVICES; i++) {
            if (!get_number(ids[i], CL_DEVICE_AVAILABLE, sizeof(cl_bool))) continue;
            found_device *f = &found[(*count)++];
            f->platform = platforms[p];
            f->id = ids[i];
            TPP_TRY(read_caps(f));
        }
    }
    if (*count == 0)
        return TPP_FAIL(TPP_EDEVICE, "%u OpenCL platforms were found, but none has a device",
                        n_platforms);
    return TPP_OK;
}

static bool contains_ignoring_case(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < n && text[i] != '\0' &&
               tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n) return true;
    }
    return n == 0;
}

static int choose(const found_device *found, int count, const char *spec)
{
    if (spec == NULL || spec[0] == '\0' || strcmp(spec, "auto") == 0) {
        for (int i = 0; i < count; i++)
            if (found[i].caps.is_gpu) return i;
        for (int i = 0; i < count; i++)
            if (found[i].caps.is_cpu) return i;
        return 0;
    }
    char *end = NULL;
    const long index = strtol(spec, &end, 10);
    if (*end == '\0') return index >= 0 && index < count ? (int)index : -1;
    for (int i = 0; i < count; i++)
        if (contains_ignoring_case(found[i].caps.name, spec) ||
            contains_ignoring_case(found[i].caps.platform, spec))
            return i;
    for (int i = 0; i < count; i++) /* "pocl", which older ones call themselves there alone */
        if (contains_ignoring_case(found[i].caps.version, spec)) return i;
    return -1;
}

static tpp_status fail_choice(const found_device *found, int count, const char *spec)
{
    tpp_str list = {0};
    for (int i = 0; i < count; i++)
        tpp_str_format(&list, "%s%d = %s (%s)", i ? ", " : "", i, found[i].caps.name,
                       found[i].caps.platform);
    const tpp_status s = TPP_FAIL(TPP_EDEVICE, "no device fits \"%s\"; the devices are %s", spec,
                                  list.text != NULL ? list.text : "none");
    tpp_str_free(&list);
    return s;
}

static tpp_status open_queues(tpp_device *d)
{
    cl_int code = CL_SUCCESS;
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)d->platform, 0};
    d->context = clCreateContext(properties, 1, &d->id, NULL, NULL, &code);
    TPP_CL(d, code);
    d->compute = clCreateCommandQueue(d->context, d->id, CL_QUEUE_PROFILING_ENABLE, &code);
    TPP_CL(d, code);
    d->transfer = clCreateCommandQueue(d->context, d->id, CL_QUEUE_PROFILING_ENABLE, &code);
    TPP_CL(d, code);
    return TPP_OK;
}

tpp_status tpp_device_open(tpp_device **out, const char *spec)
{
    tpp_status s = TPP_OK;
    tpp_device *d = NULL;
    found_device *found = NULL;
    int count = 0;
    TPP_NEW(found, MAX_DEVICES);
    TPP_TRY_OR(done, s, find_devices(found, &count));
    const int at = choose(found, count, spec);
    if (at < 0) {
        s = fail_choice(found, count, spec);
        goto done;
    }
    TPP_NEW_OR(done, s, d, 1);
    d->caps = found[at].caps;
    d->platform = found[at].platform;
    d->id = found[at].id;
    (void)pthread_mutex_init(&d->lock, NULL);
    TPP_TRY_OR(done, s, open_queues(d));
    tpp_log(TPP_LOG_INFO, "device", "%s, %s, driver %s", d->caps.name, d->caps.platform,
            d->caps.driver);
    *out = d;
    d = NULL;
done:
    tpp_device_close(d);
    tpp_free(found);
    return s;
}

tpp_status tpp_device_pose(tpp_device *d, const tpp_pose *as)
{
    tpp_caps *c = &d->caps;
    if (c->max_group < as->max_group || c->local_mem < as->local_mem)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "plans for %s want work-groups of %zu and %zu bytes of local memory, %s "
                        "has %zu and %zu: take another device, a CPU with PoCL",
                        as->name, as->max_group, as->local_mem, c->name, c->max_group,
                        c->local_mem);
    (void)snprintf(c->name, sizeof(c->name), "%s", as->name);
    c->is_gpu = true;
    c->is_cpu = false;
    c->max_group = as->max_group;
    c->local_mem = as->local_mem;
    c->compute_units = as->compute_units;
    c->shared_by = as->shared_by;
    c->least_lanes = as->least_lanes;
    c->sub_groups = c->large_grf = false; /* whose code this device does not take */
    c->vector_width = 4; /* what read_caps says of every GPU but those with wide vectors */
    return TPP_OK;
}

void tpp_device_close(tpp_device *d)
{
    if (d == NULL) return;
    if (d->compute != NULL) (void)clFinish(d->compute);
    if (d->transfer != NULL) (void)clFinish(d->transfer);
    tpp_programs_free(d);
    if (d->compute != NULL) (void)clReleaseCommandQueue(d->compute);
    if (d->transfer != NULL) (void)clReleaseCommandQueue(d->transfer);
    if (d->context != NULL) (void)clReleaseContext(d->context);
    if (d->tuning != NULL) d->close_tuning(d->tuning);
    tpp_table_free(&d->first_uses);
    (void)pthread_mutex_destroy(&d->lock);
    tpp_free(d);
}

const tpp_caps *tpp_device_caps(const tpp_device *d)
{
    return &d->caps;
}

tpp_status tpp_device_list(tpp_caps **out, int *count)
{
    tpp_status s = TPP_OK;
    tpp_caps *caps = NULL;
    found_device *found = NULL;
    int n = 0;
    TPP_NEW(found, MAX_DEVICES);
    TPP_TRY_OR(done, s, find_devices(found, &n));
    TPP_NEW_OR(done, s, caps, n);
    for (int i = 0; i < n; i++) caps[i] = found[i].caps;
    *out = caps;
    *count = n;
done:
    tpp_free(found);
    return s;
}

tpp_status tpp_device_finish(tpp_device *d)
{
    d->counts.finishes++;
    TPP_CL(d, clFinish(d->compute));
    TPP_CL(d, clFinish(d->transfer));
    return TPP_OK;
}

tpp_device_use tpp_device_used(const tpp_device *d)
{
    return d->use;
}

const char *tpp_device_given_up(const tpp_device *d)
{
    return d->given_up;
}

tpp_device_counts tpp_device_count(const tpp_device *d)
{
    return d->counts;
}
