/* Kernel programs: include expansion, building, and the cache of binaries on disk.
 *
 * A cache entry is named by the SHA-256 of everything that its content depends on, and holds that
 * hash again and the binary's own before the binary: a driver is never given a damaged one. An
 * entry that does not load is rebuilt without a word.
 * SPDX-License-Identifier: MIT */
#include "cl/program.h"

#include "cl/cache.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_INCLUDE_DEPTH = 8,
    MAX_SOURCE = 1 << 20,
    MAX_BINARY = 64 << 20,
    KEY_BYTES = 32,
    HEAD_BYTES = 2 * KEY_BYTES
};
#define OPENCL_C     "-cl-std=CL1.2 " /* unless a kernel's options name another */
#define BASE_OPTIONS "-cl-kernel-arg-info "

/* What the table of a device's programs points to. */
typedef struct built_program {
    cl_program program;
    double ms;
    bool cached;
} built_program;

/* Adds the text of a kernel file to `out` with its includes in place; #line keeps messages true. */
static tpp_status expand(tpp_str *out, const char *name, int depth);

static tpp_status expand_lines(tpp_str *out, const char *name, const char *source, int depth)
{
    int line = 1;
    tpp_str_format(out, "#line 1 \"%s\"\n", name);
    for (const char *p = source; *p != '\0'; line++) {
        const char *end = strchr(p, '\n');
        const size_t length = end == NULL ? strlen(p) : (size_t)(end - p) + 1;
        char included[64];
        if (sscanf(p, "#include \"%63[^\"]\"", included) == 1) {
            TPP_TRY(expand(out, included, depth + 1));
            tpp_str_format(out, "#line %d \"%s\"\n", line + 1, name);
        } else {
            tpp_str_add(out, p, length);
        }
        p += length;
    }
    return out->status;
}

static tpp_status expand(tpp_str *out, const char *name, int depth)
{
    if (depth > MAX_INCLUDE_DEPTH)
        return TPP_FAIL(TPP_EINTERNAL, "kernel file %s is included too deeply", name);
    const char *folder = getenv("TPP_KERNEL_DIR");
    if (folder != NULL) {
        char *path = tpp_path_join(folder, name), *text = NULL;
        size_t size = 0;
        if (path == NULL) return TPP_ENOMEM;
        tpp_status s = tpp_file_read(&text, &size, path, MAX_SOURCE);
        tpp_free(path);
        if (s == TPP_OK) s = expand_lines(out, name, text, depth);
        tpp_free(text);
        return s;
    }
    for (const tpp_embedded_kernel *k = tpp_embedded_kernels; k->name != NULL; k++)
        if (strcmp(k->name, name) == 0) return expand_lines(out, name, k->source, depth);
    return TPP_FAIL(TPP_EINTERNAL, "no kernel file %s in this build", name);
}

uint64_t tpp_kernels_hash(void)
{
    uint64_t hash = 0;
    for (const tpp_embedded_kernel *k = tpp_embedded_kernels; k->name != NULL; k++)
        hash = 31 * hash + tpp_fnv1a64(k->source, strlen(k->source));
    return hash;
}

static tpp_status cache_key(const tpp_device *d, const char *source, const char *options,
                            unsigned char key[KEY_BYTES])
{
    const char *const parts[] = {"tpp program cache 2", source,         options,
                                 d->caps.platform,      d->caps.name,   d->caps.vendor,
                                 d->caps.driver,        d->caps.version};
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned size = 0;
    int ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    for (size_t i = 0; ok && i < sizeof(parts) / sizeof(parts[0]); i++)
        ok = EVP_DigestUpdate(md, parts[i], strlen(parts[i]) + 1);
    ok = ok && EVP_DigestFinal_ex(md, key, &size);
    EVP_MD_CTX_free(md);
    return ok ? TPP_OK : TPP_FAIL(TPP_EINTERNAL, "SHA-256 is not available");
}

static bool hash_binary(const unsigned char *binary, size_t size, unsigned char hash[KEY_BYTES])
{
    unsigned length = 0;
    return EVP_Digest(binary, size, hash, &length, EVP_sha256(), NULL) == 1;
}

