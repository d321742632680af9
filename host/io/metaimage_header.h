/* What a MetaImage header says, checked. For metaimage*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_IO_METAIMAGE_HEADER_H
#define TPP_IO_METAIMAGE_HEADER_H

#include "core/status.h"
#include "io/volume_data.h"
#include "io/voxels.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum tpp_meta_field {
    TPP_META_NDIMS,
    TPP_META_DIM_SIZE,
    TPP_META_SPACING,
    TPP_META_ELEMENT_SIZE,
    TPP_META_OFFSET,
    TPP_META_CENTER,
    TPP_META_MATRIX,
    TPP_META_ANATOMICAL,
    TPP_META_KINDS,
    TPP_META_CHANNELS,
    TPP_META_TYPE,
    TPP_META_BINARY,
    TPP_META_MSB,
    TPP_META_COMPRESSED,
    TPP_META_COMPRESSED_SIZE,
    TPP_META_HEADER_SIZE,
    TPP_META_MINIMUM,
    TPP_META_MAXIMUM,
    TPP_META_SLOPE,
    TPP_META_INTERCEPT,
    TPP_META_MODALITY,
    TPP_META_OBJECT,
    TPP_META_ULTRASOUND,
    TPP_META_DATA_FILE,
    TPP_META_FIELD_COUNT
} tpp_meta_field;

extern const tpp_header_name tpp_meta_names[];

/* Zero-initialise; free in any state. */
typedef struct tpp_meta_header {
    char *value[TPP_META_FIELD_COUNT]; /* as they stand there; NULL: absent */
    bool has_frames;                   /* keys of PLUS for single frames */
    int rank;
    int64_t dim[4]; /* 1 beyond `rank` */
    int64_t channels, header_size;
    const tpp_voxel_type *type;
    bool big, is_text, is_compressed;
    bool is_clip; /* 4-D of one slice: time is read along z */
} tpp_meta_header;

/* Reads and checks all but the geometry. `text`: the header's lines. */
TPP_MUST_CHECK tpp_status tpp_meta_header_parse(tpp_meta_header *h, const char *text,
                                                const char *path);
void tpp_meta_header_free(tpp_meta_header *h);

/* Key and value of a line; false: it is none. */
typedef struct tpp_meta_line {
    const char *key, *value;
    size_t key_length, value_length;
} tpp_meta_line;
bool tpp_meta_line_split(tpp_meta_line *out, const char *line, size_t length);

/* The line that ends a header: ElementDataFile. */
tpp_header_ends tpp_meta_header_ends;

/* Sets the geometry of `v` and what else the header says about it. */
TPP_MUST_CHECK tpp_status tpp_meta_geometry(tpp_volume *v, const tpp_meta_header *h,
                                            const char *path);

#endif
