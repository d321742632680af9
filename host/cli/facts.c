/* What several commands show: exit codes, environment, libraries; and the files of the program.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "core/mem.h"
#include "core/path.h"
#include "infer/tuning_use.h"
#include "io/dicom.h"
#include "io/picture.h"
#include "io/video.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>
#include <yaml.h>
#include <zlib.h>

#ifndef TPP_VERSION
#define TPP_VERSION "unversioned"
#endif
/* Where configurations and vocabulary are installed. */
#ifndef TPP_DATA_DIR
#define TPP_DATA_DIR "/usr/local/share/tpp"
#endif

const char *tpp_cli_version(void)
{
    return TPP_VERSION;
}

/* ---- exit codes and environment ---- */

#define TPP_EXIT_ROW(name, code, text) {#code, text},
const tpp_fact tpp_exit_facts[] = {
    TPP_EXIT_MAP(TPP_EXIT_ROW){"128+N", "signal N stopped it, between two frames"}, {0}};
#undef TPP_EXIT_ROW

const tpp_fact tpp_environment_facts[] = {
    {"TPP_DEVICE", "device if --device is not given: index, part of a name, or auto"},
    {"TPP_CACHE_DIR", "folder of compiled kernels; else $XDG_CACHE_HOME/tpp, ~/.cache/tpp"},
    {"TPP_TUNING", "what --tuning says if it is not given: a file of tpp tune, a folder, or none"},
    {"TPP_HOME", "folder with configs/ and vocab/, before the installed one"},
    {"TPP_LOG", "what is told: error, warn, info, debug"},
    {"TPP_DEVICE_MEMORY_MB", "take the device to have so many million bytes at most"},
    {"TPP_LIMITS", "take the device to have less, as a test: group=64,local=16384,alloc=67108864,"
                   "memory=N,subgroups=0,half=0"},
    {0}};

int tpp_exit_code(tpp_status s, bool on_input)
{
    switch (s) {
    case TPP_OK:
        return TPP_EXIT_OK;
    case TPP_EUSAGE:
    case TPP_EFORMAT:
    case TPP_EUNSUPPORTED:
        return TPP_EXIT_USAGE;
    case TPP_EIO:
        return on_input ? TPP_EXIT_USAGE : TPP_EXIT_FAILED;
    case TPP_EDEVICE:
    case TPP_EOPENCL:
        return TPP_EXIT_DEVICE;
    case TPP_ENOMEM:
    case TPP_EDEVMEM:
        return TPP_EXIT_MEMORY;
    default:
        return TPP_EXIT_FAILED;
    }
}

int tpp_exit_with(const char *name, tpp_status s, bool on_input)
{
    if (s != TPP_OK) (void)fprintf(stderr, "tpp %s: %s\n", name, tpp_error());
    return tpp_exit_code(s, on_input);
}

/* ---- libraries ---- */

typedef struct library_row {
    const char *name, *licence, *purpose;
    const char *(*version)(void); /* NULL: it does not tell; its NULL: not built in */
} library_row;

static const char *png_version(void)
{
    return png_get_libpng_ver(NULL);
}

static const char *openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const library_row libraries[] = {
    {"OpenCL ICD loader", "BSD-2-Clause or Apache-2.0", "devices", NULL},
    {"CLBlast", "Apache-2.0", "products on GPUs", NULL},
    {"libpng", "libpng-2.0", "PNG", png_version},
    {"zlib", "Zlib", "gzip", zlibVersion},
    {"libyaml", "MIT", "configurations", yaml_get_version_string},
    {"jansson", "MIT", "JSON", jansson_version_str},
    {"utf8proc", "MIT", "Unicode", utf8proc_version},
    {"OpenSSL libcrypto", "Apache-2.0", "SHA-256", openssl_version},
    {"libjpeg-turbo", "IJG and BSD-3-Clause and Zlib", "JPEG", tpp_jpeg_library},
    {"FFmpeg libav*", "LGPL-2.1-or-later (GPL-2.0-or-later as Debian builds it)", "video files",
     tpp_video_library},
    {"DCMTK", "BSD-3-Clause", "DICOM", tpp_dicom_library},
};

bool tpp_library_at(tpp_library *out, int i)
{
    if (i < 0 || i >= TPP_COUNT(libraries)) return false;
    const library_row *row = &libraries[i];
    const char *version = row->version != NULL ? row->version() : "";
    *out = (tpp_library){.name = row->name,
                         .licence = row->licence,
                         .purpose = row->purpose,
                         .is_built_in = version != NULL};
    /* readers tell their library's name as well */
    const char *number = version != NULL ? version + strcspn(version, "0123456789") : "";
    (void)snprintf(out->version, sizeof(out->version), "%s", number);
    return true;
}

/* ---- devices and files ---- */

tpp_status tpp_cli_device(tpp_device **out, const char *spec, const char *tuning)
{
    tpp_device *d = NULL;
    TPP_TRY(tpp_device_open(&d, spec != NULL ? spec : getenv("TPP_DEVICE")));
    const tpp_status s = tpp_tuning_use(d, tuning);
    if (s != TPP_OK) {
        tpp_device_close(d);
        return s;
    }
    *out = d;
    return TPP_OK;
}

/* The path if something is there. */
static char *try_path(const char *folder, const char *name)
{
    char *path = tpp_path_join(folder, name);
    if (path == NULL || tpp_path_exists(path)) return path;
    tpp_free(path);
    return NULL;
}

/* `name` in the folder above the one of `file`. */
static char *try_above(const char *file, const char *name)
{
    char *found = NULL;
    const size_t n = (size_t)(tpp_path_base(file) - file);
    char *folder = n == 0 ? tpp_strdup(".") : tpp_strndup(file, n);
    char *above = folder != NULL ? tpp_path_join(folder, "..") : NULL;
    if (above != NULL) found = try_path(above, name);
    tpp_free(above);
    tpp_free(folder);
    return found;
}

/* Around the program: bin/tpp beside share/tpp, or a build folder in the source tree. The link has
 * no links and no ".." in it, so two parts may be cut off its end. */
static char *try_around_program(const char *installed, const char *in_tree)
{
    char above[4096], shared[128];
    const ssize_t n = readlink("/proc/self/exe", above, sizeof(above) - 1);
    if (n <= 0) return NULL;
    above[n] = '\0';
    for (int cut = 0; cut < 2; cut++) {
        char *slash = strrchr(above, '/');
        if (slash == NULL) return NULL;
        *slash = '\0';
    }
    (void)snprintf(shared, sizeof(shared), "share/tpp/%s", installed);
    char *found = try_path(above, shared);
    return found != NULL ? found : try_path(above, in_tree);
}

char *tpp_cli_data(const char *installed, const char *in_tree, const char *beside)
{
    const char *home = getenv("TPP_HOME");
    char *found = beside != NULL ? try_above(beside, in_tree) : NULL;
    if (found == NULL && home != NULL) found = try_path(home, installed);
    if (found == NULL) found = try_around_program(installed, in_tree);
    if (found == NULL) found = try_path(TPP_DATA_DIR, installed);
    if (found == NULL) found = try_path(".", in_tree);
    return found;
}
