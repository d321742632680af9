/* Folders of results, staged and moved.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "infer/out_folder.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/str.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- walking ---- */

typedef tpp_status visitor(void *context, const char *path, const char *name, bool is_folder);

static bool is_folder_itself(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Calls `visit` for everything in `folder`, links not followed; a missing folder is empty. */
static tpp_status for_each(const char *folder, visitor *visit, void *context)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) return TPP_OK;
    tpp_status s = TPP_OK;
    for (const struct dirent *e = readdir(dir); e != NULL && s == TPP_OK; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char *path = tpp_path_join(folder, e->d_name);
        if (path == NULL) {
            s = TPP_ENOMEM;
            break;
        }
        s = visit(context, path, e->d_name, is_folder_itself(path));
        tpp_free(path);
    }
    (void)closedir(dir);
    return s;
}

static tpp_status remove_one(void *context, const char *path, const char *name, bool is_folder)
{
    (void)context;
    (void)name;
    if (is_folder) TPP_TRY(for_each(path, remove_one, NULL));
    (void)(is_folder ? rmdir(path) : unlink(path));
    return TPP_OK;
}

static void remove_tree(const char *folder)
{
    (void)for_each(folder, remove_one, NULL);
    (void)rmdir(folder);
}

static tpp_status count_one(void *context, const char *path, const char *name, bool is_folder)
{
    (void)path;
    (void)name;
    (void)is_folder;
    ++*(int *)context;
    return TPP_OK;
}

/* ---- opening ---- */

static tpp_status check_place(const char *path, bool overwrite)
{
    int entries = 0;
    if (path[0] == '\0') return TPP_FAIL(TPP_EUSAGE, "the folder for results has no name");
    if (!tpp_path_exists(path)) return TPP_OK;
    if (!tpp_path_is_folder(path))
        return TPP_FAIL(TPP_EUSAGE, "%s: results go into a folder, and this is a file", path);
    TPP_TRY(for_each(path, count_one, &entries));
    if (entries > 0 && !overwrite)
        return TPP_FAIL(TPP_EUSAGE, "%s: the folder is not empty; --overwrite replaces results",
                        path);
    return TPP_OK;
}

static char *without_slashes(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    return tpp_strndup(path, n);
}

tpp_status tpp_out_folder_open(tpp_out_folder *o, const char *path, bool overwrite)
{
    TPP_TRY(check_place(path, overwrite));
    tpp_out_folder made = {.path = without_slashes(path)};
    tpp_str name = {0};
    tpp_status s = TPP_OK;
    if (made.path == NULL) return TPP_ENOMEM;
    tpp_str_format(&name, "%s.tmp.%ld", made.path, (long)getpid());
    made.staging = name.text;
    s = name.status;
    if (s == TPP_OK) s = tpp_path_make_folder(made.staging);
    if (s != TPP_OK) {
        tpp_free(made.staging); /* nothing of ours is on disk */
        tpp_free(made.path);
        return s;
    }
    *o = made;
    return TPP_OK;
}

tpp_status tpp_out_folder_file(const tpp_out_folder *o, char **out, const char *name)
{
    char *path = tpp_path_join(o->staging, name);
    if (path == NULL) return TPP_ENOMEM;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    const tpp_status s = tpp_path_make_folder(path);
    *slash = '/';
    if (s != TPP_OK) {
        tpp_free(path);
        return s;
    }
    *out = path;
    return TPP_OK;
}

/* ---- what is in it ---- */

typedef struct listing {
    size_t skip; /* bytes of a path before a name */
    tpp_names names;
} listing;