/* Is this an entry of `key`, whole? */
static bool is_entry(const unsigned char *bytes, size_t size, const unsigned char *key)
{
    unsigned char hash[KEY_BYTES];
    return size > HEAD_BYTES && memcmp(bytes, key, KEY_BYTES) == 0 &&
           hash_binary(bytes + HEAD_BYTES, size - HEAD_BYTES, hash) &&
           memcmp(bytes + KEY_BYTES, hash, KEY_BYTES) == 0;
}

/* Path of a cache entry, or NULL when there is no cache. */
static char *cache_path(const tpp_device *d, const unsigned char key[KEY_BYTES])
{
    if (d->caps.no_program_cache) return NULL;
    char *folder = tpp_path_cache_folder();
    if (folder == NULL) return NULL;
    tpp_str name = {0};
    for (int i = 0; i < KEY_BYTES; i++) tpp_str_format(&name, "%02x", key[i]);
    tpp_str_format(&name, TPP_CACHE_SUFFIX);
    char *path = name.status == TPP_OK ? tpp_path_join(folder, name.text) : NULL;
    tpp_str_free(&name);
    tpp_free(folder);
    return path;
}

static cl_program load_cached(tpp_device *d, const char *path, const unsigned char *key,
                              const char *options)
{
    char *bytes = NULL;
    size_t size = 0;
    cl_program program = NULL;
    if (!tpp_path_exists(path) || tpp_file_read(&bytes, &size, path, MAX_BINARY) != TPP_OK)
        return NULL;
    if (is_entry((const unsigned char *)bytes, size, key)) {
        const unsigned char *binary = (const unsigned char *)bytes + HEAD_BYTES;
        const size_t length = size - HEAD_BYTES;
        cl_int status = CL_SUCCESS, code = CL_SUCCESS;
        program =
            clCreateProgramWithBinary(d->context, 1, &d->id, &length, &binary, &status, &code);
        if (code != CL_SUCCESS || status != CL_SUCCESS ||
            clBuildProgram(program, 1, &d->id, options, NULL, NULL) != CL_SUCCESS) {
            if (program != NULL) (void)clReleaseProgram(program);
            program = NULL;
        }
    }
    tpp_free(bytes);
    return program;
}

/* Keeping a binary is a favour to the next run: a failure is no error of this one. */
static void save_cached(cl_program program, const char *path, const unsigned char *key)
{
    size_t size = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof(size), &size, NULL) !=
            CL_SUCCESS ||
        size == 0 || size > MAX_BINARY - HEAD_BYTES)
        return;
    unsigned char *bytes = tpp_calloc(size + HEAD_BYTES, 1);
    if (bytes == NULL) return;
    memcpy(bytes, key, KEY_BYTES);
    unsigned char *binary = bytes + HEAD_BYTES;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof(binary), &binary, NULL) ==
            CL_SUCCESS &&
        hash_binary(binary, size, bytes + KEY_BYTES) &&
        tpp_file_write(path, bytes, size + HEAD_BYTES) != TPP_OK)
        tpp_log(TPP_LOG_INFO, "program", "not cached: %s", tpp_error());
    tpp_free(bytes);
}

static tpp_status fail_build(tpp_device *d, cl_program program, const char *file,
                             const char *options)
{
    char *log = NULL;
    size_t size = 0;
    (void)clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    TPP_NEW(log, size + 1);
    (void)clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
    const char *first = strstr(log, "error");
    while (first != NULL && first > log && first[-1] != '\n') first--;
    if (first == NULL) first = log;
    const tpp_status s = TPP_FAIL(TPP_EOPENCL, "%s.cl does not build on %s with \"%s\": %.*s", file,
                                  d->caps.name, options, (int)strcspn(first, "\n"), first);
    tpp_log(TPP_LOG_INFO, "program", "build log of %s.cl:\n%s", file, log);
    tpp_free(log);
    return s;
}

static tpp_status build(built_program *out, tpp_device *d, const char *file, const char *source,
                        const char *options)
{
    const double start = tpp_clock_seconds();
    unsigned char key[KEY_BYTES];
    TPP_TRY(cache_key(d, source, options, key));
    char *path = cache_path(d, key);
    cl_program program = path != NULL ? load_cached(d, path, key, options) : NULL;
    const bool cached = program != NULL;
    tpp_status s = TPP_OK;
    if (program == NULL) {
        cl_int code = CL_SUCCESS;
        program = clCreateProgramWithSource(d->context, 1, &source, NULL, &code);
        if (code != CL_SUCCESS) {
            s = tpp_cl_fail(d, code, "clCreateProgramWithSource");
        } else if (clBuildProgram(program, 1, &d->id, options, NULL, NULL) != CL_SUCCESS) {
            s = fail_build(d, program, file, options);
            (void)clReleaseProgram(program);
        } else if (path != NULL) {
            save_cached(program, path, key);
        }
    }
    tpp_free(path);
    if (s == TPP_OK) *out = (built_program){program, 1e3 * (tpp_clock_seconds() - start), cached};
    return s;
}

