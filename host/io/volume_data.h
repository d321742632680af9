/* Voxels behind a header: in the same file or in one beside it, plain, deflated or as text; and
 * the way back. What NRRD and MetaImage share, and parts that NIfTI uses too.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_VOLUME_DATA_H
#define TPP_IO_VOLUME_DATA_H

#include "core/status.h"
#include "core/str.h"
#include "io/volume.h"
#include "io/volume_file.h"
#include "io/voxels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TPP_VOLUME_PADDING = 4096 }; /* most zero bytes that may follow the voxels */

/* --- text headers --- */

/* Is this line the last of a header? It may lack its end. */
typedef bool tpp_header_ends(const char *line, size_t length);

/* The lines of a text header up to the one that ends it, in new memory of the caller, with a NUL
 * that `size` does not count. *ended: there is such a line, and the file goes on at *size. */
TPP_MUST_CHECK tpp_status tpp_header_read(char **out, size_t *size, bool *ended, const char *path,
                                          tpp_header_ends *ends);

/* White space within a line, as strtod has it. */
static inline bool tpp_header_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next line from *at on, its end and white space at both sides left out; false: none. */
bool tpp_header_line(const char **line, size_t *length, const char **at);

/* Up to `most` numbers of `text`; -1 when something else is there. */
int tpp_header_numbers(double *out, int most, const char *text);

/* A field's name in a format, and its place among the values; several names may share one. */
typedef struct tpp_header_name {
    const char *name;
    int field;
} tpp_header_name;

/* The place of a name, letter case aside; -1: none of these. `names` ends with a NULL. */
int tpp_header_find(const tpp_header_name *names, const char *name, size_t length);

/* Keeps a copy of a field's value. TPP_EFORMAT when it has another one already. */
TPP_MUST_CHECK tpp_status tpp_header_keep(char **value, const char *text, size_t length,
                                          const char *name, const char *path);

/* The next word of a list of axes: (0,0,1), "mm", or what stands between spaces. */
bool tpp_header_word(const char **word, size_t *length, const char **at);

/* Appends the words of `text` for which `keep` is true, a space before each. */
void tpp_header_select(tpp_str *out, const char *text, const bool *keep, size_t n);

/* A whole number from `low` to `high` that is a field's value. */
TPP_MUST_CHECK tpp_status tpp_header_integer(int64_t *out, const char *text, int64_t low,
                                             int64_t high, const char *name, const char *path);

/* Path of a data file that the header `path` names, in new memory of the caller. A name that leads
 * out of the header's folder is TPP_EUNSUPPORTED: it could be a file that the user did not mean.
 * TPP_EIO: it is not there. */
TPP_MUST_CHECK tpp_status tpp_data_path(char **out, const char *path, const char *name);

/* --- voxels --- */

typedef enum tpp_data_encoding {
    TPP_DATA_RAW,
    TPP_DATA_DEFLATED, /* gzip or zlib, by its first bytes */
    TPP_DATA_TEXT
} tpp_data_encoding;

typedef struct tpp_data_plan {
    const char *path; /* of the file that has the voxels */
    tpp_data_encoding encoding;
    uint64_t offset;    /* where they begin in it */
    uint64_t line_skip; /* lines to leave out from there */
    int64_t byte_skip;  /* then bytes, after inflating; -1: the voxels end with the file */
    tpp_voxel_layout layout;
    int64_t times, time; /* volumes, one after another, and the one that is wanted */
} tpp_data_plan;

/* Reads v->voxels; dim[0..2], slope and intercept of `v` are set. All that the plan promises has to
 * be there, and nothing but a little zero padding behind it. `limit`: as in tpp_volume_options. */
TPP_MUST_CHECK tpp_status tpp_data_read(tpp_volume *v, const tpp_data_plan *plan, uint64_t limit);

/* The time point that `o` chooses of `count`. */
TPP_MUST_CHECK tpp_status tpp_volume_choose_time(int64_t *out, int64_t count,
                                                 const tpp_volume_options *o, const char *path);
/* A clip's moments are frames: no time point is chosen. */
TPP_MUST_CHECK tpp_status tpp_volume_check_clip(const tpp_volume_options *o, const char *path);

/* --- results --- */

typedef enum tpp_packing {
    TPP_PACK_NONE,
    TPP_PACK_GZIP,      /* the whole file */
    TPP_PACK_DATA_GZIP, /* what follows the header */
    TPP_PACK_DATA_ZLIB
} tpp_packing;

typedef struct tpp_result {
    const uint8_t *header;
    size_t header_size;
    const uint8_t *labels; /* either these */
    const float *values;   /* or these, written as float32 */
    bool big;              /* byte order of values */
    size_t count;
    tpp_packing packing;
    size_t size_at; /* where TPP_RESULT_DIGITS bytes of the header take the size of the packed
                     * voxels; 0: nowhere */
} tpp_result;
enum { TPP_RESULT_DIGITS = 20 };

/* Writes header and voxels; the file appears whole or not at all. */
TPP_MUST_CHECK tpp_status tpp_result_write(const char *path, const tpp_result *r);

#endif
