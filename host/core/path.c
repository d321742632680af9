/* Paths and files over POSIX.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "core/path.h"

#include "core/mem.h"
#include "core/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

char *tpp_path_join(const char *folder, const char *name)
{
    tpp_str s = {0};
    const size_t n = strlen(folder);
    tpp_str_format(&s, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
    return s.text;
}

const char *tpp_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

bool tpp_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool tpp_path_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

tpp_status tpp_path_is_empty(bool *out, const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return TPP_FAIL(TPP_EIO, "%s: cannot read the folder: %s", folder, strerror(errno));
    int entries = 0; /* with "." and ".." */
    while (entries < 3 && readdir(dir) != NULL) entries++;
    (void)closedir(dir);
    *out = entries < 3;
    return TPP_OK;
}

bool tpp_path_has_suffix(const char *name, const char *suffix)
{
    const size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcasecmp(name + n - m, suffix) == 0;
}

tpp_file_mark tpp_file_mark_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return (tpp_file_mark){0};
    return (tpp_file_mark){.size = st.st_size,
                           .seconds = st.st_mtim.tv_sec,
                           .nanoseconds = st.st_mtim.tv_nsec,
                           .inode = st.st_ino};
}

bool tpp_file_mark_equal(const tpp_file_mark *a, const tpp_file_mark *b)
{
    return a->size == b->size && a->seconds == b->seconds && a->nanoseconds == b->nanoseconds &&
           a->inode == b->inode;
}

void tpp_path_step(void)
{
    static atomic_long steps;
    const char *stop = getenv("TPP_TEST_STOP_AT");
    if (stop != NULL && atomic_fetch_add(&steps, 1) + 1 == strtol(stop, NULL, 10))
        (void)raise(SIGKILL);
}

/* mkdir where nothing is there yet; errno tells why not. */
static bool make_one_folder(const char *path)
{
    if (tpp_path_is_folder(path)) return true;
    tpp_path_step();
    if (mkdir(path, 0777) == 0) return true;
    const int why = errno;
    if (tpp_path_is_folder(path)) return true; /* another process was first */
    errno = why;
    return false;
}

tpp_status tpp_path_make_folder(const char *path)
{
    char *copy = tpp_strdup(path);
    if (copy == NULL) return TPP_ENOMEM;
    tpp_status s = TPP_OK;
    for (char *p = copy + (copy[0] != '\0'); s == TPP_OK; p++) {
        if (*p != '/' && *p != '\0') continue;
        const char end = *p;
        *p = '\0';
        if (!make_one_folder(copy))
            s = TPP_FAIL(TPP_EIO, "%s: cannot make the folder: %s", copy, strerror(errno));
        *p = end;
        if (end == '\0') break;
    }
    tpp_free(copy);
    return s;
}

static int compare_names(const void *a, const void *b)
{
    return tpp_str_compare_natural(*(char *const *)a, *(char *const *)b);
}

static tpp_status collect(tpp_names *found, DIR *dir, const char *folder, const char *suffix)
{
    size_t capacity = 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.') continue;
        if (suffix != NULL && !tpp_path_has_suffix(e->d_name, suffix)) continue;
        char *path = tpp_path_join(folder, e->d_name);
        if (path == NULL) return TPP_ENOMEM;
        struct stat st;
        const bool regular = stat(path, &st) == 0 && S_ISREG(st.st_mode);
        tpp_free(path);
        if (!regular) continue;
        if (found->count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            char **grown = tpp_realloc(found->name, capacity, sizeof(*grown));
            if (grown == NULL) return TPP_ENOMEM;
            found->name = grown;
        }
        found->name[found->count] = tpp_strdup(e->d_name);
        if (found->name[found->count] == NULL) return TPP_ENOMEM;
        found->count++;
    }
    return TPP_OK;
}

tpp_status tpp_path_list(tpp_names *out, const char *folder, const char *suffix)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return TPP_FAIL(TPP_EIO, "%s: cannot read the folder: %s", folder, strerror(errno));
    tpp_names found = {0};
    const tpp_status s = collect(&found, dir, folder, suffix);
    (void)closedir(dir);
    if (s != TPP_OK) {
        tpp_names_free(&found);
        return s;
    }
    if (found.count > 1) qsort(found.name, found.count, sizeof(*found.name), compare_names);
    *out = found;
    return TPP_OK;
}

void tpp_names_free(tpp_names *names)
{
    for (size_t i = 0; i < names->count; i++) tpp_free(names->name[i]);
    tpp_free(names->name);
    *names = (tpp_names){0};
}

