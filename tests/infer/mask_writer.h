/* Writes masks of one target as a run does, frame by frame. For the tests of sequences.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TESTS_INFER_MASK_WRITER_H
#define TPP_TESTS_INFER_MASK_WRITER_H

#include "core/mem.h"
#include "infer/masks.h"

static tpp_target writer_target = {.name = "object", .title = "object"};
static const tpp_targets writer_targets = {&writer_target, 1};

typedef struct mask_writer {
    const tpp_frames *frames;
    tpp_mask_store store;
    tpp_found *found;
} mask_writer;

static inline tpp_status writer_open(mask_writer *w, const tpp_frames *f)
{
    *w = (mask_writer){.frames = f};
    TPP_NEW(w->found, f->count);
    return tpp_mask_store_open(&w->store, f->count, (int64_t)f->width * f->height);
}

static inline void writer_close(mask_writer *w)
{
    tpp_mask_store_close(&w->store);
    tpp_free(w->found);
}

static inline tpp_status writer_write(const mask_writer *w, const char *folder)
{
    tpp_out_folder out = {0};
    const tpp_masks m = {.frames = w->frames,
                         .targets = &writer_targets,
                         .store = &w->store,
                         .found = w->found,
                         .version = "0"};
    TPP_TRY(tpp_out_folder_open(&out, folder, true));
    tpp_status s = tpp_masks_write(&m, &out);
    if (s == TPP_OK) s = tpp_out_folder_commit(&out);
    tpp_out_folder_discard(&out);
    return s;
}

#endif
