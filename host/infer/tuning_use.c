/* Where tuning files lie, and giving a device its own.
 * SPDX-License-Identifier: MIT */
#include "infer/tuning_use.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"
#include "core/table.h"
#include "infer/tuning_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TPP_DATA_DIR
#define TPP_DATA_DIR "/usr/local/share/tpp"
#endif

/* ---- names ---- */

/* Letters and digits of a text in lower case, one '-' for everything between; at most 60. */
static void add_slug(tpp_str *to, const char *text)
{
    size_t added = 0;
    bool pending = false;
    for (; *text != '\0' && added < 60; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c > 0x7f || !isalnum(c)) {
            pending = added > 0;
            continue;
        }
        const char letter = (char)tolower(c);
        if (pending) tpp_str_add(to, "-", 1);
        tpp_str_add(to, &letter, 1);
        added += 1 + pending;
        pending = false;
    }
}

/* FOLDER/NAME-PLATFORM.yaml; the same device may have two drivers. */
static char *file_in(const char *folder, const tpp_caps *caps)
{
    tpp_str path = {0};
    tpp_str_format(&path, "%s/", folder);
    add_slug(&path, caps->name);
    tpp_str_add(&path, "-", 1);
    add_slug(&path, caps->platform);
    tpp_str_format(&path, ".yaml");
    if (path.status == TPP_OK) return path.text;
    tpp_str_free(&path);
    return NULL;
}

static char *users_file(const tpp_caps *caps)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *folder = NULL;
    if (xdg != NULL && xdg[0] == '/')
        folder = tpp_path_join(xdg, "tpp/tuning");
    else if (home != NULL && home[0] == '/')
        folder = tpp_path_join(home, ".config/tpp/tuning");
    char *path = folder != NULL ? file_in(folder, caps) : NULL;
    tpp_free(folder);
    return path;
}

static const char *asked_for(const char *spec)
{
    const char *set = spec != NULL ? spec : getenv("TPP_TUNING");
    return set != NULL && set[0] != '\0' ? set : NULL;
}

char *tpp_tuning_place(const char *spec, const tpp_caps *caps)
{
    const char *asked = asked_for(spec);
    if (asked == NULL || strcmp(asked, "none") == 0) return users_file(caps);
    return tpp_path_is_folder(asked) ? file_in(asked, caps) : tpp_strdup(asked);
}

/* ---- choice ---- */

static tpp_status attach(tpp_device *d, const char *path)
{
    tpp_tuning *t = NULL;
    TPP_TRY(tpp_tuning_read(&t, path, tpp_device_caps(d)));
    if (t != NULL) {
        const tpp_status s = tpp_tuning_set_source(t, path);
        if (s != TPP_OK) {
            tpp_tuning_close(t);
            return s;
        }
    }
    tpp_tuning_attach(d, t);
    if (t != NULL) tpp_log(TPP_LOG_INFO, "tuning", "%s from %s", tpp_tuning_text(d), path);
    return TPP_OK;
}

static tpp_status use_asked(tpp_device *d, const char *asked)
{
    char *path = tpp_tuning_place(asked, tpp_device_caps(d));
    if (path == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    if (tpp_path_exists(path) || !tpp_path_is_folder(asked))
        s = attach(d, path);
    else
        tpp_tuning_attach(d, NULL);
    tpp_free(path);
    return s;
}

/* Takes `path` if something lies there and can be used; frees it. */
static tpp_status try_file(tpp_device *d, char *path, bool *done)
{
    tpp_status s = TPP_OK;
    *done = path != NULL && tpp_path_exists(path);
    if (*done) s = attach(d, path);
    if (s == TPP_EFORMAT || s == TPP_EIO) {
        tpp_log(TPP_LOG_WARN, "tuning", "%s; it is passed over, `tpp tune` makes it again",
                tpp_error());
        s = TPP_OK;
    }
    tpp_free(path);
    return s;
}

static tpp_status use_found(tpp_device *d)
{
    const tpp_caps *caps = tpp_device_caps(d);
    const char *home = getenv("TPP_HOME");
    char *ours = home != NULL ? tpp_path_join(home, "configs/tuning") : NULL;
    bool done = false;
    tpp_tuning_attach(d, NULL);
    tpp_status s = try_file(d, users_file(caps), &done);
    if (s == TPP_OK && !done && ours != NULL) s = try_file(d, file_in(ours, caps), &done);
    if (s == TPP_OK && !done) s = try_file(d, file_in(TPP_DATA_DIR "/configs/tuning", caps), &done);
    tpp_free(ours);
    return s;
}

tpp_status tpp_tuning_use(tpp_device *d, const char *spec)
{
    const char *asked = asked_for(spec);
    if (asked == NULL) return use_found(d);
    if (strcmp(asked, "none") != 0) return use_asked(d, asked);
    tpp_tuning_attach(d, NULL);
    return TPP_OK;
}

tpp_status tpp_tuning_use_default(tpp_device *d)
{
    return tpp_device_has_tuning(d) ? TPP_OK : tpp_tuning_use(d, NULL);
}

tpp_status tpp_tuning_start(tpp_device *d, const char *spec, char **path)
{
    const char *asked = asked_for(spec);
    char *place = tpp_tuning_place(spec, tpp_device_caps(d));
    bool done = false;
    if (place == NULL)
        return TPP_FAIL(TPP_EUSAGE, "there is no HOME to write to: --tuning FILE is wanted");
    tpp_tuning_attach(d, NULL);
    tpp_status s = TPP_OK;
    if (asked != NULL && strcmp(asked, "none") != 0 && tpp_path_exists(place))
        s = attach(d, place);
    else
        s = try_file(d, tpp_strdup(place), &done);
    if (s == TPP_OK)
        *path = place;
    else
        tpp_free(place);
    return s;
}

const char *tpp_tuning_text(const tpp_device *d)
{
    static _Thread_local char text[48];
    const tpp_tuning *t = tpp_device_tuning(d);
    tpp_str all = {0};
    int rows = 0;
    for (; t != NULL && tpp_tuning_at(t, rows) != NULL; rows++) {
        const tpp_tuned *row = tpp_tuning_at(t, rows);
        tpp_str_format(&all, "%s %s %s %s\n", row->op->name, row->bucket, row->algorithm->name,
                       tpp_params_text(row->algorithm, &row->params));
    }
    const uint64_t hash = all.length > 0 ? tpp_fnv1a64(all.text, all.length) : 0;
    (void)snprintf(text, sizeof(text), "%d choices, %08" PRIx32, rows,
                   (uint32_t)(hash ^ hash >> 32));
    tpp_str_free(&all);
    return t != NULL ? text : NULL;
}
