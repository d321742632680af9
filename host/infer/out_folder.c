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
    tpp_path_step();
    (void)(is_folder ? rmdir(path) : unlink(path));
    return TPP_OK;
}

void tpp_remove_tree(const char *folder)
{
    (void)remove_one(NULL, folder, NULL, true);
}

/* ---- opening ---- */

static tpp_status check_place(const char *path, bool overwrite)
{
    bool empty = true;
    if (path[0] == '\0') return TPP_FAIL(TPP_EUSAGE, "the folder for results has no name");
    if (!tpp_path_exists(path)) return TPP_OK;
    if (!tpp_path_is_folder(path))
        return TPP_FAIL(TPP_EUSAGE, "%s: results go into a folder, and this is a file", path);
    TPP_TRY(tpp_path_is_empty(&empty, path));
    if (!empty && !overwrite)
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

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? tpp_strdup(".") : tpp_strndup(path, (size_t)(slash - path) + 1);
}

/* Can nothing be renamed into this place? A mount point, or a folder in one that is read-only. */
static tpp_status must_stage_inside(bool *out, const char *path)
{
    struct stat own, above;
    *out = false;
    if (stat(path, &own) != 0) return TPP_OK;
    char *parent = parent_of(path);
    if (parent == NULL) return TPP_ENOMEM;
    *out = stat(parent, &above) != 0 || above.st_dev != own.st_dev || access(parent, W_OK) != 0;
    tpp_free(parent);
    return TPP_OK;
}

static const char inside_name[] = "staging";

static tpp_status make_staging(tpp_out_folder *o)
{
    bool inside = false;
    tpp_str name = {0};
    TPP_TRY(must_stage_inside(&inside, o->path));
    tpp_str_format(&name, "%s%s%s.tmp.%ld", o->path, inside ? "/" : "", inside ? inside_name : "",
                   (long)getpid());
    o->staging = name.text;
    TPP_TRY(name.status);
    return tpp_path_make_folder(o->staging);
}

tpp_status tpp_out_folder_open(tpp_out_folder *o, const char *path, bool overwrite)
{
    TPP_TRY(check_place(path, overwrite));
    tpp_out_folder made = {.path = without_slashes(path)};
    if (made.path == NULL) return TPP_ENOMEM;
    const tpp_status s = make_staging(&made);
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

/* ---- results of an earlier run ---- */

static const char report_name[] = "report.json";
/* While results change, in place of the report: they list what may lie there. */
static const char old_name[] = "report.json.old", new_name[] = "report.json.new";
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
    tpp_path_step();
    (void)unlink(path);
    for (char *slash = strrchr(path, '/'); slash > path + strlen(folder);
         slash = strrchr(path, '/')) {
        *slash = '\0'; /* the folders it lay in, once they are empty */
        if (rmdir(path) != 0) break;
    }
    tpp_free(path);
    return TPP_OK;
}

