/* A folder of results that appears whole or not at all: files are made in a folder of their own,
 * which takes its place at the end.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_INFER_OUT_FOLDER_H
#define TPP_INFER_OUT_FOLDER_H

#include "core/path.h"
#include "core/status.h"

#include <stdbool.h>

/* Zero-initialise; discard in any state. */
typedef struct tpp_out_folder {
    char *path;    /* where results are to be */
    char *staging; /* where they are made: beside it, or in it where a rename could not put it */
} tpp_out_folder;

/* TPP_EUSAGE when `path` is a file, or a folder that is not empty without `overwrite`. */
TPP_MUST_CHECK tpp_status tpp_out_folder_open(tpp_out_folder *o, const char *path, bool overwrite);

/* Path for a file called `name` ("a.png", "masks/a.png"), in new memory of the caller; makes the
 * folder that it lies in. */
TPP_MUST_CHECK tpp_status tpp_out_folder_file(const tpp_out_folder *o, char **out,
                                              const char *name);

/* Names of all files made so far ("masks/a.png"), in byte order. Free with tpp_names_free. */
TPP_MUST_CHECK tpp_status tpp_out_folder_list(const tpp_out_folder *o, tpp_names *out);

/* Puts everything in its place and on disk. Into a place that is free or empty in one step. In a
 * folder that was there, the results that the report.json of an earlier run lists go first, and the
 * new report.json comes last: a folder that holds one is complete. In between, report.json.old or
 * report.json.new tell the next run what may lie there. Other files in it are left alone. */
TPP_MUST_CHECK tpp_status tpp_out_folder_commit(tpp_out_folder *o);

/* Removes what runs that were killed have left of results at `path`. For the one process that
 * writes there. */
void tpp_out_folder_sweep(const char *path);

/* Removes entries of `folder` called NAME.tmp.NUMBER (and NAME.tmp.NUMBER.NUMBER), which nobody
 * writes any more, where `is_mine` says so of NAME. */
typedef bool tpp_is_mine(const void *context, const char *name, bool is_folder);
void tpp_out_folder_sweep_in(const char *folder, tpp_is_mine *is_mine, const void *context);

/* Removes what was made; harmless after commit. */
void tpp_out_folder_discard(tpp_out_folder *o);

/* Removes a folder and everything in it, links not followed. */
void tpp_remove_tree(const char *folder);

#endif
