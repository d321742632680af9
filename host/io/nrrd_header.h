/* What a NRRD header says, checked. For nrrd*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_NRRD_HEADER_H
#define TPP_IO_NRRD_HEADER_H

#include "core/status.h"
#include "io/volume_data.h"
#include "io/voxels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tpp_nrrd_field {
    TPP_NRRD_DIMENSION,
    TPP_NRRD_TYPE,
    TPP_NRRD_ENCODING,
    TPP_NRRD_ENDIAN,
    TPP_NRRD_DATA_FILE,
    TPP_NRRD_LINE_SKIP,
    TPP_NRRD_BYTE_SKIP,
    TPP_NRRD_SPACE,
    TPP_NRRD_SPACE_DIMENSION,
    TPP_NRRD_SPACE_UNITS,
    TPP_NRRD_ORIGIN,
    TPP_NRRD_VALUES, /* ranges of values, and the size of a block */
    TPP_NRRD_ULTRASOUND,
    /* From here on: a word for each axis. */
    TPP_NRRD_SIZES,
    TPP_NRRD_SPACINGS,
    TPP_NRRD_UNITS,
    TPP_NRRD_KINDS,
    TPP_NRRD_DIRECTIONS,
    TPP_NRRD_AXIS, /* fields that are kept, not read, the first of six */
    TPP_NRRD_FIELD_COUNT = TPP_NRRD_AXIS + 6
} tpp_nrrd_field;

extern const tpp_header_name tpp_nrrd_names[];

typedef enum tpp_nrrd_role {
    TPP_NRRD_NO_ROLE, /* one number long */
    TPP_NRRD_SPACE_AXIS,
    TPP_NRRD_COLOUR_AXIS,
    TPP_NRRD_TIME_AXIS
} tpp_nrrd_role;

enum { TPP_NRRD_MAX_RANK = 8 };

typedef struct tpp_nrrd_axis {
    tpp_nrrd_role role;
    int64_t size;
    bool has_direction;
    double direction[3], spacing; /* as stated; spacing NaN: not stated */
} tpp_nrrd_axis;

/* Zero-initialise; free in any state. */
typedef struct tpp_nrrd_header {
    char *value[TPP_NRRD_FIELD_COUNT]; /* as they stand there; NULL: absent */
    bool has_frames;                   /* keys of PLUS for single frames */
    int rank, space[3], n_space;       /* `space`: axes of space in the file's order */
    int time, colour;                  /* axes; -1: none */
    tpp_nrrd_axis axis[TPP_NRRD_MAX_RANK];
    const tpp_voxel_type *type;
    bool big;
    tpp_data_encoding encoding;
    int64_t line_skip, byte_skip;
    bool is_clip; /* the time axis is read along z */
} tpp_nrrd_header;

TPP_MUST_CHECK tpp_status tpp_nrrd_header_parse(tpp_nrrd_header *h, const char *text,
                                                const char *path);
void tpp_nrrd_header_free(tpp_nrrd_header *h);

/* Field of a line and its value; -1: a comment, a key, or a field that is not looked at. */
int tpp_nrrd_line_field(const char **value, size_t *value_length, const char *line, size_t length);

/* Sets the geometry of `v`. Its is_sequence is set before. */
TPP_MUST_CHECK tpp_status tpp_nrrd_geometry(tpp_volume *v, const tpp_nrrd_header *h,
                                            const char *path);

#endif
