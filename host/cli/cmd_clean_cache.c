/* tpp clean-cache: what lies in the cache folder, and its removal.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cl/cache.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "core/mem.h"
#include "core/path.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct clean_arguments {
    bool dry_run, json, quiet;
} clean_arguments;
#define AT(member) offsetof(clean_arguments, member)

typedef struct tally {
    int64_t files, bytes, kept; /* kept: not this program's */
} tally;

/* A file that a running program is still writing is left alone. */
static bool is_ours(const char *name)
{
    long writer = 0;
    if (!tpp_cache_is_entry(name, &writer)) return false;
    return writer == 0 || (kill((pid_t)writer, 0) != 0 && errno == ESRCH);
}

/* lstat, so that a link is never followed; removing one removes the link. */
static tpp_status clean_file(tally *t, const char *folder, const char *name, bool dry_run)
{
    struct stat st;
    if (!is_ours(name)) {
        t->kept++;
        return TPP_OK;
    }
    char *path = tpp_path_join(folder, name);
    if (path == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    const bool is_there = lstat(path, &st) == 0;
    if (is_there && !dry_run && unlink(path) != 0)
        s = TPP_FAIL(TPP_EIO, "%s: cannot be removed: %s", path, strerror(errno));
    if (is_there && s == TPP_OK) {
        t->files++;
        t->bytes += st.st_size;
    }
    tpp_free(path);
    return s;
}

static tpp_status clean(tally *t, const char *folder, bool dry_run)
{
    tpp_names names = {0};
    TPP_TRY(tpp_path_list(&names, folder, NULL));
    tpp_status s = TPP_OK;
    for (size_t i = 0; i < names.count && s == TPP_OK; i++)
        s = clean_file(t, folder, names.name[i], dry_run);
    tpp_names_free(&names);
    return s;
}

static tpp_status tell(const tally *t, const char *folder, const clean_arguments *a)
{
    if (a->json)
        return tpp_json_print(json_pack("{s:o, s:b, s:I, s:I, s:I}", "folder",
                                        tpp_json_text(folder), "removed", !a->dry_run, "files",
                                        (json_int_t)t->files, "bytes", (json_int_t)t->bytes,
                                        "other_files", (json_int_t)t->kept));
    if (a->quiet) return TPP_OK;
    (void)printf("%s: %s%" PRId64 " compiled kernels, %" PRId64 " bytes", folder,
                 a->dry_run ? "would remove " : "removed ", t->files, t->bytes);
    if (t->kept > 0) (void)printf("; %" PRId64 " other files stay", t->kept);
    (void)putchar('\n');
    return TPP_OK;
}

static int run_clean(void *arguments)
{
    const clean_arguments *a = arguments;
    tally t = {0};
    char *folder = tpp_path_cache_folder();
    tpp_status s = TPP_OK;
    if (folder == NULL)
        s = TPP_FAIL(TPP_EIO, "there is no cache folder that can be written; TPP_CACHE_DIR names "
                              "one");
    if (s == TPP_OK) s = clean(&t, folder, a->dry_run);
    if (s == TPP_OK) s = tell(&t, folder, a);
    tpp_free(folder);
    return tpp_exit_with("clean-cache", s, false);
}

static const tpp_option options[] = {
    {'n', "dry-run", TPP_OPTION_FLAG, AT(dry_run), NULL, .help = "tell, remove nothing"},
    {'j', "json", TPP_OPTION_FLAG, AT(json), NULL, .help = "as JSON"},
    {'q', "quiet", TPP_OPTION_FLAG, AT(quiet), NULL, .help = "errors only"},
    {0},
};

const tpp_command tpp_command_clean_cache = {
    .name = "clean-cache",
    .help = "remove the compiled kernels that runs have kept",
    .synopsis = "[--dry-run] [--json]",
    .about =
        "Removes the compiled kernels from the cache folder, and says how many bytes they took.\n"
        "They are compiled again when they are needed. Other files in the folder stay.",
    .examples = "  tpp clean-cache --dry-run\n  tpp clean-cache\n",
    .options = {options},
    .size = sizeof(clean_arguments),
    .run = run_clean};