/* Puts what was built into the device's table, or releases it. */
static tpp_status keep(tpp_device *d, const char *key, const built_program *built)
{
    built_program *copy = tpp_calloc(1, sizeof(*copy));
    tpp_table_entry *entry = copy != NULL ? tpp_table_put(&d->programs, key, NULL) : NULL;
    if (entry == NULL) {
        (void)clReleaseProgram(built->program);
        tpp_free(copy);
        return TPP_ENOMEM;
    }
    *copy = *built;
    entry->value.pointer = copy;
    return TPP_OK;
}

static tpp_status find_program(cl_program *out, tpp_device *d, const char *file,
                               const char *options)
{
    tpp_status s = TPP_OK;
    tpp_str key = {0}, all = {0}, source = {0}, name = {0};
    tpp_str_format(&key, "%s %s", file, options);
    tpp_str_format(&name, "%s.cl", file);
    if (strstr(options, "-cl-std=") == NULL) tpp_str_add(&all, OPENCL_C, strlen(OPENCL_C));
    tpp_str_format(&all, "%s%s", BASE_OPTIONS,
                   d->caps.is_cpu && !d->caps.no_prefetch ? "-DON_CPU " : "");
    if (d->caps.least_lanes > 0) tpp_str_format(&all, "-DLEAST_LANES=%d ", d->caps.least_lanes);
    tpp_str_add(&all, options, strlen(options));
    if (key.status != TPP_OK || name.status != TPP_OK || all.status != TPP_OK) {
        s = TPP_ENOMEM;
        goto done;
    }
    const tpp_table_entry *known = tpp_table_find(&d->programs, key.text);
    if (known != NULL) {
        *out = ((const built_program *)known->value.pointer)->program;
        goto done;
    }
    built_program built = {0};
    TPP_TRY_OR(done, s, expand(&source, name.text, 0));
    TPP_TRY_OR(done, s, build(&built, d, file, source.text, all.text));
    TPP_TRY_OR(done, s, keep(d, key.text, &built));
    *out = built.program;
done:
    tpp_str_free(&key);
    tpp_str_free(&name);
    tpp_str_free(&all);
    tpp_str_free(&source);
    return s;
}

tpp_status tpp_kernel_open(cl_kernel *out, tpp_device *d, const char *file, const char *kernel,
                           const char *options)
{
    cl_program program = NULL;
    (void)pthread_mutex_lock(&d->lock);
    const tpp_status s = find_program(&program, d, file, options);
    (void)pthread_mutex_unlock(&d->lock);
    TPP_TRY(s);
    cl_int code = CL_SUCCESS;
    const cl_kernel k = clCreateKernel(program, kernel, &code);
    if (code != CL_SUCCESS) return tpp_cl_fail(d, code, kernel);
    *out = k;
    return TPP_OK;
}

void tpp_programs_free(tpp_device *d)
{
    for (size_t i = 0; i < d->programs.count; i++) {
        built_program *built = d->programs.entries[i].value.pointer;
        if (built != NULL) (void)clReleaseProgram(built->program);
        tpp_free(built);
    }
    tpp_table_free(&d->programs);
}

bool tpp_program_at(const tpp_device *d, int i, tpp_program_build *out)
{
    if (i < 0 || (size_t)i >= d->programs.count) return false;
    const tpp_table_entry *e = &d->programs.entries[i];
    const built_program *built = e->value.pointer;
    const char *space = strchr(e->key, ' ');
    (void)snprintf(out->file, sizeof(out->file), "%.*s", (int)(space - e->key), e->key);
    out->options = space + 1;
    out->ms = built->ms;
    out->cached = built->cached;
    return true;
}

bool tpp_kernels_mention(const char *text)
{
    for (const tpp_embedded_kernel *k = tpp_embedded_kernels; k->name != NULL; k++)
        if (strstr(k->source, text) != NULL) return true;
    return false;
}
