/* Paths, folders, whole files, and files that appear whole or not at all.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_CORE_PATH_H
#define TPP_CORE_PATH_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "a/b", in new memory of the caller; NULL: out of memory. */
char *tpp_path_join(const char *folder, const char *name);

/* Last part of a path, borrowed. */
const char *tpp_path_base(const char *path);

bool tpp_path_exists(const char *path);
bool tpp_path_is_folder(const char *path);

/* Is nothing in the folder, hidden files neither? */
TPP_MUST_CHECK tpp_status tpp_path_is_empty(bool *out, const char *folder);

/* Does `name` end in `suffix`, letter case aside? */
bool tpp_path_has_suffix(const char *name, const char *suffix);

/* Makes a folder and its parents; one that is there already is fine. */
TPP_MUST_CHECK tpp_status tpp_path_make_folder(const char *path);

/* What tells whether a file was changed: of a folder, whether files came or went. Zero: no file. */
typedef struct tpp_file_mark {
    int64_t size, seconds, nanoseconds;
    uint64_t inode;
} tpp_file_mark;
tpp_file_mark tpp_file_mark_of(const char *path);
bool tpp_file_mark_equal(const tpp_file_mark *a, const tpp_file_mark *b);

/* Names (not paths) of regular files in `folder` that end in `suffix` (NULL: all), sorted as people
 * count (tpp_str_compare_natural), hidden ones left out. Free with tpp_names_free. */
typedef struct tpp_names {
    char **name;
    size_t count;
} tpp_names;
TPP_MUST_CHECK tpp_status tpp_path_list(tpp_names *out, const char *folder, const char *suffix);
void tpp_names_free(tpp_names *names);

/* Opens a regular file for reading, and says how many bytes it has; anything else is TPP_EIO. */
TPP_MUST_CHECK tpp_status tpp_file_open(FILE **out, uint64_t *size, const char *path);

/* Whole file in new memory of the caller, with a NUL after it that `size` does not count.
 * TPP_EIO when it is missing, no regular file, or larger than `limit` bytes. */
TPP_MUST_CHECK tpp_status tpp_file_read(char **out, size_t *size, const char *path, size_t limit);

/* A file under a temporary name beside its place; commit flushes it to disk and renames it.
 * Zero-initialise. A file that was opened and not committed is removed by discard. A path that is
 * there and no regular file (a folder, /dev/null) is refused when it is opened: TPP_EIO. */
typedef struct tpp_out_file {
    FILE *stream; /* write here */
    char *path, *temporary;
} tpp_out_file;
TPP_MUST_CHECK tpp_status tpp_out_open(tpp_out_file *f, const char *path);
TPP_MUST_CHECK tpp_status tpp_out_commit(tpp_out_file *f);
void tpp_out_discard(tpp_out_file *f); /* harmless after commit, and on a zeroed struct */

/* Puts on disk what was renamed into, or removed from, a folder; or the one that `path` lies in. */
void tpp_path_sync_folder(const char *folder);
void tpp_path_sync_folder_of(const char *path);

/* For tests: called before every step that changes what lies on disk. TPP_TEST_STOP_AT=n kills the
 * process (SIGKILL) before its n-th, n from 1. */
void tpp_path_step(void);

/* The three calls in one, for bytes that are in memory. */
TPP_MUST_CHECK tpp_status tpp_file_write(const char *path, const void *bytes, size_t size);

/* Cache folder of the program: TPP_CACHE_DIR, else XDG_CACHE_HOME/tpp, else ~/.cache/tpp;
 * made if absent. NULL when there is none that can be written; the caller frees. */
char *tpp_path_cache_folder(void);

#endif