tpp_status tpp_file_open(FILE **out, uint64_t *size, const char *path)
{
    /* Without O_NONBLOCK a pipe would wait for its writer. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
    struct stat st;
    if (f == NULL) {
        const tpp_status s = TPP_FAIL(TPP_EIO, "%s: cannot open: %s", path, strerror(errno));
        if (fd >= 0) (void)close(fd);
        return s;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)fclose(f);
        return TPP_FAIL(TPP_EIO, "%s: not a regular file", path);
    }
    *out = f;
    *size = (uint64_t)st.st_size;
    return TPP_OK;
}

tpp_status tpp_file_read(char **out, size_t *size, const char *path, size_t limit)
{
    FILE *f = NULL;
    uint64_t n = 0;
    char *bytes = NULL;
    TPP_TRY(tpp_file_open(&f, &n, path));
    tpp_status s = TPP_OK;
    if (n > limit) {
        s = TPP_FAIL(TPP_EIO, "%s: %ju bytes, at most %zu are read", path, (uintmax_t)n, limit);
        goto done;
    }
    TPP_NEW_OR(done, s, bytes, n + 1);
    if (fread(bytes, 1, (size_t)n, f) != n) {
        s = TPP_FAIL(TPP_EIO, "%s: cannot read %ju bytes", path, (uintmax_t)n);
        goto done;
    }
    *out = bytes;
    *size = (size_t)n;
    bytes = NULL;
done:
    tpp_free(bytes);
    (void)fclose(f);
    return s;
}

/* A new file that nobody else writes: threads and processes may write the same path at once. */
static FILE *create(const char *path)
{
    tpp_path_step();
    (void)unlink(path); /* left by a process of the same number that died */
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (f == NULL && fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return f;
}

tpp_status tpp_out_open(tpp_out_file *f, const char *path)
{
    static atomic_uint count;
    tpp_out_file opened = {0};
    tpp_str name = {0};
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a rename would put an end to /dev/null */
        return TPP_FAIL(TPP_EIO, "%s: cannot write: not a regular file", path);
    tpp_str_format(&name, "%s.tmp.%ld.%u", path, (long)getpid(), atomic_fetch_add(&count, 1));
    if (name.status != TPP_OK) return TPP_ENOMEM;
    opened.path = tpp_strdup(path);
    opened.stream = opened.path != NULL ? create(name.text) : NULL;
    if (opened.stream == NULL) {
        const tpp_status s = opened.path == NULL
                                 ? TPP_ENOMEM
                                 : TPP_FAIL(TPP_EIO, "%s: cannot write: %s", path, strerror(errno));
        tpp_free(name.text);
        tpp_free(opened.path);
        return s;
    }
    opened.temporary = name.text;
    *f = opened;
    return TPP_OK;
}

void tpp_path_sync_folder(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    (void)close(fd);
}

void tpp_path_sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? tpp_strdup(".") : tpp_strndup(path, (size_t)(slash - path) + 1);
    if (folder != NULL) tpp_path_sync_folder(folder);
    tpp_free(folder);
}

static int replace(const char *from, const char *to)
{
    tpp_path_step();
    return rename(from, to);
}

tpp_status tpp_out_commit(tpp_out_file *f)
{
    tpp_path_step(); /* only part of the bytes is in the file yet */
    const bool bad =
        ferror(f->stream) != 0 || fflush(f->stream) != 0 || fsync(fileno(f->stream)) != 0;
    const int flush_error = errno;
    const bool unclosed = fclose(f->stream) != 0;
    f->stream = NULL;
    tpp_status s = TPP_OK;
    if (bad || unclosed)
        s = TPP_FAIL(TPP_EIO, "%s: cannot write: %s", f->path, strerror(bad ? flush_error : errno));
    else if (replace(f->temporary, f->path) != 0)
        s = TPP_FAIL(TPP_EIO, "%s: cannot rename into place: %s", f->path, strerror(errno));
    else
        tpp_path_sync_folder_of(f->path); /* a rename is durable only with its folder */
    if (s == TPP_OK) {
        tpp_free(f->temporary);
        f->temporary = NULL;
    }
    tpp_out_discard(f);
    return s;
}

void tpp_out_discard(tpp_out_file *f)
{
    if (f->stream != NULL) (void)fclose(f->stream);
    if (f->temporary != NULL) (void)unlink(f->temporary);
    tpp_free(f->temporary);
    tpp_free(f->path);
    *f = (tpp_out_file){0};
}

tpp_status tpp_file_write(const char *path, const void *bytes, size_t size)
{
    tpp_out_file f = {0};
    TPP_TRY(tpp_out_open(&f, path));
    (void)fwrite(bytes, 1, size, f.stream); /* a short write shows in ferror at commit */
    return tpp_out_commit(&f);
}

char *tpp_path_cache_folder(void)
{
    const char *own = getenv("TPP_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    char *folder = NULL;
    if (own != NULL && own[0] != '\0')
        folder = tpp_strdup(own);
    else if (xdg != NULL && xdg[0] == '/')
        folder = tpp_path_join(xdg, "tpp");
    else if (home != NULL && home[0] == '/')
        folder = tpp_path_join(home, ".cache/tpp");
    if (folder == NULL) return NULL;
    if (tpp_path_make_folder(folder) == TPP_OK && access(folder, W_OK) == 0) return folder;
    tpp_free(folder);
    return NULL;
}