static tpp_status list_one(void *context, const char *path, const char *name, bool is_folder)
{
    listing *l = context;
    (void)name;
    if (is_folder) return for_each(path, list_one, l);
    char **grown = tpp_realloc(l->names.name, l->names.count + 1, sizeof(*grown));
    if (grown == NULL) return TPP_ENOMEM;
    l->names.name = grown;
    grown[l->names.count] = tpp_strdup(path + l->skip);
    if (grown[l->names.count] == NULL) return TPP_ENOMEM;
    l->names.count++;
    return TPP_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

tpp_status tpp_out_folder_list(const tpp_out_folder *o, tpp_names *out)
{
    listing l = {.skip = strlen(o->staging) + 1};
    const tpp_status s = for_each(o->staging, list_one, &l);
    if (s != TPP_OK) {
        tpp_names_free(&l.names);
        return s;
    }
    if (l.names.count > 1) qsort(l.names.name, l.names.count, sizeof(*l.names.name), by_bytes);
    *out = l.names;
    return TPP_OK;
}

/* ---- the end ---- */

static const char report_name[] = "report.json";
enum { MAX_REPORT_BYTES = 64 << 20 };

/* A path that a report lists, if it is one below its folder. */
static bool is_below(const char *name)
{
    return name[0] != '/' && name[0] != '\0' && strcmp(name, "..") != 0 &&
           strncmp(name, "../", 3) != 0 && strstr(name, "/../") == NULL &&
           !tpp_path_has_suffix(name, "/..");
}

static tpp_status remove_result(const char *folder, const char *name)
{
    char *path = tpp_path_join(folder, name);
    if (path == NULL) return TPP_ENOMEM;
    (void)unlink(path);
    for (char *slash = strrchr(path, '/'); slash > path + strlen(folder);
         slash = strrchr(path, '/')) {
        *slash = '\0'; /* the folders it lay in, once they are empty */
        if (rmdir(path) != 0) break;
    }
    tpp_free(path);
    return TPP_OK;
}

/* Removes the results that the earlier report lists. A report that cannot be read lists none. */
static tpp_status clear_results(const char *folder, const char *report)
{
    char *text = NULL;
    size_t size = 0, i = 0;
    json_t *item = NULL;
    tpp_status s = tpp_file_read(&text, &size, report, MAX_REPORT_BYTES);
    (void)unlink(report); /* from here on the folder holds no complete run */
    tpp_path_sync_folder_of(report);
    if (s != TPP_OK) return s == TPP_ENOMEM ? s : TPP_OK;
    json_t *all = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    tpp_free(text);
    json_array_foreach(json_object_get(all, "outputs"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "path"));
        if (s == TPP_OK && name != NULL && is_below(name)) s = remove_result(folder, name);
    }
    json_decref(all);
    return s;
}

/* Results of an earlier run must not mix with new ones. */
static tpp_status clear_earlier(const char *folder)
{
    char *report = tpp_path_join(folder, report_name);
    if (report == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_path_exists(report) ? clear_results(folder, report) : TPP_OK;
    tpp_free(report);
    return s;
}

/* Moves one entry of the staging folder into the folder `context`; folders by their content. */
static tpp_status move_one(void *context, const char *path, const char *name, bool is_folder)
{
    char *to = tpp_path_join(context, name);
    if (to == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    if (is_folder) {
        s = tpp_path_make_folder(to);
        if (s == TPP_OK) s = for_each(path, move_one, to);
    } else if (rename(path, to) != 0) {
        s = TPP_FAIL(TPP_EIO, "%s: cannot put the file in its place: %s", to, strerror(errno));
    }
    tpp_free(to);
    return s;
}

static tpp_status move_all_but_report(void *context, const char *path, const char *name,
                                      bool is_folder)
{
    if (strcmp(name, report_name) == 0) return TPP_OK;
    return move_one(context, path, name, is_folder);
}

static tpp_status move_report(const tpp_out_folder *o)
{
    char *from = tpp_path_join(o->staging, report_name);
    if (from == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    if (tpp_path_exists(from)) s = move_one(o->path, from, report_name, false);
    tpp_path_sync_folder_of(from);
    tpp_free(from);
    return s;
}

tpp_status tpp_out_folder_commit(tpp_out_folder *o)
{
    /* An empty folder gives way to a rename, which is one step. */
    if (rename(o->staging, o->path) != 0) {
        if (!tpp_path_is_folder(o->path))
            return TPP_FAIL(TPP_EIO, "%s: cannot make the folder: %s", o->path, strerror(errno));
        TPP_TRY(clear_earlier(o->path));
        TPP_TRY(for_each(o->staging, move_all_but_report, o->path));
        TPP_TRY(move_report(o));
    }
    tpp_path_sync_folder_of(o->path);
    tpp_out_folder_discard(o);
    return TPP_OK;
}

/* ---- leftovers ---- */

static bool is_staging_of(const char *base, const char *name)
{
    static const char mark[] = ".tmp.";
    const size_t n = strlen(base);
    if (strncmp(name, base, n) != 0 || strncmp(name + n, mark, sizeof(mark) - 1) != 0) return false;
    const char *digits = name + n + sizeof(mark) - 1;
    return digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

static tpp_status sweep_one(void *context, const char *path, const char *name, bool is_folder)
{
    if (is_folder && is_staging_of(context, name)) remove_tree(path);
    return TPP_OK;
}

void tpp_out_folder_sweep(const char *path)
{
    char *clean = without_slashes(path);
    if (clean == NULL) return;
    char *slash = strrchr(clean, '/');
    if (slash == NULL) {
        (void)for_each(".", sweep_one, clean);
    } else {
        *slash = '\0';
        (void)for_each(slash == clean ? "/" : clean, sweep_one, slash + 1);
    }
    tpp_free(clean);
}

void tpp_out_folder_discard(tpp_out_folder *o)
{
    if (o->staging != NULL) remove_tree(o->staging);
    tpp_free(o->staging);
    tpp_free(o->path);
    *o = (tpp_out_folder){0};
}