/* A report that cannot be read lists nothing. */
static tpp_status remove_listed(const char *folder, const char *report)
{
    char *text = NULL;
    size_t size = 0, i = 0;
    json_t *item = NULL;
    tpp_status s = tpp_file_read(&text, &size, report, MAX_REPORT_BYTES);
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

/* Removes what the report called `name` lists, then the report. */
static tpp_status clear(const char *folder, const char *name)
{
    char *report = tpp_path_join(folder, name);
    if (report == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    if (tpp_path_exists(report)) {
        s = remove_listed(folder, report);
        tpp_path_step();
        if (s == TPP_OK) (void)unlink(report);
    }
    tpp_free(report);
    return s;
}

/* ---- moving ---- */

/* Moves a file into `folder` as `name`. */
static tpp_status move_file(const char *from, const char *folder, const char *name)
{
    char *to = tpp_path_join(folder, name);
    if (to == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    tpp_path_step();
    if (rename(from, to) != 0)
        s = TPP_FAIL(TPP_EIO, "%s: cannot put the file in its place: %s", to, strerror(errno));
    tpp_free(to);
    return s;
}

/* The same from one name in `folder` to another; a missing file is fine. */
static tpp_status rename_in(const char *folder, const char *name, const char *to)
{
    char *from = tpp_path_join(folder, name);
    if (from == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_path_exists(from) ? move_file(from, folder, to) : TPP_OK;
    tpp_free(from);
    tpp_path_sync_folder(folder);
    return s;
}

/* Moves one entry of the staging folder into the folder `context`; folders by their content. */
static tpp_status move_one(void *context, const char *path, const char *name, bool is_folder)
{
    if (!is_folder) return move_file(path, context, name);
    char *to = tpp_path_join(context, name);
    if (to == NULL) return TPP_ENOMEM;
    tpp_status s = tpp_path_make_folder(to);
    if (s == TPP_OK) s = for_each(path, move_one, to);
    tpp_path_sync_folder(to);
    tpp_free(to);
    return s;
}

/* Results of an earlier run must not mix with new ones, wherever this is interrupted. */
static tpp_status move_into_folder(const tpp_out_folder *o)
{
    TPP_TRY(clear(o->path, new_name)); /* of a run that was interrupted here */
    TPP_TRY(clear(o->path, old_name));
    TPP_TRY(rename_in(o->path, report_name, old_name));
    TPP_TRY(clear(o->path, old_name));
    char *report = tpp_path_join(o->staging, report_name);
    if (report == NULL) return TPP_ENOMEM;
    tpp_status s = tpp_path_exists(report) ? move_file(report, o->path, new_name) : TPP_OK;
    tpp_free(report);
    tpp_path_sync_folder(o->path);
    if (s == TPP_OK) s = for_each(o->staging, move_one, o->path);
    tpp_path_sync_folder(o->path);
    return s == TPP_OK ? rename_in(o->path, new_name, report_name) : s;
}

tpp_status tpp_out_folder_commit(tpp_out_folder *o)
{
    tpp_path_step();
    /* An empty folder gives way to a rename, which is one step. */
    if (rename(o->staging, o->path) != 0) {
        if (!tpp_path_is_folder(o->path))
            return TPP_FAIL(TPP_EIO, "%s: cannot make the folder: %s", o->path, strerror(errno));
        TPP_TRY(move_into_folder(o));
    }
    tpp_path_sync_folder_of(o->path);
    tpp_out_folder_discard(o);
    return TPP_OK;
}

/* ---- leftovers ---- */

typedef struct sweeping {
    tpp_is_mine *is_mine;
    const void *context;
} sweeping;

static tpp_status sweep_one(void *context, const char *path, const char *name, bool is_folder)
{
    static const char mark[] = ".tmp.";
    const sweeping *s = context;
    const char *end = strstr(name, mark);
    if (end == NULL) return TPP_OK;
    const char *number = end + sizeof(mark) - 1;
    if (number[0] == '\0' || strspn(number, "0123456789.") != strlen(number)) return TPP_OK;
    char *of = tpp_strndup(name, (size_t)(end - name));
    if (of == NULL) return TPP_ENOMEM;
    if (s->is_mine(s->context, of, is_folder)) (void)remove_one(NULL, path, name, is_folder);
    tpp_free(of);
    return TPP_OK;
}

void tpp_out_folder_sweep_in(const char *folder, tpp_is_mine *is_mine, const void *context)
{
    sweeping s = {is_mine, context};
    (void)for_each(folder, sweep_one, &s);
}

static bool is_called(const void *context, const char *name, bool is_folder)
{
    return is_folder && strcmp(name, context) == 0;
}

void tpp_out_folder_sweep(const char *path)
{
    char *clean = without_slashes(path);
    char *parent = clean != NULL ? parent_of(clean) : NULL;
    if (parent != NULL) {
        tpp_out_folder_sweep_in(parent, is_called, tpp_path_base(clean));
        tpp_out_folder_sweep_in(clean, is_called, inside_name);
    }
    tpp_free(parent);
    tpp_free(clean);
}

void tpp_out_folder_discard(tpp_out_folder *o)
{
    if (o->staging != NULL) tpp_remove_tree(o->staging);
    tpp_free(o->staging);
    tpp_free(o->path);
    *o = (tpp_out_folder){0};
}
