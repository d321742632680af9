/* Hashes of files with what belongs to them, and of folders.
 * SPDX-License-Identifier: MIT */
#include "io/hash_input.h"

#include "core/mem.h"
#include "core/path.h"

#include <stdio.h>
#include <string.h>

enum { MAX_HEADER = 64 << 10 };

tpp_status tpp_hash_add_file(tpp_str *all, const char *name, const char *path)
{
    tpp_sha256 hash;
    TPP_TRY(tpp_sha256_file(&hash, path));
    tpp_str_format(all, "%s %s\n", hash.hex, name);
    return all->status;
}

/* ---- input ---- */

static tpp_status add_folder(tpp_str *all, const char *folder)
{
    tpp_names names = {0};
    TPP_TRY(tpp_path_list(&names, folder, NULL));
    tpp_status s = TPP_OK;
    for (size_t i = 0; i < names.count && s == TPP_OK; i++) {
        char *path = tpp_path_join(folder, names.name[i]);
        s = path != NULL ? tpp_hash_add_file(all, names.name[i], path) : TPP_ENOMEM;
        tpp_free(path);
    }
    tpp_names_free(&names);
    return s;
}

/* The value behind `key` at the start of a line of a text header, up to the end of its line. */
static char *header_value(const char *text, size_t size, const char *key)
{
    const size_t n = strlen(key);
    for (const char *line = text, *end = text + size; line != NULL && line + n < end;) {
        if (strncmp(line, key, n) == 0) {
            const char *from = line + n + strspn(line + n, " \t=:");
            return tpp_strndup(from, strcspn(from, "\r\n"));
        }
        line = memchr(line, '\n', (size_t)(end - line));
        if (line != NULL) line++;
    }
    return NULL;
}

/* Name of the file with the voxels beside a header; NULL: there is none. */
static char *data_file_of(const char *path)
{
    char head[MAX_HEADER + 1];
    FILE *f = NULL;
    if (tpp_path_has_suffix(path, ".hdr")) {
        const char *base = tpp_path_base(path);
        tpp_str s = {0};
        tpp_str_format(&s, "%.*s.img", (int)strlen(base) - 4, base);
        return s.text;
    }
    if (!tpp_path_has_suffix(path, ".mhd") && !tpp_path_has_suffix(path, ".nhdr")) return NULL;
    if ((f = fopen(path, "rb")) == NULL) return NULL;
    const size_t got = fread(head, 1, MAX_HEADER, f);
    (void)fclose(f);
    head[got] = '\0';
    char *name = header_value(head, got, "ElementDataFile");
    return name != NULL ? name : header_value(head, got, "data file");
}

static tpp_status add_data_file(tpp_str *all, const char *path)
{
    char *name = data_file_of(path);
    if (name == NULL) return TPP_OK;
    tpp_str beside = {0};
    tpp_str_format(&beside, "%.*s%s", (int)(tpp_path_base(path) - path), path, name);
    tpp_status s = beside.status;
    if (s == TPP_OK && tpp_path_exists(beside.text)) s = tpp_hash_add_file(all, name, beside.text);
    tpp_str_free(&beside);
    tpp_free(name);
    return s;
}

tpp_status tpp_hash_input(tpp_sha256 *out, const char *path)
{
    tpp_str all = {0};
    tpp_status s = TPP_OK;
    if (tpp_path_is_folder(path)) {
        s = add_folder(&all, path);
    } else {
        s = tpp_hash_add_file(&all, tpp_path_base(path), path);
        if (s == TPP_OK) s = add_data_file(&all, path);
    }
    if (s == TPP_OK) s = tpp_sha256_bytes(out, all.text != NULL ? all.text : "", all.length);
    tpp_str_free(&all);
    return s;
}
